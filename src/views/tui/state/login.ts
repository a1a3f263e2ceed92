/** A registry that asks for a user and a password. They are here while they are typed, and no longer. */

export const loginFields = ['username', 'password'] as const;
export type LoginField = (typeof loginFields)[number];

export interface Login {
  readonly id: string;
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly at: LoginField;
}

export type LoginAction =
  | {readonly do: 'login asked'; readonly id: string; readonly host: string}
  | {readonly do: 'login typed'; readonly id: string; readonly change: Partial<Pick<Login, 'username' | 'password' | 'at'>>}
  /** Without an answer: nothing is given. */
  | {
      readonly do: 'login given';
      readonly id: string;
      readonly answer: {readonly username: string; readonly password: string} | undefined;
    };

export function updateLogins(logins: readonly Login[], action: LoginAction): readonly Login[] {
  switch (action.do) {
    case 'login asked':
      return [...logins, {id: action.id, host: action.host, username: '', password: '', at: 'username'}];
    case 'login typed':
      return logins.map(login => (login.id === action.id ? {...login, ...action.change} : login));
    case 'login given':
      return logins.filter(({id}) => id !== action.id);
  }
}

/** Whether both were typed. */
export function isComplete({username, password}: Login): boolean {
  return username !== '' && password !== '';
}
