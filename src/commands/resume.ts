/** Goes on with an interrupted run: what was done is kept, what was begun is looked at, the rest is done. */
import type {StateTarget} from '../release/contract.ts';
import {UsageError} from '../release/errors.ts';
import type {Json} from '../release/json.ts';
import {type History, replay} from '../release/history.ts';
import {parseAllowance} from '../release/policy.ts';
import type {Store} from '../record/store.ts';
import {findRun, lastRelease} from '../record/last-release.ts';
import {EnvironmentLockedError} from '../record/lock.ts';
import {configDifferences} from '../config/difference.ts';
import {type Application, openApplication, requireSharedStore} from './application.ts';
import {asRecorded} from './recorded.ts';
import type {Context} from './context.ts';
import {environmentOf} from './environments.ts';
import {type Output, chooseFrontend} from './frontends.ts';
import {carryOut} from './carry-out.ts';
import {gatesFor} from './gates.ts';
import {type EnvironmentGate, createGate} from './locking.ts';
import {hasChanged, isAtWork, isElsewhere} from './unfinished.ts';
import {allowancesOf, policyOf} from './policy.ts';
import {lineFor} from '../views/words.ts';

export interface ResumeOptions {
  readonly config?: string;
  readonly env?: string;
  readonly yes: boolean;
  readonly output: Output;
  readonly tui: boolean;
  readonly maxParallel: number;
  readonly allow: readonly string[];
  /** How long whoever is at work in the environment is waited for, in milliseconds. Absent: not at all. */
  readonly waitLock?: number;
  /** How long the run may take as a whole, in milliseconds. Absent: as long as it takes. */
  readonly timeout?: number;
}

export async function resumeCommand(context: Context, run: string | undefined, options: ResumeOptions): Promise<number> {
  return resumeOf(context, await openApplication(context, options.config), run, options);
}

/** The same of an application that is open already: its records may be kept by somebody else. */
export async function resumeOf(
  context: Context,
  application: Application,
  run: string | undefined,
  options: ResumeOptions,
): Promise<number> {
  const environment = environmentOf(application, options.env, 'Nothing was started.');
  const {store} = application;
  const say = (text: string) => void context.stderr.write(`${lineFor(context.env)(text)}\n`);
  const gate = createGate(context, store, {environment, work: 'resume', wait: options.waitLock, say});
  const found = await interruptedRun(context, store, environment, run);
  // Before its record is opened: two processes would go on with it side by side.
  await gate.enter(found.run, {signal: new AbortController().signal});
  try {
    // As it is now: somebody else may have been waited for.
    return await goOn(
      context,
      application,
      environment,
      await interruptedRun(context, store, environment, found.run),
      options,
      gate,
    );
  } finally {
    await gate.leave();
  }
}

async function goOn(
  context: Context,
  application: Application,
  environment: string,
  found: {readonly run: string},
  options: ResumeOptions,
  gate: EnvironmentGate,
): Promise<number> {
  const {record, writer} = await application.store.resume(environment, found.run);
  const history = replay(record.events);
  const {started} = history;
  if (started === undefined || !isOpen(history)) {
    await writer.close();
    throw new UsageError(`run ${found.run} is finished: there is nothing to go on with`, {
      code: 'DW212',
      means: 'Nothing was started.',
    });
  }
  if (record.torn) {
    context.stderr.write('The last line of the record was torn (the process died while writing it); it was cut off.\n');
  }
  const recorded = {...application, loaded: asRecorded(started)};
  const isWayBack = started.kind === 'rollback';
  // The way back needs no leave.
  if (!isWayBack) requireSharedStore(context, recorded, environment);
  const choice = {environment, version: started.version, components: started.components.map(({id}) => id)};
  const allowances = [...started.allow.map(parseAllowance), ...allowancesOf(recorded.loaded, options.allow)];
  const view = {...options, dryRun: false, config: recorded.loaded.path};
  const frontend = await chooseFrontend(context, view, () => [...allowances, ...policyOf(recorded.loaded, environment)]);
  return carryOut(context, recorded, frontend, {
    choice,
    allowances,
    options: {...options, dryRun: false, allow: [...started.allow, ...options.allow]},
    last: await lastRelease(application.store, environment),
    history,
    unproven: new Set(),
    gates: isWayBack ? [] : gatesFor(context, recorded, choice),
    ...(started.states && {states: statesOf(started.states)}),
    writer: {
      run: found.run,
      writer,
      past: record.events,
      allow: options.allow,
      configChanged: configDifferences(started.config, application.loaded.source),
    },
    gate,
  });
}

/**
 * The run that was named; or the newest that has changed the environment, if it was interrupted; or else the newest that was
 * interrupted while it prepared: what only prepared does not hide a change in the middle. Throws a UsageError when a later run
 * has changed the environment since: going on with an older one would undo it behind everybody's back.
 */
async function interruptedRun(
  context: Context,
  store: Store,
  environment: string,
  wanted: string | undefined,
): Promise<{readonly run: string}> {
  let prepared: {readonly run: string; readonly history: History} | undefined;
  const decisive = (run: string, history: History) => {
    // One that only prepares, here or elsewhere, is at work without a lock.
    if (!hasChanged(history) && isOpen(history) && !isElsewhere(history, context)) prepared ??= {run, history};
    return run === wanted || hasChanged(history);
  };
  if (wanted !== undefined && !(await store.runs(environment)).includes(wanted)) {
    throw new UsageError(`there is no run ${JSON.stringify(wanted)} in ${environment}`, {
      code: 'DW212',
      means: 'Nothing was started.',
    });
  }
  const found = await findRun(store, environment, (history, run) => decisive(run, history));
  if (found !== undefined && (found.run === wanted || (wanted === undefined && isOpen(found.history))))
    return refuseAtWork(context, found);
  if (wanted === undefined && prepared !== undefined) return refuseAtWork(context, prepared);
  if (wanted !== undefined && found !== undefined) {
    throw new UsageError(`run ${found.run} has changed ${environment} since run ${wanted}`, {
      code: 'DW212',
      means: 'Nothing was started.',
      next: ['Start a release of the version that you want.'],
    });
  }
  const what = wanted === undefined ? 'no run was interrupted since the last release' : `there is no run ${wanted}`;
  throw new UsageError(`there is nothing to go on with in ${environment}: ${what}`, {
    code: 'DW212',
    means: 'Nothing was started.',
  });
}

/** Its process prepares, without a lock: two would write one record. */
function refuseAtWork(context: Context, found: {readonly run: string; readonly history: History}): {readonly run: string} {
  if (hasChanged(found.history) || !isAtWork(found.history, context)) return found;
  throw new EnvironmentLockedError(`run ${found.run} is at work (process ${found.history.started?.by.pid})`, {
    means: 'Nothing was started.',
    next: ['Wait for it to end.'],
  });
}

/** Something may still be going on, or was left in the middle. */
function isOpen({finished, started}: History): boolean {
  return started !== undefined && (finished === undefined || (finished.resumable ?? false));
}

/** What a rollback goes back to, as its record has it. */
function statesOf(states: NonNullable<NonNullable<History['started']>['states']>): ReadonlyMap<string, StateTarget<Json>> {
  return new Map(Object.entries(states).map(([id, {version, state}]) => [id, {is: 'state', version, state}]));
}
