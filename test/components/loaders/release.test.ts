import {GetScheduleCommand, type GetScheduleCommandOutput, UpdateScheduleCommand} from '@aws-sdk/client-scheduler';
import {DeregisterTaskDefinitionCommand} from '@aws-sdk/client-ecs';
import {DescribeStateMachineCommand, UpdateStateMachineCommand} from '@aws-sdk/client-sfn';
import {DeregisterJobDefinitionCommand, DescribeJobDefinitionsCommand} from '@aws-sdk/client-batch';
import {PutRuleCommand, PutTargetsCommand} from '@aws-sdk/client-eventbridge';
import {describe, expect, test} from 'vitest';
import type {Json} from '../../../src/release/json.ts';
import type {AnyComponentPlan} from '../../../src/release/model.ts';
import {loaderTarget, targetsOf} from '../../support/pass.ts';
import {type Story, image, story} from '../../emulator/story.ts';
import {type Bench, bench, notPassed} from './support.ts';
import {standingClock} from '../support/world.ts';

const before = '1.13.0';
const released = '1.14.0';
const task = (name: string) => `arn:aws:ecs:us-east-1:000000000000:task-definition/${name}`;
const job = (name: string) => `arn:aws:batch:us-east-1:000000000000:job-definition/${name}`;
const queue = 'arn:aws:batch:us-east-1:000000000000:job-queue/loads';
const role = 'arn:aws:iam::000000000000:role/start';
const nightly = 'cron(0 2 * * ? *)';

/** An account with the images of both versions, and one revision of each loader that runs the old one. */
async function account(): Promise<Story> {
  const told = await story();
  const {world} = told;
  for (const tag of [before, released]) for (const repository of ['loader', 'importer']) world.putImage(repository, tag);
  world.createCluster('pass');
  registerTask(told, before);
  registerJob(told, before);
  return told;
}

function registerTask({world}: Story, tag: string): string {
  return world.registerTaskDefinition({
    family: 'loader',
    tags: [{key: 'project', value: 'pass'}],
    containerDefinitions: [
      {name: 'loader', image: image('loader', tag), environment: [{name: 'A', value: '1'}]},
      {name: 'collector', image: 'public.ecr.aws/collector:v0.40.0'},
    ],
  });
}

function registerJob({world}: Story, tag: string): string {
  return world.registerJobDefinition({
    jobDefinitionName: 'importer',
    type: 'container',
    containerProperties: {image: image('importer', tag), command: ['import'], jobRoleArn: role},
    retryStrategy: {attempts: 2},
    tags: {project: 'pass'},
    propagateTags: true,
  });
}

const taskSchedule = (taskDefinition: string) => ({
  name: 'journal',
  group: 'pass',
  ScheduleExpression: nightly,
  ScheduleExpressionTimezone: 'America/New_York',
  FlexibleTimeWindow: {Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15},
  Description: 'journals, nightly',
  ActionAfterCompletion: 'NONE',
  EndDate: Date.UTC(2027, 0, 1) / 1000,
  Target: {
    Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/pass',
    RoleArn: role,
    Input: '{"containerOverrides": [{"name": "loader", "command": ["--all"]}]}',
    RetryPolicy: {MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3600},
    DeadLetterConfig: {Arn: 'arn:aws:sqs:us-east-1:000000000000:failures'},
    EcsParameters: {
      TaskDefinitionArn: taskDefinition,
      TaskCount: 2,
      LaunchType: 'FARGATE',
      NetworkConfiguration: {awsvpcConfiguration: {Subnets: ['subnet-1'], AssignPublicIp: 'DISABLED'}},
    },
  },
});

const jobSchedule = (jobDefinition: string) => ({
  name: 'import',
  ScheduleExpression: 'rate(7 days)',
  FlexibleTimeWindow: {Mode: 'OFF'},
  Target: {
    Arn: 'arn:aws:scheduler:::aws-sdk:batch:submitJob',
    RoleArn: role,
    Input: `{"JobName": "import",  "JobQueue": "loads", "JobDefinition": "${jobDefinition}", "Parameters": {"Since": "last"}}`,
  },
});

