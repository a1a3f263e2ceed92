/**
 * How fast AWS may be asked. Its limits are per account and region and shared with everybody else there, so that a
 * deployment tool which polls as fast as it can takes down other people's deployments with its own.
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
  /** Resolves when the next call may be sent. */
  turn(): Promise<void>;
  /** What the call came to: throttled calls make the next ones rarer, calls that went well bring the pace back. */
  went(throttled: boolean): void;
}

interface Allowance {
  /** How many calls at once. */
  readonly burst: number;
  /** How many calls a second, for as long as one likes. */
  readonly perSecond: number;
}

/** The part of AWS's limits that is ours: others use the same account. */
const ours = 0.8;
const slowest = 16;
/** Milliseconds. */
const longestWait = 60_000;

/** Lets a burst through, then so many a second, in the order of asking. */
export function createBudget({burst, perSecond}: Allowance, timer: Timer): Budget {
  const interval = 1000 / (perSecond * ours);
  const credit = (burst * ours - 1) * interval;
  /** When the bucket will be full again. */
  let full = timer.now();
  let slowness = 1;
  return {
    turn: () => {
      const now = timer.now();
      // A clock that was set back must not hold anybody up for as long.
      full = Math.min(Math.max(full, now), now + credit + longestWait);
      const wait = full - now - credit / slowness;
      full += interval * slowness;
      return wait > 0 ? timer.sleep(wait) : Promise.resolve();
    },
    went: throttled => {
      slowness = throttled ? Math.min(slowest, slowness * 2) : Math.max(1, slowness * 0.75);
    },
  };
}

/** Burst and sustained rate by what AWS counts together (facts/aws.md, Throttling). */
const allowances = {
  clusters: {burst: 50, perSecond: 20},
  services: {burst: 100, perSecond: 20},
  tasks: {burst: 100, perSecond: 20},
  deployments: {burst: 50, perSecond: 20},
  revisions: {burst: 50, perSecond: 20},
  definitions: {burst: 50, perSecond: 20},
  registering: {burst: 20, perSecond: 1},
  updating: {burst: 50, perSecond: 5},
  running: {burst: 100, perSecond: 40},
} as const satisfies Record<string, Allowance>;
export type Category = keyof typeof allowances;

/** One budget a category, made when it is first used. */
export function createBudgets(timer: Timer): (category: Category) => Budget {
  const made = new Map<Category, Budget>();
  return category => {
    const budget = made.get(category) ?? createBudget(allowances[category], timer);
    made.set(category, budget);
    return budget;
  };
}
