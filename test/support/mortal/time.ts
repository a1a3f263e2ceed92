/** The clocks of processes that can be thrown away. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Clock} from '../../../src/release/contract.ts';
import {StoppedError} from '../../../src/release/errors.ts';
import type {Life} from './life.ts';

/** Time that passes when everybody waits: to the next alarm, as soon as no call is on its way. */
export interface IdleTime {
  now(): number;
  /** Sets the clock of the machine, which may jump back; the endpoint has its own. */
  jump(ms: number): void;
  /** The machine's. */
  clockOf(life: Life): Clock;
  /** A call is on its way until what this gives is called. */
  busy(): () => void;
}

/** How much faster than outside time passes at most: what else there is to do (files, the event loop) takes none of it. */
const fastest = 60;
/** In so small steps, in milliseconds outside: whoever goes to sleep meanwhile is not slept over. */
const stride = 2;

export function idleTime(start: number): IdleTime {
  let now = start;
  let jumped = 0;
  const calls = new Set<symbol>();
  let passing = false;
  const sleepers = new Set<{readonly until: number; wake(): void}>();

  const pass = async (): Promise<void> => {
    if (passing) return;
    passing = true;
    while (calls.size === 0 && sleepers.size > 0) {
      const left = Math.min(...[...sleepers].map(({until}) => until)) - now;
      const step = Math.max(0, Math.min(left, stride * fastest));
      await sleep(step / fastest);
      if (calls.size > 0) break;
      now += step;
      for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake();
    }
    passing = false;
  };

  return {
    now: () => now,
    jump: ms => void (jumped += ms),
    busy: () => {
      const call = Symbol('call');
      calls.add(call);
      return () => {
        calls.delete(call);
        void pass();
      };
    },
    clockOf: life => ({
      now: () => now + jumped,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const leave = () => {
            sleepers.delete(sleeper);
            signal.removeEventListener('abort', stopped);
          };
          const stopped = () => {
            leave();
            reject(new StoppedError('stopped while waiting'));
          };
          const sleeper = {
            until: now + ms,
            wake: () => {
              leave();
              resolve();
            },
          };
          if (life.over()) return;
          if (signal.aborted) return stopped();
          signal.addEventListener('abort', stopped, {once: true});
          sleepers.add(sleeper);
          life.atEnd(leave);
          void pass();
        }),
    }),
  };
}

/** Time as it is. */
export function realTime(life: Life): Clock {
  return {
    now: Date.now,
    sleep: (ms, signal) =>
      life.live(() =>
        sleep(ms, undefined, {signal}).catch(() => {
          throw new StoppedError('stopped while waiting');
        }),
      ),
  };
}
