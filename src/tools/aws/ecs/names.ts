/** What there is to choose from: clusters, and the services of one. */
import type {EcsSdk} from './sdk.ts';

export interface Names {
  /** ARNs of clusters, at most so many. */
  clusters(most: number): Promise<readonly string[]>;
  /** ARNs of the services of a cluster, at most so many. */
  servicesIn(cluster: string, most: number): Promise<readonly string[]>;
}

export function names({load, session}: EcsSdk): Names {
  return {
    clusters: async most => {
      const {clusterArns = []} = await session.read('ecs:ListClusters', async () => {
        const {reader, ListClustersCommand} = await load();
        return reader.send(new ListClustersCommand({maxResults: Math.min(most, 100)}));
      });
      return clusterArns.slice(0, most);
    },
    servicesIn: async (cluster, most) => {
      const {serviceArns = []} = await session.read('ecs:ListServices', async () => {
        const {reader, ListServicesCommand} = await load();
        return reader.send(new ListServicesCommand({cluster, maxResults: Math.min(most, 100)}));
      });
      return serviceArns.slice(0, most);
    },
  };
}
