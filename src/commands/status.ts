/** What runs where: environment × component, from the records; `--live` asks the world too. */
import {exitCodes} from '../release/errors.ts';
import {fingerprint} from '../release/hash.ts';
import {type Standing, settled, standings} from '../release/standing.ts';
import {type StatusCell, type StatusEnvironment, type StatusReport, statusLines} from '../views/status.ts';
import {jsonText} from '../views/ndjson.ts';
import {type Application, openApplication} from './application.ts';
import type {Context} from './context.ts';
import type {Output} from './frontends.ts';
import {readTraces} from './records.ts';
import {placeOf} from './places.ts';
import type {Live} from './status/live.ts';

export interface StatusOptions {
  readonly config?: string;
  /** Only this one. */
  readonly env?: string;
  readonly live: boolean;
  readonly output: Output;
}

/** Always exits with 0: what cannot be seen is said in its place. */
export async function statusCommand(context: Context, options: StatusOptions): Promise<number> {
  const application = await openApplication(context, options.config, 'remembered');
  const {loaded} = application;
  if (options.env !== undefined) placeOf(loaded, options.env, {});
  const names = options.env === undefined ? Object.keys(loaded.config.environments) : [options.env];
  const report: StatusReport = {
    schema: 1,
    application: loaded.config.application,
    at: new Date(context.clock.now()).toISOString(),
    live: options.live,
    environments: await Promise.all(names.map(name => statusOf(context, application, name, options.live))),
  };
  const text = options.output === 'json' ? jsonText(report) : statusLines(context.env, report).join('\n');
  context.stdout.write(`${text}\n`);
  return exitCodes.done;
}

async function statusOf(
  context: Context,
  application: Application,
  environment: string,
  live: boolean,
): Promise<StatusEnvironment> {
  const ids = Object.keys(application.loaded.config.components);
  const {traces, problems} = await readTraces(application.store, environment, so => {
    const known = standings(so);
    // One more than the newest tells since when.
    const others = so.filter(({component, version, end}) => end !== 'rolled back' && version !== known.get(component)?.version);
    return ids.every(id => known.has(id) && others.some(({component}) => component === id));
  });
  const standing = standings(traces);
  const seen = live ? await (await import('./status/live.ts')).lookAt(context, application, environment) : undefined;
  const components = ids.map(id => cellOf(id, standing.get(id), seen?.components.get(id)));
  const shown = components.map(({live: there, version}) => there?.version ?? version);
  return {
    name: environment,
    components,
    mixed: new Set(shown).size > 1,
    problems: [...problems, ...(seen?.problem === undefined ? [] : [seen.problem])],
  };
}

function cellOf(id: string, standing: Standing | undefined, live: Live | undefined): StatusCell {
  return {
    id,
    ...(standing && {
      ...(standing.version !== undefined && {version: standing.version}),
      digests: standing.digests,
      since: standing.since,
      by: standing.bringer,
      run: standing.run,
      kind: standing.kind,
      end: standing.end,
    }),
    ...(live && {live: {...live.shown, ...driftOf(standing, live)}}),
  };
}

/** How the world differs from what the records say; nothing where they say nothing that could be compared. */
function driftOf(standing: Standing | undefined, {shown, state}: Live): {readonly drift?: string} {
  if (shown.problem !== undefined || standing === undefined) return {};
  const {version, digests, state: recorded} = standing;
  if (shown.version === undefined && !settled.has(standing.end))
    return {drift: 'what is there is in between: no version is proven'};
  const gone = state === undefined && recorded !== undefined;
  if (gone || (shown.version !== undefined && shown.version !== version))
    return {drift: `is ${shown.version ?? 'not there'}, recorded is ${version ?? 'no version'}`};
  const moved = Object.entries(shown.digests ?? {}).find(([name, digest]) => (digests[name] ?? digest) !== digest);
  if (moved) return {drift: `${moved[0]} is another image than recorded`};
  const differs = recorded !== undefined && state !== undefined && fingerprint(recorded) !== fingerprint(state);
  return differs ? {drift: 'was changed since'} : {};
}
