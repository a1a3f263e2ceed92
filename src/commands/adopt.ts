/** What an environment runs today becomes its baseline, attested by the person who says so: nothing of it is changed. */
import type {Io} from '../components/io.ts';
import type {Component, Observed} from '../release/contract.ts';
import {DeployError, RefusedError, UsageError, exitCodes, toTrouble} from '../release/errors.ts';
import {type RunEvent, schemaVersion} from '../release/events.ts';
import type {Json} from '../release/json.ts';
import {type Before, runBefore} from '../record/succession.ts';
import {parseVersion} from '../release/version.ts';
import {tableLines} from '../views/table.ts';
import {lineFor, marks} from '../views/words.ts';
import {type Application, openApplication} from './application.ts';
import {requireSomebody} from './attended.ts';
import {redactionFor} from './recorded.ts';
import {bindComponents} from './binding.ts';
import type {Context} from './context.ts';
import {environmentOf} from './environments.ts';
import {createGate} from './locking.ts';
import {looking} from './looking.ts';
import {noVersion} from './survey.ts';

export interface AdoptOptions {
  readonly config?: string;
  readonly env?: string;
  readonly release?: string;
  readonly yes: boolean;
  readonly reason?: string;
}

/** A component as it was found. */
interface Found {
  readonly component: Component<Io>;
  readonly observed: Observed<Json> | undefined;
}

/** What is attested. */
interface Baseline {
  readonly environment: string;
  readonly version: string;
  readonly found: readonly Found[];
  readonly options: AdoptOptions;
}

const means = 'Nothing was recorded.';
const withoutTerminal = 'Without a terminal: deploy-wizard adopt --yes --reason <text>';

export async function adoptCommand(context: Context, options: AdoptOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const environment = environmentOf(application, options.env, means);
  if (options.yes && !options.reason?.trim()) {
    throw new UsageError('adopt --yes needs --reason <text>: who attests what runs there says why', {code: 'DW214', means});
  }
  const named = options.release === undefined ? undefined : parseVersion(options.release, '--release');
  const gate = createGate(context, application.store, {
    environment,
    work: 'adopt',
    reason: options.reason,
    say: text => context.stderr.write(`${lineFor(context.env)(text)}\n`),
  });
  // What a release is about to change, or has left in the middle, is no baseline.
  await gate.enter(undefined, {signal: new AbortController().signal});
  try {
    const redaction = redactionFor(application.loaded, environment);
    const found = await lookAt(context, application, environment, named, redaction);
    const version = named ?? agreedVersion(found);
    show(context, environment, version, found);
    await attest(context, environment, version, options);
    const {run, hash} = await record(context, application, {environment, version, found, options});
    const plain = lineFor(context.env);
    context.stdout.write(
      `${marks(context.env).good} ${plain(`${environment} is adopted as ${version}, run ${run}`)}   head ${hash}\n`,
    );
    return exitCodes.done;
  } finally {
    await gate.leave();
  }
}

async function lookAt(
  context: Context,
  {loaded, store}: Application,
  environment: string,
  named: string | undefined,
  redaction: ReturnType<typeof redactionFor>,
): Promise<readonly Found[]> {
  const version = named ?? noVersion;
  const components = bindComponents(loaded, context, {environment, version, components: Object.keys(loaded.config.components)});
  return looking(context, {loaded, environment, version, redaction, store}, (world, stop) =>
    Promise.all(
      components.map(async component => {
        try {
          const observed = await component.observe(world.ioFor({component: component.id, phase: 'plan'}, stop));
          return {component, observed: redaction.deep(observed)};
        } catch (error) {
          const {what, next} = toTrouble(error);
          // What stands in the way keeps its code, where it is a failure as this one is.
          const code = error instanceof DeployError && error.exitCode === exitCodes.failed ? error.code : undefined;
          // A baseline with a hole in it would pass for one without.
          throw new DeployError(`${component.id} cannot be looked at: ${what}`, {
            ...(code && {code}),
            means,
            ...(next && {next}),
            cause: error,
          });
        }
      }),
    ),
  );
}

