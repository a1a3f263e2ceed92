/** Which revision a service is to run, and how it gets there. */
import {DeployError} from '../../release/errors.ts';
import type {Target} from '../../release/contract.ts';
import type {EcsServiceRevision, TaskDefinition} from '../../tools/aws/ecs.ts';
import {
  type ContainerImage,
  type RevisionPlan,
  movedTag,
  pinned,
  resolveImages,
  runsImages,
  sameRevision,
  shortArn,
  withImages,
} from '../aws/task-definition.ts';
import {taskDefinitions} from '../aws/definitions.ts';
import {digestIn, shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import type {State} from './config.ts';
import type {Config} from './settings.ts';
import {type Standing, inFlight, motionOf, runsImage} from './standing.ts';

export interface Goal {
  /** The existing revision; null where one is registered first. */
  readonly existing: string | null;
  readonly register: RevisionPlan | null;
  readonly images: readonly ContainerImage[];
  /** Why the revision that runs is deployed once more; undefined where it is not. */
  readonly anew?: string | undefined;
  /** The deployment that ECS is to take back. */
  readonly stop?: string | undefined;
  readonly notes: readonly string[];
}

export function goalOf(component: Config, target: Target<State>, standing: Standing, io: Io): Promise<Goal> {
  return target.is === 'release'
    ? releaseGoal(component, target.version, standing, io)
    : stateGoal(component, target.state, standing, io);
}

/** With the images of a version and nothing else changed. */
async function releaseGoal(component: Config, version: string, standing: Standing, io: Io): Promise<Goal> {
  const {definition, service} = standing;
  const images = await resolveImages(component.images, version, io, component.pin);
  // Says now what would be refused later.
  const input = withImages(definition, images);
  if (!runsImages(definition, images)) {
    // A run that failed between the two has left it.
    const [newest = definition.arn] = await io.aws.ecs.revisions(definition.family, 1);
    const left = newest === definition.arn ? undefined : await sameRevision(input, [newest], taskDefinitions, io);
    if (left) {
      const notes = [`${shortArn(left.arn)} is that already: no revision is registered`];
      return {existing: left.arn, register: null, images, notes};
    }
    return {existing: null, register: {family: definition.family, base: definition.arn, images: [...images]}, images, notes: []};
  }
  const there = {existing: definition.arn, register: null, images, notes: []};
  const other = await otherImage(images, standing, io);
  if (other !== undefined) return {...there, anew: `same revision, other image: ${other}`};
  const motion = await motionOf(component.cluster, service, io);
  return motion.is === 'failed' || motion.is === 'failing'
    ? {...there, anew: `same revision, deployed once more: ${motion.words}`}
    : there;
}

/** A tag was moved since: the digest that runs, and the one that is to. */
async function otherImage(images: readonly ContainerImage[], {running}: Standing, io: Io): Promise<string | undefined> {
  for (const image of images) {
    const now = running.get(image.container);
    if (now !== undefined && (await runsImage(image, now, io)) === false) {
      return `${image.container} ${shortDigest(now)} → ${shortDigest(image.digest)}`;
    }
  }
  return undefined;
}

/** Back to what was recorded: that revision with those images, whatever ECS or a tag would make of it by now. */
async function stateGoal({cluster, service: name}: Config, state: State, standing: Standing, io: Io): Promise<Goal> {
  const {definition, service} = standing;
  const {images} = state;
  const recorded = state.taskDefinition === definition.arn ? definition : await io.aws.ecs.taskDefinition(state.taskDefinition);
  const active = recorded?.status === 'ACTIVE' ? recorded : undefined;
  const motion = await motionOf(cluster, service, io);

  const isThere = recorded?.arn === definition.arn && (await otherImage(images, standing, io)) === undefined;
  if (isThere && motion.is !== 'failed' && motion.is !== 'failing') {
    return {existing: definition.arn, register: null, images, notes: []};
  }
  // ECS keeps the digests of what it takes a service back to, so a tag that was moved does not matter there.
  const flight = motion.is === 'moving' || motion.is === 'failing' ? await inFlight(cluster, name, io) : undefined;
  if (active && flight && flight.back.length > 0 && flight.back.every(back => isState(back, state))) {
    const notes = ['the deployment in flight is stopped; ECS takes the service back to what ran before it'];
    return {existing: active.arn, register: null, images, stop: flight.deployment.arn, notes};
  }
  const moved = active && (await movedSince(images, io));
  if (active && moved === undefined) {
    const anew =
      active.arn === definition.arn
        ? `same revision, deployed once more: ${'words' in motion ? motion.words : 'its image is another'}`
        : undefined;
    return {existing: active.arn, register: null, images, anew, notes: []};
  }
  return copyOf(state, recorded, moved, standing);
}

/** Whether a service revision is what was recorded: the task definition, and the images that ECS made of it. */
function isState({taskDefinition, digests}: EcsServiceRevision, {taskDefinition: wanted, images}: State): boolean {
  return taskDefinition === wanted && images.every(({container, digest}) => (digests.get(container) ?? digest) === digest);
}

/** A tag that the recorded revision names and that stands for another image by now, in words. */
async function movedSince(images: readonly ContainerImage[], io: Io): Promise<string | undefined> {
  try {
    return await movedTag(images, io);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    // A way back does not wait for a registry.
    io.log(`whether tags were moved could not be looked at (${error.message})`);
    return undefined;
  }
}

/** A revision that nothing may start any more, or that would start another image: a copy of it, with its images by digest. */
function copyOf(
  {taskDefinition, images}: State,
  recorded: TaskDefinition | undefined,
  moved: string | undefined,
  {definition}: Standing,
): Goal {
  const name = shortArn(taskDefinition);
  if (recorded === undefined && images.length === 0) {
    throw new DeployError(`${name} is gone, and its images are not recorded: there is nothing to go back to`, {
      means: 'Nothing was changed.',
      next: ['Release the version once more instead: a new revision is made then.'],
      final: true,
    });
  }
  const byDigest = images.map(image => ({
    ...image,
    image: digestIn(image.image) === undefined ? pinned(image.image, image.digest) : image.image,
  }));
  const base = recorded ?? definition;
  const why =
    recorded === undefined
      ? `${name} is gone: a copy of ${shortArn(definition.arn)} with its images is registered`
      : `${name} ${moved === undefined ? `is ${recorded.status}, nothing can start it` : `names ${moved}`}: a copy of it is registered`;
  return {
    existing: null,
    register: {family: base.family, base: base.arn, images: byDigest},
    images: byDigest,
    notes: [`${why}${images.length === 0 ? '' : ', its images by digest'}`],
  };
}
