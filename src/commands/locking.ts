/** Who may change an environment: one run at a time, and nobody while an interrupted one left something in the middle. */
import path from 'node:path';
import type {History} from '../release/history.ts';
import {findRun} from '../record/last-release.ts';
import {EnvironmentLockedError, lockEnvironment} from '../record/lock.ts';
import type {Application} from './application.ts';
import type {Context} from './context.ts';

/** Takes the lock; resolves with how to give it back. Throws EnvironmentLockedError. */
export async function lock(
  context: Context,
  {store}: Application,
  environment: string,
  work: string,
): Promise<() => Promise<void>> {
  const {user, host, pid} = context;
  const since = new Date(context.clock.now()).toISOString();
  return lockEnvironment(path.join(store.root, environment), {user, host, pid, work, since});
}

/** The same for a new release: it has to wait for a run that was killed in the middle of a change. */
export async function lockForRelease(
  context: Context,
  application: Application,
  environment: string,
  version: string,
): Promise<() => Promise<void>> {
  const unlock = await lock(context, application, environment, `release ${version}`);
  try {
    await refuseAfterKill(application, environment, version);
    return unlock;
  } catch (error) {
    await unlock();
    throw error;
  }
}

interface Unfinished {
  readonly run: string;
  readonly history: History;
  /** What it left in the middle, in words. */
  readonly left: string;
  /** Whether an environment may be in the middle of a change. */
  readonly touched: boolean;
}

/** The newest run, if it left something in the middle. Whatever was begun before it, somebody has gone on since. */
export async function unfinishedRun({store}: Application, environment: string): Promise<Unfinished | undefined> {
  const newest = await findRun(store, environment, () => true);
  if (newest === undefined) return undefined;
  const {run, history} = newest;
  if (history.started === undefined || (history.finished !== undefined && !history.finished.resumable)) return undefined;
  const begun = [...history.open.values()].find(({job}) => job.phase === 'apply');
  const [done] = [...history.done.values()].toReversed();
  const last = begun ?? done;
  if (last === undefined) return undefined;
  const left = `run ${run} (${history.started.version}) was interrupted ${begun ? 'in the middle of' : 'after'} ${last.job.component}: ${last.step}`;
  return {run, history, left, touched: begun !== undefined};
}

/** Says so where nothing is going to be changed, but somebody should know. */
export async function warnOfUnfinished(
  application: Application,
  environment: string,
  say: (text: string) => void,
): Promise<void> {
  const unfinished = await unfinishedRun(application, environment);
  if (unfinished) say(`Note: ${unfinished.left}. To go on with it: deploy-wizard resume --env ${environment}`);
}

/** A process that was killed in the middle of a change, or one that left another version's edits behind. */
async function refuseAfterKill(application: Application, environment: string, version: string): Promise<void> {
  const unfinished = await unfinishedRun(application, environment);
  if (unfinished === undefined) return;
  const {history, left, touched} = unfinished;
  const killed = history.finished === undefined;
  if (!killed || (!touched && history.started?.version === version)) return;
  throw new EnvironmentLockedError(left, {
    means: touched
      ? 'Nothing was started. What became of that change is not known yet; it may still be going on.'
      : 'Nothing was started. Its edits of the repository are still there.',
    next: [`Go on with that run first: deploy-wizard resume --env ${environment}`],
  });
}

/**
 * What the newest run that changed anything did for this very version and never proved: a message that is sent
 * again is sent twice. An attempt that was refused since has not made it any less so.
 */
export async function unprovenSteps({store}: Application, environment: string, version: string): Promise<ReadonlySet<string>> {
  const changes = ({done, open}: History) => [...done, ...open].filter(([, {job}]) => job.phase === 'apply');
  const found = await findRun(store, environment, history => changes(history).length > 0);
  if (found?.history.started?.version !== version) return new Set();
  const {finished} = found.history;
  const proven = new Set(
    finished?.components.flatMap(({component, end}) => (end === 'verified' || end === 'unchanged' ? [component] : [])),
  );
  return new Set(changes(found.history).flatMap(([key, {job}]) => (proven.has(job.component) ? [] : [key])));
}
