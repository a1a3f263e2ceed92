/** Plan and confirm: what would change is shown, and somebody or a policy says yes to exactly that. */
import type {Component, JobIo} from './contract.ts';
import {DeployError, RefusedError, StoppedError, toTrouble} from './errors.ts';
import {forgetApplied} from './history.ts';
import {planDifferences} from './difference.ts';
import {allOrFirstError, runJob} from './jobs.ts';
import {fingerprint} from './hash.ts';
import type {AnyComponentPlan, Job, Plan, WayBack} from './model.ts';
import {isNoop, wholeRelease} from './words.ts';
import {inPhase} from './moments.ts';
import {approvalText, isChange, needsOf} from './policy.ts';
import {type Run, targetOf} from './run.ts';
import {results} from './steps.ts';

/** How often a plan is made anew because the world has changed meanwhile: a world that never rests is somebody's to look at. */
const rounds = 3;

/** Plans, asks, and plans again as long as the world changed while the question was open. */
export async function planAndApprove<Io extends JobIo>(run: Run<Io>): Promise<Plan> {
  let asked: Plan | undefined;
  let changed: string | undefined;
  for (let round = 1; ; round++) {
    if (round > rounds) throw restless();
    const plan = await inPhase(run, 'plan', () => planAll(run));
    if (run.planOnly || !isChange(plan)) return plan;
    if (plan.fingerprint === asked?.fingerprint) {
      const job: Job = {component: wholeRelease, phase: 'confirm'};
      await run.emit({type: 'job.succeeded', job, text: 'planned anew, and it is what was approved: going on'});
      return plan;
    }
    await inPhase(run, 'confirm', () => approve(run, plan, asked && {plan: asked, changed}));
    asked = plan;
    changed = await worldChanged(run, plan);
    if (changed === undefined) return plan;
  }
}

function restless(): DeployError {
  return new DeployError(`the world changed between plan and apply, ${rounds} times in a row`, {
    code: 'DW153',
    means: 'The environment was not touched.',
    next: ['Find out who else is at work there, then run the release again.'],
  });
}

async function planAll<Io extends JobIo>(run: Run<Io>): Promise<Plan> {
  const parts = await allOrFirstError(
    run.components.map(component =>
      run.limit(async () => {
        const job: Job = {component: component.id, phase: 'plan'};
        let plan: AnyComponentPlan | undefined;
        await runJob(run, job, async () => {
          plan = await component.plan(targetOf(run, component.id), run.io(job), results(run, component.id));
          return [isNoop(plan) ? 'nothing to do' : plan.changes.map(({summary}) => summary).join(', ')];
        });
        if (plan === undefined) throw new StoppedError('stopped before the plan was made');
        return {plan, back: run.planOnly || isNoop(plan) ? [] : await wayBack(run, component)};
      }),
    ),
  );
  const components = parts.map(({plan}) => plan);
  const back = parts.flatMap(({back}) => back);
  const plan: Plan = {
    components,
    fingerprint: fingerprint(components.map(({component, fingerprint}) => [component, fingerprint])),
    ...(back.length > 0 && {back, onFailure: run.onFailure ?? 'leave'}),
    ...(back.length > 0 && run.onCancel === 'rollback' && {onCancel: run.onCancel}),
  };
  const before = run.history.plan?.fingerprint;
  if (before !== undefined && before !== plan.fingerprint) forgetApplied(run.done);
  await run.emit({type: 'plan.ready', plan});
  return plan;
}

/** What the component would be taken back to: what is there before anything is touched. None where that cannot be told. */
async function wayBack<Io extends JobIo>(run: Run<Io>, component: Component<Io>): Promise<readonly WayBack[]> {
  const io = run.io({component: component.id, phase: 'plan'});
  try {
    const observed = await component.observe(io);
    if (observed === undefined) return [];
    const {version, state} = observed.before ?? observed;
    return [{component: component.id, revert: component.revert, ...(version !== undefined && {version}), state}];
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    io.log(`There is no way back: what is there now cannot be told (${toTrouble(error).what}).`);
    return [];
  }
}

/** `before`: the plan that was asked about before this one, and what has changed since. */
async function approve<Io extends JobIo>(
  run: Run<Io>,
  plan: Plan,
  before: {readonly plan: Plan; readonly changed: string | undefined} | undefined,
): Promise<void> {
  const job: Job = {component: wholeRelease, phase: 'confirm'};
  const expect = approvalText(plan, run.environment);
  await run.emit({type: 'job.started', job});
  const answer = await run.ask({
    about: 'approval',
    expect,
    fingerprint: plan.fingerprint,
    again: before !== undefined,
    ...(before?.changed !== undefined && {because: before.changed}),
    ...(before && {differences: [...planDifferences(before.plan, plan)]}),
  });
  if (answer.value !== expect) {
    const because =
      answer.because ?? (answer.value === '' ? 'the plan was declined' : `the answer was not exactly ${JSON.stringify(expect)}`);
    await run.emit({type: 'approval.refused', fingerprint: plan.fingerprint, because});
    await run.emit({type: 'job.failed', job, trouble: {what: because}});
    throw new RefusedError(because, {code: 'DW302', means: 'The environment was not touched.'});
  }
  const covers = [...new Set(needsOf(plan).map(({what}) => what))];
  await run.emit({
    type: 'approval.given',
    fingerprint: plan.fingerprint,
    by: answer.by,
    covers,
    ...(answer.because && {because: answer.because}),
  });
  await run.emit({type: 'job.succeeded', job, text: `approved by ${answer.by}`});
}

/** What has changed since the plan was made, in words; undefined when it still holds. */
async function worldChanged<Io extends JobIo>(run: Run<Io>, plan: Plan): Promise<string | undefined> {
  const job: Job = {component: wholeRelease, phase: 'confirm'};
  const changes = await allOrFirstError(
    plan.components.map(async part => {
      const changed = await componentOf(run, part).recheck(part, run.io({component: part.component, phase: 'plan'}));
      return changed === undefined ? [] : [`${part.component}: ${changed}`];
    }),
  );
  const changed = changes.flat().join('; ');
  if (changed === '') return undefined;
  await run.emit({type: 'job.started', job, text: `planning again, because ${changed}`});
  return changed;
}

export function componentOf<Io extends JobIo>(run: Run<Io>, plan: AnyComponentPlan): Component<Io> {
  const component = run.components.find(({id}) => id === plan.component);
  if (component === undefined) throw new DeployError(`the plan names a component that this run does not have: ${plan.component}`);
  return component;
}
