import {
  type CreateScheduleCommandInput,
  CreateScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import {expect, test} from 'vitest';
import {NOON, story} from './story.ts';

const cluster = 'arn:aws:ecs:us-east-1:000000000000:cluster/main';
const RoleArn = 'arn:aws:iam::000000000000:role/starter';

const schedule: CreateScheduleCommandInput = {
  Name: 'journal',
  Description: 'Loads journals',
  ScheduleExpression: 'cron(0 2 * * ? *)',
  ScheduleExpressionTimezone: 'Europe/Vienna',
  FlexibleTimeWindow: {Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15},
  StartDate: new Date(NOON),
  Target: {
    Arn: cluster,
    RoleArn,
    Input: '{"full":true}',
    DeadLetterConfig: {Arn: 'arn:aws:sqs:us-east-1:000000000000:dead'},
    EcsParameters: {TaskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/journal:1', TaskCount: 1},
  },
};

test('a schedule comes back as it was created, with what AWS adds', async () => {
  const {scheduler} = await story();
  const {ScheduleArn} = await scheduler.send(new CreateScheduleCommand(schedule));

  expect(ScheduleArn).toBe('arn:aws:scheduler:us-east-1:000000000000:schedule/default/journal');
  expect(await scheduler.send(new GetScheduleCommand({Name: 'journal'}))).toMatchObject({
    ...schedule,
    Arn: ScheduleArn,
    GroupName: 'default',
    State: 'ENABLED',
    ActionAfterCompletion: 'NONE',
    CreationDate: new Date(NOON),
    Target: {...schedule.Target, RetryPolicy: {MaximumRetryAttempts: 185}},
  });
});

test('an update overwrites everything: what is left out falls to its default', async () => {
  const {scheduler, clock} = await story();
  await scheduler.send(new CreateScheduleCommand({...schedule, State: 'DISABLED'}));
  clock.pass(60);
  await scheduler.send(
    new UpdateScheduleCommand({
      Name: 'journal',
      ScheduleExpression: 'rate(1 day)',
      FlexibleTimeWindow: {Mode: 'OFF'},
      Target: {Arn: cluster, RoleArn},
    }),
  );

  const updated = await scheduler.send(new GetScheduleCommand({Name: 'journal'}));
  expect(updated).toMatchObject({
    ScheduleExpression: 'rate(1 day)',
    ScheduleExpressionTimezone: 'UTC',
    State: 'ENABLED',
    CreationDate: new Date(NOON),
    LastModificationDate: new Date(NOON + 60_000),
  });
  expect(updated).not.toHaveProperty('Description');
  expect(updated).not.toHaveProperty('StartDate');
  expect(updated.Target).not.toHaveProperty('EcsParameters');
});

test('somebody else can change a schedule at the same moment', async () => {
  const {scheduler, world} = await story();
  await scheduler.send(new CreateScheduleCommand(schedule));
  world.fail({action: 'UpdateSchedule', kind: {code: 'ConflictException', message: 'It is being modified.', status: 409}});

  await expect(scheduler.send(new UpdateScheduleCommand(schedule))).rejects.toMatchObject({
    name: 'ConflictException',
    message: 'It is being modified.',
  });
  await scheduler.send(new UpdateScheduleCommand(schedule));
});

test('schedules are found in their groups, page by page', async () => {
  const {scheduler, world} = await story();
  const settings = {ScheduleExpression: 'rate(1 day)', FlexibleTimeWindow: {Mode: 'OFF'}, Target: {Arn: cluster, RoleArn}};
  world.createSchedule({name: 'journal', group: 'loaders', ...settings});
  world.createSchedule({name: 'journal-weekly', group: 'loaders', State: 'DISABLED', ...settings});
  world.createSchedule({name: 'other', ...settings});

  const first = await scheduler.send(new ListSchedulesCommand({GroupName: 'loaders', NamePrefix: 'journal', MaxResults: 1}));
  const second = await scheduler.send(
    new ListSchedulesCommand({GroupName: 'loaders', NamePrefix: 'journal', MaxResults: 1, NextToken: first.NextToken}),
  );
  expect([...(first.Schedules ?? []), ...(second.Schedules ?? [])].map(({Name, State, Target}) => [Name, State, Target])).toEqual(
    [
      ['journal', 'ENABLED', {Arn: cluster}],
      ['journal-weekly', 'DISABLED', {Arn: cluster}],
    ],
  );
  expect(second.NextToken).toBeUndefined();
  await expect(scheduler.send(new GetScheduleCommand({Name: 'journal'}))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'Schedule journal does not exist.',
  });
});
