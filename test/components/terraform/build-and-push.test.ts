/** Build and push, with the docker that comes first on PATH, on the real engine and a real registry that wants a password. */
import {randomUUID} from 'node:crypto';
import {readFile, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {z} from 'zod';
import {execOk} from '../../../src/tools/exec.ts';
import {createRegistry, LoginError, parseImageName} from '../../../src/tools/registry.ts';
import type {Json} from '../../../src/release/json.ts';
import {account, dockerClients, findOnPath, type RealRegistry, renewed, startRegistry} from '../../tools/docker/real-docker.ts';
import {type Desk, Workshop, type WorkshopOptions} from './workshop.ts';

vi.setConfig({testTimeout: 60_000, hookTimeout: 60_000});

const clients = await dockerClients();
const withBuildKit = clients.find(({version}) => Number.parseInt(version, 10) < 23);
const registryProgram = await findOnPath('docker-registry');
const inCi = Boolean(process.env['CI']);
const ready = clients.length > 0 && registryProgram !== undefined;

describe.runIf(ready || inCi)('an image', () => {
  let registry: RealRegistry;
  const loggedIn = (): Json => ({auths: {[registry.host]: {auth: auth(account)}}});
  const auth = ({username, password}: typeof account) => Buffer.from(`${username}:${password}`).toString('base64');
  const references: string[] = [];

  beforeAll(async () => {
    registry = await startRegistry(registryProgram ?? expect.fail('docker-registry is not on PATH.'), {login: true});
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await execOk('docker', ['image', 'rm', '--force', ...references], {env: process.env}).catch(() => undefined);
  });

  interface Shop {
    readonly shop: Workshop;
    /** Without a tag. */
    readonly image: string;
  }
  async function workshop({
    build,
    ...options
  }: Omit<WorkshopOptions, 'source'> & {build?: {[name: string]: Json}}): Promise<Shop> {
    const image = `${registry.host}/dw/${randomUUID()}`;
    references.push(`${image}:1.1.0`);
    const source = {version: 'VERSION', build: {image, ...build}};
    const shop = await Workshop.make({source, docker: loggedIn(), ...options});
    onTestFinished(() => shop.remove());
    return {shop, image};
  }
  const digestIn = async (image: string, login = account) =>
    createRegistry({credentials: async () => login}).digest(parseImageName(image), '1.1.0');
  const all = async (desk: Desk) => desk.run([...desk.steps().values()]);
  const pushed = z.object({digest: z.string(), pushed: z.boolean(), overwrote: z.boolean()});
  const resultOf = async (desk: Desk) => pushed.parse((await all(desk)).results.get('push'));

  test('holds what the commit holds and nothing of ours, and its labels say what it is', async () => {
    const {shop, image} = await workshop({files: {Dockerfile: 'FROM scratch\nCOPY . /all\n', '.dockerignore': '.git\n'}});
    await shop.git('remote', 'add', 'origin', 'https://token@git.example.org/app.git');
    const desk = shop.desk();
    const {told} = await all(desk);
    expect(told).toEqual([
      'VERSION: 1.0.0 → 1.1.0',
      expect.stringMatching(/^committed as/),
      expect.stringMatching(/:1\.1\.0 built, sha256:/),
      expect.stringMatching(/:1\.1\.0 pushed, sha256:/),
    ]);

    const container = await shop.docker('create', `${image}:1.1.0`, 'none');
    const archive = join(shop.root, 'image.tar');
    await shop.docker('export', `--output=${archive}`, container);
    await shop.docker('rm', container);
    const {stdout} = await execOk('tar', ['--list', `--file=${archive}`], {env: process.env});
    const files = stdout.split('\n').filter(name => name.startsWith('all/') && !name.endsWith('/'));
    const committed = (await shop.git('ls-files')).split('\n').map(name => `all/${name}`);
    expect(files.sort()).toEqual(committed.sort());

    const labels = (await desk.io.docker.inspect(`${image}:1.1.0`))?.labels;
    expect(labels).toMatchObject({
      'org.opencontainers.image.version': '1.1.0',
      'org.opencontainers.image.revision': await shop.git('rev-parse', 'HEAD'),
      'org.opencontainers.image.source': 'https://git.example.org/app.git',
      'org.opencontainers.image.created': new Date(
        Number(await shop.git('show', '--no-patch', '--format=%ct')) * 1000,
      ).toISOString(),
    });
  });

  test('is reused when it was built from the same commit with the same arguments, and from nothing else', async () => {
    const files = {Dockerfile: 'FROM scratch AS one\nARG A\nCOPY VERSION /VERSION\nLABEL a=$A\nFROM one\n'};
    const {shop, image} = await workshop({files, build: {args: {A: '1'}}});
    const steps = async (of: Workshop) => {
      const desk = of.desk();
      const [bump, commit, build] = [...desk.steps().values()];
      if (!bump || !commit || !build) throw new Error('Steps are missing.');
      return (await desk.run([bump, commit, build])).told[2]?.replace(/^\S+ (\w+), .*$/, '$1');
    };
    expect(await steps(shop)).toBe('built');
    expect(await steps(shop)).toBe('reused');

    const other = (build: {[name: string]: Json}) => shop.with({version: 'VERSION', build: {image, ...build}});
    for (const build of [{args: {A: '2'}}, {args: {A: '1'}, target: 'one'}, {args: {A: '1'}, platform: 'linux/amd64'}])
      expect(await steps(other(build)), JSON.stringify(build)).toBe('built');
    expect(await steps(other({args: {A: '1'}}))).toBe('built');

    await shop.write('notes.txt', 'not committed');
    await expect(steps(shop)).rejects.toThrow(
      'a file is not committed (notes.txt) since the release began: an image built now would be of no commit',
    );
    expect(await steps(shop.with({version: 'VERSION', build: {image, args: {A: '1'}}, git: {allowDirty: true}}))).toBe('built');
    expect((await shop.desk().io.docker.inspect(`${image}:1.1.0`))?.labels['org.opencontainers.image.revision']).toMatch(
      /-dirty$/,
    );
  });

  test('is not pushed over another one of its tag, unless that is allowed; over itself it is left alone', async () => {
    const {shop, image} = await workshop({});
    const first = await resultOf(shop.desk());
    expect(first).toEqual({digest: await digestIn(image), pushed: true, overwrote: false});
    expect(await resultOf(shop.desk())).toEqual({...first, pushed: false});

    await shop.write('Dockerfile', 'FROM scratch\nCOPY VERSION /VERSION\nLABEL other=yes\n');
    await shop.commit('Another image');
    expect(await shop.desk().check('tag')).toMatchObject({status: 'warned', found: expect.stringContaining('there already')});
    await expect(all(shop.desk())).rejects.toMatchObject({
      message: expect.stringContaining('in the registry already, as another image'),
      next: [expect.stringContaining('--allow overwrite-tag')],
      exitCode: 3,
    });
    expect(await digestIn(image)).toBe(first.digest);

    const overwritten = await resultOf(shop.desk({allows: ['overwrite-tag']}));
    expect(overwritten).toEqual({digest: await digestIn(image), pushed: true, overwrote: true});
    expect(overwritten.digest).not.toBe(first.digest);
  });

  test('is not pushed where its name was given to another one since it was built', async () => {
    const {shop, image} = await workshop({});
    const desk = shop.desk();
    const [push, ...before] = [...desk.steps().values()].toReversed();
    const {results} = await desk.run(before.toReversed());
    await shop.write('Dockerfile', 'FROM scratch\nLABEL other=yes\n');
    await shop.docker('build', `--tag=${image}:1.1.0`, '.');
    if (push === undefined) expect.fail('There is no push.');
    const pushing = push.request(desk.io, results).then(request => push.perform(desk.io, request));
    await expect(pushing).rejects.toThrow('is not the image any more that this release has built');
    expect(await digestIn(image)).toBeUndefined();
  });

  test.runIf(withBuildKit)('is built with secrets that are in no argument, no log and no label', async () => {
    const {shop, image} = await workshop({
      build: {secrets: {token: {env: 'BUILD_TOKEN'}, key: {file: 'key.pem'}}},
      files: {'key.pem': 'first line of it\nsecond line of it\n', '.dockerignore': 'key.pem\n'},
      env: {PATH: withBuildKit?.path ?? '', BUILD_TOKEN: 'hunter2-token'},
    });
    const desk = shop.desk();
    expect((await desk.check('builder')).status).toBe('passed');
    await desk.run([...desk.steps().values()].slice(0, 3));
    desk.io.log('the build says hunter2-token, and second line of it');
    expect(desk.log()).toContain('the build says •••, and •••');
    expect(JSON.stringify(await desk.io.docker.inspect(`${image}:1.1.0`))).not.toMatch(/hunter2|line of it/);
  });

  test('with secrets is refused before anything is done where they cannot be given', async () => {
    const secrets = {token: {env: 'BUILD_TOKEN'}};
    const {shop} = await workshop({build: {secrets}, env: {DOCKER_BUILDKIT: '0', BUILD_TOKEN: 'x'}});
    expect(await shop.desk().check('builder')).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('the legacy builder knows no secrets'),
    });
    if (withBuildKit === undefined) return;
    const {shop: other} = await workshop({build: {secrets}, env: {PATH: withBuildKit.path}});
    expect(await other.desk().check('builder')).toMatchObject({
      status: 'failed',
      found: 'there is no environment variable BUILD_TOKEN, which holds the secret token',
    });
  });

  describe('and a registry that wants to know who pushes', () => {
    const never = async () => expect.fail('somebody was asked');

    test('is shown what docker has; nobody is asked', async () => {
      const {shop} = await workshop({});
      const desk = shop.desk({attended: true, askLogin: never});
      expect(await desk.check('registry')).toMatchObject({status: 'passed', found: 'as docker is logged in'});
      expect((await resultOf(desk)).pushed).toBe(true);
    });

    test('is shown what a person types, once; it goes to no log and stays nowhere', async () => {
      const {shop, image} = await workshop({docker: {}});
      const asked: string[] = [];
      const askLogin = async (host: string) => {
        asked.push(host);
        return account;
      };
      const desk = shop.desk({attended: true, askLogin});
      expect(await desk.check('registry')).toMatchObject({status: 'passed', found: `as ${account.username}`});
      expect((await resultOf(desk)).digest).toBe(await digestIn(image));
      expect(asked).toEqual([registry.host]);
      desk.io.log(`printed by somebody: ${account.password}`);
      expect(desk.log()).not.toContain(account.password);
      expect(await readFile(join(shop.root, 'docker', 'config.json'), 'utf8')).toBe('{}');
      expect((await readdir(join(shop.root, 'scratch'))).filter(name => name.startsWith('docker-'))).toEqual([]);
    });

    test('is shown what the named variables hold, where nobody is there to ask', async () => {
      const login = {username: 'REGISTRY_USER', password: 'REGISTRY_PASSWORD'};
      const env = {REGISTRY_USER: account.username, REGISTRY_PASSWORD: account.password};
      const {shop} = await workshop({docker: {}, env, build: {login}});
      expect((await resultOf(shop.desk())).pushed).toBe(true);

      const {shop: without} = await workshop({docker: {}, build: {login}});
      const refused = without.desk().check('registry');
      await expect(refused).rejects.toBeInstanceOf(LoginError);
      await expect(refused).rejects.toMatchObject({
        next: [`Log in: \`docker login ${registry.host}\``, 'Or set REGISTRY_USER and REGISTRY_PASSWORD.'],
      });
    });

    // The last one: afterwards the registry takes another password.
    test('and refuses between build and push what it took before is shown something else, once', async () => {
      const {shop, image} = await workshop({});
      const answers = [renewed];
      const desk = shop.desk({attended: true, askLogin: async () => answers.shift()});
      const [bump, commit, build, push] = [...desk.steps().values()];
      if (!bump || !commit || !build || !push) throw new Error('Steps are missing.');
      await desk.check('registry');
      const {results} = await desk.run([bump, commit, build]);

      await registry.expire();
      const request = await push.request(desk.io, results);
      const {digest} = pushed.parse(await push.perform(desk.io, request));
      expect(digest).toBe(await digestIn(image, renewed));
      expect(answers).toEqual([]);
      expect(desk.log()).toContain(`${registry.host} refused; logged in anew as release.`);
      expect(await push.settle(desk.io, request)).toMatchObject({done: {digest}});

      // Nobody to ask: it stays refused, and says what to do.
      const alone = (await workshop({})).shop.desk();
      await expect(all(alone)).rejects.toMatchObject({next: [`Log in: \`docker login ${registry.host}\``]});
    });
  });
});
