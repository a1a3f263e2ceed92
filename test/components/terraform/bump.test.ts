/** Version files, commits, tags and git's remotes, on a real repository. */
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {commitStep} from '../../../src/components/terraform/source/commit.ts';
import {gitPushSteps} from '../../../src/components/terraform/source/git-push.ts';
import {terraformConfig} from '../../../src/components/terraform/config.ts';
import type {Io} from '../../../src/components/io.ts';
import type {Step} from '../../../src/release/contract.ts';
import {json, type Json} from '../../../src/release/json.ts';
import {serve} from '../../tools/server.ts';
import {type Desk, Workshop, type WorkshopOptions} from './workshop.ts';

const build = {image: '127.0.0.1:1/dw/x'};

async function workshop(options: WorkshopOptions): Promise<Workshop> {
  const made = await Workshop.make(options);
  onTestFinished(() => made.remove());
  return made;
}

/** A step as an interrupted run has it: its request is recorded, and nothing else is known. */
async function begin(desk: Desk, step: Step<Io> | undefined): Promise<{step: Step<Io>; request: Json}> {
  if (step === undefined) throw new Error('There is no such step.');
  return {step, request: json.parse(await step.request(desk.io, new Map()))};
}

/** One of every kind, as people leave them: CRLF, a byte order mark, no line feed at the end, other versions around. */
const files = {
  VERSION: '\uFEFF1.0.0\r\n',
  'web/package.json': '{\r\n\t"name": "x",\r\n\t"version": "1.0.0",\r\n\t"dependencies": {"y": "1.0.0"}\r\n}',
  'web/package-lock.json':
    '{"version": "1.0.0", "packages": {"": {"version": "1.0.0"}, "node_modules/y": {"version": "1.0.0"}}}\n',
  'app/__init__.py': "__version_info__ = {'major': 1, 'minor': 0, 'micro': 0}\n__version__ = '1.0.0'  # 1.0.0\n",
  'setup.cfg': '[metadata]\nversion = 1.0.0\n[other]\nversion = 1.0.0',
  'pom.xml': '<parent><version>1.0.0</version></parent>\n<version>1.0.0</version>\n',
};
const version = [
  'VERSION',
  'web/package.json',
  'app/__init__.py',
  'setup.cfg',
  {file: 'pom.xml', pattern: '^<version>(?<version>[^<]+)<'},
];
const everything = {source: {version, build}, files};
const names = Object.keys(files);
const contents = async (shop: Workshop) =>
  Object.fromEntries(await Promise.all(names.map(async name => [name, await shop.read(name)])));

