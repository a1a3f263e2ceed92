/** Apply and verify: the approved plan is carried out, and looked at until it is proved; or taken back. */
import {componentOf} from './approving.ts';
import {type Component, type JobIo, createStop} from './contract.ts';
import {DeployError, StoppedError, exitCodes, toTrouble} from './errors.ts';
import type {FailureChoice} from './events.ts';
import {stepKey} from './history.ts';
import {type Decision, allOrFirstError, isFinal, tryJob} from './jobs.ts';
import type {AnyComponentPlan, Check, ComponentEnd, Job, Plan, WayBack} from './model.ts';
import {isNoop} from './words.ts';
import {there} from './outcome.ts';
import {beforePhase} from './moments.ts';
import {type Watching, takeBack, wayBackOf} from './returning.ts';
import {type Run, hasTouched} from './run.ts';
import {UnknownStepError, byHandOf, performSteps, results} from './steps.ts';
import {ClaimsFailedError, endOf, endOfFailure, failedOf, verifyClaims} from './verifying.ts';

/**
 * Every component goes its own way along `needs`, which means: after that one is verified. Once one has failed, none
 * is begun any more; where that was decided, all that have moved are taken back together at the end.
 */
export async function applyAll<Io extends JobIo>(run: Run<Io>, plan: Plan): Promise<readonly ComponentEnd[]> {
  const turns = new Map<string, Promise<ComponentEnd>>();
  const turnOf = (part: AnyComponentPlan): Promise<ComponentEnd> => {
    const known = turns.get(part.component);
    if (known !== undefined) return known;
    const component = componentOf(run, part);
    const needed = plan.components.filter(({component: id}) => component.needs.includes(id));
    const turn = Promise.all(needed.map(turnOf)).then(before => {
      const missing = before.find(({end}) => !there.has(end));
      if (missing !== undefined) return skip(run, part, notVerified(missing));
      return run.limit(() => takeTurn(run, plan, component, part));
    });
    turns.set(part.component, turn);
    return turn;
  };
  // A record that cannot be written ends one turn at once; the lock is not given back while the others are at work.
  const ends = await allOrFirstError(plan.components.map(turnOf));
  if (run.stop.command()?.do === 'stop' && run.onCancel === 'rollback') return takeAllBack(afterStop(run), plan, ends, 'sent');
  return run.allBack === undefined ? ends : takeAllBack(run, plan, ends, 'to the proof');
}

async function takeTurn<Io extends JobIo>(
  run: Run<Io>,
  plan: Plan,
  component: Component<Io>,
  part: AnyComponentPlan,
): Promise<ComponentEnd> {
  const way = wayBackOf(run, plan, component.id);
  // An earlier process has begun to take it back.
  if (way !== undefined && run.back.has(component.id)) {
    run.halted ??= `${component.id} is taken back`;
    return takeBack(run, component, part, way, 'it had failed');
  }
  const begun = hasTouched(run, component.id);
  if (run.halted !== undefined && !begun) return skip(run, part, run.halted);
  const end = await applyOne(run, plan, component, part);
  if (!there.has(end.end)) run.halted ??= notVerified(end);
  return end;
}

/** Why nothing new is begun. */
function notVerified({component, end}: ComponentEnd): string {
  return `${component} is not verified (${end})`;
}

async function skip<Io extends JobIo>(run: Run<Io>, part: AnyComponentPlan, text: string): Promise<ComponentEnd> {
  await run.emit({type: 'job.skipped', job: {component: part.component, phase: 'apply'}, text});
  return endOf(part, 'not started', text);
}

