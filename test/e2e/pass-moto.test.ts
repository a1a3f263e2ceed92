/** PASS with everything but ECS on moto, a second opinion on what AWS takes and keeps (facts/aws.md says what moto does not do). */
import {BatchGetImageCommand, CreateRepositoryCommand, ECRClient, PutImageCommand} from '@aws-sdk/client-ecr';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {EventBridgeClient, PutRuleCommand, PutTargetsCommand, type Target} from '@aws-sdk/client-eventbridge';
import {CreateTopicCommand, SNSClient, SubscribeCommand} from '@aws-sdk/client-sns';
import {CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient} from '@aws-sdk/client-sqs';
import {expect, onTestFinished, test} from 'vitest';
import {serveVersion} from '../../src/commands/demo/web.ts';
import {startEmulator} from '../../src/emulator/index.ts';
import {
  before,
  cluster,
  componentOf,
  credentials,
  definitionOf,
  ends,
  environment,
  everythingOn,
  families,
  image,
  loaderTarget,
  loaders,
  passConfig,
  type Place,
  registration,
  released,
  repositories,
  seedEcs,
  services,
  standing,
  targetsOf,
  taskDefinitionArn,
  workplace,
} from '../support/pass.ts';
import {type RunRecord, eventsOf, until} from '../support/program.ts';
import {part, requires} from '../support/requires.ts';

/** The one account that moto knows. Regions keep the tests apart: it is shared. */
const motoAccount = '123456789012';

requires('moto')('PASS on moto', () => {
  test('a release sends one message and moves everything, with nothing else changed, once', async () => {
    const at = {account: motoAccount, region: 'eu-west-1'};
    const emulator = await startEmulator({speed: 20, accountId: at.account, region: at.region});
    onTestFinished(() => emulator.close());
    const {ecs, ...rest} = clientsOf(at, {ecs: emulator.url});
    seedEcs(emulator.world, at);
    await copyImages(clientsOf(at, {ecr: emulator.url}).ecr, rest.ecr);
    const queue = await seedMessaging(rest);
    const untouched = await seedRules(rest.events, at);
    const web = await serveVersion(async () => ((await depth(rest.sqs, queue)) > 0 ? released : before));
    onTestFinished(() => web.close());
    const pass = await workplace(passConfig(web.url, at), {
      ...credentials,
      AWS_ENDPOINT_URL: part('moto').url,
      AWS_ENDPOINT_URL_ECS: emulator.url,
    });
    const world = {ecs, events: rest.events};
    const rulesBefore = await allTargets(rest.events);

    expect(await pass.release()).toMatchObject({exitCode: 0, stdout: expect.stringContaining('6 of 6 components on 1.14.0')});

    // The subscriber has one message, and in it what PASS agreed on.
    expect(await messagesIn(rest.sqs, queue)).toEqual([
      {action: 'DeployStart', commitRef: released, deployEnv: 'Production', imageTag: released},
    ]);
    // One new revision of each family, all of them in use, each differing from the old one in the tag of one image.
    expect(await ownStanding(world)).toEqual(everythingOn(2));
    for (const family of families) {
      const [old, now] = await Promise.all([definitionOf(ecs, `${family}:1`), definitionOf(ecs, `${family}:2`)]);
      expect(now).toEqual(withTag(old, family, at));
      expect(old['tags']).toHaveLength(2);
    }
    // Every target is as it was but for the revision; what is not PASS's is as it was.
    expect(await allTargets(rest.events)).toEqual(rulesBefore.map(([rule, targets]) => [rule, targets.map(moved)]));
    expect(await targetsOf(rest.events, untouched.rule)).toEqual(untouched.targets);
    expectOrder(await pass.record());

    // Once more: nothing to do.
    const calls = emulator.calls.filter(({action}) => action.startsWith('Register') || action.startsWith('Update')).length;
    expect(await pass.release()).toMatchObject({exitCode: 0, stdout: expect.stringContaining('nothing to do')});
    expect(await depth(rest.sqs, queue)).toBe(1);
    expect(await ownStanding(world)).toEqual(everythingOn(2));
    expect(emulator.calls.filter(({action}) => action.startsWith('Register') || action.startsWith('Update'))).toHaveLength(calls);

    // An audit agrees, until somebody moves something by hand.
    const audit = () => pass.run('audit', released, '--env', environment);
    expect(await audit()).toMatchObject({exitCode: 0, stdout: expect.stringContaining('Everything is as the record says')});

    const [target] = await targetsOf(rest.events, 'grant-nightly');
    const byHand = {
      ...target,
      EcsParameters: {...target?.EcsParameters, TaskDefinitionArn: taskDefinitionArn('jhu-grant-loader:1', at)},
    };
    await rest.events.send(new PutTargetsCommand({Rule: 'grant-nightly', Targets: [{Id: 'loader', Arn: '', ...byHand}]}));
    expect(await audit()).toMatchObject({
      exitCode: 5,
      stdout: expect.stringMatching(
        /rule grant-nightly starts jhu-grant-loader:2: target loader starts jhu-grant-loader:1[^]*\n1 check failed/,
      ),
    });

    await ecs.send(new UpdateServiceCommand({cluster, service: 'deposit-services', taskDefinition: 'deposit-services:1'}));
    await ecs.send(new UpdateServiceCommand({cluster, service: 'notification-services', desiredCount: 0}));
    const isThere = async () => {
      const {services: found = []} = await ecs.send(new DescribeServicesCommand({cluster, services: services.map(({id}) => id)}));
      return found.every(({deployments = []}) => deployments.every(({rolloutState}) => rolloutState === 'COMPLETED'));
    };
    await until(isThere, 'both services to be as they were told to be');
    expect(await audit()).toMatchObject({
      exitCode: 5,
      stdout: expect.stringMatching(
        /deposit-services:2: another deployment took over: it runs deposit-services:1[^]*notification-services:2: it is scaled to zero[^]*\n3 checks failed/,
      ),
    });
  });

  test('moto keeps what is registered, updated and moved, with ECS on it, too', async () => {
    const at = {account: motoAccount, region: 'eu-central-1'};
    const {ecs, events, ecr, sqs, sns} = clientsOf(at, {});
    await seedImages(ecr);
    await seedEcsOf(ecs, at);
    const queue = await seedMessaging({sqs, sns});
    await seedRules(events, at);
    const web = await serveVersion(async () => ((await depth(sqs, queue)) > 0 ? released : before));
    onTestFinished(() => web.close());
    const config = passConfig(web.url, at);
    for (const {id} of services) componentOf(config, id)['verify'] = {within: '1s'};
    const pass = await workplace(config, {...credentials, AWS_ENDPOINT_URL: part('moto').url});
    const rulesBefore = await allTargets(events);

    // In moto no service ever gets steady: nobody knows what became of the rollouts.
    const ended = await pass.release();
    expect(ended.exitCode).toBe(7);
    expect(ends(await pass.record())).toEqual({
      'pass-core': 'verified',
      'deposit-services': 'unknown',
      'notification-services': 'unknown',
      'grant-loader': 'verified',
      'journal-loader': 'verified',
      'nihms-loader': 'verified',
    });

    expect(await messagesIn(sqs, queue)).toHaveLength(1);
    expect(await ownStanding({ecs, events})).toEqual(everythingOn(2));
    for (const family of families) {
      const [old, now] = await Promise.all([definitionOf(ecs, `${family}:1`), definitionOf(ecs, `${family}:2`)]);
      expect(now).toEqual(withTag(old, family, at));
      expect(old['tags']).toHaveLength(2);
    }
    expect(await allTargets(events)).toEqual(rulesBefore.map(([rule, targets]) => [rule, targets.map(moved)]));
  });
});

