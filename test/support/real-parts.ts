import {randomBytes} from 'node:crypto';
import {access, constants, copyFile, mkdir, mkdtemp, open, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {createInterface} from 'node:readline';
import {execa} from 'execa';
import type {TestProject} from 'vitest/node';

/** The real programs that the end-to-end tests work on. A test asks for them with `requires` and `part` (requires.ts). */
export interface RealParts {
  /** `client` is the path of the `docker` that comes first on PATH; `host` is DOCKER_HOST when that is set. */
  docker: {client: string; host?: string};
  /** A registry without authentication, `host:port` on loopback. Manifests may be deleted. Shared: use a repository name of your own. */
  registry: {address: string};
  /** The same behind HTTP basic authentication. */
  registryWithAuth: {address: string; user: string; password: string};
  terraform: {path: string; version: string};
  /** `moto_server`: every AWS API on one port. Shared: use names of your own, and never reset it. */
  moto: {url: string};
  /** Path of a statically linked busybox: all that an image `FROM scratch` needs. */
  busybox: string;
  /** A local image to build on: it serves /app/www, scripts included. It goes at the end, with all that was built on it. */
  baseImage: string;
}

export type PartName = keyof RealParts;

declare module 'vitest' {
  interface ProvidedContext extends Partial<RealParts> {
    /** Why a part is not there, in words. */
    missingParts?: Partial<Record<PartName, string>>;
  }
}

type Sought<T> = {found: T} | {missing: string};

const startTimeoutMs = 30_000;

/** Finds or starts every part side by side (about a second, moto being the slowest), and stops what it started. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'dw-parts-'));
  const servers = new Servers(folder);
  const missingParts: Partial<Record<PartName, string>> = {};

  const offer = async <Name extends PartName>(name: Name, search: Promise<Sought<RealParts[Name]>>) => {
    const sought = await search;
    if ('found' in sought) project.provide(name, sought.found);
    else missingParts[name] = sought.missing;
  };

  const [docker, busybox] = [findDocker(), findBusybox()];
  const images = new Images(folder);
  await Promise.all([
    offer('moto', startMoto(servers)),
    offer('docker', docker),
    offer('registry', startRegistry(servers, folder)),
    offer('registryWithAuth', startRegistryWithAuth(servers, folder)),
    offer('terraform', findTerraform()),
    offer('busybox', busybox),
    offer('baseImage', images.build(await docker, await busybox)),
  ]);
  project.provide('missingParts', missingParts);
  for (const [name, reason] of Object.entries(missingParts)) project.vitest.logger.warn(`${name} is missing: ${reason}`);

  return async () => {
    await Promise.all([servers.stop(), images.remove()]);
    await rm(folder, {recursive: true, force: true});
  };
}

async function findDocker(): Promise<Sought<RealParts['docker']>> {
  const client = await findOnPath('docker');
  if (client === undefined) return {missing: 'docker is not on PATH'};
  // `docker info` exits 0 without an engine in some versions; asking for the engine's version never does.
  const answer = await execa(client, ['version', '--format', '{{.Server.Version}}'], {reject: false, timeout: 15_000});
  if (answer.failed) return {missing: `no Docker engine answers ${client}: ${lastLine(answer.stderr)}`};
  const host = process.env['DOCKER_HOST'];
  return {found: host === undefined || host === '' ? {client} : {client, host}};
}

async function findTerraform(): Promise<Sought<RealParts['terraform']>> {
  const path = await findOnPath('terraform');
  if (path === undefined) return {missing: 'terraform is not on PATH'};
  // CHECKPOINT_DISABLE: otherwise it asks HashiCorp for a newer version first.
  const answer = await execa(path, ['version', '-json'], {reject: false, timeout: 15_000, env: {CHECKPOINT_DISABLE: '1'}});
  if (answer.failed) return {missing: `${path} does not run: ${lastLine(answer.stderr)}`};
  const {terraform_version: version}: {terraform_version: string} = JSON.parse(answer.stdout);
  return {found: {path, version}};
}

async function findBusybox(): Promise<Sought<string>> {
  const path = await findOnPath('busybox');
  if (path === undefined) return {missing: 'busybox is not on PATH (Debian: busybox-static)'};
  if (!(await isStaticallyLinked(path))) return {missing: `${path} is not statically linked (Debian: busybox-static)`};
  return {found: path};
}

async function startMoto(servers: Servers): Promise<Sought<RealParts['moto']>> {
  const started = await servers.start('moto_server', ['-H', '127.0.0.1', '-p', '0'], /Running on (http:\/\/127\.0\.0\.1:\d+)/);
  return 'found' in started ? {found: {url: started.found}} : started;
}

async function startRegistry(servers: Servers, folder: string): Promise<Sought<RealParts['registry']>> {
  const started = await serveRegistry(servers, join(folder, 'registry'));
  return 'found' in started ? {found: {address: started.found}} : started;
}

/** "not-a-real-secret", in the only form that the registry reads: bcrypt, made with crypt(3). */
const account = {
  user: 'release',
  password: 'not-a-real-secret',
  hash: '$2y$05$abcdefghijklmnopqrstuungVG5rV2wnfvY7IqXMxsk5437TWq.4m',
};

async function startRegistryWithAuth(servers: Servers, folder: string): Promise<Sought<RealParts['registryWithAuth']>> {
  const passwords = join(folder, 'htpasswd');
  await writeFile(passwords, `${account.user}:${account.hash}\n`, {mode: 0o600});
  const started = await serveRegistry(servers, join(folder, 'registry-with-auth'), {
    auth: {htpasswd: {realm: 'deploy-wizard tests', path: passwords}},
  });
  if ('missing' in started) return started;
  return {found: {address: started.found, user: account.user, password: account.password}};
}

/** Settings: https://distribution.github.io/distribution/about/configuration/ (a JSON file is a YAML file). */
async function serveRegistry(servers: Servers, folder: string, extra: Record<string, unknown> = {}): Promise<Sought<string>> {
  await mkdir(folder);
  const settings = join(folder, 'config.yml');
  await writeFile(
    settings,
    JSON.stringify({
      version: '0.1',
      log: {level: 'info', accesslog: {disabled: true}},
      storage: {filesystem: {rootdirectory: join(folder, 'storage')}, delete: {enabled: true}},
      http: {addr: '127.0.0.1:0', secret: randomBytes(16).toString('hex')},
      ...extra,
    }),
  );
  return servers.start('docker-registry', ['serve', settings], /listening on (127\.0\.0\.1:\d+)/);
}

/** The servers that this set-up started, and only those. */
class Servers {
  readonly #stops: (() => Promise<unknown>)[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Starts a server on port 0 and waits until it says where it listens: a port chosen beforehand could be taken in between.
   * Answers the first group of `announcement`.
   */
  async start(program: string, args: string[], announcement: RegExp): Promise<Sought<string>> {
    const path = await findOnPath(program);
    if (path === undefined) return {missing: `${program} is not on PATH`};

    const child = execa(path, args, {cwd: this.#folder, stdin: 'ignore', buffer: false, all: true, reject: false});
    this.#stops.push(async () => {
      child.kill('SIGTERM');
      await child;
    });
    const said: string[] = [];
    const {promise, resolve} = Promise.withResolvers<Sought<string>>();
    const tooLate = setTimeout(resolve, startTimeoutMs, {missing: `${program} did not listen within ${startTimeoutMs / 1000} s`});
    createInterface({input: child.all}).on('line', line => {
      said.splice(0, said.length - 4);
      said.push(line);
      const address = announcement.exec(line)?.[1];
      if (address !== undefined) resolve({found: address});
    });
    void child.finally(() => resolve({missing: `${program} ended at once: ${said.join(' | ')}`}));
    return promise.finally(() => clearTimeout(tooLate));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stops.map(stop => stop()));
  }
}

