import {CreateServiceCommand, ListServiceDeploymentsCommand, StopServiceDeploymentCommand} from '@aws-sdk/client-ecs';
import {expect, test} from 'vitest';
import {rows, runningService, the} from './rollout-story.ts';
import {image} from './story.ts';

const BREAKER = {circuitBreaker: {enable: true, rollback: true}};

test('a tag that was never pushed cannot be pulled, and every task says so', async () => {
  const {deploy, service, tasks, clock} = await runningService();
  await deploy('9.9.9');
  clock.pass(6);

  const reason = `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${image('web', '9.9.9')}: not found`;
  const [stopped] = await tasks('STOPPED');
  expect(stopped).toMatchObject({stopCode: 'TaskFailedToStart', stoppedReason: reason, lastStatus: 'STOPPED'});
  expect(stopped?.startedAt).toBeUndefined();
  expect(stopped?.containers?.[0]).toMatchObject({name: 'app', reason, lastStatus: 'STOPPED'});
  expect(stopped?.containers?.[0]?.exitCode).toBeUndefined();

  const web = await service();
  expect(web.deployments?.[0]).toMatchObject({failedTasks: 1, runningCount: 0});
  expect(web.events?.map(({message}) => message)).toContain(`(service web) was unable to place a task. Reason: ${reason}.`);
});

