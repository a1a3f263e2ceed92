/** One run of a definition, by hand: how it is started, found again, and how it ended. ECS tasks and Batch jobs alike. */
import type {BatchJob} from '../../tools/aws/batch.ts';
import type {EcsRun} from '../../tools/aws/ecs.ts';
import type {Input} from '../aws/containers.ts';
import {type Log, logOf} from '../aws/rollout/diagnosis.ts';
import {waiting} from '../aws/waiting.ts';
import type {Io} from '../io.ts';
import {type Wanted, parseReference, shortReference} from './reference.ts';

/** `ended`: why it failed, undefined where all is well. */
export type RunState =
  | {readonly is: 'going'; readonly text: string}
  | {readonly is: 'ended'; readonly failure: string | undefined};

interface Runs {
  /** Starts it; the token is what it is found by. Gives its id. */
  start(definition: string, token: string, request: Input, io: Io): Promise<string>;
  /** The id of the run that carries the token; undefined where there is none any more. */
  find(definition: string, token: string, request: Input, io: Io): Promise<string | undefined>;
  state(id: string, request: Input, containers: readonly string[], io: Io): Promise<RunState>;
  /** Where its (first released) container wrote to; undefined where that cannot be told. */
  log(id: string, definition: string, containers: readonly string[], io: Io): Promise<Log | undefined>;
  /** For people: the command that shows it. */
  see(id: string, request: Input): string;
  /** For people: the words of the command that starts one. */
  typed(definition: string): readonly string[];
}

const text = (value: Input[string] | undefined) => (typeof value === 'string' ? value : undefined);

const tasks: Runs = {
  start: (taskDefinition, token, request, io) =>
    io.aws.ecs.run({...request, taskDefinition, count: 1, startedBy: token, clientToken: token}, waiting(io)),
  find: (taskDefinition, token, {cluster}, io) => io.aws.ecs.startedBy(text(cluster), parseReference(taskDefinition).name, token),
  state: async (arn, {cluster}, containers, io) => {
    const task = await io.aws.ecs.task(text(cluster), arn);
    if (task === undefined) return {is: 'ended', failure: 'ECS does not know the task any more'};
    if (task.lastStatus !== 'STOPPED') return {is: 'going', text: task.lastStatus ?? 'unknown'};
    return {is: 'ended', failure: failureOfTask(task, containers)};
  },
  log: (arn, definition, [container = ''], io) => logOf(definition, container, shortReference(arn), io),
  see: (arn, {cluster}) =>
    `aws ecs describe-tasks${text(cluster) === undefined ? '' : ` --cluster ${text(cluster)}`} --tasks ${arn}`,
  typed: definition => [
    'ecs',
    'run-task',
    '--task-definition',
    definition,
    '--cli-input-json',
    'file://<its cluster, network and overrides>',
  ],
};

/** The containers that are released must have ended with 0; a companion that was stopped with them says nothing. */
function failureOfTask({containers = [], stopCode, stoppedReason}: EcsRun, names: readonly string[]): string | undefined {
  const own = names.map(name => containers.find(container => container.name === name));
  if (own.every(container => container?.exitCode === 0)) return undefined;
  const exits = own.flatMap((container, index) => {
    if (container?.exitCode === 0) return [];
    const exit = container?.exitCode === undefined ? 'did not run' : `exited with ${container.exitCode}`;
    return [`container ${names[index]} ${exit}${container?.reason === undefined ? '' : `, ${container.reason}`}`];
  });
  return `${stoppedReason ?? stopCode ?? 'it stopped'} (${exits.join('; ')})`;
}

const jobs: Runs = {
  start: (jobDefinition, token, request, io) => io.aws.batch.submit({...request, jobDefinition, jobName: token}, waiting(io)),
  find: async (_definition, token, {jobQueue}, io) => (await io.aws.batch.jobs(text(jobQueue) ?? '', token))[0],
  state: async (id, _request, _containers, io) => {
    const job = await io.aws.batch.job(id);
    if (job === undefined) return {is: 'ended', failure: 'Batch does not know the job any more'};
    if (job.status === 'SUCCEEDED') return {is: 'ended', failure: undefined};
    if (job.status === 'FAILED') return {is: 'ended', failure: failureOfJob(job)};
    return {is: 'going', text: job.status ?? 'unknown'};
  },
  log: async (id, _definition, _containers, io) => {
    const {container} = (await io.aws.batch.job(id)) ?? {};
    const {logStreamName: stream, logConfiguration} = container ?? {};
    if (stream === undefined || (logConfiguration?.logDriver ?? 'awslogs') !== 'awslogs') return undefined;
    const {'awslogs-group': group = '/aws/batch/job', 'awslogs-region': region} = logConfiguration?.options ?? {};
    return {region, group, stream};
  },
  see: id => `aws batch describe-jobs --jobs ${id}`,
  typed: definition => [
    'batch',
    'submit-job',
    '--job-name',
    'smoke',
    '--job-definition',
    definition,
    '--job-queue',
    '<its queue>',
  ],
};

function failureOfJob({statusReason = 'the job failed', container, attempts = []}: BatchJob): string {
  const last = container ?? attempts.at(-1)?.container;
  const exit = last?.exitCode === undefined ? 'its container did not run' : `its container exited with ${last.exitCode}`;
  return `${statusReason} (${exit}${last?.reason === undefined ? '' : `, ${last.reason}`})`;
}

export const runsOf: Readonly<Record<Wanted['service'], Runs>> = {ecs: tasks, batch: jobs};
