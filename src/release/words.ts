/**
 * The words of design section 2 that are lists and need no schema: model.ts has the rest. What only tells of a release, or asks before
 * one, loads these alone: making schemas takes longer than drawing the first screen.
 */

/** A column of the grid. `preflight`, `plan` and `confirm` look; the others touch something. */
export const phases = ['preflight', 'bump', 'build', 'push', 'plan', 'confirm', 'apply', 'verify'] as const;
export type Phase = (typeof phases)[number];

/** The phases that prepare: they touch the repository and the registry, never an environment. */
export const preparing = ['bump', 'build', 'push'] as const satisfies readonly Phase[];
export type PreparingPhase = (typeof preparing)[number];

/** What stands for the release as a whole where a component is named. */
export const wholeRelease = '*';

/** The id of a job, as used in file names and on screen. */
export function jobId(job: {readonly component: string; readonly phase: Phase}): string {
  return `${job.component}.${job.phase}`;
}

/** What a change does to what it touches, worst last. `replace` creates first, `outage` destroys first. */
export const risks = ['none', 'create', 'update', 'trigger', 'replace', 'outage', 'forget', 'destroy'] as const;
export type Risk = (typeof risks)[number];

/** What is unusual about a change, whatever its risk. `unlisted`: outside the component's `allowChanges`. */
export const flags = ['downgrade', 'overwrite-tag', 'republish', 'unlisted'] as const;
export type Flag = (typeof flags)[number];

/** Risks and flags that a person approves by typing the environment's name. */
export const grave: ReadonlySet<Risk | Flag> = new Set(['outage', 'destroy', 'forget', ...flags]);

/** The worse of two risks. */
export function worse(a: Risk, b: Risk): Risk {
  return risks.indexOf(a) >= risks.indexOf(b) ? a : b;
}

/** The worst that a component's plan does; `none` for a plan without changes. */
export function riskOf(component: {readonly changes: readonly {readonly risk: Risk}[]}): Risk {
  return component.changes.reduce<Risk>((worst, change) => worse(worst, change.risk), 'none');
}

/** Whether applying would do anything. */
export function isNoop(component: {readonly changes: readonly {readonly risk: Risk}[]}): boolean {
  return component.changes.every(change => change.risk === 'none');
}

/** Whether a component may be taken back when it fails: by policy alone, only when somebody says so, or not at all. */
export const reverts = ['auto', 'ask', 'never'] as const;
export type Revert = (typeof reverts)[number];

/** What is done when a component fails and nobody is there to ask. `rollback`: that one; `rollback-all`: all that moved. */
export const onFailures = ['leave', 'rollback', 'rollback-all'] as const;
export type OnFailure = (typeof onFailures)[number];

/** How a run ended, in honest words. */
export const outcomes = [
  'passed',
  'passed with waivers',
  'triggered, not proven',
  'nothing to do',
  'failed',
  'rolled back',
  'superseded',
  'stopped',
  'refused',
  'interrupted',
  'unknown',
] as const;
export type Outcome = (typeof outcomes)[number];
