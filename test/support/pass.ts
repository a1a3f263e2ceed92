/**
 * PASS, as its deployment article has it: a topic, two services, three scheduled loaders. On the embedded endpoint, with a real
 * application behind the topic, a config file, and an environment in which the real program runs.
 */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient, ListTaskDefinitionsCommand} from '@aws-sdk/client-ecs';
import {EventBridgeClient, ListTargetsByRuleCommand, type Target} from '@aws-sdk/client-eventbridge';
import {onTestFinished} from 'vitest';
import {stringify} from 'yaml';
import {serveVersion} from '../../src/commands/demo/web.ts';
import {type Emulator, type EmulatorOptions, type World, startEmulator} from '../../src/emulator/index.ts';
import {
  type Ended,
  type ProgramEnv,
  type Records,
  type RunRecord,
  type RunningProgram,
  eventsOf,
  runProgram,
  startProgram,
  theRecord,
} from './program.ts';

export const before = '1.13.2';
export const released = '1.14.0';
export const account = '333333333333';
export const region = 'us-east-1';
export const cluster = 'pass';
export const environment = 'production';

/** Name of the component and of the service, its container and its image. */
export const services = [
  {id: 'deposit-services', container: 'deposit-services-core', image: 'deposit-services-core', tasks: 2},
  {id: 'notification-services', container: 'notification', image: 'pass-notification-service', tasks: 1},
] as const;

export const loaders = [
  {id: 'grant-loader', family: 'jhu-grant-loader', rule: 'grant-nightly', schedule: 'cron(0 3 * * ? *)'},
  {id: 'journal-loader', family: 'pass-journal-loader', rule: 'journal-nightly', schedule: 'cron(0 2 * * ? *)'},
  {id: 'nihms-loader', family: 'pass-nihms-loader', rule: 'nihms-weekly', schedule: 'rate(7 days)'},
] as const;

/** The repositories of the images that carry PASS's version. */
export const repositories = [
  'pass-core',
  'pass-ui',
  ...services.map(({image}) => image),
  ...loaders.map(({family}) => family),
] as const;

/** Families of task definitions: those of the services are named like them. */
export const families = [...services.map(({id}) => id), ...loaders.map(({family}) => family)] as const;

/** An account and a region. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

const here: Place = {account, region};

export const image = (repository: string, tag: string, {account, region}: Place = here): string =>
  `${account}.dkr.ecr.${region}.amazonaws.com/${repository}:${tag}`;

/** A task definition with a bit of everything that a release has to keep, and a companion of another version. */
export function registration(family: string, container: string, named: string) {
  return {
    family,
    networkMode: 'awsvpc' as const,
    requiresCompatibilities: ['FARGATE' as const],
    cpu: '512',
    memory: '1024',
    executionRoleArn: `arn:aws:iam::${account}:role/pass-execution`,
    taskRoleArn: `arn:aws:iam::${account}:role/pass-task`,
    volumes: [{name: 'scratch'}],
    tags: [
      {key: 'project', value: 'pass'},
      {key: 'cost-center', value: 'library'},
    ],
    containerDefinitions: [
      {
        name: container,
        image: named,
        essential: true,
        command: ['java', '-jar', 'app.jar'],
        portMappings: [{containerPort: 8080, hostPort: 8080, protocol: 'tcp' as const}],
        environment: [
          {name: 'PASS_CORE_URL', value: 'https://pass.example.edu'},
          {name: 'AWS_REGION', value: region},
        ],
        secrets: [{name: 'PASS_PASSWORD', valueFrom: `arn:aws:ssm:${region}:${account}:parameter/pass/password`}],
        mountPoints: [{sourceVolume: 'scratch', containerPath: '/scratch', readOnly: false}],
        logConfiguration: {
          logDriver: 'awslogs' as const,
          options: {'awslogs-group': `/ecs/${family}`, 'awslogs-region': region, 'awslogs-stream-prefix': 'ecs'},
        },
      },
      {name: 'collector', image: 'public.ecr.aws/aws-observability/aws-otel-collector:v0.40.0', essential: false},
    ],
  };
}

