import {access, constants, mkdtemp, rm, utimes, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {createInterface} from 'node:readline';
import {execa} from 'execa';

export interface Client {
  readonly version: string;
  /** A PATH on which this is the first docker. */
  readonly path: string;
}

/** Every docker client on PATH, if an engine answers it: none where there is no engine. */
export async function dockerClients(): Promise<Client[]> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const clients: Client[] = [];
  for (const [index, folder] of folders.entries()) {
    if (!(await isExecutable(join(folder, 'docker')))) continue;
    const format = '{{.Client.Version}} {{.Server.Version}}';
    const answer = await execa(join(folder, 'docker'), ['version', '--format', format], {reject: false, timeout: 15_000});
    const version = answer.stdout.split(' ')[0] ?? '';
    if (answer.failed || clients.some(client => client.version === version)) continue;
    clients.push({version, path: folders.slice(index).join(delimiter)});
  }
  return clients;
}

export async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (await isExecutable(join(folder, program))) return join(folder, program);
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Who may use a registry started with `startRegistry(program, {login: true})`. The hash is bcrypt, made with `htpasswd -nbB`. */
export const account = {username: 'release', password: 'not-a-real-secret'};
const accountHash = '$2y$05$abcdefghijklmnopqrstuungVG5rV2wnfvY7IqXMxsk5437TWq.4m';
/** The password after `expire`. */
export const renewed = {username: 'release', password: 'renewed-not-a-secret'};
const renewedHash = '$2y$05$abcdefghijklmnopqrstuuvCcCuMQqluCawDcYTH7wuKZzmlLQavy';

export interface RealRegistry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** From now on it takes `renewed`, and `account` no more. */
  expire(): Promise<void>;
}

/** Debian's docker-registry (at `program`) on a port of its own choice, storing in a folder of its own; ends with its scope. */
export async function startRegistry(program: string, {login = false} = {}): Promise<RealRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'dw-registry-'));
  const passwords = join(folder, 'htpasswd');
  await writeFile(passwords, `${account.username}:${accountHash}\n`);
  const settings = join(folder, 'config.yml');
  await writeFile(
    settings,
    JSON.stringify({
      version: '0.1',
      log: {level: 'info', accesslog: {disabled: true}},
      storage: {filesystem: {rootdirectory: join(folder, 'storage')}, delete: {enabled: true}},
      http: {addr: '127.0.0.1:0', secret: 'of one test'},
      ...(login && {auth: {htpasswd: {realm: 'deploy-wizard tests', path: passwords}}}),
    }),
  );
  const child = execa(program, ['serve', settings], {stdin: 'ignore', buffer: false, all: true, reject: false});
  const {promise, resolve, reject} = Promise.withResolvers<string>();
  createInterface({input: child.all}).on('line', line => {
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (address !== undefined) resolve(address);
  });
  void child.then(() => reject(new Error('docker-registry ended before it listened.')));
  return {
    host: await promise,
    async expire() {
      await writeFile(passwords, `${renewed.username}:${renewedHash}\n`);
      // It reads the file anew when its time is another one.
      const later = new Date(Date.now() + 10_000);
      await utimes(passwords, later, later);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await child;
      await rm(folder, {recursive: true, force: true});
    },
  };
}
