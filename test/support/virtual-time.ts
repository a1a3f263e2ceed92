/** Time that passes only when a test says so, for those who wait in it. */
import type {Timer} from '../../src/tools/pacing.ts';

export interface VirtualTime extends Timer {
  /** Lets time pass, and everybody whose time has come go on. */
  pass(ms: number): Promise<void>;
}

export function virtualTime(): VirtualTime {
  let now = 0;
  const sleepers: {readonly until: number; wake(): void}[] = [];
  /** Until nobody has anything left to do but wait. */
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise(resolve => setImmediate(resolve));
  };
  return {
    now: () => now,
    sleep: ms => new Promise(wake => void sleepers.push({until: now + ms, wake})),
    pass: async ms => {
      const end = now + ms;
      await settle();
      for (;;) {
        const next = sleepers.toSorted((a, b) => a.until - b.until)[0];
        if (next === undefined || next.until > end) break;
        now = next.until;
        sleepers.splice(sleepers.indexOf(next), 1);
        next.wake();
        await settle();
      }
      now = end;
    },
  };
}
