import {expect} from 'vitest';
import {
  before,
  componentOf,
  ends,
  everythingOn,
  loaderTarget,
  type PassConfig,
  released,
  services,
  standing,
} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {type RunRecord, eventsOf, untilRecorded} from '../support/program.ts';

/** They mostly wait, for one another's clocks not at all. */
const test = passTest.concurrent;

const steady = {services: 2, loaders: 3};

/** Where what happens to one is the matter, nothing else is released. */
const only = (...components: readonly string[]): readonly string[] => components.flatMap(id => ['--component', id]);
const unattended = ['--yes', '--env', 'production', '--release', released] as const;

test('a release moves everything once, and a second one finds nothing to do', async ({start}) => {
  const pass = await start();

  const ended = await pass.release();
  expect(ended).toMatchObject({exitCode: 0, stdout: expect.stringContaining('6 of 6 components on 1.14.0')});
  expect(await standing(pass)).toEqual(everythingOn(2));
  expect(pass.messages()).toEqual([{action: 'DeployStart', commitRef: released, deployEnv: 'Production', imageTag: released}]);
  expect(outcome(await pass.record())).toBe('passed');
  const changes = pass.changes();
  expect(changes).toHaveLength(1 + 2 * steady.services + 2 * steady.loaders);

  const again = await pass.release();
  expect(again).toMatchObject({exitCode: 0, stdout: expect.stringContaining('nothing to do')});
  expect(pass.changes()).toEqual(changes);
  expect(outcome(await pass.record())).toBe('nothing to do');
});

test('what a release changes is shown before, by a plan that changes nothing', async ({start}) => {
  const pass = await start();

  const plan = await pass.run('plan', '--env', 'production', '--release', released, '--detailed-exitcode');
  expect(plan.exitCode).toBe(2);
  expect(plan.stdout).toContain('8 update, 1 trigger');
  expect(plan.stdout).toContain('ECS service deposit-services in pass: deposit-services:1 → new revision');
  expect(plan.stdout).toContain('rule nihms-weekly (target loader, rate(7 days)) starts new revision');
  expect(pass.changes()).toEqual([]);
});

test('the version can be counted up from what is deployed', async ({start}) => {
  const pass = await start();

  const ended = await pass.run('--yes', '--env', 'production', '--bump', 'minor', ...only('journal-loader'));
  expect(ended).toMatchObject({exitCode: 0, stdout: expect.stringContaining('1 of 1 components on 1.14.0')});
});

// ── rollouts that go wrong ───────────────────────────────────────────────────────────────────────────

test('an image that cannot be pulled is noticed within seconds, and holds up only what needs it', async ({start}) => {
  // Slow enough that its circuit breaker is not the first to notice.
  const pass = await start({speed: 2, config: needs('nihms-loader', 'deposit-services')});
  pass.world.scenarioFor('deposit-services', 'cannot-pull');

  const ended = await pass.release(...only('deposit-services', 'journal-loader', 'nihms-loader'));
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout).toContain('CannotPullContainerError: pull image manifest has been retried 1 time(s)');
  const record = await pass.record();
  expect(outcome(record)).toBe('failed');
  expect(ends(record)).toEqual({
    'deposit-services': 'failed',
    'journal-loader': 'verified',
    'nihms-loader': 'not started',
  });
  const failed = rolloutChecks(record, 'deposit-services').at(-1);
  expect(failed?.check).toMatchObject({
    status: 'failed',
    found: expect.stringContaining('CannotPullContainerError'),
    evidence: expect.arrayContaining([expect.stringMatching(/^\d × CannotPullContainerError/)]),
    next: expect.stringContaining('It will not get better by itself'),
  });
  expect(Date.parse(failed?.at ?? '') - Date.parse(effectOf(record, 'deposit-services', 'update-service').at)).toBeLessThan(5000);
  expect((await standing(pass)).revisions).toEqual({
    ...everythingOn(1).revisions,
    'deposit-services': 2,
    'pass-journal-loader': 2,
  });

  const again = await pass.run('resume', '--yes', '--env', 'production');
  expect(again).toMatchObject({exitCode: 2, stderr: expect.stringContaining('there is nothing to go on with')});
});

