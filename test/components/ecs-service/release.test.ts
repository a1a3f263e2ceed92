import {CreateServiceCommand} from '@aws-sdk/client-ecs';
import {describe, expect, test} from 'vitest';
import {performOnce} from '../support/world.ts';
import {serviceStory} from './support.ts';

test('a release registers one revision, moves the service, and is proved by digest', async () => {
  const {release, watch, audit, world, rows} = await serviceStory();
  const applied = await release('1.1.0');
  expect(applied.told).toEqual(['web:2 registered', 'service is moving to web:2']);

  const {end, seen} = await watch(applied);
  expect(seen.map(({found}) => found)).toEqual([
    '0 of 3 running',
    '1 of 3 running',
    '2 of 3 running',
    '3 of 3 running',
    '3 of 3 tasks, one deployment, SUCCESSFUL',
  ]);
  expect(end).toMatchObject({status: 'passed', see: 'aws ecs describe-services --cluster main --services web'});
  expect(await audit(applied)).toMatchObject([
    {claim: 'web rollout', status: 'passed'},
    {
      claim: 'web digests',
      text: 'every task of web runs the released image',
      status: 'passed',
      found: '3 of 3 tasks, with the released digest',
      evidence: [`app: ${world.putImage('web', '1.1.0')}, as the service revision has it`],
    },
  ]);
  expect(await rows()).toEqual(['web:2 COMPLETED 3/3']);
});

test('a plan shows tags and digests, the tasks that roll, the circuit breaker, and what stays', async () => {
  const {plan, world} = await serviceStory({service: {circuitBreaker: {enable: true, rollback: true}}});
  const {changes, notes, from} = await plan('1.1.0');
  const short = (tag: string) => `${world.putImage('web', tag).slice(0, 19)}…`;
  expect(from).toBe('1.0.0');
  expect(changes).toMatchObject([
    {
      summary: 'ECS service web in main: web:1 → new revision',
      risk: 'update',
      details: [
        {name: 'task definition', before: 'web:1', after: 'new revision'},
        {name: 'app image', before: expect.stringMatching(/web:1\.0\.0$/), after: expect.stringMatching(/web:1\.1\.0$/)},
        {name: 'app digest', before: short('1.0.0'), after: short('1.1.0')},
      ],
    },
  ]);
  expect(notes).toEqual([
    expect.stringMatching(/^everything else stays \(\d+ settings compared, 1 tags carried over\)$/),
    'rolls 3 tasks, rolling, circuit breaker on with rollback (after 3 failed tasks)',
  ]);
});

test('what runs already is neither registered nor deployed, and proved all the same', async () => {
  const {plan, apply, audit, called} = await serviceStory();
  const same = await plan('1.0.0');
  expect(same).toMatchObject({changes: [], notes: ['web runs web:1 already']});
  const applied = await apply(same);
  expect(await audit(applied)).toMatchObject([{status: 'passed'}, {status: 'passed'}]);
  expect(called()).not.toHaveProperty('UpdateService');
});

test('a revision that a release before has left is used: none is registered a second time', async () => {
  const {plan, apply, watch, register, io} = await serviceStory();
  register('1.1.0');
  const planned = await plan('1.1.0');
  expect(planned).toMatchObject({changes: [{summary: 'ECS service web in main: web:1 → web:2'}]});
  expect(planned.notes).toContain('web:2 is that already: no revision is registered');
  const applied = await apply(planned);
  expect(applied.told).toEqual(['service is moving to web:2']);
  expect((await watch(applied)).end.status).toBe('passed');
  expect(await io.aws.ecs.revisions('web', 5)).toHaveLength(2);
});

test('a pinned revision names the digest, and is found to be there afterwards', async () => {
  const {release, watch, plan, io, world} = await serviceStory({more: {pin: 'digest'}});
  const applied = await release('1.1.0');
  await watch(applied);
  const service = await io.aws.ecs.taskDefinition('web');
  expect(JSON.stringify(service?.input)).toContain(`web:1.1.0@${world.putImage('web', '1.1.0')}`);
  expect(await plan('1.1.0')).toMatchObject({changes: [], from: '1.1.0'});
});

