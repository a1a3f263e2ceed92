import {describe, expect, test} from 'vitest';
import {NOON} from '../../emulator/story.ts';
import {serviceStory} from './support.ts';

const breaker = {enable: true, rollback: true};

describe('tasks that will not get better by themselves end the wait at once, and say what to do', () => {
  test.each([
    [
      'cannot-pull',
      /^the image cannot be pulled: it is not there: CannotPullContainerError: pull image manifest/,
      /Push that image/,
    ],
    [
      'secret-missing',
      /^a secret is missing: ResourceInitializationError: unable to pull secrets/,
      /Create that secret or parameter/,
    ],
    [
      'out-of-memory',
      /^it runs out of memory as soon as it starts \(OutOfMemoryError\): OutOfMemoryError: .* exited with 137\)$/,
      /Give the container more memory/,
    ],
    [
      'exec-format',
      /^the program is made for another CPU \(exec format error\): Essential container in task exited \(container app exited with 255\)$/,
      /Build the image for the CPU architecture/,
    ],
  ] as const)('%s', async (scenario, found, next) => {
    const {world, release, watch, io} = await serviceStory();
    world.scenarioFor('web', scenario);
    const {end} = await watch(await release('1.1.0'));
    expect(end).toMatchObject({status: 'failed', waitable: true, found: expect.stringMatching(found)});
    expect(end.next).toMatch(next);
    expect(end.next).toContain('It will not get better by itself.');
    expect(end.next).toContain('aws ecs update-service --cluster main --service web --task-definition web:1');
    expect(end.cause).toBeUndefined();
    // Within three seconds of the first task that stopped.
    const [first] = (await io.aws.ecs.tasks('main', 'web', 'STOPPED')).toSorted(
      (a, b) => (a.stoppedAt?.getTime() ?? 0) - (b.stoppedAt?.getTime() ?? 0),
    );
    expect(io.clock.now() - (first?.stoppedAt?.getTime() ?? 0)).toBeLessThan(3000);
  });

  test('so do tasks that end again and again, where none gets healthy', async () => {
    const {world, release, watch} = await serviceStory();
    world.scenarioFor('web', 'crash-loop');
    const {end, seen} = await watch(await release('1.1.0'));
    expect(end).toMatchObject({
      status: 'failed',
      waitable: true,
      found: '3 tasks have ended, and none got healthy: Essential container in task exited (container app exited with 1)',
    });
    expect(seen.some(({status, found}) => status === 'pending' && found.includes('1 stopped: Essential container'))).toBe(true);
    expect(end.evidence).toEqual([
      '3 × Essential container in task exited (container app exited with 1)',
      expect.stringMatching(/^\(service web\) has started 1 tasks/),
      expect.stringMatching(/^\(service web\)/),
      expect.stringMatching(/^\(service web\)/),
      expect.stringMatching(/^\(service web\)/),
      expect.stringMatching(/^\(service web\)/),
      expect.stringMatching(/^the last lines of container app of task [0-9a-f]{32} \(\/ecs\/web\):$/),
      expect.stringMatching(/^ {2}Starting app from .*web:1\.1\.0$/),
      '  ERROR could not connect to the database: password authentication failed',
      '  Shutting down',
    ]);
  });

  test('tasks that do not get healthy say what the load balancer has against them', async () => {
    const {world, release, watch} = await serviceStory({behind: 'web-targets'});
    world.scenarioFor('web', 'unhealthy');
    const {end} = await watch(await release('1.1.0'));
    const reason = 'Target.ResponseCodeMismatch: Health checks failed with these codes: [503]';
    expect(end).toMatchObject({
      status: 'failed',
      waitable: true,
      found: expect.stringMatching(
        /^3 tasks have ended, and none got healthy: Task failed ELB health checks in \(target-group .*web-targets/,
      ),
    });
    expect(end.evidence).toContainEqual(expect.stringMatching(/^target group web-targets: .*3 × healthy/));
    expect(end.evidence?.find(line => line.startsWith('target group'))).toContain(`× unhealthy (${reason})`);
    expect(end.evidence).toContain('  GET /health 503 no connection to the message broker');
  });

  test('and without one, how many are healthy by their own checks', async () => {
    const {world, release, watch} = await serviceStory();
    world.scenarioFor('web', 'unhealthy');
    const {end} = await watch(await release('1.1.0'));
    expect(end).toMatchObject({
      status: 'failed',
      waitable: true,
      found: expect.stringMatching(/^3 tasks have ended, and none got healthy: Task failed container health checks/),
    });
    expect(end.evidence).toContainEqual(expect.stringMatching(/^\d × container app UNHEALTHY$/));
  });

  test('and that is to be seen where time is up before any of them has ended', async () => {
    const {world, release, watch} = await serviceStory({behind: 'web-targets', more: {verify: {within: '20s'}}});
    world.scenarioFor('web', 'unhealthy');
    expect((await watch(await release('1.1.0'))).end).toMatchObject({
      status: 'failed',
      cause: 'unknown',
      found: 'not within 20 s: 3 of 3 running',
      evidence: expect.arrayContaining([expect.stringMatching(/^target group web-targets: 3 × healthy, 3 × unhealthy/)]),
    });
  });

  test('whoever is patient goes on waiting, and learns how it ends', async () => {
    const {world, release, watch} = await serviceStory({service: {circuitBreaker: breaker}});
    world.scenarioFor('web', 'cannot-pull');
    const applied = await release('1.1.0');
    expect((await watch(applied)).end.waitable).toBe(true);
    const {end} = await watch(applied, true);
    expect(end).toMatchObject({
      status: 'failed',
      cause: 'rolled back',
      found: expect.stringMatching(/^ECS took it back to web:1: .*circuit breaker/),
    });
  });
});

