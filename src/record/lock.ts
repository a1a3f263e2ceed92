/**
 * One run at a time in an environment: a lease, which its owner renews while it is at work. It is taken over only when it has
 * expired, and always by a conditional write (medium.ts, `Cell`): of several who find it so, one gets it. A freeze has no lease.
 */
import {readlinkSync} from 'node:fs';
import {randomUUID} from 'node:crypto';
import * as z from 'zod';
import {DeployError, exitCodes} from '../release/errors.ts';
import {identify, isRunning} from '../tools/process-identity.ts';
import {messageOf} from './errors.ts';
import {type Owner, owner} from './lock-events.ts';
import type {Cell, CellContent} from './medium.ts';

/** What a cell holds. `token` tells one taking of the lock from every other; `beat` makes every text another one. */
const lockState = z.discriminatedUnion('is', [
  z.object({is: z.literal('held'), owner, token: z.string(), lease: z.number(), beat: z.number()}),
  z.object({is: z.literal('frozen'), owner, token: z.string()}),
  z.object({is: z.literal('free'), token: z.string()}),
]);
type LockState = z.infer<typeof lockState>;

/** How a lock stands. `expired`: whoever had it is gone, or has not renewed it in time. */
export type LockStanding =
  | {readonly is: 'free'}
  | {readonly is: 'held' | 'expired' | 'frozen'; readonly owner: Owner}
  | {readonly is: 'unreadable'};

/** Milliseconds. A lease outlives three renewals that fail. */
export interface Timing {
  readonly lease: number;
  readonly beat: number;
}
const usual: Timing = {lease: 60_000, beat: 15_000};

/** How often what is read may be another than what was there a moment ago. */
const attempts = 50;

/** Somebody else is at work in the environment, or has frozen it. */
export class EnvironmentLockedError extends DeployError {
  static override readonly usual = 'DW400';
  override readonly exitCode = exitCodes.locked;
}

export interface HeldLock {
  /** Whose lock it was: gone, expired, or taken by force. */
  readonly from: Owner | undefined;
  /** Stays behind without a lease, until somebody gives it back by hand. Throws where it is not ours any more. */
  freeze(): Promise<void>;
  /** What was there before it was taken is there again. */
  putBack(): Promise<void>;
  /** Gives it back, if it is still ours. */
  release(): Promise<void>;
}

export interface Taking {
  readonly environment: string;
  /** Told at most once, when somebody else has the lock, or it could not be renewed for as long as its lease: others may have it. */
  readonly onLost?: (error: DeployError) => void;
  /** Whether it may be taken as it stands. Absent: from nobody who has it. */
  readonly may?: (standing: LockStanding) => boolean;
  readonly timing?: Timing;
}

/** Takes the lock. Throws EnvironmentLockedError naming who has it, and a DeployError where nothing can be written. */
export async function takeLock(cell: Cell, me: Owner, taking: Taking): Promise<HeldLock> {
  for (let attempt = 1; ; attempt++) {
    const found = await cell.read();
    const standing = await judge(cell, found, me.host);
    if (!(taking.may ?? isOpen)(standing) || attempt === attempts) throw locked(taking.environment, standing);
    const lease = createLease(me, taking.timing ?? usual);
    // Whoever was faster has it now, or has given it back already.
    if ((await cell.swap(lease.text(), found?.version)) === undefined) continue;
    return hold(cell, lease, found?.text, ownerOf(standing), taking);
  }
}

/** How the lock stands, as it is seen from this machine. */
export async function lookAtLock(cell: Cell, host: string): Promise<LockStanding> {
  return judge(cell, await cell.read(), host);
}

/** Throws EnvironmentLockedError where somebody has the lock. */
export async function refuseLocked(cell: Cell, host: string, environment: string): Promise<void> {
  const standing = await lookAtLock(cell, host);
  if (!isOpen(standing)) throw locked(environment, standing);
}

/**
 * A freeze is a freeze in the new store too, unless that has a lock of its own by now. Throws EnvironmentLockedError where a run
 * is at work in either of them.
 */
export async function copyLock(from: Cell, to: Cell, host: string, environment: string): Promise<void> {
  const [old, there] = [await from.read(), await to.read()];
  const [standing, now] = [await judge(from, old, host), await judge(to, there, host)];
  for (const each of [standing, now]) if (!isOpen(each) && each.is !== 'frozen') throw locked(environment, each);
  if (standing.is === 'frozen' && isOpen(now) && old) await to.swap(old.text, there?.version);
}

/** Whether anybody may take it. */
export function isOpen({is}: LockStanding): boolean {
  return is === 'free' || is === 'expired';
}

/** Whose lock it is; undefined where nobody has it, or nobody can tell. */
export function ownerOf(standing: LockStanding): Owner | undefined {
  return 'owner' in standing ? standing.owner : undefined;
}

/** An owner, with what tells its process from every other. */
export function asOwner(who: Omit<Owner, 'startTime' | 'pids'>): Owner {
  const {startTime} = identify(who.pid);
  return {...who, ...(startTime !== undefined && {startTime}), ...(pids !== undefined && {pids})};
}

/** Names an owner, for people. */
export function inWords({user, host, pid, identity}: Owner): string {
  return `${user} on ${host} (process ${pid}${identity === undefined ? '' : `, ${identity}`})`;
}

