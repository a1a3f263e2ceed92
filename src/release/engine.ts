/**
 * The engine: requirements → prepare → plan → approval → steps → claims, over the grid of components and
 * phases. Pure: time, files, processes and people come through its ports; its only output is events.
 */
import type {Component, JobIo, Step, Stop} from './contract.ts';
import {watch, look} from './checks.ts';
import {DeployError, RefusedError, StoppedError, exitCodes, toTrouble} from './errors.ts';
import {fingerprint} from './json.ts';
import {
  type AnyComponentPlan,
  type Check,
  type Claim,
  type ComponentEnd,
  type Job,
  type Plan,
  type PreparingPhase,
  isNoop,
  preparing,
  wholeRelease,
} from './model.ts';
import {type Finish, conclude, there} from './outcome.ts';
import {approvalText, isChange, needsOf} from './policy.ts';
import {type Order, type Ports, type Run, hasTouched, startRun, throwIfStopped} from './run.ts';
import {UnknownStepError, performSteps, results, undoSteps} from './steps.ts';
import {forgetApplied, standingPlan, stepKey} from './history.ts';

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
    // A detached run goes on later, with its edits in place.
    if (run.stop.command()?.do !== 'detach')
      await undoSteps(run, new Map(work.flatMap(({job, steps}) => steps.map(step => [stepKey(job.component, step.id), step]))));
    throw error;
  }
}

// ── preflight ────────────────────────────────────────────────────────────────────────────────────────

/** Looks at every requirement once, equal ones of several components together. Asks until all are met. */
async function preflight<Io extends JobIo>(run: Run<Io>): Promise<void> {
  const job: Job = {component: wholeRelease, phase: 'preflight'};
  const io = run.io(job);
  let open = requirements(run);
  await run.emit({type: 'job.started', job, text: `${open.length} checks`});
  for (;;) {
    const checks = await allOrFirstError(
      open.map(async ({component, claim}) => {
        throwIfStopped(run.stop);
        const check = await run.limit(() => look(component, claim, io));
        await run.emit({type: 'check', job, check});
        return {component, claim, check};
      }),
    );
    const failed = checks.filter(({check}) => check.status === 'failed' || check.status === 'pending');
    if (failed.length === 0) break;
    const answer = await run.ask({about: 'preflight', failed: failed.map(({claim}) => claim.id)});
    if (answer.value !== 'retry') {
      const trouble = preflightTrouble(
        failed.map(({check}) => check),
        isBegun(run),
      );
      await run.emit({type: 'job.failed', job, trouble: toTrouble(trouble)});
      throw trouble;
    }
    // What could not be looked at may be looked at now.
    open = checks.filter(({check}) => check.status !== 'passed');
  }
  await run.emit({type: 'job.succeeded', job, text: 'all requirements are met'});
}

function requirements<Io extends JobIo>(run: Run<Io>): {readonly component: Component<Io>; readonly claim: Claim}[] {
  const all = run.components.flatMap(component => component.requirements(run.target).map(claim => ({component, claim})));
  return [...new Map(all.map(one => [one.claim.id, one])).values()].filter(({claim}) => !(isBegun(run) && claim.once));
}

/** Whether an earlier process of this run has changed anything, or may have. */
function isBegun<Io extends JobIo>({done, open, failed}: Run<Io>): boolean {
  return done.size > 0 || open.size > 0 || failed.size > 0;
}

/** A run that was begun cannot go on now: it stays as it is, for `resume`. */
class HeldUpError extends DeployError {
  override readonly exitCode = exitCodes.unknown;
}

function preflightTrouble(failed: readonly Check[], begun: boolean): DeployError {
  const all = failed.map(({text, found}) => `${text}: ${found}`).join('; ');
  const what = `${failed.length === 1 ? 'a requirement is' : `${failed.length} requirements are`} not met: ${all}`;
  const next = [...new Set(failed.flatMap(({next}) => next ?? []))];
  return begun
    ? new HeldUpError(what, {means: 'Nothing more has been changed.', next: [...next, 'Then go on: deploy-wizard resume']})
    : new DeployError(what, {means: 'Nothing has been changed.', next});
}

// ── bump, build, push ────────────────────────────────────────────────────────────────────────────────

/** The steps of one component in one phase. */
interface Preparation<Io> {
  readonly job: Job & {readonly phase: PreparingPhase};
  readonly steps: readonly Step<Io>[];
}

async function preparations<Io extends JobIo>(run: Run<Io>): Promise<readonly Preparation<Io>[]> {
  const all = await Promise.all(
    run.components.map(async component => {
      const steps = await component.prepare(run.target, run.io({component: component.id, phase: 'bump'}));
      return preparing.map(phase => ({job: {component: component.id, phase}, steps: steps.filter(step => step.phase === phase)}));
    }),
  );
  return all.flat().filter(({steps}) => steps.length > 0);
}

/** Phase by phase, each started by the operator; the components of a phase side by side. */
async function prepareAll<Io extends JobIo>(run: Run<Io>, all: readonly Preparation<Io>[]): Promise<void> {
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
    await allOrFirstError(jobs.map(({job, steps}) => run.limit(() => runJob(run, job, () => performSteps(run, job, steps)))));
  }
}

