import type {Account} from '../account.ts';
import {isHealthy} from './lifecycle.ts';
import {targetGroupOf} from './load-balancers.ts';
import type {ContainerImage, ServiceState, Task} from './model.ts';
import {allServices} from './services.ts';
import {revisionOf} from './state.ts';
import {launchTypeOf} from './views.ts';

/** A task and where it belongs: what tasks of services and single ones have in common. */
export interface PlacedTask {
  readonly task: Task;
  readonly clusterName: string;
  /** The service's name, for a task of one. */
  readonly serviceName: string | undefined;
  readonly group: string;
  /** A deployment's id, or what RunTask was told. */
  readonly startedBy: string | undefined;
  readonly taskDefinition: string;
  readonly images: readonly ContainerImage[];
  readonly launchType: unknown;
  /** Where the health check that matters is the load balancer's, containers say nothing. */
  readonly targetGroup: string | undefined;
  /** As RunTask was told. */
  readonly overrides: unknown;
}

/** All tasks that can still be looked at, as they are now. */
export const placedTasks = (account: Account): readonly PlacedTask[] => [
  ...allServices(account).flatMap(tasksOfService),
  ...account.runs,
];

export const tasksOfService = (service: ServiceState): readonly PlacedTask[] =>
  service.tasks.map(task => {
    const {taskDefinition, images} = revisionOf(service, task.revisionId);
    return {
      task,
      clusterName: service.clusterName,
      serviceName: service.name,
      group: `service:${service.name}`,
      startedBy: task.rolloutId,
      taskDefinition,
      images,
      launchType: launchTypeOf(service),
      targetGroup: targetGroupOf(service),
      overrides: undefined,
    };
  });

/** UNKNOWN without health checks, as in AWS: a running task does not get HEALTHY by running. */
export function healthOf(
  {task, targetGroup}: Pick<PlacedTask, 'task' | 'targetGroup'>,
  images: readonly ContainerImage[],
  at: number,
): 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN' {
  const checked = images.some(({hasHealthCheck}) => hasHealthCheck);
  if (task.unhealthy && task.runningAt <= at && (checked || targetGroup === undefined)) return 'UNHEALTHY';
  return isHealthy(task, at) && checked ? 'HEALTHY' : 'UNKNOWN';
}
