/** The only place where the world is touched: intent, perform, effect; and settling what was left in doubt. */
import type {JobIo, Results, Settled, Step} from './contract.ts';
import {DeployError, LostAnswerError, StoppedError, UnsentError, exitCodes, toTrouble} from './errors.ts';
import {type OpenIntent, resultsOf, stepKey} from './history.ts';
import type {Json} from './json.ts';
import type {Job, StepByHand, Trouble} from './model.ts';
import {type Run, throwIfStopped} from './run.ts';

/** How often a step is performed again after its answer was lost and looking says that it did not happen. */
const attempts = 3;

/** Looking cannot tell whether a step happened. */
export class UnknownStepError extends DeployError {
  static override readonly usual = 'DW701';
  override readonly exitCode = exitCodes.unknown;
}

/** Performs a job's steps in order, each once; returns what they tell, one line each. */
export async function performSteps<Io extends JobIo>(
  run: Run<Io>,
  job: Job,
  steps: readonly Step<Io>[],
): Promise<readonly string[]> {
  const io = run.io(job);
  const told: string[] = [];
  for (const step of steps) {
    const key = stepKey(job.component, step.id);
    const result = run.done.get(key)?.result ?? (await settleOpen(run, io, job, step)) ?? (await perform(run, io, job, step));
    told.push(step.tell(result));
  }
  return told;
}

/**
 * Takes back what the steps of a refused release did to files and git, newest first, where it is still ours.
 * Says what was taken back, one line each.
 */
export async function undoSteps<Io extends JobIo>(
  run: Run<Io>,
  steps: ReadonlyMap<string, Step<Io>>,
): Promise<readonly string[]> {
  const undone: string[] = [];
  const held = new Set<string>();
  for (const [key, {job, step: id, request, result}] of [...run.done].toReversed()) {
    const step = steps.get(key);
    if (step?.undo === undefined || held.has(job.component)) continue;
    await run.emit({type: 'intent', job, step: id, request, undo: true});
    const trouble = await troubleOf(() => step.undo?.(run.io(job), request, result));
    const left = trouble && {...trouble, what: `${step.title}: this could not be taken back. ${trouble.what}`};
    await run.emit({
      type: 'effect',
      job,
      step: id,
      undo: true,
      result: left ? {is: 'failed', trouble: left} : {is: 'done', value: null},
    });
    run.done.delete(key);
    if (left === undefined) {
      undone.push(step.tell(result));
      continue;
    }
    // Whoever refused has to know that not everything is as it was. What came before rests on what stays.
    await run.emit({type: 'job.failed', job, trouble: left});
    held.add(job.component);
  }
  return undone;
}

async function troubleOf(work: () => Promise<void> | undefined): Promise<Trouble | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return toTrouble(error);
  }
}

/** Those of the steps that the record does not show as done, and what a person would type to do them. */
export function byHandOf<Io extends JobIo>(run: Run<Io>, job: Job, steps: readonly Step<Io>[]): readonly StepByHand[] {
  const io = run.io(job);
  const soFar = results(run, job.component);
  return steps
    .filter(({id}) => !run.done.has(stepKey(job.component, id)))
    .map(step => {
      const {note, commands} = step.byHand(io, soFar);
      return {
        step: step.id,
        title: step.title,
        ...(note !== undefined && {note}),
        commands: commands.map(command => [...command]),
      };
    });
}

/** The results of a component's steps so far. */
export function results<Io extends JobIo>(run: Run<Io>, component: string): Results {
  return resultsOf(run.done, component);
}

/** What an intent without an effect came to; undefined where there is none, or where it did not happen. */
async function settleOpen<Io extends JobIo>(run: Run<Io>, io: Io, job: Job, step: Step<Io>): Promise<Json | undefined> {
  const intent = run.open.get(stepKey(job.component, step.id));
  return intent && adopt(run, io, job, step, intent.request);
}

