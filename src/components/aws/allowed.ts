/** Asks IAM whether the caller may do what an approved plan would do, without doing any of it. */
import * as z from 'zod';
import {DeployError} from '../../release/errors.ts';
import type {Check, Claim} from '../../release/model.ts';
import type {Decision, Question} from '../../tools/aws/iam.ts';
import type {Io} from '../io.ts';
import {failed, open, passed, warned} from '../verdict.ts';
import {type Permission, type Subject, type Work, permissions} from './permissions.ts';

/** A role that something is given to act with, and whose it will be (`ecs-tasks.amazonaws.com`). */
export interface PassedRole {
  readonly role: string;
  readonly to: string;
}

/** What a component would act on. */
export interface Acting {
  /** ARNs; what is about a subject without any is not asked. */
  readonly on: Readonly<Partial<Record<Subject, readonly string[]>>>;
  readonly passes?: readonly PassedRole[];
  /** Subjects with policies of their own, which may allow what the caller's do not: IAM is not asked about those for roles. */
  readonly ownPolicy?: readonly Subject[];
}

export function permissionsClaim(component: string, work: Work): Claim {
  return {
    id: `${component} permissions`,
    text: `${component}: permissions`,
    subject: {is: 'permissions', work},
  };
}

const works = Object.keys(permissions);
const subject = z.object({
  is: z.literal('permissions'),
  work: z.custom<Work>(text => typeof text === 'string' && works.includes(text)),
});

/** The look at a claim of `permissionsClaim`; undefined for any other claim. Never fails but for a denial that IAM is sure of. */
export function checkPermissions(claim: Claim, io: Io, acting: () => Promise<Acting>): Promise<Check> | undefined {
  const parsed = subject.safeParse(claim.subject);
  return parsed.success ? ask(claim, parsed.data.work, io, acting) : undefined;
}

async function ask(claim: Claim, work: Work, io: Io, acting: () => Promise<Acting>): Promise<Check> {
  try {
    return verdict(claim, await denials(work, await acting(), io));
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return open(claim, `cannot be asked: ${error.message}`);
  }
}

/** A permission that IAM does not see. `sure`: nothing that IAM was not asked about could allow it. */
export interface Denial {
  readonly permission: Permission;
  readonly resource: string;
  readonly sure: boolean;
}

/** What of a piece of work the caller may not do. Throws DeployError where IAM cannot be asked. */
export async function denials(
  work: Work,
  acting: Acting,
  io: Io,
): Promise<{readonly asked: number; readonly denied: readonly Denial[]}> {
  const table: readonly Permission[] = permissions[work];
  const principal = await principalOf(io);
  const {account, arn} = await io.aws.sts.identity();
  // The account itself may do everything.
  if (arn.endsWith(`::${account}:root`)) return {asked: 0, denied: []};

  const wanted = table.filter(({need, action}) => need !== 'look' && !action.startsWith('iam:'));
  const bySubject = [...Map.groupBy(wanted, ({on}) => on)].flatMap(([on, some]) => {
    const resources = on === 'any' ? ['*'] : (acting.on[on] ?? []);
    return resources.length === 0 ? [] : [{on, permissions: some, question: {resources}}];
  });
  const passing = table.filter(({action}) => action === 'iam:PassRole');
  const byReceiver = [...Map.groupBy(acting.passes ?? [], ({to}) => to)].map(([to, roles]) => ({
    on: 'role' as const,
    permissions: passing,
    question: {resources: [...new Set(roles.map(({role}) => role))], context: {'iam:PassedToService': to}},
  }));

  const groups = await Promise.all(
    [...bySubject, ...byReceiver]
      .filter(group => group.permissions.length > 0)
      .map(async ({on, permissions: some, question}) => {
        const asked: Question = {...question, principal, actions: some.map(({action}) => action)};
        const decisions = await io.aws.iam.simulate(asked);
        return decisions.map(decision => ({decision, permission: some.find(({action}) => action === decision.action), on}));
      }),
  );
  const all = groups.flat();
  return {
    asked: all.length,
    denied: all.flatMap(({decision, permission, on}) =>
      permission === undefined || decision.is === 'allowed'
        ? []
        : [{permission, resource: decision.resource, sure: isSure(decision, acting.ownPolicy?.includes(on) ?? false)}],
    ),
  };
}

function isSure({is, missing}: Decision, ownPolicy: boolean): boolean {
  return is === 'explicitDeny' || (missing.length === 0 && !ownPolicy);
}

/** The ARN that IAM knows the caller's policies by. */
async function principalOf(io: Io): Promise<string> {
  const {arn} = await io.aws.sts.identity();
  const [, partition, account, role] = /^arn:([^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  if (role === undefined) {
    if (/:iam::\d{12}:(?:user\/.|root$)/.test(arn)) return arn;
    throw new DeployError(`${arn} is neither a role nor a user`);
  }
  // A session's ARN lacks the path of its role; whoever may not look tries without one.
  const known = await io.aws.iam.role(role).catch(() => undefined);
  return known ?? `arn:${partition}:iam::${account}:role/${role}`;
}

/** One check of all that was asked. */
export function verdict(claim: Claim, {asked, denied}: Awaited<ReturnType<typeof denials>>): Check {
  const line = ({permission: {action}, resource}: Denial) => `${action} on ${resource}`;
  const refused = denied.filter(({permission, sure}) => sure && permission.need === 'act');
  const doubtful = denied.filter(one => !refused.includes(one));
  const evidence = doubtful.map(one => `${one.sure ? 'not allowed' : 'perhaps not allowed'}: ${line(one)}`);
  if (refused.length > 0) {
    return failed(claim, `not allowed: ${refused.map(line).join('; ')}`, {
      next: 'Ask for these permissions, or use other credentials.',
      ...(evidence.length > 0 && {evidence}),
    });
  }
  return doubtful.length === 0
    ? passed(claim, asked === 1 ? '1 permission' : `${asked} permissions`)
    : warned(claim, `without ${doubtful.map(line).join('; ')}: ${consequence(doubtful)}`, {evidence});
}

function consequence(doubtful: readonly Denial[]): string {
  return doubtful.every(({permission}) => permission.need === 'help')
    ? 'less would be known of a failure'
    : 'it may not work; IAM cannot tell for sure';
}