/** A rule's target that starts a task, with a bit of everything beside the one field that a release moves. */
export function loaderTarget(id: string, taskDefinition: string): Target & {Id: string; Arn: string} {
  return {
    Id: id,
    Arn: `arn:aws:ecs:${region}:${account}:cluster/${cluster}`,
    RoleArn: `arn:aws:iam::${account}:role/pass-events`,
    Input: JSON.stringify({containerOverrides: [{name: 'loader', command: ['--since', 'last-run']}]}),
    RetryPolicy: {MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 3600},
    DeadLetterConfig: {Arn: `arn:aws:sqs:${region}:${account}:loader-failures`},
    EcsParameters: {
      TaskDefinitionArn: taskDefinition,
      TaskCount: 2,
      LaunchType: 'FARGATE',
      PlatformVersion: '1.4.0',
      NetworkConfiguration: {
        awsvpcConfiguration: {Subnets: ['subnet-1', 'subnet-2'], SecurityGroups: ['sg-1'], AssignPublicIp: 'DISABLED'},
      },
      EnableECSManagedTags: true,
      PropagateTags: 'TASK_DEFINITION',
      Tags: [{Key: 'project', Value: 'pass'}],
    },
  };
}

// ── the config file ──────────────────────────────────────────────────────────────────────────────────

/** The config file as a value; tests change it before it is written. Loose on purpose: wrong settings are tested too. */
export interface PassConfig {
  environments: Record<string, Record<string, unknown>>;
  components: Record<string, Record<string, unknown>>;
  [key: string]: unknown;
}

export function passConfig(url: string, {account, region}: Place = here): PassConfig {
  return {
    application: 'pass',
    environments: {
      [environment]: {
        aws: {accountId: account, region},
        values: {deployEnv: 'Production', cluster, url},
        policy: {allow: ['update', 'trigger']},
      },
    },
    registries: {ecr: {kind: 'ecr'}},
    components: {
      'pass-core': {
        kind: 'sns-trigger',
        topic: 'pass-deploy',
        images: ['ecr/pass-core', 'ecr/pass-ui'],
        message: {
          action: 'DeployStart',
          commitRef: '${version}',
          deployEnv: '${values.deployEnv}',
          imageTag: '${version}',
        },
        verify: {http: '${values.url}/version', expect: '${version}', within: '1m'},
      },
      ...Object.fromEntries(
        services.map(({id, container, image}) => [
          id,
          {
            kind: 'ecs-service',
            cluster: '${values.cluster}',
            service: id,
            images: {[container]: `ecr/${image}`},
            needs: ['pass-core'],
          },
        ]),
      ),
      ...Object.fromEntries(
        loaders.map(({id, family, rule}) => [
          id,
          {kind: 'ecs-scheduled-task', family, images: {loader: `ecr/${family}`}, targets: [{rule}], needs: ['pass-core']},
        ]),
      ),
    },
  };
}

/** The settings of one component, to be changed. */
export function componentOf(config: PassConfig, id: string): Record<string, unknown> {
  const component = config.components[id];
  if (component === undefined) throw new Error(`there is no component ${id}`);
  return component;
}

/** Fewer components, where nothing depends on how many there are. */
export function keepOnly(config: PassConfig, ...ids: readonly string[]): void {
  config.components = Object.fromEntries(ids.map(id => [id, componentOf(config, id)]));
}

/** The settings of the one environment, to be changed. */
export function environmentOf(config: PassConfig): Record<string, unknown> {
  const settings = config.environments[environment];
  if (settings === undefined) throw new Error(`there is no environment ${environment}`);
  return settings;
}

// ── the program in its folder ────────────────────────────────────────────────────────────────────────

/** The folder with the config file, the environment, and the records of what is run there. */
export interface Workplace {
  readonly folder: string;
  /** Complete. */
  readonly env: ProgramEnv;
  readonly records: Records;
  run(...args: readonly string[]): Promise<Ended>;
  /** The release of `released`, unattended. */
  release(...args: readonly string[]): Promise<Ended>;
  start(...args: readonly string[]): RunningProgram;
  record(): Promise<RunRecord>;
}