test('a service whose revision names its image by digest alone runs a version all the same: a lower one is a downgrade', async () => {
  const {component, plan, io, world} = await serviceStory();
  const digest = world.putImage('web', '1.2.0');
  const name = `000000000000.dkr.ecr.us-east-1.amazonaws.com/web@${digest}`;
  world.registerTaskDefinition({family: 'web', containerDefinitions: [{name: 'app', image: name}]});
  world.updateService({cluster: 'main', service: 'web', taskDefinition: 'web:2'});
  await io.clock.sleep(60_000, io.signal);
  expect(await component.observe(io)).toMatchObject({version: '1.2.0', digests: {[name]: digest}});
  expect(await plan('1.1.0')).toMatchObject({from: '1.2.0', changes: [{flags: ['downgrade']}]});
});

test('what is there is observed with the digests that run, for whoever promotes it or goes back to it', async () => {
  const {component, io, world} = await serviceStory();
  const digest = world.putImage('web', '1.0.0');
  world.putImage('web', '1.0.0', 'moved');
  const name = '000000000000.dkr.ecr.us-east-1.amazonaws.com/web:1.0.0';
  expect(await component.observe(io)).toEqual({
    version: '1.0.0',
    state: {taskDefinition: expect.stringMatching(/web:1$/), desired: 3, images: [{container: 'app', image: name, digest}]},
    digests: {[name]: digest},
  });
});

