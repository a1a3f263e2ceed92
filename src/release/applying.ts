/** Apply and verify: the approved plan is carried out, and looked at until it is proved. */
import {componentOf} from './approving.ts';
import {watch} from './checks.ts';
import type {Component, JobIo} from './contract.ts';
import {DeployError, StoppedError, toTrouble} from './errors.ts';
import {stepKey} from './history.ts';
import {allOrFirstError, runJob} from './jobs.ts';
import {type AnyComponentPlan, type Check, type ComponentEnd, type Job, type Plan, isNoop} from './model.ts';
import {there} from './outcome.ts';
import {type Run, hasTouched} from './run.ts';
import {UnknownStepError, performSteps, results} from './steps.ts';

/** Every component goes its own way along `needs`, which means: after that one is verified. */
export async function applyAll<Io extends JobIo>(run: Run<Io>, plan: Plan): Promise<readonly ComponentEnd[]> {
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
    const before = toldSoFar(run, component, part);
    const note = [toTrouble(error).what, ...(before.length === 0 ? [] : [`done before that: ${before.join('; ')}`])].join('; ');
    if (error instanceof StoppedError) return endOf(part, hasTouched(run, component.id) ? 'unknown' : 'not started', note);
    return endOf(part, error instanceof UnknownStepError ? 'unknown' : 'failed', note);
  }
}

/** What was done to the environment for a component, in the order of its steps. */
function toldSoFar<Io extends JobIo>(run: Run<Io>, component: Component<Io>, part: AnyComponentPlan): readonly string[] {
  return component.steps(part).flatMap(step => {
    const done = run.done.get(stepKey(component.id, step.id));
    return done === undefined ? [] : [step.tell(done.result)];
  });
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
