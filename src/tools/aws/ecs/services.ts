/** Services: as they are this moment, and watched along with others. */
import type {Deployment, Service} from '@aws-sdk/client-ecs';
import {batched} from '../batched.ts';
import {wasHeldUp} from '../session.ts';
import {shared} from '../shared.ts';
import type {EcsSdk} from './sdk.ts';

export type EcsService = Service;
export type EcsDeployment = Deployment;

/** What DescribeServices calls a deployment, right after it was begun. */
export interface Begun {
  /** `ecs-svc/…`: what its tasks are started by. */
  readonly deployment: string | undefined;
  /** When it began by AWS's clock, in milliseconds since the epoch. */
  readonly at: number | undefined;
}

export interface Services {
  /** One service, now; calls of the same moment go out together, ten a call (DescribeServices' limit). */
  service(cluster: string, service: string): Promise<EcsService | undefined>;
  /** The same, at most a second old, for those who look again and again. Two looks of a tick get the same object. */
  watched(cluster: string, service: string): Promise<EcsService | undefined>;
  /** Begins a deployment: of another revision, or of the same anew (`force`). */
  updateService(
    cluster: string,
    service: string,
    change: {readonly taskDefinition: string; readonly force?: boolean},
    sleep: (ms: number) => Promise<void>,
  ): Promise<Begun>;
}

/** DescribeServices' limit. */
const most = 10;

export function services({load, session}: EcsSdk): Services {
  const describe = async (cluster: string, names: readonly string[]) => {
    const answer = await session.read('ecs:DescribeServices', async () => {
      const {reader, DescribeServicesCommand} = await load();
      return reader.send(new DescribeServicesCommand({cluster, services: [...names]}));
    });
    // A deleted service comes back INACTIVE.
    const active = (answer.services ?? []).filter(({status}) => status !== 'INACTIVE');
    return {
      found: names.map(name => active.find(({serviceName, serviceArn}) => serviceName === name || serviceArn === name)),
      throttled: wasHeldUp(answer),
    };
  };
  const watch = shared(most, describe, session.timer);
  const look = batched(most, async (cluster: string, names: readonly string[]) => (await describe(cluster, names)).found);

  return {
    service: (cluster, name) => {
      // What was seen before is older: nobody may be told it after this.
      watch.forget(cluster, name);
      return look(cluster, name);
    },
    watched: (cluster, name) => watch.look(cluster, name),
    updateService: async (cluster, name, {taskDefinition, force = false}, sleep) => {
      const {writer, UpdateServiceCommand} = await load();
      const input = {cluster, service: name, taskDefinition, ...(force && {forceNewDeployment: true})};
      const command = new UpdateServiceCommand(input);
      try {
        return begunIn((await session.write('ecs:UpdateService', () => writer.send(command), sleep)).service);
      } finally {
        watch.forget(cluster, name);
      }
    },
  };
}

/** The newest deployment of a service. */
export function begunIn(service: EcsService | undefined): Begun {
  const primary = service?.deployments?.find(({status}) => status === 'PRIMARY');
  return {deployment: primary?.id, at: primary?.createdAt?.getTime()};
}
