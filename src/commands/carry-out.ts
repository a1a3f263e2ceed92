/** A run between a frontend and a record: the engine carried out, everything recorded and shown, the summary printed. */
import {rm} from 'node:fs/promises';
import pLimit from 'p-limit';
import {type Command, createStop} from '../release/contract.ts';
import {release} from '../release/engine.ts';
import {exitCodes} from '../release/errors.ts';
import {type RunEvent, type TimedEvent, schemaVersion} from '../release/events.ts';
import type {Choice} from '../release/form.ts';
import type {History} from '../release/history.ts';
import type {Flag} from '../release/model.ts';
import type {Finish} from '../release/outcome.ts';
import {type Allowance, isChange} from '../release/policy.ts';
import {type RunState, emptyRun, reduce} from '../release/reducer.ts';
import type {RecordWriter} from '../record/file-store.ts';
import type {LastRelease} from '../record/last-release.ts';
import {createJobLogs} from '../record/logs.ts';
import type {Frontend} from '../views/frontend.ts';
import {planLines} from '../views/lines.ts';
import {summary} from '../views/summary.ts';
import {lineFor} from '../views/words.ts';
import {type Application, bindComponents, redactionFor} from './application.ts';
import type {Context} from './context.ts';
import type {Output} from './frontends.ts';
import {nextCommands} from './next-commands.ts';
import {createWorld, scratchRoot, temporaryFolder} from './world.ts';

export interface Work {
  readonly choice: Choice;
  readonly allowances: readonly Allowance[];
  readonly options: RunOptions;
  readonly last: LastRelease | undefined;
  readonly history: History;
  /** What the run before this one did for this very version and never proved, as `component/step`. */
  readonly unproven: ReadonlySet<string>;
  /** The record that a resumed run goes on with; a new one is started without. */
  readonly writer?: {readonly run: string; readonly writer: RecordWriter; readonly past: readonly TimedEvent[]};
  /** Gives the environment back. Called as soon as the run has ended, whoever still looks at its end. */
  readonly unlock: () => Promise<void>;
}

/** What the environment's policy lets through by itself. */
function policyOf({config}: Application['loaded'], environment: string): readonly Allowance[] {
  return (config.environments[environment]?.policy.allow ?? []).map(what => ({what}));
}

/** What a run has to know of the command line. */
export interface RunOptions {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly allow: readonly string[];
  readonly maxParallel: number;
  readonly output: Output;
  readonly config?: string;
  readonly reason?: string;
  readonly detailedExitcode?: boolean;
}

/** Whether a flag of the command line lets something through, for every component or for one. */
export function allows(allowances: readonly Allowance[]): (flag: Flag, component: string) => boolean {
  return (flag, component) =>
    allowances.some(allowance => allowance.what === flag && (allowance.component ?? component) === component);
}

/** Runs the engine between a frontend and a record; prints the summary. Returns the exit code. */
export async function carryOut(context: Context, application: Application, frontend: Frontend, work: Work): Promise<number> {
  const {loaded, store} = application;
  const {choice, options} = work;
  // Whatever is wrong with the settings shows before a record is started.
  const components = bindComponents(loaded, context, choice);
  const record = options.dryRun ? undefined : (work.writer ?? (await store.create(choice.environment, choice.version)));
  const run = record?.run ?? 'plan';
  const redaction = redactionFor(loaded, run);
  // Children inherit them, and may print them.
  for (const name of ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) redaction.learn(context.env[name] ?? '');
  const logs = createJobLogs(record && `${record.writer.folder}/logs`, redaction);
  const scratch = record
    ? scratchRoot(context, {application: loaded.config.application, environment: choice.environment, run})
    : temporaryFolder(context.env);

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
    const again = stop.command() !== undefined;
    frontend.notice(again ? 'Stopping already: what cannot be cut off is waited for.' : `${signal}: nothing new is started.`);
    // A terminal that is gone is nobody's wish to stop what is being changed.
    const applying = [...state.jobs.values()].some(({job, status}) => job.phase === 'apply' && status === 'running');
    if (signal === 'SIGHUP') request({do: applying ? 'detach' : 'stop', by: 'SIGTERM'});
    else request({do: 'stop', by: signal});
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
    unproven: work.unproven,
    attended: !options.yes && !options.dryRun,
    allowed: allows([...work.allowances, ...policyOf(loaded, choice.environment)]),
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
    await work.unlock();
    await frontend.close();
  }
  // Plan files hold secrets in clear: kept only as long as somebody may go on with them, which ends with the next run that has
  // changed the environment. Names of runs sort by time: a later one is somebody else's.
  const older = finish.touched ? (await store.runs(choice.environment)).filter(other => other < run) : [];
  const over = finish.resumable ? [] : [run, ...older];
  const folders = record
    ? over.map(one => scratchRoot(context, {application: loaded.config.application, environment: choice.environment, run: one}))
    : [scratch];
  for (const folder of folders) await rm(folder, {recursive: true, force: true});
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
  const commands = nextCommands({
    choice,
    all: Object.keys(loaded.config.components),
    config: options.config,
    allow: options.allow,
    planOnly: options.dryRun,
    unattended: options.yes,
    plan: state.plan,
    policy: [...allowances, ...policyOf(loaded, choice.environment)],
    finish,
  });
  const plan = options.dryRun && state.plan ? planLines(state.plan).map(lineFor(context.env)) : [];
  const lines = summary(state, {env: context.env, ...(record && {record}), commands});
  // stdout belongs to the events there.
  const stream = options.output === 'json' ? context.stderr : context.stdout;
  stream.write(`${[...plan, ...lines].join('\n')}\n`);
}
