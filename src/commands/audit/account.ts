/** Whether what is looked at is the account that was released to: in any other one, everything would seem to be gone. */
import * as z from 'zod';
import type {Io} from '../../components/io.ts';
import {inOneLine, toTrouble} from '../../release/errors.ts';
import {showCommand} from '../../tools/exec.ts';
import {type Line, line} from './lines.ts';
import type {Subject} from './preconditions.ts';
import {withRegion} from './see.ts';

export interface Account {
  readonly lines: readonly Line[];
  /** Why nothing of AWS can be looked at. */
  readonly unseen: string | undefined;
}

const session = z.object({is: z.literal('session'), needed: z.boolean()});

/** Whether a requirement is the one for an AWS session, and counts here. */
export function needsSession(subject: unknown, usesAws: boolean): boolean {
  const {data} = session.safeParse(subject);
  return data !== undefined && (data.needed || usesAws);
}

export async function lookAtAccount({audited}: Subject, io: Io, needed: boolean): Promise<Account> {
  if (!needed) return {lines: [], unseen: undefined};
  const then = accountThen(audited) ?? io.place.accountId;
  const say = line(
    'account',
    then === undefined ? 'an AWS account answers' : `the AWS account is the one that was released to, ${then}`,
    showCommand(withRegion(['aws', 'sts', 'get-caller-identity'], io.place)),
  );
  try {
    const {account, arn} = await io.aws.sts.identity();
    if (then === undefined || account === then) return {lines: [say.passed(`${account} as ${arn}`)], unseen: undefined};
    const unseen = `the credentials are for account ${account}`;
    return {lines: [say.failed(`${unseen} (${arn})`, {next: nextOf(io)})], unseen};
  } catch (error) {
    const {what, next} = toTrouble(error);
    return {lines: [say.failed(what, {next: (next && inOneLine(next)) ?? nextOf(io)})], unseen: what};
  }
}

function nextOf({place: {login, accountId}}: Io): string {
  return login === undefined ? `Use credentials of account ${accountId ?? 'that was released to'}.` : `Run: ${login.join(' ')}`;
}

/** What preflight saw: `333333333333 as …`. */
function accountThen({record}: Subject['audited']): string | undefined {
  for (const event of record.events) {
    if (event.type === 'check' && event.check.claim === 'aws session' && event.check.status === 'passed')
      return /^\d{12}\b/.exec(event.check.found)?.[0];
  }
  return undefined;
}
