import {uuid} from '../naming.ts';
import type {Revision, Rollout, ServiceDeployment, ServiceState, Task} from './model.ts';

/** Small changes to a service's state that the rules of a rollout are made of. Each gives a new state. */

/** AWS shows this many events. */
const EVENTS_SHOWN = 100;

/** An event of the service, worded as AWS words them: `(service web) has reached a steady state.` */
export function announce(state: ServiceState, at: number, text: string): ServiceState {
  const event = {id: uuid(state.seed, state.arn, 'event', state.announced), at, message: `(service ${state.name}) ${text}`};
  return {...state, announced: state.announced + 1, events: [event, ...state.events].slice(0, EVENTS_SHOWN)};
}

export const withPrimary = (state: ServiceState, at: number, change: Partial<Rollout>): ServiceState => ({
  ...state,
  primary: {...state.primary, ...change, updatedAt: at},
});

export const withDeployment = (state: ServiceState, at: number, change: Partial<ServiceDeployment>): ServiceState => ({
  ...state,
  deployment: {...state.deployment, ...change, updatedAt: at},
});

export const rolloutsOf = ({primary, replaced}: ServiceState): readonly Rollout[] => [primary, ...replaced];

export const deploymentsOf = ({deployment, pastDeployments}: ServiceState): readonly ServiceDeployment[] => [
  deployment,
  ...pastDeployments,
];

export function revisionOf(state: ServiceState, id: string): Revision {
  const revision = state.revisions.find(candidate => candidate.id === id);
  if (revision === undefined) throw new Error(`${state.arn} has no revision ${id}`);
  return revision;
}

/** The rollout that a task belongs to. Rollouts outlive their tasks, so for a task that is not stopped there is one. */
export const rolloutOf = (state: ServiceState, {rolloutId}: Task): Rollout =>
  rolloutsOf(state).find(({id}) => id === rolloutId) ?? state.primary;

export const isPrimary = (state: ServiceState, {rolloutId}: Task): boolean => rolloutId === state.primary.id;

/** The statuses in which a service deployment has not come to its end. */
const LIVE: ReadonlySet<ServiceDeployment['status']> = new Set([
  'PENDING',
  'IN_PROGRESS',
  'STOP_REQUESTED',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
]);

export const isLive = ({status}: ServiceDeployment): boolean => LIVE.has(status);
