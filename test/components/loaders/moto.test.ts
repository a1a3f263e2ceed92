import {RegisterJobDefinitionCommand} from '@aws-sdk/client-batch';
import {CreateRepositoryCommand, PutImageCommand} from '@aws-sdk/client-ecr';
import {DescribeTaskDefinitionCommand, RegisterTaskDefinitionCommand} from '@aws-sdk/client-ecs';
import {PutRuleCommand, PutTargetsCommand} from '@aws-sdk/client-eventbridge';
import {CreateScheduleCommand, CreateScheduleGroupCommand, GetScheduleCommand} from '@aws-sdk/client-scheduler';
import {CreateStateMachineCommand, DescribeStateMachineCommand} from '@aws-sdk/client-sfn';
import {expect, onTestFinished, test} from 'vitest';
import {startMoto} from '../../support/moto.ts';
import {type Clients, clientsFor} from '../../emulator/story.ts';
import {missing} from '../../emulator/tools.ts';
import {loaderTarget, targetsOf} from '../../support/pass.ts';
import {bench, notPassed} from './support.ts';
import {standingClock} from '../support/world.ts';

const account = '123456789012';
const image = (repository: string, tag: string) => `${account}.dkr.ecr.us-east-1.amazonaws.com/${repository}:${tag}`;
const role = `arn:aws:iam::${account}:role/start`;
const task = (name: string) => `arn:aws:ecs:us-east-1:${account}:task-definition/${name}`;
/** By its ARN: moto finds no job definition by `name:revision`, as Batch does. */
const job = (name: string) => `arn:aws:batch:us-east-1:${account}:job-definition/${name}`;
const day = 24 * 60 * 60_000;

const definition = (revision: number) => `{
  "StartAt": "Import",
  "States": {"Import": {"Type": "Task",   "Resource": "arn:aws:states:::batch:submitJob.sync",
    "Parameters": {"JobName": "import", "JobQueue": "loads", "JobDefinition": "${job(`importer:${revision}`)}"}, "End": true}}
}`;

/** Two loaders with one revision each, on every kind of target that there is. */
async function seed({ecr, ecs, batch, events, scheduler, states}: Clients): Promise<void> {
  for (const repositoryName of ['loader', 'importer']) {
    await ecr.send(new CreateRepositoryCommand({repositoryName}));
    for (const imageTag of ['1.13.0', '1.14.0']) {
      const config = {mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2};
      const manifest = {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config,
        layers: [],
        annotations: {imageTag},
      };
      await ecr.send(new PutImageCommand({repositoryName, imageTag, imageManifest: JSON.stringify(manifest)}));
    }
  }
  const containerDefinitions = [{name: 'loader', image: image('loader', '1.13.0'), memory: 512}];
  await ecs.send(
    new RegisterTaskDefinitionCommand({family: 'loader', containerDefinitions, tags: [{key: 'project', value: 'pass'}]}),
  );
  const resourceRequirements = [
    {type: 'VCPU' as const, value: '1'},
    {type: 'MEMORY' as const, value: '512'},
  ];
  await batch.send(
    new RegisterJobDefinitionCommand({
      jobDefinitionName: 'importer',
      type: 'container',
      containerProperties: {image: image('importer', '1.13.0'), command: ['import'], resourceRequirements},
      retryStrategy: {attempts: 2},
      timeout: {attemptDurationSeconds: 3600},
      tags: {project: 'pass'},
    }),
  );
  await events.send(new PutRuleCommand({Name: 'nightly', ScheduleExpression: 'cron(0 2 * * ? *)'}));
  await events.send(new PutTargetsCommand({Rule: 'nightly', Targets: [loaderTarget('daily', task('loader:1'))]}));
  await scheduler.send(new CreateScheduleGroupCommand({Name: 'pass'}));
  await scheduler.send(
    new CreateScheduleCommand({
      Name: 'journal',
      GroupName: 'pass',
      ScheduleExpression: 'cron(30 4 ? * 6L *)',
      ScheduleExpressionTimezone: 'America/New_York',
      FlexibleTimeWindow: {Mode: 'OFF'},
      Description: 'journals',
      Target: {
        Arn: `arn:aws:ecs:us-east-1:${account}:cluster/pass`,
        RoleArn: role,
        RetryPolicy: {MaximumRetryAttempts: 3},
        EcsParameters: {TaskDefinitionArn: task('loader:1'), LaunchType: 'FARGATE'},
      },
    }),
  );
  await scheduler.send(
    new CreateScheduleCommand({
      Name: 'import',
      ScheduleExpression: 'rate(2 days)',
      StartDate: new Date(),
      FlexibleTimeWindow: {Mode: 'OFF'},
      Target: {
        Arn: 'arn:aws:scheduler:::aws-sdk:batch:submitJob',
        RoleArn: role,
        Input: `{"JobName": "import",   "JobQueue": "loads", "JobDefinition": "${job('importer:1')}"}`,
      },
    }),
  );
  await states.send(new CreateStateMachineCommand({name: 'grant-load', roleArn: role, definition: definition(1)}));
}