describe('a bump of several files', () => {
  test('changes the version in each, the lock file beside package.json too, and no other byte; one commit holds them all', async () => {
    const shop = await workshop(everything);
    const desk = shop.desk();
    const {bump, commit} = Object.fromEntries(desk.steps());
    if (!bump || !commit) throw new Error('There is no bump, or no commit.');
    const {told} = await desk.run([bump, commit]);

    expect(await contents(shop)).toEqual({
      VERSION: '\uFEFF1.1.0\r\n',
      'web/package.json': files['web/package.json'].replace('"version": "1.0.0"', '"version": "1.1.0"'),
      'web/package-lock.json':
        '{"version": "1.1.0", "packages": {"": {"version": "1.1.0"}, "node_modules/y": {"version": "1.0.0"}}}\n',
      'app/__init__.py': "__version_info__ = {'major': 1, 'minor': 1, 'micro': 0}\n__version__ = '1.1.0'  # 1.0.0\n",
      'setup.cfg': '[metadata]\nversion = 1.1.0\n[other]\nversion = 1.0.0',
      'pom.xml': '<parent><version>1.0.0</version></parent>\n<version>1.1.0</version>\n',
    });
    expect(await shop.git('status', '--porcelain')).toBe('');
    expect((await shop.git('show', '--format=', '--name-only', 'HEAD')).split('\n').sort()).toEqual(names.toSorted());
    expect(await shop.git('show', '--no-patch', '--format=%an <%ae> %s', 'HEAD')).toBe(
      'Olive Operator <olive@example.org> Bump version to 1.1.0',
    );
    expect(told[0]).toBe('VERSION, web/package.json, app/__init__.py, setup.cfg, pom.xml: 1.0.0 → 1.1.0');
    // Nobody is there who could push it.
    expect(told[1]).toMatch(/^committed as [0-9a-f]{12} \(not pushed: it lives in this checkout alone\)$/);
  });

  test('is taken back in all of them, byte for byte, or in none', async () => {
    const shop = await workshop({
      source: {version: ['VERSION', 'v.py'], build},
      files: {'v.py': "__version_info__ = (1, 0, 0, 'final', 4)\n"},
    });
    const desk = shop.desk({version: '1.1.0-RC1'});
    const {step, request} = await begin(desk, desk.steps().get('bump'));
    const result = await step.perform(desk.io, request);
    expect(await shop.read('v.py')).toBe("__version_info__ = (1, 1, 0, 'candidate', 1)\n");

    await shop.write('VERSION', '1.1.0-RC1\n# mine\n');
    await expect(step.undo?.(desk.io, request, result)).rejects.toThrow(/VERSION was changed by somebody else/);
    expect(await shop.read('v.py')).toBe("__version_info__ = (1, 1, 0, 'candidate', 1)\n");

    await shop.write('VERSION', '1.1.0-RC1\n');
    await step.undo?.(desk.io, request, result);
    expect(await shop.git('status', '--porcelain')).toBe('');
  });

  test('that cannot be written in one of them is in none', async () => {
    const shop = await workshop(everything);
    const desk = shop.desk();
    const before = await contents(shop);
    const {step, request} = await begin(desk, desk.steps().get('bump'));
    // Where the draft of the last one goes.
    await mkdir(join(shop.folder, '.pom.xml.deploy-wizard'));
    await expect(step.perform(desk.io, request)).rejects.toThrow(/pom\.xml cannot be written/);
    expect(await contents(shop)).toEqual(before);

    await rm(join(shop.folder, '.pom.xml.deploy-wizard'), {recursive: true});
    await shop.write('setup.cfg', `${files['setup.cfg']}\n`);
    await expect(step.perform(desk.io, request)).rejects.toThrow(/setup\.cfg has changed since it was read/);
    expect(await contents(shop)).toEqual({...before, 'setup.cfg': `${files['setup.cfg']}\n`});
  });

  test('that was cut off after some of them goes on with the rest', async () => {
    const shop = await workshop(everything);
    const desk = shop.desk();
    const {step, request} = await begin(desk, desk.steps().get('bump'));
    expect(await step.settle(desk.io, request)).toBe('absent');
    await shop.write('VERSION', '\uFEFF1.1.0\r\n');
    expect(await step.settle(desk.io, request)).toBe('absent');
    await step.perform(desk.io, request);
    expect(await step.settle(desk.io, request)).toEqual({done: {from: '1.0.0', to: '1.1.0'}});
    expect(await shop.read('pom.xml')).toContain('\n<version>1.1.0<');
    await shop.write('setup.cfg', 'mine');
    expect(await step.settle(desk.io, request)).toBe('unknown');
  });

  test('is refused while they disagree; a lock file may lag behind, and follows', async () => {
    const shop = await workshop(everything);
    await shop.write('setup.cfg', '[metadata]\nversion = 1.0.1\n');
    const desk = shop.desk();
    await expect(begin(desk, desk.steps().get('bump'))).rejects.toThrow('setup.cfg says 1.0.1, and VERSION says 1.0.0');
    await shop.write('setup.cfg', files['setup.cfg']);
    await shop.write(
      'web/package-lock.json',
      files['web/package-lock.json'].replaceAll('"version": "1.0.0"', '"version": "0.9.0"'),
    );
    await desk.run([...desk.steps().values()].slice(0, 1));
    expect(await shop.read('web/package-lock.json')).toContain('{"version": "1.1.0", "packages": {"": {"version": "1.1.0"}');
  });

  test('that the files say already is kept, and there is nothing to commit', async () => {
    const shop = await workshop({source: {version: 'VERSION', build}, files: {VERSION: '1.1.0'}});
    const desk = shop.desk();
    expect((await desk.run([...desk.steps().values()].slice(0, 2))).told).toEqual([
      'VERSION says 1.1.0 already: kept',
      'nothing to commit',
    ]);
  });
});

