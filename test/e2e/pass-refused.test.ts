import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {DescribeServicesCommand} from '@aws-sdk/client-ecs';
import {expect} from 'vitest';
import {releaseCommand} from '../../src/commands/release.ts';
import {fileStore} from '../../src/record/file-store.ts';
import type {Clock} from '../../src/release/contract.ts';
import {deskAt, unattended} from '../commands/support/desk.ts';
import {
  account,
  before,
  cluster,
  componentOf,
  credentials,
  environment,
  environmentOf,
  type Pass,
  type PassOptions,
  region,
  registration,
  released,
  image,
} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {eventsOf, until} from '../support/program.ts';

const test = passTest.concurrent;

const minute = 60_000;

const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * minute).toISOString();

const chopaws = {aws: {accountId: account, region, login: ['chopaws']}};

const noCredentials = {AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined};

/** What is wrong, what the operator reads about it, and what to do. */
interface Mistake {
  /** A function where they depend on the time. */
  readonly options?: PassOptions | (() => PassOptions);
  /** The component that is released; where it is about the account, all of them: it is still one thing to mend. */
  readonly of?: string;
  readonly arrange?: (pass: Pass) => void | Promise<void>;
  readonly says: readonly (string | RegExp)[];
  readonly next: string;
}

const withComponent = (id: string, settings: Readonly<Record<string, unknown>>): PassOptions => ({
  config: config => void Object.assign(componentOf(config, id), settings),
});

const withEnvironment = (settings: Readonly<Record<string, unknown>>, env: PassOptions['env'] = {}): PassOptions => ({
  env,
  config: config => void Object.assign(environmentOf(config), settings),
});

const mistakes: Readonly<Record<string, Mistake>> = {
  'no credentials': {
    options: {env: noCredentials},
    says: ['AWS session: there are no AWS credentials'],
    next: 'Get new credentials, then try again.',
  },
  'no credentials, and the config knows how to get some': {
    options: withEnvironment(chopaws, noCredentials),
    says: ['AWS session: there are no AWS credentials'],
    next: 'Run: chopaws',
  },
  'a profile that is not there': {
    options: withEnvironment({aws: {accountId: account, region, profile: 'nobody', login: ['chopaws']}}, noCredentials),
    says: ['AWS session: there are no AWS credentials in the environment, nor in profile nobody'],
    next: 'Run: chopaws',
  },
  'credentials that have ended': {
    options: withEnvironment(chopaws),
    arrange: ({world}) => world.expireCredentials(),
    says: ['AWS session: the AWS credentials have ended'],
    next: 'Run: chopaws',
  },
  'a session that ends in a moment': {
    options: () => withEnvironment(chopaws, {AWS_CREDENTIAL_EXPIRATION: inMinutes(4.9)}),
    says: [/the session ends \d\d:\d\d UTC, in 4 min/],
    next: 'Run: chopaws',
  },
  'a session that ends before a release like the last one would': {
    options: () => withEnvironment(chopaws, {AWS_CREDENTIAL_EXPIRATION: inMinutes(9.9)}),
    arrange: pass => recordRelease(pass, 12),
    says: [/the session ends \d\d:\d\d UTC, in 9 min; the last release took 12 min/],
    next: 'Run: chopaws',
  },
  'credentials of another account': {
    options: {accountId: '111111111111'},
    says: ['the credentials are for account 111111111111', 'production is account 333333333333'],
    next: 'Use credentials of that account, or another profile.',
  },
  'no region': {
    options: withEnvironment({aws: {accountId: account}}),
    says: ['AWS session: no AWS region is set'],
    next: 'Set aws.region of the environment in the config file, or AWS_REGION.',
  },
  'an image that was not pushed': {
    of: 'grant-loader',
    options: withComponent('grant-loader', {images: {loader: 'ecr/grant-loader-next'}}),
    arrange: ({world}) => void world.createRepository('grant-loader-next'),
    says: ['image ecr/grant-loader-next:1.14.0: there is no tag 1.14.0 in grant-loader-next'],
    next: `Push ${image('grant-loader-next', released)}, or choose a version whose images are there.`,
  },
  'a repository that is not there': {
    of: 'grant-loader',
    options: withComponent('grant-loader', {images: {loader: 'ecr/nothing'}}),
    says: ['there is no repository nothing in ECR'],
    next: 'aws ecr create-repository --repository-name nothing',
  },
  'no such cluster': {
    of: 'deposit-services',
    options: withComponent('deposit-services', {cluster: 'nothing'}),
    says: ['deposit-services: service deposit-services in nothing: there is no cluster nothing'],
    next: 'Correct components.deposit-services.cluster in the config file.',
  },
  'no such service': {
    of: 'deposit-services',
    options: withComponent('deposit-services', {service: 'nothing'}),
    says: ['there is no service nothing'],
    next: 'Correct components.deposit-services.service in the config file.',
  },
  'no such container in a service': {
    of: 'deposit-services',
    options: withComponent('deposit-services', {images: {core: 'ecr/deposit-services-core'}}),
    says: ['deposit-services:1 has no container core (it has deposit-services-core, collector)'],
    next: "Correct the container's name under components.deposit-services.images in the config file.",
  },
  'no such container in a loader': {
    of: 'nihms-loader',
    options: withComponent('nihms-loader', {images: {core: 'ecr/pass-nihms-loader'}}),
    says: ['pass-nihms-loader:1 has no container core (it has loader, collector)'],
    next: "Correct the container's name under components.nihms-loader.images in the config file.",
  },
  'no such rule': {
    of: 'nihms-loader',
    options: withComponent('nihms-loader', {targets: [{rule: 'nothing'}]}),
    says: ['there is no rule nothing'],
    next: 'Correct components.nihms-loader.targets in the config file.',
  },
  'a rule that starts something else': {
    of: 'nihms-loader',
    options: withComponent('nihms-loader', {targets: [{rule: 'grant-nightly'}]}),
    says: ['nothing of it starts pass-nihms-loader'],
    next: 'Correct components.nihms-loader.targets in the config file.',
  },
  'no such topic': {
    of: 'pass-core',
    options: withComponent('pass-core', {topic: 'nothing'}),
    says: [`there is no topic arn:aws:sns:us-east-1:${account}:nothing`],
    next: 'Correct components.pass-core.topic in the config file.',
  },
  'an expected answer that any version would give': {
    of: 'pass-core',
    options: withComponent('pass-core', {verify: {http: '${values.url}/version', expect: 'PASS'}}),
    says: ['verify.expect (PASS) does not name the version'],
    next: 'Put ${version} into components.pass-core.verify.expect in the config file.',
  },
  'a message that is too large for its topic': {
    of: 'pass-core',
    options: withComponent('pass-core', {topic: 'small', message: {notes: 'é'.repeat(1000)}}),
    arrange: ({world}) => void world.createTopic({name: 'small', attributes: {MaximumMessageSize: '1024'}}),
    says: ['the message has 2030 bytes, the topic takes 1024'],
    next: 'Shorten components.pass-core.message in the config file.',
  },
  'another deployment in flight': {
    of: 'deposit-services',
    options: {speed: 1},
    arrange: ({world}) => world.updateService({cluster, service: 'deposit-services', forceNewDeployment: true}),
    says: ['another deployment is in flight: deposit-services:1'],
    next: 'Wait for it, or stop it in ECS, then try again.',
  },
  'a service that is scaled to zero': {
    of: 'deposit-services',
    arrange: ({world}) => world.updateService({cluster, service: 'deposit-services', desiredCount: 0}),
    says: ['it is scaled to zero: a release could never be seen to run'],
    next: 'Set its desired count, or leave this component out.',
  },
};

