/**
 * An approval that is given elsewhere: what a plan would change, as a file that a person can read and approve, and as something
 * that a later plan can be held against. It holds no secret: of what is sensitive there is only a slow, salted hash, within that
 * of the whole plan. Pure: the salt comes from outside.
 */
import {scrypt} from 'node:crypto';
import * as z from 'zod';
import {planDifferences} from './difference.ts';
import {type AnyComponentPlan, type Plan, change, unbuilt} from './model.ts';
import {onFailures} from './words.ts';
import {canonical} from './hash.ts';

export const approvalSchema = 1;

const part = z.strictObject({
  component: z.string(),
  kind: z.string(),
  from: z.string().optional(),
  to: z.string(),
  changes: z.array(change),
  notes: z.array(z.string()),
  /** scrypt of the plan's fingerprint with the file's salt, in hexadecimal. */
  fingerprint: z.string(),
  /** An image that is not built yet: approved by its tag and the commit that it is built from. */
  unbuilt: unbuilt.optional(),
});
type Part = z.infer<typeof part>;

export const approvalFile = z.strictObject({
  schema: z.literal(approvalSchema),
  application: z.string(),
  environment: z.string(),
  version: z.string(),
  /** What becomes of a component that fails, and of what has begun when the run is stopped, is approved along with the rest. */
  onFailure: z.enum(onFailures),
  onCancel: z.enum(['leave', 'rollback']),
  /** When it was planned (ISO 8601, UTC), by whom, and with which version of the tool. */
  at: z.string(),
  by: z.string(),
  tool: z.string(),
  /** 16 bytes in hexadecimal. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  components: z.array(part),
});
export type ApprovalFile = z.infer<typeof approvalFile>;

/** What a run is of, and what its policy is when something fails. */
export type Facts = Pick<ApprovalFile, (typeof facts)[number]>;
const facts = ['application', 'environment', 'version', 'onFailure', 'onCancel'] as const;

export async function approvalOf(
  plan: Pick<Plan, 'components'>,
  facts: Facts & Pick<ApprovalFile, 'at' | 'by' | 'tool' | 'salt'>,
): Promise<ApprovalFile> {
  return {
    schema: approvalSchema,
    ...facts,
    components: await Promise.all(plan.components.map(one => partOf(one, facts.salt))),
  };
}

async function partOf(plan: AnyComponentPlan, salt: string): Promise<Part> {
  const {component, kind, from, to, changes, notes} = plan;
  return {
    component,
    kind,
    ...(from !== undefined && {from}),
    to,
    changes,
    notes,
    fingerprint: await slowHash(plan.fingerprint, salt),
    ...(plan.unbuilt && {unbuilt: {...plan.unbuilt, fingerprint: await slowHash(plan.unbuilt.fingerprint, salt)}}),
  };
}

/** Whoever guesses a short secret from a hash has to pay for every guess. About 40 ms. */
function slowHash(text: string, salt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(text, Buffer.from(salt, 'hex'), 32, (error, key) => (error ? reject(error) : resolve(key.toString('hex'))));
  });
}

/** In what a run is not the one that was approved, one line each, before anything is planned. */
export function otherFacts(approved: Facts, now: Partial<Facts>): readonly string[] {
  return facts.flatMap(name =>
    now[name] === undefined || now[name] === approved[name] ? [] : [`${name}: ${approved[name]} was approved, not ${now[name]}`],
  );
}

/** In what a plan is not the one that was approved, one line each. Empty: every change is the approved one. */
export async function planMismatch(approved: ApprovalFile, plan: Pick<Plan, 'components'>): Promise<readonly string[]> {
  const parts = new Map(approved.components.map(one => [one.component, one]));
  const now = await Promise.all(plan.components.map(one => partOf(one, approved.salt)));
  const same = new Set(now.filter(one => isSame(parts.get(one.component), one)).map(({component}) => component));
  // Told by what can be shown of them. Of two that are the same, nothing is.
  const shown = (which: string) => (one: Part) => ({
    ...one,
    fingerprint: same.has(one.component) ? '' : which,
    payload: null,
  });
  return [
    ...planDifferences({components: approved.components.map(shown('approved'))}, {components: now.map(shown('now'))}),
    ...now.flatMap(one => (same.has(one.component) ? [] : sourceMismatch(parts.get(one.component), one))),
  ];
}

/** The same changes with the same risks; of an image that was not built yet, built from the same commit. */
function isSame(approved: Part | undefined, now: Part): boolean {
  if (approved === undefined) return false;
  const planned = approved.fingerprint === now.fingerprint;
  const built = approved.unbuilt !== undefined && approved.unbuilt.fingerprint === now.unbuilt?.fingerprint;
  const risks = ({changes}: Part) => canonical(changes.map(({id, risk, flags}) => [id, risk, flags]));
  return (planned || built) && risks(approved) === risks(now);
}

function sourceMismatch(approved: Part | undefined, now: Part): readonly string[] {
  if (approved?.unbuilt === undefined) return [];
  const {image, commit} = approved.unbuilt;
  if (now.unbuilt === undefined)
    return [`${now.component}: ${image} was to be built from commit ${commit}, and was there already`];
  return now.unbuilt.commit === commit
    ? []
    : [`${now.component}: ${image} was built on commit ${now.unbuilt.commit}, and ${commit} was approved`];
}
