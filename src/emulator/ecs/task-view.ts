import {type Account, arnIn} from '../account.ts';
import {isHealthy, isWanted, statusOf} from './lifecycle.ts';
import type {ContainerImage, ServiceState, Task} from './model.ts';
import {revisionOf} from './state.ts';
import {taskDefinitionNamed} from './task-definitions.ts';
import {launchTypeOf, seconds} from './views.ts';

/** Exit code of a container that the scheduler stopped: ended by SIGTERM. */
const TERMINATED = 143;

export const taskArn = (account: Account, {clusterName}: ServiceState, {id}: Task): string =>
  arnIn(account, 'ecs', `task/${clusterName}/${id}`);

export function taskView(account: Account, service: ServiceState, task: Task) {
  const {at} = service;
  const {images, taskDefinition} = revisionOf(service, task.revisionId);
  const {declared} = taskDefinitionNamed(account, taskDefinition);
  const stop = isWanted(task, at) ? undefined : task.stop;
  const reached = (mark: number): number | undefined => (mark <= at ? seconds(mark) : undefined);
  return {
    taskArn: taskArn(account, service, task),
    clusterArn: arnIn(account, 'ecs', `cluster/${service.clusterName}`),
    taskDefinitionArn: taskDefinition,
    group: `service:${service.name}`,
    startedBy: task.rolloutId,
    lastStatus: statusOf(task, at),
    desiredStatus: isWanted(task, at) ? 'RUNNING' : 'STOPPED',
    healthStatus: healthOf(task, images, at),
    createdAt: seconds(task.createdAt),
    startedAt: reached(task.runningAt),
    stoppingAt: reached(task.stoppingAt),
    stoppedAt: reached(task.stoppedAt),
    stopCode: stop?.code,
    stoppedReason: stop?.reason,
    containers: images.map(image => containerView(account, service, task, image)),
    launchType: launchTypeOf(service),
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    availabilityZone: `${account.region}a`,
    connectivity: 'CONNECTED',
    cpu: declared['cpu'],
    memory: declared['memory'],
    attachments: [],
    overrides: {containerOverrides: []},
    tags: [],
    version: 1,
  };
}

function containerView(account: Account, service: ServiceState, task: Task, image: ContainerImage) {
  const {at} = service;
  const ran = task.runningAt <= at;
  const stopped = task.stoppedAt <= at;
  const blamed = task.stop?.culprit?.containerName === image.containerName ? task.stop.culprit : undefined;
  return {
    containerArn: arnIn(account, 'ecs', `container/${service.clusterName}/${task.id}/${image.containerName}`),
    taskArn: taskArn(account, service, task),
    name: image.containerName,
    image: image.image,
    imageDigest: ran ? image.imageDigest : undefined,
    lastStatus: containerStatus(task, at),
    exitCode: stopped && ran ? (blamed?.exitCode ?? TERMINATED) : undefined,
    reason: stopped ? blamed?.reason : undefined,
    healthStatus: healthOf(task, [image], at),
    networkInterfaces: [],
    cpu: '0',
  };
}

/** Containers know three statuses where tasks know more. */
const CONTAINER_STATUS = {
  PROVISIONING: 'PENDING',
  PENDING: 'PENDING',
  RUNNING: 'RUNNING',
  STOPPING: 'RUNNING',
  STOPPED: 'STOPPED',
} as const;

const containerStatus = (task: Task, at: number): string => CONTAINER_STATUS[statusOf(task, at)];

/** UNKNOWN without health checks, as in AWS: a running task does not get HEALTHY by running. */
function healthOf(task: Task, images: readonly ContainerImage[], at: number): 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN' {
  if (task.unhealthy && task.runningAt <= at) return 'UNHEALTHY';
  return isHealthy(task, at) && images.some(({hasHealthCheck}) => hasHealthCheck) ? 'HEALTHY' : 'UNKNOWN';
}
