/**
 * The engine: requirements → prepare → plan → approval → steps → claims, over the grid of components and
 * phases. Pure: time, files, processes and people come through its ports; its only output is events.
 */
import {applyAll} from './applying.ts';
import {planAndApprove} from './approving.ts';
import type {JobIo, Stop} from './contract.ts';
import {standingPlan, stepKey} from './history.ts';
import type {Plan} from './model.ts';
import {type Finish, conclude} from './outcome.ts';
import {preflight} from './preflight.ts';
import {prepareAll, preparations} from './preparing.ts';
import {type Order, type Ports, type Run, hasTouched, startRun} from './run.ts';
import {undoSteps} from './steps.ts';

/**
 * Carries a release out, or goes on with one. Emits everything but `run.started`/`run.resumed`, ends with
 * `run.finished`, and never rejects for what a release can run into.
 */
export async function release<Io extends JobIo>(order: Order<Io>, ports: Ports<Io>, stop: Stop): Promise<Finish> {
  const run = startRun(order, ports, stop);
  const finish = await carryOut(run);
  await ports.emit({type: 'run.finished', ...finish});
  return finish;
}

async function carryOut<Io extends JobIo>(run: Run<Io>): Promise<Finish> {
  try {
    await preflight(run);
    const approved = standingPlan(run.history) ?? (await prepareAndApprove(run));
    if (run.planOnly) return conclude({run, plan: approved, ends: []});
    return conclude({run, plan: approved, ends: await applyAll(run, approved)});
  } catch (error) {
    return conclude({run, error, ends: []});
  }
}

/** Everything before the barrier. Whatever ends it early takes back what was edited, where it is still ours. */
async function prepareAndApprove<Io extends JobIo>(run: Run<Io>): Promise<Plan> {
  if (run.planOnly) return planAndApprove(run);
  const work = await preparations(run);
  try {
    await prepareAll(run, work);
    return await planAndApprove(run);
  } catch (error) {
    // A detached run goes on later, with its edits in place; and where the environment was touched, they say what is there.
    if (run.stop.command()?.do !== 'detach' && !hasTouched(run)) {
      const steps = work.flatMap(({job, steps}) => steps.map(step => [stepKey(job.component, step.id), step] as const));
      run.undone.push(...(await undoSteps(run, new Map(steps))));
    }
    throw error;
  }
}
