/** Proof, not stability: every task of the service runs the very image that was meant. */
import type {Check, Claim} from '../../../release/model.ts';
import type {EcsService} from '../../../tools/aws/ecs.ts';
import {withheld} from '../../../tools/aws/errors.ts';
import {LoginError, parseImageName} from '../../../tools/registry.ts';
import {ecrRepository} from '../../images.ts';
import {failed, open, passed, pending} from '../../verdict.ts';
import type {ContainerImage} from '../task-definition.ts';
import {ourDeployment} from './history.ts';
import {primaryOf} from './judging.ts';
import type {Io, Rollout} from './subject.ts';
import {trackOf} from './track.ts';

/** ECR's digest = the service revision's = every running task's. For a service that has arrived. */
export async function checkDigests(claim: Claim, rollout: Rollout, service: EcsService, io: Io): Promise<Check> {
  const ours = primaryOf(service);
  const desired = ours?.desiredCount ?? 0;
  const listed = await unlessWithheld(() => io.aws.ecs.tasks(rollout.cluster, rollout.service, 'RUNNING'));
  if (listed === undefined) return open(claim, 'no permission to read its tasks (ecs:ListTasks, ecs:DescribeTasks)');
  const running = listed.filter(({startedBy, lastStatus}) => startedBy === ours?.id && lastStatus === 'RUNNING');
  if (running.length < desired) {
    return pending(claim, `steady, but only ${running.length} of ${desired} tasks are listed as running`);
  }
  const resolved = await resolvedDigests(rollout, io);
  const containers = Map.groupBy(
    running.flatMap(({containers = []}) => containers),
    ({name = ''}) => name,
  );
  const findings = await Promise.all(
    rollout.images.map(image => {
      const digests = (containers.get(image.container) ?? []).map(({imageDigest}) => imageDigest);
      return compare(image, new Set(digests), resolved?.get(image.container), io);
    }),
  );
  const see = `aws ecs describe-tasks --cluster ${rollout.cluster} --tasks ${running
    .slice(0, 10)
    .map(({taskArn}) => taskArn)
    .join(' ')}`;
  const [worst] = findings.toSorted((a, b) => order.indexOf(a.is) - order.indexOf(b.is));
  const all = `${running.length} of ${desired} tasks`;
  switch (worst?.is) {
    case 'another':
      return failed(claim, worst.words, {see});
    case 'untold':
      return open(claim, `${all}, but ${worst.words}`, {see});
    case 'the same':
    case undefined:
      return passed(claim, `${all}, with the released digest`, {evidence: findings.map(({words}) => words), see});
  }
}

const order = ['another', 'untold', 'the same'] as const;
interface Finding {
  readonly is: (typeof order)[number];
  readonly words: string;
}

async function compare(
  image: ContainerImage,
  inTasks: ReadonlySet<string | undefined>,
  inRevision: string | undefined,
  io: Io,
): Promise<Finding> {
  const {container, digest} = image;
  const told = [...inTasks, inRevision].filter(found => found !== undefined);
  const names = told.every(found => found === digest) ? [digest] : await namesOf(image, io);
  if (names === undefined) {
    return {
      is: 'untold',
      words: `container ${container} runs ${told[0]}: whether that is a platform of ${digest} may not be looked at`,
    };
  }
  const strange = [...inTasks].find(found => found !== undefined && !names.includes(found));
  if (strange !== undefined) return {is: 'another', words: `container ${container} runs ${strange}, not ${digest}`};
  if (inRevision !== undefined && !names.includes(inRevision)) {
    return {is: 'another', words: `ECS resolved the image of container ${container} to ${inRevision}, not to ${digest}`};
  }
  if (inTasks.size === 0 || inTasks.has(undefined))
    return {is: 'untold', words: `ECS does not tell the digest of container ${container}`};
  return {is: 'the same', words: `${container}: ${digest}${inRevision === undefined ? '' : ', as the service revision has it'}`};
}

/** What ECS made of the tags, once for all tasks of the deployment; undefined where that cannot be seen. */
async function resolvedDigests(rollout: Rollout, io: Io): Promise<ReadonlyMap<string, string> | undefined> {
  const mine = await ourDeployment(rollout, io, trackOf(rollout, io));
  const arn = rollout.takenBack === null ? mine?.targetServiceRevision?.arn : mine?.rollback?.serviceRevisionArn;
  if (arn === undefined) return undefined;
  return (await unlessWithheld(() => io.aws.ecs.serviceRevisions([arn])))?.get(arn)?.digests;
}

async function unlessWithheld<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (withheld(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Every digest that the image goes by: of one for several platforms, a task may name the index or its own platform's
 * manifest (facts/aws.md, Images). Undefined where that may not be looked at.
 */
export async function namesOf(
  {image, digest}: ContainerImage,
  io: Pick<Io, 'aws' | 'registry'>,
): Promise<readonly string[] | undefined> {
  const repository = ecrRepository(image);
  try {
    const platforms =
      repository === undefined
        ? await io.registry.platforms(parseImageName(image), digest)
        : await io.aws.ecr.platforms(repository, digest);
    return [digest, ...platforms];
  } catch (error) {
    if (withheld(error) === undefined && !(error instanceof LoginError)) throw error;
    return undefined;
  }
}