describe('every ending has its own words and its own cause', () => {
  test('rolled back by ECS: the circuit breaker is waited for', async () => {
    const {world, release, watch, rows} = await serviceStory();
    world.scenarioFor('web', 'breaker-rollback');
    const {end, seen} = await watch(await release('1.1.0'));
    expect(end).toMatchObject({
      status: 'failed',
      cause: 'rolled back',
      found: 'ECS took it back to web:1: Service deployment rolled back because the circuit breaker threshold was exceeded.',
      evidence: expect.arrayContaining([
        '3 × Essential container in task exited (container app exited with 1)',
        'circuit breaker: 3 failed tasks, it trips at 3',
        '  ERROR could not connect to the database: password authentication failed',
      ]),
    });
    expect(seen.some(({status, found}) => status === 'pending' && found.startsWith('ECS is taking it back to web:1'))).toBe(true);
    expect(await rows()).toEqual(['web:1 COMPLETED 3/3']);
  });

  test('failed, where ECS may not take it back', async () => {
    const {world, release, watch} = await serviceStory();
    world.scenarioFor('web', 'crash-loop', {circuitBreaker: {enable: true, rollback: false}});
    // Patient: the circuit breaker has the last word.
    const {end} = await watch(await release('1.1.0'), true);
    expect(end).toMatchObject({status: 'failed', found: expect.stringMatching(/^the rollout failed: .*circuit breaker/)});
    expect(end.cause ?? 'failed').toBe('failed');
  });

  test('superseded, with what took over and who registered it', async () => {
    const {world, release, watch, register, io} = await serviceStory();
    const applied = await release('1.1.0');
    await io.clock.sleep(4000, io.signal);
    world.updateService({cluster: 'main', service: 'web', taskDefinition: register('1.2.0')});
    const {end, seen} = await watch(applied);
    expect(end).toMatchObject({
      status: 'failed',
      cause: 'superseded',
      found: 'another deployment took over: it runs web:3 (registered by assumed-role/release-manager/demo)',
    });
    // At once: ours is told from theirs by its task definition, and theirs is not waited for.
    expect(seen).toEqual([end]);
  });

  test('superseded by the old revision, which is no way back of ECS', async () => {
    const {world, release, watch} = await serviceStory();
    world.scenarioFor('web', 'superseded');
    expect((await watch(await release('1.1.0'))).end).toMatchObject({
      cause: 'superseded',
      found: expect.stringMatching(/^another deployment took over: it runs web:1/),
    });
  });

  test('stopped by a person, which is no way back of ECS either', async () => {
    const {world, release, watch} = await serviceStory();
    world.scenarioFor('web', 'stopped');
    const {end, seen} = await watch(await release('1.1.0'));
    expect(end).toMatchObject({
      cause: 'stopped',
      found: expect.stringMatching(/^somebody stopped the deployment: ECS took it back to web:1/),
    });
    expect(seen.some(({found}) => found.startsWith('somebody'))).toBe(true);
  });

  test('still going when time is up: nobody knows', async () => {
    const {world, release, watch} = await serviceStory({more: {verify: {within: '10s'}}});
    world.scenarioFor('web', 'slow');
    expect((await watch(await release('1.1.0'))).end).toMatchObject({
      status: 'failed',
      cause: 'unknown',
      found: expect.stringMatching(/^not within 10 s: \d of 3 running$/),
    });
  });

  test('scaled to zero meanwhile is never success', async () => {
    const {world, release, watch, audit, io} = await serviceStory();
    const applied = await release('1.1.0');
    await io.clock.sleep(3000, io.signal);
    world.updateService({cluster: 'main', service: 'web', desiredCount: 0});
    expect((await watch(applied)).end).toMatchObject({
      status: 'failed',
      found: 'it is scaled to zero by now: nothing of it runs',
      next: 'Set its desired count.',
    });
    await io.clock.sleep(60_000, io.signal);
    expect((await audit(applied)).map(({status}) => status)).toEqual(['failed', 'open']);
  });

  test('a service that is gone', async () => {
    const {component, plan, io} = await serviceStory();
    const claims = component.claims(await plan('1.0.0'), new Map());
    const [claim] = claims.map(one => ({...one, subject: {...Object(one.subject), service: 'other'}}));
    if (claim === undefined) throw new Error('nothing is claimed');
    expect(await component.check(claim, io)).toMatchObject({status: 'failed', found: 'there is no service other any more'});
  });
});

