/** What would stand in the way of a release, and the fix for each. */
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test, vi} from 'vitest';
import {doctorCommand} from '../../src/commands/doctor.ts';
import type {Policy} from '../../src/commands/doctor/policy.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import type {Check} from '../../src/release/model.ts';
import type {DoctorReport} from '../../src/views/doctor.ts';
import {type PassOptions, account, componentOf, environment, region, startPass} from '../support/pass.ts';
import {seedWhole, wholeConfig} from '../support/whole-pass.ts';
import {deskAt, speed, unattended} from './support/desk.ts';

// Whole releases, on a machine that has other things to do.
vi.setConfig({testTimeout: 60_000});

async function doctor(
  options: PassOptions = {},
  prepare: (pass: Awaited<ReturnType<typeof startPass>>) => Promise<void> | void = () => undefined,
) {
  const pass = await startPass(options);
  await prepare(pass);
  const desk = deskAt(pass);
  const exitCode = await doctorCommand(desk.context, {iam: false, output: 'json'});
  const report: DoctorReport = JSON.parse(desk.stdout());
  const checks = (section: string) => report.sections.find(({name}) => name === section)?.checks ?? [];
  return {pass, exitCode, report, checks};
}

describe('where all is well', () => {
  test('says so of config, tools, records and the environment, whatever version comes, and changes nothing', async () => {
    const {pass, exitCode, report, checks} = await doctor({
      env: {AWS_CREDENTIAL_EXPIRATION: new Date(Date.now() + 24 * 3_600_000).toISOString()},
    });
    expect(exitCode, JSON.stringify(report)).toBe(0);
    expect(report.passed).toBe(true);
    expect(report.sections.map(({name}) => name)).toEqual(['config', 'tools', 'records', environment]);
    expect(checks('tools')).toContainEqual(
      expect.objectContaining({text: 'node', status: 'passed', found: process.versions.node}),
    );
    // PASS has nothing that is built here.
    for (const check of checks('tools').slice(1)) expect(check.found).toContain('(not needed here)');
    expect(checks(environment)).toContainEqual(
      expect.objectContaining({
        claim: 'aws session',
        status: 'passed',
        found: expect.stringMatching(`^${account} as .*, ends \\d\\d:\\d\\d UTC, in \\d+ min$`),
      }),
    );
    const texts = checks(environment).map(({text}) => text);
    expect(texts).toContain('pass-core: topic pass-deploy');
    expect(texts).toContain('deposit-services: permissions');
    expect(texts.filter(text => text.startsWith('image '))).toEqual([]);
    expect(pass.changes().filter(action => action !== 'SimulatePrincipalPolicy')).toEqual([]);
  });

  test('is written for people, too', async () => {
    const pass = await startPass();
    const desk = deskAt(pass);
    expect(await doctorCommand(desk.context, {iam: false, output: 'auto'})).toBe(0);
    expect(desk.stdout()).toMatch(/^config\n {2}✔ .*deploy-wizard\.config\.yaml +production; 6 components\n\ntools\n {2}✔ node /);
    expect(desk.stdout()).toMatch(/\nNothing is wrong\.\n$/);
  });
});

