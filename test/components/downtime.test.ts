import {expect, test} from 'vitest';
import {createMeter, inWords} from '../../src/components/downtime.ts';
import {StoppedError} from '../../src/release/errors.ts';
import type {ProbeResult} from '../../src/tools/http.ts';

const old = {status: 200, body: '1.13.2'};
const young = {status: 200, body: '1.14.0'};
const down = {error: 'connection refused'};

/** A meter that sees these answers, one a second and the last one for ever; `after` lets it see so many, and stops it. */
function seeing(answers: readonly ProbeResult[]) {
  const left = [...answers];
  let now = 0;
  let wake: (() => void) | undefined;
  const clock = {
    now: () => now,
    sleep: (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new StoppedError('stopped')), {once: true});
        wake = () => {
          now += ms;
          resolve();
        };
      }),
  };
  const meter = createMeter(async () => (left.length > 1 ? left.shift() : left[0]) ?? down, clock);
  return {
    meter,
    after: async (probes: number, expected?: string) => {
      await meter.start({url: 'http://app/', expect: expected});
      for (let seen = 1; seen < probes; seen++) {
        wake?.();
        await new Promise(resolve => setImmediate(resolve));
      }
      meter.stop();
      return meter.read();
    },
  };
}

test('it is down from the first probe without an answer to the first with a right one', async () => {
  const {after, meter} = seeing([old, old, down, down, down, young]);
  expect(meter.read()).toBeUndefined();
  expect(await after(7, '1.14.0')).toEqual({ms: 3000, probes: '==xxx++'});
  expect(meter.running).toBe(false);
});

test('every time that it goes down counts, and a service that never went down was never down', async () => {
  expect(await seeing([old, down, young, {status: 503, body: ''}, young]).after(5, '1.14.0')).toEqual({
    ms: 2000,
    probes: '=x+x+',
  });
  expect(await seeing([old, old, young]).after(4, '1.14.0')).toEqual({ms: 0, probes: '==++'});
});

test('once it is known to be well it is looked at a last time: a short outage may fall between two probes', async () => {
  const {meter} = seeing([old, young]);
  await meter.start({url: 'http://app/', expect: '1.14.0'});
  await Promise.all([meter.finish(), meter.finish()]);
  expect(meter.read()).toEqual({ms: 0, probes: '=+'});
  expect(meter.running).toBe(false);
});

test('still down, it is counted until now', async () => {
  expect(await seeing([old, down]).after(5, '1.14.0')).toEqual({ms: 3000, probes: '=xxxx'});
});

test('without an answer to expect, what answers after an outage is the new version', async () => {
  expect(await seeing([old, down, old]).after(4)).toEqual({ms: 1000, probes: '=x++'});
});

test('a long time stays a short line, in which no outage is lost', async () => {
  const answers = [...Array.from({length: 400}, () => old), down, ...Array.from({length: 300}, () => young)];
  const seen = await seeing(answers).after(701, '1.14.0');
  expect(seen?.ms).toBe(1000);
  expect(seen?.probes.length).toBeLessThanOrEqual(240);
  expect(seen?.probes).toMatch(/^=+x\+*$/);
});

test.each([
  [0, '0 s'],
  [50_000, '50 s'],
  [110_400, '1 m 50 s'],
  [7_500_000, '2 h 5 m'],
])('%i ms is %s', (ms, words) => {
  expect(inWords(ms)).toBe(words);
});
