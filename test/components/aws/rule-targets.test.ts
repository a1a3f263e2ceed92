import {expect, test} from 'vitest';
import {familyTargets, isPinned, newestPin, pointAt} from '../../../src/components/aws/rule-targets.ts';
import type {Rule, RuleTarget} from '../../../src/tools/aws/eventbridge.ts';

const nightly: Rule = {name: 'nightly', bus: 'default'};
const weekly: Rule = {name: 'weekly', bus: 'default'};
const revision = (name: string): string => `arn:aws:ecs:us-east-1:333333333333:task-definition/${name}`;
const starts = (id: string, taskDefinition: string): RuleTarget => ({
  Id: id,
  Arn: 'arn:aws:ecs:us-east-1:333333333333:cluster/pass',
  Input: '{}',
  RetryPolicy: {MaximumRetryAttempts: 2},
  EcsParameters: {TaskDefinitionArn: taskDefinition, TaskCount: 3, LaunchType: 'FARGATE'},
});

/** The targets of each rule. */
const events = (targets: Readonly<Record<string, readonly RuleTarget[]>>) => ({
  aws: {events: {targets: ({name}: Rule) => Promise.resolve(targets[name] ?? [])}},
});

test('of several rules, all targets that start the family are found, and nothing else, in an order of their own', async () => {
  const io = events({
    nightly: [
      starts('loader', revision('loader:7')),
      starts('other', revision('loader-legacy:7')),
      starts('prefixed', revision('my-loader:7')),
      {Id: 'queue', Arn: 'arn:aws:sqs:us-east-1:333333333333:nightly'},
    ],
    weekly: [starts('full', revision('loader:5')), starts('floating', revision('loader'))],
  });

  expect(await familyTargets([nightly, weekly], 'loader', io)).toEqual([
    {rule: nightly, target: 'loader', taskDefinition: revision('loader:7')},
    {rule: weekly, target: 'floating', taskDefinition: revision('loader')},
    {rule: weekly, target: 'full', taskDefinition: revision('loader:5')},
  ]);
});

test('revisions are numbers: 10 is newer than 9', async () => {
  const io = events({
    nightly: [starts('a', revision('loader:9')), starts('b', revision('loader:10')), starts('c', revision('loader'))],
  });
  expect(newestPin(await familyTargets([nightly], 'loader', io))).toBe(revision('loader:10'));
});

test('a target that names no revision is not pinned', () => {
  const pin = (taskDefinition: string) => ({rule: nightly, target: 'loader', taskDefinition});
  expect(isPinned(pin(revision('loader:7')))).toBe(true);
  expect(isPinned(pin(revision('loader')))).toBe(false);
  expect(newestPin([pin(revision('loader'))])).toBeUndefined();
});

test('a target that is pointed elsewhere keeps every other field', () => {
  const before = starts('loader', revision('loader:7'));
  expect(pointAt(before, revision('loader:8'))).toEqual({
    ...before,
    EcsParameters: {...before.EcsParameters, TaskDefinitionArn: revision('loader:8')},
  });
  expect(before).toEqual(starts('loader', revision('loader:7')));
});
