/** What is said of a rollout, from what was seen of it. Pure: every ending has its own words and its own cause. */
import type {Check} from '../../../release/model.ts';
import type {EcsDeployment, EcsService, EcsServiceDeployment} from '../../../tools/aws/ecs.ts';
import {shortArn} from '../task-definition.ts';
import type {History} from './history.ts';
import type {Rollout} from './subject.ts';

export type Judgement = Pick<Check, 'status' | 'found' | 'cause' | 'next' | 'waitable' | 'evidence'>;

/** The newest deployment of a service; that it is the newest does not mean that it is done. */
export function primaryOf({deployments}: EcsService): EcsDeployment | undefined {
  return deployments?.find(({status}) => status === 'PRIMARY');
}

/** Whether a deployment is of our revision, and not the one that was there when ours was asked for. */
export function isOurs(rollout: Rollout, primary: EcsDeployment | undefined): primary is EcsDeployment {
  return primary !== undefined && primary.taskDefinition === rollout.taskDefinition && primary.id !== rollout.replaced;
}

/** Whether ECS takes a failed deployment back, as the service is set up. */
export function goesBackByItself({deploymentConfiguration}: EcsService): boolean {
  const {deploymentCircuitBreaker: breaker, alarms} = deploymentConfiguration ?? {};
  return Boolean((breaker?.enable && breaker.rollback) || (alarms?.enable && alarms.rollback));
}

/** How a service deployment ends that has brought us where we want to be. */
function arrival({takenBack}: Rollout): string {
  return takenBack === null ? 'SUCCESSFUL' : 'ROLLBACK_SUCCESSFUL';
}

// ── the newest deployment is ours ────────────────────────────────────────────────────────────────────

/** Whether it is there, stopped or failed as a whole; undefined while it goes on. */
export function judgeOurs(
  rollout: Rollout,
  service: EcsService,
  ours: EcsDeployment,
  mine: EcsServiceDeployment | undefined,
): Judgement | undefined {
  const {runningCount: running = 0, desiredCount: desired = 0, rolloutState} = ours;
  if ((service.desiredCount ?? 0) === 0) {
    return {
      status: 'failed',
      found: 'it is scaled to zero by now: nothing of it runs',
      next: 'Set its desired count.',
    };
  }
  // Behind a Classic load balancer there is no rollout state: that the old deployment is gone has to do.
  const steady = (rolloutState ?? 'COMPLETED') === 'COMPLETED' && service.deployments?.length === 1 && running >= desired;
  if (steady && (mine === undefined || mine.status === arrival(rollout))) {
    return {
      status: 'passed',
      found: `${running} of ${desired} tasks, one deployment, ${mine?.status ?? rolloutState ?? 'steady'}`,
    };
  }
  switch (mine?.status) {
    case 'STOPPED':
      return isTripped(mine)
        ? {status: 'failed', found: `the rollout failed: ${failureReason(ours, mine)}`}
        : {status: 'failed', cause: 'stopped', found: `somebody stopped the deployment${because(reasonIn(mine))}`};
    case 'STOP_REQUESTED':
      return {status: 'pending', found: 'somebody has asked ECS to stop the deployment'};
    case 'ROLLBACK_REQUESTED':
    case 'ROLLBACK_IN_PROGRESS':
      return rollout.takenBack === null
        ? {status: 'pending', found: `${actor(mine)} to take it back${because(reasonIn(mine))}`}
        : undefined;
    case 'ROLLBACK_FAILED':
      return {status: 'failed', found: `it failed, and so did the way back${because(reasonIn(mine))}`};
    case 'PENDING':
    case 'IN_PROGRESS':
    case 'SUCCESSFUL':
    case 'ROLLBACK_SUCCESSFUL':
    case undefined:
    default:
  }
  if (rolloutState !== 'FAILED') return undefined;
  const found = `the rollout failed: ${ours.rolloutStateReason ?? 'no reason given'}`;
  // Until the way back begins, the failed deployment is still the newest.
  return goesBackByItself(service) ? {status: 'pending', cause: 'failed', found} : {status: 'failed', found};
}

/** What the service shows may be a moment older than how its deployment has ended: only a failed state says why. */
function failureReason({rolloutState, rolloutStateReason}: EcsDeployment, mine: EcsServiceDeployment): string {
  return (rolloutState === 'FAILED' ? rolloutStateReason : undefined) ?? reasonIn(mine) ?? 'no reason given';
}

/** How far it is, in a few words: with the stage of a deployment that has stages, whatever they may be called. */
export function standing(
  {runningCount: running = 0, desiredCount: desired = 0}: EcsDeployment,
  mine: EcsServiceDeployment | undefined,
): string {
  const stage = mine?.lifecycleStage === undefined ? '' : `, ${mine.lifecycleStage.toLowerCase().replaceAll('_', ' ')}`;
  return `${running} of ${desired} running${stage}`;
}

// ── the newest deployment is another ─────────────────────────────────────────────────────────────────