/** `env` is all that the program gets beside PATH, HOME, TMPDIR and XDG_STATE_HOME; a variable that is undefined is left out. */
export async function workplace(
  config: PassConfig,
  env: Readonly<Record<string, string | undefined>>,
  finished: Finished = onTestFinished,
): Promise<Workplace> {
  const root = await mkdtemp(join(tmpdir(), 'dw-pass-'));
  // What was thrown away in this process may still be writing its logs.
  finished(() => rm(root, {recursive: true, force: true, maxRetries: 10}));
  const [folder, home, state, temporary] = [
    join(root, 'application'),
    join(root, 'home'),
    join(root, 'state'),
    join(root, 'tmp'),
  ];
  for (const each of [folder, home, state, temporary]) await mkdir(each);
  await writeFile(join(folder, 'deploy-wizard.config.yaml'), stringify(config));
  const given = {PATH: process.env['PATH'], HOME: home, TMPDIR: temporary, XDG_STATE_HOME: state, ...env};
  const complete = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const options = {cwd: folder, env: complete};
  const records = {root: join(state, 'deploy-wizard', 'pass'), environment};
  const run = (...args: readonly string[]) => runProgram(args, options);
  return {
    folder,
    env: complete,
    records,
    run,
    release: (...args) => run('--yes', '--env', environment, '--release', released, ...args),
    start: (...args) => startProgram(args, options),
    record: () => theRecord(records),
  };
}

/** Credentials that any endpoint on this machine takes. */
export const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'not-a-secret',
  AWS_EC2_METADATA_DISABLED: 'true',
};

// ── PASS on the embedded endpoint ────────────────────────────────────────────────────────────────────

