import type {CircuitBreaker, Fate} from '../scenarios.ts';

export interface Cluster {
  readonly name: string;
  readonly arn: string;
}

export interface Tag {
  readonly key: string;
  readonly value?: string | undefined;
}

export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  readonly healthCheck?: unknown;
  readonly [field: string]: unknown;
}

export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly containers: readonly ContainerDefinition[];
  /** Everything else that was registered, as it came. */
  readonly declared: Readonly<Record<string, unknown>>;
  readonly tags: readonly Tag[];
  readonly registeredAt: number;
  readonly deregisteredAt: number | undefined;
}

/** An image as a deployment resolved it, once for all of its tasks. */
export interface ContainerImage {
  readonly containerName: string;
  readonly image: string;
  /** Undefined: there is no such image, so it cannot be pulled. */
  readonly imageDigest: string | undefined;
  readonly hasHealthCheck: boolean;
}

/** A service revision: what a service deployment deploys. */
export interface Revision {
  readonly id: string;
  readonly taskDefinition: string;
  readonly images: readonly ContainerImage[];
  readonly createdAt: number;
}

/** A mark in time that is never reached. */
export const NEVER = Number.POSITIVE_INFINITY;

/**
 * A task's whole life, known from its first moment on. Marks are milliseconds since the epoch or NEVER;
 * the scheduler shortens a life by bringing `stoppingAt` and `stoppedAt` forward.
 */
export interface Task {
  readonly id: string;
  readonly rolloutId: string;
  readonly revisionId: string;
  readonly createdAt: number;
  readonly pendingAt: number;
  readonly runningAt: number;
  /** From when on it counts as healthy. */
  readonly healthyAt: number;
  readonly stoppingAt: number;
  readonly stoppedAt: number;
  readonly stop: Stop | undefined;
  readonly unhealthy: boolean;
}

export interface Stop {
  readonly code: Fate['stopCode'];
  readonly reason: string;
  /** It ended on its own, so it counts as a failure unless it had been healthy. */
  readonly failed: boolean;
  /** The container that is to blame; undefined: none. */
  readonly culprit:
    | {
        readonly containerName: string;
        readonly exitCode: number | undefined;
        readonly reason: string | undefined;
        /** The last that it wrote to its log. */
        readonly lines: readonly string[];
      }
    | undefined;
}

/** What DescribeServices calls a deployment: one set of tasks that is being rolled out or replaced. */
export interface Rollout {
  /** `ecs-svc/…`: the `startedBy` of its tasks. Not to be taken for the id of a service deployment. */
  readonly id: string;
  readonly revisionId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly state: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  readonly reason: string;
  /** Consecutive: one healthy task sets it back to 0. */
  readonly failedTasks: number;
  /** How many milliseconds one second of AWS takes for it. */
  readonly second: number;
  readonly fate: Fate | undefined;
  readonly nextLaunchAt: number;
  /** When somebody else deploys over it, or stops it. */
  readonly overtakenAt: number;
  readonly stopRequestedAt: number;
}

type ServiceDeploymentStatus =
  | 'PENDING'
  | 'IN_PROGRESS'
  | 'SUCCESSFUL'
  | 'STOP_REQUESTED'
  | 'STOPPED'
  | 'ROLLBACK_REQUESTED'
  | 'ROLLBACK_IN_PROGRESS'
  | 'ROLLBACK_SUCCESSFUL'
  | 'ROLLBACK_FAILED';

/** What ListServiceDeployments lists: one wish to deploy, from the call to its end, the way back included. */
export interface ServiceDeployment {
  readonly id: string;
  /** The rollout that it began with. */
  readonly rolloutId: string;
  readonly targetRevisionId: string;
  readonly sourceRevisionIds: readonly string[];
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly updatedAt: number;
  readonly status: ServiceDeploymentStatus;
  readonly statusReason: string | undefined;
  /** When a waiting status (PENDING, STOP_REQUESTED, ROLLBACK_REQUESTED) goes on to the next. */
  readonly dueAt: number;
  readonly rollback: {readonly reason: string; readonly startedAt: number; readonly revisionId: string} | undefined;
  /** How many failures in a row tripped the circuit breaker; undefined: it did not trip. */
  readonly trippedBy: number | undefined;
}

export interface ServiceEvent {
  readonly id: string;
  readonly at: number;
  readonly message: string;
}

export interface DeploymentConfiguration {
  readonly minimumHealthyPercent: number;
  readonly maximumPercent: number;
  readonly deploymentCircuitBreaker: CircuitBreaker;
}

/** A service as of `at`. Only `ecs/rollout.ts` moves it on in time, and only as a new value. */
export interface ServiceState {
  readonly name: string;
  readonly arn: string;
  readonly clusterName: string;
  readonly seed: string;
  readonly createdAt: number;
  /** Up to when everything has happened. */
  readonly at: number;
  readonly desiredCount: number;
  readonly configuration: DeploymentConfiguration;
  /** What else it was created and updated with, as it came. */
  readonly declared: Readonly<Record<string, unknown>>;
  /** The most recent one (which does not mean that it is done). */
  readonly primary: Rollout;
  /** Those being replaced by it, newest first: ACTIVE, in AWS's words. */
  readonly replaced: readonly Rollout[];
  /** The most recent one; only this can still be going on. */
  readonly deployment: ServiceDeployment;
  /** Those before, newest first. */
  readonly pastDeployments: readonly ServiceDeployment[];
  readonly revisions: readonly Revision[];
  readonly tasks: readonly Task[];
  /** How many tasks and events there have ever been: what their identifiers are made of. */
  readonly launched: number;
  readonly announced: number;
  /** Newest first, at most 100. */
  readonly events: readonly ServiceEvent[];
  readonly steady: boolean;
  /** Where a rollback goes: what was last rolled out completely. */
  readonly lastCompleted: {readonly rolloutId: string; readonly revisionId: string} | undefined;
}