const machineText = (jobDefinition: string, taskDefinition: string) => `{
  "StartAt": "Import",
  "States": {
    "Import": {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync",
      "Parameters": { "JobName":"import", "JobQueue":"loads", "JobDefinition":"${jobDefinition}" }, "Next": "Load"},
    "Load":   {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync",
      "Parameters": { "Cluster":"pass", "TaskDefinition":"${taskDefinition}" }, "End": true}
  }
}
`;

const scheduledTask = {kind: 'ecs-scheduled-task', family: 'loader', images: {loader: 'ecr/loader'}} as const;
const batchJob = {kind: 'batch-job-definition', jobDefinition: 'importer', images: {default: 'ecr/importer'}} as const;

/** Calls that meant to change something, in order. */
const changes = ({calls}: Story) =>
  calls.filter(({action}) => /^(?:Put|Update|Register|Run|Submit)/.test(action)).map(({action}) => action);

const settingsOf = (found: GetScheduleCommandOutput) => {
  const {$metadata: _call, LastModificationDate: _changed, ...settings} = found;
  return settings;
};

/** The summaries of what a plan would change. */
const summaries = (plan: AnyComponentPlan) => plan.changes.map(({summary}) => summary);

// ── each kind of target ──────────────────────────────────────────────────────────────────────────────

test('a rule: every target that pins the family is moved, and everything else of the rule stays', async () => {
  const told = await account();
  told.world.createRule({name: 'nightly', ScheduleExpression: nightly});
  const targets = [
    loaderTarget('daily', task('loader:1')),
    loaderTarget('second', task('loader:1')),
    loaderTarget('mail', task('mailer:3')),
  ];
  told.world.putTargets({name: 'nightly'}, targets);
  const loader = bench(told.url, {...scheduledTask, targets: [{rule: 'nightly'}]});

  const plan = await loader.plan(released);
  expect(summaries(plan)).toEqual([
    'task definition loader:1 → new revision',
    `rule nightly (target daily, ${nightly}) starts new revision`,
    `rule nightly (target second, ${nightly}) starts new revision`,
  ]);
  expect(plan.changes[0]?.details).toEqual([
    {name: 'loader image', before: image('loader', before), after: image('loader', released)},
    {name: 'loader digest', before: expect.stringMatching(/^sha256:/), after: expect.stringMatching(/^sha256:/)},
  ]);
  expect(plan.notes).toContain('rule nightly: next run 02:00 UTC, in 14 h, on 1.13.0');

  const {results} = await loader.apply(plan);
  expect(notPassed(await loader.audit(plan, results))).toEqual([]);
  expect(await targetsOf(told.events, 'nightly')).toEqual([
    loaderTarget('daily', task('loader:2')),
    loaderTarget('mail', task('mailer:3')),
    loaderTarget('second', task('loader:2')),
  ]);
  expect(changes(told)).toEqual(['RegisterTaskDefinition', 'PutTargets']);
  const latest = await loader.io.aws.ecs.taskDefinition('loader');
  expect(latest?.input['tags']).toEqual([{key: 'project', value: 'pass'}]);
});

test('a schedule of ECS: all of it is sent back, but for the revision', async () => {
  const told = await account();
  told.world.createSchedule(taskSchedule(task('loader:1')));
  const name = new GetScheduleCommand({GroupName: 'pass', Name: 'journal'});
  const was = settingsOf(await told.scheduler.send(name));
  const loader = bench(told.url, {...scheduledTask, targets: [{schedule: 'pass/journal'}]});

  const {plan, checks} = await loader.release(released);
  expect(plan.notes).toContain(
    'schedule pass/journal: next run 02:00 America/New_York or up to 15 min later, in 19 h, on 1.13.0',
  );
  expect(notPassed(checks)).toEqual([]);
  expect(settingsOf(await told.scheduler.send(name))).toEqual({
    ...was,
    Target: {...was.Target, EcsParameters: {...was.Target?.EcsParameters, TaskDefinitionArn: task('loader:2')}},
  });
});

