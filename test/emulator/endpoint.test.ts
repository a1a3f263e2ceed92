import {DescribeJobDefinitionsCommand} from '@aws-sdk/client-batch';
import {DescribeLogStreamsCommand} from '@aws-sdk/client-cloudwatch-logs';
import {DescribeServicesCommand, ListTaskDefinitionsCommand, RegisterTaskDefinitionCommand} from '@aws-sdk/client-ecs';
import {DescribeTargetGroupsCommand} from '@aws-sdk/client-elastic-load-balancing-v2';
import {GetRoleCommand} from '@aws-sdk/client-iam';
import {ListSchedulesCommand} from '@aws-sdk/client-scheduler';
import {ListStateMachinesCommand} from '@aws-sdk/client-sfn';
import {DescribeRepositoriesCommand} from '@aws-sdk/client-ecr';
import {ListRulesCommand} from '@aws-sdk/client-eventbridge';
import {ListTopicsCommand, PublishCommand} from '@aws-sdk/client-sns';
import {GetCallerIdentityCommand} from '@aws-sdk/client-sts';
import {expect, test} from 'vitest';
import {startEmulator} from '../../src/emulator/index.ts';
import {clientsFor, NOON, story, type Story} from './story.ts';

/** One harmless call to each service. */
const oneOfEach = ({ecs, ecr, events, sns, sts, scheduler, batch, states, logs, elb, iam}: Story) => [
  batch.send(new DescribeJobDefinitionsCommand({})),
  ecr.send(new DescribeRepositoriesCommand({})),
  ecs.send(new DescribeServicesCommand({services: ['web']})),
  elb.send(new DescribeTargetGroupsCommand({})),
  events.send(new ListRulesCommand({})),
  iam.send(new GetRoleCommand({RoleName: 'release-manager'})),
  logs.send(new DescribeLogStreamsCommand({logGroupName: 'any'})),
  scheduler.send(new ListSchedulesCommand({})),
  sns.send(new ListTopicsCommand({})),
  states.send(new ListStateMachinesCommand({})),
  sts.send(new GetCallerIdentityCommand({})),
];

/** A world in which all of them succeed. */
function furnish({world}: Story): void {
  world.createCluster('default');
  world.writeLog({group: 'any', stream: 'any'}, ['any']);
}

const outcomes = (calls: readonly Promise<unknown>[]): Promise<unknown[]> =>
  Promise.all(
    calls.map(call =>
      call.then(
        () => 'ok',
        (error: unknown) => (error instanceof Error ? error.name : error),
      ),
    ),
  );

const task = new RegisterTaskDefinitionCommand({family: 'web', containerDefinitions: [{name: 'app', image: 'web:1'}]});

test('who am I: the release manager of the account', async () => {
  const {sts} = await story({accountId: '123456789012'});
  expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: '123456789012',
    Arn: 'arn:aws:sts::123456789012:assumed-role/release-manager/demo',
  });
});

test('all services answer on one port, and every call is written down', async () => {
  const told = await story();
  furnish(told);
  expect(new Set(await outcomes(oneOfEach(told)))).toEqual(new Set(['ok']));
  expect(told.calls.map(({service, action}) => `${service}:${action}`).toSorted()).toEqual([
    'batch:DescribeJobDefinitions',
    'ecr:DescribeRepositories',
    'ecs:DescribeServices',
    'elasticloadbalancing:DescribeTargetGroups',
    'events:ListRules',
    'iam:GetRole',
    'logs:DescribeLogStreams',
    'scheduler:ListSchedules',
    'sns:ListTopics',
    'states:ListStateMachines',
    'sts:GetCallerIdentity',
  ]);
});

test('only the latest thousand calls are kept', async () => {
  const {sts, calls} = await story();
  await Promise.all(Array.from({length: 1010}, () => sts.send(new GetCallerIdentityCommand({}))));
  expect(calls).toHaveLength(1000);
});

test("every answer carries AWS's time and a request id", async () => {
  const {url} = await story();
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'X-Amz-Target': 'AmazonEC2ContainerServiceV20141113.DescribeClusters',
      'Content-Type': 'application/x-amz-json-1.1',
    },
    body: '{}',
  });
  expect(answer.headers.get('date')).toBe(new Date(NOON).toUTCString());
  expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
});

