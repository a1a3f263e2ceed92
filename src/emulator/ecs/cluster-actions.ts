import * as z from 'zod';
import {arnIn} from '../account.ts';
import type {Action} from '../action.ts';
import {shortName} from '../naming.ts';
import {paginate} from '../pagination.ts';
import {createCluster, DEFAULT_CLUSTER} from './clusters.ts';
import {action, lookUp, pageOf, pageRequest} from './schemas.ts';
import {allServices} from './services.ts';
import {clusterView} from './views.ts';

export const clusterActions: Readonly<Record<string, Action>> = {
  CreateCluster: action(z.object({clusterName: z.string().default(DEFAULT_CLUSTER)}), (account, {clusterName}) => ({
    cluster: clusterView(createCluster(account, clusterName), allServices(account)),
  })),

  ListClusters: action(z.object({...pageOf(100)}), (account, input) => {
    const {items, nextToken} = paginate([...account.clusters.keys()], pageRequest(input));
    return {clusterArns: items.map(name => arnIn(account, 'ecs', `cluster/${name}`)), nextToken};
  }),

  DescribeClusters: action(
    z.object({clusters: z.array(z.string()).max(100).default([DEFAULT_CLUSTER])}),
    (account, {clusters}) => {
      const {found, failures} = lookUp(
        clusters,
        name => account.clusters.get(shortName(name)),
        name => arnIn(account, 'ecs', `cluster/${shortName(name)}`),
      );
      const services = allServices(account);
      return {clusters: found.map(cluster => clusterView(cluster, services)), failures};
    },
  ),
};
