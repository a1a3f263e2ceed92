import {PutImageCommand} from '@aws-sdk/client-ecr';
import {describe, expect, test} from 'vitest';
import type {Claim} from '../../../src/release/model.ts';
import {serve} from '../../tools/server.ts';
import {image} from '../../emulator/story.ts';
import {type ServiceStory, serviceStory} from './support.ts';

const other = `sha256:${'cd'.repeat(32)}`;
const indexOf = (...digests: readonly string[]) => ({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: digests.map(digest => ({digest, size: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json'})),
});

/** What is looked at where the tasks of `web` should run this image. */
async function shouldRun({component, plan, io}: ServiceStory, name: string, digest: string) {
  const claims = component.claims(await plan('1.0.0'), new Map());
  const claim = claims.find(({id}) => id === 'web digests');
  const images = [{container: 'app', image: name, digest}];
  const changed: Claim = {id: 'digests', text: 'digests', subject: {...Object(claim?.subject), images}};
  return component.check(changed, io);
}

describe('a task that names its own platform’s manifest runs the image', () => {
  test('of ECR', async () => {
    const told = await serviceStory();
    const running = told.world.putImage('web', '1.0.0');
    const put = async (tag: string, ...platforms: string[]) => {
      const imageManifest = JSON.stringify(indexOf(...platforms));
      const {image} = await told.ecr.send(new PutImageCommand({repositoryName: 'web', imageTag: tag, imageManifest}));
      return image?.imageId?.imageDigest ?? '';
    };
    const index = await put('all', other, running);
    expect(await shouldRun(told, image('web', 'all'), index)).toMatchObject({
      status: 'passed',
      found: '3 of 3 tasks, with the released digest',
      see: expect.stringMatching(/^aws ecs describe-tasks --cluster main --tasks arn:.* arn:.* arn:/),
    });
    const strange = await put('strange', other);
    expect(await shouldRun(told, image('web', 'strange'), strange)).toMatchObject({
      status: 'failed',
      found: `container app runs ${running}, not ${strange}`,
    });
    told.world.deny('ecr:BatchGetImage');
    expect(await shouldRun(told, image('web', 'all'), index)).toMatchObject({
      status: 'open',
      found: expect.stringContaining(`whether that is a platform of ${index} may not be looked at`),
    });
  });

  test('of any other registry', async () => {
    const told = await serviceStory();
    const running = told.world.putImage('web', '1.0.0');
    await using registry = await serve((request, response) => {
      const there = request.url === `/v2/web/manifests/${encodeURIComponent(other)}`;
      response.writeHead(there ? 200 : 404, {'content-type': indexOf().mediaType});
      response.end(JSON.stringify(there ? indexOf(running) : {}));
    });
    expect(await shouldRun(told, `${registry.host}/web:1.0.0`, other)).toMatchObject({status: 'passed'});
    const unknown = `sha256:${'00'.repeat(32)}`;
    expect(await shouldRun(told, `${registry.host}/web:1.0.0`, unknown)).toMatchObject({status: 'failed'});
  });
});

test('a tag that was moved after the rollout does not matter: the tasks are asked', async () => {
  const told = await serviceStory();
  const applied = await told.release('1.1.0');
  await told.watch(applied);
  told.world.putImage('web', '1.1.0', 'built again');
  expect((await told.audit(applied)).map(({status}) => status)).toEqual(['passed', 'passed']);
});

test.each([2, 0])('%i of three tasks are no proof: every one has to be seen', async some => {
  const told = await serviceStory();
  const digest = told.world.putImage('web', '1.0.0');
  const {tasks} = told.io.aws.ecs;
  told.io.aws.ecs.tasks = async (...args) => (await tasks(...args)).slice(0, some);
  expect(await shouldRun(told, image('web', '1.0.0'), digest)).toMatchObject({
    status: 'pending',
    found: `steady, but only ${some} of 3 tasks are listed as running`,
  });
});

test('tasks that may not be looked at prove nothing', async () => {
  const told = await serviceStory();
  const digest = told.world.putImage('web', '1.0.0');
  told.world.deny('ecs:ListTasks');
  expect(await shouldRun(told, image('web', '1.0.0'), digest)).toMatchObject({
    status: 'open',
    found: 'no permission to read its tasks (ecs:ListTasks, ecs:DescribeTasks)',
  });
});