async function applyOne<Io extends JobIo>(
  run: Run<Io>,
  plan: Plan,
  component: Component<Io>,
  part: AnyComponentPlan,
): Promise<ComponentEnd> {
  const failed = (error: unknown, end: ComponentEnd['end']) => {
    const before = toldSoFar(run, component, part);
    return endOf(
      part,
      end,
      [toTrouble(error).what, ...(before.length === 0 ? [] : [`done before that: ${before.join('; ')}`])].join('; '),
    );
  };
  try {
    if (!isNoop(part)) {
      const job: Job = {component: component.id, phase: 'apply'};
      const end = await tryJob(
        run,
        job,
        () => applySteps(run, component, part),
        error => [...(isFinal(error) ? [] : (['retry'] as const)), ...waysBack(run, plan, component.id)],
        () => byHandOf(run, job, component.steps(part)),
      );
      if (end.is === 'failed') {
        run.applyTrouble ??= toTrouble(end.error);
        if (end.error instanceof DeployError && end.error.exitCode === exitCodes.locked) run.locked.add(component.id);
        return await decide(run, plan, component, part, failed(end.error, 'failed'), end.decided);
      }
    }
    return await verify(run, plan, component, part);
  } catch (error) {
    if (error instanceof StoppedError) return failed(error, hasTouched(run, component.id) ? 'unknown' : 'not started');
    return failed(error, error instanceof UnknownStepError ? 'unknown' : 'failed');
  }
}

async function applySteps<Io extends JobIo>(
  run: Run<Io>,
  component: Component<Io>,
  part: AnyComponentPlan,
): Promise<readonly string[]> {
  const job: Job = {component: component.id, phase: 'apply'};
  const steps = component.steps(part);
  const begun = steps.some(({id}) => run.done.has(stepKey(component.id, id)) || run.open.has(stepKey(component.id, id)));
  const changed = begun ? undefined : await component.recheck(part, run.io(job));
  if (changed !== undefined) throw changedSincePlanned(changed);
  return performSteps(run, job, steps);
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
    code: 'DW152',
    means: 'Nothing of this component was changed.',
    next: ['Run the release again: it plans anew.'],
    final: true,
  });
}

async function verify<Io extends JobIo>(
  run: Run<Io>,
  plan: Plan,
  component: Component<Io>,
  part: AnyComponentPlan,
): Promise<ComponentEnd> {
  await beforePhase(run, 'verify');
  const job: Job = {component: component.id, phase: 'verify'};
  const claims = component.claims(part, results(run, component.id));
  const finish = component.finish(part, results(run, component.id));
  if (claims.length === 0 && finish.length === 0) {
    await run.emit({type: 'job.skipped', job, text: 'verify: none'});
    await observeAfter(run, component);
    return endOf(part, isNoop(part) ? 'unchanged' : 'not proven', 'nothing can be looked at (verify: none)');
  }
  let checks: readonly Check[] = [];
  const end = await tryJob(
    run,
    job,
    async patient => {
      checks = await verifyClaims(run, component, claims, patient);
      const finished = await performSteps(run, job, finish);
      return [...checks.map(({found}) => found), ...finished];
    },
    error => afterVerifying(error, waysBack(run, plan, component.id)),
    () => byHandOf(run, job, [...(isNoop(part) ? [] : component.steps(part)), ...finish]),
  );
  if (end.is === 'failed') {
    if (!(end.error instanceof ClaimsFailedError)) {
      const note = `it is verified, but then: ${toTrouble(end.error).what}`;
      return decide(run, plan, component, part, endOf(part, 'failed', note), end.decided);
    }
    const note = failedOf(end.error.checks).map(({text, found}) => `${text}: ${found}`);
    const failed = endOf(part, endOfFailure(end.error.checks), note.join('; '), end.error.checks);
    return decide(run, plan, component, part, failed, end.decided);
  }
  await observeAfter(run, component);
  const arrived = claims.length === 0 ? 'not proven' : 'verified';
  return endOf(part, isNoop(part) ? 'unchanged' : arrived, checks.map(({found}) => found).join('; '), checks);
}

/** What can be done where claims failed, by why they did. What somebody else has done there is nobody's to take back. */
function afterVerifying(error: unknown, back: readonly FailureChoice[]): readonly FailureChoice[] {
  if (!(error instanceof ClaimsFailedError)) return isFinal(error) ? [] : ['retry'];
  const failed = failedOf(error.checks);
  const waitable = failed.some(({waitable}) => waitable) ? (['wait'] as const) : [];
  const foreign = failed.some(({cause}) => cause === 'superseded' || cause === 'rolled back' || cause === 'stopped');
  // Where another version runs for sure there is nothing to let through.
  return [...waitable, 'retry', ...(foreign ? [] : [...back, 'skip' as const])];
}

