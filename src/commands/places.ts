/** Where things are: an environment, as the config names it, and the folders of this machine. Loads nothing: every command asks. */
import path from 'node:path';
import type {Place} from '../components/io.ts';
import type {LoadedConfig} from '../config/load.ts';
import {orRather} from '../config/nearest.ts';
import {isS3} from '../record/place.ts';
import {UsageError} from '../release/errors.ts';
import {bringsCredentials} from '../tools/aws/clients.ts';
import type {Context} from './context.ts';

/** The environment of that name. Throws a UsageError where there is none. */
export function placeOf(loaded: LoadedConfig, environment: string, env: Context['env']): Place {
  const {environments} = loaded.config;
  const settings = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
  if (settings === undefined) {
    throw new UsageError(`there is no environment ${JSON.stringify(environment)} in ${loaded.path}`, {
      code: 'DW205',
      means: 'Nothing was started.',
      next: orRather(environment, Object.keys(loaded.config.environments), ''),
    });
  }
  return {
    name: environment,
    accountId: settings.aws?.accountId,
    region: settings.aws?.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'],
    profile: bringsCredentials(env) ? undefined : settings.aws?.profile,
    login: settings.aws?.login,
    usesAws: settings.aws !== undefined,
    maxDowntime: settings.policy.maxDowntime,
  };
}

/** Where an application's files are: its records, or only the logs of its jobs where the records are in S3. */
export function storeRoot(loaded: LoadedConfig, context: Pick<Context, 'env' | 'home'>): string {
  const {store, application} = loaded.config;
  if (store !== undefined && !isS3(store)) return path.resolve(loaded.folder, store);
  return path.join(stateFolder(context), application);
}

/** Where this program keeps what is of this machine. */
export function stateFolder({env, home}: Pick<Context, 'env' | 'home'>): string {
  return path.join(env['XDG_STATE_HOME'] || path.join(home, '.local', 'state'), 'deploy-wizard');
}

/** Where this program keeps what it can make anew. */
export function cacheFolder({env, home}: Pick<Context, 'env' | 'home'>): string {
  return path.join(env['XDG_CACHE_HOME'] || path.join(home, '.cache'), 'deploy-wizard');
}