// ── what there is before ─────────────────────────────────────────────────────────────────────────────

type Clients = ReturnType<typeof clientsOf>;

function clientsOf({region}: Place, endpoints: {readonly ecs?: string; readonly ecr?: string}) {
  const moto = part('moto').url;
  const config = (endpoint: string) => ({
    endpoint,
    region,
    credentials: {accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY},
  });
  const clients = {
    ecr: new ECRClient(config(endpoints.ecr ?? moto)),
    ecs: new ECSClient(config(endpoints.ecs ?? moto)),
    events: new EventBridgeClient(config(moto)),
    sns: new SNSClient(config(moto)),
    sqs: new SQSClient(config(moto)),
  };
  onTestFinished(() => Object.values(clients).forEach(client => client.destroy()));
  return clients;
}

/** The same images under the same digests, so that what ECS runs is what ECR names. */
async function copyImages(from: ECRClient, to: ECRClient): Promise<void> {
  for (const repositoryName of repositories) {
    await to.send(new CreateRepositoryCommand({repositoryName}));
    const imageIds = [before, released].map(imageTag => ({imageTag}));
    const {images = []} = await from.send(new BatchGetImageCommand({repositoryName, imageIds}));
    for (const {imageId, imageManifest} of images) {
      await to.send(
        new PutImageCommand({repositoryName, imageManifest, imageTag: imageId?.imageTag, imageDigest: imageId?.imageDigest}),
      );
    }
  }
}

async function seedImages(ecr: ECRClient): Promise<void> {
  for (const repositoryName of repositories) {
    await ecr.send(new CreateRepositoryCommand({repositoryName}));
    for (const imageTag of [before, released]) {
      const manifest = {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: {mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2},
        layers: [],
        annotations: {'org.opencontainers.image.version': imageTag},
      };
      await ecr.send(new PutImageCommand({repositoryName, imageTag, imageManifest: JSON.stringify(manifest)}));
    }
  }
}

async function seedEcsOf(ecs: ECSClient, at: Place): Promise<void> {
  await ecs.send(new CreateClusterCommand({clusterName: cluster}));
  for (const {id, container, image: repository, tasks} of services) {
    await ecs.send(new RegisterTaskDefinitionCommand(registration(id, container, image(repository, before, at))));
    // moto takes a service for rolled out that was created without tasks.
    await ecs.send(new CreateServiceCommand({cluster, serviceName: id, taskDefinition: `${id}:1`, desiredCount: 0}));
    await ecs.send(new UpdateServiceCommand({cluster, service: id, desiredCount: tasks}));
  }
  for (const {family} of loaders)
    await ecs.send(new RegisterTaskDefinitionCommand(registration(family, 'loader', image(family, before, at))));
}

