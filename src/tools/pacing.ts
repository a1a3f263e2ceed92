/**
 * How fast a service may be asked. Limits are per account and shared with everybody else there, so that a deployment tool which
 * asks as fast as it can takes down other people's deployments with its own.
 */

/** Time as pacing needs it; the default is this process's own. It may jump. */
export interface Timer {
  /** Milliseconds from any moment on. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const ownTime: Timer = {
  now: () => performance.now(),
  sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
};

export interface Budget {
  /**
   * Resolves when the next call may be sent. Whoever may be stopped while it waits brings a sleep of its own that throws then, and
   * leaves its turn to those who come after.
   */
  turn(sleep?: Timer['sleep']): Promise<void>;
  /** What the call came to: one that was held up (throttled, lost) makes the next ones rarer, one that went well brings the pace back. */
  went(heldUp: boolean): void;
}

export interface Allowance {
  /** How many calls at once. */
  readonly burst: number;
  /** How many calls a second, for as long as one likes. */
  readonly perSecond: number;
}

/** The part of the limits that is ours: others use the same account. */
const ours = 0.8;
/** How much rarer calls get at most: whoever is throttled waits between its own attempts, too. */
const slowest = 4;
/** What a timer can wait. Milliseconds. */
const resolution = 1;

/** Lets a burst through, then so many a second, in the order of asking. */
export function createBudget({burst, perSecond}: Allowance, timer: Timer): Budget {
  const interval = 1000 / (perSecond * ours);
  const credit = (burst * ours - 1) * interval;
  /** When the bucket will be full again. */
  let full = timer.now();
  let slowness = 1;
  let last = full;
  return {
    turn: (sleep = timer.sleep) => {
      const now = timer.now();
      // A clock that was set back must not hold anybody up for as long.
      if (now < last) full -= last - now;
      last = now;
      full = Math.max(full, now);
      const wait = full - now - credit / slowness;
      const taken = interval * slowness;
      full += taken;
      if (wait < resolution) return Promise.resolve();
      return sleep(wait).catch((error: unknown) => {
        full -= taken;
        throw error;
      });
    },
    went: heldUp => {
      slowness = heldUp ? Math.min(slowest, slowness * 2) : Math.max(1, slowness / 2);
    },
  };
}
