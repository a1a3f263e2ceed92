import {
  CreateServiceCommand,
  DescribeServiceRevisionsCommand,
  DescribeServicesCommand,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
  UpdateServiceCommand,
  waitUntilServicesStable,
} from '@aws-sdk/client-ecs';
import {expect, test} from 'vitest';
import {rows, runningService, the} from './rollout-story.ts';
import {image, NOON} from './story.ts';

test('a seeded service is steady, with its tasks running and its history told', async () => {
  const {service, tasks} = await runningService();

  const web = await service();
  expect(rows(web)).toEqual(['PRIMARY web:1 COMPLETED 3/3']);
  expect(web.events?.[0]?.message).toBe('(service web) has reached a steady state.');
  expect(web.createdAt?.getTime()).toBeLessThan(NOON);
  expect(await tasks()).toHaveLength(3);
});

test('a release rolls out task by task, and the old tasks drain as new ones become healthy', async () => {
  const {world, deploy, service, serviceDeployment, clock} = await runningService();
  world.putImage('web', '1.1.0');

  await deploy('1.1.0');
  expect(rows(await service())).toEqual(['PRIMARY web:2 IN_PROGRESS 0/3', 'ACTIVE web:1 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({status: 'PENDING'});

  clock.pass(6); // the first task runs, but does not count as healthy yet
  expect(rows(await service())).toEqual(['PRIMARY web:2 IN_PROGRESS 1/3', 'ACTIVE web:1 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({status: 'IN_PROGRESS'});

  clock.pass(2); // now it does, and lets one old task go
  expect(rows(await service())).toEqual(['PRIMARY web:2 IN_PROGRESS 2/3', 'ACTIVE web:1 COMPLETED 2/2']);

  clock.pass(6);
  expect(rows(await service())).toEqual(['PRIMARY web:2 COMPLETED 3/3']);
  expect(await serviceDeployment()).toMatchObject({status: 'SUCCESSFUL', deploymentCircuitBreaker: {status: 'DISABLED'}});
  const {events = []} = await service();
  expect(events[0]?.message).toBe('(service web) has reached a steady state.');
  expect(events[1]?.message).toMatch(/^\(service web\) \(deployment ecs-svc\/\d{19}\) deployment completed\.$/);
});

test('looking often and looking once show the same story', async () => {
  const often = await runningService();
  const once = await runningService();
  for (const {world, deploy} of [often, once]) {
    world.putImage('web', '1.1.0');
    await deploy('1.1.0');
  }

  for (let second = 0; second < 30; second += 1) {
    often.clock.pass(1);
    await often.service();
  }
  once.clock.pass(30);

  expect(await once.service()).toEqual({...(await often.service())});
  expect(await once.tasks('STOPPED')).toEqual(await often.tasks('STOPPED'));
});

test('a task is provisioned, pending, running, and stopped by the scheduler when its time has come', async () => {
  const {deploy, tasks, world, clock} = await runningService({}, {desiredCount: 1});
  world.putImage('web', '1.1.0');
  await deploy('1.1.0');

  const seen: (string | undefined)[] = [];
  for (let half = 0; half < 14; half += 1) {
    clock.pass(0.5);
    seen.push((await tasks()).find(({taskDefinitionArn}) => taskDefinitionArn?.endsWith(':2'))?.lastStatus);
  }
  expect([...new Set(seen)]).toEqual(['PROVISIONING', 'PENDING', 'RUNNING']);

  clock.pass(10);
  const [old] = await tasks('STOPPED');
  expect(old).toMatchObject({stopCode: 'ServiceSchedulerInitiated', desiredStatus: 'STOPPED', lastStatus: 'STOPPED'});
  expect(old?.stoppedReason).toMatch(/^Scaling activity initiated by \(deployment ecs-svc\/\d+\)$/);
});

test('at speed 10 it takes a tenth of the time', async () => {
  const {deploy, service, world, clock} = await runningService({speed: 10});
  world.putImage('web', '1.1.0');
  await deploy('1.1.0');

  clock.pass(1.4);
  expect(rows(await service())).toEqual(['PRIMARY web:2 COMPLETED 3/3']);
});

test('tags are resolved to digests once, when the deployment starts', async () => {
  const {deploy, serviceDeployment, tasks, world, ecs, clock} = await runningService();
  const digest = world.putImage('web', '1.1.0');
  await deploy('1.1.0');
  const moved = world.putImage('web', '1.1.0', 'built again');
  clock.pass(30);

  const {targetServiceRevision} = await serviceDeployment();
  const {serviceRevisions: [revision] = []} = await ecs.send(
    new DescribeServiceRevisionsCommand({serviceRevisionArns: [the(targetServiceRevision?.arn)]}),
  );
  expect(revision?.taskDefinition).toMatch(/task-definition\/web:2$/);
  expect(revision?.containerImages).toEqual([{containerName: 'app', image: image('web', '1.1.0'), imageDigest: digest}]);
  expect(moved).not.toBe(digest);
  expect(new Set((await tasks()).map(({containers}) => containers?.[0]?.imageDigest))).toEqual(new Set([digest]));
});

test('tasks know the deployment that started them, and can be listed by it alone', async () => {
  const {service, ecs} = await runningService();
  const startedBy = (await service()).deployments?.[0]?.id;

  const byStarter = await ecs.send(new ListTasksCommand({cluster: 'main', startedBy}));
  const byFamily = await ecs.send(new ListTasksCommand({cluster: 'main', family: 'web'}));
  expect(byStarter.taskArns).toHaveLength(3);
  expect(byFamily.taskArns).toEqual(byStarter.taskArns);
  await expect(ecs.send(new ListTasksCommand({cluster: 'main', startedBy, serviceName: 'web'}))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});

test('lists of tasks come in pages', async () => {
  const {ecs} = await runningService({}, {desiredCount: 5});

  const first = await ecs.send(new ListTasksCommand({cluster: 'main', maxResults: 3}));
  const second = await ecs.send(new ListTasksCommand({cluster: 'main', maxResults: 3, nextToken: first.nextToken}));
  expect([first.taskArns?.length, second.taskArns?.length, second.nextToken]).toEqual([3, 2, undefined]);
  await expect(ecs.send(new ListTasksCommand({cluster: 'main', nextToken: 'made up'}))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});

test('changing the desired count alone starts no deployment', async () => {
  const {service, ecs, clock} = await runningService();
  const before = (await service()).deployments?.[0]?.id;

  await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', desiredCount: 5}));
  expect(rows(await service())).toEqual(['PRIMARY web:1 COMPLETED 3/5']);
  clock.pass(20);
  expect(rows(await service())).toEqual(['PRIMARY web:1 COMPLETED 5/5']);

  await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', desiredCount: 0}));
  clock.pass(20);
  const web = await service();
  expect(rows(web)).toEqual(['PRIMARY web:1 COMPLETED 0/0']);
  expect(web.deployments?.[0]?.id).toBe(before);
  const {serviceDeployments} = await ecs.send(new ListServiceDeploymentsCommand({cluster: 'main', service: 'web'}));
  expect(serviceDeployments).toHaveLength(1);
});

test('the same task definition is deployed again only when forced to', async () => {
  const {service, ecs, clock} = await runningService();
  const before = (await service()).deployments?.[0]?.id;

  await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', taskDefinition: 'web:1'}));
  expect((await service()).deployments?.[0]?.id).toBe(before);

  await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', forceNewDeployment: true}));
  clock.pass(20);
  const web = await service();
  expect(rows(web)).toEqual(['PRIMARY web:1 COMPLETED 3/3']);
  expect(web.deployments?.[0]?.id).not.toBe(before);
});

test('my deployment can be told from others by the time of the call', async () => {
  const {deploy, ecs, world, clock} = await runningService();
  world.putImage('web', '1.1.0');
  const after = new Date(clock.now());
  await deploy('1.1.0');
  clock.pass(1);

  const mine = await ecs.send(new ListServiceDeploymentsCommand({cluster: 'main', service: 'web', createdAt: {after}}));
  const going = await ecs.send(new ListServiceDeploymentsCommand({cluster: 'main', service: 'web', status: ['IN_PROGRESS']}));
  const earlier = await ecs.send(
    new ListServiceDeploymentsCommand({cluster: 'main', service: 'web', createdAt: {before: new Date(NOON - 1)}}),
  );
  expect(mine.serviceDeployments).toHaveLength(1);
  expect(going.serviceDeployments).toEqual(mine.serviceDeployments);
  expect(earlier.serviceDeployments?.map(({status}) => status)).toEqual(['SUCCESSFUL']);
});

test('a second release over an unfinished one stops the first', async () => {
  const {deploy, service, tasks, ecs, world, clock} = await runningService();
  world.putImage('web', '1.1.0');
  world.putImage('web', '1.2.0');
  await deploy('1.1.0');
  clock.pass(6);
  await deploy('1.2.0');
  expect(rows(await service())).toEqual([
    'PRIMARY web:3 IN_PROGRESS 0/3',
    'ACTIVE web:2 IN_PROGRESS 0/0',
    'ACTIVE web:1 COMPLETED 3/3',
  ]);

  clock.pass(30);
  expect(rows(await service())).toEqual(['PRIMARY web:3 COMPLETED 3/3']);
  const givenUp = (await tasks('STOPPED')).filter(({taskDefinitionArn}) => taskDefinitionArn?.endsWith('web:2'));
  expect(givenUp.map(({startedAt}) => startedAt !== undefined)).toEqual([true, false, false]);
  const {serviceDeployments = []} = await ecs.send(new ListServiceDeploymentsCommand({cluster: 'main', service: 'web'}));
  expect(serviceDeployments.map(({status}) => status)).toEqual(['SUCCESSFUL', 'STOPPED', 'SUCCESSFUL']);
});

test('a service without room for more tasks stops an old one first', async () => {
  const {deploy, service, world, ecs, clock} = await runningService({}, {desiredCount: 1});
  world.putImage('web', '1.1.0');
  await ecs.send(
    new UpdateServiceCommand({
      cluster: 'main',
      service: 'web',
      deploymentConfiguration: {minimumHealthyPercent: 0, maximumPercent: 100},
    }),
  );

  await deploy('1.1.0');
  clock.pass(3);
  expect(rows(await service())).toEqual(['PRIMARY web:2 IN_PROGRESS 0/1', 'ACTIVE web:1 COMPLETED 0/0']);
  clock.pass(10);
  expect(rows(await service())).toEqual(['PRIMARY web:2 COMPLETED 1/1']);
});

test("the SDK's own waiter sees a new service become stable", async () => {
  const {ecs, clock} = await runningService();
  await ecs.send(new CreateServiceCommand({cluster: 'main', serviceName: 'api', taskDefinition: 'web', desiredCount: 2}));
  clock.pass(20);

  const waited = await waitUntilServicesStable({client: ecs, maxWaitTime: 20}, {cluster: 'main', services: ['api']});
  expect(waited.state).toBe('SUCCESS');
});

test('what is missing is named beside what is there', async () => {
  const {ecs} = await runningService();

  const {services, failures} = await ecs.send(new DescribeServicesCommand({cluster: 'main', services: ['web', 'wbe']}));
  expect(services?.map(({serviceName}) => serviceName)).toEqual(['web']);
  expect(failures).toEqual([{arn: 'arn:aws:ecs:us-east-1:000000000000:service/main/wbe', reason: 'MISSING'}]);

  const eleven = Array.from({length: 11}, (_, index) => `web-${index}`);
  await expect(ecs.send(new DescribeServicesCommand({cluster: 'main', services: eleven}))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
  await expect(ecs.send(new DescribeServicesCommand({cluster: 'mian', services: ['web']}))).rejects.toMatchObject({
    name: 'ClusterNotFoundException',
  });
  await expect(ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'wbe'}))).rejects.toMatchObject({
    name: 'ServiceNotFoundException',
  });
});
