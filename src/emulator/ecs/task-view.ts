import {type Account, arnIn} from '../account.ts';
import {privateIp, uuid} from '../naming.ts';
import {isWanted, statusOf} from './lifecycle.ts';
import type {ContainerImage, Task} from './model.ts';
import {healthOf, type PlacedTask} from './placed.ts';
import {taskDefinitionNamed} from './task-definitions.ts';
import {seconds} from './views.ts';

/** Exit code of a container that the scheduler stopped: ended by SIGTERM. */
const TERMINATED = 143;

export const taskArn = (account: Account, {clusterName, task}: PlacedTask): string =>
  arnIn(account, 'ecs', `task/${clusterName}/${task.id}`);

export function taskView(account: Account, placed: PlacedTask, at: number) {
  const {task, images} = placed;
  const {declared} = taskDefinitionNamed(account, placed.taskDefinition);
  const stop = isWanted(task, at) ? undefined : task.stop;
  const reached = (mark: number): number | undefined => (mark <= at ? seconds(mark) : undefined);
  return {
    taskArn: taskArn(account, placed),
    clusterArn: arnIn(account, 'ecs', `cluster/${placed.clusterName}`),
    taskDefinitionArn: placed.taskDefinition,
    group: placed.group,
    startedBy: placed.startedBy,
    lastStatus: statusOf(task, at),
    desiredStatus: isWanted(task, at) ? 'RUNNING' : 'STOPPED',
    healthStatus: healthOf(placed, images, at),
    createdAt: seconds(task.createdAt),
    pullStartedAt: reached(task.pendingAt),
    pullStoppedAt: reached(task.runningAt),
    startedAt: reached(task.runningAt),
    stoppingAt: reached(task.stoppingAt),
    executionStoppedAt: task.runningAt <= at ? reached(task.stoppingAt) : undefined,
    stoppedAt: reached(task.stoppedAt),
    stopCode: stop?.code,
    stoppedReason: stop?.reason,
    containers: images.map(image => containerView(account, placed, image, at)),
    launchType: placed.launchType,
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    availabilityZone: `${account.region}a`,
    connectivity: 'CONNECTED',
    cpu: declared['cpu'],
    memory: declared['memory'],
    attachments: [interfaceView(task)],
    overrides: placed.overrides ?? {containerOverrides: []},
    tags: [],
    version: 1,
  };
}

function containerView(account: Account, placed: PlacedTask, image: ContainerImage, at: number) {
  const {task} = placed;
  const ran = task.runningAt <= at;
  const stopped = task.stoppedAt <= at;
  const blamed = task.stop?.culprit?.containerName === image.containerName ? task.stop.culprit : undefined;
  return {
    containerArn: arnIn(account, 'ecs', `container/${placed.clusterName}/${task.id}/${image.containerName}`),
    taskArn: taskArn(account, placed),
    name: image.containerName,
    image: image.image,
    imageDigest: ran ? image.imageDigest : undefined,
    lastStatus: containerStatus(task, at),
    exitCode: stopped && ran ? (blamed?.exitCode ?? TERMINATED) : undefined,
    reason: stopped ? blamed?.reason : undefined,
    healthStatus: healthOf(placed, [image], at),
    networkInterfaces: ran ? [{attachmentId: attachmentId(task), privateIpv4Address: privateIp(task.id)}] : [],
    cpu: '0',
  };
}

const attachmentId = ({id}: Task): string => uuid(id, 'interface');

/** The network interface that a task of awsvpc mode has; a target group knows the task by its address. */
const interfaceView = (task: Task) => ({
  id: attachmentId(task),
  type: 'ElasticNetworkInterface',
  status: 'ATTACHED',
  details: [{name: 'privateIPv4Address', value: privateIp(task.id)}],
});

/** Containers know three statuses where tasks know more. */
const CONTAINER_STATUS = {
  PROVISIONING: 'PENDING',
  PENDING: 'PENDING',
  RUNNING: 'RUNNING',
  STOPPING: 'RUNNING',
  STOPPED: 'STOPPED',
} as const;

const containerStatus = (task: Task, at: number): string => CONTAINER_STATUS[statusOf(task, at)];