describe('the clock of this machine does not matter', () => {
  test.each([-300, 300])('AWS is %i s ahead', async clockSkewSeconds => {
    const {release, watch, world} = await serviceStory({emulator: {scenario: {clockSkewSeconds}}});
    const applied = await release('1.1.0');
    expect(JSON.stringify([...applied.results.values()])).toContain(String((NOON + clockSkewSeconds * 1000) / 100_000));
    expect((await watch(applied)).end).toMatchObject({status: 'passed'});
    world.scenarioFor('web', 'breaker-rollback', {clockSkewSeconds});
    expect((await watch(await release('1.2.0'))).end).toMatchObject({cause: 'rolled back'});
  });
});

describe('what may not be looked at', () => {
  test('costs its line in the diagnosis, and nothing else', async () => {
    const {world, release, watch} = await serviceStory();
    world.scenarioFor('web', 'crash-loop');
    world.deny('logs:GetLogEvents');
    const {end} = await watch(await release('1.1.0'));
    expect(end.found).toMatch(/^3 tasks have ended/);
    expect(end.evidence).toContain('no permission to read the log /ecs/web (logs:GetLogEvents)');
  });

  test('the service deployments: it is judged by what the service says, and said so', async () => {
    const {world, release, watch, log} = await serviceStory();
    world.deny('ecs:ListServiceDeployments');
    expect((await watch(await release('1.1.0'))).end).toMatchObject({
      status: 'passed',
      found: '3 of 3 tasks, one deployment, COMPLETED',
    });
    expect(log.filter(line => line.includes('may not be looked at'))).toHaveLength(1);

    world.scenarioFor('web', 'breaker-rollback');
    expect((await watch(await release('1.2.0'))).end).toMatchObject({
      cause: 'rolled back',
      found: 'ECS took it back to web:2 (its deployments may not be looked at: told by its events)',
    });
  });
});
