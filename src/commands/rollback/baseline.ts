/**
 * What an environment can go back to: what each component was when a verified release had arrived there, as the records say, not
 * "one before the newest". Pure.
 */
import type {StateTarget} from '../../release/contract.ts';
import type {History} from '../../release/history.ts';
import type {Json} from '../../release/json.ts';
import type {Outcome} from '../../release/words.ts';
import {there} from '../../release/outcome.ts';
import {hasChanged} from '../unfinished.ts';

/** A run as its record has it. */
export interface PastRun {
  readonly run: string;
  readonly history: History;
}

/** What one component was. */
export interface PastState extends StateTarget<Json> {
  readonly kind: string;
}

/** A release that somebody can go back to: what each component was then. */
export interface Baseline {
  readonly run: string;
  readonly version: string;
  /** When it was there last, as far as the runs that were given say. */
  readonly states: ReadonlyMap<string, PastState>;
}

/** Ends that prove what is there; of what only was triggered, nothing is noted. */
const verified: ReadonlySet<Outcome> = new Set(['passed', 'passed with waivers', 'triggered, not proven']);

/** Whether the record of a run says that what it brought was verified, of some component at least. */
export function isVerified({finished, observed}: History): boolean {
  return (
    finished !== undefined &&
    verified.has(finished.outcome) &&
    finished.components.some(({component, end}) => (end === 'verified' || end === 'unchanged') && observed.has(component))
  );
}

/**
 * The newest verified release of another version than the environment was moved to last; or, with `to`, the newest verified one
 * of that version. What a rollback has left behind is gone back to only by name, and one that did not bring all of `wanted` there
 * is gone on with. `runs`: newest first. Undefined where there is none.
 */
export function baselineOf(runs: readonly PastRun[], wanted: readonly string[], to?: string): Baseline | undefined {
  const index = to === undefined ? lastOther(runs, wanted) : runs.findIndex(({history}) => isRelease(history, to));
  const target = runs[index];
  if (target?.history.started === undefined) return undefined;
  // As it was after that run: what a run did not have in it was there from an earlier one.
  const states = new Map<string, PastState>();
  for (const {history} of runs.slice(index)) {
    for (const [component, {version, state}] of history.observed) {
      const kind = history.started?.components.find(({id}) => id === component)?.kind;
      if (kind === undefined || states.has(component)) continue;
      states.set(component, {is: 'state', version: version ?? history.started?.version ?? '', state, kind});
    }
  }
  return {run: target.run, version: target.history.started.version, states};
}

function isRelease(history: History, version: string): boolean {
  return isVerified(history) && history.started?.version === version;
}

/** Where the newest verified release is of another version than the one that is there; -1 where there is none. */
function lastOther(runs: readonly PastRun[], wanted: readonly string[]): number {
  // What somebody adopted is there, whoever brought it.
  let at = runs.findIndex(({history}) => hasChanged(history) || history.started?.kind === 'adopt');
  for (;;) {
    const here = runs[at]?.history.started;
    if (here?.kind !== 'rollback') break;
    // Whoever went back stands where that release was: what came after it has been left.
    const origin = runs.findIndex(({history}, index) => index > at && isRelease(history, here.version));
    if (origin === -1) break;
    // Whoever is half-way back would otherwise be taken one release further.
    if (!isWhole(runs.slice(at, origin), here.version, wanted)) return origin;
    at = origin;
  }
  const version = runs[at]?.history.started?.version;
  return runs.findIndex(({history}, index) => index > at && isVerified(history) && history.started?.version !== version);
}

/** Whether the rollbacks to a version have brought everything back there that was moved since. `runs`: since that release. */
function isWhole(runs: readonly PastRun[], version: string, wanted: readonly string[]): boolean {
  const isBack = ({history: {started}}: PastRun) => started?.kind === 'rollback' && started.version === version;
  const arrived = runs
    .filter(isBack)
    .flatMap(({history}) => history.finished?.components ?? [])
    .flatMap(({component, end}) => (there.has(end) ? [component] : []));
  const moved = runs
    .filter(run => !isBack(run) && hasChanged(run.history))
    .flatMap(({history}) => history.started?.components ?? []);
  return moved.every(({id}) => !wanted.includes(id) || arrived.includes(id));
}