describe('before a bump', () => {
  const source = {version: 'VERSION', build, git: {tag: 'v${version}'}};
  const found = async (shop: Workshop, options = {}) => {
    const {status, found, next} = await shop.desk(options).check('version file');
    return {status, found, next};
  };

  test('it is said whether the version was increased before; then it may be kept', async () => {
    const tags = ['0.9.0', '1.0.0-RC10', '1.0.0-RC9', 'latest'];
    await using registry = await serve((_, response) => void response.end(JSON.stringify({tags})));
    const shop = await workshop({source: {...source, build: {image: `${registry.host}/dw/x`}}});
    for (const tag of ['v1.0.0', 'v0.9.0', '7.0.0-not-ours']) await shop.git('tag', tag);
    const released = 'deployed 1.0.0, newest pushed 1.0.0-RC10, newest git tag 1.0.0';
    expect(await found(shop)).toMatchObject({status: 'passed', found: `1.0.0 → 1.1.0 (${released})`});

    await shop.write('VERSION', '1.1.0\n');
    expect(await found(shop)).toMatchObject({
      status: 'passed',
      found: `says 1.1.0 already, increased before and kept (${released})`,
    });
    expect(await found(shop, {version: '1.2.0'})).toEqual({
      status: 'warned',
      found: `1.1.0 → 1.2.0, but 1.1.0 was increased already and never released (${released})`,
      next: 'To keep it: --release 1.1.0',
    });
    await shop.git('tag', 'v1.1.0');
    expect((await found(shop, {version: '1.2.0'})).status).toBe('passed');
    await shop.git('tag', '--delete', 'v1.1.0');
    tags.push('1.1.0');
    expect((await found(shop, {version: '1.2.0'})).status).toBe('passed');
  });

  test('whoever chooses a version sees that one was increased and never released', async () => {
    await using registry = await serve((_, response) => void response.end(JSON.stringify({tags: ['1.0.0']})));
    const shop = await workshop({source: {...source, build: {image: `${registry.host}/dw/x`}}});
    const observed = async () => {
      const {version, source: stated, sourceNote} = (await shop.desk().observe()) ?? {};
      return {version, stated, sourceNote};
    };
    expect(await observed()).toEqual({version: '1.0.0', stated: '1.0.0', sourceNote: undefined});
    await shop.write('VERSION', '1.1.0-SNAPSHOT\n');
    expect(await observed()).toEqual({
      version: '1.0.0',
      stated: '1.1.0-SNAPSHOT',
      sourceNote: 'increased, never released (deployed 1.0.0, newest pushed 1.0.0, no git tag)',
    });
  });

  test('an image that docker would push to Docker Hub, and the config means to be elsewhere, is refused', async () => {
    const shop = await workshop({source: {version: 'VERSION', build: {image: 'ecr/app'}}});
    expect(await shop.desk().check('registry')).toMatchObject({
      status: 'failed',
      found: 'docker would push ecr/app to docker.io, and not to the registry of that name in the config',
      next: 'Write the whole name: image: 111122223333.dkr.ecr.us-east-1.amazonaws.com/app',
    });
  });

  test('a registry that does not answer is no reason to stop', async () => {
    const shop = await workshop({source});
    expect(await found(shop)).toMatchObject({
      status: 'passed',
      found: '1.0.0 → 1.1.0 (deployed 1.0.0, the registry does not say what was pushed, no git tag)',
    });
  });

  test('a dirty tree is refused, unless the config allows it; the records of the wizard are none of it', async () => {
    const shop = await workshop({source});
    const workTree = async (options = {}) => shop.desk(options).check('work tree');
    expect(await workTree()).toMatchObject({status: 'passed', found: expect.stringMatching(/^main at [0-9a-f]{12}, clean$/)});
    await shop.write('notes.txt', 'mine');
    await shop.write('Dockerfile', 'FROM scratch\n');
    expect(await workTree()).toMatchObject({
      status: 'failed',
      found: '2 files are not committed (Dockerfile, notes.txt): an image built now would be of no commit',
      next: expect.stringContaining('source.git.allowDirty: true'),
    });
    // What an earlier attempt at the same version has left behind is no dirt; anything else in that file is.
    await shop.git('checkout', '--quiet', '.');
    await rm(join(shop.folder, 'notes.txt'));
    await shop.write('VERSION', '1.1.0\n');
    expect((await workTree()).status).toBe('passed');
    await shop.write('VERSION', '1.1.0\n\n');
    expect(await workTree()).toMatchObject({status: 'failed', found: 'VERSION has changes that are not committed'});

    const records = async () => (await shop.desk({store: 'state/records'}).check('work tree')).found;
    expect(await records()).toBe(
      'the records (state/records) are in the build context: the image would hold them, and no build be the same',
    );
    for (const ignored of ['state/', '/state/records/**', '**/state']) {
      await shop.write('.dockerignore', `.git\n${ignored}\n`);
      await shop.commit('Ignore them');
      await shop.write('state/records/production/x', 'x');
      expect(await records(), ignored).toMatch(/^main at/);
      await rm(join(shop.folder, 'state'), {recursive: true});
    }

    const dirty = await workshop({source: {...source, git: {allowDirty: true}}});
    await dirty.write('notes.txt', 'mine');
    expect(await dirty.desk().check('work tree')).toMatchObject({
      status: 'warned',
      found: expect.stringContaining('a file is not committed (notes.txt): the image’s revision label will end in -dirty'),
    });
  });
});

