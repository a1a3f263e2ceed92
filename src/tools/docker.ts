/** The docker command line client: images are built, looked at and pushed with it. One process a call. */
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import * as z from 'zod';
import {DeployError} from '../release/errors.ts';
import {builderOptions, findBuilder, type Builder, type DockerVersions} from './docker/builder.ts';
import {dockerFailed, engineMissing, pushFailed, secretsNeedBuildKit} from './docker/errors.ts';
import {withLogin} from './docker/login.ts';
import {buildOutput, type BuildOutput} from './docker/output.ts';
import {push, Reader} from './docker/progress.ts';
import {CommandError, exec, execOk, type Environment, type ExecOptions} from './exec.ts';
import type {Credentials} from './registry/docker-credentials.ts';
import {parseImageName} from './registry/image-name.ts';

interface LocalImage {
  /** `sha256:…` of the image's configuration (with containerd's image store: of its manifest). */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `repository@sha256:…`, one for each repository it was pushed to or pulled from. */
  readonly repoDigests: readonly string[];
}

export interface BuildOptions {
  /** Folder, absolute. */
  readonly context: string;
  /** A private folder to work in: what a process that was killed leaves in there goes with it. */
  readonly scratch: string;
  /** Absolute, or relative to the context. `Dockerfile` of the context unless told. */
  readonly dockerfile?: string;
  /** Name and tag of the image. */
  readonly reference: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Not for secrets: they end up in the image's history and in the list of processes. */
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Such as `linux/amd64`. The engine's own unless told. */
  readonly platform?: string;
  /** Stage of the Dockerfile. The last one unless told. */
  readonly target?: string;
  /** By id. Docker reads them itself, where they are: a value is never an argument. */
  readonly secrets?: Readonly<Record<string, BuildSecret>>;
}

/** Where a secret of a build is: in an environment variable, or in a file (absolute path). */
export type BuildSecret = {readonly env: string} | {readonly file: string};

interface BuildSinks {
  onLine(line: string): void;
  /** Steps of the Dockerfile. With BuildKit the total grows as stages come into sight. */
  onStep(done: number, total: number, text: string): void;
  readonly signal: AbortSignal;
}

interface PushSinks {
  onLine(line: string): void;
  /** Layers. */
  onProgress(done: number, total: number, text: string): void;
  readonly signal: AbortSignal;
}

export interface DockerLogin {
  readonly credentials: Credentials;
  /** A private folder (0700) to work in. */
  readonly scratch: string;
}

export interface Docker {
  /**
   * Versions of client and engine, and whether images are built with BuildKit.
   * Throws MissingToolError without a client, and DeployError without an engine: which host was tried, what to do.
   */
  version(): Promise<{client: string; server: string; buildkit: boolean}>;
  /** A local image; undefined when the engine has none of that name. */
  inspect(reference: string): Promise<LocalImage | undefined>;
  /**
   * Builds and tags. With a `login` docker is logged in for this one build, aside, beside where the user is. Throws CommandError when the
   * build fails, StoppedError when it was stopped, DeployError for secrets without
   * BuildKit.
   */
  build(options: BuildOptions, sinks: BuildSinks, login?: DockerLogin): Promise<{id: string}>;
  /**
   * Pushes a tag. `digest` is what docker printed; the registry is the one to ask for sure. With a `login` docker is logged in for this
   * one push, aside: the user's own configuration is left as it is.
   * Throws LoginError when the registry wants other credentials, DeployError or CommandError for other failures. After a failure
   * the tag may be there nevertheless.
   */
  push(reference: string, sinks: PushSinks, login?: DockerLogin): Promise<{digest: string | undefined}>;
}

const versionAnswer = z.object({
  Client: z.object({Version: z.string()}),
  Server: z.object({Version: z.string(), Os: z.string().default('linux')}).nullish(),
});

const imageAnswer = z.object({
  Id: z.string(),
  RepoDigests: z.array(z.string()).nullish(),
  Config: z.object({Labels: z.record(z.string(), z.string()).nullish()}).nullish(),
});

const readTimeoutMs = 15_000;