test('a service that its circuit breaker takes back ends as rolled back', async ({start}) => {
  const pass = await start();
  pass.world.scenarioFor('deposit-services', 'crash-loop');

  const ended = await pass.release('--component', 'deposit-services');
  expect(ended.exitCode).toBe(6);
  const record = await pass.record();
  expect(outcome(record)).toBe('rolled back');
  expect(rolloutChecks(record, 'deposit-services').at(-1)?.check).toMatchObject({
    found: expect.stringContaining('ECS took it back to deposit-services:1'),
    evidence: expect.arrayContaining([
      expect.stringMatching(/^\d+ × Essential container in task exited \(container deposit-services-core exited with 1\)$/),
    ]),
  });
  expect((await standing(pass)).services).toEqual(everythingOn(1).services);
});

test('somebody who deploys yet another revision over ours has superseded it, too', async ({start}) => {
  const pass = await start();
  pass.world.scenarioFor('deposit-services', 'slow');
  const running = pass.start(...unattended, ...only('deposit-services'));
  await untilRecorded(pass.records, 'the update', isEffect('deposit-services', 'update-service'));
  const hotfix = pass.world.registerTaskDefinition({
    family: 'deposit-services',
    containerDefinitions: [{name: 'deposit-services-core', image: 'hotfix:1'}],
  });
  pass.world.updateService({cluster: 'pass', service: 'deposit-services', taskDefinition: hotfix});

  expect(await running.ended).toMatchObject({
    exitCode: 8,
    stdout: expect.stringContaining('another deployment took over: it runs deposit-services:3'),
  });
});

test('a service that is scaled to zero meanwhile does not count as released', async ({start}) => {
  const pass = await start();
  pass.world.scenarioFor('deposit-services', 'slow');
  const running = pass.start(...unattended, ...only('deposit-services'));
  await untilRecorded(pass.records, 'the update', isEffect('deposit-services', 'update-service'));
  pass.world.updateService({cluster: 'pass', service: 'deposit-services', desiredCount: 0});

  expect(await running.ended).toMatchObject({exitCode: 1, stdout: expect.stringContaining('it is scaled to zero')});
});

test('a rollout that takes longer than its limit is unknown, and `resume` goes on watching', async ({start}) => {
  const time = {now: Date.now()};
  const pass = await start({now: () => time.now, config: within('1s')});

  const ended = await pass.release(...only('deposit-services', 'grant-loader'));
  expect(ended).toMatchObject({exitCode: 7, stdout: expect.stringContaining('not within 1 s: 0 of 2 running')});
  expect(ends(await pass.record())).toMatchObject({'deposit-services': 'unknown', 'grant-loader': 'verified'});

  time.now += 60_000;
  const resumed = await pass.run('resume', '--yes', '--env', 'production');
  expect(resumed).toMatchObject({exitCode: 0, stdout: expect.stringContaining('2 of 2 components on 1.14.0')});
  expect(pass.changes().filter(action => action === 'UpdateService')).toHaveLength(1);
  expect(await standing(pass)).toEqual(movedAlone);
});

// ── calls that go wrong ──────────────────────────────────────────────────────────────────────────────

test('calls whose answers are lost are found done, and not sent again', async ({start}) => {
  const pass = await start();
  for (const action of ['RegisterTaskDefinition', 'UpdateService', 'PutTargets']) pass.world.fail({action, kind: 'lost-answer'});

  const ended = await pass.release(...only('deposit-services', 'grant-loader'));
  expect(ended.exitCode).toBe(0);
  expect(await standing(pass)).toEqual(movedAlone);
  expect(pass.changes()).toHaveLength(4);
  expect(adopted(await pass.record())).toEqual([
    expect.stringMatching(/ register: done$/),
    expect.stringMatching(/ update-service: done$/),
    expect.stringMatching(/ move rule default\/[\w-]+: done$/),
  ]);
});

