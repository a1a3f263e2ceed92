/** A config file for somebody who has none: from a repository, from an account, from an example. */
import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, onTestFinished, test} from 'vitest';
import {doctorCommand} from '../../src/commands/doctor.ts';
import {initCommand} from '../../src/commands/init.ts';
import {lookAtRepository} from '../../src/commands/init/repository.ts';
import {loadConfig, parseConfig} from '../../src/config/load.ts';
import {presets} from '../../src/config/presets.ts';
import {UsageError} from '../../src/release/errors.ts';
import {createGit} from '../../src/tools/git.ts';
import {account, loaders, region, services, startPass} from '../support/pass.ts';
import {startInTerminal} from '../support/program.ts';
import {seedWhole} from '../support/whole-pass.ts';
import {deskAt} from './support/desk.ts';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dw-init-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

/** Nobody is logged in anywhere. */
const nobody = (folder: string) => ({
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: path.join(folder, 'none'),
  AWS_SHARED_CREDENTIALS_FILE: path.join(folder, 'none'),
});

const git = promisify(execFile);

/** The cookbook's repository, as far as a config file can be made from it. */
async function cookbookRepository(): Promise<string> {
  const folder = await emptyFolder();
  const files = {
    Dockerfile: 'FROM scratch\n',
    'dmsa/__init__.py':
      "__version_info__ = {'major': 0, 'minor': 7, 'micro': 1, 'releaselevel': 'final', 'serial': '0', 'sha': '0'}\n",
    'ci/main.tf': 'variable "image_tag" {}\n',
    'ci/terraform.tfvars': 'region = "us-east-1"\nimage_tag = "0.7.1"\n',
    'node_modules/left-pad/package.json': '{"version": "1.3.0"}',
    '.github/workflows/release.yml':
      'jobs:\n  deploy:\n    environment: live\n    steps:\n      - with: { aws-region: eu-west-1 }\n',
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), {recursive: true});
    await writeFile(path.join(folder, file), text);
  }
  await git('git', ['init', '--quiet'], {cwd: folder});
  await git('git', ['remote', 'add', 'origin', 'git@github.com:chop-dbhi/data-models-sqlalchemy.git'], {cwd: folder});
  return folder;
}

