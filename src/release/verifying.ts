/** Verify: what a plan claims is looked at until it is proved, or cannot become true. */
import {watch} from './checks.ts';
import type {Claim} from './model.ts';
import type {Component, JobIo} from './contract.ts';
import {DeployError} from './errors.ts';
import {allOrFirstError} from './jobs.ts';
import type {AnyComponentPlan, Check, ComponentEnd, Downtime, Job} from './model.ts';
import type {Run} from './run.ts';

/** Claims were looked at, and not all of them are true. */
export class ClaimsFailedError extends DeployError {
  static override readonly usual = 'DW151';
  readonly checks: readonly Check[];

  constructor(checks: readonly Check[]) {
    const [first] = failedOf(checks);
    super(first === undefined ? 'a check failed' : `${first.text}: ${first.found}`, {
      next: first?.next === undefined ? [] : [first.next],
    });
    this.checks = checks;
  }
}

/**
 * Looks at all claims side by side; every look that differs from the one before is an event. `patient`: what seems
 * hopeless is waited for as well. Rejects with a ClaimsFailedError, or a StoppedError.
 */
export async function verifyClaims<Io extends JobIo>(
  run: Run<Io>,
  component: Component<Io>,
  claims: readonly Claim[],
  patient: boolean,
): Promise<readonly Check[]> {
  const job: Job = {component: component.id, phase: 'verify'};
  const io = run.io(job);
  const seen = (check: Check) => run.emit({type: 'check', job, check});
  const checks = await allOrFirstError(claims.map(claim => watch(component, claim, io, seen, patient)));
  if (failedOf(checks).length > 0) throw new ClaimsFailedError(checks);
  return checks;
}

/** Of several claims that failed: what says why comes first, what nobody knows last. */
const causes = ['rolled back', 'superseded', 'stopped', 'failed', 'unknown'] as const;

/** What claims that failed mean for their component. */
export function endOfFailure(checks: readonly Check[]): ComponentEnd['end'] {
  const found = failedOf(checks).map(({cause}) => cause ?? 'failed');
  return causes.find(cause => found.includes(cause)) ?? 'failed';
}

export function failedOf(checks: readonly Check[]): readonly Check[] {
  return checks.filter(({status}) => status === 'failed');
}

/** The longest of the downtimes that were probed. */
function downtimeOf(checks: readonly Check[]): Downtime | undefined {
  return checks
    .flatMap(({downtime}) => downtime ?? [])
    .toSorted((a, b) => b.ms - a.ms)
    .at(0);
}

/** What a component's part of the run came to, with what its checks have measured. */
export function endOf(
  part: AnyComponentPlan,
  end: ComponentEnd['end'],
  note: string,
  checks: readonly Check[] = [],
): ComponentEnd {
  const {component, kind, from, to} = part;
  const downtime = downtimeOf(checks);
  return {component, kind, ...(from !== undefined && {from}), to, end, note, ...(downtime && {downtime})};
}
