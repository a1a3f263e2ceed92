import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {jsonStrings, replaceStrings} from '../../../src/components/loaders/json-strings.ts';
import {atRevision, parseReference} from '../../../src/components/loaders/reference.ts';
import {machineEntries} from '../../../src/components/loaders/state-machine.ts';
import {scheduleEntries} from '../../../src/components/loaders/schedule.ts';
import {ruleEntries} from '../../../src/components/loaders/rule.ts';
import {sourceOf} from '../../../src/components/loaders/target.ts';
import type {Schedule} from '../../../src/tools/aws/scheduler.ts';

const loader = {service: 'ecs', name: 'loader'} as const;
const job = {service: 'batch', name: 'loader'} as const;
const task = (name: string) => `arn:aws:ecs:us-east-1:333333333333:task-definition/${name}`;
const cluster = 'arn:aws:ecs:us-east-1:333333333333:cluster/pass';

describe('a reference', () => {
  test.each([
    ['arn:aws:batch:us-east-1:333333333333:job-definition/loader:7', {name: 'loader', revision: 7}],
    ['arn:aws:ecs:us-east-1:333333333333:task-definition/loader', {name: 'loader', revision: undefined}],
    ['loader:10', {name: 'loader', revision: 10}],
    ['loader', {name: 'loader', revision: undefined}],
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  test('to another revision keeps its form', () => {
    expect(atRevision(task('loader:7'), 8)).toBe(task('loader:8'));
    expect(atRevision('loader:9', 10)).toBe('loader:10');
    expect(atRevision('loader', 8)).toBe('loader');
  });
});

test('of a rule, all targets that start any revision of it are places, and nothing else is', () => {
  const starts = (Id: string, TaskDefinitionArn: string) => ({Id, Arn: cluster, EcsParameters: {TaskDefinitionArn}});
  const targets = [
    starts('weekly', task('loader:5')),
    starts('prefixed', task('my-loader:7')),
    starts('daily', task('loader:7')),
    starts('legacy', task('loader-legacy:7')),
    starts('floating', task('loader')),
    {Id: 'queue', Arn: 'arn:aws:sqs:us-east-1:333333333333:nightly'},
    {
      Id: 'job',
      Arn: 'arn:aws:batch:us-east-1:333333333333:job-queue/loads',
      BatchParameters: {JobDefinition: 'loader:3', JobName: 'load'},
    },
  ];
  const found = ruleEntries(targets, loader).map(({id, starts}) => [id, starts]);
  expect(found).toEqual([
    ['daily', task('loader:7')],
    ['floating', task('loader')],
    ['weekly', task('loader:5')],
  ]);
  expect(ruleEntries(targets, job).map(({id, starts}) => [id, starts])).toEqual([['job', 'loader:3']]);
});

test('how a rule starts its task is what RunTask is asked for, once', () => {
  const [entry] = ruleEntries(
    [
      {
        Id: 'daily',
        Arn: cluster,
        Input: '{"containerOverrides":[{"name":"loader","command":["--since","last-run"]}]}',
        EcsParameters: {
          TaskDefinitionArn: task('loader:7'),
          TaskCount: 2,
          LaunchType: 'FARGATE',
          NetworkConfiguration: {awsvpcConfiguration: {Subnets: ['subnet-1'], AssignPublicIp: 'DISABLED'}},
          Tags: [{Key: 'project', Value: 'pass'}],
        },
      },
    ],
    loader,
  );
  expect(entry?.launch()).toEqual({
    request: {
      cluster,
      launchType: 'FARGATE',
      networkConfiguration: {awsvpcConfiguration: {subnets: ['subnet-1'], assignPublicIp: 'DISABLED'}},
      tags: [{key: 'project', value: 'pass'}],
      overrides: {containerOverrides: [{name: 'loader', command: ['--since', 'last-run']}]},
    },
  });
});

test('a universal target names the job definition inside of its input', () => {
  const Input = '{"JobName": "load", "JobQueue": "loads", "JobDefinition": "loader:3", "Parameters": {"Since": "yesterday"}}';
  const schedule = (Input: string): Schedule => ({
    Target: {Arn: 'arn:aws:scheduler:::aws-sdk:batch:submitJob', RoleArn: undefined, Input},
  });
  const [entry] = scheduleEntries(schedule(Input), job);
  expect(entry?.starts).toBe('loader:3');
  // What a job is given keeps its names; the settings are spelled as SubmitJob has them.
  expect(entry?.launch()).toEqual({request: {jobQueue: 'loads', parameters: {Since: 'yesterday'}}});
  expect(scheduleEntries(schedule(Input), loader)).toEqual([]);
  expect(scheduleEntries(schedule('no JSON'), job)).toEqual([]);
});

const definition = `{
  "Comment": "Loads    all sources", "StartAt": "Each",
  "States": {
    "Each": {"Type": "Map", "ItemProcessor": {"StartAt": "Load", "States": {
      "Load": {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync",
        "Parameters": {"JobName": "load", "JobQueue": "loads", "JobDefinition": "arn:aws:batch:us-east-1:333333333333:job-definition/loader:3"}, "End": true}
    }}, "Next": "Both"},
    "Both": {"Type": "Parallel", "Branches": [
      {"StartAt": "Run", "States": {"Run": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync",
        "Arguments": {"Cluster": "pass", "LaunchType": "FARGATE", "TaskDefinition": "loader:7"}, "End": true}}},
      {"StartAt": "Run", "States": {"Run": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:batch:submitJob",
        "Parameters": {"JobName.$": "$.name", "JobQueue": "loads", "JobDefinition": "loader:2"}, "End": true}}},
      {"StartAt": "Say", "States": {"Say": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"JobDefinition": "loader:1"}, "End": true}}},
      {"StartAt": "Any", "States": {"Any": {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob",
        "Parameters": {"JobDefinition.$": "$.definition"}, "End": true}}}
    ], "End": true}
  }
}
`;

describe('of a state machine', () => {
  test('the states that submit or run it are places, however deep', () => {
    expect(machineEntries(definition, job).map(({id, starts}) => [id, starts])).toEqual([
      ['Each / Load', 'arn:aws:batch:us-east-1:333333333333:job-definition/loader:3'],
      ['Both / branch 2 / Run', 'loader:2'],
    ]);
    expect(machineEntries(definition, loader).map(({id, starts}) => [id, starts])).toEqual([
      ['Both / branch 1 / Run', 'loader:7'],
    ]);
  });

  test('a state that takes its settings from its input cannot be tried beforehand', () => {
    const [fixed, computed] = machineEntries(definition, job);
    expect(fixed?.launch()).toEqual({request: {jobQueue: 'loads'}});
    expect(computed?.launch()).toEqual({request: {jobQueue: 'loads'}});
    const [run] = machineEntries(definition.replace('"Cluster": "pass"', '"Cluster": "{% $states.input.cluster %}"'), loader);
    expect(run?.launch()).toEqual({problem: 'cluster comes from the input of its execution'});
    const command = '"Cluster": "pass", "Overrides": {"ContainerOverrides": [{"Name": "loader", "Command": ["{% $since %}"]}]}';
    const [inList] = machineEntries(definition.replace('"Cluster": "pass"', command), loader);
    expect(inList?.launch()).toEqual({problem: 'command comes from the input of its execution'});
  });
});

test('only the bytes of a replaced string change', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.nat({max: 4}),
      fc.string(),
      fc.nat(),
      (value, indent, text, pick) => {
        const before = JSON.stringify(value, undefined, indent);
        const strings = jsonStrings('text', before);
        const chosen = strings[pick % Math.max(1, strings.length)];
        if (chosen === undefined) return;
        const after = replaceStrings(before, [{at: chosen, value: text}]);
        expect(after.slice(0, chosen.start)).toBe(before.slice(0, chosen.start));
        expect(after.endsWith(before.slice(chosen.end))).toBe(true);
        expect(jsonStrings('text', after).map(one => one.value)).toEqual(strings.map(one => (one === chosen ? text : one.value)));
      },
    ),
  );
});

test('a rule of a partner’s bus: the bus has slashes in its name, the rule has none', () => {
  expect(sourceOf({rule: 'aws.partner/example.com/shop/nightly'})).toEqual({
    is: 'rule',
    bus: 'aws.partner/example.com/shop',
    name: 'nightly',
  });
});
