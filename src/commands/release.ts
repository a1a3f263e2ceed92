/** The release, in all its ways: the wizard, `--yes`, `plan` and `--dry-run`; and going on with one. */
import {rm} from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import {type Command, createStop} from '../release/contract.ts';
import {release} from '../release/engine.ts';
import {UsageError, exitCodes} from '../release/errors.ts';
import type {RunEvent, TimedEvent} from '../release/events.ts';
import type {Choice, FormAnswers} from '../release/form.ts';
import {type History, noHistory} from '../release/history.ts';
import type {Flag} from '../release/model.ts';
import type {Finish} from '../release/outcome.ts';
import {type Allowance, isChange, parseAllowance} from '../release/policy.ts';
import {type RunState, emptyRun, reduce} from '../release/reducer.ts';
import {type Bump, parseVersion} from '../release/version.ts';
import type {RecordWriter} from '../record/file-store.ts';
import {type LastRelease, lastRelease} from '../record/last-release.ts';
import {lockEnvironment} from '../record/lock.ts';
import {createJobLogs} from '../record/logs.ts';
import {createRedaction} from '../record/redact.ts';
import {schemaVersion} from '../release/events.ts';
import type {Frontend} from '../views/frontend.ts';
import {planLines} from '../views/lines.ts';
import {summary} from '../views/summary.ts';
import {clean} from '../views/text.ts';
import {type Application, bindComponents, openApplication} from './application.ts';
import type {Context} from './context.ts';
import {type Output, type ViewOptions, chooseFrontend} from './frontends.ts';
import {nextCommands, resumable} from './next-commands.ts';
import {createSurvey, noVersion, surveyJob, versionFromBump} from './survey.ts';
import {createWorld, placeOf, scratchRoot, temporaryFolder} from './world.ts';

export interface ReleaseOptions {
  readonly config?: string;
  readonly env?: string;
  readonly release?: string;
  readonly bump?: Bump;
  readonly component?: readonly string[];
  readonly yes: boolean;
  readonly allow: readonly string[];
  readonly dryRun: boolean;
  readonly output: Output;
  readonly tui: boolean;
  readonly maxParallel: number;
  readonly reason?: string;
  /** `plan` only: 2 when something would change. */
  readonly detailedExitcode?: boolean;
}

/** Carries out one release, from the form to the summary. Returns the exit code. */
export async function releaseCommand(context: Context, options: ReleaseOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const allowances = options.allow.map(parseAllowance);
  const view: ViewOptions = {output: options.output, tui: options.tui, yes: options.yes, dryRun: options.dryRun};
  const policy = (environment: string | undefined): readonly Allowance[] => [
    ...allowances,
    ...(application.loaded.config.environments[environment ?? '']?.policy.allow ?? []).map(what => ({what})),
  ];
  let choice: Choice | undefined;
  const frontend = await chooseFrontend(context, view, () => policy(choice?.environment));
  try {
    const survey = await makeSurvey(context, application, allowances);
    const flags = await answersFromFlags(application, options, survey);
    choice = await frontend.choose(flags, survey);
    if (choice === undefined) {
      await frontend.close();
      context.stderr.write('Nothing was started.\n');
      return exitCodes.interrupted;
    }
    const {environment} = choice;
    const last = await lastRelease(application.store, environment);
    const work: Work = {choice, allowances, options, last, history: noHistory};
    if (options.dryRun) return await carryOut(context, application, frontend, work);
    return await locked(context, application, environment, `release ${choice.version}`, () =>
      carryOut(context, application, frontend, work),
    );
  } finally {
    await frontend.close();
  }
}

type Last = LastRelease | undefined;