describe('git push: true', () => {
  const component = terraformConfig.parse({
    kind: 'terraform',
    source: {version: 'VERSION', build, git: {tag: 'v1.1.0', push: true}},
  });
  const source = {version: 'VERSION', build, git: {tag: 'v${version}', push: true}};
  const ids = {commits: ['commit-tfvars', 'commit'], tag: 'tag'};

  test('takes commit and tag to the remote, once; looking tells whether it happened', async () => {
    const shop = await workshop({source});
    const remote = await shop.addRemote();
    const desk = shop.desk();
    expect(await desk.check('git push')).toMatchObject({
      status: 'passed',
      found: expect.stringContaining('main of origin'),
    });
    const {results, told} = await desk.run([...desk.steps().values()].slice(0, 2));
    expect(told[1]).toMatch(/pushed once the release is verified\)$/);
    await shop.git('tag', '--annotate', '--message=Release', 'v1.1.0');
    results.set('tag', {commit: await shop.git('rev-parse', 'HEAD'), made: true});

    const steps = gitPushSteps(component, results, ids);
    expect(steps).toMatchObject([{id: 'git-push', phase: 'verify'}]);
    const {step, request} = await begin(desk, steps[0]);
    expect(await step.settle(desk.io, request)).toBe('absent');
    expect(step.tell(await step.perform(desk.io, request))).toBe('pushed main and v1.1.0 to origin');
    expect(await readFile(join(remote, 'refs/heads/main'), 'utf8')).toBe(`${await shop.git('rev-parse', 'HEAD')}\n`);
    expect(await readFile(join(remote, 'refs/tags/v1.1.0'), 'utf8')).toBe(`${await shop.git('rev-parse', 'v1.1.0')}\n`);
    expect(await step.settle(desk.io, request)).toMatchObject({done: {remote: 'origin'}});
    // A second time it is a look, and nothing else: the remote may have grown a hook that refuses.
    await writeFile(join(remote, 'hooks', 'pre-receive'), '#!/bin/sh\nexit 1\n', {mode: 0o755});
    await step.perform(desk.io, request);
  });

  test('that the remote refuses leaves a release that is verified, and says what to do', async () => {
    const shop = await workshop({source});
    const remote = await shop.addRemote();
    const desk = shop.desk();
    const {results} = await desk.run([...desk.steps().values()].slice(0, 2));
    await writeFile(join(remote, 'hooks', 'pre-receive'), '#!/bin/sh\necho "frozen" >&2\nexit 1\n', {mode: 0o755});
    const {step, request} = await begin(desk, gitPushSteps(component, results, ids)[0]);
    await expect(step.perform(desk.io, request)).rejects.toMatchObject({
      message: expect.stringContaining('frozen'),
      means: 'The release itself is done and verified. Commits and tag are in this repository only.',
      next: [expect.stringContaining('source.git.push: false')],
    });
  });

  test('is nothing where nothing was committed, and where the config does not say so', async () => {
    expect(gitPushSteps(component, new Map(), ids)).toEqual([]);
    const results = new Map([['commit', {commit: 'abc', made: true}]]);
    const silent = terraformConfig.parse({kind: 'terraform', source: {version: 'VERSION', build}});
    expect(gitPushSteps(silent, results, ids)).toEqual([]);
  });

  test('where the remote has another tag of that name is found out before anything is done', async () => {
    const shop = await workshop({source});
    await shop.addRemote();
    await shop.git('tag', '--annotate', '--message=Theirs', 'v1.1.0');
    await shop.git('push', '--quiet', 'origin', 'v1.1.0');
    expect((await shop.desk().check('git push')).status).toBe('passed');
    await shop.git('tag', '--delete', 'v1.1.0');
    expect(await shop.desk().check('git push')).toMatchObject({
      status: 'failed',
      found: 'origin has a tag v1.1.0 already, which is not the one here',
    });
  });

  test('takes nothing to a branch that somebody checked out meanwhile: nothing is committed there', async () => {
    const shop = await workshop({source});
    await shop.addRemote();
    const desk = shop.desk();
    await shop.git('branch', 'other');
    const {results} = await desk.run([...desk.steps().values()].slice(0, 2));
    const tfvars = commitStep({
      id: 'commit-tfvars',
      phase: 'apply',
      file: join(shop.folder, 'ci/terraform.tfvars'),
      message: 'Deploy 1.1.0',
      push: true,
      onTopOf: 'commit',
    });
    await shop.write('ci/terraform.tfvars', 'image_tag = "1.1.0"\n');
    await shop.git('switch', '--quiet', 'other');
    await expect(begin(desk, gitPushSteps(component, results, ids)[0])).rejects.toMatchObject({
      message: expect.stringMatching(/^other does not have the commit \w{12}/),
    });
    await expect(tfvars.request(desk.io, results)).rejects.toMatchObject({
      message: expect.stringMatching(/^other does not have the commit \w{12} of this release/),
      means: 'Nothing was committed there.',
    });
    await shop.git('switch', '--quiet', 'main');
    await expect(tfvars.request(desk.io, results)).resolves.toMatchObject({files: ['ci/terraform.tfvars']});
  });

  test('without a remote is found out before anything is done', async () => {
    const shop = await workshop({source});
    expect(await shop.desk().check('git push')).toMatchObject({status: 'failed', found: 'the repository has no remote'});
  });
});
