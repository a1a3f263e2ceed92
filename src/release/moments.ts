/** Where a release lets others have their say: before and after its phases, and when it has failed. Each once in a process. */
import type {JobIo} from './contract.ts';
import {StoppedError, toTrouble} from './errors.ts';
import type {ComponentEnd, Trouble} from './model.ts';
import type {Phase} from './words.ts';
import {type Finish, there} from './outcome.ts';
import type {Run} from './run.ts';

/** Awaited by whatever is about to begin a phase, the first as all others. Rejects where the phase must not begin. */
export function beforePhase<Io extends JobIo>(run: Run<Io>, phase: Phase): Promise<void> {
  const begun = run.begun.get(phase) ?? run.around?.({when: 'before', phase}, run.stop.signal) ?? Promise.resolve();
  run.begun.set(phase, begun);
  return begun;
}

/** Called when nothing of a phase is left to do. `trouble`: why it failed. Rejects where the run must not be called a success. */
export async function afterPhase<Io extends JobIo>(run: Run<Io>, phase: Phase, trouble?: Trouble): Promise<void> {
  if (run.ended.has(phase) || run.stop.signal.aborted) return;
  run.ended.add(phase);
  await run.around?.({when: 'after', phase, ...(trouble && {trouble})}, run.stop.signal);
}

/** A phase that is done in one piece. */
export async function inPhase<T, Io extends JobIo>(run: Run<Io>, phase: Phase, work: () => Promise<T>): Promise<T> {
  await beforePhase(run, phase);
  const result = await work().catch(async (error: unknown) => {
    // What has gone wrong first is what the run fails with.
    if (!(error instanceof StoppedError)) await afterPhase(run, phase, toTrouble(error)).catch(() => undefined);
    throw error;
  });
  await afterPhase(run, phase);
  return result;
}

/** Apply and verify end together: components go their own ways through both. */
export async function afterApplying<Io extends JobIo>(
  run: Run<Io>,
  ends: readonly ComponentEnd[],
  changes: boolean,
): Promise<void> {
  const notStarted = ends.find(({end}) => end === 'not started');
  const notThere = ends.find(({end}) => !there.has(end));
  const told = (one: ComponentEnd | undefined) => one && {what: `${one.component}: ${one.end} (${one.note})`};
  if (changes) await afterPhase(run, 'apply', run.applyTrouble ?? told(notStarted));
  await afterPhase(run, 'verify', told(notThere));
}

/** A run that was stopped has not failed. */
export async function afterFailure<Io extends JobIo>(run: Run<Io>, finish: Finish): Promise<void> {
  if (finish.exitCode === 0 || run.stop.signal.aborted) return;
  await run.around?.({when: 'failure', finish}, new AbortController().signal);
}
