/**
 * `docker login` for one piece of work, and not for the user: in a configuration folder of its own, which inherits what the user has
 * (contexts, plug-ins, proxies, headers), holds nobody else's credentials, and is removed at the end.
 */
import {mkdtemp, readFile, readdir, rm, symlink, writeFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import * as z from 'zod';
import {CommandError, execOk, type Environment} from '../exec.ts';
import type {Credentials} from '../registry/docker-credentials.ts';
import {LoginError} from '../registry/errors.ts';

const loginTimeoutMs = 60_000;

export interface LoginOptions {
  readonly env: Environment;
  /** As in an image name. */
  readonly registry: string;
  readonly credentials: Credentials;
  /** A private folder (0700) to work in. */
  readonly scratch: string;
  /** A build pulls from other registries too: the user's credentials for those are kept. A push needs none of them. */
  readonly keepOthers?: boolean;
  /** Hears of the command before it runs; the password is no part of it. */
  readonly onCommand: (args: readonly string[]) => readonly string[];
}

/**
 * Logs in, works with an environment in which docker is logged in, and forgets the login. Throws LoginError where the registry does not
 * take these credentials.
 */
export async function withLogin<T>(options: LoginOptions, work: (env: Environment) => Promise<T>): Promise<T> {
  const {registry, credentials, scratch, keepOthers = false, onCommand} = options;
  const folder = await mkdtemp(join(scratch, 'docker-'));
  try {
    await inherit(options.env, folder, keepOthers ? registry : undefined);
    // The variable would win over the folder (since docker 28.3).
    const env = {...options.env, DOCKER_CONFIG: folder, DOCKER_AUTH_CONFIG: undefined};
    const where = registry === 'docker.io' ? [] : ['--', registry];
    const args = onCommand(['login', `--username=${credentials.username}`, '--password-stdin', ...where]);
    await execOk('docker', args, {env, input: credentials.password, timeoutMs: loginTimeoutMs}).catch((error: unknown) => {
      throw loginFailed(error, registry);
    });
    return await work(env);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** What may say who somebody is: it is left out, and what docker would put this login into instead of our file. */
const credentialSettings: ReadonlySet<string> = new Set(['auths', 'credsStore', 'credHelpers']);

/** `but`: all credentials are inherited but those of this registry, whose own go into the file. Absent: none are. */
async function inherit(env: Environment, folder: string, but: string | undefined): Promise<void> {
  const own = resolve(env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker'));
  const settings = await readFile(join(own, 'config.json'), 'utf8').then(readSettings, () => ({}));
  const kept =
    but === undefined
      ? Object.fromEntries(Object.entries(settings).filter(([name]) => !credentialSettings.has(name)))
      : {...settings, credHelpers: {...helpersOf(settings), [serverOf(but)]: ''}};
  await writeFile(join(folder, 'config.json'), JSON.stringify(kept), {mode: 0o600});
  const others = await readdir(own).catch(() => []);
  for (const name of others) if (name !== 'config.json') await symlink(join(own, name), join(folder, name));
}

/** A registry without a helper of its own goes to the store for all of them; one with an empty name goes to the file. */
function helpersOf({credHelpers}: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return z.record(z.string(), z.string()).safeParse(credHelpers).data ?? {};
}

/** How docker's configuration calls a registry. */
function serverOf(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

/** What cannot be read says nothing; whoever asked for credentials in it has been told by now. */
function readSettings(text: string): Readonly<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch {
    return {};
  }
}

function loginFailed(error: unknown, registry: string): unknown {
  if (!(error instanceof CommandError)) return error;
  const said = error.lastLines.join('\n');
  if (!/unauthorized|incorrect username or password|authentication required|denied|\b40[13]\b/i.test(said)) return error;
  return new LoginError(
    registry,
    `The registry ${registry} does not take this user and password: ${error.lastLines.at(-1)}`,
    error,
  );
}
