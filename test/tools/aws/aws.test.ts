import {expect, test} from 'vitest';
import {UpdateServiceCommand} from '@aws-sdk/client-ecs';
import {PutImageCommand} from '@aws-sdk/client-ecr';
import {createAws} from '../../../src/tools/aws/index.ts';
import {type Story, image, story} from '../../emulator/story.ts';

const noWait = () => Promise.resolve();

const awsOf = ({url}: Story) =>
  createAws({
    region: 'us-east-1',
    profile: undefined,
    login: undefined,
    env: {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'},
  });

/** A service `web` of so many tasks. */
async function service(desiredCount: number) {
  const told = await story();
  const {world} = told;
  for (const tag of ['1.0.0', '1.1.0']) world.putImage('web', tag);
  const register = (tag: string) =>
    world.registerTaskDefinition({family: 'web', containerDefinitions: [{name: 'app', image: image('web', tag)}]});
  world.createService({cluster: 'main', service: 'web', taskDefinition: register('1.0.0'), desiredCount});
  return {...told, register, aws: awsOf(told)};
}

test('all tasks of a service are listed, however many there are', async () => {
  const {aws, calls} = await service(230);

  const tasks = await aws.ecs.tasks('main', 'web', 'RUNNING');
  expect(new Set(tasks.map(({taskArn}) => taskArn)).size).toBe(230);
  expect(calls.filter(({action}) => action === 'DescribeTasks')).toHaveLength(3);
  expect(await aws.ecs.tasks('main', 'web', 'STOPPED')).toEqual([]);
});

test('the deployments of a service name the revision that each set out for, newest first', async () => {
  const {aws, ecs, register, clock} = await service(1);
  clock.pass(60);
  await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', taskDefinition: register('1.1.0')}));
  clock.pass(1);

  const deployments = await aws.ecs.deployments('main', 'web');
  expect(deployments.map(({status, taskDefinition}) => [status, taskDefinition.split('/')[1]])).toEqual([
    ['IN_PROGRESS', 'web:2'],
    ['SUCCESSFUL', 'web:1'],
  ]);
});

test('what is not there is undefined, and no error', async () => {
  const {aws} = await service(1);
  expect(await aws.ecs.cluster('nothing')).toBeUndefined();
  expect(await aws.ecs.service('main', 'nothing')).toBeUndefined();
  expect(await aws.ecs.taskDefinition('nothing')).toBeUndefined();
  expect(await aws.ecs.taskDefinition('web:9')).toBeUndefined();
  expect(await aws.ecr.image('nothing', '1.0.0')).toBeUndefined();
  expect(await aws.ecr.image('web', '9.9.9')).toBeUndefined();
  expect(await aws.events.rule({name: 'nothing', bus: 'default'})).toBeUndefined();
  expect(await aws.sns.topic('arn:aws:sns:us-east-1:000000000000:nothing')).toBeUndefined();
});

test('a task definition that is read can be registered as it is, tags included', async () => {
  const {aws, world} = await service(1);
  world.registerTaskDefinition({
    family: 'loader',
    tags: [{key: 'project', value: 'pass'}],
    containerDefinitions: [{name: 'loader', image: 'loader:1', environment: [{name: 'A', value: '1'}]}],
  });

  const read = await aws.ecs.taskDefinition('loader');
  expect(read?.input['tags']).toEqual([{key: 'project', value: 'pass'}]);
  const registered = await aws.ecs.register(read?.input ?? {}, noWait);
  const again = await aws.ecs.taskDefinition(registered);
  expect(again?.revision).toBe(2);
  expect(again?.input).toEqual(read?.input);
  expect(await aws.ecs.revisions('loader', 5)).toEqual([registered, read?.arn]);
});

test('a task definition without tags is registered without any', async () => {
  const {aws} = await service(1);
  const read = await aws.ecs.taskDefinition('web');
  expect(read?.input).not.toHaveProperty('tags');
  expect(await aws.ecs.register(read?.input ?? {}, noWait)).toMatch(/web:2$/);
});

test('the platforms of an index are the manifests that it names', async () => {
  const told = await service(1);
  const platforms = ['ab', 'cd'].map(pair => `sha256:${pair.repeat(32)}`);
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: platforms.map(digest => ({digest, size: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json'})),
  };
  await told.ecr.send(new PutImageCommand({repositoryName: 'web', imageTag: 'all', imageManifest: JSON.stringify(index)}));

  const all = await told.aws.ecr.image('web', 'all');
  expect(await told.aws.ecr.platforms('web', all?.digest ?? '')).toEqual(platforms);
  const one = await told.aws.ecr.image('web', '1.0.0');
  expect(await told.aws.ecr.platforms('web', one?.digest ?? '')).toEqual([]);
  expect(await told.aws.ecr.platforms('web', `sha256:${'00'.repeat(32)}`)).toEqual([]);
});

test('services that are asked for in the same moment share their calls, ten in each', async () => {
  const {aws, world, calls} = await service(1);
  const names = Array.from({length: 24}, (_, index) => `service-${index}`);
  for (const name of names) world.createService({cluster: 'main', service: name, taskDefinition: 'web', desiredCount: 1});

  const found = await Promise.all(names.map(name => aws.ecs.service('main', name)));
  expect(found.map(one => one?.serviceName)).toEqual(names);
  expect(calls.filter(({action}) => action === 'DescribeServices')).toHaveLength(3);
});

test('targets that AWS refuses with 200 are an error that names them', async () => {
  const {aws, world} = await service(1);
  const rule = {name: 'nightly', bus: 'default'};
  const target = {Id: 'loader', Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/main'};
  world.createRule({name: 'nightly', ScheduleExpression: 'rate(1 day)'});
  world.refuseTarget('loader');
  await expect(aws.events.putTargets(rule, [target, {...target, Id: 'other'}], noWait)).rejects.toThrow(
    /^rule nightly did not take 1 of 2 targets: loader: ConcurrentModificationException/,
  );
  expect(await aws.events.targets(rule)).toEqual([{...target, Id: 'other'}]);
});
