/**
 * The engine: requirements → prepare → plan → approval → steps → claims, over the grid of components and
 * phases. Pure: time, files, processes and people come through its ports; its only output is events.
 */
import {applyAll} from './applying.ts';
import {planAndApprove} from './approving.ts';
import type {JobIo, Stop} from './contract.ts';
import {standingPlan, stepKey} from './history.ts';
import type {Plan} from './model.ts';
import {afterApplying, afterFailure, beforePhase, inPhase} from './moments.ts';
import {type Finish, conclude} from './outcome.ts';
import {isChange} from './policy.ts';
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
  await afterFailure(run, finish);
  await ports.emit({type: 'run.finished', ...finish});
  return finish;
}

async function carryOut<Io extends JobIo>(run: Run<Io>): Promise<Finish> {
  try {
    await inPhase(run, 'preflight', () => preflight(run));
    const standing = standingPlan(run.history);
    const approved = await (standing === undefined ? prepareAndApprove(run) : goOnWith(run, standing));
    if (run.planOnly) return conclude({run, plan: approved, ends: []});
    return await apply(run, approved);
  } catch (error) {
    return conclude({run, error, ends: []});
  }
}

async function apply<Io extends JobIo>(run: Run<Io>, plan: Plan): Promise<Finish> {
  const ends = await applyAll(run, plan);
  try {
    await afterApplying(run, ends, isChange(plan));
    return conclude({run, plan, ends});
  } catch (error) {
    return conclude({run, plan, ends, error});
  }
}

/** An earlier process of this run has come past the barrier. */
async function goOnWith<Io extends JobIo>(run: Run<Io>, plan: Plan): Promise<Plan> {
  await run.enter?.(run.stop.signal);
  if (isChange(plan)) await beforePhase(run, 'apply');
  return plan;
}

/** Everything before the barrier. Whatever ends it early takes back what was edited, where it is still ours. */
async function prepareAndApprove<Io extends JobIo>(run: Run<Io>): Promise<Plan> {
  if (run.planOnly) return planAndApprove(run);
  const work = await preparations(run);
  try {
    await prepareAll(run, work);
    await run.enter?.(run.stop.signal);
    const plan = await planAndApprove(run);
    // While what was edited can still be taken back.
    if (isChange(plan)) await beforePhase(run, 'apply');
    return plan;
  } catch (error) {
    // A detached run goes on later, with its edits in place; and where the environment was touched, they say what is there.
    if (run.stop.command()?.do !== 'detach' && !hasTouched(run)) {
      const steps = work.flatMap(({job, steps}) => steps.map(step => [stepKey(job.component, step.id), step] as const));
      run.undone.push(...(await undoSteps(run, new Map(steps))));
    }
    throw error;
  }
}