describe('says what is wrong, and what to do', () => {
  test('in the config file, line by line; tools are looked at all the same', async () => {
    const {exitCode, checks, report} = await doctor({}, async ({folder}) => {
      const file = path.join(folder, 'deploy-wizard.config.yaml');
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace('application: pass', 'application: "a b"\naplication: pass'));
    });
    expect(exitCode).toBe(1);
    expect(report.sections.map(({name}) => name)).toEqual(['config', 'tools']);
    expect(checks('config').map(({text, found, status}) => [text.split('/').at(-1), found.slice(0, 40), status])).toEqual([
      ['deploy-wizard.config.yaml:1:14', 'application: a name has letters, digits,', 'failed'],
      ['deploy-wizard.config.yaml:2:1', 'unknown key "aplication"; did you mean "', 'failed'],
    ]);
    for (const {next} of checks('config')) expect(next).toContain('deploy-wizard schema');
  });

  test('without a config file', async () => {
    const {exitCode, checks} = await doctor({}, ({folder}) => rm(path.join(folder, 'deploy-wizard.config.yaml')));
    expect(exitCode).toBe(1);
    expect(checks('config')).toMatchObject([{status: 'failed', next: expect.stringContaining('deploy-wizard init')}]);
  });

  test('with credentials of another account', async () => {
    const {exitCode, checks} = await doctor({
      accountId: '999999999999',
      config: config => void Object.assign(config.environments[environment]?.['aws'] ?? {}, {login: ['chopaws', '--prod']}),
    });
    expect(exitCode).toBe(1);
    const [session, ...others] = checks(environment);
    expect(session).toMatchObject({
      claim: 'aws session',
      status: 'failed',
      found: expect.stringMatching(/^the credentials are for account 999999999999 .*, production is account 333333333333$/),
      next: expect.stringContaining('chopaws --prod'),
    });
    // One thing to mend, not one for each component.
    expect(others.filter(({status}) => status === 'failed')).toEqual([]);
  });

  test('with permissions, and with what is not there', async () => {
    const {exitCode, checks} = await doctor(
      {config: config => void Object.assign(componentOf(config, 'grant-loader'), {targets: [{rule: 'nightly'}]})},
      ({world}) => world.deny('ecs:UpdateService'),
    );
    expect(exitCode).toBe(1);
    const failed = checks(environment).filter(({status}) => status === 'failed');
    expect(failed.map(({found}) => found)).toEqual(
      expect.arrayContaining([
        expect.stringContaining(
          `not allowed: ecs:UpdateService on arn:aws:ecs:${region}:${account}:service/pass/deposit-services`,
        ),
      ]),
    );
    expect(failed.map(({text}) => text)).toContain('grant-loader: rule nightly starts jhu-grant-loader');
    for (const {next} of failed) expect(next).toBeTruthy();
  });

  test('with what is to be built and applied: the module, the file with the version, the repository', async () => {
    const site = {
      kind: 'terraform',
      directory: 'ci',
      set: {image_tag: '${version}'},
      source: {version: 'VERSION', build: {image: '127.0.0.1:1/site'}, git: {tag: '${version}'}},
    };
    const add: PassOptions = {config: config => void Object.assign(config.components, {site})};
    const missing = await doctor(add);
    expect(missing.exitCode).toBe(1);
    const about = (checks: readonly Check[]) =>
      Object.fromEntries(checks.filter(({text}) => text.startsWith('site:')).map(({text, status}) => [text, status]));
    expect(about(missing.checks(environment))).toMatchObject({
      'site: Terraform module ci': 'failed',
      'site: version in VERSION': 'failed',
      'site: git': 'failed',
      // Asked, not guessed from docker's configuration.
      'site: login at 127.0.0.1:1': 'failed',
    });

    for (const {status, next} of missing.checks(environment)) if (status === 'failed') expect(next).toBeTruthy();

    const there = await doctor(add, async ({folder}) => {
      await mkdir(path.join(folder, 'ci'));
      await writeFile(path.join(folder, 'ci', 'main.tf'), 'variable "image_tag" {}\n');
      await writeFile(path.join(folder, 'ci', 'terraform.tfvars'), 'image_tag = "1.13.2"\n');
      await writeFile(path.join(folder, 'VERSION'), '1.13.2\n');
    });
    expect(about(there.checks(environment))).toMatchObject({
      'site: Terraform module ci': 'passed',
      'site: version in VERSION': 'passed',
    });
  });

  test('with the place of the records', async () => {
    const {exitCode, checks} = await doctor({config: config => Object.assign(config, {store: 'records'})}, ({folder}) =>
      writeFile(path.join(folder, 'records'), 'in the way'),
    );
    expect(exitCode).toBe(1);
    expect(checks('records')).toMatchObject([{status: 'failed', next: expect.stringContaining('`store:`')}]);
  });

  test('with a tool that this config needs and that is missing', async () => {
    const {exitCode, checks} = await doctor({
      env: {PATH: '/nowhere'},
      config: config => {
        config.components['site'] = {kind: 'terraform', directory: 'ci'};
      },
    });
    expect(exitCode).toBe(1);
    const byName = new Map(checks('tools').map(check => [check.text, check]));
    expect(byName.get('terraform')).toMatchObject({
      status: 'failed',
      found: 'terraform is not installed, or not in a folder of PATH. (for site)',
      next: expect.stringContaining('https://developer.hashicorp.com/terraform/install'),
    });
    expect(byName.get('docker')).toMatchObject({status: 'open', found: expect.stringContaining('(not needed here)')});
  });
});