describe('the same revision is deployed once more', () => {
  test('where its tag has moved to another image', async () => {
    const {plan, apply, watch, audit, world, rows, io} = await serviceStory();
    const old = world.putImage('web', '1.0.0');
    const moved = world.putImage('web', '1.0.0', 'built again');
    const anew = await plan('1.0.0');
    const change = `same revision, other image: app ${old.slice(0, 19)}… → ${moved.slice(0, 19)}…`;
    expect(anew.changes).toMatchObject([{summary: `ECS service web in main: web:1 → ${change}`}]);
    const applied = await apply(anew);
    expect(applied.told).toEqual(['service is moving to web:1']);
    // The old deployment of the same revision is steady, and proves nothing.
    expect((await audit(applied))[0]).toMatchObject({status: 'pending'});
    expect((await watch(applied)).end).toMatchObject({status: 'passed'});
    expect(await audit(applied)).toMatchObject([
      {status: 'passed'},
      {status: 'passed', found: '3 of 3 tasks, with the released digest'},
    ]);
    expect(await rows()).toEqual(['web:1 COMPLETED 3/3']);
    expect(await io.aws.ecs.revisions('web', 5)).toHaveLength(1);
  });

  test('where its last rollout has failed', async () => {
    const {release, watch, plan, apply, world} = await serviceStory({service: {circuitBreaker: {enable: true, rollback: false}}});
    world.scenarioFor('web', 'crash-loop', {circuitBreaker: {enable: true, rollback: false}});
    expect((await watch(await release('1.1.0'))).end).toMatchObject({status: 'failed'});

    world.scenarioFor('web', 'healthy');
    const anew = await plan('1.1.0');
    expect(anew.changes[0]?.summary).toMatch(
      /^ECS service web in main: web:2 → same revision, deployed once more: its last rollout failed \(/,
    );
    const again = await apply(anew);
    expect((await watch(again)).end).toMatchObject({status: 'passed'});
  });
});

test('a service whose deployments are not made by ECS itself is refused in words', async () => {
  const {ecs, requirement} = await serviceStory({more: {service: 'blue'}});
  await ecs.send(
    new CreateServiceCommand({
      cluster: 'main',
      serviceName: 'blue',
      taskDefinition: 'web',
      deploymentController: {type: 'CODE_DEPLOY'},
    }),
  );
  expect(await requirement()).toMatchObject({status: 'failed', found: 'its deployments are made by CODE_DEPLOY'});
});

describe('a deployment that is in flight', () => {
  test('and gets on is not disturbed', async () => {
    const {world, register, requirement, io} = await serviceStory();
    world.updateService({cluster: 'main', service: 'web', taskDefinition: register('1.1.0')});
    await io.clock.sleep(3000, io.signal);
    expect(await requirement()).toMatchObject({
      status: 'failed',
      found: 'another deployment is in flight: web:2, 0 of 3 running',
      next: 'Wait for it, or stop it in ECS, then try again.',
    });
  });

  test('and does not get anywhere is replaced by a release that mends it', async () => {
    const {world, register, requirement, release, watch, io} = await serviceStory();
    world.scenarioFor('web', 'crash-loop');
    world.updateService({cluster: 'main', service: 'web', taskDefinition: register('1.1.0')});
    await io.clock.sleep(60_000, io.signal);
    expect(await requirement()).toMatchObject({
      status: 'warned',
      found: expect.stringMatching(/does not get anywhere: web:2, \d of 3 running, \d+ tasks have ended: Essential container/),
      next: 'A release takes its place.',
    });
    world.scenarioFor('web', 'healthy');
    expect((await watch(await release('1.2.0'))).end).toMatchObject({status: 'passed'});
  });
});

describe('what somebody does between plan and apply', () => {
  test('is noticed: another revision', async () => {
    const {plan, component, world, register, io, apply, rows} = await serviceStory();
    const planned = await plan('1.1.0');
    world.updateService({cluster: 'main', service: 'web', taskDefinition: register('1.2.0')});
    expect(await component.recheck(planned, io)).toBe('service web runs web:2, not web:1 as planned');
    await expect(apply(planned)).rejects.toThrow('service web runs web:2, not web:1 as planned');
    expect((await rows())[0]).toMatch(/^web:2 /);
  });

  test('is noticed: the same revision, deployed once more', async () => {
    const {plan, component, world, io} = await serviceStory();
    const planned = await plan('1.1.0');
    world.updateService({cluster: 'main', service: 'web', forceNewDeployment: true});
    expect(await component.recheck(planned, io)).toBe('service web was deployed once more by somebody else (web:1, in progress)');
  });

  test('is noticed: another image under the tag', async () => {
    const {plan, component, world, io} = await serviceStory();
    const planned = await plan('1.1.0');
    expect(await component.recheck(planned, io)).toBeUndefined();
    world.putImage('web', '1.1.0', 'built again');
    expect(await component.recheck(planned, io)).toMatch(/web:1\.1\.0 is another image now/);
  });
});

describe('an answer that is lost', () => {
  test.each(['lost-answer', 'reset', '500'] as const)('leads to one revision and one deployment: %s', async kind => {
    const {world, release, watch, io, called} = await serviceStory();
    world.fail({action: 'RegisterTaskDefinition', kind});
    world.fail({action: 'UpdateService', kind});
    const applied = await release('1.1.0');
    expect(called()).toMatchObject(kind === 'lost-answer' ? {UpdateService: 1} : {UpdateService: 2});
    expect((await watch(applied)).end).toMatchObject({status: 'passed'});
    expect(await io.aws.ecs.revisions('web', 5)).toHaveLength(2);
    expect(await io.aws.ecs.deployments('main', 'web')).toHaveLength(2);
  });

  test('of a deployment that ECS has taken back since is found in its history, by the clock of AWS', async () => {
    const late = {clockSkewSeconds: -300};
    const {world, plan, component, io, watch} = await serviceStory({emulator: {scenario: late}});
    const planned = await plan('1.1.0');
    const [register, move] = component.steps(planned);
    if (!register || !move) throw new Error('Steps are missing.');
    const results = new Map([[register.id, await performOnce(register, io, new Map())]]);
    world.scenarioFor('web', 'breaker-rollback', late);
    const request = await move.request(io, results);
    const done = await move.perform(io, request);
    const {end} = await watch({plan: planned, results: results.set(move.id, done), told: []});
    expect(end).toMatchObject({cause: 'rolled back'});
    expect(await move.settle(io, request)).toMatchObject({done: {taskDefinition: expect.stringMatching(/\/web:2$/)}});
  });
});
