import {
  CreateClusterCommand,
  CreateServiceCommand,
  DeregisterTaskDefinitionCommand,
  DescribeClustersCommand,
  DescribeTaskDefinitionCommand,
  ListTaskDefinitionsCommand,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {expect, test} from 'vitest';
import {story} from './story.ts';

const loader: RegisterTaskDefinitionCommandInput = {
  family: 'loader',
  cpu: '256',
  memory: '512',
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  containerDefinitions: [
    {name: 'loader', image: 'loader:1', secrets: [{name: 'TOKEN', valueFrom: 'arn:aws:ssm:::parameter/token'}]},
  ],
};

test('registering the same thing twice makes two revisions', async () => {
  const {ecs} = await story();
  const first = await ecs.send(new RegisterTaskDefinitionCommand(loader));
  const second = await ecs.send(new RegisterTaskDefinitionCommand(loader));
  expect([first, second].map(({taskDefinition}) => taskDefinition?.revision)).toEqual([1, 2]);
});

test('everything that was registered comes back, with what AWS adds', async () => {
  const {ecs} = await story();
  await ecs.send(new RegisterTaskDefinitionCommand({...loader, tags: [{key: 'team', value: 'pass'}]}));

  const {taskDefinition, tags} = await ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'loader', include: ['TAGS']}));
  const {tags: unasked} = await ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'loader:1'}));
  expect(taskDefinition).toMatchObject({
    ...loader,
    taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/loader:1',
    status: 'ACTIVE',
    volumes: [],
    containerDefinitions: [{...loader.containerDefinitions?.[0], essential: true, environment: []}],
  });
  expect(taskDefinition?.registeredAt).toBeInstanceOf(Date);
  expect(tags).toEqual([{key: 'team', value: 'pass'}]);
  expect(unasked).toBeUndefined();
});

test.each([
  ['an empty list', []],
  ['more than fifty', Array.from({length: 51}, (_, index) => ({key: `k${index}`, value: 'v'}))],
  ['a reserved prefix', [{key: 'aws:team', value: 'pass'}]],
  [
    'a key twice',
    [
      {key: 'team', value: 'a'},
      {key: 'team', value: 'b'},
    ],
  ],
])('tags are refused: %s', async (_, tags) => {
  const {ecs} = await story();
  await expect(ecs.send(new RegisterTaskDefinitionCommand({...loader, tags}))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});

test('a family without a revision means its latest ACTIVE one', async () => {
  const {ecs} = await story();
  await ecs.send(new RegisterTaskDefinitionCommand(loader));
  await ecs.send(new RegisterTaskDefinitionCommand(loader));
  await ecs.send(new DeregisterTaskDefinitionCommand({taskDefinition: 'loader:2'}));

  const {taskDefinition} = await ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'loader'}));
  const {taskDefinition: gone} = await ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'loader:2'}));
  expect(taskDefinition?.revision).toBe(1);
  expect(gone).toMatchObject({status: 'INACTIVE', deregisteredAt: expect.any(Date)});
  await expect(ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'nobody'}))).rejects.toMatchObject({
    name: 'ClientException',
    message: 'Unable to describe task definition.',
  });
});

test('revisions of a family can be listed, newest first, page by page', async () => {
  const {ecs} = await story();
  for (let revision = 0; revision < 12; revision += 1) await ecs.send(new RegisterTaskDefinitionCommand(loader));
  await ecs.send(new RegisterTaskDefinitionCommand({...loader, family: 'loader-of-others'}));

  const newestFirst = {familyPrefix: 'loader', sort: 'DESC', maxResults: 10} as const;
  const first = await ecs.send(new ListTaskDefinitionsCommand(newestFirst));
  const second = await ecs.send(new ListTaskDefinitionsCommand({...newestFirst, nextToken: first.nextToken}));
  const revisions = [...(first.taskDefinitionArns ?? []), ...(second.taskDefinitionArns ?? [])].map(arn => arn.split(':').at(-1));
  expect(revisions).toEqual(['12', '11', '10', '9', '8', '7', '6', '5', '4', '3', '2', '1']);
});

test('an INACTIVE revision starts nothing new', async () => {
  const {ecs, world} = await story();
  world.createCluster('main');
  await ecs.send(new RegisterTaskDefinitionCommand(loader));
  await ecs.send(new RegisterTaskDefinitionCommand(loader));
  world.createService({cluster: 'main', service: 'web', taskDefinition: 'loader:2', desiredCount: 1});
  await ecs.send(new DeregisterTaskDefinitionCommand({taskDefinition: 'loader:1'}));
  await ecs.send(new DeregisterTaskDefinitionCommand({taskDefinition: 'loader:2'}));

  const refused = {name: 'ClientException', message: 'TaskDefinition is inactive'};
  await expect(
    ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', taskDefinition: 'loader:1'})),
  ).rejects.toMatchObject(refused);
  await expect(
    ecs.send(new CreateServiceCommand({cluster: 'main', serviceName: 'new', taskDefinition: 'loader:1'})),
  ).rejects.toMatchObject(refused);
  // What runs goes on, and can be scaled.
  await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', desiredCount: 2}));
});

test('clusters are counted, and missing ones are named', async () => {
  const {ecs, world} = await story();
  await ecs.send(new CreateClusterCommand({clusterName: 'main'}));
  world.registerTaskDefinition({family: 'web', containerDefinitions: [{name: 'app', image: 'web:1'}]});
  world.createService({cluster: 'main', service: 'web', taskDefinition: 'web', desiredCount: 2});

  const {clusters, failures} = await ecs.send(new DescribeClustersCommand({clusters: ['main', 'mian']}));
  expect(clusters).toEqual([
    expect.objectContaining({clusterName: 'main', status: 'ACTIVE', activeServicesCount: 1, runningTasksCount: 2}),
  ]);
  expect(failures).toEqual([{arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/mian', reason: 'MISSING'}]);
});
