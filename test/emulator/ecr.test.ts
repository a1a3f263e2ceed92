import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  ListImagesCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import {DescribeTasksCommand, RunTaskCommand} from '@aws-sdk/client-ecs';
import {expect, test} from 'vitest';
import {image, NOON, story} from './story.ts';

test('an archived image is listed, and cannot be pulled', async () => {
  const {ecr, ecs, world, clock} = await story();
  world.putImage('web', '1.0.0');
  world.archiveImage('web', '1.0.0');
  const {imageDetails} = await ecr.send(new DescribeImagesCommand({repositoryName: 'web', imageIds: [{imageTag: '1.0.0'}]}));
  expect(imageDetails).toMatchObject([{imageStatus: 'ARCHIVED'}]);

  world.createCluster('main');
  world.registerTaskDefinition({family: 'web', containerDefinitions: [{name: 'app', image: image('web', '1.0.0')}]});
  const {tasks: [task] = []} = await ecs.send(new RunTaskCommand({cluster: 'main', taskDefinition: 'web'}));
  clock.pass(10);
  const {tasks} = await ecs.send(new DescribeTasksCommand({cluster: 'main', tasks: [task?.taskArn ?? '']}));
  expect(tasks).toMatchObject([{stopCode: 'TaskFailedToStart'}]);
});

test('an image that was put there is found by tag and by digest', async () => {
  const {ecr, world} = await story();
  const digest = world.putImage('web', '1.0.0');

  for (const imageId of [{imageTag: '1.0.0'}, {imageDigest: digest}]) {
    const {imageDetails} = await ecr.send(new DescribeImagesCommand({repositoryName: 'web', imageIds: [imageId]}));
    expect(imageDetails).toEqual([
      expect.objectContaining({imageDigest: digest, imageTags: ['1.0.0'], imageStatus: 'ACTIVE', imagePushedAt: new Date(NOON)}),
    ]);
  }
});

test('DescribeImages fails as a whole where BatchGetImage names what is missing', async () => {
  const {ecr, world} = await story();
  world.putImage('web', '1.0.0');
  const imageIds = [{imageTag: '1.0.0'}, {imageTag: '2.0.0'}];

  await expect(ecr.send(new DescribeImagesCommand({repositoryName: 'web', imageIds}))).rejects.toMatchObject({
    name: 'ImageNotFoundException',
    message: expect.stringContaining("imageTag:'2.0.0'"),
  });
  const {images, failures} = await ecr.send(new BatchGetImageCommand({repositoryName: 'web', imageIds}));
  expect(images?.map(({imageId}) => imageId?.imageTag)).toEqual(['1.0.0']);
  expect(failures).toEqual([
    {imageId: {imageTag: '2.0.0'}, failureCode: 'ImageNotFound', failureReason: 'Requested image not found'},
  ]);
});

test('giving an image another tag keeps its digest', async () => {
  const {ecr, world} = await story();
  const digest = world.putImage('web', '1.0.0');
  const {images} = await ecr.send(new BatchGetImageCommand({repositoryName: 'web', imageIds: [{imageTag: '1.0.0'}]}));
  const imageManifest = images?.[0]?.imageManifest;

  const {image} = await ecr.send(new PutImageCommand({repositoryName: 'web', imageManifest, imageTag: 'latest'}));
  const {imageIds} = await ecr.send(new ListImagesCommand({repositoryName: 'web', filter: {tagStatus: 'TAGGED'}}));
  expect(image?.imageId).toEqual({imageDigest: digest, imageTag: 'latest'});
  expect(imageIds).toEqual([
    {imageDigest: digest, imageTag: '1.0.0'},
    {imageDigest: digest, imageTag: 'latest'},
  ]);
  await expect(ecr.send(new PutImageCommand({repositoryName: 'web', imageManifest, imageTag: 'latest'}))).rejects.toMatchObject({
    name: 'ImageAlreadyExistsException',
  });
});

test('a tag moves, unless the repository forbids it', async () => {
  const {ecr, world} = await story();
  const before = world.putImage('web', '1.0.0');
  const after = world.putImage('web', '1.0.0', 'built again');
  const untagged = await ecr.send(new ListImagesCommand({repositoryName: 'web', filter: {tagStatus: 'UNTAGGED'}}));
  expect(after).not.toBe(before);
  expect(untagged.imageIds).toEqual([{imageDigest: before}]);

  await ecr.send(new CreateRepositoryCommand({repositoryName: 'api', imageTagMutability: 'IMMUTABLE'}));
  world.putImage('api', '1.0.0');
  expect(() => world.putImage('api', '1.0.0', 'built again')).toThrow('immutable');
});

test('repositories are listed, and told from those that are not there', async () => {
  const {ecr, world} = await story();
  world.createRepository('web');
  world.createRepository('pass/core');

  const {repositories} = await ecr.send(new DescribeRepositoriesCommand({}));
  expect(repositories?.map(({repositoryUri}) => repositoryUri)).toEqual([
    '000000000000.dkr.ecr.us-east-1.amazonaws.com/web',
    '000000000000.dkr.ecr.us-east-1.amazonaws.com/pass/core',
  ]);
  const missing = {name: 'RepositoryNotFoundException'};
  await expect(ecr.send(new DescribeRepositoriesCommand({repositoryNames: ['nobody']}))).rejects.toMatchObject(missing);
  await expect(ecr.send(new DescribeImagesCommand({repositoryName: 'nobody'}))).rejects.toMatchObject(missing);
  await expect(ecr.send(new CreateRepositoryCommand({repositoryName: 'web'}))).rejects.toMatchObject({
    name: 'RepositoryAlreadyExistsException',
  });
});

test('a login token is good for twelve hours', async () => {
  const {ecr} = await story();
  const {authorizationData} = await ecr.send(new GetAuthorizationTokenCommand({}));
  expect(Buffer.from(authorizationData?.[0]?.authorizationToken ?? '', 'base64').toString()).toMatch(/^AWS:/);
  expect(authorizationData?.[0]?.expiresAt?.getTime()).toBe(NOON + 12 * 60 * 60 * 1000);
});
