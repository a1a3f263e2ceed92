import type {FaultKind} from './faults.ts';

/** How the tasks of a deployment come to an end on their own. */
export interface Fate {
  /** From which moment in a task's life the seconds count. `created`: it never runs. */
  readonly from: 'created' | 'running';
  readonly seconds: number;
  readonly stopCode: 'TaskFailedToStart' | 'EssentialContainerExited' | 'ServiceSchedulerInitiated';
  /** Why, given the image of the container that failed, and the target group that the service is behind, if it is. */
  readonly stoppedReason: (image: string, targetGroup: string | undefined) => string;
  /** What the container itself says; by default nothing. */
  readonly container?: {
    readonly exitCode?: number;
    readonly reason?: (image: string) => string;
    /** The last lines in its log. */
    readonly lines?: readonly string[];
  };
  /** The tasks run but fail their health check, so they never count as healthy however long they live. */
  readonly unhealthy?: boolean;
}

export interface CircuitBreaker {
  readonly enable: boolean;
  readonly rollback: boolean;
  /** How many failures in a row trip it; by default BOUNDED_PERCENT 50. */
  readonly thresholdConfiguration?:
    | {readonly type: 'COUNT' | 'BOUNDED_PERCENT' | 'UNBOUNDED_PERCENT'; readonly value: number}
    | undefined;
}

/** Calls that go wrong by themselves. Evenly spread, not random: a demo can be repeated. */
export interface Noise {
  /** Several kinds take turns. */
  readonly kind: FaultKind | readonly FaultKind[];
  /** Of the calls, 0…1 */
  readonly share: number;
  /** `all` calls, counted together (the default), or those that change something, counted by action and hit from the first on. */
  readonly of?: 'all' | 'changes';
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
  /** After how many seconds a person stops the service deployment, which rolls it back. */
  readonly stoppedAfter: number | undefined;
  /** Of the account as a whole: read once, at the start, as is the clock. */
  readonly noise: readonly Noise[];
  /** By how much AWS's clock is ahead of this machine's. */
  readonly clockSkewSeconds: number;
}

const NEUTRAL: Behaviour = {
  slowdown: 1,
  fate: undefined,
  circuitBreaker: undefined,
  overtakenAfter: undefined,
  stoppedAfter: undefined,
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
  container: {exitCode: 1, lines: ['ERROR could not connect to the database: password authentication failed', 'Shutting down']},
};

const OUT_OF_MEMORY: Fate = {
  from: 'running',
  seconds: 1.5,
  stopCode: 'EssentialContainerExited',
  stoppedReason: () => 'Essential container in task exited',
  container: {
    exitCode: 137,
    reason: () => 'OutOfMemoryError: container killed due to memory usage',
    // The kernel leaves no time for last words.
    lines: ['Loading 4,816,204 records into memory'],
  },
};

const SECRET_MISSING: Fate = {
  from: 'created',
  seconds: 3,
  stopCode: 'TaskFailedToStart',
  stoppedReason: () =>
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
};

const EXEC_FORMAT: Fate = {
  from: 'running',
  seconds: 0.5,
  stopCode: 'EssentialContainerExited',
  stoppedReason: () => 'Essential container in task exited',
  container: {exitCode: 255, lines: ['exec /usr/local/bin/docker-entrypoint.sh: exec format error']},
};

const UNHEALTHY: Fate = {
  from: 'running',
  seconds: 20,
  stopCode: 'ServiceSchedulerInitiated',
  stoppedReason: (_, targetGroup) =>
    targetGroup === undefined
      ? 'Task failed container health checks'
      : `Task failed ELB health checks in (target-group ${targetGroup})`,
  unhealthy: true,
  container: {
    exitCode: 143,
    lines: ['GET /health 503 no connection to the message broker', 'GET /health 503 no connection to the message broker'],
  },
};

/** What a run (RunTask, a Batch job) does that nothing is wrong with. */
export const RUN_TO_THE_END: Fate = {
  from: 'running',
  seconds: 3,
  stopCode: 'EssentialContainerExited',
  stoppedReason: () => 'Essential container in task exited',
  container: {exitCode: 0, lines: ['Done']},
};

const BREAKER = {enable: true, rollback: true};

const SCENARIOS = {
  healthy: {},
  'cannot-pull': {fate: CANNOT_PULL},
  'crash-loop': {fate: CRASH},
  'out-of-memory': {fate: OUT_OF_MEMORY},
  unhealthy: {fate: UNHEALTHY},
  'secret-missing': {fate: SECRET_MISSING},
  'exec-format': {fate: EXEC_FORMAT},
  'breaker-rollback': {fate: CRASH, circuitBreaker: BREAKER},
  slow: {slowdown: 4},
  superseded: {overtakenAfter: 6},
  stopped: {stoppedAfter: 6},
  throttled: {noise: [{kind: 'throttle', share: 0.2}]},
  /** Every fifth call: throttled, answered 500, or slow, in turn. */
  flaky: {noise: [{kind: ['throttle', '500', 'slow'], share: 0.2}]},
  /** The answer to the first call of each kind that changes something, and to every fifth after it, never arrives. */
  'lost-answer': {noise: [{kind: 'lost-answer', share: 0.2, of: 'changes'}]},
  /** AWS's clock is five minutes behind: what has just happened seems to have been over before it began. */
  'clock-skew': {clockSkewSeconds: -300},
} satisfies Record<string, Partial<Behaviour>>;

export type ScenarioName = keyof typeof SCENARIOS;

const isScenarioName = (name: string): name is ScenarioName => Object.hasOwn(SCENARIOS, name);

/** What `--scenario` may be. */
export const scenarioNames: readonly ScenarioName[] = Object.keys(SCENARIOS).filter(isScenarioName);

/** A named behaviour, or one made up on the spot. */
export type Scenario = ScenarioName | Partial<Behaviour>;

/** One behaviour out of several scenarios; of two that speak about the same thing the later one wins. */
export const behave = (...scenarios: readonly Scenario[]): Behaviour =>
  scenarios.reduce<Behaviour>((so, next) => ({...so, ...(typeof next === 'string' ? SCENARIOS[next] : next)}), NEUTRAL);