test('a schedule of a Batch job: the revision inside of its input is changed, and no other byte', async () => {
  const told = await account();
  told.world.createSchedule(jobSchedule('importer:1'));
  const loader = bench(told.url, {...batchJob, targets: [{schedule: 'import'}]});

  const {plan, checks} = await loader.release(released);
  expect(summaries(plan)).toEqual([
    'job definition importer:1 → new revision',
    'schedule import (rate(7 days)) starts new revision',
  ]);
  expect(notPassed(checks)).toEqual([]);
  const {Target} = await told.scheduler.send(new GetScheduleCommand({Name: 'import'}));
  expect(Target).toMatchObject(jobSchedule('importer:2').Target);
  const {jobDefinitions = []} = await told.batch.send(new DescribeJobDefinitionsCommand({jobDefinitionName: 'importer'}));
  const [first, second] = jobDefinitions;
  expect(second).toEqual({
    ...first,
    jobDefinitionArn: job('importer:2'),
    revision: 2,
    containerProperties: {...first?.containerProperties, image: image('importer', released)},
  });
});

test('a rule of a Batch job is moved by its name and revision', async () => {
  const told = await account();
  told.world.createRule({name: 'weekly', ScheduleExpression: nightly});
  const target = {
    Id: 'import',
    Arn: queue,
    RoleArn: role,
    BatchParameters: {JobDefinition: job('importer:1'), JobName: 'import'},
  };
  told.world.putTargets({name: 'weekly'}, [target]);
  const loader = bench(told.url, {...batchJob, targets: [{rule: 'weekly'}]});

  const {checks} = await loader.release(released);
  expect(notPassed(checks)).toEqual([]);
  expect(await targetsOf(told.events, 'weekly')).toEqual([
    {...target, BatchParameters: {...target.BatchParameters, JobDefinition: job('importer:2')}},
  ]);
});

test('a state machine: the state that submits the job names the new revision, and the text stays as it was written', async () => {
  const told = await account();
  const arn = told.world.createStateMachine({
    name: 'grant-load',
    roleArn: role,
    definition: machineText('importer:1', 'loader:1'),
  });
  told.world.createSchedule({
    name: 'grants',
    ScheduleExpression: nightly,
    FlexibleTimeWindow: {Mode: 'OFF'},
    Target: {Arn: arn, RoleArn: role},
  });
  const grants = bench(told.url, {...batchJob, targets: [{stateMachine: 'grant-load'}]});
  const journals = bench(told.url, {...scheduledTask, targets: [{stateMachine: arn}]});

  const plan = await grants.plan(released);
  expect(summaries(plan)).toContain('state machine grant-load (state Import) starts new revision');
  expect(plan.notes).toContain('state machine grant-load, by schedule grants: next run 02:00 UTC, in 14 h, on 1.13.0');
  const {results} = await grants.apply(plan);
  expect(notPassed(await grants.audit(plan, results))).toEqual([]);
  const described = new DescribeStateMachineCommand({stateMachineArn: arn});
  expect((await told.states.send(described)).definition).toBe(machineText('importer:2', 'loader:1'));

  expect(notPassed((await journals.release(released)).checks)).toEqual([]);
  expect((await told.states.send(described)).definition).toBe(machineText('importer:2', 'loader:2'));

  const Target = {Arn: `${arn}:live`, RoleArn: role};
  told.world.createSchedule({name: 'live', ScheduleExpression: nightly, FlexibleTimeWindow: {Mode: 'OFF'}, Target});
  const later = bench(told.url, {...batchJob, targets: [{stateMachine: 'grant-load'}]});
  expect(notPassed(await later.audit(plan, results))).toEqual([
    'warned: nothing else starts an old importer: schedule live starts a version or an alias of grant-load',
  ]);
});

// ── what is not done twice ───────────────────────────────────────────────────────────────────────────

/** A loader on a rule and a schedule, both on the first revision. */
async function onTwoTargets(settings: Readonly<Record<string, Json>> = {}): Promise<{told: Story; loader: Bench}> {
  const told = await account();
  told.world.createRule({name: 'nightly', ScheduleExpression: nightly});
  told.world.putTargets({name: 'nightly'}, [loaderTarget('daily', task('loader:1'))]);
  told.world.createSchedule(taskSchedule(task('loader:1')));
  const clock = standingClock(Date.UTC(2026, 0, 15, 12), ms => told.clock.pass(ms / 1000));
  const loader = bench(
    told.url,
    {...scheduledTask, targets: [{rule: 'nightly'}, {schedule: 'pass/journal'}], ...settings},
    clock,
  );
  return {told, loader};
}

const pinned = async ({events, scheduler}: Story) => [
  (await targetsOf(events, 'nightly'))[0]?.EcsParameters?.TaskDefinitionArn,
  (await scheduler.send(new GetScheduleCommand({GroupName: 'pass', Name: 'journal'}))).Target?.EcsParameters?.TaskDefinitionArn,
];

