/** A run between a frontend and a record: the engine carried out, everything recorded and shown, the summary printed. */
import {rm} from 'node:fs/promises';
import pLimit from 'p-limit';
import {type Command, type Gate, type StateTarget, createStop} from '../release/contract.ts';
import {release} from '../release/engine.ts';
import {type DeployError, UsageError, exitCodes} from '../release/errors.ts';
import {type RunEvent, type TimedEvent, schemaVersion} from '../release/events.ts';
import type {Choice} from '../release/form.ts';
import type {History} from '../release/history.ts';
import type {Io} from '../components/io.ts';
import type {Json} from '../release/json.ts';
import {wholeRelease} from '../release/words.ts';
import type {Finish} from '../release/outcome.ts';
import type {Order} from '../release/run.ts';
import {type Allowance, isChange} from '../release/policy.ts';
import {type RunState, emptyRun, reduce} from '../release/reducer.ts';
import type {RecordWriter} from '../record/store.ts';
import type {LastRelease} from '../record/last-release.ts';
import {createJobLogs} from '../record/logs.ts';
import {pastDowntimes} from '../record/past-downtimes.ts';
import type {Frontend} from '../views/frontend.ts';
import {onGitHub} from '../views/github.ts';
import type {Application} from './application.ts';
import {writeApproval} from './approval-file.ts';
import {tellCi} from './ci.ts';
import {redactionFor} from './recorded.ts';
import {bindComponents} from './binding.ts';
import {type Context, actorOf} from './context.ts';
import type {Output} from './frontends.ts';
import type {EnvironmentGate} from './locking.ts';
import {overrideNames} from './gates.ts';
import {masking} from './github.ts';
import {createHooks} from './hooks.ts';
import {createNotifier} from './notify.ts';
import {allows, policyOf} from './policy.ts';
import {printSummary, removeScratch} from './closing.ts';
import {unfinishedChange} from './in-between.ts';
import {heedSignals} from './signals.ts';
import {offerTicks, openItems} from './ticking.ts';
import {unprovenSteps} from './unfinished.ts';
import {scratchRoot, temporaryFolder} from './scratch.ts';
import {startTimeLimit} from './time-limit.ts';
import {createWorld} from './world.ts';

export interface Work {
  readonly choice: Choice;
  readonly allowances: readonly Allowance[];
  readonly options: RunOptions;
  readonly last: LastRelease | undefined;
  readonly history: History;
  /** What the run before this one did for this very version and never proved, as `component/step`. */
  readonly unproven: ReadonlySet<string>;
  /** A rollback: what each component goes back to. */
  readonly states?: ReadonlyMap<string, StateTarget<Json>>;
  /** What the release as a whole needs, beside what its components require. */
  readonly gates: readonly Gate<Io>[];
  /** The record that a resumed run goes on with; a new one is started without. */
  readonly writer?: {
    readonly run: string;
    readonly writer: RecordWriter;
    readonly past: readonly TimedEvent[];
    /** How the config file differs by now from the one that the run began with, and goes on with. */
    readonly configChanged: readonly string[];
    /** What going on with it lets through besides. */
    readonly allow: readonly string[];
  };
  /** The way into the environment, given back as soon as the run has ended, whoever still looks at its end. Absent: nothing is changed. */
  readonly gate?: EnvironmentGate;
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
  /** How long whoever is at work in the environment is waited for, in milliseconds. Absent: not at all. */
  readonly waitLock?: number;
  /** Gates that somebody lets through, by name. */
  readonly override?: readonly string[];
  readonly detailedExitcode?: boolean;
  /** How long the run may take as a whole, in milliseconds. Absent: as long as it takes. */
  readonly timeout?: number;
  /** Where a plan writes what it would change, to be approved elsewhere. */
  readonly out?: string;
  /** The file with which it was approved elsewhere. */
  readonly approve?: string;
}

