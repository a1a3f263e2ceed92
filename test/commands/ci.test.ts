/** The release command as a CI service starts it: what it says to GitHub Actions, and that it says it nowhere else. */
import {PassThrough} from 'node:stream';
import {access, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {adoptCommand} from '../../src/commands/adopt.ts';
import {annotationsOf} from '../../src/commands/annotations.ts';
import {initCommand} from '../../src/commands/init.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import {DeployError} from '../../src/release/errors.ts';
import {eventJsonSchema} from '../../src/release/event-schema.ts';
import {json} from '../../src/release/json.ts';
import {schemaProblems} from '../support/json-schema.ts';
import {type Pass, type PassOptions, componentOf, startPass} from '../support/pass.ts';
import {type Desk, deskAt, speed, unattended} from './support/desk.ts';

/** A job on GitHub Actions, in the checkout. */
async function onGitHub(pass: Pass): Promise<Desk & {output(): Promise<string>; summary(): Promise<string>}> {
  const [output, summary] = [join(pass.records.root, '..', 'output'), join(pass.records.root, '..', 'summary')].map(name =>
    name.replace('/deploy-wizard/', '/'),
  );
  if (output === undefined || summary === undefined) throw new Error('there are two files');
  await writeFile(output, '');
  await writeFile(summary, '');
  const env = {
    ...pass.env,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: pass.folder,
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
  };
  return {
    ...deskAt({folder: pass.folder, env}),
    output: () => readFile(output, 'utf8'),
    summary: () => readFile(summary, 'utf8'),
  };
}

const start = (options: PassOptions = {}) => startPass({speed, ...options});

/** The line of the config file on which a component is named. */
async function lineOf(pass: Pass, component: string): Promise<number> {
  const lines = (await readFile(join(pass.folder, 'deploy-wizard.config.yaml'), 'utf8')).split('\n');
  return lines.findIndex(line => line === `  ${component}:`) + 1;
}

describe('on GitHub Actions', {timeout: 60_000}, () => {
  test('a release folds its log, sets outputs, and puts its audit on the page of the run', async () => {
    const pass = await start();
    const job = await onGitHub(pass);
    expect(await releaseCommand(job.context, unattended()), job.stderr()).toBe(0);
    expect(job.stderr()).toMatch(/^::group::preflight\n/m);
    expect(job.stderr()).toMatch(/^::group::apply and verify\n/m);
    expect(job.stderr()).not.toContain('::error');
    expect(job.stdout()).not.toContain('::');
    const {run} = await pass.record();
    expect((await job.output()).replaceAll(/<<(\S+)\n(.*)\n\1\n/g, '=$2\n')).toBe(`version=1.14.0\noutcome=passed\nrun=${run}\n`);
    const summary = await job.summary();
    expect(summary).toMatch(/^# pass 1\.14\.0 → production: passed\n/);
    expect(summary).toContain('| deposit-services | 1.13.2 → 1.14.0 | ✔ verified |');
    expect(summary).toContain('**Everything is as the record says.**');
    expect(summary).toContain('- [x] ');
  });

  test('a plan sets outputs and is the summary', async () => {
    const pass = await start();
    const job = await onGitHub(pass);
    const out = 'approval.json';
    expect(await releaseCommand(job.context, unattended({dryRun: true, out}))).toBe(0);
    expect(await job.output()).toMatch(/^approval-digest<<(\S+)\nsha256:[0-9a-f]{64}\n\1$/m);
    expect(await job.output()).not.toContain('run<<');
    expect(await job.summary()).toContain('## deposit-services: 1.13.2 → 1.14.0, update');
  });

  test('a failure is an annotation at its component, once, and the summary says where everything stands', async () => {
    const pass = await start();
    pass.world.fail({action: 'UpdateService', kind: {code: 'AccessDeniedException', message: 'not you'}, times: 9});
    const job = await onGitHub(pass);
    expect(await releaseCommand(job.context, unattended({component: ['deposit-services']}))).toBe(1);
    const errors = job.stderr().match(/^::error .*$/gm) ?? [];
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(
      `::error file=deploy-wizard.config.yaml,line=${await lineOf(pass, 'deposit-services')},title=deposit-services apply::`,
    );
    expect(await job.summary()).toContain('| ✖ failed |');
    const {run, head} = await pass.record();
    expect(await job.summary()).toContain(`\nrun \`${run}\`, head of its record \`${head.hash}\` (${head.length} lines)\n`);
  });

  test('a mistake in the config file is an annotation at its line, as is what ends a command otherwise', async () => {
    const pass = await start({config: config => void (componentOf(config, 'pass-core')['nedes'] = [])});
    const job = await onGitHub(pass);
    const error = await releaseCommand(job.context, unattended()).catch((error: unknown) => error);
    if (!(error instanceof DeployError)) throw new Error('it was not refused');
    expect(annotationsOf(job.context.env, error)).toEqual([
      expect.stringMatching(/^::error file=deploy-wizard\.config\.yaml,line=\d+,col=\d+::unknown key "nedes"/),
    ]);
    expect(annotationsOf({}, error)).toEqual([]);
    expect(annotationsOf(job.context.env, new DeployError('it is\nlocked', {next: ['wait']}))).toEqual([
      '::error title=deploy-wizard::it is%0Alocked%0Await',
    ]);
  });

  test('what is learnt to be a secret is hidden by the runner too, each once', async () => {
    const pass = await start({
      env: {DEPLOY_TOKEN: 'se%cret-token'},
      config: config => void (componentOf(config, 'pass-core')['message'] = {token: '${env:DEPLOY_TOKEN}'}),
    });
    const job = await onGitHub(pass);
    await releaseCommand(job.context, unattended());
    expect(
      job
        .stderr()
        .split('\n')
        .filter(line => line === '::add-mask::se%25cret-token'),
    ).toHaveLength(1);
    expect(job.stderr().replaceAll(/^::add-mask::.*$/gm, '')).not.toContain('cret-token');
  });

  test('what the job cannot be told is said, and is no failure of the release', async () => {
    const pass = await start();
    const nowhere = (name: string) => join(pass.folder, 'nowhere', name);
    const env = {GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: nowhere('output'), GITHUB_STEP_SUMMARY: nowhere('summary')};
    const desk = deskAt({folder: pass.folder, env: {...pass.env, ...env}});
    expect(await releaseCommand(desk.context, unattended({component: ['grant-loader']})), desk.stderr()).toBe(0);
    expect(desk.stderr().match(/^GitHub could not be told: ENOENT.*(?:output|summary)'$/gm)).toHaveLength(2);
  });

  test('what others say is no command there', async () => {
    const pass = await start();
    pass.world.fail({action: 'UpdateService', kind: {code: 'AccessDeniedException', message: 'not you'}, times: 9});
    const job = await onGitHub(pass);
    await releaseCommand(job.context, unattended({component: ['deposit-services'], reason: '##[add-mask]production'}));
    const ours = /^::(?:group|endgroup|error|add-mask)\b/;
    for (const line of `${job.stdout()}${job.stderr()}`.split('\n')) {
      if (/^\s*::/.test(line)) expect(line).toMatch(ours);
      expect(line).not.toContain('##[');
    }
  });

  test('as JSON, stdout is events alone, each as the schema has it, and annotations go to stderr', async () => {
    const pass = await start({config: config => void (config['hooks'] = [{before: 'apply', run: ['true']}])});
    pass.world.fail({action: 'UpdateService', kind: {code: 'AccessDeniedException', message: 'not you'}, times: 9});
    const job = await onGitHub(pass);
    await releaseCommand(
      job.context,
      unattended({component: ['deposit-services', 'grant-loader'], output: 'json', reason: '##[error]x'}),
    );
    const lines = job.stdout().trim().split('\n');
    expect(lines.length).toBeGreaterThan(50);
    const strict = json.parse(eventJsonSchema({strict: true}));
    for (const line of lines) expect(schemaProblems(strict, JSON.parse(line)), line).toEqual([]);
    expect(job.stdout()).not.toContain('##[');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({type: 'run.started', reason: '##[error]x'});
    expect(job.stderr()).toMatch(/^::error file=/m);
    expect(job.stderr()).not.toContain('::group::');
  });
});

describe('elsewhere', {timeout: 60_000}, () => {
  test.each([
    ['GitLab CI', {GITLAB_CI: 'true', CI: 'true', CI_JOB_ID: '1'}],
    ['Jenkins', {JENKINS_URL: 'https://ci.example.edu/', BUILD_ID: '7'}],
    ['a plain shell', {}],
  ])('%s: a release without a word for GitHub, with a heartbeat, and never a look at standard input', async (_name, env) => {
    const pass = await start({redeploys: false});
    const desk = deskAt({folder: pass.folder, env: {...pass.env, ...env}});
    // A standard input that gives nothing and never ends: whoever reads it waits for ever.
    const silent = new PassThrough();
    silent.read = () => {
      throw new Error('standard input was read');
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const context = {...desk.context, stdin: silent as unknown as typeof desk.context.stdin};
    expect(await releaseCommand(context, unattended({component: ['pass-core']})), desk.stderr()).toBe(7);
    const said = `${desk.stdout()}${desk.stderr()}`;
    expect(said).not.toMatch(/^\s*::/m);
    expect(said).toMatch(/\d\dZ +at work: pass-core verify \(\d+ s/);
    expect(said.includes('section_start')).toBe('GITLAB_CI' in env);
    for (const line of desk
      .stderr()
      .split('\n')
      .filter(line => line !== '' && !line.includes('section_')))
      expect(line).toMatch(/^\d\d:\d\d:\d\dZ /);
  });
});

test('without --yes nobody is asked: what to give is said at once', {timeout: 30_000}, async () => {
  const pass = await start();
  // Its standard input never ends: whoever reads it waits for ever.
  const job = deskAt({folder: pass.folder, env: {...pass.env, CI: 'true'}});
  const refused = {exitCode: 3, code: 'DW301', message: 'nobody is there to ask: this is a CI job without a terminal'};
  await expect(releaseCommand(job.context, unattended({yes: false, tui: true}))).rejects.toMatchObject({
    ...refused,
    next: ['Give --yes: it approves what policy and --allow let through, and asks nothing.'],
  });
  await expect(adoptCommand(job.context, {env: 'production', yes: false, reason: 'as it is'})).rejects.toMatchObject({
    ...refused,
    next: ['Without a terminal: deploy-wizard adopt --yes --reason <text>'],
  });
  await expect(initCommand(job.context, {yes: false, config: 'another.yaml'})).rejects.toMatchObject({
    ...refused,
    next: ['Give --yes: it takes the usual answers.'],
  });
  expect(pass.changes()).toEqual([]);
});

test('a run that takes longer than it may is stopped as by SIGTERM, and can be gone on with', {timeout: 60_000}, async () => {
  const pass = await start({redeploys: false});
  const desk = deskAt(pass);
  expect(await releaseCommand(desk.context, unattended({timeout: 30_000, component: ['pass-core']})), desk.stderr()).toBe(143);
  expect(desk.stderr()).toContain('The time limit of 30 s (--timeout) is over: nothing new is started.');
  expect(desk.stdout()).toContain('stopped by time limit');
  expect(desk.stdout()).toContain('deploy-wizard resume');
});

test('a plan that takes longer than it may is no plan', {timeout: 60_000}, async () => {
  const pass = await start();
  const desk = deskAt(pass);
  expect(await releaseCommand(desk.context, unattended({dryRun: true, out: 'approval.json', timeout: 1})), desk.stderr()).toBe(
    143,
  );
  expect(desk.stderr()).toContain('(--timeout) is over: nothing new is started.');
  await expect(access(join(pass.folder, 'approval.json'))).rejects.toThrow('ENOENT');
});
