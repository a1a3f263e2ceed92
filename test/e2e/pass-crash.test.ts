import {expect} from 'vitest';
import {everythingOn, type Pass, released, standing} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {type RunRecord, eventsOf, until, untilRecorded} from '../support/program.ts';

const test = passTest.concurrent;

type Event = RunRecord['events'][number];

const intentOf = (step: string) => (event: Event) => event.type === 'intent' && event.step.startsWith(step);
const effectOf = (step: string) => (event: Event) => event.type === 'effect' && event.step.startsWith(step);

/** Moments at which the process is ended for good: as soon as the record holds such a line. */
const moments: readonly (readonly [when: string, is: (event: Event) => boolean])[] = [
  ['the plan is made', event => event.type === 'plan.ready'],
  ['the plan is approved', event => event.type === 'approval.given'],
  ['the message is published', effectOf('publish')],
  ['the application behind the topic is watched', event => event.type === 'job.started' && event.job.phase === 'verify'],
  ['a revision is about to be registered', intentOf('register')],
  ['a revision is registered', effectOf('register')],
  ['a service is about to be moved', intentOf('update-service')],
  ['a service is moved', effectOf('update-service')],
  ['a rule is about to be moved', intentOf('move')],
  ['a rule is moved', effectOf('move')],
  ['a service is watched', event => event.type === 'check' && event.check.claim.endsWith(' rollout')],
];

test.for(moments)('killed when %s, a release goes on to the same end', async ([when, is], {start}) => {
  const pass = await start();
  const running = pass.start('--yes', '--env', 'production', '--release', released);
  await untilRecorded(pass.records, when, is);
  running.kill('SIGKILL');
  expect((await running.ended).exitCode).toBe(137);

  await goesOn(pass);
});

test.for(['RegisterTaskDefinition', 'UpdateService', 'PutTargets', 'Publish'])(
  'killed when AWS has been sent %s, a release goes on to the same end',
  async (action, {start}) => {
    const pass = await start();
    const running = pass.start('--yes', '--env', 'production', '--release', released);
    await until(() => pass.calls.some(call => call.action === action), action);
    running.kill('SIGKILL');
    expect((await running.ended).exitCode).toBe(137);

    await goesOn(pass);
  },
);

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

test('killed again and again, a release comes to the same end', async ({start}) => {
  const pass = await start();
  let running = pass.start('--yes', '--env', 'production', '--release', released);
  for (const [when, is] of moments.filter(([when]) => when.endsWith('published') || when.endsWith('moved'))) {
    await untilRecorded(pass.records, when, is);
    running.kill('SIGKILL');
    await running.ended;
    running = pass.start('resume', '--yes', '--env', 'production');
  }
  expect((await running.ended).exitCode).toBe(0);
  expect(await standing(pass)).toEqual(everythingOn(2));
  expect(pass.messages()).toHaveLength(1);
});

test.for([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  'stopped by %s while services roll out, it leaves them rolling, and goes on later',
  async ([signal, exitCode], {start}) => {
    const time = {now: Date.now()};
    const pass = await start({now: () => time.now});
    const running = pass.start('--yes', '--env', 'production', '--release', released);
    await untilRecorded(
      pass.records,
      'a service is watched',
      event => event.type === 'check' && event.check.claim.endsWith(' rollout'),
    );
    running.kill(signal);
    expect(await running.ended).toMatchObject({exitCode, stdout: expect.stringContaining(`stopped by ${signal}`)});

    time.now += 60_000;
    const resumed = await pass.run('resume', '--yes', '--env', 'production');
    expect(resumed).toMatchObject({exitCode: 0, stdout: expect.stringContaining('6 of 6 components on 1.14.0')});
    expect(await standing(pass)).toEqual(everythingOn(2));
    expect(pass.messages()).toHaveLength(1);
  },
);

async function goesOn(pass: Pass): Promise<void> {
  const resumed = await pass.run('resume', '--yes', '--env', 'production');
  expect(resumed).toMatchObject({exitCode: 0, stdout: expect.stringContaining('6 of 6 components on 1.14.0')});
  expect(await standing(pass)).toEqual(everythingOn(2));
  expect(pass.messages()).toHaveLength(1);

  const record = await pass.record();
  expect(eventsOf(record, 'run.finished')).toEqual([expect.objectContaining({outcome: 'passed', exitCode: 0})]);
  expect(eventsOf(record, 'run.resumed')).toHaveLength(1);
}
