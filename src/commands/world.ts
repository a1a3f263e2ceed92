/** The tools of one run: how the kinds reach the world. Nothing is contacted before a job needs it. */
import {type Meter, createMeter} from '../components/downtime.ts';
import type {Io, UnfinishedChange} from '../components/io.ts';
import type {Environment} from '../config/schema.ts';
import {type LoadedConfig, componentSettings} from '../config/load.ts';
import {secretReferences} from '../config/interpolate.ts';
import type {IoFor} from '../release/contract.ts';
import type {Progress} from '../release/events.ts';
import type {Job} from '../release/model.ts';
import {jobId} from '../release/words.ts';
import type {JobLogs} from '../record/logs.ts';
import type {Redaction} from '../record/redact.ts';
import {createAws} from '../tools/aws/index.ts';
import {bringsCredentials} from '../tools/aws/clients.ts';
import {createDocker} from '../tools/docker.ts';
import {createGit} from '../tools/git.ts';
import {probe} from '../tools/http.ts';
import {createRegistry, dockerCredentials, withEcrTokens} from '../tools/registry.ts';
import {createTerraform} from '../tools/terraform/terraform.ts';
import type {Context} from './context.ts';
import {makeScratch} from './scratch.ts';
import {createImages} from './images.ts';
import {placeOf, storeRoot} from './places.ts';

export interface World {
  readonly ioFor: IoFor<Io>;
  /** Ends what still looks at something. */
  close(): void;
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
  /** By component, in milliseconds, newest first. Absent: nobody has looked. */
  readonly lastDowntimes?: ReadonlyMap<string, readonly number[]>;
  /** What the records say of a component's change that never came to its end. Absent: nobody has looked. */
  readonly unfinished?: (component: string) => Promise<UnfinishedChange | undefined>;
  /** Aborted when a person asks for a second interrupt. Absent: nobody can. */
  readonly forced?: AbortSignal;
  readonly readOnly: boolean;
  readonly unproven: ReadonlySet<string>;
  readonly attended: boolean;
  readonly allowed: Io['allows'];
  /** Absent: nobody is there to ask. */
  readonly askLogin?: Io['askLogin'];
  onProgress(job: Job, progress: Progress): void;
}

export function createWorld(context: Context, options: WorldOptions): World {
  const {loaded, logs, redaction, scratch} = options;
  const place = placeOf(loaded, options.environment, context.env);
  const env = toolEnvironment(context.env, loaded.config.environments[options.environment]);
  const {aws: {profile} = {}, values = {}} = loaded.config.environments[options.environment] ?? {};
  const timer = {now: context.clock.now, sleep: (ms: number) => context.clock.sleep(ms, new AbortController().signal)};
  const aws = createAws({region: place.region, profile, login: place.login, env: context.env, timer});
  const registry = createRegistry({
    now: context.clock.now,
    sleep: (ms, signal = new AbortController().signal) => context.clock.sleep(ms, signal),
    credentials: withEcrTokens({
      token: region => aws.ecr.token(region),
      docker: dockerCredentials({env, home: context.home}),
      now: context.clock.now,
      learnSecret: redaction.learn,
    }),
  });

  const learnSecret = (secret: string) => redaction.learn(secret);
  for (const value of secretReferences(loaded.source, context.env)) learnSecret(value);
  const images = createImages({registries: loaded.config.registries, place, aws, registry, learnSecret});

  let made: Promise<void> | undefined;
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
    env,
    terraformEnv: env,
    supervisor: context.supervisor,
    image: images.image,
    digestOf: images.digestOf,
    tagsOf: images.tagsOf,
    askLogin: options.askLogin ?? (() => Promise.resolve(undefined)),
    learnSecret,
    lastDuration: options.lastDuration,
    forced: options.forced ?? new AbortController().signal,
    readOnly: options.readOnly,
    unproven: options.unproven,
    madeCommits: new Set<string>(),
    attended: options.attended,
    allows: options.allowed,
    clock: context.clock,
    scratch: async () => {
      await (made ??= makeScratch(scratch, context));
      return scratch;
    },
  };

  const meters = new Map<string, Meter>();
  const meterOf = (component: string): Meter => {
    const meter = meters.get(component) ?? createMeter(probe, context.clock);
    meters.set(component, meter);
    return meter;
  };

  return {
    close: () => meters.forEach(meter => meter.stop()),
    ioFor: (job, stop) => ({
      ...shared,
      component: job.component,
      copiesImage: setting => images.copierOf(setting, job.component) === job.component,
      settings: version =>
        componentSettings(loaded, job.component, {version, environment: options.environment, values, env: context.env}),
      unfinished: async () => options.unfinished?.(job.component),
      lastDowntimes: options.lastDowntimes?.get(job.component) ?? [],
      meter: meterOf(job.component),
      signal: stop.signal,
      left: stop.left,
      stopCommand: () => stop.command(),
      log: line => logs.write(jobId(job), line),
      progress: progress => options.onProgress(job, progress),
    }),
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