/** Time as it is: sessions end at a time of day. */
const clock: Clock = {now: Date.now, sleep: (ms, signal) => sleep(ms, undefined, {signal})};

test.for(Object.entries(mistakes))('%s: said before anything has begun', async ([, mistake], {start}) => {
  const {options, of, arrange, says, next} = mistake;
  const pass = await start(typeof options === 'function' ? options() : options);
  await arrange?.(pass);

  const desk = deskAt(pass, {clock});
  const exitCode = await releaseCommand(desk.context, unattended({...(of !== undefined && {component: [of]})}));
  const stdout = desk.stdout();
  expect(exitCode, stdout).toBe(1);
  for (const words of [...says, next, 'a requirement is not met', 'Nothing has been changed.']) expect(stdout).toMatch(words);
  expect(stdout).not.toContain('2 requirements');
  expect(pass.changes()).toEqual([]);
  const record = await pass.record();
  expect(eventsOf(record, 'intent')).toEqual([]);
  expect(eventsOf(record, 'run.finished')).toMatchObject([{outcome: 'failed', touched: false}]);
});

test('several mistakes are named together', async ({start}) => {
  const pass = await start({
    config: config => {
      componentOf(config, 'pass-core')['topic'] = 'nothing';
      componentOf(config, 'nihms-loader')['targets'] = [{rule: 'nothing'}];
    },
  });

  const {exitCode, stdout} = await pass.release('--component', 'pass-core', '--component', 'nihms-loader');
  expect(exitCode).toBe(1);
  expect(stdout).toContain('2 requirements are not met');
  expect(pass.changes()).toEqual([]);
});

