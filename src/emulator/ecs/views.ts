import {epochSeconds} from '../clock.ts';
import {type Account, arnIn} from '../account.ts';
import {callerArn} from '../iam/permissions.ts';
import {breakerThreshold} from './breaker.ts';
import {statusOf} from './lifecycle.ts';
import type {Cluster, Rollout, ServiceDeployment, ServiceEvent, ServiceState, TaskDefinition} from './model.ts';
import {deploymentsOf, isLive, revisionOf, rolloutsOf} from './state.ts';

/** The state in the words of the API's answers. */

export const seconds = (at: number | undefined): number | undefined =>
  at === undefined || !Number.isFinite(at) ? undefined : epochSeconds(at);

export const launchTypeOf = ({declared}: ServiceState): unknown => declared['launchType'] ?? 'FARGATE';

/** ARNs of things inside a service: deployments and revisions. */
export const arnInService = (
  account: Account,
  type: 'service-deployment' | 'service-revision',
  service: ServiceState,
  id: string,
): string => arnIn(account, 'ecs', `${type}/${service.clusterName}/${service.name}/${id}`);

interface Counts {
  readonly running: number;
  readonly pending: number;
}

function count({tasks, at}: ServiceState, of: {readonly rolloutId?: string; readonly revisionId?: string}): Counts {
  const statuses = tasks
    .filter(task => (of.rolloutId ?? task.rolloutId) === task.rolloutId && (of.revisionId ?? task.revisionId) === task.revisionId)
    .map(task => statusOf(task, at));
  return {
    running: statuses.filter(status => status === 'RUNNING').length,
    pending: statuses.filter(status => status === 'PENDING' || status === 'PROVISIONING').length,
  };
}

export function clusterView({name, arn}: Cluster, services: readonly ServiceState[]) {
  const own = services.filter(({clusterName}) => clusterName === name);
  const counts = own.map(service => count(service, {}));
  return {
    clusterArn: arn,
    clusterName: name,
    status: 'ACTIVE',
    registeredContainerInstancesCount: 0,
    runningTasksCount: counts.reduce((sum, {running}) => sum + running, 0),
    pendingTasksCount: counts.reduce((sum, {pending}) => sum + pending, 0),
    activeServicesCount: own.length,
    statistics: [],
    tags: [],
    settings: [{name: 'containerInsights', value: 'disabled'}],
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
  };
}

