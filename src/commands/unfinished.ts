/** What earlier runs have left behind: a change in the middle, edits of the repository, a message that was never proved. */
import {type History, hasOpenChange, replay} from '../release/history.ts';
import {reach} from './records.ts';
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
  /** Whether nobody has seen its end: its process is gone, or has left what it had begun to itself. */
  readonly unseen: boolean;
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
 * What the newest run that changed a component did there for this very version and never proved: a message that is sent again is
 * sent twice. An attempt that was refused since, or a release of other components, has not made it any less so. Throws where a
 * record cannot be read: it may be the one that says so.
 */
export async function unprovenSteps(
  store: Store,
  environment: string,
  {version, components}: {readonly version: string; readonly components: readonly string[]},
): Promise<ReadonlySet<string>> {
  const unproven = new Set<string>();
  const open = new Set(components);
  for (const run of (await store.runs(environment)).slice(0, reach)) {
    if (open.size === 0) break;
    const {done, open: begun, started, finished} = replay((await store.read(environment, run)).events);
    const changes = [...done, ...begun].filter(([, {job}]) => job.phase === 'apply' && open.has(job.component));
    for (const [key, {job}] of changes) {
      const end = finished?.components.find(({component}) => component === job.component)?.end;
      if (started?.version === version && end !== 'verified' && end !== 'unchanged') unproven.add(key);
    }
    for (const [, {job}] of changes) open.delete(job.component);
  }
  return unproven;
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
    unseen: finished === undefined || (begun !== undefined && begun.doubtful === undefined),
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