async function makeSurvey(context: Context, application: Application, allowances: readonly Allowance[]) {
  const {loaded, store} = application;
  const environments = Object.keys(loaded.config.environments);
  const last = await Promise.all(environments.map(async name => [name, await lastRelease(store, name)] as const));
  return createSurvey({
    application,
    last: new Map(last.flatMap(([name, release]) => (release === undefined ? [] : [[name, release] as const]))),
    components: environment =>
      bindComponents(loaded, context, {environment, version: noVersion, components: Object.keys(loaded.config.components)}),
    io: environment => {
      const redaction = createRedaction();
      const world = createWorld(context, {
        loaded,
        environment,
        version: noVersion,
        logs: createJobLogs(undefined, redaction),
        redaction,
        scratch: temporaryFolder(context.env),
        lastDuration: undefined,
        readOnly: true,
        allowed: allows(allowances),
        onProgress: () => undefined,
      });
      return stop => world.ioFor(surveyJob, stop);
    },
  });
}

/** The flags as answers of the form, checked: an unknown name is refused before anything is looked at. */
async function answersFromFlags(
  {loaded}: Application,
  options: ReleaseOptions,
  survey: Awaited<ReturnType<typeof makeSurvey>>,
): Promise<FormAnswers> {
  const {env: environment, component, release: version, bump, yes, dryRun} = options;
  const unattended = yes || dryRun;
  if (environment !== undefined) placeOf(loaded, environment, {});
  if (version !== undefined && bump !== undefined) throw new UsageError('--release and --bump: give one of the two');
  const known = Object.keys(loaded.config.components);
  const unknown = component?.find(id => !known.includes(id));
  if (unknown !== undefined)
    throw new UsageError(`--component ${unknown}: there is no such component`, {next: [`There are: ${known.join(', ')}`]});
  const components = component ?? (unattended ? known : undefined);
  if (bump !== undefined && environment === undefined)
    throw new UsageError('--bump counts from what is deployed: give --env too');
  const target =
    version !== undefined
      ? parseVersion(version, '--release')
      : bump !== undefined && environment !== undefined
        ? versionFromBump(bump, await survey.look(environment, new AbortController().signal))
        : undefined;
  return {
    ...(environment !== undefined && {environment}),
    ...(target !== undefined && {version: target}),
    ...(components !== undefined && {components}),
  };
}

function allows(allowances: readonly Allowance[]): (flag: Flag, component: string) => boolean {
  return (flag, component) =>
    allowances.some(allowance => allowance.what === flag && (allowance.component ?? component) === component);
}

/** Does the work while nobody else can release to the environment. */
export async function locked<T>(
  context: Context,
  {store}: Application,
  environment: string,
  work: string,
  release: () => Promise<T>,
): Promise<T> {
  const {user, host, pid} = context;
  const since = new Date(context.clock.now()).toISOString();
  const unlock = await lockEnvironment(path.join(store.root, environment), {user, host, pid, work, since});
  try {
    return await release();
  } finally {
    await unlock();
  }
}

export interface Work {
  readonly choice: Choice;
  readonly allowances: readonly Allowance[];
  readonly options: Pick<
    ReleaseOptions,
    'dryRun' | 'maxParallel' | 'reason' | 'detailedExitcode' | 'output' | 'allow' | 'yes' | 'config'
  >;
  readonly last: Last;
  readonly history: History;
  /** The record that a resumed run goes on with; a new one is started without. */
  readonly writer?: {readonly run: string; readonly writer: RecordWriter; readonly past: readonly TimedEvent[]};
}

