import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {CreateRepositoryCommand, DescribeImagesCommand, PutImageCommand} from '@aws-sdk/client-ecr';
import {DescribeTaskDefinitionCommand, RegisterTaskDefinitionCommand} from '@aws-sdk/client-ecs';
import {DescribeRuleCommand, ListTargetsByRuleCommand, PutRuleCommand, PutTargetsCommand} from '@aws-sdk/client-eventbridge';
import {CreateTopicCommand, GetTopicAttributesCommand, PublishCommand} from '@aws-sdk/client-sns';
import {GetCallerIdentityCommand} from '@aws-sdk/client-sts';
import {expect, onTestFinished, test} from 'vitest';
import {type Clients, clientsFor, story} from './story.ts';
import {missing} from './tools.ts';

const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: {mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2},
  layers: [],
});

const MOTO = 'moto_server';

/** What is asked of both, in this order. */
const QUESTIONS: Readonly<Record<string, (clients: Clients) => Promise<unknown>>> = {
  'sts:GetCallerIdentity': ({sts}) => sts.send(new GetCallerIdentityCommand({})),

  'ecr:CreateRepository': ({ecr}) => ecr.send(new CreateRepositoryCommand({repositoryName: 'web'})),
  'ecr:PutImage': ({ecr}) => ecr.send(new PutImageCommand({repositoryName: 'web', imageManifest: manifest, imageTag: '1.0.0'})),
  'ecr:DescribeImages': ({ecr}) => ecr.send(new DescribeImagesCommand({repositoryName: 'web', imageIds: [{imageTag: '1.0.0'}]})),
  'ecr:DescribeImages (missing)': ({ecr}) =>
    ecr.send(new DescribeImagesCommand({repositoryName: 'web', imageIds: [{imageTag: 'no'}]})),

  'sns:CreateTopic': ({sns}) => sns.send(new CreateTopicCommand({Name: 'deploys'})),
  'sns:GetTopicAttributes': ({sns}) => sns.send(new GetTopicAttributesCommand({TopicArn: topic('deploys')})),
  'sns:Publish': ({sns}) => sns.send(new PublishCommand({TopicArn: topic('deploys'), Message: 'deploy'})),
  'sns:GetTopicAttributes (missing)': ({sns}) => sns.send(new GetTopicAttributesCommand({TopicArn: topic('no')})),

  'events:PutRule': ({events}) => events.send(new PutRuleCommand({Name: 'nightly', ScheduleExpression: 'rate(1 day)'})),
  'events:PutTargets': ({events}) =>
    events.send(
      new PutTargetsCommand({Rule: 'nightly', Targets: [{Id: 'load', Arn: 'arn:aws:sqs:us-east-1:123456789012:load'}]}),
    ),
  'events:DescribeRule': ({events}) => events.send(new DescribeRuleCommand({Name: 'nightly'})),
  'events:ListTargetsByRule': ({events}) => events.send(new ListTargetsByRuleCommand({Rule: 'nightly'})),
  'events:DescribeRule (missing)': ({events}) => events.send(new DescribeRuleCommand({Name: 'no'})),

  'ecs:RegisterTaskDefinition': ({ecs}) =>
    ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'web',
        networkMode: 'awsvpc',
        cpu: '256',
        memory: '512',
        requiresCompatibilities: ['FARGATE'],
        tags: [{key: 'team', value: 'pass'}],
        containerDefinitions: [{name: 'app', image: 'web:1'}],
      }),
    ),
  'ecs:DescribeTaskDefinition': ({ecs}) =>
    ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'web', include: ['TAGS']})),
  'ecs:DescribeTaskDefinition (missing)': ({ecs}) => ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'no'})),
};

const topic = (name: string): string => `arn:aws:sns:us-east-1:123456789012:${name}`;

/** Where the answers differ on purpose. */
const KNOWN_DIFFERENCES: readonly (readonly [difference: RegExp, why: string])[] = [
  [/^ecr:DescribeImages adds \.imageDetails\[\]\.imageStatus$/, 'a newer field, which a release looks at'],
  [/^sns:GetTopicAttributes lacks \.Attributes\.DeliveryPolicy$/, 'AWS has it only when it was set'],
  [/^ecs:\w+ adds \.taskDefinition\.(registered|requiresAttributes)/, 'AWS adds them, and they must not be sent back'],
  [/^ecs:RegisterTaskDefinition adds \.tags/, 'in the API reference'],
];

test.skipIf(missing(MOTO))('the answers have the shapes that moto gives them', {timeout: 120_000}, async () => {
  const moto = clientsFor(await startMoto());
  const emulator = await story({accountId: '123456789012'});

  const differences: string[] = [];
  for (const [question, ask] of Object.entries(QUESTIONS)) {
    const [theirs, ours] = await Promise.all([shapeOf(() => ask(moto)), shapeOf(() => ask(emulator))]);
    differences.push(
      ...theirs.filter(path => !ours.includes(path)).map(path => `${question} lacks ${path}`),
      ...ours.filter(path => !theirs.includes(path)).map(path => `${question} adds ${path}`),
    );
  }
  expect(differences.filter(difference => !KNOWN_DIFFERENCES.some(([known]) => known.test(difference)))).toEqual([]);
});

/** The paths of everything in an answer, or in an error; values do not matter. */
async function shapeOf(ask: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    return paths(await ask(), '');
  } catch (error) {
    if (!(error instanceof Error && '$fault' in error)) throw error;
    return [`error ${error.name} of the ${String(error.$fault)}`];
  }
}

function paths(value: unknown, at: string): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value === undefined ? [] : [at];
  if (Array.isArray(value)) return [...new Set(value.flatMap(item => paths(item, `${at}[]`)))];
  return Object.entries(value)
    .filter(([key]) => key !== '$metadata')
    .flatMap(([key, child]) => paths(child, `${at}.${key}`));
}

/** moto on a port of its own choice, which it says when it listens; gone when the test is over. */
async function startMoto(): Promise<string> {
  const server = spawn(MOTO, ['-H', '127.0.0.1', '-p', '0'], {stdio: ['ignore', 'pipe', 'pipe'], detached: true});
  onTestFinished(() => stop(server));
  let said = '';
  for await (const chunk of server.stderr.setEncoding('utf8')) {
    said += String(chunk);
    const url = /Running on (http:\S+)/.exec(said)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`moto_server ended before it listened: ${said}`);
}

/** The whole group: what is on the PATH may be a wrapper around moto. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return;
  const ended = once(server, 'exit');
  process.kill(-server.pid, 'SIGTERM');
  await ended;
}
