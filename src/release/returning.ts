/**
 * The way back of a component that failed: to what was there before, as the approval foresaw it. A plan like any
 * other, towards a state instead of a version; its steps are named `back.…`, so that a record tells the two apart.
 */
import {noResults} from './contract.ts';
import type {Component, JobIo, Results, Step} from './contract.ts';
import {DeployError, StoppedError, toTrouble} from './errors.ts';
import {runJob} from './jobs.ts';
import type {AnyComponentPlan, ComponentEnd, Job, Plan, WayBack} from './model.ts';
import {isNoop, riskOf, worse} from './words.ts';
import {type Run, hasTouched} from './run.ts';
import {UnknownStepError, byHandOf, performSteps, results} from './steps.ts';
import {endOf, verifyClaims} from './verifying.ts';

const prefix = 'back.';

/** How far a way back is watched: to its proof, or only until it is on its way (a run that was stopped has seconds). */
export type Watching = 'to the proof' | 'sent';

/** What a component can be taken back to; undefined where nothing of it was touched, or the config says never. */
export function wayBackOf<Io extends JobIo>(run: Run<Io>, plan: Plan, component: string): WayBack | undefined {
  const way = plan.back?.find(one => one.component === component);
  return way === undefined || way.revert === 'never' || !hasTouched(run, component) ? undefined : way;
}

/** Takes a component back. `because` is why, for the note of its end. Never rejects for what a way back can run into. */
export async function takeBack<Io extends JobIo>(
  run: Run<Io>,
  component: Component<Io>,
  part: AnyComponentPlan,
  way: WayBack,
  because: string,
  watching: Watching = 'to the proof',
): Promise<ComponentEnd> {
  const job: Job = {component: component.id, phase: 'apply'};
  const end = (end: ComponentEnd['end'], note: string) => endOf(part, end, `${because}; ${note}`);
  try {
    const plan = run.back.get(component.id) ?? (await planBack(run, component, part, way));
    const steps = component.steps(plan).map(asBack);
    const byHand = () => byHandOf(run, job, steps);
    if (!isNoop(plan)) await runJob(run, job, () => performSteps(run, job, steps), byHand);
    if (watching === 'sent') return end('unknown', `on its way back to ${plan.to}; nobody waited for it`);
    const claims = component.claims(plan, ownResults(results(run, component.id)));
    const proof = async () => {
      const checks = await verifyClaims(run, component, claims, false);
      return [`back on ${plan.to}`, ...checks.map(({found}) => found)];
    };
    await runJob(run, {component: component.id, phase: 'verify'}, proof, byHand);
    return end('rolled back', `back on ${plan.to}`);
  } catch (error) {
    const unknown = error instanceof UnknownStepError || error instanceof StoppedError;
    return end(unknown ? 'unknown' : 'failed', `taking it back did not work out: ${toTrouble(error).what}`);
  }
}

async function planBack<Io extends JobIo>(
  run: Run<Io>,
  component: Component<Io>,
  part: AnyComponentPlan,
  way: WayBack,
): Promise<AnyComponentPlan> {
  const version = way.version ?? part.from ?? 'what was there before';
  const io = run.io({component: component.id, phase: 'apply'});
  const plan = await component.plan({is: 'state', version, state: way.state}, io, noResults);
  // The approval covers the way back with the risks that the way there has, and no other.
  if (worse(riskOf(plan), riskOf(part)) !== riskOf(part)) {
    throw new DeployError(`the way back would do more than was approved (${riskOf(plan)}, not ${riskOf(part)})`, {
      means: 'It was left as it is.',
      next: ['Look at the way back as a plan of its own: deploy-wizard rollback'],
      final: true,
    });
  }
  run.back.set(component.id, plan);
  await run.emit({type: 'back.planned', plan});
  return plan;
}

function asBack<Io>(step: Step<Io>): Step<Io> {
  return {
    ...step,
    id: `${prefix}${step.id}`,
    request: (io, results) => step.request(io, ownResults(results)),
    byHand: (io, results) => step.byHand(io, ownResults(results)),
  };
}

/** The results of the way back alone, named as its steps know each other. */
function ownResults(all: Results): Results {
  return new Map([...all].flatMap(([id, result]) => (id.startsWith(prefix) ? [[id.slice(prefix.length), result] as const] : [])));
}
