import {describe, expect, test} from 'vitest';
import {DeregisterTaskDefinitionCommand} from '@aws-sdk/client-ecs';
import {serviceStory} from './support.ts';

/** A release that is on its way, and what was there before it. */
async function failing(options: Parameters<typeof serviceStory>[0] = {}) {
  const told = await serviceStory(options);
  const before = await told.observe();
  told.world.scenarioFor('web', 'crash-loop');
  const applied = await told.release('1.1.0');
  await told.watch(applied);
  told.world.scenarioFor('web', 'healthy');
  told.called();
  return {...told, before, applied};
}

describe('a deployment in flight is taken back', () => {
  test('by ECS itself, where that leads to what was recorded', async () => {
    const {plan, apply, watch, audit, before, rows, called} = await failing();
    const back = await plan(before);
    expect(back.changes).toMatchObject([
      {risk: 'update', summary: 'ECS service web in main: web:2 → web:1, by stopping its deployment'},
    ]);
    expect(back.notes[0]).toBe('the deployment in flight is stopped; ECS takes the service back to what ran before it');
    const applied = await apply(back);
    expect(applied.told).toEqual(['ECS takes the service back to web:1']);
    const calls = called();
    expect(calls).toMatchObject({StopServiceDeployment: 1});
    expect(calls).not.toHaveProperty('UpdateService');

    const {end} = await watch(applied);
    expect(end).toMatchObject({status: 'passed', found: '3 of 3 tasks, one deployment, ROLLBACK_SUCCESSFUL'});
    expect((await audit(applied)).map(({status}) => status)).toEqual(['passed', 'passed']);
    expect(await rows()).toEqual(['web:1 COMPLETED 3/3']);
  });

  test('by ECS, and the answer is lost', async () => {
    const {plan, apply, watch, before, world, called} = await failing();
    const back = await plan(before);
    world.fail({action: 'StopServiceDeployment', kind: 'lost-answer'});
    const applied = await apply(back);
    expect(called()).toMatchObject({StopServiceDeployment: 1});
    expect((await watch(applied)).end.status).toBe('passed');
  });

  test.each([
    ['ConflictException', 'it has ended'],
    ['AccessDeniedException', 'no permission for ecs:StopServiceDeployment'],
  ])('by moving the service, where it cannot be stopped: %s', async (code, why) => {
    const {plan, apply, watch, before, world, called, log} = await failing();
    const back = await plan(before);
    world.fail({action: 'StopServiceDeployment', kind: {code}});
    const applied = await apply(back);
    expect(applied.told).toEqual(['service is moving to web:1']);
    expect(called()).toMatchObject({UpdateService: 1});
    expect(log).toContain(`the deployment cannot be stopped (${why}): the service is moved to web:1 instead`);
    expect((await watch(applied)).end.status).toBe('passed');
  });

  test('by moving the service, where ECS would go back to something else than was recorded', async () => {
    const told = await serviceStory();
    const before = await told.observe();
    const between = await told.release('1.2.0');
    await told.watch(between);
    told.world.scenarioFor('web', 'crash-loop');
    await told.watch(await told.release('1.1.0'));
    told.world.scenarioFor('web', 'healthy');
    told.called();

    const back = await told.plan(before);
    expect(back.changes[0]?.summary).toBe('ECS service web in main: web:3 → web:1');
    const applied = await told.apply(back);
    const calls = told.called();
    expect(calls).toMatchObject({UpdateService: 1});
    expect(calls).not.toHaveProperty('StopServiceDeployment');
    expect((await told.watch(applied)).end.status).toBe('passed');
    expect(await told.rows()).toEqual(['web:1 COMPLETED 3/3']);
  });

  test('and where ECS has been faster there is nothing left to do but to prove it', async () => {
    const told = await serviceStory({service: {circuitBreaker: {enable: true, rollback: true}}});
    const before = await told.observe();
    told.world.scenarioFor('web', 'crash-loop');
    const applied = await told.release('1.1.0');
    const early = await told.plan(before);
    expect((await told.watch(applied)).end.cause).toBe('rolled back');
    told.called();

    expect(await told.plan(before)).toMatchObject({changes: [], notes: ['web runs web:1 already']});
    const done = await told.apply(early);
    expect(told.called()).not.toHaveProperty('StopServiceDeployment');
    expect((await told.watch(done)).end.status).toBe('passed');
  });
});

describe('a release that had arrived is taken back', () => {
  test('to the recorded revision', async () => {
    const {observe, release, watch, plan, apply, rows} = await serviceStory();
    const before = await observe();
    await watch(await release('1.1.0'));
    const back = await plan(before);
    expect(back).toMatchObject({from: '1.1.0', to: '1.0.0'});
    const applied = await apply(back);
    expect((await watch(applied)).end.status).toBe('passed');
    expect(await rows()).toEqual(['web:1 COMPLETED 3/3']);
  });

  test('to a copy of it by digest, where it was deregistered', async () => {
    const {observe, release, watch, plan, apply, audit, ecs, world, io} = await serviceStory();
    const before = await observe();
    await watch(await release('1.1.0'));
    await ecs.send(new DeregisterTaskDefinitionCommand({taskDefinition: 'web:1'}));

    const back = await plan(before);
    expect(back.changes[0]?.summary).toBe('ECS service web in main: web:2 → new revision');
    expect(back.notes).toContain('web:1 is INACTIVE, nothing can start it: a copy of it is registered, its images by digest');
    const applied = await apply(back);
    expect(applied.told).toEqual(['web:3 registered', 'service is moving to web:3']);
    expect((await watch(applied)).end.status).toBe('passed');
    expect((await audit(applied)).map(({status}) => status)).toEqual(['passed', 'passed']);
    const copy = await io.aws.ecs.taskDefinition('web:3');
    expect(JSON.stringify(copy?.input)).toContain(`web:1.0.0@${world.putImage('web', '1.0.0')}`);
  });

  test('to a copy by digest, where its tag stands for another image by now', async () => {
    const {observe, release, watch, plan, apply, audit, world} = await serviceStory();
    const digest = world.putImage('web', '1.0.0');
    const before = await observe();
    await watch(await release('1.1.0'));
    world.putImage('web', '1.0.0', 'built again');

    const back = await plan(before);
    expect(back.notes[0]).toMatch(
      /^web:1 names .*web:1\.0\.0 is another image now .*: a copy of it is registered, its images by digest$/,
    );
    const applied = await apply(back);
    await watch(applied);
    expect(await audit(applied)).toMatchObject([
      {status: 'passed'},
      {status: 'passed', evidence: [`app: ${digest}, as the service revision has it`]},
    ]);
  });

  test('and is refused in words where a record holds too little', async () => {
    const {plan, release, watch} = await serviceStory();
    await watch(await release('1.1.0'));
    const gone = {
      is: 'state',
      version: '0.9.0',
      state: {taskDefinition: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:99', desired: 3},
    } as const;
    await expect(plan(gone)).rejects.toThrow('web:99 is gone, and its images are not recorded: there is nothing to go back to');
  });
});
