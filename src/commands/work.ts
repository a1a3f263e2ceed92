/** What a run is asked to do: the order that the engine gets of it, and how it is announced. */
import type {Io} from '../components/io.ts';
import type {Component, Gate, StateTarget} from '../release/contract.ts';
import {type RunEvent, type TimedEvent, schemaVersion} from '../release/events.ts';
import type {Choice} from '../release/form.ts';
import type {History} from '../release/history.ts';
import type {Json} from '../release/json.ts';
import type {Allowance} from '../release/policy.ts';
import type {Order} from '../release/run.ts';
import type {LastRelease} from '../record/last-release.ts';
import type {RecordWriter} from '../record/store.ts';
import type {Before} from '../record/succession.ts';
import type {Application} from './application.ts';
import {type Context, actorOf} from './context.ts';
import type {Output} from './frontends.ts';
import type {EnvironmentGate} from './locking.ts';

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

export function orderOf(
  {loaded}: Application,
  {choice: {environment, version}, options, history, states, gates}: Work,
  more: Pick<Order<Io>, 'components' | 'overrides'>,
): Order<Io> {
  const settings = loaded.config.environments[environment];
  return {
    environment,
    target: {is: 'release', version},
    ...more,
    planOnly: options.dryRun,
    history,
    ...(states && {states}),
    gates,
    onFailure: settings?.onFailure ?? 'leave',
    // Who is there decides; in CI nobody is.
    onCancel: options.yes ? (settings?.onCancel ?? 'leave') : 'leave',
  };
}

/** That another process goes on with a run: who, and what is not as it was. */
export function resumedEvent(context: Context, {configChanged, allow}: NonNullable<Work['writer']>): RunEvent {
  return {
    type: 'run.resumed',
    by: actorOf(context),
    ...(configChanged.length > 0 && {configChanged: [...configChanged]}),
    ...(allow.length > 0 && {allow: [...allow]}),
  };
}

/** What the record of a new run begins with. */
export function startedEvent(
  context: Context,
  {loaded}: Application,
  {choice, options, states}: Work,
  {
    run,
    components,
    after,
  }: {readonly run: string; readonly components: readonly Component<Io>[]; readonly after: Before | undefined},
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
    ...(after && {after}),
    ...(states && {
      kind: 'rollback' as const,
      states: Object.fromEntries([...states].map(([id, {version, state}]) => [id, {version, state}])),
    }),
    configPath: loaded.path,
    config: loaded.source,
    allow: [...options.allow],
  };
}
