import {hexId} from '../naming.ts';
import {CANNOT_PULL} from '../scenarios.ts';
import {isHealthy, isWanted, newTask, PACE, stopTask} from './lifecycle.ts';
import type {ServiceState, Task} from './model.ts';
import {targetGroupOf} from './load-balancers.ts';
import {announce, isPrimary, revisionOf, rolloutOf} from './state.ts';

/** The rolling update: starts new tasks and stops old ones, within the service's minimum and maximum percent. */

/** Stops what is not wanted any more, as far as enough healthy tasks remain. */
export function retire(state: ServiceState, at: number): ServiceState {
  const doomed = new Set([...surplus(state, at), ...replaceable(state, at)]);
  if (doomed.size === 0) return state;
  const tasks = state.tasks.map(task => (doomed.has(task) ? stopTask(task, rolloutOf(state, task), at) : task));
  const ids = [...doomed].map(({id}) => `(task ${id})`).join(' ');
  return announce({...state, tasks}, at, `has stopped ${doomed.size} running tasks: ${ids}.`);
}

/** The newest of the primary's own tasks, if there are more than desired: the service was scaled in. */
function surplus(state: ServiceState, at: number): readonly Task[] {
  const own = state.tasks.filter(task => isPrimary(state, task) && isWanted(task, at));
  return own.slice(state.desiredCount);
}

/** Tasks of rollouts that are being replaced: all that are not healthy, and of the healthy ones, oldest first, those to spare. */
function replaceable(state: ServiceState, at: number): readonly Task[] {
  const old = state.tasks.filter(task => !isPrimary(state, task) && isWanted(task, at));
  const healthy = state.tasks.filter(task => isHealthy(task, at)).length;
  const needed = Math.ceil((state.desiredCount * state.configuration.minimumHealthyPercent) / 100);
  const spare = Math.max(0, healthy - needed);
  return [...old.filter(task => !isHealthy(task, at)), ...old.filter(task => isHealthy(task, at)).slice(0, spare)];
}

/** Starts one task of the primary, if one is missing, there is room for it, and the last start was long enough ago. */
export function launch(state: ServiceState, at: number): ServiceState {
  if (!mayLaunch(state, at)) return state;
  const {primary} = state;
  const {images} = revisionOf(state, primary.revisionId);
  const fate = images.some(({imageDigest}) => imageDigest === undefined) ? CANNOT_PULL : primary.fate;
  const id = hexId(state.seed, state.arn, 'task', state.launched);
  const task = newTask(id, primary, images, at, fate, targetGroupOf(state));
  const launched: ServiceState = {
    ...state,
    tasks: [...state.tasks, task],
    launched: state.launched + 1,
    primary: {...primary, nextLaunchAt: at + PACE.stagger * primary.second},
  };
  return announce(launched, at, `has started 1 tasks: (task ${task.id}).`);
}

/** The statuses in which a service deployment starts nothing. */
const WAITING: ReadonlySet<ServiceState['deployment']['status']> = new Set(['PENDING', 'STOP_REQUESTED', 'ROLLBACK_REQUESTED']);

function mayLaunch(state: ServiceState, at: number): boolean {
  const {primary, deployment, tasks, desiredCount, configuration} = state;
  if (WAITING.has(deployment.status) || primary.state === 'FAILED' || at < primary.nextLaunchAt) return false;
  const own = tasks.filter(task => isPrimary(state, task) && isWanted(task, at)).length;
  const present = tasks.filter(task => at < task.stoppedAt).length;
  return own < desiredCount && present < Math.floor((desiredCount * configuration.maximumPercent) / 100);
}
