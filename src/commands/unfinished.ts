/** What earlier runs have left behind: a change in the middle, edits of the repository, a message that was never proved. */
import {type History, hasOpenChange, replay} from '../release/history.ts';
import {findRun} from '../record/last-release.ts';
import {lookAtLock} from '../record/lock.ts';
import type {Store} from '../record/store.ts';
import {isRunning} from '../tools/process-identity.ts';
import type {Context} from './context.ts';

export interface Unfinished {
  readonly run: string;
  readonly version: string;
  /** What it left in the middle, in words. */
  readonly left: string;
  /** Whether an environment may be in the middle of a change. */
  readonly touched: boolean;
  /** Whether it never came to an end of its own. */
  readonly killed: boolean;
}

/**
 * The run that left something in the middle: of those that have changed the environment the newest, if it did not come to its
 * end; or else the newest of all, if it left edits here. Runs that only prepare pass each other by: what one of them does says
 * nothing of a change that is open; and one that is still at work, or has the lock, has left nothing. `but`: the run that asks.
 */
export async function unfinishedRun(
  store: Store,
  environment: string,
  here: Here,
  but?: string,
): Promise<Unfinished | undefined> {
  const standing = await lookAtLock(store.lock(environment), here.host);
  const atWork = standing.is === 'held' ? standing.owner.run : undefined;
  let prepared: Unfinished | undefined;
  let newest = true;
  for (const run of await store.runs(environment)) {
    if (run === but) continue;
    const history = replay((await store.read(environment, run)).events);
    if (history.started === undefined) continue;
    const unfinished = leftBy(run, history);
    if (hasChanged(history)) return run === atWork ? undefined : (unfinished ?? prepared);
    if (isElsewhere(history, here)) continue;
    if (newest) prepared = unfinished;
    newest = false;
  }
  return prepared;
}

/** Says so where nothing is going to be changed, but somebody should know. */
export async function warnOfUnfinished(
  here: Here,
  store: Store,
  environment: string,
  say: (text: string) => void,
): Promise<void> {
  const unfinished = await unfinishedRun(store, environment, here);
  if (unfinished) say(`Note: ${unfinished.left}. To go on with it: deploy-wizard resume --env ${environment}`);
}

/**
 * What the newest run that changed anything did for this very version and never proved: a message that is sent
 * again is sent twice. An attempt that was refused since has not made it any less so.
 */
export async function unprovenSteps(store: Store, environment: string, version: string): Promise<ReadonlySet<string>> {
  const changes = ({done, open}: History) => [...done, ...open].filter(([, {job}]) => job.phase === 'apply');
  const found = await findRun(store, environment, history => changes(history).length > 0);
  if (found?.history.started?.version !== version) return new Set();
  const {finished} = found.history;
  const proven = new Set(
    finished?.components.flatMap(({component, end}) => (end === 'verified' || end === 'unchanged' ? [component] : [])),
  );
  return new Set(changes(found.history).flatMap(([key, {job}]) => (proven.has(job.component) ? [] : [key])));
}

function leftBy(run: string, history: History): Unfinished | undefined {
  const {started, finished, open, done} = history;
  if (started === undefined || (finished !== undefined && !finished.resumable)) return undefined;
  const begun = [...open.values()].find(({job}) => job.phase === 'apply');
  const last = begun ?? [...done.values()].at(-1);
  if (last === undefined) return undefined;
  const {version} = started;
  const where = begun ? 'in the middle of' : 'after';
  return {
    run,
    version,
    left: `run ${run} (${version}) was interrupted ${where} ${last.job.component}: ${last.step}`,
    touched: begun !== undefined,
    killed: finished === undefined,
  };
}

/** Whether it has changed anything of its environment, or may have. */
export function hasChanged(history: History): boolean {
  const {done, failed, finished} = history;
  const applied = [...done.values(), ...failed.values()].some(({job}) => job.phase === 'apply');
  return applied || hasOpenChange(history) || finished?.touched === true;
}

type Here = Pick<Context, 'host' | 'pid'>;

/** Of a run that has no end: whether nothing of it is left here, because it is another machine's, or still at work. */
export function isElsewhere(history: History, here: Here): boolean {
  return history.started?.by.host !== here.host || isAtWork(history, here);
}

/** Whether the process that began it still runs on this machine, and it has no end. */
export function isAtWork({started, finished}: History, here: Here): boolean {
  const {host, pid, startTime} = started?.by ?? {};
  if (finished !== undefined || host !== here.host || pid === undefined || pid === here.pid) return false;
  return isRunning({pid, startTime});
}