test('a session that lasts longer than the last release will do', async ({start}) => {
  const pass = await start({env: {AWS_CREDENTIAL_EXPIRATION: inMinutes(9.9)}});
  await recordRelease(pass, 3);

  expect(await pass.release('--component', 'journal-loader')).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('in 9 min'),
  });
});

test('the credentials of a profile are used where the environment holds none', async ({start}) => {
  const pass = await start(withEnvironment({aws: {accountId: account, region, profile: 'prod'}}, noCredentials));
  const folder = join(pass.env['HOME'] ?? '', '.aws');
  await mkdir(folder);
  await writeFile(
    join(folder, 'credentials'),
    `[prod]\naws_access_key_id = ${credentials.AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${credentials.AWS_SECRET_ACCESS_KEY}\n`,
  );

  expect(await pass.release('--component', 'journal-loader')).toMatchObject({exitCode: 0});
});

// ── what nobody has allowed ──────────────────────────────────────────────────────────────────────────

test('a lower version is a downgrade, and needs to be allowed', async ({start}) => {
  const pass = await start();
  for (const repository of ['pass-core', 'pass-ui', 'jhu-grant-loader']) pass.world.putImage(repository, '1.13.1');
  const older = ['--yes', '--env', environment, '--release', '1.13.1', '--component', 'pass-core', '--component', 'grant-loader'];

  const refused = await pass.run(...older);
  expect(refused.exitCode).toBe(3);
  expect(refused.stdout).toContain('--allow downgrade:pass-core --allow downgrade:grant-loader');
  expect(pass.changes()).toEqual([]);

  const half = await pass.run(...older, '--allow', 'downgrade:pass-core');
  expect(half.exitCode).toBe(3);
  expect(half.stdout).toMatch(/Allow it with: --allow downgrade:grant-loader\b/);
  expect(pass.changes()).toEqual([]);

  expect(await pass.run(...older, '--allow', 'downgrade')).toMatchObject({exitCode: 0});
  expect(pass.application.version).toBe('1.13.1');
});

test('each component is compared with what it runs itself', async ({start}) => {
  const pass = await start();
  pass.world.putImage('deposit-services-core', '1.15.0-RC1');
  pass.world.updateService({
    cluster,
    service: 'deposit-services',
    taskDefinition: pass.world.registerTaskDefinition(
      registration('deposit-services', 'deposit-services-core', image('deposit-services-core', '1.15.0-RC1')),
    ),
  });
  pass.application.version = released;

  const plan = await pass.release('--dry-run', '--component', 'pass-core', '--component', 'grant-loader');
  expect(plan.stdout).toMatch(/pass-core +1\.14\.0 +nothing to do/);
  expect(plan.stdout).toMatch(new RegExp(`grant-loader +${before} → 1\\.14\\.0 +update`));

  const isSteady = async () => {
    const {services = []} = await pass.ecs.send(new DescribeServicesCommand({cluster, services: ['deposit-services']}));
    return services.every(({deployments}) => deployments?.length === 1 && deployments[0]?.rolloutState === 'COMPLETED');
  };
  await until(isSteady, 'the service to run its candidate');
  const {exitCode, stdout} = await pass.release('--component', 'pass-core', '--component', 'deposit-services');
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/Allow it with: --allow downgrade:deposit-services\b/);
  expect(stdout).not.toContain('downgrade:pass-core');
  expect(pass.changes()).toEqual([]);
});

test('a risk that the policy of the environment does not name is refused with the flag that allows it', async ({start}) => {
  const pass = await start(withEnvironment({policy: {allow: ['update']}}));

  const refused = await pass.release('--component', 'pass-core');
  expect(refused.exitCode).toBe(3);
  expect(refused.stdout).toContain('policy does not allow trigger (pass-core: message to SNS topic pass-deploy)');
  expect(refused.stdout).toContain('--allow trigger:pass-core');
  expect(pass.changes()).toEqual([]);
});

/** A record of a release that took so many minutes, a day ago. */
async function recordRelease({records}: Pass, minutes: number): Promise<void> {
  const time = {now: Date.now() - 24 * 60 * minute};
  const store = fileStore(records.root, {now: () => time.now});
  const {run, writer} = await store.create(environment, before);
  await writer.append({
    type: 'run.started',
    schema: 1,
    run,
    application: 'pass',
    environment,
    version: before,
    components: [],
    unattended: true,
    by: {user: 'somebody', host: 'elsewhere'},
    tool: {version: '0.1.0', node: '24.0.0'},
    configPath: '/elsewhere/deploy-wizard.config.yaml',
    config: {},
    allow: [],
  });
  time.now += minutes * minute;
  await writer.append({type: 'run.finished', outcome: 'passed', exitCode: 0, text: '', components: [], touched: true});
  await writer.close();
}