/** Gates that are let through, with why and by whom. Throws a UsageError for a name that is none, or without a reason. */
export function overridesOf({user, host}: Context, {override = [], reason}: RunOptions): NonNullable<Order<Io>['overrides']> {
  if (override.length > 0 && !reason?.trim()) {
    throw new UsageError(`--override ${override[0]} needs --reason <text>: it stays in the record and in every audit`, {
      code: 'DW214',
      means: 'Nothing was started.',
    });
  }
  const unknown = override.find(name => !overrideNames.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--override ${unknown}: there is no such gate`, {
      means: 'Nothing was started.',
      next: [`There are: ${overrideNames.join(', ')}`],
    });
  }
  return override.map(name => ({name, reason: reason ?? '', by: `${user}@${host}`}));
}

/** Runs the engine between a frontend and a record; prints the summary. Returns the exit code. */
export async function carryOut(context: Context, application: Application, frontend: Frontend, work: Work): Promise<number> {
  const {loaded, store} = application;
  const {choice, options} = work;
  // Whatever is wrong with the settings shows before a record is started.
  const components = bindComponents(loaded, context, choice);
  const overrides = overridesOf(context, options);
  const record = options.dryRun ? undefined : (work.writer ?? (await store.create(choice.environment, choice.version)));
  const run = record?.run ?? 'plan';
  const known = redactionFor(loaded, run);
  // The runner knows those that the job brought along.
  const redaction = onGitHub(context.env) ? masking(known, context) : known;
  // Children inherit them, and may print them.
  for (const name of ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) known.learn(context.env[name] ?? '');
  const logs = createJobLogs(record?.writer.logs, redaction, context.clock.now);
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
    const timed = {...safe, at: recorded?.at ?? new Date(context.clock.now()).toISOString()};
    show(timed);
    notifier?.tell(timed);
  };
  const notifier = options.dryRun
    ? undefined
    : createNotifier(context, {
        targets: loaded.config.notify,
        learnSecret: redaction.learn,
        notice: text => frontend.notice(redaction.text(text)),
      });

  const stop = createStop();
  const request = (command: Command) => stop.request(command);
  frontend.onCommand(request);
  frontend.watchLogs(logs);
  const quiet = heedSignals(context, frontend, stop, () => state);

  const timeLimit = startTimeLimit(context.clock, options.timeout, {request, notice: text => frontend.notice(text)});

  const unproven = new Set(work.unproven);
  const world = createWorld(context, {
    loaded,
    environment: choice.environment,
    version: choice.version,
    logs,
    redaction,
    scratch,
    lastDuration: work.last?.took,
    lastDowntimes: await pastDowntimes(store, choice.environment),
    unfinished: component => unfinishedChange(store, choice.environment, component),
    readOnly: options.dryRun,
    unproven,
    forced: stop.forced,
    askLogin: host => frontend.askLogin(host, stop.signal),
    attended: !options.yes && !options.dryRun,
    allowed: allows([...work.allowances, ...policyOf(loaded, choice.environment)]),
    onProgress: (job, progress) =>
      show(redaction.deep({type: 'job.progress', job, progress, at: new Date(context.clock.now()).toISOString()})),
  });

  const enter = async (signal: AbortSignal): Promise<void> => {
    const {place, aws} = world.ioFor({component: wholeRelease, phase: 'plan'}, stop);
    const identity = place.usesAws
      ? await aws.sts.identity().then(
          ({arn}) => arn,
          () => undefined,
        )
      : undefined;
    const onLost = ({message}: DeployError) => {
      frontend.notice(`${message}: nothing new is started.`);
      request({do: 'stop', by: 'SIGTERM'});
    };
    await work.gate?.enter(run, {signal, identity, onLost});
    // Whoever was waited for may have sent what this run is about to send.
    if (work.writer) return;
    for (const step of await unprovenSteps(store, choice.environment, choice.version)) unproven.add(step);
  };

  // A plan changes nothing, and nobody knows what a hook does.
  const around = options.dryRun
    ? undefined
    : createHooks(world.ioFor({component: wholeRelease, phase: 'preflight'}, stop).env, {
        hooks: loaded.config.hooks,
        folder: loaded.folder,
        state: () => state,
        emit,
        redaction,
        log: logs.write,
        logPath: logs.path,
      });
  const settings = loaded.config.environments[choice.environment];
  let finish: Finish;
  try {
    if (work.writer) {
      work.writer.past.forEach(event => show(event, true));
      const {configChanged, allow} = work.writer;
      await emit({
        type: 'run.resumed',
        by: actorOf(context),
        ...(configChanged.length > 0 && {configChanged: [...configChanged]}),
        ...(allow.length > 0 && {allow: [...allow]}),
      });
    } else await emit(startedEvent(context, application, work, components, run));
    finish = await release(
      {
        environment: choice.environment,
        target: {is: 'release', version: choice.version},
        components,
        planOnly: options.dryRun,
        history: work.history,
        ...(work.states && {states: work.states}),
        gates: work.gates,
        overrides,
        onFailure: settings?.onFailure ?? 'leave',
        // Who is there decides; in CI nobody is.
        onCancel: options.yes ? (settings?.onCancel ?? 'leave') : 'leave',
      },
      {
        emit,
        operator: frontend.operator,
        ioFor: world.ioFor,
        enter,
        limit: pLimit(options.maxParallel),
        ...(around && {around}),
      },
      stop,
    );
  } finally {
    quiet();
    timeLimit.end();
    world.close();
    await logs.close();
    await record?.writer.close();
    await work.gate?.leave();
    await notifier?.settle();
    await frontend.close();
  }
  if (record) await removeScratch(context, application, choice.environment, run, finish);
  else await rm(scratch, {recursive: true, force: true});
  const {environment, version} = choice;
  const approvalDigest =
    options.dryRun && options.out !== undefined && finish.exitCode === exitCodes.done && state.plan
      ? await writeApproval(context, application, {file: options.out, environment, version, plan: state.plan})
      : undefined;
  // The way back waits for nothing; and what came to nothing asks for nothing.
  const arrived = finish.touched || finish.exitCode === exitCodes.done;
  const open = options.dryRun || work.states || !arrived ? [] : await openItems(application, choice);
  await printSummary(context, application, state, {
    choice,
    options,
    policy: [...work.allowances, ...policyOf(loaded, choice.environment)],
    rollback: work.states !== undefined,
    finish,
    record: record && {folder: record.writer.place, hash: record.writer.head().hash},
    approvalDigest,
    openItems: open,
  });
  await tellCi(context, application, {...choice, run: record?.run, state, finish, approvalDigest});
  if (!options.yes && finish.exitCode === exitCodes.done) await offerTicks(context, application, choice, open);
  if (options.dryRun && options.detailedExitcode && finish.exitCode !== exitCodes.done) return 1;
  return options.dryRun && options.detailedExitcode && state.plan && isChange(state.plan) ? 2 : finish.exitCode;
}

function startedEvent(
  context: Context,
  {loaded}: Application,
  {choice, options, states}: Work,
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
    by: actorOf(context),
    tool: context.tool,
    ...(options.reason && {reason: options.reason}),
    ...(states && {
      kind: 'rollback' as const,
      states: Object.fromEntries([...states].map(([id, {version, state}]) => [id, {version, state}])),
    }),
    configPath: loaded.path,
    config: loaded.source,
    allow: [...options.allow],
  };
}
