/**
 * The crash harness on the real kinds, the real records and the embedded endpoint: at every moment of a whole PASS release the
 * process is thrown away, and `resume` goes on with it. Whatever the moment, the end is the same, with every effect once.
 */
import * as fc from 'fast-check';
import {describe, expect, onTestFinished, test} from 'vitest';
import {type Crashing, crashing, endState, toTheEnd} from '../support/crashing.ts';
import type {Crash, Gone} from '../support/mortal.ts';
import {released} from '../support/pass.ts';
import {eventsOf} from '../support/program.ts';
import {wholeOn} from '../support/whole-pass.ts';

const moments = ['before intent', 'before call', 'after call'] as const;

/** What changes something, in the order of one component after the other. */
const steps = [
  'pass-core/publish',
  'deposit-services/register',
  'deposit-services/update-service',
  'notification-services/register',
  'notification-services/update-service',
  'grant-loader/register',
  'grant-loader/move state machine grant-load',
  'journal-loader/register',
  'journal-loader/move schedule default/journal',
  'nihms-loader/register',
  'nihms-loader/move rule default/nihms-batch',
] as const;

const whole = {
  standing: wholeOn(2),
  messages: [{action: 'DeployStart', commitRef: released, deployEnv: 'Production', imageTag: released}],
  outcome: 'passed',
  ends: Object.fromEntries(steps.map(step => [step.slice(0, step.indexOf('/')), 'verified'])),
  proved: [
    'deposit-services digests',
    'deposit-services rollout',
    'grant-loader other targets',
    'grant-loader revision',
    'grant-loader state machine grant-load Load',
    'journal-loader other targets',
    'journal-loader revision',
    'journal-loader schedule default/journal',
    'nihms-loader other targets',
    'nihms-loader revision',
    'nihms-loader rule default/nihms-batch load',
    'notification-services digests',
    'notification-services rollout',
    'pass-core http',
  ],
};

async function expectWhole(crashed: Crashing): Promise<void> {
  expect(await endState(crashed)).toEqual(whole);
  const {exitCode, stdout} = await crashed.audit();
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toContain('Everything is as the record says.');
  expect(stdout).not.toMatch(/^ *[✖⚠○]/m);
}

test('undisturbed, it does every step once', {timeout: 30_000}, async () => {
  const crashed = await crashing(onTestFinished);
  expect(await crashed.release()).toMatchObject({exitCode: 0});
  await expectWhole(crashed);
  const record = await crashed.pass.record();
  expect(eventsOf(record, 'intent').map(({job, step}) => `${job.component}/${step}`)).toEqual(steps);
  expect(crashed.pass.changes()).toHaveLength(steps.length);
});

// One release a moment, and as many processes as it has steps: each goes on where the last one was thrown away. Side by side: they mostly wait.
describe('thrown away again and again', {timeout: 60_000}, () => {
  test.concurrent.for(moments)('%s of every step, it comes to the same end', async (at, {onTestFinished}) => {
    const crashed = await crashing(onTestFinished);
    const {pass} = crashed;
    let changes = 0;
    const changedBy = async (process: () => Promise<Gone>): Promise<Gone> => {
      const last = pass.calls.at(-1);
      const gone = await process();
      changes += pass.changes(last).length;
      return gone;
    };
    let allow: readonly string[] = [];
    for (const [index, step] of steps.entries()) {
      const crash = {at, step};
      const gone = await changedBy(() => (index === 0 ? crashed.release({crash}) : crashed.resume({crash, allow})));
      expect(gone.exitCode, `${step}: ${gone.stdout}`).toBeUndefined();
      // Nothing was sent a second time.
      expect(changes, step).toBe(index + (at === 'after call' ? 1 : 0));
      const nobodyCanTell = at === 'before call' && step === 'pass-core/publish';
      if (nobodyCanTell) await expectAsked(crashed);
      allow = nobodyCanTell ? ['republish'] : [];
    }
    expect(await changedBy(() => crashed.resume())).toMatchObject({exitCode: 0});
    await expectWhole(crashed);
    expect(changes).toBe(steps.length);
  });
});

/** Nobody can look whether a message was sent whose effect is not there: it is not sent again until somebody says so. */
async function expectAsked(crashed: Crashing): Promise<void> {
  const asked = await crashed.resume();
  expect(asked).toMatchObject({exitCode: 7, stdout: expect.stringContaining('Looking cannot tell whether it happened')});
  expect(crashed.pass.changes()).toEqual([]);
}

/** Any moment of a release of four components at a time. */
const anywhere: fc.Arbitrary<Crash> = fc.oneof(
  fc.record({at: fc.constantFrom('before call', 'after call'), call: fc.nat({max: steps.length - 1})}),
  fc.record({beforeLine: fc.nat({max: 110})}),
);

describe('thrown away at random', {timeout: 120_000}, () => {
  // Side by side: a flaky endpoint is mostly waited for.
  test.concurrent.for([
    ['on an endpoint that answers', 'healthy', 1],
    ['on one of which every fifth call is throttled, answered 500 or slow', 'flaky', 2],
    ['on one that loses answers', 'lost-answer', 3],
  ] as const)('%s', async ([, scenario, seed], {onTestFinished}) => {
    const drawn = fc.sample(fc.array(anywhere, {minLength: 1, maxLength: 4}), {numRuns: 2, seed});
    const run = async (crashes: readonly Crash[]) => {
      const crashed = await crashing(onTestFinished, scenario);
      const what = JSON.stringify(crashes);
      expect((await toTheEnd(crashed, crashes, {maxParallel: 4})).exitCode, what).toBe(0);
      await expectWhole(crashed);
    };
    await Promise.all(drawn.map(run));
  });
});

test('a clock that has jumped back between two processes changes nothing', {timeout: 30_000}, async () => {
  const crashed = await crashing(onTestFinished);
  await crashed.release({crash: {at: 'after call', step: 'deposit-services/update-service'}});
  crashed.time.jump(-3_600_000);
  expect(await crashed.resume()).toMatchObject({exitCode: 0});
  await expectWhole(crashed);
  const times = (await crashed.pass.record()).events.map(({at}) => at);
  expect(times.toSorted()).not.toEqual(times);
});