/** `onCommand` hears of every command before it runs: what to show as "how to do this by hand". */
export function createDocker(options: {env: Environment; onCommand?: (argv: readonly string[]) => void}): Docker {
  const {env} = options;
  /** Found once: another builder would give another image. */
  let builder: Builder | undefined;

  function docker(args: readonly string[]): readonly string[] {
    options.onCommand?.(['docker', ...args]);
    return args;
  }

  /** Long work, whose output is for its reader and not kept. */
  async function run(args: readonly string[], options: ExecOptions): Promise<void> {
    await execOk('docker', docker(args), {...options, maxBuffer: 0}).catch((error: unknown) => {
      throw dockerFailed(error, env);
    });
  }

  /** Works with docker logged in at the registry of an image, where there is a login for it. */
  async function loggedIn(
    reference: string,
    login: DockerLogin | undefined,
    how: {readonly keepOthers: boolean},
    work: (env: Environment) => Promise<void>,
  ): Promise<void> {
    if (login === undefined) return work(env);
    return withLogin({env, registry: parseImageName(reference).registry, onCommand: docker, ...how, ...login}, work);
  }

  async function versions(): Promise<DockerVersions> {
    const {stdout, stderr} = await exec('docker', docker(['version', '--format', '{{json .}}']), {env, timeoutMs: readTimeoutMs});
    // Without an engine it fails, but tells of the client; with a context that does not exist it tells nothing.
    const answer = versionAnswer.safeParse(fromJson(stdout));
    if (!answer.success || !answer.data.Server) throw engineMissing(stderr, env);
    const {Client: client, Server: server} = answer.data;
    return {client: client.Version, server: server.Version, serverOs: server.Os};
  }

  return {
    async version() {
      const found = await versions();
      builder = await findBuilder(found, env);
      return {client: found.client, server: found.server, buildkit: builder.is !== 'legacy'};
    },

    async inspect(reference) {
      const args = docker(['image', 'inspect', '--format', '{{json .}}', '--', reference]);
      const result = await exec('docker', args, {env, timeoutMs: readTimeoutMs});
      if (result.exitCode !== 0) {
        if (/no such image/i.test(result.stderr)) return undefined;
        throw dockerFailed(new CommandError('docker', args, result), env);
      }
      const image = imageAnswer.parse(fromJson(result.stdout));
      return {id: image.Id, labels: image.Config?.Labels ?? {}, repoDigests: image.RepoDigests ?? []};
    },

    async build(image, sinks, login) {
      builder ??= await findBuilder(await versions(), env);
      if (builder.is === 'legacy' && image.secrets !== undefined) throw secretsNeedBuildKit(builder.asked);
      const chosen = builderOptions(builder);
      const output = buildOutput(builder, ({done, total, text}) => sinks.onStep(done, total, text), sinks.onLine);

      return withFolderIn(image.scratch, async folder => {
        const idFile = join(folder, 'image-id');
        const buildWith = (env: Environment) =>
          run(['build', ...chosen.args, `--iidfile=${idFile}`, ...imageArguments(image)], {
            env: {...env, ...chosen.env},
            cwd: image.context,
            signal: sinks.signal,
            onLine: line => output.read(line),
          }).catch((error: unknown) => {
            throw error instanceof CommandError ? inWords(error, output) : error;
          });
        await loggedIn(image.reference, login, {keepOthers: true}, buildWith);
        const id = (await readFile(idFile, 'utf8')).trim();
        if (!/^sha256:[0-9a-f]{64}$/.test(id)) throw new DeployError(`Docker built ${image.reference}, but does not say its id.`);
        return {id};
      });
    },

    async push(reference, sinks, login) {
      const reader = new Reader(push, ({done, total, text}) => sinks.onProgress(done, total, text));
      const onLine = (line: string) => {
        reader.read(line);
        sinks.onLine(line);
      };
      const pushWith = (env: Environment) =>
        run(['push', reference], {env, signal: sinks.signal, onLine}).catch((error: unknown) => {
          throw pushFailed(error, reference);
        });
      await loggedIn(reference, login, {keepOthers: false}, pushWith);
      return {digest: reader.state.digest};
    },
  };
}

function inWords(error: CommandError, output: BuildOutput): CommandError {
  const [file = '', ...args] = error.command;
  const lines = output.lastLines();
  return lines === undefined ? error : new CommandError(file, args, error.result, lines);
}

function imageArguments(image: BuildOptions): string[] {
  const {dockerfile, platform, target} = image;
  return [
    `--tag=${image.reference}`,
    ...(dockerfile === undefined ? [] : [`--file=${dockerfile}`]),
    ...(platform === undefined ? [] : [`--platform=${platform}`]),
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...Object.entries(image.labels).map(([name, value]) => `--label=${name}=${value}`),
    ...Object.entries(image.buildArgs ?? {}).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...Object.entries(image.secrets ?? {}).map(([id, secret]) => `--secret=${secretArgument(id, secret)}`),
    '--',
    image.context,
  ];
}

/** Docker reads it as a line of CSV. */
function secretArgument(id: string, secret: BuildSecret): string {
  const where = 'env' in secret ? `env=${secret.env}` : `src=${secret.file}`;
  return [`id=${id}`, where].map(field => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}

async function withFolderIn<T>(scratch: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(scratch, 'build-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