export const taskDefinitionView = (account: Account, definition: TaskDefinition) => ({
  ...definition.declared,
  taskDefinitionArn: definition.arn,
  containerDefinitions: definition.containers,
  family: definition.family,
  revision: definition.revision,
  status: definition.status,
  // Computed by AWS, and refused by RegisterTaskDefinition when they are sent back.
  requiresAttributes: [
    {name: 'com.amazonaws.ecs.capability.ecr-auth'},
    {name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18'},
  ],
  compatibilities: ['EC2', 'FARGATE'],
  registeredAt: seconds(definition.registeredAt),
  deregisteredAt: seconds(definition.deregisteredAt),
  registeredBy: callerArn(account),
});

export function serviceView(account: Account, service: ServiceState) {
  const {running, pending} = count(service, {});
  return {
    launchType: launchTypeOf(service),
    platformVersion: 'LATEST',
    platformFamily: 'Linux',
    schedulingStrategy: 'REPLICA',
    deploymentController: {type: 'ECS'},
    loadBalancers: [],
    serviceRegistries: [],
    placementConstraints: [],
    placementStrategy: [],
    enableECSManagedTags: false,
    propagateTags: 'NONE',
    enableExecuteCommand: false,
    ...service.declared,
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: arnIn(account, 'ecs', `cluster/${service.clusterName}`),
    status: 'ACTIVE',
    desiredCount: service.desiredCount,
    runningCount: running,
    pendingCount: pending,
    taskDefinition: revisionOf(service, service.primary.revisionId).taskDefinition,
    deploymentConfiguration: {...service.configuration, strategy: 'ROLLING'},
    deployments: rolloutsOf(service).map(rollout => rolloutView(service, rollout)),
    events: service.events.map(eventView),
    createdAt: seconds(service.createdAt),
    createdBy: `arn:aws:iam::${account.id}:role/release-manager`,
    ...current(account, service),
  };
}

/** What DescribeServices says about service deployments. It lags: one that is still PENDING is not "current" yet. */
function current(account: Account, service: ServiceState) {
  const deployment = deploymentsOf(service).find(({status}) => status !== 'PENDING');
  return {
    currentServiceDeployment: deployment && arnInService(account, 'service-deployment', service, deployment.id),
    currentServiceRevisions: [...new Set(rolloutsOf(service).map(({revisionId}) => revisionId))].map(id => ({
      arn: arnInService(account, 'service-revision', service, id),
      ...taskCounts(service, id),
    })),
  };
}

function rolloutView(service: ServiceState, rollout: Rollout) {
  const isPrimary = rollout === service.primary;
  const {running, pending} = count(service, {rolloutId: rollout.id});
  return {
    id: rollout.id,
    status: isPrimary ? 'PRIMARY' : 'ACTIVE',
    taskDefinition: revisionOf(service, rollout.revisionId).taskDefinition,
    desiredCount: isPrimary ? service.desiredCount : running + pending,
    pendingCount: pending,
    runningCount: running,
    failedTasks: rollout.failedTasks,
    createdAt: seconds(rollout.createdAt),
    updatedAt: seconds(rollout.updatedAt),
    launchType: launchTypeOf(service),
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    rolloutState: rollout.state,
    rolloutStateReason: rollout.reason,
  };
}

const eventView = ({id, at, message}: ServiceEvent) => ({id, createdAt: seconds(at), message});

export const deploymentBrief = (account: Account, service: ServiceState, deployment: ServiceDeployment) => ({
  serviceDeploymentArn: arnInService(account, 'service-deployment', service, deployment.id),
  serviceArn: service.arn,
  clusterArn: arnIn(account, 'ecs', `cluster/${service.clusterName}`),
  createdAt: seconds(deployment.createdAt),
  startedAt: seconds(deployment.startedAt),
  finishedAt: seconds(deployment.finishedAt),
  targetServiceRevisionArn: arnInService(account, 'service-revision', service, deployment.targetRevisionId),
  status: deployment.status,
  statusReason: deployment.statusReason,
});

export function deploymentView(account: Account, service: ServiceState, deployment: ServiceDeployment) {
  const {targetServiceRevisionArn, ...brief} = deploymentBrief(account, service, deployment);
  return {
    ...brief,
    updatedAt: seconds(deployment.updatedAt),
    stoppedAt: deployment.status === 'STOPPED' ? seconds(deployment.finishedAt) : undefined,
    sourceServiceRevisions: deployment.sourceRevisionIds.map(id => ({
      arn: arnInService(account, 'service-revision', service, id),
      ...taskCounts(service, id),
    })),
    targetServiceRevision: {arn: targetServiceRevisionArn, ...taskCounts(service, deployment.targetRevisionId)},
    deploymentConfiguration: {...service.configuration, strategy: 'ROLLING'},
    rollback: deployment.rollback && {
      reason: deployment.rollback.reason,
      startedAt: seconds(deployment.rollback.startedAt),
      serviceRevisionArn: arnInService(account, 'service-revision', service, deployment.rollback.revisionId),
    },
    deploymentCircuitBreaker: breakerView(service, deployment),
    alarms: {status: 'DISABLED', alarmNames: [], triggeredAlarmNames: []},
  };
}

/** `requestedTaskCount` of a revision that is being replaced is what is left of it. */
function taskCounts(service: ServiceState, revisionId: string) {
  const {running, pending} = count(service, {revisionId});
  const requested = service.primary.revisionId === revisionId ? service.desiredCount : running + pending;
  return {requestedTaskCount: requested, runningTaskCount: running, pendingTaskCount: pending};
}

function breakerView(service: ServiceState, deployment: ServiceDeployment) {
  const {trippedBy, rolloutId} = deployment;
  const rollout = rolloutsOf(service).find(({id}) => id === rolloutId);
  return {
    status: breakerStatus(service, deployment),
    failureCount: trippedBy ?? rollout?.failedTasks ?? 0,
    threshold: breakerThreshold(service),
  };
}

function breakerStatus({configuration}: ServiceState, deployment: ServiceDeployment): string {
  if (deployment.trippedBy !== undefined) return 'TRIGGERED';
  if (!configuration.deploymentCircuitBreaker.enable) return 'DISABLED';
  return isLive(deployment) ? 'MONITORING' : 'MONITORING_COMPLETE';
}
