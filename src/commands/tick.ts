/** A manual item of the checklist is done: who says so, when, and where the evidence is. */
import {orRather} from '../config/nearest.ts';
import {UsageError, exitCodes} from '../release/errors.ts';
import {schemaVersion} from '../release/events.ts';
import type {Item} from '../release/checklist.ts';
import {arrivedOutcomes} from '../release/standing.ts';
import {parseVersion} from '../release/version.ts';
import type {Store} from '../record/store.ts';
import {lineFor, marks} from '../views/words.ts';
import {type Application, openApplication} from './application.ts';
import type {Context} from './context.ts';
import {environmentOf} from './environments.ts';
import {readRuns, ticksOf} from './records.ts';

export interface TickOptions {
  readonly config?: string;
  readonly env?: string;
  readonly release?: string;
  readonly note?: string;
  readonly link?: string;
}

const means = 'Nothing was ticked.';

export async function tickCommand(context: Context, id: string, options: TickOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const environment = environmentOf(application, options.env, means);
  const item = itemOf(application, id);
  const version =
    options.release === undefined
      ? await versionOf(application.store, environment, item)
      : parseVersion(options.release, '--release');
  const {hash} = await writeTick(context, application.store, {
    environment,
    version,
    item: id,
    note: options.note,
    link: options.link,
  });
  const plain = lineFor(context.env);
  context.stdout.write(
    `${marks(context.env).good} ${plain(`${id} (${item.text}) is ticked for ${version} in ${environment}`)}   head ${hash}\n`,
  );
  return exitCodes.done;
}

/** Writes a tick; resolves with the hash of its record's head. A record of its own: see `ticksOf`. */
export async function writeTick(
  context: Pick<Context, 'user' | 'host'>,
  store: Store,
  tick: {
    readonly environment: string;
    readonly version: string;
    readonly item: string;
    readonly note?: string | undefined;
    readonly link?: string | undefined;
  },
): Promise<{readonly hash: string}> {
  const {environment, version, item, note, link} = tick;
  const {writer} = await store.create(ticksOf(environment), version);
  try {
    await writer.append({
      type: 'ticked',
      schema: schemaVersion,
      environment,
      version,
      item,
      by: {user: context.user, host: context.host},
      ...(note !== undefined && {note}),
      ...(link !== undefined && {link}),
    });
    return {hash: writer.head().hash};
  } finally {
    await writer.close();
  }
}

function itemOf({loaded}: Application, id: string): Item {
  const {checklist} = loaded.config;
  const item = checklist.find(one => one.id === id);
  if (item !== undefined) return item;
  const known = checklist.map(one => one.id);
  throw new UsageError(`there is no item ${JSON.stringify(id)} in the checklist of ${loaded.path}`, {
    code: 'DW215',
    means,
    next: orRather(id, known, 'It has no `checklist:`.'),
  });
}

/** What was released last is what an item after a release is about; before one, only whoever ticks knows. */
async function versionOf(store: Store, environment: string, {id, when}: Item): Promise<string> {
  if (when === 'before') {
    throw new UsageError(`${id} is ticked before a release: give --release <version>`, {means});
  }
  for await (const {recorded} of readRuns(store, environment)) {
    const {started, finished} = recorded?.history ?? {};
    if (started && finished && arrivedOutcomes.has(finished.outcome)) return started.version;
  }
  throw new UsageError(`no release to ${environment} is recorded: give --release <version>`, {means});
}
