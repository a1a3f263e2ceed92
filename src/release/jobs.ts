/** Running a cell of the grid, and several side by side. */
import {DeployError, StoppedError, toTrouble} from './errors.ts';
import type {JobIo} from './contract.ts';
import type {Job} from './model.ts';
import {type Run, throwIfStopped} from './run.ts';
import {UnknownStepError} from './steps.ts';

/** Runs a job to its end; a failure is the operator's to decide. Rejects with the failure that was left. */
export async function runJob<Io extends JobIo>(run: Run<Io>, job: Job, work: () => Promise<readonly string[]>): Promise<void> {
  for (;;) {
    throwIfStopped(run.stop);
    await run.emit({type: 'job.started', job});
    try {
      const told = await work();
      await run.emit({type: 'job.succeeded', job, text: told.join('; ') || 'done'});
      return;
    } catch (error) {
      await run.emit({type: 'job.failed', job, trouble: toTrouble(error)});
      if (error instanceof StoppedError || error instanceof UnknownStepError) throw error;
      const choices = error instanceof DeployError && error.final ? (['leave'] as const) : (['retry', 'leave'] as const);
      const answer = await run.ask({about: 'failure', job, trouble: toTrouble(error), choices: [...choices]});
      if (answer.value !== 'retry') throw error;
    }
  }
}

/**
 * All of them, or the first error, but only after every one has ended: nothing goes on behind the back of
 * whoever handles the error.
 */
export async function allOrFirstError<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find(one => one.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
}
