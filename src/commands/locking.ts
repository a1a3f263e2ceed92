/** Who may change an environment: one run at a time, and nobody else while an interrupted one left something in the middle. */
import {type DeployError, toTrouble} from '../release/errors.ts';
import {EnvironmentLockedError, type HeldLock, asOwner, inWords, refuseLocked, takeLock} from '../record/lock.ts';
import {type Owner, lockSchema} from '../record/lock-events.ts';
import type {Store} from '../record/store.ts';
import type {Context} from './context.ts';
import {type Unfinished, unfinishedRun} from './unfinished.ts';

export interface GateOptions {
  readonly environment: string;
  /** What it is for, in words: `release 1.14.0`. */
  readonly work: string;
  readonly reason?: string | undefined;
  /** How long somebody else is waited for, in milliseconds. Absent: not at all. */
  readonly wait?: number | undefined;
  say(text: string): void;
}

export interface Entering {
  /** Ends waiting. */
  readonly signal: AbortSignal;
  /** The AWS identity, where it is known. */
  readonly identity?: string | undefined;
  /** Told at most once: nothing new may be started any more. */
  readonly onLost?: (error: DeployError) => void;
}

/** The way into an environment, for one run. */
export interface EnvironmentGate {
  /** Before anything is begun: throws what `enter` would throw as things are now. Takes nothing. */
  look(version: string): Promise<void>;
  /**
   * Takes the environment's lock for this run, and waits for it as long as it may. Called again, it only says whom to tell of a
   * loss. Throws EnvironmentLockedError, also where another run has left a change in the middle.
   */
  enter(run: string | undefined, entering: Entering): Promise<void>;
  /** Gives it back. Never throws: a lease ends by itself. */
  leave(): Promise<void>;
}

/** How often it is looked whether the lock is free, in milliseconds. */
const pollMs = 2000;

export function createGate(context: Context, store: Store, options: GateOptions): EnvironmentGate {
  const {environment, work, reason, wait = 0, say} = options;
  const cell = store.lock(environment);
  let held: HeldLock | undefined;
  let lost: DeployError | undefined;
  let tell: Entering['onLost'];
  const onLost = (error: DeployError) => {
    lost = error;
    tell?.(error);
  };

  const take = async (me: Owner, signal: AbortSignal): Promise<HeldLock> => {
    let said = '';
    for (let waited = 0; ; waited += pollMs) {
      try {
        return await takeLock(cell, me, {environment, onLost});
      } catch (error) {
        if (!(error instanceof EnvironmentLockedError) || waited >= wait) throw error;
        if (error.message !== said) say(`Waiting: ${error.message}`);
        said = error.message;
      }
      await context.clock.sleep(Math.min(pollMs, wait - waited), signal);
    }
  };

  const enter = async (run: string | undefined, {signal, identity}: Entering): Promise<HeldLock> => {
    const me = ownerFor(context, {work, run, reason, identity});
    const lock = await take(me, signal);
    try {
      if (lock.from) {
        say(`The lock of ${inWords(lock.from)} was taken over: it is gone, or has not renewed it in time.`);
        await store.logLock(environment, {type: 'lock.taken over', schema: lockSchema, by: me, of: lock.from});
      }
      const left = await unfinishedRun(store, environment, context, run);
      if (left?.unseen && left.touched) throw inTheMiddle(left, environment);
      return lock;
    } catch (error) {
      // What it was refused for counts; a lease that cannot be given back ends by itself.
      await lock.release().catch(() => undefined);
      throw error;
    }
  };

  return {
    look: async version => {
      if (wait === 0) await refuseLocked(cell, context.host, environment);
      const left = await unfinishedRun(store, environment, context);
      if (left && left.unseen && (left.touched || left.version !== version)) throw inTheMiddle(left, environment);
    },
    enter: async (run, entering) => {
      tell = entering.onLost;
      if (lost) tell?.(lost);
      held ??= await enter(run, entering);
    },
    leave: async () => {
      const lock = held;
      held = undefined;
      await lock?.release().catch((error: unknown) => {
        say(`The lock of ${environment} could not be given back, and ends by itself: ${toTrouble(error).what}`);
      });
    },
  };
}

/** This process, as whoever has a lock. */
export function ownerFor(
  {user, host, pid, clock}: Context,
  more: {
    readonly work: string;
    readonly run?: string | undefined;
    readonly reason?: string | undefined;
    readonly identity?: string | undefined;
  },
): Owner {
  const known = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
  return asOwner({user, host, pid, since: new Date(clock.now()).toISOString(), work: more.work, ...known});
}

function inTheMiddle({left, touched}: Unfinished, environment: string): EnvironmentLockedError {
  return new EnvironmentLockedError(left, {
    means: touched
      ? 'The environment was not touched. What became of that change is not known yet; it may still be going on.'
      : 'The environment was not touched. Its edits of the repository are still there.',
    next: [`Go on with that run first: deploy-wizard resume --env ${environment}`],
  });
}
