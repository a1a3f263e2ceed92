/** What there is of a service now: its revision, what its tasks run, and how its newest deployment does. */
import {DeployError} from '../../release/errors.ts';
import type {BriefDeployment, EcsDeployment, EcsService, EcsServiceRevision, TaskDefinition} from '../../tools/aws/ecs.ts';
import {namesOf} from '../aws/rollout/digests.ts';
import {primaryOf} from '../aws/rollout/judging.ts';
import {hopeless, isFailure, reasonOf} from '../aws/rollout/reasons.ts';
import {type ContainerImage, imagesOf, shortArn} from '../aws/task-definition.ts';
import type {Io} from '../io.ts';
import type {Config} from './settings.ts';

export interface Standing {
  readonly service: EcsService;
  readonly definition: TaskDefinition;
  readonly primary: EcsDeployment | undefined;
  /** Container → digest that its tasks run, where ECS tells. */
  readonly running: ReadonlyMap<string, string>;
}

/** Undefined where there is no such service, or nothing of it runs. */
export async function standingOf({cluster, service: name}: Config, io: Io): Promise<Standing | undefined> {
  const service = await io.aws.ecs.service(cluster, name);
  const definition = service?.taskDefinition === undefined ? undefined : await io.aws.ecs.taskDefinition(service.taskDefinition);
  if (service === undefined || definition === undefined) return undefined;
  return {service, definition, primary: primaryOf(service), running: await runningDigests(cluster, service, io)};
}

/** What ECS resolved the images to, once for all tasks; else what the tasks say. Nothing where neither may be looked at. */
async function runningDigests(cluster: string, service: EcsService, io: Io): Promise<ReadonlyMap<string, string>> {
  try {
    const arns = (service.currentServiceRevisions ?? []).flatMap(({arn}) => arn ?? []);
    const revisions = [...(await io.aws.ecs.serviceRevisions(arns)).values()];
    const [revision, ...more] = revisions.filter(({taskDefinition}) => taskDefinition === service.taskDefinition);
    if (revision !== undefined && more.length === 0 && revision.digests.size > 0) return revision.digests;
    const tasks = await io.aws.ecs.tasks(cluster, service.serviceName ?? '', 'RUNNING');
    const own = tasks.filter(({startedBy}) => startedBy === primaryOf(service)?.id);
    return new Map(
      own
        .flatMap(({containers = []}) => containers)
        .flatMap(({name, imageDigest}) =>
          name === undefined || imageDigest === undefined ? [] : [[name, imageDigest] as const],
        ),
    );
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    io.log(`${service.serviceName}: what its tasks run could not be looked at (${error.message})`);
    return new Map();
  }
}

/** The images of the named containers with the digests that run: those of the tags, where the tasks run a platform of them. */
export async function imagesNow({definition, running}: Standing, names: readonly string[], io: Io): Promise<ContainerImage[]> {
  const now = imagesOf(definition);
  const found = await Promise.all(
    names.map(async container => {
      const image = now.get(container);
      if (image === undefined) return [];
      const tagged = await io.digestOf(image).catch(() => undefined);
      const digest = running.get(container);
      if (tagged === undefined || digest === undefined) {
        const known = digest ?? tagged;
        return known === undefined ? [] : [{container, image, digest: known}];
      }
      const same = (await runsImage({container, image, digest: tagged}, digest, io)) ?? false;
      return [{container, image, digest: same ? tagged : digest}];
    }),
  );
  return found.flat();
}

/** Whether a digest that runs is this image, or a platform of it; undefined where that cannot be looked at. */
export async function runsImage(image: ContainerImage, running: string, io: Io): Promise<boolean | undefined> {
  if (running === image.digest) return true;
  try {
    return (await namesOf(image, io))?.includes(running);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return undefined;
  }
}

/** How the newest deployment of a service does. */
export type Motion =
  | {readonly is: 'steady'}
  /** It gets on: whoever deploys now takes its place. */
  | {readonly is: 'moving'; readonly words: string}
  /** It goes on and does not get anywhere, or it has failed: a release may be what mends it. */
  | {readonly is: 'failing' | 'failed'; readonly words: string};

/** So many tasks that ended in a row are no accident. */
const enough = 3;

export async function motionOf(cluster: string, service: EcsService, io: Io): Promise<Motion> {
  const {deployments = []} = service;
  // Behind a Classic load balancer there is no rollout state, but two deployments.
  const moving = deployments.filter(
    ({rolloutState}) => (rolloutState ?? (deployments.length > 1 && 'IN_PROGRESS')) === 'IN_PROGRESS',
  );
  const primary = primaryOf(service);
  if (moving.length === 0) {
    return primary?.rolloutState === 'FAILED'
      ? {is: 'failed', words: `its last rollout failed (${primary.rolloutStateReason ?? 'no reason given'})`}
      : {is: 'steady'};
  }
  const words = moving
    .map(
      ({taskDefinition, runningCount, desiredCount}) =>
        `${shortArn(taskDefinition ?? '')}, ${runningCount} of ${desiredCount} running`,
    )
    .join('; ');
  if (primary === undefined || !moving.includes(primary)) return {is: 'moving', words};
  const stopped = await io.aws.ecs.tasks(cluster, service.serviceName ?? '', 'STOPPED').catch(() => []);
  const failures = stopped.filter(task => task.startedBy === primary.id && isFailure(task));
  const {runningCount: running = 0, desiredCount: desired = 0, failedTasks = 0} = primary;
  const lost = failures.find(task => hopeless(task, []) !== undefined);
  const isFailing =
    lost !== undefined || failedTasks >= enough || (failures.length >= enough && running < Math.min(desired, failures.length));
  if (!isFailing) return {is: 'moving', words};
  const [example] = lost === undefined ? failures : [lost];
  const why = example === undefined ? '' : `: ${reasonOf(example)}`;
  return {is: 'failing', words: `${words}, ${Math.max(failedTasks, failures.length)} tasks have ended${why}`};
}

/** The newest service deployment that goes on and is not on its way back; undefined where there is none, or none to be seen. */
export async function inFlight(
  cluster: string,
  service: string,
  io: Io,
): Promise<{readonly deployment: BriefDeployment; readonly back: readonly EcsServiceRevision[]} | undefined> {
  try {
    const [newest] = await io.aws.ecs.deployments(cluster, service);
    if (newest === undefined || !['PENDING', 'IN_PROGRESS'].includes(newest.status)) return undefined;
    const whole = await io.aws.ecs.watchedDeployment(newest.arn);
    const sources = (whole?.sourceServiceRevisions ?? []).flatMap(({arn}) => arn ?? []);
    const revisions = await io.aws.ecs.serviceRevisions(sources);
    return {deployment: newest, back: sources.flatMap(arn => revisions.get(arn) ?? [])};
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    io.log(`${service}: whether a deployment is in flight could not be looked at (${error.message})`);
    return undefined;
  }
}
