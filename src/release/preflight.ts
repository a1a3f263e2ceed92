/** The first phase: nothing is done before everything that a release needs is there. */
import {look} from './checks.ts';
import type {Component, JobIo} from './contract.ts';
import {DeployError, exitCodes, toTrouble} from './errors.ts';
import {allOrFirstError} from './jobs.ts';
import {type Check, type Claim, type Job, wholeRelease} from './model.ts';
import {type Run, throwIfStopped} from './run.ts';

/** Looks at every requirement once, equal ones of several components together. Asks until all are met. */
export async function preflight<Io extends JobIo>(run: Run<Io>): Promise<void> {
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