test('without a circuit breaker it goes on failing for ever, ever more slowly, while the old tasks stay', async () => {
  const {deploy, service, tasks, serviceDeployment, clock} = await runningService();
  await deploy('9.9.9');

  clock.pass(12 * 60 * 60);
  const web = await service();
  expect(rows(web)).toEqual(['PRIMARY web:2 IN_PROGRESS 0/3', 'ACTIVE web:1 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({status: 'IN_PROGRESS'});
  expect(web.events?.length).toBeLessThanOrEqual(100);
  expect((await tasks('STOPPED')).length).toBeLessThan(10); // those of the last hour: three every 27 minutes
  expect(web.events?.some(({message}) => message?.includes('unable to consistently start tasks'))).toBe(true);
});

test('a circuit breaker without rollback gives up after three failures and leaves the old tasks running', async () => {
  const {deploy, service, serviceDeployment, clock} = await runningService({}, {circuitBreaker: {enable: true, rollback: false}});
  await deploy('9.9.9');
  clock.pass(60);

  const web = await service();
  expect(rows(web)).toEqual(['PRIMARY web:2 FAILED 0/3', 'ACTIVE web:1 COMPLETED 3/3']);
  expect(web.deployments?.[0]).toMatchObject({
    failedTasks: 3,
    rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
  });
  expect(await serviceDeployment()).toMatchObject({
    status: 'STOPPED',
    deploymentCircuitBreaker: {status: 'TRIGGERED', failureCount: 3, threshold: 3},
  });
});

test('with rollback it goes back to what ran before, under the id that it ran under', async () => {
  const {deploy, service, serviceDeployment, clock} = await runningService({}, BREAKER);
  const before = the((await service()).deployments?.[0]?.id);
  await deploy('9.9.9');

  clock.pass(9.5); // the third task has just failed
  const turning = await service();
  expect(rows(turning)).toEqual(['PRIMARY web:1 IN_PROGRESS 3/3', 'ACTIVE web:2 FAILED 0/0']);
  expect(turning.deployments?.[0]).toMatchObject({
    id: before,
    rolloutStateReason: `ECS deployment circuit breaker: rolling back to deploymentId ${before}.`,
  });
  expect(turning.taskDefinition).toMatch(/web:1$/);
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_IN_PROGRESS'});

  clock.pass(2); // what was still being started has been stopped
  expect(rows(await service())).toEqual(['PRIMARY web:1 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: 'Service deployment rolled back because the circuit breaker threshold was exceeded.',
    rollback: {serviceRevisionArn: expect.stringContaining(':service-revision/main/web/')},
    deploymentCircuitBreaker: {status: 'TRIGGERED', failureCount: 3},
  });
});

test('a rollback after old tasks have gone takes its time, and shows both sides while it does', async () => {
  const {deploy, service, serviceDeployment, world, ecs, clock} = await runningService({}, BREAKER);
  world.putImage('web', '1.1.0');
  await deploy('1.1.0');
  clock.pass(8);
  expect(rows(await service())).toEqual(['PRIMARY web:2 IN_PROGRESS 2/3', 'ACTIVE web:1 COMPLETED 2/2']);

  const {serviceDeploymentArn} = await serviceDeployment();
  await ecs.send(new StopServiceDeploymentCommand({serviceDeploymentArn, stopType: 'ROLLBACK'}));
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_REQUESTED'});

  clock.pass(1);
  const turning = await service();
  expect(rows(turning)[0]).toBe('PRIMARY web:1 IN_PROGRESS 2/3');
  expect(turning.deployments?.[0]?.rolloutStateReason).toMatch(/rolling back to deploymentId ecs-svc\/\d+\.$/);
  expect(turning.taskDefinition).toMatch(/web:1$/);
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_IN_PROGRESS'});

  clock.pass(20);
  expect(rows(await service())).toEqual(['PRIMARY web:1 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_SUCCESSFUL'});
  await expect(ecs.send(new StopServiceDeploymentCommand({serviceDeploymentArn}))).rejects.toMatchObject({
    name: 'ConflictException',
  });
});

test('a service deployment that is not there cannot be stopped', async () => {
  const {ecs} = await runningService();
  const serviceDeploymentArn = 'arn:aws:ecs:us-east-1:000000000000:service-deployment/main/web/nothing';
  await expect(ecs.send(new StopServiceDeploymentCommand({serviceDeploymentArn}))).rejects.toMatchObject({
    name: 'ServiceDeploymentNotFoundException',
  });
});

test('containers that crash soon after the start count as failures, and show their exit code', async () => {
  const {deploy, tasks, serviceDeployment, world, clock} = await runningService({scenario: 'crash-loop'}, BREAKER);
  world.putImage('web', '1.1.0');
  await deploy('1.1.0');
  clock.pass(8);

  const crashed = (await tasks('STOPPED')).find(({stopCode}) => stopCode === 'EssentialContainerExited');
  expect(crashed).toMatchObject({stoppedReason: 'Essential container in task exited', containers: [{exitCode: 1}]});
  expect(crashed?.startedAt).toBeInstanceOf(Date);

  clock.pass(60);
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_SUCCESSFUL'});
});

test.each([
  [1, 3],
  [6, 3],
  [7, 4],
  [20, 10],
  [1000, 200],
])('of %i desired tasks %i may fail in a row', async (desiredCount, threshold) => {
  const {serviceDeployment} = await runningService({}, {desiredCount, ...BREAKER});
  expect((await serviceDeployment()).deploymentCircuitBreaker?.threshold).toBe(threshold);
});

test.each([
  ['COUNT', 5, 20, 5],
  ['BOUNDED_PERCENT', 25, 20, 5],
  ['BOUNDED_PERCENT', 10, 20, 3],
  ['UNBOUNDED_PERCENT', 10, 20, 2],
] as const)('a threshold of %s %i: of %i desired tasks %i may fail', async (type, value, desiredCount, threshold) => {
  const circuitBreaker = {enable: true, rollback: true, thresholdConfiguration: {type, value}};
  const {deploy, serviceDeployment, clock} = await runningService({}, {desiredCount, circuitBreaker});
  await deploy('9.9.9');
  clock.pass(30);
  expect((await serviceDeployment()).deploymentCircuitBreaker).toMatchObject({
    status: 'TRIGGERED',
    failureCount: threshold,
    threshold,
  });
});

test('the first deployment of all has nowhere to go back to', async () => {
  const {ecs, clock} = await runningService({scenario: 'cannot-pull'});
  await ecs.send(
    new CreateServiceCommand({
      cluster: 'main',
      serviceName: 'new',
      taskDefinition: 'web',
      deploymentConfiguration: {deploymentCircuitBreaker: {enable: true, rollback: true}},
    }),
  );
  clock.pass(60);

  const {serviceDeployments} = await ecs.send(new ListServiceDeploymentsCommand({cluster: 'main', service: 'new'}));
  expect(serviceDeployments?.[0]).toMatchObject({
    status: 'ROLLBACK_FAILED',
    statusReason: 'No rollback candidate was found to run the rollback.',
  });
});

test('a scenario can be of one service only, and scenarios can be laid over each other', async () => {
  const {deploy, service, world, clock} = await runningService();
  world.putImage('web', '1.1.0');
  world.scenarioFor('web', 'slow', 'crash-loop');
  await deploy('1.1.0');

  clock.pass(21); // the first task starts after 2 s and runs 20 s later: four times slower
  expect((await service()).deployments?.[0]).toMatchObject({runningCount: 0, pendingCount: 3, failedTasks: 0});
  clock.pass(7);
  expect((await service()).deployments?.[0]).toMatchObject({failedTasks: 1});
});

test('a slow rollout takes four times as long and succeeds', async () => {
  const {deploy, service, world, clock} = await runningService({scenario: 'slow'});
  world.putImage('web', '1.1.0');
  await deploy('1.1.0');

  clock.pass(14);
  expect(rows(await service())[0]).toBe('PRIMARY web:2 IN_PROGRESS 0/3');
  clock.pass(3 * 14);
  expect(rows(await service())).toEqual(['PRIMARY web:2 COMPLETED 3/3']);
});

test('tasks that never get healthy are stopped, and never replace the old ones', async () => {
  const {deploy, service, tasks, serviceDeployment, world, clock} = await runningService({}, BREAKER);
  world.putImage('web', '1.1.0');
  world.scenarioFor('web', 'unhealthy');
  await deploy('1.1.0');

  clock.pass(15);
  expect(rows(await service())).toEqual(['PRIMARY web:2 IN_PROGRESS 3/3', 'ACTIVE web:1 COMPLETED 3/3']);
  expect((await tasks()).map(({healthStatus}) => healthStatus)).toContain('UNHEALTHY');
  clock.pass(13);
  expect((await tasks('STOPPED'))[0]).toMatchObject({
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: 'Task failed container health checks',
  });
  clock.pass(60);
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_SUCCESSFUL'});
});

test('somebody else deploys over ours', async () => {
  const {deploy, service, world, ecs, clock} = await runningService();
  world.putImage('web', '1.1.0');
  world.scenarioFor('web', 'superseded');
  await deploy('1.1.0');

  clock.pass(40);
  expect(rows(await service())).toEqual(['PRIMARY web:1 COMPLETED 3/3']);
  const {serviceDeployments = []} = await ecs.send(new ListServiceDeploymentsCommand({cluster: 'main', service: 'web'}));
  expect(serviceDeployments.map(({status}) => status)).toEqual(['SUCCESSFUL', 'STOPPED', 'SUCCESSFUL']);
});

test('a circuit breaker can come with the scenario', async () => {
  const {deploy, serviceDeployment, world, clock} = await runningService();
  world.scenarioFor('web', 'cannot-pull', {circuitBreaker: {enable: true, rollback: true}});
  world.putImage('web', '1.1.0');
  await deploy('1.1.0');
  clock.pass(30);
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_SUCCESSFUL'});
});
