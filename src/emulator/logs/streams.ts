import type {Account} from '../account.ts';
import {CONTAINER, jobStream} from '../batch/jobs.ts';
import type {Task} from '../ecs/model.ts';
import {placedTasks, type PlacedTask} from '../ecs/placed.ts';
import {taskDefinitionNamed} from '../ecs/task-definitions.ts';
import {AwsError} from '../errors.ts';
import {awslogs, type LogStreamName} from './awslogs.ts';

export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
}

export interface LogStream {
  readonly name: string;
  /** In order of time. */
  readonly lines: readonly LogLine[];
}

/**
 * What there is in a group: what was written from outside, and what containers have written until now. A container that never
 * ran has no stream, as in AWS: what could not be pulled cannot say anything.
 */
export function streamsIn(account: Account, group: string): readonly LogStream[] {
  const seeded = account.logGroups.get(group);
  const writers = [...taskWriters(account), ...jobWriters(account)].filter(writer => writer.group === group);
  if (seeded === undefined && writers.length === 0 && !configuredGroups(account).has(group)) {
    throw new AwsError('ResourceNotFoundException', 'The specified log group does not exist.');
  }
  const now = account.clock.now();
  return [
    ...Array.from(seeded ?? [], ([name, lines]) => ({name, lines})),
    ...writers
      .filter(({task}) => task.runningAt <= now)
      .map(writer => ({name: writer.stream, lines: linesOf(writer).filter(({at}) => at <= now)})),
  ];
}

export function streamNamed(account: Account, group: string, name: string): LogStream {
  const stream = streamsIn(account, group).find(candidate => candidate.name === name);
  if (stream === undefined) throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');
  return stream;
}

/** A container that writes to a stream. */
interface Writer extends LogStreamName {
  readonly task: Task;
  readonly containerName: string;
  readonly image: string;
}

const taskWriters = (account: Account): readonly Writer[] => placedTasks(account).flatMap(placed => writersOf(account, placed));

/** `<prefix>/<container>/<task id>`; without a prefix Fargate does not start a task, so nothing logs without one here. */
function writersOf(account: Account, {task, taskDefinition, images}: PlacedTask): readonly Writer[] {
  const {containers} = taskDefinitionNamed(account, taskDefinition);
  return images.flatMap(({containerName, image}) => {
    const said = awslogs(containers.find(({name}) => name === containerName)?.['logConfiguration']);
    const {'awslogs-group': group, 'awslogs-stream-prefix': prefix} = said ?? {};
    if (group === undefined || prefix === undefined) return [];
    return [{group, stream: `${prefix}/${containerName}/${task.id}`, task, containerName, image}];
  });
}

const jobWriters = (account: Account): readonly Writer[] =>
  Array.from(account.jobs.values(), job => ({
    ...jobStream(job),
    task: job.task,
    containerName: CONTAINER,
    image: job.definition.declared.containerProperties?.image ?? '',
  }));

/** A first line when the container starts, and its last ones right before it ends. */
function linesOf({task, containerName, image}: Writer): readonly LogLine[] {
  const culprit = task.stop?.culprit;
  const last = culprit?.containerName === containerName ? culprit.lines : [];
  return [
    {at: task.runningAt, message: `Starting ${containerName} from ${image}`},
    ...last.map((message, index) => ({at: task.stoppingAt - last.length + index, message})),
  ];
}

/** Groups that task definitions name: somebody has made them, or no task would start. */
const configuredGroups = ({taskDefinitions}: Account): ReadonlySet<string | undefined> =>
  new Set(
    [...taskDefinitions.values()].flatMap(revisions =>
      revisions.flatMap(({containers}) => containers.map(({logConfiguration}) => awslogs(logConfiguration)?.['awslogs-group'])),
    ),
  );
