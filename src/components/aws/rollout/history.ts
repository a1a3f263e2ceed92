/**
 * Which service deployment is ours: UpdateService does not say. It is the one since the moment of our call (by AWS's clock,
 * never this machine's) whose service revision has our task definition (facts/aws.md, "Sound correlation").
 */
import {toTrouble} from '../../../release/errors.ts';
import type {BriefDeployment, EcsServiceDeployment} from '../../../tools/aws/ecs.ts';
import {withheld} from '../../../tools/aws/errors.ts';
import type {Io, Rollout} from './subject.ts';
import type {Track} from './track.ts';

/** A service deployment and the task definition that it set out for. */
export interface Past extends BriefDeployment {
  readonly taskDefinition: string | undefined;
}

export type History =
  /** Of the service since our call, newest first. */
  | {readonly is: 'seen'; readonly all: readonly Past[]}
  /** It may not be looked at, or is not kept there. */
  | {readonly is: 'unseen'};

/** A deployment and its service revision are dated apart by a moment. Milliseconds. */
const slack = 5000;

/** The service deployments since ours was asked for. */
export async function historyOf({cluster, service, since}: Rollout, io: Io, track: Track): Promise<History> {
  if (track.unseen) return {is: 'unseen'};
  try {
    const recent = await io.aws.ecs.deployments(cluster, service, since === null ? undefined : since - slack);
    const revisions = await io.aws.ecs.serviceRevisions(recent.map(({revision}) => revision));
    return {is: 'seen', all: recent.map(one => ({...one, taskDefinition: revisions.get(one.revision)?.taskDefinition}))};
  } catch (error) {
    if (withheld(error) === undefined) throw error;
    track.unseen = true;
    io.log(`${service}: its deployments may not be looked at (${toTrouble(error).what}); judging by what the service says`);
    return {is: 'unseen'};
  }
}

/** Our service deployment in full; undefined where there is none to be seen (yet, or any more). */
export async function ourDeployment(rollout: Rollout, io: Io, track: Track): Promise<EcsServiceDeployment | undefined> {
  if (track.unseen) return undefined;
  const known = rollout.takenBack ?? track.mine;
  const found = known === undefined ? undefined : await described(known, io, track);
  if (found !== undefined && !(found.status === 'STOPPED' && rollout.takenBack === null)) return found;
  // Not known yet; or stopped, and somebody may have deployed the same once more.
  const history = await historyOf(rollout, io, track);
  const ours =
    history.is === 'seen' ? history.all.find(({taskDefinition}) => taskDefinition === rollout.taskDefinition) : undefined;
  if (ours === undefined) return found;
  track.mine = ours.arn;
  return ours.arn === found?.serviceDeploymentArn ? found : described(ours.arn, io, track);
}

async function described(arn: string, io: Io, track: Track): Promise<EcsServiceDeployment | undefined> {
  try {
    return await io.aws.ecs.watchedDeployment(arn);
  } catch (error) {
    if (withheld(error) === undefined) throw error;
    track.unseen = true;
    io.log(`the service deployment may not be looked at (${toTrouble(error).what}); judging by what the service says`);
    return undefined;
  }
}

/** Who, as far as AWS tells: the deployments of a service do not name anybody, but a revision names who registered it. */
export async function registeredBy(taskDefinition: string, io: Io): Promise<string> {
  const definition = await io.aws.ecs.taskDefinition(taskDefinition).catch(() => undefined);
  const who = definition?.registeredBy?.split(':').at(-1);
  return who === undefined ? '' : ` (registered by ${who})`;
}
