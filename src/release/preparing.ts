/** Bump, build and push: before the plan, each started by the operator; they touch no environment. */
import type {JobIo, Step} from './contract.ts';
import {RefusedError} from './errors.ts';
import {stepKey} from './history.ts';
import {allOrFirstError, runJob} from './jobs.ts';
import type {Job} from './model.ts';
import {type PreparingPhase, preparing} from './words.ts';
import {inPhase} from './moments.ts';
import {type Run, targetOf} from './run.ts';
import {byHandOf, performSteps} from './steps.ts';

/** The steps of one component in one phase. */
export interface Preparation<Io> {
  readonly job: Job & {readonly phase: PreparingPhase};
  readonly steps: readonly Step<Io>[];
}

export async function preparations<Io extends JobIo>(run: Run<Io>): Promise<readonly Preparation<Io>[]> {
  const all = await Promise.all(
    run.components.map(async component => {
      const steps = await component.prepare(targetOf(run, component.id), run.io({component: component.id, phase: 'bump'}));
      return preparing.map(phase => ({job: {component: component.id, phase}, steps: steps.filter(step => step.phase === phase)}));
    }),
  );
  return all.flat().filter(({steps}) => steps.length > 0);
}

/** Phase by phase, each started by the operator; the components of a phase side by side. */
export async function prepareAll<Io extends JobIo>(run: Run<Io>, all: readonly Preparation<Io>[]): Promise<void> {
  const isDone = ({job, steps}: Preparation<Io>) => steps.every(({id}) => run.done.has(stepKey(job.component, id)));
  for (const phase of preparing) {
    const jobs = all.filter(one => one.job.phase === phase);
    // What an earlier process of this run has done needs no start: it is told again, and that is all.
    const open = jobs.filter(one => !isDone(one));
    if (open.length > 0) {
      const work = open.map(({job, steps}) => ({component: job.component, text: steps.map(step => step.title).join(', ')}));
      const answer = await run.ask({about: 'start', phase, work});
      if (answer.value !== 'go') throw new RefusedError(`${phase} was not started`, {means: 'The environment was not touched.'});
    }
    const work = () =>
      allOrFirstError(
        jobs.map(({job, steps}) =>
          run.limit(() =>
            runJob(
              run,
              job,
              () => performSteps(run, job, steps),
              () => byHandOf(run, job, steps),
            ),
          ),
        ),
      );
    await (open.length > 0 ? inPhase(run, phase, work) : work());
  }
}
