/** Who may change an environment: one run at a time, and nobody while an interrupted one left something in the middle. */
import path from 'node:path';
import {replay} from '../release/history.ts';
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
    await refuseAfterKill(application, environment);
    return unlock;
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** The newest run counts: whatever was begun before it, somebody has gone on since. */
async function refuseAfterKill({store}: Application, environment: string): Promise<void> {
  const [run] = await store.runs(environment);
  if (run === undefined) return;
  const {events} = await store.read(environment, run);
  const {finished, open} = replay(events);
  const begun = [...open.values()].find(({job}) => job.phase === 'apply');
  if (finished !== undefined || begun === undefined) return;
  throw new EnvironmentLockedError(`run ${run} was killed in the middle of a change (${begun.job.component}: ${begun.step})`, {
    means: `Nothing was started. What became of that change is not known yet; it may still be going on.`,
    next: [`Go on with that run first: deploy-wizard resume --env ${environment}`],
  });
}
