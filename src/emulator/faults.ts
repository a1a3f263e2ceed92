import type {Noise} from './scenarios.ts';

/**
 * What can go wrong with one call:
 * `throttle` and `500` answer an error and change nothing; `reset` cuts the connection before anything happened;
 * `lost-answer` cuts it after, which the caller cannot tell from `reset`.
 */
export type FaultKind = 'throttle' | '500' | 'reset' | 'lost-answer';

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
  const sources = noise.map(spread);

  return {
    add: ({action, kind, times = 1}) => void injected.push({action, kind, times}),
    next(action) {
      const fault = injected.find(({action: wanted, times}) => times > 0 && (wanted === undefined || wanted === action));
      if (fault !== undefined) {
        fault.times -= 1;
        return fault.kind;
      }
      return sources.map(source => source(action)).find(kind => kind !== undefined);
    },
  };
}

/** Every 1/share-th call, starting with the first full one: 0.2 hits calls 5, 10, 15… */
function spread({kind, share, actions}: Noise): (action: string) => FaultKind | undefined {
  let calls = 0;
  return action => {
    if (actions !== undefined && !actions.includes(action)) return undefined;
    calls += 1;
    return Math.floor(calls * share) > Math.floor((calls - 1) * share) ? kind : undefined;
  };
}
