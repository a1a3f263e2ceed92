import {CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand} from '@aws-sdk/client-cloudwatch-logs';
import {CreateTargetGroupCommand, RegisterTargetsCommand} from '@aws-sdk/client-elastic-load-balancing-v2';
import {ListServiceDeploymentsCommand} from '@aws-sdk/client-ecs';
import {CreateRoleCommand} from '@aws-sdk/client-iam';
import {expect, onTestFinished, test} from 'vitest';
import {permissions} from '../../src/components/aws/permissions.ts';
import {SERVICES} from '../../src/emulator/routing.ts';
import {moto, startMoto} from '../support/moto.ts';
import {ACCOUNT, LOG, QUESTIONS, ROLE, TARGET_GROUP} from './questions.ts';
import {type Clients, clientsFor, type Story, story} from './story.ts';
import {missing} from './tools.ts';

/** Where the answers differ on purpose. */
const KNOWN_DIFFERENCES: readonly (readonly [difference: RegExp, why: string])[] = [
  [/^ecr:DescribeImages adds \.imageDetails\[\]\.imageStatus/, 'a newer field, which a release looks at'],
  [/^sns:GetTopicAttributes lacks \.Attributes\.DeliveryPolicy/, 'AWS has it only when it was set'],
  [
    /^ecs:\w+ adds \.taskDefinition\.(registered|deregistered|requiresAttributes)/,
    'AWS adds them, and they must not be sent back',
  ],
  [/^ecs:RegisterTaskDefinition adds \.tags/, 'in the API reference'],
  [
    /^ecs:(?:Create|Describe)Services? adds \.services?(?:\[\])?\.(?:createdAt|createdBy|currentServiceRevisions|deploymentConfiguration|enable\w+|(?:deployments\[\]\.)?platform\w+)/,
    'AWS adds them, of a service in full; a release looks at some of them',
  ],
  [/^ecs:DescribeTasks \(missing\) adds \.failures/, 'in the API reference: what is not there is in `failures`'],
  [/^scheduler:GetSchedule.* adds \.ActionAfterCompletion/, 'in the API reference, NONE by default'],
  [/^batch:DescribeJobDefinitions.* adds .*\.containerOrchestrationType/, 'in the API reference, ECS by default'],
  [/^states:DescribeStateMachine adds \.loggingConfiguration\.includeExecutionData/, 'in the API reference, false by default'],
  [/^states:UpdateStateMachine adds \.revisionId/, 'in the API reference: another one each time'],
  [/^states:ListStateMachines adds \.stateMachines\[\]\.type/, 'required in the API reference'],
  [/^logs:DescribeLogStreams lacks .*\.uploadSequenceToken/, 'AWS ignores and deprecates it'],
];

const nothingRolls = 'moto rolls nothing out: no tasks, the old revision stays PRIMARY, and the list is answered 500';

/** What cannot be compared, and why; how these are, the tests of rollouts, scenarios, runs, jobs and permissions say. */
const INCOMPARABLE: Readonly<Record<string, string>> = {
  ListServiceDeployments: nothingRolls,
  DescribeServiceDeployments: nothingRolls,
  DescribeServiceRevisions: nothingRolls,
  StopServiceDeployment: nothingRolls,
  RunTask: 'moto wants instances or subnets of EC2 for it',
  SubmitJob: 'moto wants a compute environment, and starts Docker containers for its jobs',
  ListJobs: 'of jobs that moto cannot be given',
  SimulatePrincipalPolicy: 'moto does not have it',
};

/** What the program never calls: a world is made with it by hand, or looked at by tests. */
const FOR_PEOPLE = [
  'CreateCluster',
  'CreateRepository',
  'CreateSchedule',
  'CreateService',
  'CreateStateMachine',
  'CreateTopic',
  'DeregisterJobDefinition',
  'DeregisterTaskDefinition',
  'DescribeLogStreams',
  'DescribeTargetGroups',
  'ListImages',
  'PutRule',
];

const answered = SERVICES.flatMap(({actions}) => Object.keys(actions));

test('every call that is answered is asked of both, but for what moto cannot answer', () => {
  const asked = new Set(Object.keys(QUESTIONS).map(question => /:(\w+)/.exec(question)?.[1]));
  expect(answered.filter(action => !asked.has(action)).toSorted()).toEqual(Object.keys(INCOMPARABLE).toSorted());
});

