/** Looking whether claims are true: once for an audit, until they are or cannot become so for a release. */
import type {JobIo} from './contract.ts';
import {DeployError, StoppedError, inOneLine, toTrouble} from './errors.ts';
import type {Check, Claim} from './model.ts';

/** Whatever can look at its own claims. */
interface Looker<Io> {
  check(claim: Claim, io: Io): Promise<Check>;
}

/** How often a claim that is not true yet is looked at, in milliseconds. Tools share calls among themselves. */
const interval = 1000;

/** Looks once. A look that fails is an answer too: `failed`, because nobody knows. */
export async function look<Io extends JobIo>(component: Looker<Io>, claim: Claim, io: Io): Promise<Check> {
  try {
    return await component.check(claim, io);
  } catch (error) {
    return unseen(claim, error);
  }
}

function unseen({id, text}: Claim, error: unknown): Check {
  if (error instanceof StoppedError) throw error;
  const {what, means, next} = toTrouble(error);
  return {
    claim: id,
    text,
    status: 'failed',
    cause: 'unknown',
    found: what,
    ...(means && {evidence: [means]}),
    ...(next && {next: inOneLine(next)}),
  };
}

/**
 * Looks until the claim is true, cannot become true, or its limit runs out; a limit never turns into
 * success, and a look that failed is tried again until then, unless no look of this process can do better. `seen` gets every look that differs from the
 * one before. `patient`: what only seems hopeless is waited for too. Rejects with a StoppedError on a stop.
 */
export async function watch<Io extends JobIo>(
  component: Looker<Io>,
  claim: Claim,
  io: Io,
  seen: (check: Check) => Promise<void>,
  patient = false,
): Promise<Check> {
  const until = io.clock.now() + (claim.within ?? 0);
  let last: Check | undefined;
  for (;;) {
    let blind = false;
    const check = await component.check(claim, io).catch((error: unknown) => {
      blind = error instanceof DeployError && error.final;
      return unseen(claim, error);
    });
    const later = check.status === 'pending' || check.cause === 'unknown' || (patient && check.waitable === true);
    if (!later || blind) {
      await seen(check);
      return check;
    }
    if (io.clock.now() >= until) {
      const late = tooLate(claim, check);
      await seen(late);
      return late;
    }
    if (last?.found !== check.found) await seen({...check, status: 'pending'});
    last = check;
    await io.clock.sleep(interval, io.signal);
  }
}

function tooLate(claim: Claim, check: Check): Check {
  const seconds = Math.round((claim.within ?? 0) / 1000);
  const limit = seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 6) / 10} min`;
  return {
    ...check,
    status: 'failed',
    cause: check.cause ?? claim.late ?? 'failed',
    found: claim.within === undefined ? check.found : `not within ${limit}: ${check.found}`,
  };
}
