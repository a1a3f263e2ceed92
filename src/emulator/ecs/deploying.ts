import {digitId, slugId} from '../naming.ts';
import type {Behaviour} from '../scenarios.ts';
import {PACE} from './lifecycle.ts';
import {
  type DeploymentConfiguration,
  NEVER,
  type Revision,
  type Rollout,
  type ServiceDeployment,
  type ServiceState,
} from './model.ts';
import {isLive, rolloutsOf, withDeployment} from './state.ts';

/** What begins a deployment, and what may be said about it while it goes on. */

export interface Target {
  readonly taskDefinition: string;
  readonly images: Revision['images'];
}

export interface Circumstances {
  readonly at: number;
  /** How many milliseconds one second of AWS takes. */
  readonly second: number;
  readonly behaviour: Behaviour;
}

export interface NewService extends Pick<
  ServiceState,
  'name' | 'arn' | 'clusterName' | 'seed' | 'desiredCount' | 'configuration' | 'declared'
> {
  readonly target: Target;
}

/** A service that did not exist until now, with its first deployment just begun. */
export function newService({target, ...service}: NewService, circumstances: Circumstances): ServiceState {
  const {at} = circumstances;
  return {
    ...service,
    ...begin(service, target, circumstances, 0, []),
    configuration: configured(service.configuration, circumstances.behaviour),
    createdAt: at,
    at,
    replaced: [],
    pastDeployments: [],
    tasks: [],
    launched: 0,
    announced: 0,
    events: [],
    steady: false,
    lastCompleted: undefined,
  };
}

/** Starts a deployment. One that is still going on is over with that, as it is in AWS. */
export function deploy(state: ServiceState, target: Target, circumstances: Circumstances): ServiceState {
  const {at} = circumstances;
  const {deployment, pastDeployments, revisions} = isLive(state.deployment)
    ? withDeployment(state, at, {
        status: 'STOPPED',
        statusReason: 'A newer service deployment took its place.',
        finishedAt: at,
        dueAt: NEVER,
      })
    : state;
  const begun = begin(state, target, circumstances, revisions.length, rolloutsOf(state));
  return {
    ...state,
    configuration: configured(state.configuration, circumstances.behaviour),
    primary: begun.primary,
    replaced: rolloutsOf(state),
    deployment: begun.deployment,
    pastDeployments: [deployment, ...pastDeployments],
    revisions: [...revisions, ...begun.revisions],
    steady: false,
  };
}

const configured = (configuration: DeploymentConfiguration, {circuitBreaker}: Behaviour): DeploymentConfiguration =>
  circuitBreaker === undefined ? configuration : {...configuration, deploymentCircuitBreaker: circuitBreaker};

/** `number`: how many deployments there have been; every deployment makes one service revision. */
function begin(
  {seed, arn}: Pick<ServiceState, 'seed' | 'arn'>,
  {taskDefinition, images}: Target,
  {at, second, behaviour}: Circumstances,
  number: number,
  sources: readonly Rollout[],
): Pick<ServiceState, 'primary' | 'deployment' | 'revisions'> {
  const id = `ecs-svc/${digitId(seed, arn, 'rollout', number)}`;
  const revision: Revision = {id: digitId(seed, arn, 'revision', number), taskDefinition, images, createdAt: at};
  const slowed = second * behaviour.slowdown;
  const mark = (after: number | undefined): number => (after === undefined ? NEVER : at + after * second);
  const primary: Rollout = {
    id,
    revisionId: revision.id,
    createdAt: at,
    updatedAt: at,
    state: 'IN_PROGRESS',
    reason: `ECS deployment ${id} in progress.`,
    failedTasks: 0,
    second: slowed,
    fate: behaviour.fate,
    nextLaunchAt: at,
    overtakenAt: mark(behaviour.overtakenAfter),
    stopRequestedAt: mark(behaviour.stoppedAfter),
  };
  const deployment: ServiceDeployment = {
    id: slugId(seed, arn, 'deployment', number),
    rolloutId: id,
    targetRevisionId: revision.id,
    sourceRevisionIds: sources.map(({revisionId}) => revisionId),
    createdAt: at,
    startedAt: undefined,
    finishedAt: undefined,
    updatedAt: at,
    status: 'PENDING',
    statusReason: undefined,
    dueAt: at + PACE.accept * slowed,
    rollback: undefined,
    trippedBy: undefined,
  };
  return {primary, deployment, revisions: [revision]};
}

/** Changes how many tasks there should be; that alone is no deployment. */
export const scale = (state: ServiceState, desiredCount: number): ServiceState =>
  desiredCount === state.desiredCount ? state : {...state, desiredCount, steady: false};

/** Asks for an end without a way back: what has been started stays. */
export const requestStop = (state: ServiceState, at: number): ServiceState =>
  withDeployment(state, at, {status: 'STOP_REQUESTED', dueAt: at + PACE.request * state.primary.second});

/** Asks for the way back. Whether there is one turns out when the request is taken up. */
export const requestRollback = (state: ServiceState, at: number): ServiceState =>
  withDeployment(state, at, {status: 'ROLLBACK_REQUESTED', dueAt: at + PACE.request * state.primary.second});
