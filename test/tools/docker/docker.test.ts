/**
 * With every docker client on PATH, on the real engine and real registries. The images hold one file and come `FROM scratch`:
 * nothing is pulled.
 */
import {randomUUID} from 'node:crypto';
import {chmod, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {StoppedError} from '../../../src/release/errors.ts';
import {createDocker, type BuildOptions} from '../../../src/tools/docker.ts';
import {CommandError, MissingToolError} from '../../../src/tools/exec.ts';
import {createRegistry, dockerCredentials, LoginError, parseImageName} from '../../../src/tools/registry.ts';
import {account, dockerClients, findOnPath, startRegistry, type RealRegistry} from './real-docker.ts';

vi.setConfig({testTimeout: 60_000, hookTimeout: 60_000});

const clients = await dockerClients();
const registryProgram = await findOnPath('docker-registry');
// In CI a missing part is a failure.
const inCi = Boolean(process.env['CI']);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dw-docker-'));
  await writeFile(join(folder, 'page'), 'hello\n');
  await writeFile(
    join(folder, 'Dockerfile'),
    'FROM scratch AS base\nCOPY page /page\nFROM base\nARG GREETING=none\nLABEL greeting=$GREETING\n',
  );
  await writeFile(join(folder, 'Dockerfile.broken'), 'FROM scratch\nCOPY nowhere /page\n');
});
afterAll(() => rm(folder, {recursive: true, force: true}));

/** What a call tells while it runs. */
const listen = () => {
  const lines: string[] = [];
  const steps: string[] = [];
  const onStep = (done: number, total: number, text: string) => void steps.push(`${done}/${total} ${text}`);
  return {
    lines,
    steps,
    sinks: {onLine: (line: string) => void lines.push(line), onStep, onProgress: onStep, signal: new AbortController().signal},
  };
};

test('no Docker client is an error that says where to get one', async () => {
  await expect(createDocker({env: {PATH: folder}}).version()).rejects.toBeInstanceOf(MissingToolError);
});

test.runIf(inCi)('there is a Docker engine', () => expect(clients).not.toEqual([]));
if (clients.length === 0) describe.skip('docker [skipped: no engine answers]', () => test('builds and pushes', () => undefined));