describe('--iam', () => {
  const policyOf = async (options: PassOptions = {}) => {
    const pass = await startPass({speed, ...options});
    const desk = deskAt(pass);
    expect(await doctorCommand(desk.context, {iam: true, output: 'auto'})).toBe(0);
    expect(pass.calls).toEqual([]);
    const policy: Policy = JSON.parse(desk.stdout());
    return {pass, policy};
  };
  const actionsIn = (policy: Policy, sid: string) =>
    policy.Statement.filter(({Sid}) => Sid.startsWith(sid)).flatMap(({Action}) => Action);

  test('prints a policy, on what the config names, that holds every call of a whole release', async () => {
    const {pass, policy} = await policyOf({config: wholeConfig()});
    expect(policy.Version).toBe('2012-10-17');
    seedWhole(pass);
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, unattended()), desk.stderr()).toBe(0);
    const called = new Set(pass.calls.map(({service, action}) => `${service}:${action}`));
    expect(called.size).toBeGreaterThan(10);
    const allowed = new Set(actionsIn(policy, ''));
    expect([...called].filter(action => !allowed.has(action))).toEqual([]);

    const on = (action: string) => policy.Statement.find(({Action}) => Action.includes(action))?.Resource;
    expect(on('sns:Publish')).toEqual([`arn:aws:sns:${region}:${account}:pass-deploy`]);
    expect(on('ecs:UpdateService')).toEqual([
      `arn:aws:ecs:${region}:${account}:service/pass/deposit-services`,
      `arn:aws:ecs:${region}:${account}:service/pass/notification-services`,
    ]);
    const arn = (service: string, name: string) => `arn:aws:${service}:${region}:${account}:${name}`;
    expect(on('events:PutTargets')).toEqual([arn('events', 'rule/nihms-batch')]);
    expect(on('scheduler:UpdateSchedule')).toEqual([arn('scheduler', 'schedule/default/journal')]);
    expect(on('states:UpdateStateMachine')).toEqual([arn('states', 'stateMachine:grant-load')]);
    expect(on('batch:RegisterJobDefinition')).toContain(arn('batch', 'job-definition/pass-nihms-loader'));
  });

  test('a release needs what is required, and can do without what is diagnostic', async () => {
    const {pass, policy} = await policyOf();
    const required = actionsIn(policy, 'Required');
    const diagnostic = actionsIn(policy, 'Diagnostic');
    expect(required.filter(action => diagnostic.includes(action))).toEqual([]);
    for (const action of diagnostic) pass.world.deny(action);
    expect(await releaseCommand(deskAt(pass).context, unattended())).toBe(0);
  });

  test('without one of the required permissions nothing is released', async () => {
    const {pass, policy} = await policyOf();
    expect(actionsIn(policy, 'Required')).toContain('sns:Publish');
    pass.world.deny('sns:Publish');
    expect(await releaseCommand(deskAt(pass).context, unattended())).toBe(1);
  });

  test('says that what Terraform calls is not in it', async () => {
    const pass = await startPass({
      config: config => {
        config.components = {site: {kind: 'terraform', directory: 'ci'}};
      },
    });
    const desk = deskAt(pass);
    expect(await doctorCommand(desk.context, {iam: true, output: 'auto'})).toBe(0);
    expect(JSON.parse(desk.stdout())).toMatchObject({Statement: []});
    expect(desk.stderr()).toContain('What Terraform calls for site is not in it');
  });

  test('has what copying images and records in S3 take only where the config says so', async () => {
    const plain = await policyOf();
    expect(actionsIn(plain.policy, '')).not.toContain('ecr:PutImage');
    expect(actionsIn(plain.policy, '').filter(action => action.startsWith('s3:'))).toEqual([]);
    const {policy} = await policyOf({
      config: config =>
        Object.assign(config, {store: 's3://releases/pass', registries: {ecr: {kind: 'ecr', copyFrom: 'ghcr.io/eclipse-pass'}}}),
    });
    expect(policy.Statement.find(({Action}) => Action.includes('ecr:PutImage'))?.Resource).toContain(
      `arn:aws:ecr:${region}:${account}:repository/pass-core`,
    );
    expect(policy.Statement.find(({Action}) => Action.includes('s3:PutObject'))).toMatchObject({
      Sid: expect.stringMatching(/^Required/),
      Resource: ['arn:aws:s3:::releases', 'arn:aws:s3:::releases/pass/*'],
    });
  });
});