export interface PassOptions extends EmulatorOptions {
  /** Whether the application behind the topic does what a message says. */
  readonly redeploys?: boolean;
  config?(config: PassConfig): void;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Where to say what is to be cleaned up: tests that run side by side have one each. */
export type Finished = (clean: () => Promise<void> | void) => void;

export interface Pass extends Workplace, Pick<Emulator, 'world' | 'calls'>, Looks {
  readonly url: string;
  /** What the application behind the topic answers at /version. */
  readonly application: {version: string};
  /** The texts of the messages that were published: what subscribers get by default. */
  messages(): readonly unknown[];
  /** Calls that meant to change something, in order; those behind one that was made before. The endpoint remembers a thousand calls. */
  changes(since?: Emulator['calls'][number]): readonly string[];
}

/** PASS as it has run since yesterday, on `before`; `released` has been pushed. Twenty times as fast as AWS. */
export async function startPass(
  {redeploys = true, config: change, env, ...options}: PassOptions = {},
  finished: Finished = onTestFinished,
): Promise<Pass> {
  const emulator = await startEmulator({speed: 20, accountId: account, region, ...options});
  finished(() => emulator.close());
  const application = {version: before};
  const web = await serveVersion(() => Promise.resolve(application.version));
  finished(() => web.close());
  seedEcs(emulator.world);
  seedRest(emulator.world);
  emulator.world.onPublish(topicArn('pass-deploy', {account: emulator.accountId, region}), ({message}) => {
    if (redeploys) application.version = deployMessage(message).imageTag;
  });
  const config = passConfig(web.url);
  change?.(config);
  const client = {
    endpoint: emulator.url,
    region,
    credentials: {accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY},
  };
  const clients = {ecs: new ECSClient(client), events: new EventBridgeClient(client)};
  finished(() => Object.values(clients).forEach(one => one.destroy()));
  return {
    ...(await workplace(config, {AWS_ENDPOINT_URL: emulator.url, ...credentials, ...env}, finished)),
    ...clients,
    url: emulator.url,
    world: emulator.world,
    calls: emulator.calls,
    application,
    messages: () => emulator.world.published.map(({message}) => deployMessage(message)),
    changes: since => {
      const at = since === undefined ? -1 : emulator.calls.indexOf(since);
      if (since !== undefined && at < 0) throw new Error('the endpoint does not remember as many calls');
      const calls = emulator.calls.slice(at + 1);
      return calls.filter(({action}) => !looking.test(action)).map(({action}) => action);
    },
  };
}

/** What only looks, as the endpoint has it. */
const looking = /^(?:Describe|List|Get|BatchGet|Filter|Simulate)/;

export const topicArn = (name: string, {account, region}: Place = here): string => `arn:aws:sns:${region}:${account}:${name}`;

/** What PASS agreed on, out of the envelope that `MessageStructure: json` asks for. */
function deployMessage(message: string): {readonly imageTag: string} {
  const {default: text}: {default: string} = JSON.parse(message);
  return JSON.parse(text);
}

/** The images, and what runs them: services that are steady, and a revision of each loader. */
export function seedEcs(world: World, at: Place = here): void {
  for (const repository of repositories) for (const tag of [before, released]) world.putImage(repository, tag);
  for (const {id, container, image: repository, tasks} of services) {
    world.createService({
      cluster,
      service: id,
      taskDefinition: world.registerTaskDefinition(registration(id, container, image(repository, before, at))),
      desiredCount: tasks,
      circuitBreaker: {enable: true, rollback: true},
    });
  }
  for (const {family} of loaders) world.registerTaskDefinition(registration(family, 'loader', image(family, before, at)));
}

export const taskDefinitionArn = (name: string, {account, region}: Place = here): string =>
  `arn:aws:ecs:${region}:${account}:task-definition/${name}`;

function seedRest(world: World): void {
  for (const {family, rule, schedule} of loaders) {
    world.createRule({name: rule, ScheduleExpression: schedule});
    world.putTargets({name: rule}, [{...loaderTarget('loader', taskDefinitionArn(`${family}:1`))}]);
  }
  world.createTopic({name: 'pass-deploy'});
}

/** How each component ended, as the record says. */
export function ends(record: RunRecord): Readonly<Record<string, string>> {
  const {components = []} = eventsOf(record, 'run.finished').at(-1) ?? {};
  return Object.fromEntries(components.map(({component, end}) => [component, end]));
}

// ── what there is ────────────────────────────────────────────────────────────────────────────────────

/** Revisions as `family:number`. */
export interface Standing {
  /** What each service runs or is on its way to. */
  readonly services: Readonly<Record<string, string>>;
  /** What each rule starts. */
  readonly rules: Readonly<Record<string, readonly string[]>>;
  /** How many revisions each family has. */
  readonly revisions: Readonly<Record<string, number>>;
}

/** The clients that the tests look with. */
export interface Looks {
  readonly ecs: ECSClient;
  readonly events: EventBridgeClient;
}

export async function standing({ecs, events}: Looks): Promise<Standing> {
  const {services: found = []} = await ecs.send(new DescribeServicesCommand({cluster, services: services.map(({id}) => id)}));
  const targets = await Promise.all(loaders.map(async ({rule}) => [rule, await targetsOf(events, rule)] as const));
  const revisions = await Promise.all(
    families.map(async family => {
      const {taskDefinitionArns = []} = await ecs.send(new ListTaskDefinitionsCommand({familyPrefix: family}));
      return [family, taskDefinitionArns.length] as const;
    }),
  );
  return {
    services: Object.fromEntries(found.map(({serviceName, taskDefinition}) => [serviceName, shortName(taskDefinition)])),
    rules: Object.fromEntries(
      targets.map(([rule, all]) => [rule, all.map(({EcsParameters}) => shortName(EcsParameters?.TaskDefinitionArn))]),
    ),
    revisions: Object.fromEntries(revisions),
  };
}

/** Everything on the given revision of its family, which is the newest. */
export function everythingOn(revision: number): Standing {
  return {
    services: Object.fromEntries(services.map(({id}) => [id, `${id}:${revision}`])),
    rules: Object.fromEntries(loaders.map(({family, rule}) => [rule, [`${family}:${revision}`]])),
    revisions: Object.fromEntries(families.map(family => [family, revision])),
  };
}

export async function targetsOf(events: EventBridgeClient, rule: string): Promise<readonly Target[]> {
  const {Targets = []} = await events.send(new ListTargetsByRuleCommand({Rule: rule}));
  return Targets.toSorted((a, b) => ((a.Id ?? '') < (b.Id ?? '') ? -1 : 1));
}

/** All of a revision but its number and dates, tags included. */
export async function definitionOf(ecs: ECSClient, taskDefinition: string): Promise<Readonly<Record<string, unknown>>> {
  const {taskDefinition: found, tags} = await ecs.send(new DescribeTaskDefinitionCommand({taskDefinition, include: ['TAGS']}));
  const {taskDefinitionArn: _arn, revision: _revision, registeredAt: _at, ...rest} = found ?? {};
  return {...rest, tags};
}

export function shortName(arn: string | undefined): string {
  return arn?.slice(arn.lastIndexOf('/') + 1) ?? '';
}