test.each([
  ['ahead', {clockSkewSeconds: 600}, 600_000],
  ['behind', 'clock-skew', -300_000],
] as const)("AWS's clock can be %s of ours", async (_, scenario, skew) => {
  const {url, ecs} = await story({scenario});
  const answer = await fetch(url, {method: 'POST', body: 'Action=GetCallerIdentity&Version=2011-06-15'});
  const {taskDefinition} = await ecs.send(task);
  expect(answer.headers.get('date')).toBe(new Date(NOON + skew).toUTCString());
  expect(taskDefinition?.registeredAt?.getTime()).toBe(NOON + skew);
});

test('a call that the endpoint does not know says so', async () => {
  const {url} = await story();
  const ask = (headers: Record<string, string>, body: string) =>
    fetch(url, {method: 'POST', headers, body}).then(answer => answer.text());

  expect(await ask({'X-Amz-Target': 'AmazonEC2ContainerServiceV20141113.DeleteCluster'}, '{}')).toContain(
    'does not know ecs:DeleteCluster',
  );
  expect(await ask({'X-Amz-Target': 'AmazonEC2ContainerServiceV20141113.constructor'}, '{}')).toContain(
    'UnknownOperationException',
  );
  expect(await ask({'X-Amz-Target': 'DynamoDB_20120810.ListTables'}, '{}')).toContain('UnknownOperationException');
  expect(await ask({'X-Amz-Target': 'AWSEvents.ListRules'}, '{not json')).toContain('SerializationException');
  expect(await ask({}, 'Action=DeleteTopic&Version=2010-03-31')).toContain('<Code>InvalidAction</Code>');
  expect(await ask({}, '__proto__.polluted=1&Action=ListTopics&Version=2010-03-31')).toContain('<ListTopicsResult>');
  expect(await ask({}, 'hello')).toContain('MissingAction');
  const lost = await fetch(`${url}/v1/deletejobqueue`, {method: 'POST', body: '{}'});
  expect([lost.status, await lost.text()]).toEqual([404, expect.stringContaining('POST /v1/deletejobqueue')]);
  expect({}).not.toHaveProperty('polluted');
});

test('credentials that have expired stop every call, until they are renewed', async () => {
  const told = await story();
  furnish(told);
  told.world.expireCredentials();
  const [json, query] = ['ExpiredTokenException', 'ExpiredToken'];
  const answers = [json, json, json, query, json, query, json, json, query, json, query];
  expect(await outcomes(oneOfEach(told))).toEqual(answers);

  told.world.renewCredentials();
  expect(new Set(await outcomes(oneOfEach(told)))).toEqual(new Set(['ok']));
});

test('in the throttled scenario every fifth call is turned away', async () => {
  const {ecs, sns, world} = await story({scenario: 'throttled'});
  world.createCluster('default');
  const described: unknown[] = [];
  for (let call = 0; call < 10; call += 1)
    described.push(...(await outcomes([ecs.send(new DescribeServicesCommand({services: ['web']}))])));
  expect(described.filter(outcome => outcome === 'ThrottlingException')).toHaveLength(2);

  for (let call = 0; call < 4; call += 1) await sns.send(new ListTopicsCommand({}));
  await expect(sns.send(new ListTopicsCommand({}))).rejects.toMatchObject({name: 'Throttling', message: 'Rate exceeded'});
});

test.each([
  ['scheduler', 'ThrottlingException'],
  ['batch', 'TooManyRequestsException'],
  ['states', 'ThrottlingException'],
  ['elb', 'Throttling'],
  ['logs', 'ThrottlingException'],
] as const)('throttled, %s answers %s', async (service, code) => {
  const told = await story();
  furnish(told);
  told.world.fail({kind: 'throttle'});
  const call = {
    scheduler: () => told.scheduler.send(new ListSchedulesCommand({})),
    batch: () => told.batch.send(new DescribeJobDefinitionsCommand({})),
    states: () => told.states.send(new ListStateMachinesCommand({})),
    elb: () => told.elb.send(new DescribeTargetGroupsCommand({})),
    logs: () => told.logs.send(new DescribeLogStreamsCommand({logGroupName: 'any'})),
  }[service];
  expect(await outcomes([call()])).toEqual([code]);
});

