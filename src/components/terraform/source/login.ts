/** What needs a login at a registry: tried with what is known, and once more after logging in anew. */
import type {DockerLogin} from '../../../tools/docker.ts';
import {LoginError, parseImageName} from '../../../tools/registry.ts';
import type {Io, Login} from '../../io.ts';
import type {Source} from '../config.ts';

type LoginNames = Source['build']['login'];

/**
 * Does some work at a registry. When the registry refuses (no credentials, or some that have expired), gets others, once: a new token
 * for ECR, what the named environment variables hold, what a person types. Rejects with the LoginError where there are none.
 */
export async function withLogin<T>(io: Io, registry: string, names: LoginNames, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LoginError) || error.registry !== registry) throw error;
    const found = await io.registry.logInAnew(
      registry,
      async () => (await fromEnvironment(io, registry, names)) ?? ask(io, registry),
    );
    if (!found) throw names === undefined ? error : error.also(`Or set ${names.username} and ${names.password}.`);
    const now = await io.registry.credentials(registry);
    io.log(`${registry} refused; logged in anew${now ? ` as ${now.username}` : ''}.`);
    return work();
  }
}

/** For docker, what it does not have itself: a token of ECR, what somebody has typed. Undefined where it needs nothing from us. */
export async function loginAside(io: Io, reference: string): Promise<DockerLogin | undefined> {
  const credentials = await io.registry.credentials(parseImageName(reference).registry);
  return credentials?.aside ? {credentials, scratch: await io.scratch()} : undefined;
}

/** What the variables hold, unless that is what was refused. */
async function fromEnvironment(io: Io, registry: string, names: LoginNames): Promise<Login | undefined> {
  if (names === undefined) return undefined;
  const [username, password] = [io.env[names.username], io.env[names.password]];
  if (!username || !password) return undefined;
  io.learnSecret(password);
  const refused = await io.registry.credentials(registry);
  return refused?.username === username && refused.password === password ? undefined : {username, password};
}

async function ask(io: Io, registry: string): Promise<Login | undefined> {
  const login = await io.askLogin(registry);
  if (login !== undefined) io.learnSecret(login.password);
  return login;
}