/** Runs the engine between a frontend and a record; prints the summary. Returns the exit code. */
export async function carryOut(context: Context, application: Application, frontend: Frontend, work: Work): Promise<number> {
  const {loaded, store} = application;
  const {choice, options} = work;
  // Whatever is wrong with the settings shows before a record is started.
  const components = bindComponents(loaded, context, choice);
  const record = options.dryRun ? undefined : (work.writer ?? (await store.create(choice.environment, choice.version)));
  const run = record?.run ?? 'plan';
  const redaction = createRedaction();
  const logs = createJobLogs(record && `${record.writer.folder}/logs`, redaction);
  const scratch = record ? scratchRoot(context, loaded.config.application, run) : temporaryFolder(context.env);

  let state: RunState = emptyRun;
  const show = (event: TimedEvent, past = false) => {
    state = reduce(state, event);
    frontend.show(event, past);
  };
  const emit = async (event: RunEvent): Promise<void> => {
    const safe = redaction.deep(event);
    const recorded = record === undefined || event.type === 'job.progress' ? undefined : await record.writer.append(safe);
    show({...safe, at: recorded?.at ?? new Date(context.clock.now()).toISOString()});
  };

  const stop = createStop();
  const request = (command: Command) => stop.request(command);
  frontend.onCommand(request);
  frontend.watchLogs(logs);
  const quiet = context.onSignal(signal => {
    if (stop.command() !== undefined) context.stderr.write('Stopping already: waiting for what cannot be cut off.\n');
    request({do: 'stop', by: signal});
  });

  const world = createWorld(context, {
    loaded,
    environment: choice.environment,
    version: choice.version,
    logs,
    redaction,
    scratch,
    lastDuration: work.last?.took,
    readOnly: options.dryRun,
    allowed: allows(work.allowances),
    onProgress: (job, progress) =>
      show(redaction.deep({type: 'job.progress', job, progress, at: new Date(context.clock.now()).toISOString()})),
  });

  let finish: Finish;
  try {
    if (work.writer) {
      work.writer.past.forEach(event => show(event, true));
      await emit({type: 'run.resumed', by: {user: context.user, host: context.host}});
    } else await emit(startedEvent(context, application, work, components, run));
    finish = await release(
      {
        environment: choice.environment,
        target: {is: 'release', version: choice.version},
        components,
        planOnly: options.dryRun,
        history: work.history,
      },
      {emit, operator: frontend.operator, ioFor: world.ioFor, limit: pLimit(options.maxParallel)},
      stop,
    );
  } finally {
    quiet();
    await logs.close();
    await record?.writer.close();
    await frontend.close();
  }
  // Plan files hold secrets in clear; kept only as long as somebody may go on with them.
  if (!resumable.has(finish.exitCode)) await rm(scratch, {recursive: true, force: true});
  printSummary(
    context,
    application,
    state,
    work,
    finish,
    record && {folder: record.writer.folder, hash: record.writer.head().hash},
  );
  if (options.dryRun && options.detailedExitcode && finish.exitCode !== exitCodes.done) return 1;
  return options.dryRun && options.detailedExitcode && state.plan && isChange(state.plan) ? 2 : finish.exitCode;
}

function startedEvent(
  context: Context,
  {loaded}: Application,
  {choice, options}: Work,
  components: ReturnType<typeof bindComponents>,
  run: string,
): RunEvent {
  return {
    type: 'run.started',
    schema: schemaVersion,
    run,
    application: loaded.config.application,
    environment: choice.environment,
    version: choice.version,
    components: components.map(({id, kind, needs}) => ({id, kind, needs: [...needs]})),
    unattended: options.yes,
    by: {user: context.user, host: context.host},
    tool: context.tool,
    ...(options.reason && {reason: options.reason}),
    configPath: loaded.path,
    config: loaded.source,
    allow: [...options.allow],
  };
}

function printSummary(
  context: Context,
  {loaded}: Application,
  state: RunState,
  {choice, options, allowances}: Work,
  finish: Finish,
  record: {folder: string; hash: string} | undefined,
): void {
  const policy = loaded.config.environments[choice.environment]?.policy.allow ?? [];
  const commands = nextCommands({
    choice,
    all: Object.keys(loaded.config.components),
    config: options.config,
    allow: options.allow,
    planOnly: options.dryRun,
    plan: state.plan,
    policy: [...allowances, ...policy.map(what => ({what}))],
    finish,
  });
  const plan = options.dryRun && state.plan ? planLines(state.plan).map(clean) : [];
  const lines = summary(state, {env: context.env, ...(record && {record}), commands});
  // stdout belongs to the events there.
  const stream = options.output === 'json' ? context.stderr : context.stdout;
  stream.write(`${[...plan, ...lines].join('\n')}\n`);
}