test.for(['500', 'reset'] as const)(
  'calls that fail with %s before anything happened are made once more',
  async (kind, {start}) => {
    const pass = await start();
    for (const action of ['RegisterTaskDefinition', 'UpdateService', 'PutTargets']) pass.world.fail({action, kind});

    const ended = await pass.release(...only('deposit-services', 'grant-loader'));
    expect(ended.exitCode).toBe(0);
    expect(await standing(pass)).toEqual(movedAlone);
    expect(pass.changes()).toHaveLength(3 + 4);
    expect(adopted(await pass.record())).toEqual([
      expect.stringMatching(/ register: absent$/),
      expect.stringMatching(/ update-service: absent$/),
      expect.stringMatching(/ move rule default\/[\w-]+: absent$/),
    ]);
  },
);

test('a target that EventBridge does not take, although it answers 200, is a failure that is named', async ({start}) => {
  const pass = await start();
  pass.world.refuseTarget('loader');

  const ended = await pass.release('--component', 'journal-loader');
  expect(ended.exitCode).toBe(1);
  expect(ended.stdout).toContain('rule journal-nightly did not take 1 of 1 targets: loader: ConcurrentModificationException');
  expect((await standing(pass)).rules).toEqual(everythingOn(1).rules);
});

// ── the message ──────────────────────────────────────────────────────────────────────────────────────

test('a message whose answer is lost is never sent again, and counts as sent once its effect is seen', async ({start}) => {
  const pass = await start({redeploys: false});
  pass.world.fail({action: 'Publish', kind: 'lost-answer'});

  const ended = await pass.release(...only('pass-core', 'deposit-services'));
  expect(ended.exitCode).toBe(7);
  expect(ends(await pass.record())).toMatchObject({'pass-core': 'unknown', 'deposit-services': 'not started'});
  expect(pass.messages()).toHaveLength(1);

  const resumed = await pass.run('resume', '--yes', '--env', 'production');
  expect(resumed).toMatchObject({exitCode: 7, stdout: expect.stringContaining('Looking cannot tell whether it happened')});
  expect(pass.changes()).toEqual(['Publish']);

  pass.application.version = released;
  const resumedLater = await pass.run('resume', '--yes', '--env', 'production');
  expect(resumedLater.exitCode).toBe(0);
  expect(pass.messages()).toHaveLength(1);
  expect((await standing(pass)).services['deposit-services']).toBe('deposit-services:2');
});

test('an application that does not follow its message in time is unknown, and nothing that needs it has begun', async ({
  start,
}) => {
  const pass = await start({redeploys: false, config: watchedFor('1s')});

  const ended = await pass.release(...only('pass-core', 'deposit-services'));
  expect(ended).toMatchObject({exitCode: 7, stdout: expect.stringContaining(`200 ${before}, waiting for ${released}`)});
  expect(pass.changes()).toEqual(['Publish']);

  pass.application.version = released;
  expect(await pass.run('resume', '--yes', '--env', 'production')).toMatchObject({exitCode: 0});
  expect(pass.messages()).toHaveLength(1);
});

test('a message whose effect was never seen is not sent again by the same command, unless somebody says so', async ({start}) => {
  const pass = await start({redeploys: false, config: watchedFor('1s')});
  const release = (...args: readonly string[]) => pass.release(...only('pass-core'), ...args);
  expect(await release()).toMatchObject({exitCode: 7, stdout: expect.not.stringContaining('Again')});

  const again = await release();
  expect(again).toMatchObject({exitCode: 3, stdout: expect.stringContaining('--allow republish:pass-core')});
  expect(pass.messages()).toHaveLength(1);

  // Nor by the third: that the second was refused proves nothing.
  expect(await release()).toMatchObject({exitCode: 3});
  expect(pass.messages()).toHaveLength(1);

  expect(await release('--allow', 'republish')).toMatchObject({exitCode: 7});
  expect(pass.messages()).toHaveLength(2);
});