/** The one version that all components are on. Throws a UsageError where they differ, or none says any. */
function agreedVersion(found: readonly Found[]): string {
  const versions = Map.groupBy(
    found.filter(({observed}) => observed?.version !== undefined),
    ({observed}) => observed?.version ?? '',
  );
  const [[version] = [undefined], ...others] = versions;
  if (version !== undefined && others.length === 0) return version;
  const what = version === undefined ? 'no component says which version it is' : 'the components are on different versions';
  throw new UsageError(what, {
    means,
    next: [
      ...[...versions].map(([one, all]) => `${one}: ${all.map(({component}) => component.id).join(', ')}`),
      'Say which version this environment counts as: --release <version>',
    ],
  });
}

function show(context: Context, environment: string, version: string, found: readonly Found[]): void {
  const plain = lineFor(context.env);
  const rows = found.map(({component, observed}) => [
    component.id,
    component.kind,
    observed === undefined ? 'nothing is there that could be seen' : (observed.version ?? 'names no version'),
    Object.entries(observed?.digests ?? {})
      .map(([image, digest]) => `${image} ${digest}`)
      .join(', '),
  ]);
  const lines = [`${environment} runs, as ${version}:`, ...tableLines(rows.map(row => row.map(plain))).map(line => `  ${line}`)];
  context.stderr.write(`${lines.join('\n')}\n`);
}

/** A person types the environment's name; with `--yes` the reason stands for it. */
async function attest(context: Context, environment: string, version: string, {yes}: AdoptOptions): Promise<void> {
  if (yes) return;
  requireSomebody(context, means, withoutTerminal);
  const {askForText} = await import('../views/prompts.ts');
  const answer = await askForText(`Type ${environment} to attest that this is ${version}; anything else declines`, {
    input: context.stdin,
    output: context.stderr,
  });
  if (answer === environment) return;
  throw new RefusedError(
    answer === undefined || answer === '' ? 'nobody attested it' : `the answer was not exactly ${JSON.stringify(environment)}`,
    {
      means,
      next: [withoutTerminal],
    },
  );
}

async function record(
  context: Context,
  {loaded, store}: Application,
  baseline: Baseline,
): Promise<{readonly run: string; readonly hash: string}> {
  const {run, writer} = await store.create(baseline.environment, baseline.version);
  try {
    const after = await runBefore(store, baseline.environment, run);
    for (const event of events(context, loaded, {run, after}, baseline)) await writer.append(event);
    return {run, hash: writer.head().hash};
  } finally {
    await writer.close();
  }
}

function events(
  context: Context,
  loaded: Application['loaded'],
  {run, after}: {readonly run: string; readonly after: Before | undefined},
  {environment, version, found, options: {yes, reason}}: Baseline,
): readonly RunEvent[] {
  const seen = found.flatMap(({component, observed}) => (observed === undefined ? [] : [{component, observed}]));
  const note = `attested by ${context.user} on ${context.host}`;
  return [
    {
      type: 'run.started',
      schema: schemaVersion,
      run,
      application: loaded.config.application,
      environment,
      version,
      components: found.map(({component: {id, kind, needs}}) => ({id, kind, needs: [...needs]})),
      unattended: yes,
      by: {user: context.user, host: context.host},
      tool: context.tool,
      ...(reason !== undefined && {reason}),
      ...(after && {after}),
      kind: 'adopt',
      configPath: loaded.path,
      config: loaded.source,
      allow: [],
    },
    ...seen.map(({component, observed: {version: there, state, digests}}): RunEvent => ({
      type: 'observed',
      component: component.id,
      ...(there !== undefined && {version: there}),
      state,
      ...(digests && {digests: {...digests}}),
    })),
    {
      type: 'run.finished',
      outcome: 'passed',
      exitCode: exitCodes.done,
      text: note,
      components: found.map(({component: {id, kind}, observed}) => ({
        component: id,
        kind,
        to: observed?.version ?? version,
        end: observed === undefined ? ('not proven' as const) : ('verified' as const),
        note: observed === undefined ? 'nothing of it can be seen' : note,
      })),
      touched: false,
    },
  ];
}
