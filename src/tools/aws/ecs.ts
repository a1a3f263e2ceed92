/** Clusters, services, their deployments and tasks, and task definitions. */
import {type Definitions, definitions} from './ecs/definitions.ts';
import {type Deployments, deployments} from './ecs/deployments.ts';
import {type Names, names} from './ecs/names.ts';
import {type Runs, runs} from './ecs/runs.ts';
import {ecsSdk} from './ecs/sdk.ts';
import {type Services, services} from './ecs/services.ts';
import {type Tasks, tasks} from './ecs/tasks.ts';
import type {Session} from './session.ts';

export type {TaskDefinition} from './ecs/definitions.ts';
export type {BriefDeployment, EcsServiceDeployment, EcsServiceRevision} from './ecs/deployments.ts';
export {type EcsDeployment, type EcsService, begunIn} from './ecs/services.ts';
export type {EcsRun} from './ecs/runs.ts';
export type {EcsTask} from './ecs/tasks.ts';

export interface Ecs extends Definitions, Deployments, Names, Runs, Services, Tasks {
  cluster(name: string): Promise<{readonly arn: string; readonly status: string} | undefined>;
}

export function createEcs(session: Session): Ecs {
  const sdk = ecsSdk(session);
  return {
    cluster: async name => {
      const {clusters} = await session.read('ecs:DescribeClusters', async () => {
        const {reader, DescribeClustersCommand} = await sdk.load();
        return reader.send(new DescribeClustersCommand({clusters: [name]}));
      });
      const cluster = clusters?.[0];
      return cluster?.clusterArn === undefined ? undefined : {arn: cluster.clusterArn, status: cluster.status ?? ''};
    },
    ...definitions(sdk),
    ...deployments(sdk),
    ...names(sdk),
    ...runs(sdk),
    ...services(sdk),
    ...tasks(sdk),
  };
}
