import type {Noise} from './scenarios.ts';

/**
 * What can go wrong with one call:
 * `throttle`, `500` and an error of one's own are answered and change nothing; `reset` cuts the connection before anything
 * happened; `lost-answer` cuts it after, which the caller cannot tell from `reset`; `slow` answers well, but late.
 */
export type FaultKind = 'throttle' | '500' | 'reset' | 'lost-answer' | 'slow' | FaultError;

/** An answer in AWS's words, such as `{code: 'ConflictException'}`. */
export interface FaultError {
  readonly code: string;
  readonly message?: string;
  /** By default 400. */
  readonly status?: number;
}

/** Faults for the calls to come. */
export interface Fault {
  /** Which action, such as `UpdateService`; by default any. */
  readonly action?: string;
  /** How many calls; by default one. */
  readonly times?: number;
  readonly kind: FaultKind;
}

export interface Faults {
  add(fault: Fault): void;
  /** What goes wrong with the call that has just arrived, if anything. */
  next(action: string): FaultKind | undefined;
}

/** Injected faults come first and are used up; noise is for ever. */
export function createFaults(noise: readonly Noise[]): Faults {
  const injected: {readonly action: string | undefined; readonly kind: FaultKind; times: number}[] = [];
  const sources = noise.map(source);

  return {
    add: ({action, kind, times = 1}) => void injected.push({action, kind, times}),
    next(action) {
      const fault = injected.find(({action: wanted, times}) => times > 0 && (wanted === undefined || wanted === action));
      if (fault !== undefined) {
        fault.times -= 1;
        return fault.kind;
      }
      return sources.map(hit => hit(action)).find(kind => kind !== undefined);
    },
  };
}

/** What only looks. Everything else changes something. */
const READING = /^(?:Describe|List|Get|BatchGet|Filter|Simulate)/;

/**
 * Every 1/share-th call, its kinds in turn. Of all calls together the last of each such group is hit (0.2: calls 5, 10, 15…);
 * counted by action the first (0.2: calls 1, 6, 11… of each).
 */
function source({kind, share, of = 'all'}: Noise): (action: string) => FaultKind | undefined {
  const kinds = Array.isArray(kind) ? kind : [kind];
  const counts = new Map<string, number>();
  let hits = 0;
  return action => {
    if (of === 'changes' && READING.test(action)) return undefined;
    const counted = of === 'all' ? '' : action;
    const calls = counts.get(counted) ?? 0;
    counts.set(counted, calls + 1);
    const hit = of === 'all' ? crosses(calls, share) : calls === 0 || crosses(calls - 1, share);
    return hit ? kinds[hits++ % kinds.length] : undefined;
  };
}

/** Whether the call after so many others fills another share. */
const crosses = (calls: number, share: number): boolean => Math.floor((calls + 1) * share) > Math.floor(calls * share);