/** The topic, and a queue subscribed to it. Gives the queue's URL. */
async function seedMessaging({sns, sqs}: Pick<Clients, 'sns' | 'sqs'>): Promise<string> {
  const {TopicArn} = await sns.send(new CreateTopicCommand({Name: 'pass-deploy'}));
  const {QueueUrl = ''} = await sqs.send(new CreateQueueCommand({QueueName: 'pass-core'}));
  const {Attributes} = await sqs.send(new GetQueueAttributesCommand({QueueUrl, AttributeNames: ['QueueArn']}));
  await sns.send(new SubscribeCommand({TopicArn, Protocol: 'sqs', Endpoint: Attributes?.['QueueArn']}));
  return QueueUrl;
}

/** The loaders' rules; one of them starts another family's task, too; and one rule that is none of PASS's. */
async function seedRules(events: EventBridgeClient, at: Place): Promise<{rule: string; targets: readonly Target[]}> {
  const mailer = loaderTarget('mailer', taskDefinitionArn('report-mailer:3', at));
  for (const {family, rule, schedule} of loaders) {
    const loader = loaderTarget('loader', taskDefinitionArn(`${family}:1`, at));
    await events.send(new PutRuleCommand({Name: rule, ScheduleExpression: schedule}));
    await events.send(new PutTargetsCommand({Rule: rule, Targets: rule === 'nihms-weekly' ? [mailer, loader] : [loader]}));
  }
  await events.send(new PutRuleCommand({Name: 'backup-nightly', ScheduleExpression: 'rate(1 day)'}));
  // Of a PASS family, but of a rule that the config does not name.
  await events.send(
    new PutTargetsCommand({
      Rule: 'backup-nightly',
      Targets: [loaderTarget('backup', taskDefinitionArn('pass-nihms-loader:1', at))],
    }),
  );
  return {rule: 'backup-nightly', targets: await targetsOf(events, 'backup-nightly')};
}

// ── what there is after ──────────────────────────────────────────────────────────────────────────────

async function depth(sqs: SQSClient, QueueUrl: string): Promise<number> {
  const {Attributes} = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  const counts = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  return counts.reduce((sum, name) => sum + Number(Attributes?.[name] ?? 0), 0);
}

/** What PASS's subscriber reads: out of the queue, out of SNS' envelope. The messages stay in the queue. */
async function messagesIn(sqs: SQSClient, QueueUrl: string): Promise<readonly unknown[]> {
  const {Messages = []} = await sqs.send(new ReceiveMessageCommand({QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0}));
  return Messages.map(({Body = ''}) => {
    const {Message}: {Message: string} = JSON.parse(Body);
    return JSON.parse(Message);
  });
}

/** Without the other family's target. */
async function ownStanding(world: Parameters<typeof standing>[0]) {
  const {rules, ...rest} = await standing(world);
  const own = Object.entries(rules).map(([rule, starts]) => [rule, starts.filter(one => !one.startsWith('report-mailer'))]);
  return {...rest, rules: Object.fromEntries(own)};
}

async function allTargets(events: EventBridgeClient): Promise<(readonly [string, readonly Target[]])[]> {
  return Promise.all(loaders.map(async ({rule}) => [rule, await targetsOf(events, rule)] as const));
}

/** A loader's target as the release leaves it; another family's as it was. */
function moved(target: Target): Target {
  const {TaskDefinitionArn = '', ...rest} = target.EcsParameters ?? {};
  const isOwn = !TaskDefinitionArn.includes('report-mailer');
  return isOwn ? {...target, EcsParameters: {...rest, TaskDefinitionArn: TaskDefinitionArn.replace(/:1$/, ':2')}} : target;
}

/** The definition with the released tag at its first container, which is the one that carries PASS's version. */
function withTag(definition: Readonly<Record<string, unknown>>, family: string, at: Place): Readonly<Record<string, unknown>> {
  const repository = services.find(({id}) => id === family)?.image ?? family;
  const text = JSON.stringify(definition);
  expect(text.split(image(repository, before, at))).toHaveLength(2);
  return {...JSON.parse(text.replace(image(repository, before, at), image(repository, released, at)))};
}

/** Nothing of what needs pass-core was touched before it was seen to run the new version. */
function expectOrder(record: RunRecord): void {
  const verified = eventsOf(record, 'job.succeeded').find(({job}) => job.component === 'pass-core' && job.phase === 'verify');
  const intents = eventsOf(record, 'intent');
  expect(intents[0]).toMatchObject({step: 'publish', job: {component: 'pass-core'}});
  expect(intents.slice(1).every(({seq}) => seq > (verified?.seq ?? Infinity))).toBe(true);
  expect(intents).toHaveLength(1 + 2 * services.length + 2 * loaders.length);
}
