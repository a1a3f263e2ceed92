/** Which revision a loader is to start: one that is there, or one that is to be registered. */
import {DeployError} from '../../release/errors.ts';
import {type ContainerImage, type RevisionPlan, runsImages, sameRevision, shortArn, withImages} from '../aws/task-definition.ts';
import type {Definition} from '../aws/definitions.ts';
import type {Input} from '../aws/containers.ts';
import type {Io} from '../io.ts';
import type {Loader, Pin, State} from './loader.ts';
import {parseReference} from './reference.ts';
import {type Standing, placeKey} from './standing.ts';

export interface Goal {
  /** The existing revision; undefined where one is registered first. */
  readonly definition: Definition | undefined;
  readonly register: RevisionPlan | null;
  readonly images: readonly ContainerImage[];
  /** The revision of one place, where it is not that of all. */
  revisionFor(pin: Pin): number | undefined;
  readonly notes: readonly string[];
}

/** How many of the newest revisions are looked at for one that is what would be registered. */
const newest = 10;

/** With these images and nothing else changed. */
export async function releaseGoal(loader: Loader, standing: Standing, images: readonly ContainerImage[], io: Io): Promise<Goal> {
  const {definition} = standing;
  // Says now what would be refused later.
  const input = withImages(definition, images);
  const fine = runsImages(definition, images) && (await isUsable(definition, loader, standing, io));
  const existing = fine ? definition : await revisionWith(input, loader, standing, io);
  return {
    definition: existing,
    register: existing ? null : {family: definition.family, base: definition.arn, images: [...images]},
    images,
    revisionFor: () => existing?.revision,
    notes: existing && !fine ? [`${shortArn(existing.arn)} is that already: no revision is registered`] : [],
  };
}

/** Back to what was there. A revision that was deregistered meanwhile is never pointed at: nothing could start it. */
export async function stateGoal(loader: Loader, standing: Standing, state: State, io: Io): Promise<Goal> {
  const {definitions, wanted} = loader;
  const recorded = await definitions.find(state.definition, io);
  if (recorded === undefined) {
    throw new DeployError(`${shortArn(state.definition)} is gone: there is nothing to go back to`, {
      means: 'Nothing was changed.',
      next: ['Release the version once more instead: a new revision is made then.'],
      final: true,
    });
  }
  const fine = await isUsable(recorded, loader, standing, io);
  const existing = fine ? recorded : await revisionWith(recorded.input, loader, standing, io);
  const why =
    recorded.status === 'ACTIVE' ? 'is not the newest, which an unpinned target starts' : 'is deregistered, nothing can start it';
  const instead = existing ? `${shortArn(existing.arn)} is the same` : 'a copy of it is registered';

  const ownRevisions = new Map<string, number>();
  for (const pin of state.pins) {
    const {revision} = parseReference(pin.starts);
    if (revision === undefined || revision === recorded.revision) continue;
    const own = await definitions.find(`${wanted.name}:${revision}`, io);
    if (own?.status === 'ACTIVE') ownRevisions.set(placeKey(pin), revision);
  }
  return {
    definition: existing,
    register: existing ? null : {family: recorded.family, base: recorded.arn, images: []},
    images: state.images,
    revisionFor: pin => ownRevisions.get(placeKey(pin)) ?? existing?.revision,
    notes: fine ? [] : [`${shortArn(recorded.arn)} ${why}: ${instead}`],
  };
}

/** Whether every target can start it: it is active, and the newest where a target follows the newest. */
async function isUsable({arn, status}: Definition, loader: Loader, {follows}: Standing, io: Io): Promise<boolean> {
  if (status !== 'ACTIVE') return false;
  return !follows || (await loader.definitions.find(loader.wanted.name, io))?.arn === arn;
}

/** The revision that is what would be registered; where a target follows the newest, only the newest will do. */
async function revisionWith(
  input: Input,
  {definitions, wanted}: Loader,
  {follows}: Standing,
  io: Io,
): Promise<Definition | undefined> {
  const candidates = await definitions.revisions(wanted.name, follows ? 1 : newest, io);
  return sameRevision(input, candidates, definitions, io);
}
