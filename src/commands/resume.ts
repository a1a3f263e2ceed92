/** Goes on with an interrupted run: what was done is kept, what was begun is looked at, the rest is done. */
import {UsageError} from '../release/errors.ts';
import type {History} from '../release/history.ts';
import {hasOpenChange, replay} from '../release/history.ts';
import {parseAllowance} from '../release/policy.ts';
import type {Store} from '../record/file-store.ts';
import {findRun, lastRelease} from '../record/last-release.ts';
import {type Application, openApplication, asRecorded} from './application.ts';
import type {Context} from './context.ts';
import {type Output, chooseFrontend} from './frontends.ts';
import {carryOut} from './carry-out.ts';
import {lock} from './locking.ts';
import {placeOf} from './world.ts';

export interface ResumeOptions {
  readonly config?: string;
  readonly env?: string;
  readonly yes: boolean;
  readonly output: Output;
  readonly tui: boolean;
  readonly maxParallel: number;
  readonly allow: readonly string[];
}

export async function resumeCommand(context: Context, run: string | undefined, options: ResumeOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const environment = options.env ?? onlyEnvironment(application);
  placeOf(application.loaded, environment, {});
  const unlock = await lock(context, application, environment, 'resume');
  try {
    return await goOn(context, application, environment, run, options, unlock);
  } finally {
    await unlock();
  }
}

async function goOn(
  context: Context,
  application: Application,
  environment: string,
  run: string | undefined,
  options: ResumeOptions,
  unlock: () => Promise<void>,
): Promise<number> {
  const found = await interruptedRun(application.store, environment, run);
  const {record, writer} = await application.store.resume(environment, found.run);
  const history = replay(record.events);
  const {started} = history;
  if (started === undefined || !isOpen(history)) {
    await writer.close();
    throw new UsageError(`run ${found.run} is finished: there is nothing to go on with`, {means: 'Nothing was started.'});
  }
  if (record.torn) {
    context.stderr.write('The last line of the record was torn (the process died while writing it); it was cut off.\n');
  }
  const recorded = {...application, loaded: asRecorded(started)};
  const allowances = [...started.allow, ...options.allow].map(parseAllowance);
  const policy = recorded.loaded.config.environments[environment]?.policy.allow ?? [];
  const frontend = await chooseFrontend(context, {...options, dryRun: false}, () => [
    ...allowances,
    ...policy.map(what => ({what})),
  ]);
  return carryOut(context, recorded, frontend, {
    choice: {environment, version: started.version, components: started.components.map(({id}) => id)},
    allowances,
    options: {...options, dryRun: false, allow: [...started.allow, ...options.allow]},
    last: await lastRelease(application.store, environment),
    history,
    unproven: new Set(),
    writer: {run: found.run, writer, past: record.events},
    unlock,
  });
}

/**
 * The run that was named, or the newest that was interrupted. Throws a UsageError when a later run has changed
 * the environment since: going on with an older one would undo it behind everybody's back.
 */
async function interruptedRun(store: Store, environment: string, wanted: string | undefined): Promise<{readonly run: string}> {
  const decisive = (run: string, history: History) =>
    run === wanted || (wanted === undefined && isOpen(history)) || history.finished?.touched === true || hasOpenChange(history);
  if (wanted !== undefined && !(await store.runs(environment)).includes(wanted)) {
    throw new UsageError(`there is no run ${JSON.stringify(wanted)} in ${environment}`, {means: 'Nothing was started.'});
  }
  const found = await findRun(store, environment, (history, run) => decisive(run, history));
  if (found !== undefined && (found.run === wanted || (wanted === undefined && isOpen(found.history)))) return found;
  if (wanted !== undefined && found !== undefined) {
    throw new UsageError(`run ${found.run} has changed ${environment} since run ${wanted}`, {
      means: 'Nothing was started.',
      next: ['Start a release of the version that you want.'],
    });
  }
  const what = wanted === undefined ? 'no run was interrupted since the last release' : `there is no run ${wanted}`;
  throw new UsageError(`there is nothing to go on with in ${environment}: ${what}`, {means: 'Nothing was started.'});
}

/** Something may still be going on, or was left in the middle. */
function isOpen({finished, started}: History): boolean {
  return started !== undefined && (finished === undefined || (finished.resumable ?? false));
}

function onlyEnvironment({loaded}: Application): string {
  const [only, ...others] = Object.keys(loaded.config.environments);
  if (only === undefined || others.length > 0)
    throw new UsageError('--env is missing: which environment?', {means: 'Nothing was started.'});
  return only;
}
