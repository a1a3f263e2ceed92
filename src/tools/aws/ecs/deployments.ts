/**
 * Service deployments: one wish to deploy, from the call to its end, the way back included (facts/aws.md, "Service
 * deployments"). A service itself forgets its deployments when they are over; these are kept for 90 days.
 */
import type {ServiceDeployment, ServiceRevision} from '@aws-sdk/client-ecs';
import {batched} from '../batched.ts';
import {shared} from '../shared.ts';
import {errorName} from '../errors.ts';
import {wasHeldUp} from '../session.ts';
import type {EcsSdk} from './sdk.ts';

export type EcsServiceDeployment = ServiceDeployment;

export interface BriefDeployment {
  readonly arn: string;
  /** `PENDING`, `IN_PROGRESS`, `SUCCESSFUL`, `STOPPED`, `ROLLBACK_…`; an open set. */
  readonly status: string;
  readonly reason: string | undefined;
  /** Milliseconds since the epoch, by AWS's clock. */
  readonly at: number;
  /** ARN of the service revision that it set out for. */
  readonly revision: string;
}

/** What a service deployment deploys. It never changes. */
export interface EcsServiceRevision {
  readonly taskDefinition: string;
  /** Container → digest, as ECS resolved it once for all tasks. */
  readonly digests: ReadonlyMap<string, string>;
}

export interface Deployments {
  /** Those of a service since a moment of AWS's clock, newest first, at most 20; without a moment the latest. */
  deployments(cluster: string, service: string, since?: number): Promise<readonly BriefDeployment[]>;
  /** One in full, at most a second old; twenty a call (DescribeServiceDeployments' limit). */
  watchedDeployment(arn: string): Promise<EcsServiceDeployment | undefined>;
  /** Service revisions by ARN; those that are not there any more are left out. */
  serviceRevisions(arns: readonly string[]): Promise<ReadonlyMap<string, EcsServiceRevision>>;
  /** Stops a deployment and has ECS take it back. `conflict`: there is nothing to stop any more. */
  stopDeployment(arn: string, sleep: (ms: number) => Promise<void>): Promise<'asked' | 'conflict'>;
}

/** DescribeServiceDeployments' and DescribeServiceRevisions' limit. */
const most = 20;
/** Revisions that are remembered; the oldest are looked up again. */
const remembered = 500;

export function deployments({load, session}: EcsSdk): Deployments {
  const known = new Map<string, EcsServiceRevision>();

  const watch = shared(
    most,
    async (_group, arns) => {
      const answer = await session.read('ecs:DescribeServiceDeployments', async () => {
        const {reader, DescribeServiceDeploymentsCommand} = await load();
        return reader.send(new DescribeServiceDeploymentsCommand({serviceDeploymentArns: [...arns]}));
      });
      const found = answer.serviceDeployments ?? [];
      return {
        found: arns.map(arn => found.find(({serviceDeploymentArn}) => serviceDeploymentArn === arn)),
        throttled: wasHeldUp(answer),
      };
    },
    session.timer,
  );

  const describe = batched<ServiceRevision>(most, async (_group, arns) => {
    const {serviceRevisions = []} = await session.read('ecs:DescribeServiceRevisions', async () => {
      const {reader, DescribeServiceRevisionsCommand} = await load();
      return reader.send(new DescribeServiceRevisionsCommand({serviceRevisionArns: [...arns]}));
    });
    return arns.map(arn => serviceRevisions.find(({serviceRevisionArn}) => serviceRevisionArn === arn));
  });

  const revisionAt = async (arn: string): Promise<EcsServiceRevision | undefined> => {
    const seen = known.get(arn);
    if (seen !== undefined) return seen;
    const {taskDefinition, containerImages = []} = (await describe('all', arn)) ?? {};
    if (taskDefinition === undefined) return undefined;
    const digests = containerImages.flatMap(({containerName, imageDigest}) =>
      containerName === undefined || imageDigest === undefined ? [] : [[containerName, imageDigest] as const],
    );
    const revision = {taskDefinition, digests: new Map(digests)};
    known.set(arn, revision);
    const [first] = known.keys();
    if (known.size > remembered && first !== undefined) known.delete(first);
    return revision;
  };

  const list = async (cluster: string, service: string, since: number | undefined) => {
    const {serviceDeployments = []} = await session.read('ecs:ListServiceDeployments', async () => {
      const {reader, ListServiceDeploymentsCommand} = await load();
      const createdAt = since === undefined ? {} : {createdAt: {after: new Date(since)}};
      return reader.send(new ListServiceDeploymentsCommand({cluster, service, ...createdAt}));
    });
    return serviceDeployments;
  };

  return {
    deployments: async (cluster, service, since) => {
      const listed = await list(cluster, service, since).catch((error: unknown) => {
        // A moment of more than about three months ago is refused: which it is, AWS's clock says.
        if (since !== undefined && errorName(error) === 'InvalidParameterException') return list(cluster, service, undefined);
        throw error;
      });
      return listed
        .flatMap(({serviceDeploymentArn: arn, status = '', statusReason, createdAt, targetServiceRevisionArn: revision}) =>
          arn === undefined || revision === undefined
            ? []
            : [{arn, status, reason: statusReason, at: createdAt?.getTime() ?? 0, revision}],
        )
        .filter(({at}) => since === undefined || at >= since)
        .toSorted((a, b) => b.at - a.at)
        .slice(0, most);
    },
    watchedDeployment: arn => watch.look('all', arn),
    serviceRevisions: async arns => {
      const found = await Promise.all(arns.map(async arn => [arn, await revisionAt(arn)] as const));
      return new Map(found.flatMap(([arn, revision]) => (revision === undefined ? [] : [[arn, revision] as const])));
    },
    stopDeployment: async (arn, sleep) => {
      const {writer, StopServiceDeploymentCommand} = await load();
      const command = new StopServiceDeploymentCommand({serviceDeploymentArn: arn, stopType: 'ROLLBACK'});
      try {
        await session.write('ecs:StopServiceDeployment', () => writer.send(command), sleep);
        return 'asked';
      } catch (error) {
        if (errorName(error) === 'ConflictException') return 'conflict';
        throw error;
      } finally {
        watch.forget('all', arn);
      }
    },
  };
}
