/** The way back: what an environment was after its last verified release, or after a named one, as a plan like any other. */
import {DeployError, UsageError, exitCodes} from '../release/errors.ts';
import type {Survey} from '../release/form.ts';
import {noHistory} from '../release/history.ts';
import {lastRelease} from '../record/last-release.ts';
import type {Store} from '../record/store.ts';
import {lineFor} from '../views/words.ts';
import {type Application, openApplication} from './application.ts';
import {carryOut} from './carry-out.ts';
import type {Context} from './context.ts';
import {type ViewOptions, chooseFrontend} from './frontends.ts';
import {namedEnvironment} from './environments.ts';
import {createGate} from './locking.ts';
import {readRuns} from './records.ts';
import type {ReleaseOptions} from './release.ts';
import {type Baseline, type PastRun, baselineOf, isVerified} from './rollback/baseline.ts';
import {nearest, orRather} from '../config/nearest.ts';
import {allowancesOf, policyOf} from './policy.ts';
import {unfinishedRun} from './unfinished.ts';

export interface RollbackOptions extends Omit<ReleaseOptions, 'release' | 'bump' | 'tui'> {
  readonly to?: string;
  /** Absent: as the terminal allows. */
  readonly tui?: boolean;
}

const means = 'Nothing was started.';

/** Plans, shows, asks for and carries out the way back. Returns the exit code. */
export async function rollbackCommand(context: Context, options: RollbackOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const {loaded, store} = application;
  const environment = namedEnvironment(application, options.env, means);
  const {baseline, notes} = await findBaseline(application, environment, options);
  const {components, left} = judgeComponents(application, environment, baseline, options.component);
  // Whoever goes back means the older version.
  const allow = [...new Set(['downgrade', ...options.allow])];
  const allowances = allowancesOf(loaded, allow);
  const gate = options.dryRun
    ? undefined
    : createGate(context, store, {
        environment,
        work: `rollback to ${baseline.version}`,
        reason: options.reason,
        wait: options.waitLock,
        say: text => frontend.notice(text),
      });
  await gate?.look(baseline.version);
  const plain = lineFor(context.env);
  // Before a view has the terminal: there they stay.
  for (const note of [...notes, ...left, ...(await resumableNote(context, store, environment))])
    context.stderr.write(`${plain(note)}\n`);

  const view: ViewOptions = {
    output: options.output,
    tui: options.tui ?? true,
    yes: options.yes,
    dryRun: options.dryRun,
    config: loaded.path,
  };
  const frontend = await chooseFrontend(context, view, () => [...allowances, ...policyOf(loaded, environment)]);
  try {
    const choice = await frontend.choose({environment, version: baseline.version, components}, nothingToSurvey(application));
    if (choice === undefined) return exitCodes.interrupted;
    try {
      return await carryOut(context, application, frontend, {
        choice,
        allowances,
        options: {...options, allow},
        last: await lastRelease(store, environment),
        history: noHistory,
        unproven: new Set(),
        states: new Map([...baseline.states].filter(([id]) => components.includes(id))),
        gates: [],
        ...(gate && {gate}),
      });
    } finally {
      await gate?.leave();
    }
  } finally {
    await frontend.close();
  }
}

/**
 * Reads back until it is known what everything was. Throws where nothing can be gone back to, and where a record that was changed
 * may have hidden it, unless a version is named.
 */
async function findBaseline(
  {loaded, store}: Application,
  environment: string,
  {to, component: asked}: Pick<RollbackOptions, 'to' | 'component'>,
): Promise<{readonly baseline: Baseline; readonly notes: readonly string[]}> {
  const known = Object.keys(loaded.config.components);
  const runs: PastRun[] = [];
  const notes: string[] = [];
  let baseline: Baseline | undefined;
  for await (const {run, recorded, problem} of readRuns(store, environment)) {
    if (problem !== undefined) {
      if (baseline === undefined && to === undefined) throw unreliable(run, problem, environment);
      notes.push(`Not counted, run ${run}: ${problem}`);
    }
    if (problem !== undefined || recorded === undefined) continue;
    runs.push(recorded);
    baseline = baselineOf(runs, asked ?? known, to);
    if (baseline && known.every(id => baseline?.states.has(id))) break;
  }
  if (baseline === undefined) throw noBaseline(environment, to, runs);
  return {baseline, notes};
}

