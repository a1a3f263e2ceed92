/** The words of a loader's plan: its changes, and the lines worth reading before approving. */
import type {Change} from '../../release/model.ts';
import {isDowngrade} from '../../release/version.ts';
import {imageDetails, settingsCount, shortArn} from '../aws/task-definition.ts';
import {versionOf} from '../aws/version.ts';
import type {Io} from '../io.ts';
import type {Goal} from './goal.ts';
import type {Loader, Payload} from './loader.ts';
import type {Move} from './moving.ts';
import {atRevision, shortReference} from './reference.ts';
import {minutes} from './smoke.ts';
import {type Standing, isPinned, placeKey} from './standing.ts';
import {machineArn} from './state-machine.ts';
import {strangersBeside} from './strangers.ts';
import {type Survey, timingsOf} from './survey.ts';
import {type Source, entryName, sourceKey, sourceName} from './target.ts';
import {tellNextRun} from './timing.ts';

/** What a plan is told of. */
export interface Told {
  readonly loader: Loader;
  readonly standing: Standing;
  readonly goal: Goal;
  readonly payload: Payload;
  readonly version: string;
  readonly survey: Survey;
}

/** `rule nihms-weekly (target loader)`. */
function placeName(source: Source, entry: string, more: readonly string[] = []): string {
  const inside = [entryName(source, entry), ...more].filter(Boolean).join(', ');
  return `${sourceName(source)}${inside === '' ? '' : ` (${inside})`}`;
}

// ── changes ──────────────────────────────────────────────────────────────────────────────────────────

export async function changesOf(told: Told, io: Io): Promise<Change[]> {
  const {loader, standing, payload, goal, version} = told;
  const {definition} = standing;
  const flags: Change['flags'] = isDowngrade(await versionOf(definition, Object.keys(loader.images), io), version)
    ? ['downgrade']
    : [];
  const revision = goal.definition === undefined ? 'new revision' : shortArn(goal.definition.arn);
  const registration: Change = {
    id: `${loader.definitions.noun} ${loader.wanted.name}`,
    risk: 'update',
    summary: `${loader.definitions.noun} ${shortArn(definition.arn)} → ${revision}`,
    details: await imageDetails(definition, goal.images, io),
    flags,
  };
  const moves = await Promise.all(payload.moves.map(move => moveChange(told, move, io)));
  return [
    ...(payload.register ? [registration] : []),
    ...(payload.smoke ? [smokeChange(payload.smoke, revision)] : []),
    ...moves.map(move => (payload.register ? move : {...move, flags})),
  ];
}

async function moveChange({loader, standing, goal, payload}: Told, move: Move, io: Io): Promise<Change> {
  const {source, entry, from, to} = move;
  const timing = standing.seen.find(seen => sourceKey(seen.source) === sourceKey(source))?.reading?.timing;
  const when = timing === undefined ? [] : [timing.expression, ...(timing.enabled ? [] : ['disabled'])];
  const after = to === null ? 'new revision' : shortReference(atRevision(from, to));
  // Without a registration it is here that the images change.
  const old = payload.register ? undefined : await loader.definitions.find(from, io);
  return {
    id: placeKey(move),
    risk: 'update',
    summary: `${placeName(source, entry, when)} starts ${after}`,
    details: [
      {name: 'starts', before: shortReference(from), after},
      ...(old === undefined ? [] : await imageDetails(old, goal.images, io)),
    ],
    flags: [],
  };
}

function smokeChange({source, entry, within}: NonNullable<Payload['smoke']>, revision: string): Change {
  return {
    id: 'smoke',
    risk: 'update',
    summary: `one run of ${revision} as ${placeName(source, entry)} would start it, before anything is moved: it must succeed within ${minutes(within)}`,
    details: [],
    flags: [],
  };
}

// ── notes ────────────────────────────────────────────────────────────────────────────────────────────

export async function notesOf(told: Told, io: Io): Promise<string[]> {
  const {loader, standing, goal, payload, survey} = told;
  const {definition, places, seen} = standing;
  const unpinned = places.filter(({entry}) => !isPinned(entry.starts));
  const idle = payload.register === null && payload.moves.length === 0;
  const changed = payload.register?.images.length ?? 0;
  return [
    ...(idle ? [`every target starts ${shortArn(definition.arn)} already`] : []),
    ...goal.notes,
    ...(payload.register ? [`everything else stays (${settingsCount(definition) - changed} settings compared)`] : []),
    ...unpinned.map(
      ({source, entry}) =>
        `${placeName(source, entry.id)} names no revision: it starts the newest one as soon as that is registered`,
    ),
    ...(await Promise.all(seen.map(({source}) => nextRuns(told, source, io)))).flat(),
    ...strangersBeside(loader.wanted, loader.sources, goal.definition?.revision, survey).map(
      line => `${line}: it is not among the targets, and stays as it is`,
    ),
    ...survey.unseen.map(line => `other targets: ${line}`),
  ];
}

/** `schedule journal: next run 02:00 UTC, in 14 min, on 1.13.0`, for whatever starts the source by the clock. */
async function nextRuns({loader, standing, survey}: Told, source: Source, io: Io): Promise<readonly string[]> {
  const {reading} = standing.seen.find(seen => seen.source === source) ?? {};
  if (reading === undefined) return [];
  const on = await Promise.all(
    [...new Set(reading.entries.map(({starts}) => starts))].map(async reference => {
      const definition = await loader.definitions.find(reference, io);
      return (definition && (await versionOf(definition, Object.keys(loader.images), io))) ?? shortReference(reference);
    }),
  );
  const now = new Date(io.clock.now());
  const say = (name: string, timing: Parameters<typeof tellNextRun>[0]) =>
    `${name}: ${tellNextRun(timing, now)}${timing.enabled ? `, on ${[...new Set(on)].join(' and ')}` : ''}`;
  if (reading.timing !== undefined) return [say(sourceName(source), reading.timing)];
  if (source.is !== 'stateMachine') return [];
  const starters = await timingsOf(await machineArn(source.machine, io), survey, io);
  return starters.map(({source: starter, timing, other}) =>
    other
      ? `${sourceName(starter)} starts a version or an alias of ${sourceName(source)}, which stays as it is`
      : say(`${sourceName(source)}, by ${sourceName(starter)}`, timing),
  );
}
