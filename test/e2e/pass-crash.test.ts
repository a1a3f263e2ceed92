import {expect} from 'vitest';
import {everythingOn, type Pass, released, standing} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {type RunRecord, eventsOf, until, untilRecorded} from '../support/program.ts';

const test = passTest.concurrent;

type Event = RunRecord['events'][number];

const intentOf = (step: string) => (event: Event) => event.type === 'intent' && event.step.startsWith(step);
const effectOf = (step: string) => (event: Event) => event.type === 'effect' && event.step.startsWith(step);

const isWatched = (event: Event) => event.type === 'check' && event.check.claim.endsWith(' rollout');

/** One component after the other: what comes next is always the same. */
const oneByOne = ['--max-parallel', '1'] as const;

/** When a process is ended for good: once its record holds such a line, or once AWS has been sent such a call. */
type Moment = readonly [when: string, is: ((event: Event) => boolean) | {readonly sent: string}];

const byOne = (component: string, is: (event: Event) => boolean) => (event: Event) =>
  'job' in event && event.job?.component === component && is(event);

/** In the order in which they come; each of another process. */
const moments: readonly Moment[] = [
  ['the plan is made', event => event.type === 'plan.ready'],
  ['the message is published', effectOf('publish')],
  ['a revision is sent to be registered', {sent: 'RegisterTaskDefinition'}],
  ['a service is sent to be moved', {sent: 'UpdateService'}],
  ['another revision is about to be registered', byOne('notification-services', intentOf('register'))],
  ['another revision is registered', byOne('notification-services', effectOf('register'))],
  ['another service is moved', byOne('notification-services', effectOf('update-service'))],
  ['another service is watched', byOne('notification-services', isWatched)],
  ['a rule is sent to be moved', {sent: 'PutTargets'}],
  ['another rule is about to be moved', byOne('journal-loader', intentOf('move'))],
  ['the last rule is moved', byOne('nihms-loader', effectOf('move'))],
];

async function comesTo(pass: Pass, [when, is]: Moment): Promise<void> {
  if (typeof is === 'function') await untilRecorded(pass.records, when, is);
  else await until(() => pass.calls.some(({action}) => action === is.sent), when);
}

test('killed again and again, eleven times, a release goes on to the same end', async ({start}) => {
  const pass = await start();
  let running = pass.start('--yes', '--env', 'production', '--release', released, ...oneByOne);
  for (const [killed, moment] of moments.entries()) {
    // The one before may have come further than its moment: each process has begun before it is ended.
    await until(async () => (await resumes(pass)) === killed, 'the release to go on');
    await comesTo(pass, moment);
    running.kill('SIGKILL');
    expect(await running.ended, moment[0]).toMatchObject({exitCode: 137});
    running = pass.start('resume', '--yes', '--env', 'production', ...oneByOne);
  }
  expect(await running.ended).toMatchObject({exitCode: 0, stdout: expect.stringContaining('6 of 6 components on 1.14.0')});
  await expectWhole(pass);
  expect(await resumes(pass)).toBe(moments.length);
});

/** How often the release was gone on with, as its record says; none as long as there is no record. */
const resumes = (pass: Pass): Promise<number> =>
  pass.record().then(
    record => eventsOf(record, 'run.resumed').length,
    () => 0,
  );

test.for<Moment>([
  ['the plan is approved', event => event.type === 'approval.given'],
  ['the message is sent', {sent: 'Publish'}],
  ['services and rules are moved side by side', effectOf('update-service')],
])('killed once, when %s, a release goes on to the same end', async (moment, {start}) => {
  const pass = await start();
  const running = pass.start('--yes', '--env', 'production', '--release', released);
  await comesTo(pass, moment);
  running.kill('SIGKILL');
  expect((await running.ended).exitCode).toBe(137);

  const resumed = await pass.run('resume', '--yes', '--env', 'production');
  expect(resumed).toMatchObject({exitCode: 0, stdout: expect.stringContaining('6 of 6 components on 1.14.0')});
  await expectWhole(pass);
  expect(eventsOf(await pass.record(), 'run.resumed')).toHaveLength(1);
});

test('what somebody else deployed meanwhile is left alone by a release that goes on', async ({start}) => {
  const pass = await start();
  // Killed while it waits to try again: nothing was moved yet.
  pass.world.fail({action: 'UpdateService', kind: 'throttle', times: 5});
  const running = pass.start('--yes', '--env', 'production', '--release', released, '--component', 'deposit-services');
  await until(() => pass.calls.some(({action}) => action === 'UpdateService'), 'UpdateService');
  running.kill('SIGKILL');
  expect((await running.ended).exitCode).toBe(137);
  const hotfix = pass.world.registerTaskDefinition({
    family: 'deposit-services',
    containerDefinitions: [{name: 'deposit-services-core', image: 'hotfix:1'}],
  });
  pass.world.updateService({cluster: 'pass', service: 'deposit-services', taskDefinition: hotfix});

  const resumed = await pass.run('resume', '--yes', '--env', 'production');
  expect(resumed).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining('service deposit-services runs deposit-services:3, not deposit-services:1 as planned'),
  });
  expect((await standing(pass)).services['deposit-services']).toBe('deposit-services:3');
});

test.for([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  'stopped by %s while services roll out, it leaves them rolling, and goes on later',
  async ([signal, exitCode], {start}) => {
    const time = {now: Date.now()};
    const pass = await start({now: () => time.now});
    const running = pass.start('--yes', '--env', 'production', '--release', released, '--component', 'deposit-services');
    await untilRecorded(pass.records, 'a service is watched', isWatched);
    running.kill(signal);
    expect(await running.ended).toMatchObject({exitCode, stdout: expect.stringContaining(`stopped by ${signal}`)});

    time.now += 60_000;
    const resumed = await pass.run('resume', '--yes', '--env', 'production');
    expect(resumed).toMatchObject({exitCode: 0, stdout: expect.stringContaining('1 of 1 components on 1.14.0')});
    expect((await standing(pass)).services['deposit-services']).toBe('deposit-services:2');
    expect(pass.changes()).toEqual(['RegisterTaskDefinition', 'UpdateService']);
  },
);

async function expectWhole(pass: Pass): Promise<void> {
  expect(await standing(pass)).toEqual(everythingOn(2));
  expect(pass.messages()).toHaveLength(1);
  expect(eventsOf(await pass.record(), 'run.finished')).toEqual([expect.objectContaining({outcome: 'passed', exitCode: 0})]);
}