test('a release that is there already registers nothing and moves nothing', async () => {
  const {told, loader} = await onTwoTargets();
  await loader.release(released);
  const done = changes(told);

  const again = await loader.plan(released);
  expect(again.changes).toEqual([]);
  expect(again.notes).toContain('every target starts loader:2 already');
  await loader.apply(again);
  expect(changes(told)).toEqual(done);
});

test('a target that lags behind a fine revision is moved to it, and nothing is registered', async () => {
  const {told, loader} = await onTwoTargets();
  registerTask(told, released);
  told.world.putTargets({name: 'nightly'}, [loaderTarget('daily', task('loader:2'))]);

  const {plan, checks} = await loader.release(released);
  expect(summaries(plan)).toEqual([`schedule pass/journal (${nightly}) starts loader:2`]);
  expect(plan.changes[0]?.details).toContainEqual({
    name: 'loader image',
    before: image('loader', before),
    after: image('loader', released),
  });
  expect(notPassed(checks)).toEqual([]);
  expect(changes(told)).toEqual(['UpdateSchedule']);
});

test('an active revision that is what would be registered is used', async () => {
  const {told, loader} = await onTwoTargets();
  registerTask(told, released);

  const {plan, checks} = await loader.release(released);
  expect(plan.notes).toContain('loader:2 is that already: no revision is registered');
  expect(notPassed(checks)).toEqual([]);
  expect(changes(told)).toEqual(['PutTargets', 'UpdateSchedule']);
});

test('answers that are lost are found done, and not sent again', async () => {
  const {told, loader} = await onTwoTargets();
  for (const action of ['RegisterTaskDefinition', 'PutTargets', 'UpdateSchedule']) told.world.fail({action, kind: 'lost-answer'});

  const {checks} = await loader.release(released);
  expect(notPassed(checks)).toEqual([]);
  expect(changes(told)).toEqual(['RegisterTaskDefinition', 'PutTargets', 'UpdateSchedule']);
});

test('a change that AWS has taken is read again: where it is not to be seen, the release has not moved it', async () => {
  const {told, loader} = await onTwoTargets();
  const plan = await loader.plan(released);
  loader.io.aws.events.putTargets = () => Promise.resolve();
  await expect(loader.apply(plan)).rejects.toMatchObject({
    message: 'rule nightly took the change, and does not show it after 10 s',
    means: 'It may start either revision.',
  });
  expect(await pinned(told)).toEqual([task('loader:1'), task('loader:1')]);
});

// ── what others do ───────────────────────────────────────────────────────────────────────────────────

test('what somebody changed since the plan is not overwritten', async () => {
  const {told, loader} = await onTwoTargets();
  const plan = await loader.plan(released);
  expect(await loader.component.recheck(plan, loader.io)).toBeUndefined();
  registerTask(told, before);
  const name = {GroupName: 'pass', Name: 'journal'};
  const {Target, ...schedule} = await told.scheduler.send(new GetScheduleCommand(name));
  await told.scheduler.send(
    new UpdateScheduleCommand({
      ...name,
      ScheduleExpression: schedule.ScheduleExpression,
      FlexibleTimeWindow: schedule.FlexibleTimeWindow,
      Target: Target && {...Target, EcsParameters: {...Target.EcsParameters, TaskDefinitionArn: task('loader:2')}},
    }),
  );

  expect(await loader.component.recheck(plan, loader.io)).toBe('the targets of loader are not what was planned for');
  await expect(loader.apply(plan)).rejects.toThrow('schedule pass/journal starts loader:2, not loader:1 as planned');
  expect((await pinned(told))[1]).toBe(task('loader:2'));
});

test('what is not the image any more that was approved is not released', async () => {
  const {told, loader} = await onTwoTargets();
  const plan = await loader.plan(released);
  told.world.putImage('loader', released, 'built again');
  expect(await loader.component.recheck(plan, loader.io)).toMatch(/loader:1\.14\.0 is another image now/);
});

