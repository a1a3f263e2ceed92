import type * as z from 'zod';
import type {Account} from './account.ts';
import {AwsError} from './errors.ts';

/** One API action: checks its input, acts on the account, and gives the answer's body. */
export type Action = (account: Account, input: unknown) => object;

/** The codes in which a service says what AWS says everywhere, but spells differently in each. */
export interface ErrorCodes {
  readonly invalidInput: string;
  readonly internal: string;
  /** Where the protocol's own code for it is not the service's. */
  readonly throttled?: string;
  readonly denied?: string;
}

/** One AWS service as the wire sees it. */
export interface Service {
  /** Its name in the SigV4 credential scope. */
  readonly name: string;
  readonly wire: Wire;
  readonly codes: ErrorCodes;
  readonly actions: Readonly<Record<string, Action>>;
}

type Wire =
  /** `target`: what stands before the dot in `X-Amz-Target`. */
  | {readonly protocol: 'json'; readonly version: '1.0' | '1.1'; readonly target: string}
  /** `routes`: by action. */
  | {readonly protocol: 'rest-json'; readonly routes: Readonly<Record<string, Route>>}
  /** `version`: what the form says; `namespace`: of the XML answers. */
  | {readonly protocol: 'query'; readonly version: string; readonly namespace: string};

/** Where a REST action lives. `path`: `/schedules/{Name}`, whose braces name a field of the input. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
}

/** Makes the actions of one service: whatever its schema refuses is that service's "invalid parameter". */
export const actionsOf =
  (codes: ErrorCodes) =>
  <Input>(schema: z.ZodType<Input>, act: (account: Account, input: Input) => object): Action =>
  (account, input) => {
    const parsed = schema.safeParse(input);
    if (parsed.success) return act(account, parsed.data);
    const [issue] = parsed.error.issues;
    throw new AwsError(
      codes.invalidInput,
      `Invalid parameter at '${issue?.path.join('.') ?? ''}': ${issue?.message ?? 'unknown'}`,
    );
  };
