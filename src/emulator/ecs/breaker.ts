import {NEVER, type ServiceState} from './model.ts';
import {announce, rolloutsOf, withDeployment, withPrimary} from './state.ts';

/** The deployment circuit breaker, and rollbacks: its own and those that were asked for. */

/** How many failures in a row are too many: a number, or a share of the desired tasks, at least 3 and at most 200 if bounded. */
export function breakerThreshold({desiredCount, configuration}: Pick<ServiceState, 'desiredCount' | 'configuration'>): number {
  const {type, value} = configuration.deploymentCircuitBreaker.thresholdConfiguration ?? DEFAULT_THRESHOLD;
  const share = Math.max(1, Math.ceil((desiredCount * value) / 100));
  switch (type) {
    case 'COUNT':
      return value;
    case 'UNBOUNDED_PERCENT':
      return share;
    case 'BOUNDED_PERCENT':
      return Math.min(200, Math.max(3, share));
  }
}

const DEFAULT_THRESHOLD = {type: 'BOUNDED_PERCENT', value: 50} as const;

const TRIPPED = 'the circuit breaker threshold was exceeded.';
const ROLLED_BACK_BY_BREAKER = `Service deployment rolled back because ${TRIPPED}`;
const STOPPED_ON_REQUEST = 'Service deployment stopped because it was requested.';
export const ROLLED_BACK_ON_REQUEST = 'Service deployment rolled back because it was requested.';

/** Fails a rollout with too many failures in a row, and goes back if the service wants that. */
export function tripBreaker(state: ServiceState, at: number): ServiceState {
  const {primary, deployment, configuration} = state;
  const {enable, rollback} = configuration.deploymentCircuitBreaker;
  if (!enable || primary.failedTasks < breakerThreshold(state) || deployment.status !== 'IN_PROGRESS') return state;

  const failed = announce(
    withDeployment(
      withPrimary(state, at, {state: 'FAILED', reason: 'ECS deployment circuit breaker: tasks failed to start.'}),
      at,
      {trippedBy: primary.failedTasks},
    ),
    at,
    `(deployment ${primary.id}) deployment failed: tasks failed to start.`,
  );
  return rollback
    ? rollBack(failed, at, ROLLED_BACK_BY_BREAKER)
    : withDeployment(failed, at, {
        status: 'STOPPED',
        statusReason: `Service deployment stopped because ${TRIPPED}`,
        finishedAt: at,
      });
}

/** Ends a service deployment where it stands: nothing more is started for it. */
export const stopHere = (state: ServiceState, at: number): ServiceState =>
  withDeployment(withPrimary(state, at, {state: 'FAILED', reason: STOPPED_ON_REQUEST}), at, {
    status: 'STOPPED',
    statusReason: STOPPED_ON_REQUEST,
    finishedAt: at,
    dueAt: NEVER,
  });

/**
 * Goes back to what was last rolled out completely. That rollout becomes PRIMARY again under the id that it had: the reason
 * says "rolling back to deploymentId X" and, at the end, "deployment X completed". Its tasks that still run are kept.
 */
export function rollBack(state: ServiceState, at: number, reason: string): ServiceState {
  const goal = state.lastCompleted;
  if (goal === undefined) {
    return withDeployment(withPrimary(state, at, {state: 'FAILED'}), at, {
      status: 'ROLLBACK_FAILED',
      statusReason: 'No rollback candidate was found to run the rollback.',
      finishedAt: at,
      dueAt: NEVER,
    });
  }
  const back: ServiceState = {
    ...state,
    primary: {
      ...state.primary,
      id: goal.rolloutId,
      revisionId: goal.revisionId,
      createdAt: at,
      updatedAt: at,
      state: 'IN_PROGRESS',
      reason: `ECS deployment circuit breaker: rolling back to deploymentId ${goal.rolloutId}.`,
      failedTasks: 0,
      // It worked before: whatever was wrong came with the new revision.
      fate: undefined,
      nextLaunchAt: at,
      overtakenAt: NEVER,
      stopRequestedAt: NEVER,
    },
    replaced: rolloutsOf(state).filter(({id}) => id !== goal.rolloutId),
    steady: false,
  };
  return announce(
    withDeployment(back, at, {
      status: 'ROLLBACK_IN_PROGRESS',
      statusReason: reason,
      dueAt: NEVER,
      rollback: {reason, startedAt: at, revisionId: goal.revisionId},
    }),
    at,
    `rolling back to deployment ${goal.rolloutId}.`,
  );
}
