/** The first phase: nothing is done before everything that a release needs is there. */
import {look} from './checks.ts';
import type {JobIo} from './contract.ts';
import {DeployError, RefusedError, exitCodes, toTrouble} from './errors.ts';
import {allOrFirstError} from './jobs.ts';
import type {Check, Claim, Job} from './model.ts';
import {wholeRelease} from './words.ts';
import {type Run, hasTouched, targetOf, throwIfStopped} from './run.ts';

/** One thing to look at: of a component, or a gate of the release as a whole. */
interface Requirement<Io> {
  readonly claim: Claim;
  check(claim: Claim, io: Io): Promise<Check>;
  /** It opens only when it passes: what cannot be looked at keeps it shut. Named where somebody may let it through. */
  readonly gate?: {readonly override: string | undefined};
}

/** Looks at every requirement once, equal ones of several components together. Asks until all are met. */
export async function preflight<Io extends JobIo>(run: Run<Io>): Promise<void> {
  const job: Job = {component: wholeRelease, phase: 'preflight'};
  const io = run.io(job);
  let open = requirements(run);
  await run.emit({type: 'job.started', job, text: `${open.length} checks`});
  for (;;) {
    let done = 0;
    const total = open.length;
    const looked = await allOrFirstError(
      open.map(async requirement => {
        throwIfStopped(run.stop);
        const check = await letThrough(run, job, requirement, await run.limit(() => look(requirement, requirement.claim, io)));
        await run.emit({type: 'check', job, check});
        done += 1;
        io.progress({text: `${done} of ${total} checks`, done, total});
        return {requirement, check};
      }),
    );
    const unmet = looked.filter(({requirement, check}) => !isMet(requirement, check));
    if (unmet.length === 0) break;
    const answer = await run.ask({about: 'preflight', failed: unmet.map(({check}) => check.claim)});
    if (answer.value !== 'retry') {
      const trouble = preflightTrouble(
        unmet.map(({check}) => check),
        {begun: isBegun(run), gated: unmet.every(({requirement}) => requirement.gate !== undefined)},
        unmet.flatMap(({requirement}) => requirement.gate?.override ?? []),
      );
      await run.emit({type: 'job.failed', job, trouble: toTrouble(trouble)});
      throw trouble;
    }
    // What could not be looked at may be looked at now.
    open = looked.filter(({check}) => check.status !== 'passed').map(({requirement}) => requirement);
  }
  await run.emit({type: 'job.succeeded', job, text: 'all requirements are met'});
}

function requirements<Io extends JobIo>(run: Run<Io>): readonly Requirement<Io>[] {
  const ofComponents = run.components.flatMap(component =>
    component.requirements(targetOf(run, component.id)).map((claim): Requirement<Io> => ({claim, check: component.check})),
  );
  const ofRelease = (run.gates ?? []).map(({claim, check, override}): Requirement<Io> => ({
    claim,
    check: (_claim, io) => check(io),
    gate: {override},
  }));
  // A gate that has let a run in does not shut behind it: what was begun could be neither ended nor taken back.
  const gates = hasTouched(run) ? [] : ofRelease;
  return [...new Map([...gates, ...ofComponents].map(one => [one.claim.id, one])).values()].filter(
    ({claim}) => !(isBegun(run) && claim.once),
  );
}

function isMet<Io>({gate}: Requirement<Io>, {status}: Check): boolean {
  return status !== 'failed' && status !== 'pending' && !(gate !== undefined && status === 'open');
}

/** A gate that is shut and that somebody lets through by name: it says so, here and in every audit. */
async function letThrough<Io extends JobIo>(run: Run<Io>, job: Job, requirement: Requirement<Io>, check: Check): Promise<Check> {
  const name = requirement.gate?.override;
  if (name === undefined || isMet(requirement, check)) return check;
  // Said once, it is in the record: an earlier process of this run has asked already.
  const before = run.history.waived.find(({claim}) => claim === check.claim);
  const override = before ?? run.overrides?.find(one => one.name === name);
  if (override === undefined) return check;
  const {reason, by} = override;
  run.waived = true;
  if (before === undefined)
    await run.emit({type: 'waived', job, claim: check.claim, what: `${check.text}: ${check.found}`, reason, by});
  return {...check, status: 'warned', found: `${check.found}; let through by ${by}: ${reason}`};
}

/** Whether an earlier process of this run has changed anything, or may have. */
function isBegun<Io extends JobIo>({done, open, failed}: Run<Io>): boolean {
  return done.size > 0 || open.size > 0 || failed.size > 0;
}

/** A run that was begun cannot go on now: it stays as it is, for `resume`. */
class HeldUpError extends DeployError {
  static override readonly usual = 'DW703';
  override readonly exitCode = exitCodes.unknown;
}

function preflightTrouble(
  unmet: readonly Check[],
  {begun, gated}: {readonly begun: boolean; readonly gated: boolean},
  overrides: readonly string[],
): DeployError {
  const all = unmet.map(({text, found}) => `${text}: ${found}`).join('; ');
  const what = `${unmet.length === 1 ? 'a requirement is' : `${unmet.length} requirements are`} not met: ${all}`;
  const next = [...new Set(unmet.flatMap(({next}) => next ?? []))];
  if (begun) {
    return new HeldUpError(what, {means: 'Nothing more has been changed.', next: [...next, 'Then go on: deploy-wizard resume']});
  }
  const flags = [...new Set(overrides)].map(name => `--override ${name}`).join(' ');
  const through = flags === '' ? [] : [`Or let it through, as the record and every audit will say: ${flags} --reason <text>`];
  return gated
    ? new RefusedError(what, {code: 'DW304', means: 'Nothing has been changed.', next: [...next, ...through]})
    : new DeployError(what, {code: 'DW150', means: 'Nothing has been changed.', next});
}
