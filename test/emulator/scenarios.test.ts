import {DescribeTasksCommand, ListTasksCommand, StopServiceDeploymentCommand, type Task} from '@aws-sdk/client-ecs';
import {DescribeTargetHealthCommand} from '@aws-sdk/client-elastic-load-balancing-v2';
import {GetLogEventsCommand} from '@aws-sdk/client-cloudwatch-logs';
import {expect, test} from 'vitest';
import {type ScenarioName, scenarioNames} from '../../src/emulator/index.ts';
import {rows, type RolloutStory, runningService, the} from './rollout-story.ts';

const BREAKER = {circuitBreaker: {enable: true, rollback: true}};

/** A release of 1.1.0 in a scenario, after so many seconds. */
async function release(
  scenario: ScenarioName,
  seconds: number,
  ...options: Parameters<typeof runningService>
): Promise<RolloutStory> {
  const told = await runningService(...options);
  told.world.putImage('web', '1.1.0');
  told.world.scenarioFor('web', scenario);
  await told.deploy('1.1.0');
  told.clock.pass(seconds);
  return told;
}

async function targetHealth({elb}: RolloutStory, TargetGroupArn: string): Promise<string[]> {
  const {TargetHealthDescriptions = []} = await elb.send(new DescribeTargetHealthCommand({TargetGroupArn}));
  return TargetHealthDescriptions.map(({TargetHealth}) => [TargetHealth?.State, TargetHealth?.Reason].filter(Boolean).join(' '));
}

async function stoppedTasks({ecs}: RolloutStory, serviceName: string): Promise<Task[]> {
  const {taskArns} = await ecs.send(new ListTasksCommand({cluster: 'main', serviceName, desiredStatus: 'STOPPED'}));
  const {tasks = []} = await ecs.send(new DescribeTasksCommand({cluster: 'main', tasks: taskArns}));
  return tasks;
}

/** The first task of the release that stopped by itself. */
async function dead({tasks}: RolloutStory) {
  const stopped = await tasks('STOPPED');
  return the(stopped.find(({stopCode, lastStatus}) => stopCode !== 'ServiceSchedulerInitiated' && lastStatus === 'STOPPED'));
}

async function lastLine({logs}: RolloutStory, taskArn: string | undefined): Promise<string | undefined> {
  const logStreamName = `ecs/app/${the(taskArn?.split('/').at(-1))}`;
  const {events = []} = await logs.send(new GetLogEventsCommand({logGroupName: '/ecs/web', logStreamName, limit: 1}));
  return events[0]?.message;
}

test('the scenarios have names, which the demo takes', () => {
  expect(scenarioNames).toEqual([
    'healthy',
    'cannot-pull',
    'crash-loop',
    'out-of-memory',
    'unhealthy',
    'secret-missing',
    'exec-format',
    'breaker-rollback',
    'slow',
    'superseded',
    'stopped',
    'throttled',
    'flaky',
    'lost-answer',
    'clock-skew',
  ]);
});

test.each([
  ['crash-loop', 1, undefined, 'Shutting down'],
  ['out-of-memory', 137, 'OutOfMemoryError: container killed due to memory usage', 'Loading 4,816,204 records into memory'],
  ['exec-format', 255, undefined, 'exec /usr/local/bin/docker-entrypoint.sh: exec format error'],
] as const)('%s: the container exits with %i, and leaves its last words', async (scenario, exitCode, reason, words) => {
  const told = await release(scenario, 8.5);
  const task = await dead(told);
  expect(task).toMatchObject({stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited'});
  expect(task.containers?.[0]).toMatchObject({exitCode, ...(reason && {reason})});
  expect(await lastLine(told, task.taskArn)).toBe(words);
});

test.each([
  ['cannot-pull', /^CannotPullContainerError: .*web:1\.1\.0: not found$/],
  ['secret-missing', /^ResourceInitializationError: unable to pull secrets .*can't find the specified secret\.$/],
] as const)('%s: the task never runs, so there is no log', async (scenario, reason) => {
  const told = await release(scenario, 8.5);
  const task = await dead(told);
  expect(task).toMatchObject({stopCode: 'TaskFailedToStart', stoppedReason: expect.stringMatching(reason)});
  await expect(lastLine(told, task.taskArn)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'The specified log stream does not exist.',
  });
});

test('breaker-rollback: the circuit breaker comes with the scenario, and takes the service back', async () => {
  const {service, serviceDeployment} = await release('breaker-rollback', 60);
  expect(rows(await service())).toEqual(['PRIMARY web:1 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    deploymentCircuitBreaker: {status: 'TRIGGERED', failureCount: 3, threshold: 3},
  });
});

test('stopped: a person stops the service deployment, and ECS takes it back although no circuit breaker was asked to', async () => {
  const {service, serviceDeployment, clock} = await release('stopped', 6.5);
  expect(await serviceDeployment()).toMatchObject({status: 'ROLLBACK_REQUESTED'});

  clock.pass(30);
  expect(rows(await service())).toEqual(['PRIMARY web:1 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: 'Service deployment rolled back because it was requested.',
    rollback: {reason: 'Service deployment rolled back because it was requested.'},
    deploymentCircuitBreaker: {status: 'DISABLED', failureCount: 0},
  });
});

test('stopped without a way back: what has been started stays', async () => {
  const {service, serviceDeployment, ecs, clock} = await release('healthy', 8);
  const {serviceDeploymentArn} = await serviceDeployment();
  await ecs.send(new StopServiceDeploymentCommand({serviceDeploymentArn, stopType: 'ABORT'}));
  expect(await serviceDeployment()).toMatchObject({status: 'STOP_REQUESTED'});

  clock.pass(60);
  expect(await serviceDeployment()).toMatchObject({status: 'STOPPED', stoppedAt: expect.any(Date)});
  expect(rows(await service())[0]).toMatch(/^PRIMARY web:2 FAILED/);
});

test('unhealthy, behind a load balancer: the target group says why, and the task is replaced', async () => {
  const told = await runningService();
  const targetGroup = told.world.createTargetGroup({name: 'web', port: 8080});
  told.world.putImage('web', '1.1.0');
  told.world.registerTaskDefinition({family: 'behind', containerDefinitions: [{name: 'app', image: 'web:1'}]});
  told.world.createService({
    cluster: 'main',
    service: 'behind',
    taskDefinition: 'behind',
    desiredCount: 1,
    targetGroup,
    ...BREAKER,
  });
  told.world.scenarioFor('behind', 'unhealthy');
  told.world.updateService({cluster: 'main', service: 'behind', forceNewDeployment: true});
  const health = () => targetHealth(told, targetGroup);

  told.clock.pass(3);
  expect(await health()).toEqual(['healthy']);
  told.clock.pass(3);
  expect(await health()).toEqual(['healthy', 'unhealthy Target.ResponseCodeMismatch']);
  told.clock.pass(21);
  expect(await health()).toEqual(['healthy']);
  const [stopped] = await stoppedTasks(told, 'behind');
  expect(stopped).toMatchObject({
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: `Task failed ELB health checks in (target-group ${targetGroup})`,
    healthStatus: 'UNKNOWN',
  });
});
