/**
 * The credentials that `docker login` has put aside, found as docker finds them: a helper named for the registry, the helper for
 * all, the file. https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import * as z from 'zod';
import {DeployError} from '../../release/errors.ts';
import {exec, type Environment} from '../exec.ts';

export interface Credentials {
  /** `<token>` where the password is an identity token (OAuth 2 refresh token) and not a password. */
  readonly username: string;
  readonly password: string;
  /** The docker client has none of its own for this registry, or older ones: it has to be given these. */
  readonly aside?: true;
}

/** Undefined where there are none: the registry is then asked without. `anew`: those of before were refused. */
export type CredentialsFor = (registry: string, anew?: 'anew') => Promise<Credentials | undefined>;

export const identityTokenUser = '<token>';

const dockerConfig = z.object({
  auths: z.record(z.string(), z.object({auth: z.string().optional(), identitytoken: z.string().optional()})).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
type DockerConfig = z.infer<typeof dockerConfig>;

const helperAnswer = z.object({Username: z.string(), Secret: z.string()});
const helperTimeoutMs = 30_000;

/**
 * Reads `config.json` of DOCKER_CONFIG, else of `~/.docker`, at every call: somebody may log in meanwhile. Throws DeployError
 * when the file cannot be read, MissingToolError without the helper it names, DeployError when the helper fails.
 */
export function dockerCredentials(options: {env: Environment; home: string}): CredentialsFor {
  const {env, home} = options;
  const path = join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json');
  return async registry => {
    const config = await readConfig(path);
    const key = configKey(registry);
    const helper = config.credHelpers?.[key] ?? config.credsStore;
    return helper ? fromHelper(helper, key, env) : fromFile(config, key);
  };
}

/** Under what docker files a registry: Docker Hub has the address of an API that is long gone. */
function configKey(registry: string): string {
  return /^(index\.|registry-1\.)?docker\.io$/.test(registry) ? 'https://index.docker.io/v1/' : registry;
}

async function readConfig(path: string): Promise<DockerConfig> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw new DeployError(`The Docker configuration ${path} cannot be read: ${error.message}`, {cause: error});
  });
  try {
    return dockerConfig.parse(JSON.parse(text));
  } catch {
    // Without the cause: JSON.parse quotes the text, which holds passwords.
    throw new DeployError(`The Docker configuration ${path} is not valid.`, {
      next: [`Mend ${path}, or log in again: \`docker login\``],
    });
  }
}

function fromFile(config: DockerConfig, key: string): Credentials | undefined {
  const auths = config.auths ?? {};
  // Old files have addresses where newer ones have hosts: https://registry.example/v1/
  const entry = auths[key] ?? Object.entries(auths).find(([address]) => hostOf(address) === hostOf(key))?.[1];
  if (entry?.identitytoken) return {username: identityTokenUser, password: entry.identitytoken};
  if (!entry?.auth) return undefined;
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(entry.auth, 'base64').toString('utf8')) ?? [];
  if (!username || password === undefined) return undefined;
  return {username, password: password.replaceAll('\0', '')};
}

function hostOf(address: string): string {
  return address.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
}

/** https://github.com/docker/docker-credential-helpers: the address on stdin, the secret as JSON on stdout, a refusal in words there. */
async function fromHelper(helper: string, key: string, env: Environment): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`;
  const {exitCode, stdout, stderr} = await exec(program, ['get'], {env, input: key, timeoutMs: helperTimeoutMs});
  if (exitCode !== 0) {
    const said = `${stdout}\n${stderr}`.trim();
    if (/credentials not found/i.test(said)) return undefined;
    throw new DeployError(
      `${program} does not hand out the credentials for ${key}: ${said.split('\n')[0] || `exit code ${exitCode}`}`,
    );
  }
  try {
    const {Username: username, Secret: password} = helperAnswer.parse(JSON.parse(stdout));
    return username === '' && password === '' ? undefined : {username, password};
  } catch {
    // Without the cause, which would quote the secret.
    throw new DeployError(`${program} answers something else than credentials for ${key}.`);
  }
}