test.skipIf(missing('moto_server'))(
  'moto has the same loaders moved, on every kind of target',
  async () => {
    const {url, stop} = await startMoto();
    onTestFinished(stop);
    const clients = clientsFor(url);
    await seed(clients);
    const journal = new GetScheduleCommand({Name: 'journal', GroupName: 'pass'});
    const imported = new GetScheduleCommand({Name: 'import'});
    const was = {journal: await clients.scheduler.send(journal), import: await clients.scheduler.send(imported)};
    // Tomorrow the start of the schedule has passed, and cannot be sent back.
    const clock = standingClock(Date.now() + day);

    const loader = bench(
      url,
      {
        kind: 'ecs-scheduled-task',
        family: 'loader',
        images: {loader: 'ecr/loader'},
        targets: [{rule: 'nightly'}, {schedule: 'pass/journal'}],
      },
      clock,
    );
    const importer = bench(
      url,
      {
        kind: 'batch-job-definition',
        jobDefinition: 'importer',
        images: {default: 'ecr/importer'},
        targets: [{schedule: 'import'}, {stateMachine: 'grant-load'}],
      },
      clock,
    );
    for (const one of [loader, importer]) {
      // IAM cannot be asked there.
      const requirements = (await one.requirements('1.14.0')).filter(({status}) => status !== 'open');
      expect(notPassed(requirements)).toEqual([]);
      expect(notPassed((await one.release('1.14.0')).checks)).toEqual([]);
      expect((await one.plan('1.14.0')).changes).toEqual([]);
    }

    expect(await targetsOf(clients.events, 'nightly')).toEqual([loaderTarget('daily', task('loader:2'))]);
    const now = {journal: await clients.scheduler.send(journal), import: await clients.scheduler.send(imported)};
    const kept = ({
      Target: _target,
      StartDate: _start,
      LastModificationDate: _changed,
      $metadata: _call,
      ...schedule
    }: typeof now.journal) => schedule;
    expect(kept(now.journal)).toEqual(kept(was.journal));
    expect(now.journal.Target).toEqual({
      ...was.journal.Target,
      EcsParameters: {...was.journal.Target?.EcsParameters, TaskDefinitionArn: task('loader:2')},
    });
    expect(kept(now.import)).toEqual(kept(was.import));
    expect(now.import.Target?.Input).toBe(
      `{"JobName": "import",   "JobQueue": "loads", "JobDefinition": "${job('importer:2')}"}`,
    );
    // Every other day from its start on, as before.
    expect(now.import.StartDate?.getTime()).toBe((was.import.StartDate?.getTime() ?? 0) + 2 * day);
    const machine = await clients.states.send(
      new DescribeStateMachineCommand({stateMachineArn: `arn:aws:states:us-east-1:${account}:stateMachine:grant-load`}),
    );
    expect(machine.definition).toBe(definition(2));
    const {tags} = await clients.ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'loader:2', include: ['TAGS']}));
    expect(tags).toEqual([{key: 'project', value: 'pass'}]);
  },
  60_000,
);
