/** Running a cell of the grid, and several side by side. */
import {DeployError, StoppedError, toTrouble} from './errors.ts';
import type {JobIo} from './contract.ts';
import type {Answer, FailureChoice} from './events.ts';
import type {Job, StepByHand} from './model.ts';
import {type Run, throwIfStopped} from './run.ts';
import {UnknownStepError} from './steps.ts';

/** How a job went: done, or a failure that was decided to be left as one, and how. */
export type JobEnd = {readonly is: 'done'} | {readonly is: 'failed'; readonly error: unknown; readonly decided: Decision};

/** What was decided about a failure. */
export interface Decision {
  readonly choice: Exclude<FailureChoice, 'retry' | 'wait'>;
  readonly answer: Answer;
}

/** Runs a job to its end; a failure is the operator's to decide. Rejects with the failure that was left. */
export async function runJob<Io extends JobIo>(
  run: Run<Io>,
  job: Job,
  work: () => Promise<readonly string[]>,
  byHand?: () => readonly StepByHand[],
): Promise<void> {
  const end = await tryJob(run, job, work, error => (isFinal(error) ? [] : ['retry']), byHand);
  if (end.is === 'failed') throw end.error;
}

/**
 * Runs a job until it is done, or until its failure is decided otherwise than by another attempt. `choices` says what
 * can be done about a failure beside leaving it, `byHand` which steps are left and how a person does them. Rejects only on a stop,
 * and where nobody can tell what became of a step.
 */
export async function tryJob<Io extends JobIo>(
  run: Run<Io>,
  job: Job,
  work: (patient: boolean) => Promise<readonly string[]>,
  choices: (error: unknown) => readonly FailureChoice[],
  byHand?: () => readonly StepByHand[],
): Promise<JobEnd> {
  let patient = false;
  for (;;) {
    throwIfStopped(run.stop);
    await run.emit({type: 'job.started', job});
    try {
      const told = await work(patient);
      await run.emit({type: 'job.succeeded', job, text: told.join('; ') || 'done'});
      return {is: 'done'};
    } catch (error) {
      await run.emit({type: 'job.failed', job, trouble: toTrouble(error)});
      if (error instanceof StoppedError || error instanceof UnknownStepError) throw error;
      const offered: FailureChoice[] = [...choices(error), 'leave'];
      const left = byHand?.();
      const answer = await run.ask({
        about: 'failure',
        job,
        trouble: toTrouble(error),
        choices: offered,
        ...(left && {byHand: [...left]}),
      });
      const choice = offered.find(one => one === answer.value) ?? 'leave';
      if (choice !== 'retry' && choice !== 'wait') return {is: 'failed', error, decided: {choice, answer}};
      patient = choice === 'wait';
    }
  }
}

/** Whether trying the same once more cannot help. */
export function isFinal(error: unknown): boolean {
  return error instanceof DeployError && error.final;
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
