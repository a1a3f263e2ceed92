/** Why tasks end: which ends are failures, what they say, and which of them no waiting mends. */
import type {EcsTask} from '../../../tools/aws/ecs.ts';

/** Stopped by somebody or something that has nothing to do with the release. */
const noFailures: ReadonlySet<string | undefined> = new Set([
  undefined,
  'UserInitiated',
  'SpotInterruption',
  'TerminationNotice',
  'InfrastructureHealth',
]);

/** Whether a task ended by itself. The scheduler stops what is to be scaled in, and what does not get healthy. */
export function isFailure({stopCode, stoppedReason}: EcsTask): boolean {
  return stopCode === 'ServiceSchedulerInitiated'
    ? /failed .*health check/i.test(stoppedReason ?? '')
    : !noFailures.has(stopCode);
}

/** Exit codes of containers that were told to end because another one had. */
const followed: ReadonlySet<number | undefined> = new Set([undefined, 0, 137, 143]);

type Container = NonNullable<EcsTask['containers']>[number];

/** The container that ended first, as far as can be told: the others followed it. */
export function blamed({containers = []}: EcsTask): Container | undefined {
  return (
    containers.find(({reason}) => reason !== undefined) ??
    containers.find(({exitCode}) => !followed.has(exitCode)) ??
    containers.find(({exitCode}) => exitCode !== undefined && exitCode !== 0)
  );
}

/** Why a task ended, in one line. */
export function reasonOf(task: EcsTask): string {
  const container = blamed(task);
  const exit = container?.exitCode === undefined ? '' : ` (container ${container.name} exited with ${container.exitCode})`;
  return `${container?.reason ?? task.stoppedReason ?? task.stopCode ?? 'stopped without a reason'}${exit}`;
}

/** `3 × Essential container in task exited (container app exited with 1)`, most frequent first. */
export function grouped(tasks: readonly EcsTask[]): readonly string[] {
  return [...Map.groupBy(tasks, reasonOf)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([reason, same]) => `${same.length} × ${reason}`);
}

/** What no amount of waiting mends, and what does. */
export interface Hopeless {
  readonly why: string;
  readonly next: string;
}

interface Row extends Hopeless {
  readonly pattern: RegExp;
}

const pull = /CannotPull\w*Error/i;
const both = (first: RegExp, second: RegExp): RegExp => new RegExp(`(?:${first.source}).*(?:${second.source})`, 'is');

/** What is missing, forbidden or made for another machine. Networks, rates and capacities do mend: they are not here. */
const table: readonly Row[] = [
  {
    pattern: both(pull, /no matching manifest|matching platform/),
    why: 'the image cannot be pulled: it is not made for the platform of the tasks',
    next: 'Build the image for the runtimePlatform of the task definition.',
  },
  {
    pattern: both(pull, /denied|unauthorized|forbidden|not authorized/),
    why: 'the image cannot be pulled: the execution role may not',
    next: 'Allow the execution role to pull from that repository, or give it the credentials of the registry.',
  },
  {
    pattern: both(pull, /not found|manifest unknown|does not exist/),
    why: 'the image cannot be pulled: it is not there',
    next: 'Push that image, then release again.',
  },
  {
    pattern: both(/ResourceInitializationError/, /(?:secret|parameter|ssm|asm).*(?:access ?denied|not authorized)/),
    why: 'a secret cannot be read: the execution role may not',
    next: 'Allow the execution role to read that secret or parameter.',
  },
  {
    pattern: both(/ResourceInitializationError/, /(?:secret|parameter|ssm|asm).*(?:not ?found|can't find|json key|invalid)/),
    why: 'a secret is missing',
    next: 'Create that secret or parameter, or correct its name in the task definition.',
  },
  {
    pattern: both(/ResourceInitializationError/, /logger args|log group|create (?:a )?log stream/),
    why: 'the log of the container cannot be opened',
    next: 'Create the log group, or allow the execution role to write to it.',
  },
  {
    pattern: /exec format error/i,
    why: 'the program is made for another CPU (exec format error)',
    next: 'Build the image for the CPU architecture of the task definition.',
  },
  {
    pattern: /executable file not found|exec user process caused|no such file or directory: unknown/i,
    why: 'the command of the container is not in the image',
    next: 'Correct the entry point or the command, or build the image with it.',
  },
  {
    pattern: /unable to assume (?:the )?role/i,
    why: 'ECS cannot assume a role of the task definition',
    next: 'Correct the role, or let ecs-tasks.amazonaws.com assume it.',
  },
];

/** A container that runs out of memory this soon after its start does so every time. Milliseconds. */
const atStart = 60_000;

const outOfMemory: Hopeless = {
  why: 'it runs out of memory as soon as it starts (OutOfMemoryError)',
  next: 'Give the container more memory in the task definition, or mend what fills it.',
};

/** Why tasks such as this one will not get better; undefined where the next one may. `log`: the last lines of its container. */
export function hopeless(task: EcsTask, log: readonly string[]): Hopeless | undefined {
  const said = [task.stoppedReason, ...(task.containers ?? []).map(({reason}) => reason)].join('\n');
  // A log holds all kinds of words: it is believed about what the kernel says alone, where the container ended for no other reason.
  const wrote = log.filter(line => /^\s*(?:exec |standard_init_linux)/.test(line)).join('\n');
  if (/OutOfMemory/i.test(said) && lifetime(task) < atStart) return outOfMemory;
  return table.find(({pattern}) => pattern.test(said) || pattern.test(wrote));
}

/** How long a task ran, in milliseconds; 0 where it never did. */
export function lifetime({startedAt, stoppingAt, stoppedAt}: EcsTask): number {
  const end = stoppingAt ?? stoppedAt;
  return startedAt === undefined || end === undefined ? 0 : end.getTime() - startedAt.getTime();
}