test('without anything to look at, a message is triggered and not proven', async ({start}) => {
  const pass = await start({redeploys: false, config: config => void (componentOf(config, 'pass-core')['verify'] = 'none')});

  const ended = await pass.release(...only('pass-core', 'deposit-services'));
  expect(ended).toMatchObject({exitCode: 0, stdout: expect.stringContaining('triggered, not proven')});
  expect(ends(await pass.record())).toMatchObject({'pass-core': 'not proven', 'deposit-services': 'verified'});
  expect(pass.messages()).toHaveLength(1);
});

// ── audit ────────────────────────────────────────────────────────────────────────────────────────────

test('an audit names what is not as it was released', async ({start}) => {
  const pass = await start();
  await pass.release();
  expect(await pass.run('audit', '--env', 'production')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Everything is as the record says'),
  });

  pass.application.version = before;
  pass.world.updateService({cluster: 'pass', service: 'deposit-services', desiredCount: 0});
  pass.world.updateService({cluster: 'pass', service: 'notification-services', taskDefinition: 'notification-services:1'});
  pass.world.putTargets({name: 'grant-nightly'}, [{...loaderTarget('loader', 'jhu-grant-loader:1')}]);
  pass.world.putImage('pass-nihms-loader', released, 'pushed once more');
  const audit = await pass.run('audit', released, '--env', 'production');
  expect(audit.exitCode).toBe(5);
  expect(audit.stdout).toContain('answers 1.14.0: 200 1.13.2, waiting for 1.14.0');
  expect(audit.stdout).toContain('service deposit-services runs deposit-services:2: it is scaled to zero');
  expect(audit.stdout).toContain('another deployment took over: it runs notification-services:1');
  expect(audit.stdout).toContain('rule grant-nightly starts jhu-grant-loader:2: target loader starts jhu-grant-loader:1');
  expect(audit.stdout).toMatch(/pass-nihms-loader:2 has the released images: .*pass-nihms-loader:1\.14\.0 is another image now/);
  expect(audit.stdout).toContain('✖ ecr/pass-nihms-loader:1.14.0 is the image that was released: it is sha256:');
  expect(audit.stdout).toMatch(/\n\d checks failed/);
});

// ── helpers ──────────────────────────────────────────────────────────────────────────────────────────

/** A service and a loader on the new version, and nothing else. */
const movedAlone = {
  services: {...everythingOn(1).services, 'deposit-services': 'deposit-services:2'},
  rules: {...everythingOn(1).rules, 'grant-nightly': ['jhu-grant-loader:2']},
  revisions: {...everythingOn(1).revisions, 'deposit-services': 2, 'jhu-grant-loader': 2},
};

function outcome(record: RunRecord) {
  return eventsOf(record, 'run.finished').at(-1)?.outcome;
}

function rolloutChecks(record: RunRecord, component: string) {
  return eventsOf(record, 'check').filter(
    ({job, check}) => job.phase === 'verify' && check.claim === `${job.component} rollout` && job.component === component,
  );
}

const isEffect = (component: string, step: string) => (event: RunRecord['events'][number]) =>
  event.type === 'effect' && event.job.component === component && event.step === step;

function effectOf(record: RunRecord, component: string, step: string) {
  const effect = eventsOf(record, 'effect').find(isEffect(component, step));
  if (effect === undefined) throw new Error(`${component} has no effect of ${step}`);
  return effect;
}

/** What was found by looking instead of by an answer, in the order of the steps. */
function adopted(record: RunRecord): readonly string[] {
  const order = ['register', 'update', 'move'];
  return eventsOf(record, 'effect')
    .filter(({adopted}) => adopted)
    .map(({job, step, result}) => `${job.component} ${step}: ${result.is}`)
    .toSorted((a, b) => order.findIndex(step => a.includes(` ${step}`)) - order.findIndex(step => b.includes(` ${step}`)));
}

const needs = (id: string, other: string) => (config: PassConfig) => void (componentOf(config, id)['needs'] = [other]);

const watchedFor = (within: string) => (config: PassConfig) => {
  const core = componentOf(config, 'pass-core');
  core['verify'] = {http: '${values.url}/version', expect: '${version}', within};
};

const within = (limit: string) => (config: PassConfig) => {
  for (const {id} of services) componentOf(config, id)['verify'] = {within: limit};
};
