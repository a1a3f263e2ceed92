import type {Fate} from '../scenarios.ts';
import {type ContainerImage, NEVER, type Rollout, type Stop, type Task} from './model.ts';

/**
 * How long things take, in seconds of AWS. Those of a task are what Fargate shows for a small image. `settle` is
 * shorter than AWS's (a task without health checks counts after 40 s of running), for nobody would watch a demo that long.
 */
export const PACE = {
  /** A service deployment is PENDING. */
  accept: 0.5,
  /** A rollback is ROLLBACK_REQUESTED. */
  request: 1,
  /** Between the starts of two tasks. */
  stagger: 2,
  /** From creation to PENDING, and to RUNNING. */
  pend: 1.5,
  run: 5,
  /** From RUNNING to counting as healthy. */
  settle: 2,
  /** From being told to stop, or from exiting, to STOPPED. */
  drain: 2,
  exit: 0.5,
} as const;

/** A new task of a rollout (or of none, a single run), with all of its life. */
export function newTask(
  id: string,
  rollout: Pick<Rollout, 'id' | 'revisionId' | 'second'>,
  images: readonly ContainerImage[],
  at: number,
  fate: Fate | undefined,
  targetGroup?: string,
): Task {
  const after = (seconds: number): number => at + seconds * rollout.second;
  const runs = fate?.from !== 'created';
  const runningAt = runs ? after(PACE.run) : NEVER;
  const stoppingAt = fate === undefined ? NEVER : after((runs ? PACE.run : 0) + fate.seconds);
  const healthyAt = runs ? after(PACE.run + PACE.settle) : NEVER;
  return {
    id,
    rolloutId: rollout.id,
    revisionId: rollout.revisionId,
    createdAt: at,
    pendingAt: after(PACE.pend),
    runningAt,
    healthyAt: fate?.unhealthy === true || healthyAt >= stoppingAt ? NEVER : healthyAt,
    stoppingAt,
    stoppedAt: stoppingAt + PACE.exit * rollout.second,
    stop: fate === undefined ? undefined : ending(fate, images, targetGroup),
    unhealthy: fate?.unhealthy === true,
  };
}

function ending(fate: Fate, images: readonly ContainerImage[], targetGroup: string | undefined): Stop {
  // The one that is missing, else the first: it stands for the essential one.
  const blamed = images.find(({imageDigest}) => imageDigest === undefined) ?? images[0];
  const image = blamed?.image ?? '';
  const {exitCode, reason, lines = []} = fate.container ?? {};
  return {
    code: fate.stopCode,
    reason: fate.stoppedReason(image, targetGroup),
    failed: true,
    culprit: blamed && {containerName: blamed.containerName, exitCode, reason: reason?.(image), lines},
  };
}

/** The same task, told by the scheduler to stop now. One that is stopping already goes on as it was. */
export function stopTask(task: Task, rollout: Rollout, at: number): Task {
  if (task.stoppingAt <= at) return task;
  const reached = (mark: number): number => (mark <= at ? mark : NEVER);
  return {
    ...task,
    runningAt: reached(task.runningAt),
    healthyAt: reached(task.healthyAt),
    stoppingAt: at,
    stoppedAt: at + PACE.drain * rollout.second,
    stop: {
      code: 'ServiceSchedulerInitiated',
      reason: `Scaling activity initiated by (deployment ${rollout.id})`,
      failed: false,
      culprit: undefined,
    },
  };
}

export type TaskStatus = 'STOPPED' | 'STOPPING' | 'RUNNING' | 'PENDING' | 'PROVISIONING';

/** Latest first: the status is that of the last mark reached. */
const MARKS = [
  ['STOPPED', 'stoppedAt'],
  ['STOPPING', 'stoppingAt'],
  ['RUNNING', 'runningAt'],
  ['PENDING', 'pendingAt'],
] as const satisfies readonly (readonly [TaskStatus, keyof Task])[];

export const statusOf = (task: Task, at: number): TaskStatus => MARKS.find(([, mark]) => task[mark] <= at)?.[0] ?? 'PROVISIONING';

/** Wanted: not on its way out. */
export const isWanted = (task: Task, at: number): boolean => at < task.stoppingAt;

export const isHealthy = (task: Task, at: number): boolean => task.healthyAt <= at && isWanted(task, at);

/** When this task's life goes on next. */
export const nextMark = (task: Task, after: number): number =>
  Math.min(...[task.pendingAt, task.runningAt, task.healthyAt, task.stoppingAt, task.stoppedAt].filter(mark => mark > after));