/** What became of ours, now that the newest is of another revision (or was there before). */
export function judgeAnother(
  rollout: Rollout,
  service: EcsService,
  mine: EcsServiceDeployment | undefined,
  history: History,
): Judgement & {readonly taker?: string} {
  const now = primaryOf(service)?.taskDefinition ?? service.taskDefinition ?? '';
  if (history.is === 'unseen') return judgeBySigns(rollout, service, now);
  if (mine === undefined) return isWaiting(rollout, service) ? notBegun(rollout, now) : overtaken(now);
  const why = because(reasonIn(mine));
  switch (mine.status) {
    case 'ROLLBACK_REQUESTED':
    case 'ROLLBACK_IN_PROGRESS':
      return rollout.takenBack === null && isByPerson(mine)
        ? {status: 'pending', found: `somebody stopped the deployment: ECS is taking it back to ${shortArn(now)}${why}`}
        : {status: 'pending', found: `ECS is taking it back to ${shortArn(now)}${why}`};
    case 'ROLLBACK_SUCCESSFUL':
      // What the service shows may be a moment older than how its deployment has ended.
      if (rollout.takenBack !== null)
        return isWaiting(rollout, service) && isNewest(mine, history) ? notBegun(rollout, now) : overtaken(now);
      return isByPerson(mine)
        ? {
            status: 'failed',
            cause: 'stopped',
            found: `somebody stopped the deployment: ECS took it back to ${shortArn(now)}${why}`,
          }
        : tookBack(service, now, why);
    case 'ROLLBACK_FAILED':
      return {status: 'failed', found: `it failed, and so did the way back${why}`};
    // Ours is over, and another is the newest: it follows in the history in a moment.
    case 'STOPPED':
    case 'SUCCESSFUL':
      return overtaken(now);
    case 'PENDING':
    case 'IN_PROGRESS':
    case 'STOP_REQUESTED':
    case undefined:
    default:
      return isNewest(mine, history) ? notBegun(rollout, now) : overtaken(now);
  }
}

/** A service is back once the old revision runs again, in full: what ECS calls a way back that succeeded does not say so. */
function tookBack(service: EcsService, now: string, more: string): Judgement {
  const {runningCount: running = 0, desiredCount: desired = 0} = primaryOf(service) ?? {};
  const found = `ECS took it back to ${shortArn(now)}${more}`;
  return running > 0 && running >= desired
    ? {status: 'failed', cause: 'rolled back', found}
    : {status: 'pending', cause: 'failed', found: `${found}; ${running} of ${desired} running there`};
}

/** Whether nobody has deployed anything since. */
function isNewest({serviceDeploymentArn: arn}: EcsServiceDeployment, {all}: History & {readonly is: 'seen'}): boolean {
  return all[0]?.arn === arn;
}

/** What a service says lags behind what it was told. */
function isWaiting({from, taskDefinition}: Rollout, {taskDefinition: now}: EcsService): boolean {
  return now === from || now === taskDefinition;
}

function notBegun({taskDefinition, replaced}: Rollout, now: string): Judgement {
  const anew = replaced !== null && now === taskDefinition ? 'new ' : '';
  return {
    status: 'pending',
    found: `it runs ${shortArn(now)}; the ${anew}deployment of ${shortArn(taskDefinition)} is not to be seen`,
  };
}

function overtaken(now: string): Judgement & {readonly taker: string} {
  return {status: 'failed', cause: 'superseded', found: `another deployment took over: it runs ${shortArn(now)}`, taker: now};
}

/** The same, from what the service itself shows for a while. */
function judgeBySigns(rollout: Rollout, service: EcsService, now: string): Judgement & {readonly taker?: string} {
  const primary = primaryOf(service);
  const ours = service.deployments?.find(deployment => isOurs(rollout, deployment));
  const isGoingBack =
    ours?.rolloutState === 'FAILED' ||
    /rolling back/i.test(primary?.rolloutStateReason ?? '') ||
    (service.events ?? []).some(({message}) => primary?.id && message?.includes(`rolling back to deployment ${primary.id}`));
  const aside = ' (its deployments may not be looked at: told by its events)';
  if (isGoingBack) {
    return primary?.rolloutState === 'COMPLETED'
      ? tookBack(service, now, aside)
      : {status: 'pending', found: `ECS is taking it back to ${shortArn(now)}${aside}`};
  }
  return isWaiting(rollout, service) ? notBegun(rollout, now) : overtaken(now);
}

// ── who ended it ─────────────────────────────────────────────────────────────────────────────────────

function isTripped({deploymentCircuitBreaker: breaker, alarms}: EcsServiceDeployment): boolean {
  return breaker?.status === 'TRIGGERED' || alarms?.status === 'TRIGGERED' || (alarms?.triggeredAlarmNames ?? []).length > 0;
}

/** A person asks for a way back with StopServiceDeployment; ECS itself says what has failed. */
function isByPerson(mine: EcsServiceDeployment): boolean {
  return !isTripped(mine) && !/circuit breaker|alarm|hook|fail/i.test(reasonIn(mine) ?? '');
}

function actor(mine: EcsServiceDeployment): string {
  return isByPerson(mine) ? 'somebody has asked ECS' : 'ECS is about';
}

function reasonIn({statusReason, rollback}: EcsServiceDeployment): string | undefined {
  return statusReason ?? rollback?.reason;
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`;
}