describe('in a repository', {timeout: 30_000}, () => {
  test('it finds Terraform, the image that is built, and the file that holds the version', async () => {
    const folder = await cookbookRepository();
    const desk = deskAt({folder, env: nobody(folder)});
    expect(await initCommand(desk.context, {yes: true}), desk.stderr()).toBe(0);
    expect(desk.stdout()).toMatch(/^Wrote .*deploy-wizard\.config\.yaml\nNext: .*deploy-wizard doctor/);
    const {config} = await loadConfig(path.join(folder, 'deploy-wizard.config.yaml'), {});
    expect(config.application).toBe('data-models-sqlalchemy');
    // As the workflow has it.
    expect(config.environments).toMatchObject({live: {aws: {region: 'eu-west-1'}}});
    expect(await readFile(path.join(folder, 'deploy-wizard.config.yaml'), 'utf8')).toMatch(
      /^# .*\n(?:.*\n)+ {2}# Terraform in ci, the image of Dockerfile, the version of dmsa\/__init__\.py\n/,
    );
    expect(config.components).toMatchObject({
      service: {
        kind: 'terraform',
        directory: 'ci',
        tfvars: 'terraform.tfvars',
        set: {image_tag: '${version}'},
        source: {
          version: 'dmsa/__init__.py',
          build: {context: '.', image: 'chop-dbhi/data-models-sqlalchemy'},
          git: {commit: true, tag: '${version}'},
        },
      },
    });
  });

  const own = 'registry.example.edu/dbhi/data-models-sqlalchemy';
  test.each([
    ['ci/terraform.tfvars', `image_tag = "0.7.1"\ndocker_image = "${own}"\n`],
    ['ci/main.tf', `# image = "else/data-models-sqlalchemy:1"\nimage = "${own}:\${var.image_tag}"\n`],
    ['ci/user-data.tpl', `docker run --detach ${own}:\${tag}\n`],
    ['.travis.yml', `script:\n  - docker push "${own}:$TRAVIS_TAG"\n`],
    ['Makefile', `push:\n\tdocker build -t ${own} .\n`],
    ['.github/workflows/release.yml', `      - with: { images: ${own} }\n`],
    ['.circleci/config.yml', `    - image: cimg/base:stable\n    - run: docker push ${own}:latest\n`],
  ])('%s names another image than the remote does: it is that one', async (file, text) => {
    const folder = await cookbookRepository();
    await mkdir(path.dirname(path.join(folder, file)), {recursive: true});
    await writeFile(path.join(folder, file), text);
    expect(await lookAtRepository(folder, createGit({env: nobody(folder)}))).toMatchObject({
      project: 'chop-dbhi/data-models-sqlalchemy',
      image: own,
    });
  });

  test('what is no image of its own is none: the address of the source, an image that it uses, a path', async () => {
    const folder = await cookbookRepository();
    const name = 'data-models-sqlalchemy';
    const lines = [
      `git clone https://github.com/chop-dbhi/${name} && docker pull postgres/postgres:9`,
      `go get github.com/chop-dbhi/${name} # for the docker image`,
      `docker run --volume $PWD/dbhi/${name}:/image --workdir src/${name} library/busybox`,
      `docker push \${REGISTRY}/${name}:1`,
      'docker build --file ci/Dockerfile -t ci .',
    ];
    await mkdir(path.join(folder, 'src', name), {recursive: true});
    await writeFile(path.join(folder, 'src', name, 'x.py'), '');
    await writeFile(path.join(folder, 'release.sh'), `${lines.join('\n')}\n`);
    expect((await lookAtRepository(folder, createGit({env: nobody(folder)}))).image).toBeUndefined();
  });

  test('it never overwrites', async () => {
    const folder = await cookbookRepository();
    for (const name of ['deploy-wizard.config.yaml', 'deploy-wizard.config.json']) {
      await writeFile(path.join(folder, name), 'mine');
      const desk = deskAt({folder, env: nobody(folder)});
      for (const options of [{yes: true}, {yes: true, preset: 'pass'}, {yes: true, preset: 'pass', config: name}]) {
        const error = await initCommand(desk.context, options).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({exitCode: 2, code: 'DW216', means: expect.stringContaining('never overwrites')});
      }
      expect(await readFile(path.join(folder, name), 'utf8')).toBe('mine');
      await rm(path.join(folder, name));
    }
  });
});

describe('with credentials', {timeout: 60_000}, () => {
  test('it finds services, loaders with what starts them, and the topic; and doctor accepts what it writes', async () => {
    const pass = await startPass();
    const folder = await emptyFolder();
    const desk = deskAt({folder, env: {...pass.env, AWS_REGION: region}});
    expect(await initCommand(desk.context, {yes: true}), desk.stderr()).toBe(0);
    const {config} = await loadConfig(path.join(folder, 'deploy-wizard.config.yaml'), {});
    expect(config.environments['production']?.aws).toEqual({accountId: account, region});
    expect(config.registries).toEqual({ecr: {kind: 'ecr'}});
    expect(Object.keys(config.components).sort()).toEqual(
      [...services.map(({id}) => id), ...loaders.map(({family}) => family), 'pass-deploy'].sort(),
    );
    for (const {id, container, image} of services)
      expect(config.components[id]).toMatchObject({kind: 'ecs-service', cluster: 'pass', images: {[container]: `ecr/${image}`}});
    for (const {family, rule} of loaders)
      expect(config.components[family]).toMatchObject({kind: 'ecs-scheduled-task', family, targets: [{rule}]});
    expect(pass.changes()).toEqual([]);

    const doctor = deskAt({folder, env: pass.env});
    const exitCode = await doctorCommand(doctor.context, {iam: false, output: 'auto'});
    expect(exitCode, doctor.stdout()).toBe(0);
    expect(doctor.stdout()).toMatch(/Nothing is wrong\.\n$/);
  });

  test('it finds schedules, state machines and Batch jobs', async () => {
    const pass = await startPass();
    seedWhole(pass);
    const folder = await emptyFolder();
    const desk = deskAt({folder, env: {...pass.env, AWS_REGION: region}});
    expect(await initCommand(desk.context, {yes: true}), desk.stderr()).toBe(0);
    const {config} = await loadConfig(path.join(folder, 'deploy-wizard.config.yaml'), {});
    expect(config.components).toMatchObject({
      'pass-journal-loader': {
        kind: 'ecs-scheduled-task',
        family: 'pass-journal-loader',
        images: {loader: 'ecr/pass-journal-loader'},
        targets: [{schedule: 'default/journal'}],
      },
      'pass-nihms-loader-2': {kind: 'batch-job-definition', jobDefinition: 'pass-nihms-loader', targets: [{rule: 'nihms-batch'}]},
      'jhu-grant-loader-2': {kind: 'batch-job-definition', targets: [{stateMachine: 'grant-load'}]},
    });
  });

  test('that may not look everywhere it says so, and takes the rest', async () => {
    const pass = await startPass();
    pass.world.deny('ecs:ListServices');
    const folder = await emptyFolder();
    const desk = deskAt({folder, env: {...pass.env, AWS_REGION: region}});
    expect(await initCommand(desk.context, {yes: true})).toBe(0);
    expect(desk.stderr()).toContain('services could not be looked at: not allowed to call ecs:ListServices');
    const {config} = await loadConfig(path.join(folder, 'deploy-wizard.config.yaml'), {});
    expect(config.components).toHaveProperty('pass-deploy');
    expect(config.components).not.toHaveProperty('deposit-services');
  });
});