test('in the lost-answer scenario what changes something is done, and its first answer lost; what only looks is answered', async () => {
  const {ecs, sns, world} = await story({scenario: 'lost-answer'});
  const TopicArn = world.createTopic({name: 'pass-deploy'});
  const lost: boolean[] = [];
  for (let call = 0; call < 11; call += 1) {
    const [outcome] = await outcomes([ecs.send(task)]);
    lost.push(outcome !== 'ok');
    await ecs.send(new ListTaskDefinitionsCommand({}));
  }
  expect(lost.flatMap((isLost, call) => (isLost ? [call] : []))).toEqual([0, 5, 10]);
  expect((await ecs.send(new ListTaskDefinitionsCommand({}))).taskDefinitionArns).toHaveLength(11);

  await expect(sns.send(new PublishCommand({TopicArn, Message: 'deploy'}))).rejects.toMatchObject({code: 'ECONNRESET'});
  expect(world.published).toHaveLength(1);
});

test('in the flaky scenario every fifth call is throttled, fails, or takes its time, in turn', async () => {
  const {sts} = await story({scenario: 'flaky', speed: 100});
  const told: unknown[] = [];
  for (let call = 0; call < 15; call += 1) {
    const before = performance.now();
    const [outcome] = await outcomes([sts.send(new GetCallerIdentityCommand({}))]);
    told.push(outcome === 'ok' && performance.now() - before >= 50 ? 'slow' : outcome);
  }
  expect([told[4], told[9], told[14]]).toEqual(['Throttling', 'InternalFailure', 'slow']);
  expect(told.filter(outcome => outcome === 'Throttling' || outcome === 'InternalFailure')).toHaveLength(2);
});

test('an error of one’s own is answered as it was said', async () => {
  const {ecs, world} = await story();
  const kind = {
    code: 'ClientException',
    message: 'Too many concurrent attempts to create a new revision of the specified family.',
  };
  world.fail({action: 'RegisterTaskDefinition', kind});
  await expect(ecs.send(task)).rejects.toMatchObject({name: kind.code, message: kind.message});
  expect((await ecs.send(task)).taskDefinition?.revision).toBe(1);
});

test('a fault hits the calls that it is meant for, and only so many of them', async () => {
  const {ecs, sts, world} = await story();
  world.fail({action: 'RegisterTaskDefinition', times: 2, kind: 'throttle'});

  expect(await outcomes([sts.send(new GetCallerIdentityCommand({}))])).toEqual(['ok']);
  expect(await outcomes([ecs.send(task)])).toEqual(['ThrottlingException']);
  expect(await outcomes([ecs.send(task)])).toEqual(['ThrottlingException']);
  expect((await ecs.send(task)).taskDefinition?.revision).toBe(1);
});

test('after a 500 nothing has happened', async () => {
  const {ecs, world} = await story();
  world.fail({kind: '500'});
  expect(await outcomes([ecs.send(task)])).toEqual(['ServerException']);
  expect((await ecs.send(task)).taskDefinition?.revision).toBe(1);
});

test.each([
  ['reset', 'nothing', 1],
  ['lost-answer', 'everything', 2],
] as const)('a connection is cut (%s): %s has happened, and the caller cannot tell', async (kind, _, revision) => {
  const {ecs, world} = await story();
  world.fail({kind});
  await expect(ecs.send(task)).rejects.toMatchObject({code: 'ECONNRESET'});
  expect((await ecs.send(task)).taskDefinition?.revision).toBe(revision);
});

test('a default client sends a Publish again after a lost answer: the doubled effect that the wizard must avoid', async () => {
  const {url, world} = await story();
  const TopicArn = world.createTopic({name: 'pass-deploy'});
  const client = clientsFor(url, {maxAttempts: 3}).sns;
  world.fail({action: 'Publish', kind: 'lost-answer'});
  await client.send(new PublishCommand({TopicArn, Message: 'deploy'}));
  expect(world.published).toHaveLength(2);
});

test('two emulators live side by side, and closing one ends it', async () => {
  const first = await startEmulator();
  const second = await startEmulator({accountId: '222222222222'});
  try {
    first.world.createTopic({name: 'mine'});
    expect((await clientsFor(second.url).sns.send(new ListTopicsCommand({}))).Topics ?? []).toEqual([]);
    await first.close();
    await expect(fetch(first.url)).rejects.toThrow();
  } finally {
    await second.close();
  }
});
