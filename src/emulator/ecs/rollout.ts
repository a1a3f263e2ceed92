import {behave} from '../scenarios.ts';
import {ROLLED_BACK_ON_REQUEST, rollBack, stopHere, tripBreaker} from './breaker.ts';
import {deploy, requestRollback} from './deploying.ts';
import {isHealthy, isWanted, nextMark, PACE} from './lifecycle.ts';
import {NEVER, type ServiceState, type Stop, type Task} from './model.ts';
import {launch, retire} from './scheduler.ts';
import {announce, isPrimary, revisionOf, withDeployment, withPrimary} from './state.ts';

/**
 * The time model of a service: state + now → state. Nothing happens between looks; a look replays, moment by moment,
 * everything that has fallen due since the last one. So there are no timers, and looking often or seldom shows the same story.
 */

type Rule = (state: ServiceState, at: number) => ServiceState;

/** The service as it is now. */
export function advance(state: ServiceState, now: number): ServiceState {
  let current = state;
  for (let at = nextMoment(current); at <= now; at = nextMoment(current)) {
    current = {...settleMoment(current, at), at};
  }
  return {...current, at: Math.max(current.at, now)};
}

/** A change from outside, at once followed by what it makes possible. */
export function change(state: ServiceState, now: number, make: (state: ServiceState) => ServiceState): ServiceState {
  return applyRules(REACTIONS, make(advance(state, now)), now);
}

const settleMoment: Rule = (state, at) => applyRules([goOn, overtake, stop, judge, ...REACTIONS], state, at);

/** What follows from the state that things are in, whatever brought them there. */
const REACTIONS: readonly Rule[] = [tripBreaker, retire, launch, complete, forget];

const applyRules = (rules: readonly Rule[], state: ServiceState, at: number): ServiceState =>
  rules.reduce((so, rule) => rule(so, at), state);

/** When something happens next, after what has happened. */
function nextMoment(state: ServiceState): number {
  const {at, tasks, primary, deployment} = state;
  const marks = [deployment.dueAt, primary.nextLaunchAt, primary.overtakenAt, primary.stopRequestedAt].filter(mark => mark > at);
  return Math.min(NEVER, ...marks, ...tasks.map(task => nextMark(task, at)));
}

/** Takes a service deployment out of its waiting status. */
function goOn(state: ServiceState, at: number): ServiceState {
  const {status, dueAt} = state.deployment;
  if (at < dueAt) return state;
  if (status === 'PENDING') return withDeployment(state, at, {status: 'IN_PROGRESS', startedAt: at, dueAt: NEVER});
  if (status === 'STOP_REQUESTED') return stopHere(state, at);
  if (status === 'ROLLBACK_REQUESTED') return rollBack(state, at, ROLLED_BACK_ON_REQUEST);
  return state;
}

/** Somebody else deploys what was there before. */
function overtake(state: ServiceState, at: number): ServiceState {
  if (at < state.primary.overtakenAt || state.lastCompleted === undefined) return state;
  const previous = revisionOf(state, state.lastCompleted.revisionId);
  return deploy(state, previous, {at, second: state.primary.second, behaviour: behave()});
}

/** A person stops it, while it goes on. */
function stop(state: ServiceState, at: number): ServiceState {
  if (at !== state.primary.stopRequestedAt || state.deployment.status !== 'IN_PROGRESS') return state;
  return requestRollback(state, at);
}

/** Counts failures in a row: a task that ends before it was ever healthy is one, a healthy task wipes them out. */
function judge(state: ServiceState, at: number): ServiceState {
  if (state.primary.state === 'FAILED') return state;
  return state.tasks.filter(task => isPrimary(state, task)).reduce((so, task) => judgeTask(so, task, at), state);
}

function judgeTask(state: ServiceState, task: Task, at: number): ServiceState {
  if (task.healthyAt === at) return withPrimary(state, at, {failedTasks: 0});
  if (task.stoppedAt !== at || task.stop?.failed !== true || task.healthyAt < at) return state;

  const failedTasks = state.primary.failedTasks + 1;
  const pause = backOff(failedTasks) * state.primary.second;
  const counted = withPrimary(state, at, {failedTasks, nextLaunchAt: Math.max(state.primary.nextLaunchAt, at + pause)});
  const complaint = COMPLAINTS[task.stop.code](task, task.stop.reason);
  const told = complaint === undefined ? counted : announce(counted, at, complaint);
  return failedTasks >= PATIENCE ? announce(told, at, UNABLE) : told;
}

/** What the events say about a task that failed; of one that crashed they say nothing. */
const COMPLAINTS: Readonly<Record<Stop['code'], (task: Task, reason: string) => string | undefined>> = {
  TaskFailedToStart: (_, reason) => `was unable to place a task. Reason: ${reason}.`,
  EssentialContainerExited: () => undefined,
  ServiceSchedulerInitiated: ({id}, reason) => `(task ${id}) ${reason.replace(/^Task /, '')}.`,
};

/** After this many failures in a row ECS starts tasks ever more seldom, down to one in 27 minutes (its "service throttle logic"). */
const PATIENCE = 10;
const LONGEST_PAUSE = 27 * 60;
const UNABLE = 'is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.';

const backOff = (failures: number): number =>
  failures < PATIENCE ? 0 : Math.min(LONGEST_PAUSE, PACE.stagger * 2 ** (failures - PATIENCE + 1));

/** Steady: as many healthy tasks of the primary as desired, and none of any other. */
function isSteady(state: ServiceState, at: number): boolean {
  const present = state.tasks.filter(task => at < task.stoppedAt);
  return (
    present.length === state.desiredCount &&
    present.every(task => isPrimary(state, task) && isWanted(task, at) && isHealthy(task, at))
  );
}

/** How a service deployment ends when its rollout is complete. */
const ENDS: Readonly<Partial<Record<ServiceState['deployment']['status'], 'SUCCESSFUL' | 'ROLLBACK_SUCCESSFUL'>>> = {
  IN_PROGRESS: 'SUCCESSFUL',
  ROLLBACK_IN_PROGRESS: 'ROLLBACK_SUCCESSFUL',
};

function complete(state: ServiceState, at: number): ServiceState {
  if (!isSteady(state, at)) return {...state, steady: false};
  const {primary, deployment} = state;
  const end = ENDS[deployment.status];
  if (end !== undefined) return steady(finish(state, end, at), at);
  // Scaled, or a stopped task replaced: the rollout had been completed before. A failed one never is.
  return state.steady || primary.state !== 'COMPLETED' ? state : steady(state, at);
}

const steady = (state: ServiceState, at: number): ServiceState =>
  announce({...state, steady: true}, at, 'has reached a steady state.');

function finish(state: ServiceState, status: 'SUCCESSFUL' | 'ROLLBACK_SUCCESSFUL', at: number): ServiceState {
  const {id, revisionId} = state.primary;
  const completed = withPrimary(withDeployment(state, at, {status, finishedAt: at}), at, {
    state: 'COMPLETED',
    reason: `ECS deployment ${id} completed.`,
    overtakenAt: NEVER,
    stopRequestedAt: NEVER,
  });
  return announce(
    {...completed, replaced: [], lastCompleted: {rolloutId: id, revisionId}},
    at,
    `(deployment ${id}) deployment completed.`,
  );
}

/** Stopped tasks can be looked at for an hour. */
const REMEMBERED = 60 * 60 * 1000;

function forget(state: ServiceState, at: number): ServiceState {
  const tasks = state.tasks.filter(task => at < task.stoppedAt + REMEMBERED);
  return tasks.length === state.tasks.length ? state : {...state, tasks};
}