test('an old revision that something else pins is said before, and warned of afterwards', async () => {
  const {told, loader} = await onTwoTargets();
  told.world.createRule({name: 'forgotten', ScheduleExpression: nightly});
  told.world.putTargets({name: 'forgotten'}, [loaderTarget('monthly', task('loader:1')), loaderTarget('mail', task('mailer:1'))]);
  told.world.createStateMachine({name: 'old', roleArn: role, definition: machineText('importer:1', 'loader:1')});

  const {plan, checks} = await loader.release(released);
  expect(plan.notes).toContain(
    'target monthly of rule forgotten starts loader:1: it is not among the targets, and stays as it is',
  );
  expect(notPassed(checks)).toEqual([
    'warned: nothing else starts an old loader: target monthly of rule forgotten starts loader:1; state Load of state machine old starts loader:1',
  ]);
});

test('what may not be looked at is said, and stops nothing', async () => {
  const {told, loader} = await onTwoTargets();
  for (const action of ['events:ListRules', 'scheduler:ListSchedules', 'states:ListStateMachines']) told.world.deny(action);

  const {checks} = await loader.release(released);
  expect(notPassed(checks)).toEqual([expect.stringMatching(/^warned: .*rules could not be looked at: not allowed/)]);
});

// ── audit ────────────────────────────────────────────────────────────────────────────────────────────

describe('an audit', () => {
  test('finds the one schedule that was moved back, and nothing else', async () => {
    const {told, loader} = await onTwoTargets();
    const {plan, results} = await loader.release(released);
    told.world.putTargets({name: 'nightly'}, [loaderTarget('daily', task('loader:1'))]);

    expect(notPassed(await loader.audit(plan, results))).toEqual([
      'failed: rule nightly starts loader:2: target daily starts loader:1',
    ]);
  });

  test('finds a tag that was moved to another image, and a revision that was deregistered', async () => {
    const {told, loader} = await onTwoTargets();
    const {plan, results} = await loader.release(released);
    told.world.putImage('loader', released, 'built again');
    expect(notPassed(await loader.audit(plan, results))).toEqual([expect.stringContaining('is another image now')]);
    await told.ecs.send(new DeregisterTaskDefinitionCommand({taskDefinition: 'loader:2'}));
    // What is known of a revision may be a second old.
    await loader.io.clock.sleep(1000, loader.io.signal);
    expect(notPassed(await loader.audit(plan, results))).toEqual([
      expect.stringContaining('it is INACTIVE: nothing can start it'),
    ]);
  });

  test('says of a disabled schedule that it is, and of one that is gone as well', async () => {
    const {told, loader} = await onTwoTargets();
    const {plan, results} = await loader.release(released);
    await told.events.send(new PutRuleCommand({Name: 'nightly', ScheduleExpression: nightly, State: 'DISABLED'}));
    expect(notPassed(await loader.audit(plan, results))).toEqual([
      'warned: rule nightly starts loader:2: target daily starts loader:2, disabled: it starts nothing',
    ]);
    await told.events.send(new PutTargetsCommand({Rule: 'nightly', Targets: [{...loaderTarget('daily', task('mailer:1'))}]}));
    expect(notPassed(await loader.audit(plan, results))).toEqual([
      'failed: rule nightly starts loader:2: target daily starts nothing of it',
    ]);
  });
});

test('pinned by digest, a revision is not touched by a tag that is moved', async () => {
  const {told, loader} = await onTwoTargets({pin: 'digest'});
  const {plan, results, checks} = await loader.release(released);
  expect(notPassed(checks)).toEqual([]);
  const definition = await loader.io.aws.ecs.taskDefinition('loader');
  expect(JSON.stringify(definition?.input)).toMatch(new RegExp(`${image('loader', released)}@sha256:[0-9a-f]{64}`));
  expect((await loader.component.observe(loader.io))?.version).toBe(released);

  told.world.putImage('loader', released, 'built again');
  expect(notPassed(await loader.audit(plan, results))).toEqual([]);
});

// ── an unpinned target ───────────────────────────────────────────────────────────────────────────────