describe('an example', () => {
  test.each(['pass', 'cookbook'] as const)('%s is a config file without mistakes, with comments', async preset => {
    const folder = await emptyFolder();
    const desk = deskAt({folder, env: nobody(folder)});
    expect(await initCommand(desk.context, {yes: true, preset})).toBe(0);
    const text = await readFile(path.join(folder, 'deploy-wizard.config.yaml'), 'utf8');
    expect(text).toBe(presets[preset]);
    expect(text.match(/(?:^|\s)# /gm)?.length).toBeGreaterThan(5);
    expect(() => parseConfig(text, 'x.yaml', {})).not.toThrow();
  });

  test('that is none is refused with those there are', async () => {
    const folder = await emptyFolder();
    const asked = initCommand(deskAt({folder, env: nobody(folder)}).context, {yes: true, preset: 'passs'});
    await expect(asked).rejects.toMatchObject({exitCode: 2, next: ['There are: pass, cookbook']});
    expect(await readdir(folder)).toEqual([]);
  });
});

test('where there is nothing to release, --yes says what to start from', {timeout: 30_000}, async () => {
  const folder = await emptyFolder();
  const error = await initCommand(deskAt({folder, env: nobody(folder)}).context, {yes: true}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toMatchObject({next: expect.arrayContaining([expect.stringContaining('--preset pass')])});
  expect(await readdir(folder)).toEqual([]);
});

describe('at a terminal', {timeout: 60_000}, () => {
  test('whoever has no config file is offered one, answers three questions, and has it', async () => {
    const folder = await cookbookRepository();
    const terminal = startInTerminal([], {cwd: folder, env: nobody(folder)});
    await terminal.waitFor('There is no deploy-wizard.config.yaml here');
    terminal.type('\r');
    await terminal.waitFor('What is the application called?');
    terminal.type('\r');
    await terminal.waitFor('Which environments are there?');
    terminal.type('\r');
    await terminal.waitFor('What is released?');
    terminal.type('\r');
    await terminal.waitFor('Wrote');
    expect(await terminal.exitCode).toBe(0);
    const {config} = await loadConfig(path.join(folder, 'deploy-wizard.config.yaml'), {});
    expect(Object.keys(config.components)).toEqual(['service']);
  });

  test('nothing is a choice, too', async () => {
    const folder = await emptyFolder();
    const terminal = startInTerminal([], {cwd: folder, env: nobody(folder)});
    await terminal.waitFor('see a whole release on this machine first');
    terminal.type('\u001b[B\u001b[B\r');
    await terminal.waitFor('Nothing was started.');
    expect(await terminal.exitCode).toBe(2);
  });
});
