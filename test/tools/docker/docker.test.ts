/**
 * With every docker client on PATH, on the real engine and real registries. The images hold one file and come `FROM scratch`:
 * nothing is pulled.
 */
import {randomUUID} from 'node:crypto';
import {chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
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
      scratch: tmpdir(),
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

  const withSecret = async () => {
    const context = await mkdtemp(join(folder, 'secret-'));
    const busybox = await findOnPath('busybox');
    if (busybox === undefined) return undefined;
    await copyFile(busybox, join(context, 'busybox'));
    const show = 'for id in token file; do /bin/busybox wc -c < /run/secrets/$id; /bin/busybox cat /run/secrets/$id; done';
    const run = ['/bin/busybox', 'sh', '-c', `: ${randomUUID()}; ${show} > /shown`];
    const mounts = '--mount=type=secret,id=token --mount=type=secret,id=file';
    await writeFile(
      join(context, 'Dockerfile'),
      `FROM scratch\nCOPY busybox /bin/busybox\nRUN ${mounts} ${JSON.stringify(run)}\n`,
    );
    await writeFile(join(context, 'a,b "c"'), 'from the file');
    const secrets = {token: {env: 'BUILD_TOKEN'}, file: {file: join(context, 'a,b "c"')}};
    return image({context, secrets});
  };

  test.runIf(isOld)('hands secrets to BuildKit by where they are, never by what they hold', async ({skip}) => {
    const options = (await withSecret()) ?? skip('busybox is not on PATH');
    const heard: string[] = [];
    const docker = createDocker({
      env: {...env, BUILD_TOKEN: 'from-the-variable'},
      onCommand: argv => heard.push(argv.join(' ')),
    });
    const {lines, sinks} = listen();
    await docker.build(options, sinks);
    const {stdout} = await execa('docker', ['run', '--rm', options.reference, '/bin/busybox', 'cat', '/shown']);
    expect(stdout).toBe('17\nfrom-the-variable13\nfrom the file');
    expect([...heard, ...lines].join('\n')).not.toContain('from-the-variable');
    const {stdout: history} = await execa('docker', ['history', '--no-trunc', options.reference]);
    expect(history).not.toContain('from-the-variable');
  });

  test('refuses secrets where the legacy builder would leave them out', async ({skip}) => {
    const options = (await withSecret()) ?? skip('busybox is not on PATH');
    const legacy = createDocker({env: {...env, DOCKER_BUILDKIT: '0'}});
    await expect(legacy.build(options, listen().sinks)).rejects.toMatchObject({
      message: expect.stringContaining('Secrets of a build take BuildKit'),
      next: ['Remove DOCKER_BUILDKIT=0.'],
      final: true,
    });
    expect(await legacy.inspect(options.reference)).toBeUndefined();
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

    describe('with a login of its own', () => {
      let userConfig: string;
      let scratch: string;
      const expired = {auth: Buffer.from('release:expired').toString('base64')};
      beforeAll(async () => {
        userConfig = await mkdtemp(join(folder, 'user-'));
        scratch = await mkdtemp(join(folder, 'scratch-'));
        await mkdir(join(userConfig, 'contexts'));
        // A store that nothing may be put into, a header that has to stay, and a password that is not taken any more.
        const settings = {auths: {[closed.host]: expired}, credsStore: 'of-the-user', HttpHeaders: {'X-Team': 'release'}};
        await writeFile(join(userConfig, 'config.json'), JSON.stringify(settings));
      });
      const heard: string[] = [];
      const inside = () =>
        createDocker({env: {...env, DOCKER_CONFIG: userConfig}, onCommand: argv => heard.push(argv.join(' '))});
      const userFiles = async () => ({
        names: await readdir(userConfig),
        settings: await readFile(join(userConfig, 'config.json'), 'utf8'),
      });

      test('pushes, and leaves the user’s configuration and nothing of its own', async () => {
        const reference = `${closed.host}/dw/${randomUUID()}:1.0.0`;
        await build(image({reference}));
        const before = await userFiles();
        const {lines, sinks} = listen();
        const {digest} = await inside().push(reference, sinks, {credentials: account, scratch});

        const registry = createRegistry({credentials: async () => account});
        expect(await registry.digest(parseImageName(reference), '1.0.0')).toBe(digest);
        expect(await userFiles()).toEqual(before);
        expect(await readdir(scratch)).toEqual([]);
        expect([...heard, ...lines].join('\n')).not.toContain(account.password);
        expect(heard).toContain(`docker login --username=release --password-stdin -- ${closed.host}`);
      });

      test('builds on an image that nobody else may pull; where the user is logged in besides is not forgotten', async () => {
        const reference = `${closed.host}/dw/${randomUUID()}:1.0.0`;
        await build(image({reference}));
        await inside().push(reference, listen().sinks, {credentials: account, scratch});
        await execa('docker', ['image', 'rm', '--force', reference], {env});
        const dockerfile = join(folder, `Dockerfile.private-${version}`);
        await writeFile(dockerfile, `FROM ${reference}\nLABEL on=private\n`);

        // The user's own store, which knows another registry; asked for this one, it would answer with what has expired.
        const bin = await mkdtemp(join(folder, 'bin-'));
        const asked = join(bin, 'asked');
        const helper = `#!/bin/sh
echo "$1" >> '${asked}'
case $1 in
  list) echo '{"registry.example.edu": "jo"}' ;;
  get) echo '{"ServerURL": "registry.example.edu", "Username": "jo", "Secret": "expired"}' ;;
  *) exit 1 ;;
esac
`;
        await writeFile(join(bin, 'docker-credential-of-the-user'), helper, {mode: 0o755});
        const withHelper = {...env, DOCKER_CONFIG: userConfig, PATH: `${bin}:${path}`};
        const inHere = createDocker({env: withHelper, onCommand: argv => heard.push(argv.join(' '))});
        const other = () => image({dockerfile, reference: `${closed.host}/dw/${randomUUID()}:1.0.0`});
        await expect(inHere.build(other(), listen().sinks)).rejects.toThrow();

        const before = await userFiles();
        await inHere.build(other(), listen().sinks, {credentials: account, scratch});
        // The legacy builder gets all that the client has, BuildKit asks for what it needs.
        expect(await readFile(asked, 'utf8')).toContain(isOld ? 'get' : 'list');
        expect(await userFiles()).toEqual(before);
        expect(await readdir(scratch)).toEqual([]);
        expect(heard.join('\n')).not.toContain(account.password);
      });

      test('that the registry does not take is a LoginError, and nothing of it stays', async () => {
        const reference = `${closed.host}/dw/${randomUUID()}:1.0.0`;
        await build(image({reference}));
        const credentials = {username: 'release', password: 'wrong-password'};
        const pushing = inside().push(reference, listen().sinks, {credentials, scratch});
        await expect(pushing).rejects.toMatchObject({constructor: LoginError, registry: closed.host});
        await expect(pushing).rejects.not.toThrow(/wrong-password/);
        expect(await readdir(scratch)).toEqual([]);
      });
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
  case "$*" in
  *rawjson*) cat ${join(import.meta.dirname, 'output', 'buildx-rawjson.txt')} >&2 ;;
  *) cat ${join(import.meta.dirname, 'output', 'buildx.txt')} >&2 ;;
  esac ;;
esac
`,
      );
      await chmod(plugin, 0o755);
      const arguments_ = async () => (await readFile(join(config, 'arguments'), 'utf8')).trim().split('\n');
      return {docker: createDocker({env: {...env, DOCKER_CONFIG: config}}), arguments: arguments_};
    };

    test('builds with BuildKit, into the engine, without attestations', async () => {
      const buildx = await installBuildx('0.12.1');
      expect((await buildx.docker.version()).buildkit).toBe(true);
      const {steps, sinks} = listen();
      expect(await buildx.docker.build(image(), sinks)).toEqual({id: `sha256:${'ab'.repeat(32)}`});
      expect(steps.at(-1)).toBe('7/7 exporting to image');
      expect(await buildx.arguments()).toEqual(
        expect.arrayContaining(['build', '--progress=plain', '--load', '--provenance=false', folder]),
      );
    });

    test('reads the output that is for machines where buildx has it', async () => {
      const buildx = await installBuildx('0.17.1');
      const {steps, lines, sinks} = listen();
      await buildx.docker.build(image(), sinks);
      expect(await buildx.arguments()).toContain('--progress=rawjson');
      expect(steps.at(-1)).toBe('7/7 exporting to image');
      expect(lines).toContain('#6 Collecting sqlalchemy');
    });

    test('asks an old one for nothing that it does not know', async () => {
      const buildx = await installBuildx('0.9.1');
      await buildx.docker.build(image(), listen().sinks);
      expect(await buildx.arguments()).not.toContain('--provenance=false');
    });
  });
});