interface Lease extends Timing {
  readonly me: Owner;
  readonly token: string;
  /** What the cell holds while it is ours: never twice the same. */
  text(): string;
}

function createLease(me: Owner, {lease, beat}: Timing): Lease {
  const token = randomUUID();
  let beats = 0;
  return {
    me,
    token,
    lease,
    beat,
    text: () => JSON.stringify({is: 'held', owner: me, token, lease, beat: beats++} satisfies LockState),
  };
}

function hold(
  cell: Cell,
  {me, token, text, lease, beat}: Lease,
  before: string | undefined,
  from: Owner | undefined,
  {environment, onLost}: Taking,
): HeldLock {
  let renewed = performance.now();
  let work: Promise<void> | undefined;
  let isLost = false;

  /** Puts another text there as long as what is there is ours; otherwise says what is there. */
  const replace = async (next: string): Promise<'done' | 'unreadable' | LockState> => {
    for (let attempt = 1; ; attempt++) {
      const found = await cell.read();
      const state = found && parse(found.text);
      if (state?.token !== token) return state ?? 'unreadable';
      if ((await cell.swap(next, found?.version)) !== undefined) return 'done';
      if (attempt === attempts) throw new DeployError(`${cell.place} does not keep what is written there`);
    }
  };
  const lose = (why: string) => {
    clearInterval(timer);
    if (isLost) return;
    isLost = true;
    onLost?.(
      new EnvironmentLockedError(`the lock of ${environment} is lost: ${why}`, {
        means: 'Somebody else may be at work there. Nothing new is started.',
        next: [`Look who it is: deploy-wizard lock status --env ${environment}`],
      }),
    );
  };
  const renew = async (): Promise<void> => {
    const begun = performance.now();
    try {
      const there = await replace(text());
      if (there === 'done') renewed = begun;
      else lose(there === 'unreadable' || there.is === 'free' ? 'somebody gave it back' : `${inWords(there.owner)} has it`);
    } catch (error) {
      if (begun - renewed >= lease) lose(`it could not be renewed (${messageOf(error)})`);
    }
  };
  const timer = setInterval(() => {
    // A renewal that is still on its way when the lease ends comes too late: others may have the lock by then.
    if (work && performance.now() - renewed >= lease) lose('it could not be renewed (no answer yet)');
    work ??= renew().finally(() => (work = undefined));
  }, beat).unref();
  const end = async (last: LockState | string): Promise<'done' | 'unreadable' | LockState> => {
    clearInterval(timer);
    await work;
    return replace(typeof last === 'string' ? last : JSON.stringify(last));
  };

  return {
    from,
    freeze: async () => {
      if ((await end({is: 'frozen', owner: me, token})) === 'done') return;
      throw new EnvironmentLockedError(`${environment} is not frozen: somebody else has taken the lock meanwhile`, {
        next: [`Look who it is: deploy-wizard lock status --env ${environment}`],
      });
    },
    putBack: async () => void (await end(before ?? free())),
    release: async () => void (await end(free())),
  };
}

/** With a token, so that it is another text every time. */
function free(): LockState {
  return {is: 'free', token: randomUUID()};
}

async function judge(cell: Cell, found: CellContent | undefined, host: string): Promise<LockStanding> {
  if (found === undefined) return {is: 'free'};
  const state = parse(found.text);
  switch (state?.is) {
    case undefined:
      return {is: 'unreadable'};
    case 'free':
      return {is: 'free'};
    case 'frozen':
      return {is: 'frozen', owner: state.owner};
    case 'held': {
      const {owner} = state;
      // Of a process of this machine everybody here can tell, whatever a clock says that has jumped.
      const near = cell.local && owner.host === host && owner.pids === pids;
      const over = near ? !isRunning(owner) : (await found.age()) >= state.lease;
      return {is: over ? 'expired' : 'held', owner};
    }
  }
}

function parse(text: string): LockState | undefined {
  try {
    return lockState.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Which processes this one counts among; undefined where the system has one count only. */
const pids = readPids();

function readPids(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

function locked(environment: string, standing: LockStanding): EnvironmentLockedError {
  const {owner, is} = {owner: ownerOf(standing), is: standing.is};
  const release = `deploy-wizard lock release --env ${environment} --reason <text>`;
  if (owner === undefined) {
    return new EnvironmentLockedError(`${environment} is locked by somebody; who it is cannot be read`, {
      means: 'The environment was not touched.',
      next: [`If nobody is at work there: ${release}`],
    });
  }
  const why = owner.reason === undefined ? '' : `: ${owner.reason}`;
  if (is === 'frozen') {
    return new EnvironmentLockedError(`${environment} is frozen by ${inWords(owner)} since ${owner.since}${why}`, {
      means: 'The environment was not touched.',
      next: [`Ask ${owner.user}; then: ${release}`],
    });
  }
  return new EnvironmentLockedError(
    `${environment} is locked by ${inWords(owner)} since ${owner.since}, for ${owner.work}${why}`,
    {
      means: 'The environment was not touched.',
      next: ['Wait for it to end, or let it be waited for: --wait-lock 10m', `If it is gone for good: ${release}`],
    },
  );
}