/**
 * The image that others build on. Layers that are the same for all of them are made and pushed once; and as images are removed only
 * here, at the end, no build loses a layer that the engine takes away with somebody else's image.
 */
class Images {
  readonly #folder: string;
  readonly #name = `dw-base-${randomBytes(4).toString('hex')}`;
  #client: string | undefined;

  constructor(folder: string) {
    this.#folder = join(folder, 'base');
  }

  async build(docker: Sought<RealParts['docker']>, busybox: Sought<string>): Promise<Sought<string>> {
    if ('missing' in docker) return docker;
    if ('missing' in busybox) return busybox;
    await mkdir(this.#folder);
    await copyFile(busybox.found, join(this.#folder, 'busybox'));
    await writeFile(join(this.#folder, 'Dockerfile'), this.#dockerfile());
    const built = await execa(docker.found.client, ['build', '--quiet', '--tag', this.#name, this.#folder], {reject: false});
    if (built.failed) return {missing: `the base image is not built: ${lastLine(built.stderr)}`};
    this.#client = docker.found.client;
    return {found: this.#name};
  }

  /** Those that have the label: children inherit it, also those that a failed or a repeated build has left without a name. */
  async remove(): Promise<void> {
    if (this.#client === undefined) return;
    const search = ['image', 'ls', '--all', '--quiet', '--no-trunc', '--filter', `label=project=${this.#name}`];
    const {stdout} = await execa(this.#client, search);
    // With the last child its parents go too, which may be on the list themselves.
    await execa(this.#client, ['image', 'rm', '--force', ...new Set(stdout.split('\n'))], {reject: false});
  }

  #dockerfile(): string {
    return [
      'FROM scratch',
      `LABEL project=${this.#name}`,
      'COPY busybox /bin/busybox',
      '# As process 1 busybox ignores SIGTERM.',
      'STOPSIGNAL SIGKILL',
      'ENTRYPOINT ["/bin/busybox", "httpd", "-f", "-h", "/app/www", "-p"]',
      '',
    ].join('\n');
  }
}

async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (folder !== '' && executable) return path;
  }
  return undefined;
}

/** Whether a 64-bit little-endian ELF file asks for no interpreter (PT_INTERP, elf(5)): only such a one runs `FROM scratch`. */
async function isStaticallyLinked(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const header = (await file.read(Buffer.alloc(64), 0, 64, 0)).buffer;
    const is64BitElf = header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
    if (!is64BitElf) return false;
    const [offset, size, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(54), header.readUInt16LE(56)];
    const table = (await file.read(Buffer.alloc(size * count), 0, size * count, offset)).buffer;
    const types = Array.from({length: count}, (_, index) => table.readUInt32LE(index * size));
    const interpreter = 3;
    return !types.includes(interpreter);
  } finally {
    await file.close();
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
