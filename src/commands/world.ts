/** The tools of one run: how the kinds reach the world. Nothing is contacted before a job needs it. */
import {mkdir} from 'node:fs/promises';
import {randomUUID} from 'node:crypto';
import path from 'node:path';
import {ecrRepository, tagOf} from '../components/images.ts';
import type {Image, Io, Place} from '../components/io.ts';
import type {Environment} from '../config/schema.ts';
import type {LoadedConfig} from '../config/load.ts';
import type {IoFor} from '../release/contract.ts';
import {UsageError} from '../release/errors.ts';
import type {Progress} from '../release/events.ts';
import {type Job, jobId} from '../release/model.ts';
import type {JobLogs} from '../record/logs.ts';
import type {Redaction} from '../record/redact.ts';
import {createAws} from '../tools/aws/index.ts';
import {bringsCredentials} from '../tools/aws/session.ts';
import {createDocker} from '../tools/docker.ts';
import {createGit} from '../tools/git.ts';
import {probe} from '../tools/http.ts';
import {createRegistry, dockerCredentials, formatImageName, parseImageName} from '../tools/registry.ts';
import {createTerraform} from '../tools/terraform/terraform.ts';
import type {Context} from './context.ts';

export interface World {
  readonly ioFor: IoFor<Io>;
}

export interface WorldOptions {
  readonly loaded: LoadedConfig;
  readonly environment: string;
  /** What the settings were bound with. */
  readonly version: string;
  readonly logs: JobLogs;
  readonly redaction: Redaction;
  /** Where plan files and raw output go; made 0700 when first asked for. */
  readonly scratch: string;
  readonly lastDuration: number | undefined;
  readonly readOnly: boolean;
  readonly unproven: ReadonlySet<string>;
  readonly attended: boolean;
  readonly allowed: Io['allows'];
  onProgress(job: Job, progress: Progress): void;
}

export function createWorld(context: Context, options: WorldOptions): World {
  const {loaded, logs, redaction, scratch} = options;
  const place = placeOf(loaded, options.environment, context.env);
  const env = toolEnvironment(context.env, loaded.config.environments[options.environment]);
  const {profile} = loaded.config.environments[options.environment]?.aws ?? {};
  const aws = createAws({region: place.region, profile, login: place.login, env: context.env});
  const registry = createRegistry({credentials: dockerCredentials({env, home: context.home})});

  const ecrHost = async (): Promise<string> => {
    const account = place.accountId ?? (await aws.sts.identity()).account;
    if (place.region === undefined)
      throw new UsageError(`environment ${place.name} has no aws.region: it takes one to name images in ECR`);
    return `${account}.dkr.ecr.${place.region}.amazonaws.com`;
  };

  const ecrImage = async (repository: string, tag: string): Promise<Image> => {
    const host = await ecrHost();
    return {
      uri: `${host}/${repository}:${tag}`,
      tag,
      repository,
      digest: async () => {
        const found = await aws.ecr.image(repository, tag);
        return found && {digest: found.digest, status: found.status, usable: found.status === 'ACTIVE'};
      },
    };
  };

  const image = async (setting: string, tag: string): Promise<Image> => {
    const slash = setting.indexOf('/');
    const registryName = setting.slice(0, Math.max(slash, 0));
    if (Object.hasOwn(loaded.config.registries, registryName)) return ecrImage(setting.slice(slash + 1), tag);
    const name = parseImageName(setting);
    return {
      uri: formatImageName({...name, tag}),
      tag,
      repository: setting,
      digest: async () => {
        const digest = await registry.digest(name, tag);
        return digest === undefined ? undefined : {digest, status: 'ACTIVE', usable: true};
      },
    };
  };

  const digestOf = async (uri: string): Promise<string | undefined> => {
    const [repository, tag] = [ecrRepository(uri), tagOf(uri)];
    // Of our own account and region; any other is asked as every registry is.
    if (repository !== undefined && tag !== undefined && uri.startsWith(`${await ecrHost()}/`)) {
      return (await aws.ecr.image(repository, tag))?.digest;
    }
    const name = parseImageName(uri);
    return registry.digest(name, name.tag ?? 'latest');
  };

  const shared = {
    place,
    application: loaded.config.application,
    version: options.version,
    folder: loaded.folder,
    records: storeRoot(loaded, context),
    aws,
    docker: createDocker({env}),
    git: createGit({env}),
    probe,
    registry,
    terraform: createTerraform({env}),
    terraformEnv: env,
    supervisor: context.supervisor,
    image,
    digestOf,
    learnSecret: (secret: string) => redaction.learn(secret),
    lastDuration: options.lastDuration,
    readOnly: options.readOnly,
    unproven: options.unproven,
    attended: options.attended,
    allows: options.allowed,
    clock: context.clock,
    scratch: async () => {
      await mkdir(scratch, {recursive: true, mode: 0o700});
      return scratch;
    },
  };

  return {
    ioFor: (job, stop) => ({
      ...shared,
      component: job.component,
      signal: stop.signal,
      stopCommand: () => stop.command(),
      log: line => logs.write(jobId(job), line),
      progress: progress => options.onProgress(job, progress),
    }),
  };
}

export function placeOf(loaded: LoadedConfig, environment: string, env: Context['env']): Place {
  const {environments} = loaded.config;
  const settings = Object.hasOwn(environments, environment) ? environments[environment] : undefined;
  if (settings === undefined) {
    throw new UsageError(`there is no environment ${JSON.stringify(environment)} in ${loaded.path}`, {
      means: 'Nothing was started.',
      next: [`It has: ${Object.keys(loaded.config.environments).join(', ')}`],
    });
  }
  return {
    name: environment,
    accountId: settings.aws?.accountId,
    region: settings.aws?.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'],
    login: settings.aws?.login,
    usesAws: settings.aws !== undefined,
  };
}

/** What children get: the same account and region that the wizard uses itself. */
function toolEnvironment(env: Context['env'], settings: Environment | undefined): Context['env'] {
  const {region, profile} = settings?.aws ?? {};
  return {
    ...env,
    ...(region && {AWS_REGION: region}),
    ...(profile && !bringsCredentials(env) && {AWS_PROFILE: profile}),
  };
}

/** Where the records of an application are: the config's `store`, or the user's state folder. */
export function storeRoot(loaded: LoadedConfig, context: Pick<Context, 'env' | 'home'>): string {
  const {store, application} = loaded.config;
  if (store !== undefined) return path.resolve(loaded.folder, store);
  const state = context.env['XDG_STATE_HOME'] || path.join(context.home, '.local', 'state');
  return path.join(state, 'deploy-wizard', application);
}

/** A folder aside for what only looks: whoever uses it removes it. */
export function temporaryFolder(env: Context['env']): string {
  return path.join(env['TMPDIR'] || '/tmp', `deploy-wizard-${randomUUID()}`);
}

/** Where a run's plan files and raw output go: beside the records, never in them. */
export function scratchRoot(
  context: Pick<Context, 'env' | 'home'>,
  {application, environment, run}: {readonly application: string; readonly environment: string; readonly run: string},
): string {
  const state = context.env['XDG_STATE_HOME'] || path.join(context.home, '.local', 'state');
  return path.join(state, 'deploy-wizard', '.scratch', application, environment, run);
}