/** Runs a job to its end; a failure is the operator's to decide. Rejects with the failure that was left. */
async function runJob<Io extends JobIo>(run: Run<Io>, job: Job, work: () => Promise<readonly string[]>): Promise<void> {
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

// ── plan and confirm ─────────────────────────────────────────────────────────────────────────────────

/** How often a plan is made anew because the world has changed meanwhile: a world that never rests is somebody's to look at. */
const rounds = 3;

/** Plans, asks, and plans again as long as the world changed while the question was open. */
async function planAndApprove<Io extends JobIo>(run: Run<Io>): Promise<Plan> {
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

function componentOf<Io extends JobIo>(run: Run<Io>, plan: AnyComponentPlan): Component<Io> {
  const component = run.components.find(({id}) => id === plan.component);
  if (component === undefined) throw new DeployError(`the plan names a component that this run does not have: ${plan.component}`);
  return component;
}

// ── apply and verify ─────────────────────────────────────────────────────────────────────────────────

/** Every component goes its own way along `needs`, which means: after that one is verified. */
async function applyAll<Io extends JobIo>(run: Run<Io>, plan: Plan): Promise<readonly ComponentEnd[]> {
  const ends = new Map<string, Promise<ComponentEnd>>();
  const endOf = (part: AnyComponentPlan): Promise<ComponentEnd> => {
    const known = ends.get(part.component);
    if (known !== undefined) return known;
    const component = componentOf(run, part);
    const needed = plan.components.filter(({component: id}) => component.needs.includes(id));
    const end = Promise.all(needed.map(endOf)).then(before => {
      const missing = before.find(({end}) => !there.has(end));
      return missing === undefined ? run.limit(() => applyOne(run, component, part)) : skip(run, part, missing);
    });
    ends.set(part.component, end);
    return end;
  };
  return Promise.all(plan.components.map(endOf));
}

async function skip<Io extends JobIo>(run: Run<Io>, part: AnyComponentPlan, missing: ComponentEnd): Promise<ComponentEnd> {
  const text = `${missing.component} is not verified (${missing.end})`;
  await run.emit({type: 'job.skipped', job: {component: part.component, phase: 'apply'}, text});
  return endOf(part, 'not started', text);
}

async function applyOne<Io extends JobIo>(run: Run<Io>, component: Component<Io>, part: AnyComponentPlan): Promise<ComponentEnd> {
  try {
    if (!isNoop(part)) {
      const job: Job = {component: component.id, phase: 'apply'};
      const steps = component.steps(part);
      await runJob(run, job, async () => {
        const begun = steps.some(({id}) => run.done.has(stepKey(component.id, id)) || run.open.has(stepKey(component.id, id)));
        const changed = begun ? undefined : await component.recheck(part, run.io(job));
        if (changed !== undefined) throw changedSincePlanned(changed);
        return performSteps(run, job, steps);
      });
    }
    return await verify(run, component, part);
  } catch (error) {
    const trouble = toTrouble(error);
    if (error instanceof StoppedError)
      return endOf(part, hasTouched(run, component.id) ? 'unknown' : 'not started', trouble.what);
    return endOf(part, error instanceof UnknownStepError ? 'unknown' : 'failed', trouble.what);
  }
}

function changedSincePlanned(changed: string): DeployError {
  return new DeployError(`${changed}, after the plan was approved`, {
    means: 'Nothing of this component was changed.',
    next: ['Run the release again: it plans anew.'],
    final: true,
  });
}

/** Of several claims that failed: what says why comes first, what nobody knows last. */
const causes = ['rolled back', 'superseded', 'stopped', 'failed', 'unknown'] as const;

async function verify<Io extends JobIo>(run: Run<Io>, component: Component<Io>, part: AnyComponentPlan): Promise<ComponentEnd> {
  const job: Job = {component: component.id, phase: 'verify'};
  const claims = component.claims(part, results(run, component.id));
  if (claims.length === 0) {
    await run.emit({type: 'job.skipped', job, text: 'verify: none'});
    return endOf(part, isNoop(part) ? 'unchanged' : 'not proven', 'nothing can be looked at (verify: none)');
  }
  let checks: readonly Check[] = [];
  const failed = () => checks.filter(({status}) => status === 'failed');
  try {
    await runJob(run, job, async () => {
      const io = run.io(job);
      checks = await allOrFirstError(
        claims.map(claim => watch(component, claim, io, check => run.emit({type: 'check', job, check}))),
      );
      const first = failed()[0];
      if (first) throw new DeployError(`${first.text}: ${first.found}`, {...(first.next && {next: [first.next]})});
      return checks.map(({found}) => found);
    });
  } catch (error) {
    if (failed().length === 0 || error instanceof StoppedError) throw error;
    const found = failed().map(({cause}) => cause ?? 'failed');
    return endOf(
      part,
      causes.find(cause => found.includes(cause)) ?? 'failed',
      failed()
        .map(({text, found}) => `${text}: ${found}`)
        .join('; '),
    );
  }
  return endOf(part, isNoop(part) ? 'unchanged' : 'verified', checks.map(({found}) => found).join('; '));
}

function endOf(part: AnyComponentPlan, end: ComponentEnd['end'], note: string): ComponentEnd {
  const {component, kind, from, to} = part;
  return {component, kind, ...(from !== undefined && {from}), to, end, note};
}

/**
 * All of them, or the first error, but only after every one has ended: nothing goes on behind the back of
 * whoever handles the error.
 */
async function allOrFirstError<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find(one => one.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
}
