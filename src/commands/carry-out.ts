/** A run between a frontend and a record: the engine carried out, everything recorded and shown, the summary printed. */
import pLimit from 'p-limit';
import {type Command, type Stop, createStop} from '../release/contract.ts';
import {release} from '../release/engine.ts';
import type {DeployError} from '../release/errors.ts';
import type {RunEvent, TimedEvent} from '../release/events.ts';
import {wholeRelease} from '../release/words.ts';
import type {Finish} from '../release/outcome.ts';
import {type RunState, emptyRun, reduce} from '../release/reducer.ts';
import {createJobLogs} from '../record/logs.ts';
import {pastDowntimes} from '../record/past-downtimes.ts';
import {runBefore} from '../record/succession.ts';
import type {Frontend} from '../views/frontend.ts';
import {onGitHub} from '../views/github.ts';
import type {Application} from './application.ts';
import {redactionFor} from './recorded.ts';
import {showingHow} from './audit/see.ts';
import {bindComponents} from './binding.ts';
import type {Context} from './context.ts';
import {overridesOf} from './gates.ts';
import {masking} from './github.ts';
import {createHooks} from './hooks.ts';
import {createNotifier} from './notify.ts';
import {allows, policyOf} from './policy.ts';
import {closeRun} from './closing.ts';
import {unfinishedChange} from './in-between.ts';
import {heedSignals} from './signals.ts';
import {unprovenSteps} from './unfinished.ts';
import {scratchRoot, temporaryFolder} from './scratch.ts';
import {startTimeLimit} from './time-limit.ts';
import {type Work, orderOf, resumedEvent, startedEvent} from './work.ts';
import {type World, createWorld} from './world.ts';

/** Runs the engine between a frontend and a record; prints the summary. Returns the exit code. */
export async function carryOut(context: Context, application: Application, frontend: Frontend, work: Work): Promise<number> {
  const {loaded, store} = application;
  const {choice, options} = work;
  // Whatever is wrong with the settings, or cannot be read, shows before a record is started.
  const components = bindComponents(loaded, context, choice).map(showingHow);
  const overrides = overridesOf(context, options);
  const lastDowntimes = await pastDowntimes(store, choice.environment);
  const record = options.dryRun ? undefined : (work.writer ?? (await store.create(choice.environment, choice.version)));
  const run = record?.run ?? 'plan';
  const after = record && !work.writer ? await runBefore(store, choice.environment, run) : undefined;
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
  const notice = (text: string) => frontend.notice(redaction.text(text));
  const show = (event: TimedEvent, past = false) => {
    state = reduce(state, event);
    frontend.show(event, past);
  };
  const emit = async (event: RunEvent): Promise<void> => {
    const safe = redaction.deep(signed(event, context));
    const recorded = record === undefined || event.type === 'job.progress' ? undefined : await record.writer.append(safe);
    const timed = {...safe, at: recorded?.at ?? new Date(context.clock.now()).toISOString()};
    show(timed);
    notifier?.tell(timed);
  };
  const notifier = options.dryRun
    ? undefined
    : createNotifier(context, {targets: loaded.config.notify, learnSecret: redaction.learn, notice});

  const stop = createStop();
  const request = (command: Command) => stop.request(command);
  frontend.onCommand(request);
  frontend.watchLogs(logs);
  const quiet = heedSignals(context, frontend, stop, () => state);
  const timeLimit = startTimeLimit(context.clock, options.timeout, {request, notice});

  const unproven = new Set(work.unproven);
  const world = createWorld(context, {
    loaded,
    environment: choice.environment,
    version: choice.version,
    logs,
    redaction,
    scratch,
    lastDuration: work.last?.took,
    lastDowntimes,
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
    const onLost = ({message}: DeployError) => {
      notice(`${message}: nothing new is started.`);
      request({do: 'stop', by: 'SIGTERM'});
    };
    await work.gate?.enter(run, {signal, identity: await identityIn(world, stop), onLost});
    // Whoever was waited for may have sent what this run is about to send.
    if (work.writer) return;
    for (const step of await unprovenSteps(store, choice.environment, choice)) unproven.add(step);
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

  let finish: Finish;
  try {
    work.writer?.past.forEach(event => show(event, true));
    const begin = () => startedEvent(context, application, work, {run, components, after});
    await emit(work.writer ? resumedEvent(context, work.writer) : begin());
    finish = await release(
      orderOf(application, work, {components, overrides}),
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
  return closeRun(context, application, {work, state, finish, record, scratch});
}

/** The engine knows that somebody let a check through, and not who sits there. */
function signed(event: RunEvent, {user, host}: Context): RunEvent {
  return event.type === 'waived' && event.by === 'operator' ? {...event, by: `${user}@${host}`} : event;
}

/** Whoever asks for the lock, as AWS knows them; undefined where that has nothing to do with it, or cannot be told. */
async function identityIn(world: World, stop: Stop): Promise<string | undefined> {
  const {place, aws} = world.ioFor({component: wholeRelease, phase: 'plan'}, stop);
  if (!place.usesAws) return undefined;
  return aws.sts.identity().then(
    ({arn}) => arn,
    () => undefined,
  );
}