/** How a component that failed can be taken back: alone, or with all others that may be. */
function waysBack<Io extends JobIo>(run: Run<Io>, plan: Plan, component: string): readonly FailureChoice[] {
  const others = (plan.back ?? []).some(({component: other, revert}) => other !== component && revert !== 'never');
  return [
    ...(wayBackOf(run, plan, component) === undefined ? [] : (['rollback'] as const)),
    ...(others ? (['rollback-all'] as const) : []),
  ];
}

/** Carries out what was decided about a failure. */
async function decide<Io extends JobIo>(
  run: Run<Io>,
  plan: Plan,
  component: Component<Io>,
  part: AnyComponentPlan,
  failed: ComponentEnd,
  {choice, answer}: Decision,
): Promise<ComponentEnd> {
  run.halted ??= choice === 'skip' ? undefined : notVerified(failed);
  switch (choice) {
    case 'leave':
      return failed;
    case 'rollback': {
      const way = wayBackOf(run, plan, component.id);
      return way === undefined ? failed : takeBack(run, component, part, way, failed.note);
    }
    case 'rollback-all':
      run.allBack ??= answer.by;
      return failed;
    case 'skip': {
      const reason = answer.because ?? '';
      const job: Job = {component: component.id, phase: 'verify'};
      run.waived = true;
      await run.emit({type: 'waived', job, claim: component.id, what: failed.note, reason, by: answer.by});
      return {...failed, end: 'waived', note: `let through (${reason}): ${failed.note}`};
    }
  }
}

/** Takes all that have moved back, those that need others first. */
async function takeAllBack<Io extends JobIo>(
  run: Run<Io>,
  plan: Plan,
  ends: readonly ComponentEnd[],
  watching: Watching,
): Promise<readonly ComponentEnd[]> {
  const back = new Map<string, Promise<ComponentEnd>>();
  const wayOf = (id: string): WayBack | undefined => {
    const way = wayBackOf(run, plan, id);
    // What nobody was asked about is taken back only where the config says so.
    return run.allBack === 'operator' || way?.revert === 'auto' ? way : undefined;
  };
  const endOfBack = (end: ComponentEnd): Promise<ComponentEnd> => {
    const known = back.get(end.component);
    if (known !== undefined) return known;
    const part = plan.components.find(({component}) => component === end.component);
    const way = wayOf(end.component);
    const needing = ends.filter(({component}) => run.components.find(({id}) => id === component)?.needs.includes(end.component));
    const turn = Promise.all(needing.map(endOfBack)).then(() =>
      part === undefined || way === undefined || end.end === 'rolled back' || end.end === 'superseded'
        ? end
        : run.limit(() => takeBack(run, componentOf(run, part), part, way, end.note, watching)),
    );
    back.set(end.component, turn);
    return turn;
  };
  return Promise.all(ends.map(endOfBack));
}

/** The same run for what is still to be sent after it was stopped: the stop has had its effect. */
function afterStop<Io extends JobIo>(run: Run<Io>): Run<Io> {
  const stop = createStop();
  return {...run, stop, io: job => run.ioFor(job, stop)};
}

/** What is there now is what a later run may go back to. Where it cannot be told, that run will say so. */
async function observeAfter<Io extends JobIo>(run: Run<Io>, component: Component<Io>): Promise<void> {
  const io = run.io({component: component.id, phase: 'verify'});
  try {
    const observed = await component.observe(io);
    if (observed === undefined) return;
    const {version, state, digests} = observed;
    await run.emit({
      type: 'observed',
      component: component.id,
      ...(version !== undefined && {version}),
      state,
      ...(digests && {digests: {...digests}}),
    });
  } catch (error) {
    if (error instanceof StoppedError) return;
    io.log(`What is there now could not be noted: ${toTrouble(error).what}`);
  }
}