async function perform<Io extends JobIo>(run: Run<Io>, io: Io, job: Job, step: Step<Io>): Promise<Json> {
  const key = stepKey(job.component, step.id);
  for (let attempt = 1; ; attempt++) {
    throwIfStopped(run.stop);
    const request = await step.request(io, results(run, job.component));
    throwIfStopped(run.stop);
    const intent = {job, step: step.id, request};
    await run.emit({type: 'intent', ...intent});
    run.open.set(key, intent);
    let result: Json;
    try {
      result = await step.perform(io, request);
    } catch (error) {
      // Stopped before it was sent: nobody has to find out.
      if (error instanceof UnsentError) {
        await run.emit({type: 'effect', job, step: step.id, result: {is: 'absent'}});
        run.open.delete(key);
      }
      // Stopped in the middle: whether it happened is for whoever resumes to find out.
      if (error instanceof StoppedError) throw error;
      if (!(error instanceof LostAnswerError)) {
        await fail(run, intent, error);
        throw error;
      }
      io.log(`The answer was lost (${error.message}); looking whether it happened.`);
      const adopted = await adopt(run, io, job, step, request);
      if (adopted !== undefined) return adopted;
      if (attempt === attempts) throw lostEveryTime(step.title, error);
      continue;
    }
    // Outside of the try: an effect that cannot be recorded is none that failed.
    await finish(run, job, step, request, result, false);
    return result;
  }
}

function lostEveryTime(title: string, error: LostAnswerError): DeployError {
  return new DeployError(`${title}: ${error.message}, ${attempts} times`, {
    means: 'Looking says that it did not happen.',
    next: error.next,
    cause: error,
  });
}

/** Looks whether an intent happened: its result, undefined when it did not; asks where looking cannot tell. */
async function adopt<Io extends JobIo>(run: Run<Io>, io: Io, job: Job, step: Step<Io>, request: Json): Promise<Json | undefined> {
  for (;;) {
    const settled = await settle(io, step, request);
    if (settled === 'absent') {
      await run.emit({type: 'effect', job, step: step.id, adopted: true, result: {is: 'absent'}});
      run.open.delete(stepKey(job.component, step.id));
      return undefined;
    }
    if (settled !== 'unknown' && 'failed' in settled) {
      await fail(run, {job, step: step.id, request}, settled.failed);
      throw settled.failed;
    }
    if (settled !== 'unknown') {
      await finish(run, job, step, request, settled.done, true);
      return settled.done;
    }
    const text = `${step.title}: it was begun and its answer is missing. Looking cannot tell whether it happened.`;
    const trouble = {what: text, next: ['Find out from the other side, then run `deploy-wizard resume`.']};
    await run.emit({type: 'effect', job, step: step.id, result: {is: 'unknown', trouble}});
    const {assume} = step;
    const answer = await run.ask({about: 'unknown step', job, step: step.id, text, ...(assume && {happened: true})});
    switch (answer.value) {
      case 'look':
        continue;
      case 'again':
        await run.emit({type: 'effect', job, step: step.id, result: {is: 'absent'}});
        run.open.delete(stepKey(job.component, step.id));
        return undefined;
      case 'happened': {
        if (assume === undefined) continue;
        const value = assume(request);
        await finish(run, job, step, request, value, true);
        return value;
      }
      default:
        throw new UnknownStepError(text, {
          means: 'It may have happened or not; nothing was sent a second time.',
          next: trouble.next,
        });
    }
  }
}

/** A look that fails says nothing of what was looked at. */
async function settle<Io extends JobIo>(io: Io, step: Step<Io>, request: Json): Promise<Settled<Json>> {
  try {
    return await step.settle(io, request);
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    io.log(`Whether it happened could not be looked at: ${toTrouble(error).what}`);
    return 'unknown';
  }
}

async function fail<Io extends JobIo>(run: Run<Io>, intent: OpenIntent, error: unknown): Promise<void> {
  const {job, step} = intent;
  // Until it is recorded, it is open: a later process finds an intent without an effect.
  await run.emit({type: 'effect', job, step, result: {is: 'failed', trouble: toTrouble(error)}});
  run.failed.set(stepKey(job.component, step), intent);
  run.open.delete(stepKey(job.component, step));
}

async function finish<Io extends JobIo>(run: Run<Io>, job: Job, step: Step<Io>, request: Json, value: Json, adopted: boolean) {
  await run.emit({type: 'effect', job, step: step.id, result: {is: 'done', value}, ...(adopted && {adopted})});
  run.open.delete(stepKey(job.component, step.id));
  run.failed.delete(stepKey(job.component, step.id));
  run.done.set(stepKey(job.component, step.id), {job, step: step.id, request, result: value});
}
