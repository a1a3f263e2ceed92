import {
  DescribeRuleCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import {expect, test} from 'vitest';
import {story} from './story.ts';

const target: Target = {
  Id: 'load',
  Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/main',
  RoleArn: 'arn:aws:iam::000000000000:role/events',
  Input: '{"full":true}',
  EcsParameters: {
    TaskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/loader:1',
    TaskCount: 1,
    NetworkConfiguration: {awsvpcConfiguration: {Subnets: ['subnet-1']}},
  },
};

test('a schedule and its targets come back exactly as they were put', async () => {
  const {events} = await story();
  const {RuleArn} = await events.send(
    new PutRuleCommand({Name: 'nightly', ScheduleExpression: 'rate(1 day)', Description: 'Loads'}),
  );
  const put = await events.send(new PutTargetsCommand({Rule: 'nightly', Targets: [target]}));

  expect(put).toMatchObject({FailedEntryCount: 0, FailedEntries: []});
  expect(await events.send(new DescribeRuleCommand({Name: 'nightly'}))).toMatchObject({
    Arn: RuleArn,
    State: 'ENABLED',
    ScheduleExpression: 'rate(1 day)',
    EventBusName: 'default',
  });
  const {Targets} = await events.send(new ListTargetsByRuleCommand({Rule: 'nightly'}));
  expect(Targets).toEqual([target]);
});

test('putting a target again replaces all of it: what is not sent back is lost', async () => {
  const {events, world} = await story();
  world.createRule({name: 'nightly', ScheduleExpression: 'rate(1 day)'});
  world.putTargets({name: 'nightly'}, [{...target, Id: 'load', Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/main'}]);

  await events.send(new PutTargetsCommand({Rule: 'nightly', Targets: [{Id: 'load', Arn: target.Arn}]}));
  const {Targets} = await events.send(new ListTargetsByRuleCommand({Rule: 'nightly'}));
  expect(Targets).toEqual([{Id: 'load', Arn: target.Arn}]);
});

test('PutTargets can fail for one target and still answer 200', async () => {
  const {events, world} = await story();
  world.createRule({name: 'nightly', ScheduleExpression: 'rate(1 day)'});
  world.refuseTarget('load');

  const put = await events.send(new PutTargetsCommand({Rule: 'nightly', Targets: [target, {...target, Id: 'other'}]}));
  expect(put).toMatchObject({
    FailedEntryCount: 1,
    FailedEntries: [{TargetId: 'load', ErrorCode: 'ConcurrentModificationException'}],
  });
  const {Targets} = await events.send(new ListTargetsByRuleCommand({Rule: 'nightly'}));
  expect(Targets?.map(({Id}) => Id)).toEqual(['other']);
});

test('targets and rules come in pages', async () => {
  const {events, world} = await story();
  for (const name of ['load-a', 'load-b', 'other']) world.createRule({name, ScheduleExpression: 'rate(1 day)'});
  world.putTargets(
    {name: 'load-a'},
    ['1', '2', '3'].map(Id => ({Id, Arn: 'arn:aws:sqs:::queue'})),
  );

  const rules = await events.send(new ListRulesCommand({NamePrefix: 'load-', Limit: 1}));
  const more = await events.send(new ListRulesCommand({NamePrefix: 'load-', Limit: 1, NextToken: rules.NextToken}));
  expect([rules, more].flatMap(({Rules = []}) => Rules.map(({Name}) => Name))).toEqual(['load-a', 'load-b']);
  expect(more.NextToken).toBeUndefined();

  const targets = await events.send(new ListTargetsByRuleCommand({Rule: 'load-a', Limit: 2}));
  expect(targets).toMatchObject({Targets: [{Id: '1'}, {Id: '2'}], NextToken: expect.any(String)});
});

test('a rule on a bus of its own is found there only', async () => {
  const {events, world} = await story();
  const arn = world.createRule({name: 'on-deploy', eventBus: 'releases', EventPattern: '{"source":["deploy"]}'});

  expect(arn).toBe('arn:aws:events:us-east-1:000000000000:rule/releases/on-deploy');
  expect(await events.send(new DescribeRuleCommand({Name: 'on-deploy', EventBusName: 'releases'}))).toMatchObject({Arn: arn});
  const missing = {name: 'ResourceNotFoundException'};
  await expect(events.send(new DescribeRuleCommand({Name: 'on-deploy'}))).rejects.toMatchObject({
    ...missing,
    message: 'Rule on-deploy does not exist on EventBus default.',
  });
  await expect(events.send(new ListRulesCommand({EventBusName: 'nowhere'}))).rejects.toMatchObject(missing);
  await expect(events.send(new PutTargetsCommand({Rule: 'nothing', Targets: [target]}))).rejects.toMatchObject(missing);
});

test('EventBridge keeps its limits', async () => {
  const {events, world} = await story();
  world.createRule({name: 'nightly', ScheduleExpression: 'rate(1 day)'});
  const targets = (count: number) => Array.from({length: count}, (_, index) => ({...target, Id: `t${index}`}));

  await expect(events.send(new PutTargetsCommand({Rule: 'nightly', Targets: targets(6)}))).rejects.toMatchObject({
    name: 'LimitExceededException',
  });
  await expect(events.send(new PutTargetsCommand({Rule: 'nightly', Targets: targets(11)}))).rejects.toMatchObject({
    name: 'ValidationException',
  });
  await expect(events.send(new PutRuleCommand({Name: 'idle'}))).rejects.toMatchObject({name: 'ValidationException'});
});
