/** What tests of a kind by itself share: its tools, time that passes only while somebody waits, and steps performed as the engine does. */
import {createWorld, type World, type WorldOptions} from '../../../src/commands/world.ts';
import type {Context} from '../../../src/commands/context.ts';
import type {Io} from '../../../src/components/io.ts';
import {createJobLogs} from '../../../src/record/logs.ts';
import {createRedaction} from '../../../src/record/redact.ts';
import type {Clock, Results, Step} from '../../../src/release/contract.ts';
import {LostAnswerError} from '../../../src/release/errors.ts';
import type {Json} from '../../../src/release/json.ts';

/** The tools of one run to `production`. Unless `more` says otherwise nobody is there, nothing is let through, and nothing was before. */
export function worldOf(
  context: Context,
  more: Pick<WorldOptions, 'loaded' | 'version' | 'scratch'> & Partial<WorldOptions>,
): World {
  const redaction = createRedaction();
  return createWorld(context, {
    environment: 'production',
    logs: createJobLogs(undefined, redaction),
    redaction,
    lastDuration: undefined,
    readOnly: false,
    unproven: new Set(),
    attended: false,
    allowed: () => false,
    onProgress: () => undefined,
    ...more,
  });
}

/** As the engine does: a lost answer is settled, and what did not happen is done once more. */
export async function performOnce(step: Step<Io>, io: Io, results: Results): Promise<Json> {
  for (;;) {
    const request = await step.request(io, results);
    try {
      return await step.perform(io, request);
    } catch (error) {
      if (!(error instanceof LostAnswerError)) throw error;
      const settled = await step.settle(io, request);
      if (typeof settled === 'object' && 'done' in settled) return settled.done;
      if (settled !== 'absent') throw error;
    }
  }
}

/** Time that passes only while somebody waits. */
export function standingClock(start: number, pass: (ms: number) => void = () => undefined): Clock {
  let now = start;
  return {
    now: () => now,
    sleep: ms => {
      now += ms;
      pass(ms);
      return Promise.resolve();
    },
  };
}