describe.each(clients)('docker $version', ({version, path}) => {
  const home = join(tmpdir(), 'no-such-home');
  const env = {...process.env, PATH: path, HOME: home};
  const commands: string[] = [];
  const docker = createDocker({env, onCommand: argv => commands.push(argv.join(' '))});
  const isOld = Number.parseInt(version, 10) < 23;

  const built: string[] = [];
  const image = (options: Partial<BuildOptions> = {}): BuildOptions => {
    const reference = `dw-test/${randomUUID()}:1.0.0`;
    built.push(options.reference ?? reference);
    return {
      context: folder,
      reference,
      labels: {'org.opencontainers.image.version': '1.0.0', empty: '', odd: 'a=b "c" $d'},
      ...options,
    };
  };
  const build = (options: BuildOptions) => docker.build(options, listen().sinks);
  afterAll(() => execa('docker', ['image', 'rm', '--force', ...built], {reject: false}));

  test('tells its version and the engine’s', async () => {
    expect(await docker.version()).toEqual({
      client: version,
      server: expect.stringMatching(/^\d+\.\d+/),
      buildkit: expect.any(Boolean),
    });
    if (isOld) expect((await docker.version()).buildkit).toBe(true);
  });

  test.each([
    ['with what it builds with', {}],
    ['with the legacy builder', {DOCKER_BUILDKIT: '0'}],
  ])('builds %s, telling the steps, and the id is the image’s', async (_, more) => {
    const docker = createDocker({env: {...env, ...more}});
    const options = image({buildArgs: {GREETING: 'good morning'}});
    const {lines, steps, sinks} = listen();
    const {id} = await docker.build(options, sinks);

    expect(await docker.inspect(options.reference)).toEqual({
      id,
      labels: {...options.labels, greeting: 'good morning'},
      repoDigests: [],
    });
    expect(await docker.inspect(id)).toMatchObject({id});
    expect(steps.some(step => step.includes('COPY page /page'))).toBe(true);
    const [done, total] = (steps.at(-1) ?? '').split(/[/ ]/);
    expect(done).toBe(total);
    expect(lines.length).toBeGreaterThan(steps.length);
  });

  test('builds the same image again from the same source', async () => {
    const options = image();
    const first = await build(options);
    expect(await build(options)).toEqual(first);
  });

  test('builds another Dockerfile, stage and platform where told', async () => {
    const options = image({dockerfile: 'Dockerfile', target: 'base', platform: 'linux/amd64'});
    await build(options);
    expect((await docker.inspect(options.reference))?.labels).toEqual(options.labels);
    expect(commands.at(-2)).toMatch(/^docker build .*--target=base .*-- \/\S+$/);
  });

  test('says why a build failed, and where the folder is missing', async () => {
    const failing = build(image({dockerfile: 'Dockerfile.broken'}));
    await expect(failing).rejects.toBeInstanceOf(CommandError);
    await expect(failing).rejects.toThrow(/nowhere/);
    await expect(build(image({context: join(folder, 'gone')}))).rejects.toThrow(/there is no such folder/);
  });

  test('stops a build when asked', async () => {
    const stop = new AbortController();
    const sinks = {...listen().sinks, onLine: () => stop.abort(), signal: stop.signal};
    await expect(docker.build(image(), sinks)).rejects.toBeInstanceOf(StoppedError);
  });

  test('knows no image that is not there', async () => {
    expect(await docker.inspect('dw-test/not-there:1')).toBeUndefined();
    expect(await docker.inspect('--help')).toBeUndefined();
  });

  test('names the engine that does not answer', async () => {
    const host = `unix://${folder}/no.sock`;
    const lost = createDocker({env: {...env, DOCKER_HOST: host}});
    const error = {
      message: expect.stringContaining(`No Docker engine answers at ${host}.`),
      next: expect.arrayContaining([`Check DOCKER_HOST: it is ${host}.`]),
    };
    await expect(lost.version()).rejects.toMatchObject(error);
    await expect(lost.inspect('x')).rejects.toMatchObject(error);
    await expect(lost.push('x', listen().sinks)).rejects.toMatchObject(error);
    await expect(lost.build(image(), listen().sinks)).rejects.toMatchObject(error);
    await expect(createDocker({env: {...env, DOCKER_HOST: undefined, DOCKER_CONTEXT: 'gone'}}).version()).rejects.toThrow(
      /context "gone"/,
    );
  });

  describe.skipIf(registryProgram === undefined && !inCi)('and a registry', () => {
    let open: RealRegistry;
    let closed: RealRegistry;
    beforeAll(async () => {
      const program = registryProgram ?? expect.fail('docker-registry is not on PATH.');
      [open, closed] = await Promise.all([startRegistry(program), startRegistry(program, {login: true})]);
    });
    afterAll(async () => {
      await open[Symbol.asyncDispose]();
      await closed[Symbol.asyncDispose]();
    });

    test('pushes layer by layer; the registry says the same digest', async () => {
      const reference = `${open.host}/dw/${randomUUID()}:1.0.0`;
      const {id} = await build(image({reference}));
      const {steps, sinks} = listen();
      const {digest} = await docker.push(reference, sinks);
      expect(steps.at(-1)).toMatch(/^1\/1 [0-9a-f]{12}: Pushed$/);

      const registry = createRegistry({credentials: async () => undefined});
      const name = parseImageName(reference);
      expect(await registry.digest(name, '1.0.0')).toBe(digest);
      expect(await registry.imageId(name, '1.0.0')).toBe(id);
      expect(await registry.digest(name, '2.0.0')).toBeUndefined();
      expect(await registry.imageId(name, '2.0.0')).toBeUndefined();
      expect(await registry.tags(name)).toEqual(['1.0.0']);
      expect(await registry.tags({...name, repository: 'dw/gone'})).toEqual([]);
      expect((await docker.inspect(reference))?.repoDigests).toEqual([`${open.host}/${name.repository}@${digest}`]);
    });

    test('needs a login where the registry wants one, and uses it', async () => {
      const reference = `${closed.host}/dw/${randomUUID()}:1.0.0`;
      const name = parseImageName(reference);
      await build(image({reference}));
      await expect(docker.push(reference, listen().sinks)).rejects.toMatchObject({
        constructor: LoginError,
        registry: closed.host,
        next: [`Log in: \`docker login ${closed.host}\``],
      });

      const config = join(folder, `config-${version}`);
      const {username, password} = account;
      const withLogin = {...env, DOCKER_CONFIG: config};
      await execa('docker', ['login', '--username', username, '--password-stdin', closed.host], {
        input: password,
        env: withLogin,
      });
      const {digest} = await createDocker({env: withLogin}).push(reference, listen().sinks);

      const registry = createRegistry({credentials: dockerCredentials({env: withLogin, home})});
      expect(await registry.digest(name, '1.0.0')).toBe(digest);
      await expect(createRegistry({credentials: async () => undefined}).digest(name, '1.0.0')).rejects.toBeInstanceOf(LoginError);
    });

    test('says what is wrong when there is nothing to push, or nobody to push to', async () => {
      await expect(docker.push(`${open.host}/dw/not-built:1`, listen().sinks)).rejects.toMatchObject({
        next: [expect.stringContaining('Build the image first')],
      });
      const nowhere = '127.0.0.1:1/dw/x:1';
      await build(image({reference: nowhere}));
      await expect(docker.push(nowhere, listen().sinks)).rejects.toMatchObject({
        next: [expect.stringContaining('127.0.0.1:1 can be reached')],
      });
    });
  });

  /** Stands in for buildx, which is not here: the client hands `docker build` on to it, and it notes with what. */
  describe.runIf(!isOld)('and a buildx plug-in', () => {
    const installBuildx = async (buildxVersion: string) => {
      const config = await mkdtemp(join(folder, 'config-'));
      const plugin = join(config, 'cli-plugins', 'docker-buildx');
      await mkdir(join(config, 'cli-plugins'));
      await writeFile(
        plugin,
        `#!/bin/sh
case "$*" in
docker-cli-plugin-metadata) echo '{"SchemaVersion":"0.1.0","Vendor":"test","Version":"${buildxVersion}"}' ;;
*buildx\\ version) echo 'github.com/docker/buildx v${buildxVersion} 0000000' ;;
*)
  for argument in "$@"; do
    echo "$argument" >>${config}/arguments
    case "$argument" in --iidfile=*) echo sha256:${'ab'.repeat(32)} >"\${argument#*=}" ;; esac
  done
  cat ${join(import.meta.dirname, 'output', 'buildx.txt')} >&2 ;;
esac
`,
      );
      await chmod(plugin, 0o755);
      const arguments_ = async () => (await readFile(join(config, 'arguments'), 'utf8')).trim().split('\n');
      return {docker: createDocker({env: {...env, DOCKER_CONFIG: config}}), arguments: arguments_};
    };

    test('builds with BuildKit, into the engine, without attestations', async () => {
      const buildx = await installBuildx('0.17.1');
      expect((await buildx.docker.version()).buildkit).toBe(true);
      const {steps, sinks} = listen();
      expect(await buildx.docker.build(image(), sinks)).toEqual({id: `sha256:${'ab'.repeat(32)}`});
      expect(steps.at(-1)).toBe('7/7 exporting to image');
      expect(await buildx.arguments()).toEqual(
        expect.arrayContaining(['build', '--progress=plain', '--load', '--provenance=false', folder]),
      );
    });

    test('asks an old one for nothing that it does not know', async () => {
      const buildx = await installBuildx('0.9.1');
      await buildx.docker.build(image(), listen().sinks);
      expect(await buildx.arguments()).not.toContain('--provenance=false');
    });
  });
});
