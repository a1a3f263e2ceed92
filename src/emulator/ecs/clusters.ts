import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {shortName} from '../naming.ts';
import type {Cluster} from './model.ts';

export const DEFAULT_CLUSTER = 'default';

/** Creates a cluster, or finds the one that has this name already, as CreateCluster does. */
export function createCluster(account: Account, name: string): Cluster {
  const cluster = account.clusters.get(name) ?? {name, arn: arnIn(account, 'ecs', `cluster/${name}`)};
  account.clusters.set(name, cluster);
  return cluster;
}

export function clusterNamed(account: Account, nameOrArn: string): Cluster {
  const cluster = account.clusters.get(shortName(nameOrArn));
  if (cluster === undefined) throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
  return cluster;
}