/** What goes back, and what is left as it is, in words. Throws a UsageError where nothing can, or not what was asked for. */
function judgeComponents(
  {loaded}: Application,
  environment: string,
  {version, states}: Baseline,
  asked: readonly string[] | undefined,
): {readonly components: readonly string[]; readonly left: readonly string[]} {
  const settings = new Map(Object.entries(loaded.config.components));
  const unknown = asked?.find(id => !settings.has(id));
  if (unknown !== undefined) {
    throw new UsageError(`--component ${unknown}: there is no such component`, {
      code: 'DW206',
      next: orRather(unknown, [...settings.keys()], ''),
    });
  }
  const wanted = asked ?? [...settings.keys()];
  const unrecorded = wanted.filter(id => !states.has(id));
  const others = wanted.filter(id => states.has(id) && states.get(id)?.kind !== settings.get(id)?.kind);
  const gone = asked === undefined ? [...states.keys()].filter(id => !settings.has(id)) : [];
  const components = wanted.filter(id => !unrecorded.includes(id) && !others.includes(id));
  const left = [
    ...unrecorded.map(id => `no record says what ${id} was in ${environment} on ${version}`),
    ...others.map(id => `${id} was of the kind ${states.get(id)?.kind} then, and is of the kind ${settings.get(id)?.kind} now`),
    ...gone.map(id => `${id} was there then, and is not in the config file any more`),
  ];
  if (components.length === 0 || (asked && left.length > 0)) {
    throw new UsageError(left.join('; '), {
      code: 'DW213',
      means,
      next: ['Release the version that you want: deploy-wizard --release <version>'],
    });
  }
  return {components, left: left.map(why => `Left as it is: ${why}`)};
}

/** What goes back takes the place of what could still be gone on with. */
async function resumableNote(context: Context, store: Store, environment: string): Promise<readonly string[]> {
  const unfinished = await unfinishedRun(store, environment, context);
  if (unfinished === undefined) return [];
  return [
    `Note: ${unfinished.left}, and can still be gone on with: deploy-wizard resume --env ${environment}`,
    'Once the environment has been taken back, it cannot any more.',
  ];
}

/** Everything was answered by flags and the record: there is nothing to choose. */
function nothingToSurvey({loaded}: Application): Survey {
  return {
    application: loaded.config.application,
    environments: [],
    presets: {},
    recall: async name => ({name}),
    reach: async () => ({}),
    look: async () => [],
    suggest: () => [],
    versions: async () => undefined,
  };
}

function unreliable(run: string, problem: string, environment: string): DeployError {
  return new DeployError(`what ${environment} was cannot be told: run ${run}: ${problem}`, {
    code: 'DW140',
    means,
    next: [`Look at that record, or say what to go back to: deploy-wizard rollback --env ${environment} --to <version>`],
  });
}

function noBaseline(environment: string, to: string | undefined, runs: readonly PastRun[]): UsageError {
  const there = new Set(runs.flatMap(({history}) => (history.started && isVerified(history) ? [history.started.version] : [])));
  const meant = nearest(to ?? '', [...there]);
  const what = to === undefined ? 'another version than the one that is there' : to;
  return new UsageError(`no record says that ${what} was ever verified in ${environment}`, {
    code: 'DW213',
    means,
    next: [
      there.size === 0
        ? `Record what is there as a baseline first: deploy-wizard adopt --env ${environment}`
        : `Verified there: ${[...there].join(', ')}`,
      ...(meant === undefined ? [] : [`Did you mean ${meant}?`]),
      'Or release the version that you want: deploy-wizard --release <version>',
    ],
  });
}