test('a target without a revision is activated by the registration, and proved by what is newest', async () => {
  const told = await account();
  told.world.createRule({name: 'nightly', ScheduleExpression: nightly});
  told.world.putTargets({name: 'nightly'}, [loaderTarget('daily', task('loader'))]);
  const loader = bench(told.url, {...scheduledTask, targets: [{rule: 'nightly'}]});

  const {plan, results, checks} = await loader.release(released);
  expect(summaries(plan)).toEqual(['task definition loader:1 → new revision']);
  expect(plan.notes).toContain(
    'rule nightly (target daily) names no revision: it starts the newest one as soon as that is registered',
  );
  expect(notPassed(checks)).toEqual([]);
  expect(checks.map(({text}) => text)).toContain('rule nightly starts the newest loader, loader:2');
  expect(changes(told)).toEqual(['RegisterTaskDefinition']);

  const back = await loader.component.observe(loader.io);
  registerTask(told, before);
  expect(notPassed(await loader.audit(plan, results))).toEqual([
    'failed: rule nightly starts the newest loader, loader:2: it starts loader:3',
  ]);
  const returned = await loader.release({is: 'state', version: released, state: back?.state ?? null});
  expect(returned.plan.notes).toContain(
    'loader:2 is not the newest, which an unpinned target starts: a copy of it is registered',
  );
  expect(notPassed(returned.checks)).toEqual([]);
  expect((await loader.component.observe(loader.io))?.version).toBe(released);
});

test('so is a job that a schedule submits by its name alone', async () => {
  const told = await account();
  told.world.createSchedule(jobSchedule('importer'));
  const loader = bench(told.url, {...batchJob, targets: [{schedule: 'import'}]});

  const {plan, checks} = await loader.release(released);
  expect(summaries(plan)).toEqual(['job definition importer:1 → new revision']);
  expect(notPassed(checks)).toEqual([]);
  expect(checks.map(({text}) => text)).toContain('schedule import starts the newest importer, importer:2');
  expect(changes(told)).toEqual(['RegisterJobDefinition']);
});

// ── the way back ─────────────────────────────────────────────────────────────────────────────────────

describe('the way back', () => {
  test('returns every target to the revision that it had', async () => {
    const {told, loader} = await onTwoTargets();
    registerTask(told, '1.13.1');
    told.world.putImage('loader', '1.13.1');
    told.world.putTargets({name: 'nightly'}, [loaderTarget('daily', task('loader:2'))]);
    const was = await loader.component.observe(loader.io);
    expect(was).toMatchObject({version: '1.13.1', digests: {[image('loader', '1.13.1')]: expect.stringMatching(/^sha256:/)}});
    await loader.release(released);
    expect(await pinned(told)).toEqual([task('loader:3'), task('loader:3')]);

    const {plan, checks} = await loader.release({is: 'state', version: '1.13.1', state: was?.state ?? null});
    expect(plan.changes.map(({flags}) => flags)).toEqual([['downgrade'], ['downgrade']]);
    expect(await pinned(told)).toEqual([task('loader:2'), task('loader:1')]);
    expect(notPassed(checks)).toEqual([]);
  });

  test('never leads to a deregistered revision: a copy of it is registered', async () => {
    const {told, loader} = await onTwoTargets();
    const was = await loader.component.observe(loader.io);
    await loader.release(released);
    await told.ecs.send(new DeregisterTaskDefinitionCommand({taskDefinition: 'loader:1'}));

    const {plan, checks} = await loader.release({is: 'state', version: before, state: was?.state ?? null});
    expect(plan.notes).toContain('loader:1 is deregistered, nothing can start it: a copy of it is registered');
    expect(await pinned(told)).toEqual([task('loader:3'), task('loader:3')]);
    expect((await loader.component.observe(loader.io))?.version).toBe(before);
    // The schedule that still pinned it would have failed at 02:00.
    expect(notPassed(checks)).toEqual([]);
  });

  test('nor to a deregistered revision of a job definition', async () => {
    const told = await account();
    told.world.createSchedule(jobSchedule('importer:1'));
    const loader = bench(told.url, {...batchJob, targets: [{schedule: 'import'}]});
    const was = await loader.component.observe(loader.io);
    await loader.release(released);
    await told.batch.send(new DeregisterJobDefinitionCommand({jobDefinition: 'importer:1'}));

    const {plan, checks} = await loader.release({is: 'state', version: before, state: was?.state ?? null});
    expect(plan.notes).toContain('importer:1 is deregistered, nothing can start it: a copy of it is registered');
    expect(notPassed(checks)).toEqual([]);
    const {Target} = await told.scheduler.send(new GetScheduleCommand({Name: 'import'}));
    expect(Target).toMatchObject(jobSchedule('importer:3').Target);
  });

  test('is refused where there is nothing left to go back to', async () => {
    const {loader} = await onTwoTargets();
    const gone = {definition: task('loader:9'), pins: [], images: []};
    await expect(loader.plan({is: 'state', version: before, state: gone})).rejects.toThrow(
      'loader:9 is gone: there is nothing to go back to',
    );
  });
});

