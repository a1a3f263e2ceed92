import {
  DeregisterJobDefinitionCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  RegisterJobDefinitionCommand,
  SubmitJobCommand,
} from '@aws-sdk/client-batch';
import {GetLogEventsCommand} from '@aws-sdk/client-cloudwatch-logs';
import {expect, test} from 'vitest';
import type {EmulatorOptions} from '../../src/emulator/index.ts';
import {the} from './rollout-story.ts';
import {image, NOON, story} from './story.ts';

const definition = (tag: string) => ({
  jobDefinitionName: 'grants',
  type: 'container',
  containerProperties: {image: image('grants', tag), jobRoleArn: 'arn:aws:iam::000000000000:role/loader'},
});

/** One revision, of which jobs can be submitted and looked at. */
async function loader(options: Omit<EmulatorOptions, 'now'> = {}) {
  const told = await story(options);
  const {world, batch} = told;
  world.putImage('grants', '1.0.0');
  world.registerJobDefinition(definition('1.0.0'));
  return {
    ...told,
    async submit(): Promise<() => Promise<JobDetail>> {
      const {jobId} = await batch.send(
        new SubmitJobCommand({jobName: 'smoke', jobQueue: 'loaders', jobDefinition: 'grants', parameters: {full: 'true'}}),
      );
      return async () => {
        const {jobs = []} = await batch.send(new DescribeJobsCommand({jobs: [the(jobId)]}));
        return the(jobs[0]);
      };
    },
  };
}

test('every registration is a revision, and comes back as it was made', async () => {
  const {batch} = await loader();
  const registered = await batch.send(
    new RegisterJobDefinitionCommand({
      ...definition('1.1.0'),
      type: 'container',
      tags: {team: 'pass'},
      timeout: {attemptDurationSeconds: 60},
    }),
  );
  expect(registered).toMatchObject({
    jobDefinitionName: 'grants',
    jobDefinitionArn: 'arn:aws:batch:us-east-1:000000000000:job-definition/grants:2',
    revision: 2,
  });

  const {jobDefinitions = []} = await batch.send(
    new DescribeJobDefinitionsCommand({jobDefinitionName: 'grants', status: 'ACTIVE'}),
  );
  expect(jobDefinitions).toMatchObject([
    {revision: 1, status: 'ACTIVE'},
    {...definition('1.1.0'), revision: 2, tags: {team: 'pass'}, timeout: {attemptDurationSeconds: 60}},
  ]);
});

test('a name means its latest active revision, and an inactive one starts nothing', async () => {
  const {batch, world} = await loader();
  world.registerJobDefinition(definition('1.0.0'));
  await batch.send(new DeregisterJobDefinitionCommand({jobDefinition: 'grants:2'}));

  const {jobId} = await batch.send(new SubmitJobCommand({jobName: 'run', jobQueue: 'loaders', jobDefinition: 'grants'}));
  const {jobs} = await batch.send(new DescribeJobsCommand({jobs: [the(jobId)]}));
  expect(jobs?.[0]?.jobDefinition).toMatch(/job-definition\/grants:1$/);
  await expect(
    batch.send(new SubmitJobCommand({jobName: 'run', jobQueue: 'loaders', jobDefinition: 'grants:2'})),
  ).rejects.toMatchObject({name: 'ClientException'});
});

test('a job runs through its statuses and succeeds', async () => {
  const {submit, clock, batch} = await loader();
  const job = await submit();

  const seen: unknown[] = [];
  for (let second = 0; second < 10; second += 1) {
    seen.push((await job()).status);
    clock.pass(1);
  }
  expect([...new Set(seen)]).toEqual(['SUBMITTED', 'STARTING', 'RUNNING', 'SUCCEEDED']);
  expect(await job()).toMatchObject({
    createdAt: NOON,
    startedAt: NOON + 5000,
    container: {exitCode: 0, image: image('grants', '1.0.0')},
    jobQueue: 'arn:aws:batch:us-east-1:000000000000:job-queue/loaders',
    parameters: {full: 'true'},
  });
  const {jobSummaryList} = await batch.send(
    new ListJobsCommand({jobQueue: 'loaders', filters: [{name: 'JOB_NAME', values: ['smoke']}]}),
  );
  expect(jobSummaryList).toMatchObject([{jobName: 'smoke', status: 'SUCCEEDED', container: {exitCode: 0}}]);
});

test('a job whose container runs out of memory fails, says so, and leaves its log', async () => {
  const {submit, clock, world, logs} = await loader();
  world.scenarioFor('grants', 'out-of-memory');
  const job = await submit();
  clock.pass(10);

  const failed = await job();
  expect(failed).toMatchObject({
    status: 'FAILED',
    statusReason: 'Essential container in task exited',
    container: {exitCode: 137, reason: 'OutOfMemoryError: container killed due to memory usage'},
  });
  const {events = []} = await logs.send(
    new GetLogEventsCommand({logGroupName: '/aws/batch/job', logStreamName: failed.container?.logStreamName}),
  );
  expect(events.at(-1)?.message).toBe('Loading 4,816,204 records into memory');
});

test('a job whose image is not there never runs', async () => {
  const {submit, clock, world} = await loader();
  world.registerJobDefinition(definition('9.9.9'));
  const job = await submit();
  clock.pass(10);

  const failed = await job();
  expect(failed).toMatchObject({status: 'FAILED', container: {reason: expect.stringContaining('CannotPullContainerError')}});
  expect(failed.startedAt).toBeUndefined();
  expect(failed.container?.logStreamName).toBeUndefined();
});
