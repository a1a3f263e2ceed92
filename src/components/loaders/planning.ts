/** The plan of a loader: a revision where it takes one, a smoke run where that is asked for, and every place moved. */
import type {Target} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import {fingerprint} from '../../release/hash.ts';
import type {ComponentPlan} from '../../release/model.ts';
import {movedTag, resolveImages} from '../aws/task-definition.ts';
import {versionOf} from '../aws/version.ts';
import type {Io} from '../io.ts';
import {changesOf, notesOf} from './describing.ts';
import {type Goal, releaseGoal, stateGoal} from './goal.ts';
import type {Loader, Payload, State} from './loader.ts';
import {parseReference} from './reference.ts';
import {type Standing, isPinned, pinsOf, standingOf} from './standing.ts';
import {survey} from './survey.ts';
import {sourceName} from './target.ts';

export async function planLoader(loader: Loader, target: Target<State>, kind: string, io: Io): Promise<ComponentPlan<Payload>> {
  const standing = await complete(loader, io);
  const goal =
    target.is === 'state'
      ? await stateGoal(loader, standing, target.state, io)
      : await releaseGoal(loader, standing, await resolveImages(loader.images, target.version, io, loader.pin), io);
  const moves = movesTo(goal, standing);
  const payload: Payload = {
    wanted: loader.wanted,
    from: standing.definition.arn,
    register: goal.register,
    existing: goal.definition?.arn ?? null,
    images: [...goal.images],
    // What was there before has run already.
    smoke: target.is === 'release' && moves.length > 0 ? smokeOf(loader, standing) : null,
    moves,
    pins: pinsOf(standing),
  };
  const told = {loader, standing, goal, payload, version: target.version, survey: await survey(io)};
  const from = await versionOf(standing.definition, Object.keys(loader.images), io);
  return {
    component: loader.id,
    kind,
    ...(from !== undefined && {from}),
    to: target.version,
    changes: await changesOf(told, io),
    notes: await notesOf(told, io),
    fingerprint: fingerprint(payload),
    payload,
  };
}

/** What has changed since the plan was made, in words; undefined when it still holds. */
export async function recheckLoader(loader: Loader, payload: Payload, io: Io): Promise<string | undefined> {
  const standing = await complete(loader, io);
  if (standing.definition.arn !== payload.from || fingerprint(pinsOf(standing)) !== fingerprint(payload.pins)) {
    return `the targets of ${payload.wanted.name} are not what was planned for`;
  }
  return movedTag(payload.images, io);
}

/** What there is, with nothing missing that the config names. */
async function complete(loader: Loader, io: Io): Promise<Standing> {
  const {definitions, wanted} = loader;
  const standing = await standingOf(loader, io);
  if (standing === undefined)
    throw new DeployError(`there is no ${definitions.noun} ${wanted.name}`, {means: 'Nothing was changed.'});
  const missing = standing.seen.find(({reading}) => reading === undefined);
  if (missing) throw new DeployError(`there is no ${sourceName(missing.source)}`, {means: 'Nothing was changed.'});
  return standing;
}

/** The places that pin another revision than they are to. */
function movesTo(goal: Goal, standing: Standing): Payload['moves'] {
  return pinsOf(standing).flatMap(pin => {
    const revision = goal.revisionFor(pin);
    const now = parseReference(pin.starts).revision;
    if (!isPinned(pin.starts) || (revision !== undefined && now === revision)) return [];
    return [{source: pin.source, entry: pin.entry, from: pin.starts, to: revision ?? null}];
  });
}

/** The first place whose settings can be told is the one whose run is tried. */
function smokeOf({smoke}: Loader, {places}: Standing): Payload['smoke'] {
  const place = places.find(({entry}) => 'request' in entry.launch());
  return smoke && place ? {source: place.source, entry: place.entry.id, within: smoke.within} : null;
}