test('it answers what the program calls, and hardly anything else', () => {
  const called = new Set(Object.values(permissions).flatMap(table => table.map(({action}) => action.split(':')[1])));
  expect(answered.filter(action => !called.has(action)).toSorted()).toEqual(FOR_PEOPLE);
});

test.skipIf(missing(moto))('the answers have the shapes that moto gives them', {timeout: 120_000}, async () => {
  const {url, stop} = await startMoto();
  onTestFinished(stop);
  const moto = clientsFor(url);
  const emulator = await story({accountId: ACCOUNT});
  await Promise.all([prepareMoto(url, moto), prepareEmulator(emulator)]);

  const differences: string[] = [];
  for (const [question, ask] of Object.entries(QUESTIONS)) {
    const [theirs, ours] = await Promise.all([shapeOf(() => ask(moto)), shapeOf(() => ask(emulator))]);
    differences.push(
      ...theirs.filter(path => !ours.includes(path)).map(path => `${question} lacks ${path}`),
      ...ours.filter(path => !theirs.includes(path)).map(path => `${question} adds ${path}`),
    );
  }
  expect(differences.filter(difference => !KNOWN_DIFFERENCES.some(([known]) => known.test(difference)))).toEqual([]);
  expect(KNOWN_DIFFERENCES.filter(([known]) => !differences.some(difference => known.test(difference)))).toEqual([]);
  await expect(moto.ecs.send(new ListServiceDeploymentsCommand({cluster: 'other', service: 'no'}))).rejects.toMatchObject({
    $response: {statusCode: 500},
  });
});

/** What cannot be made through the calls that are compared: a role, a log, and targets. */
async function prepareMoto(url: string, {iam, logs, elb}: Clients): Promise<void> {
  await iam.send(new CreateRoleCommand({RoleName: ROLE, AssumeRolePolicyDocument: '{}'}));
  await logs.send(new CreateLogGroupCommand({logGroupName: LOG.group}));
  await logs.send(new CreateLogStreamCommand({logGroupName: LOG.group, logStreamName: LOG.stream}));
  const logEvents = ['Starting', 'ERROR no database'].map(message => ({timestamp: Date.now(), message}));
  await logs.send(new PutLogEventsCommand({logGroupName: LOG.group, logStreamName: LOG.stream, logEvents}));
  const {TargetGroups: [group] = []} = await elb.send(
    new CreateTargetGroupCommand({
      Name: TARGET_GROUP,
      Protocol: 'HTTP',
      Port: 80,
      VpcId: await defaultVpc(url),
      TargetType: 'ip',
    }),
  );
  await elb.send(new RegisterTargetsCommand({TargetGroupArn: group?.TargetGroupArn, Targets: [{Id: '10.0.0.1', Port: 80}]}));
}

/** moto makes one when somebody asks; there is no client of EC2 here to ask with. */
async function defaultVpc(url: string): Promise<string | undefined> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {Authorization: 'AWS4-HMAC-SHA256 Credential=any/20260115/us-east-1/ec2/aws4_request'},
    body: new URLSearchParams({Action: 'DescribeVpcs', Version: '2016-11-15'}),
  });
  return /<vpcId>([^<]+)</.exec(await answer.text())?.[1];
}

async function prepareEmulator({world}: Story): Promise<void> {
  world.writeLog(LOG, ['Starting', 'ERROR no database']);
  const targetGroup = world.createTargetGroup({name: TARGET_GROUP});
  world.registerTaskDefinition({family: 'behind', containerDefinitions: [{name: 'app', image: 'web:1'}]});
  world.createService({cluster: 'main', service: 'behind', taskDefinition: 'behind', desiredCount: 1, targetGroup});
}

/** The paths and types of everything in an answer, or in an error; values do not matter. */
async function shapeOf(ask: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    return paths(await ask(), '');
  } catch (error) {
    if (!(error instanceof Error && '$fault' in error)) throw error;
    return [`error ${error.name} of the ${String(error.$fault)}`];
  }
}

function paths(value: unknown, at: string): string[] {
  if (value === undefined) return [];
  if (value instanceof Date) return [`${at}: date`];
  if (typeof value !== 'object' || value === null) return [`${at}: ${typeof value}`];
  if (Array.isArray(value)) return [...new Set(value.flatMap(item => paths(item, `${at}[]`)))];
  return Object.entries(value)
    .filter(([key]) => key !== '$metadata')
    .flatMap(([key, child]) => paths(child, `${at}.${key}`));
}
