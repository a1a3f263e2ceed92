/** Plan and confirm: what would change is shown, and somebody or a policy says yes to exactly that. */
import type {Component, JobIo} from './contract.ts';
import {DeployError, RefusedError, StoppedError} from './errors.ts';
import {forgetApplied} from './history.ts';
import {allOrFirstError, runJob} from './jobs.ts';
import {fingerprint} from './json.ts';
import {type AnyComponentPlan, type Job, type Plan, isNoop, wholeRelease} from './model.ts';
import {approvalText, isChange, needsOf} from './policy.ts';
import type {Run} from './run.ts';
import {results} from './steps.ts';

/** How often a plan is made anew because the world has changed meanwhile: a world that never rests is somebody's to look at. */
const rounds = 3;

/** Plans, asks, and plans again as long as the world changed while the question was open. */
export async function planAndApprove<Io extends JobIo>(run: Run<Io>): Promise<Plan> {
  let asked: string | undefined;
  for (let round = 1; ; round++) {
    if (round > rounds) throw restless();
    const plan = await planAll(run);
    if (run.planOnly || !isChange(plan) || plan.fingerprint === asked) return plan;
    await approve(run, plan, asked !== undefined);
    asked = plan.fingerprint;
    if (!(await worldChanged(run, plan))) return plan;
  }
}

function restless(): DeployError {
  return new DeployError(`the world changed between plan and apply, ${rounds} times in a row`, {
    means: 'The environment was not touched.',
    next: ['Find out who else is at work there, then run the release again.'],
  });
}

async function planAll<Io extends JobIo>(run: Run<Io>): Promise<Plan> {
  const components = await allOrFirstError(
    run.components.map(component =>
      run.limit(async () => {
        const job: Job = {component: component.id, phase: 'plan'};
        let plan: AnyComponentPlan | undefined;
        await runJob(run, job, async () => {
          plan = await component.plan(run.target, run.io(job), results(run, component.id));
          return [isNoop(plan) ? 'nothing to do' : plan.changes.map(({summary}) => summary).join(', ')];
        });
        if (plan === undefined) throw new StoppedError('stopped before the plan was made');
        return plan;
      }),
    ),
  );
  const plan: Plan = {
    components: [...components],
    fingerprint: fingerprint(components.map(({component, fingerprint}) => [component, fingerprint])),
  };
  const before = run.history.plan?.fingerprint;
  if (before !== undefined && before !== plan.fingerprint) forgetApplied(run.done);
  await run.emit({type: 'plan.ready', plan});
  return plan;
}

async function approve<Io extends JobIo>(run: Run<Io>, plan: Plan, again: boolean): Promise<void> {
  const job: Job = {component: wholeRelease, phase: 'confirm'};
  const expect = approvalText(plan, run.environment);
  await run.emit({type: 'job.started', job});
  const answer = await run.ask({about: 'approval', expect, fingerprint: plan.fingerprint, again});
  if (answer.value !== expect) {
    const because =
      answer.because ?? (answer.value === '' ? 'the plan was declined' : `the answer was not exactly ${JSON.stringify(expect)}`);
    await run.emit({type: 'approval.refused', fingerprint: plan.fingerprint, because});
    await run.emit({type: 'job.failed', job, trouble: {what: because}});
    throw new RefusedError(because, {means: 'The environment was not touched.'});
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

async function worldChanged<Io extends JobIo>(run: Run<Io>, plan: Plan): Promise<boolean> {
  const job: Job = {component: wholeRelease, phase: 'confirm'};
  const changes = await allOrFirstError(
    plan.components.map(async part => {
      const changed = await componentOf(run, part).recheck(part, run.io({component: part.component, phase: 'plan'}));
      if (changed !== undefined) run.io(job).log(`${part.component}: ${changed}; planning again`);
      return changed;
    }),
  );
  return changes.some(changed => changed !== undefined);
}

export function componentOf<Io extends JobIo>(run: Run<Io>, plan: AnyComponentPlan): Component<Io> {
  const component = run.components.find(({id}) => id === plan.component);
  if (component === undefined) throw new DeployError(`the plan names a component that this run does not have: ${plan.component}`);
  return component;
}