// ── requirements ─────────────────────────────────────────────────────────────────────────────────────

describe('before anything is done', () => {
  test('what there is, is what the config says', async () => {
    const {loader} = await onTwoTargets();
    expect(notPassed(await loader.requirements(released))).toEqual([]);
  });

  test.each([
    ['a rule that is not there', {targets: [{rule: 'hourly'}]}, 'there is no rule hourly'],
    ['a schedule that is not there', {targets: [{schedule: 'journal'}]}, 'there is no schedule journal'],
    ['a state machine that is not there', {targets: [{stateMachine: 'load'}]}, 'there is no state machine load'],
    ['a family that is not there', {family: 'reloader'}, 'there is no task definition reloader'],
    ['a target that starts something else', {family: 'reloader'}, 'nothing of it starts reloader'],
    ['a container that is not there', {images: {main: 'ecr/loader'}}, 'has no container main (it has loader, collector)'],
    ['an image that is not there', {images: {loader: 'ecr/unloader'}}, 'there is no repository unloader'],
  ])('%s is said', async (_what, settings, expected) => {
    const {loader} = await onTwoTargets(settings);
    expect(notPassed(await loader.requirements(released)).join('\n')).toContain(expected);
  });

  test('a job definition that is not there is said', async () => {
    const told = await account();
    told.world.createSchedule(jobSchedule('importer:1'));
    const loader = bench(told.url, {...batchJob, jobDefinition: 'exporter', targets: [{schedule: 'import'}]});
    expect(notPassed(await loader.requirements(released))).toEqual([
      'failed: loader: job definition exporter with default: there is no job definition exporter',
      'failed: loader: schedule import starts exporter: nothing of it starts exporter',
    ]);
  });

  test('a version or an alias of a state machine is no target', async () => {
    const {loader} = await onTwoTargets({targets: [{stateMachine: 'arn:aws:states:us-east-1:000000000000:stateMachine:load:7'}]});
    const claim = loader.component
      .requirements({is: 'release', version: released})
      .find(({id}) => id === 'loader state machine load');
    if (claim === undefined) throw new Error('no claim');
    await expect(loader.component.check(claim, loader.io)).rejects.toThrow('load is named with a version or an alias');
  });

  test('a job definition for several nodes is refused in words', async () => {
    const told = await account();
    told.world.registerJobDefinition({jobDefinitionName: 'importer', type: 'multinode', nodeProperties: {numNodes: 2}});
    told.world.createSchedule(jobSchedule('importer:2'));
    const loader = bench(told.url, {...batchJob, targets: [{schedule: 'import'}]});
    expect(notPassed(await loader.requirements(released)).join('\n')).toContain(
      'job definition importer:2 cannot be released: it is for several nodes',
    );
    await expect(loader.plan(released)).rejects.toThrow('cannot be released');
  });
});

test('a change that somebody makes in the same moment is kept', async () => {
  const told = await account();
  const arn = told.world.createStateMachine({
    name: 'grant-load',
    roleArn: role,
    definition: machineText('importer:1', 'loader:1'),
  });
  const loader = bench(told.url, {...batchJob, targets: [{stateMachine: 'grant-load'}]});
  const plan = await loader.plan(released);
  const {update} = loader.io.aws.sfn;
  let conflicts = 1;
  // AWS answers ConflictException to the first, for another change has just been made.
  loader.io.aws.sfn.update = async (...args) => {
    if (conflicts-- > 0) {
      await told.states.send(
        new UpdateStateMachineCommand({stateMachineArn: arn, definition: machineText('importer:1', 'other:5')}),
      );
      return 'conflict';
    }
    return update(...args);
  };
  const {results} = await loader.apply(plan);
  expect(notPassed(await loader.audit(plan, results))).toEqual([]);
  expect((await told.states.send(new DescribeStateMachineCommand({stateMachineArn: arn}))).definition).toBe(
    machineText('importer:2', 'other:5'),
  );
});
