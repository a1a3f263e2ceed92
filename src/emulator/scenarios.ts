import type {FaultKind} from './faults.ts';

/** How the tasks of a deployment come to an end on their own. */
export interface Fate {
  /** From which moment in a task's life the seconds count. `created`: it never runs. */
  readonly from: 'created' | 'running';
  readonly seconds: number;
  readonly stopCode: 'TaskFailedToStart' | 'EssentialContainerExited' | 'ServiceSchedulerInitiated';
  /** Why, given the image of the container that failed. */
  readonly stoppedReason: (image: string) => string;
  /** What the container itself says; by default nothing. */
  readonly container?: {readonly exitCode?: number; readonly reason?: (image: string) => string};
  /** The tasks run but fail their health check, so they never count as healthy however long they live. */
  readonly unhealthy?: boolean;
}

export interface CircuitBreaker {
  readonly enable: boolean;
  readonly rollback: boolean;
}

/** Calls that go wrong by themselves: a share of all, or of some actions. Evenly spread, not random: a demo can be repeated. */
export interface Noise {
  readonly kind: FaultKind;
  /** 0…1 */
  readonly share: number;
  readonly actions?: readonly string[];
}

/** What goes differently from usual. Everything has a neutral default, so behaviours can be laid over each other. */
export interface Behaviour {
  /** How many times longer a rollout takes. */
  readonly slowdown: number;
  /** How the tasks of every new deployment end; undefined: they run on. */
  readonly fate: Fate | undefined;
  /** Replaces what the service says about its circuit breaker. */
  readonly circuitBreaker: CircuitBreaker | undefined;
  /** After how many seconds somebody else deploys the previous revision over ours. */
  readonly overtakenAfter: number | undefined;
  readonly noise: readonly Noise[];
  /** By how much AWS's clock is ahead of this machine's. Read once, at the start. */
  readonly clockSkewSeconds: number;
}

const NEUTRAL: Behaviour = {
  slowdown: 1,
  fate: undefined,
  circuitBreaker: undefined,
  overtakenAfter: undefined,
  noise: [],
  clockSkewSeconds: 0,
};

const notFound = (image: string): string =>
  `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${image}: not found`;

/** What a missing tag does, in every scenario. */
export const CANNOT_PULL: Fate = {
  from: 'created',
  seconds: 4,
  stopCode: 'TaskFailedToStart',
  stoppedReason: notFound,
  container: {reason: notFound},
};

const CRASH: Fate = {
  from: 'running',
  seconds: 1,
  stopCode: 'EssentialContainerExited',
  stoppedReason: () => 'Essential container in task exited',
  container: {exitCode: 1},
};

const SCENARIOS = {
  healthy: {},
  'cannot-pull': {fate: CANNOT_PULL},
  'crash-loop': {fate: CRASH},
  slow: {slowdown: 4},
  throttled: {noise: [{kind: 'throttle', share: 0.2}]},
} satisfies Record<string, Partial<Behaviour>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** A named behaviour, or one made up on the spot. */
export type Scenario = ScenarioName | Partial<Behaviour>;

/** One behaviour out of several scenarios; of two that speak about the same thing the later one wins. */
export const behave = (...scenarios: readonly Scenario[]): Behaviour =>
  scenarios.reduce<Behaviour>((so, next) => ({...so, ...(typeof next === 'string' ? SCENARIOS[next] : next)}), NEUTRAL);
