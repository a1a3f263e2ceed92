import {type Account, arnIn} from '../account.ts';

/** What the caller may not do. Everything else is allowed: the endpoint knows no policies. */
export interface Denial {
  /** `ecs:UpdateService`, `ecs:*` */
  readonly action: string;
  /** The ARN it is denied on, `*` standing for any text; by default any. */
  readonly resource: string;
}

/** The role that every caller has assumed. */
export const callerRole = 'release-manager';

export const callerArn = ({id}: Pick<Account, 'id'>): string => `arn:aws:sts::${id}:assumed-role/${callerRole}/demo`;

/**
 * Whether a permission is denied. Without a resource, as for a call that arrives, only what is denied on all of them counts:
 * calls are not searched for what they are about.
 */
export const isDenied = ({denials}: Account, permission: string, on?: string): boolean =>
  denials.some(
    ({action, resource}) =>
      matches(action.toLowerCase(), permission.toLowerCase()) &&
      (resource === '*' || (on !== undefined && matches(resource, on))),
  );

/** As IAM words it. */
export const deniedMessage = (account: Account, permission: string): string =>
  `User: ${callerArn(account)} is not authorized to perform: ${permission} on resource: ${resourceOf(account, permission)} because no identity-based policy allows the ${permission} action`;

const resourceOf = (account: Account, permission: string): string => arnIn(account, permission.split(':')[0] ?? '', '*');

/** A pattern of IAM: `*` is any text, `?` any character. */
const matches = (pattern: string, text: string): boolean =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  ).test(text);
