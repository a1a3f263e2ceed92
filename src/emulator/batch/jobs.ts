import {type Account, arnIn} from '../account.ts';
import {resolveImage} from '../ecs/images.ts';
import {newTask, statusOf, type TaskStatus} from '../ecs/lifecycle.ts';
import type {Task} from '../ecs/model.ts';
import {awslogs, type LogStreamName} from '../logs/awslogs.ts';
import {hexId, uuid} from '../naming.ts';
import {CANNOT_PULL, RUN_TO_THE_END} from '../scenarios.ts';
import {type JobDefinition, usableJobDefinition} from './definitions.ts';

/** A submitted job: one container, which ECS runs for Batch, so that its life is a task's. */
export interface Job {
  readonly id: string;
  readonly name: string;
  readonly arn: string;
  readonly queue: string;
  readonly definition: JobDefinition;
  readonly parameters: Readonly<Record<string, string>>;
  readonly task: Task;
}

/** Batch calls the container of a job definition with container properties so. */
export const CONTAINER = 'default';

export interface JobInput {
  readonly jobName: string;
  readonly jobQueue: string;
  readonly jobDefinition: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A scenario of the account, or of this job definition, decides how it ends; without one it does what it is for. */
export function submitJob(account: Account, {jobName, jobQueue, jobDefinition, parameters}: JobInput): Job {
  const definition = usableJobDefinition(account, jobDefinition);
  const id = uuid(account.seed, 'job', account.serial());
  const image = definition.declared.containerProperties?.image ?? '';
  const resolved = {containerName: CONTAINER, image, imageDigest: resolveImage(account, image), hasHealthCheck: false};
  const behaviour = account.behaviours.get(definition.name) ?? account.behaviour;
  const fate = resolved.imageDigest === undefined ? CANNOT_PULL : (behaviour.fate ?? RUN_TO_THE_END);
  const second = account.clock.second * behaviour.slowdown;
  const job: Job = {
    id,
    name: jobName,
    arn: arnIn(account, 'batch', `job/${id}`),
    queue: jobQueue.startsWith('arn:') ? jobQueue : arnIn(account, 'batch', `job-queue/${jobQueue}`),
    definition,
    parameters,
    task: newTask(hexId(id), {id: '', revisionId: '', second}, [resolved], account.clock.now(), fate),
  };
  account.jobs.set(id, job);
  return job;
}

type JobStatus = 'SUBMITTED' | 'STARTING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';

const STATUS: Readonly<Record<Exclude<TaskStatus, 'STOPPED'>, JobStatus>> = {
  PROVISIONING: 'SUBMITTED',
  PENDING: 'STARTING',
  RUNNING: 'RUNNING',
  STOPPING: 'RUNNING',
};

export function jobStatus({task}: Job, at: number): JobStatus {
  const status = statusOf(task, at);
  if (status !== 'STOPPED') return STATUS[status];
  return task.stop?.culprit?.exitCode === 0 ? 'SUCCEEDED' : 'FAILED';
}

/** Where the job's container writes: a stream of its own in `/aws/batch/job`, or where the definition says. */
export function jobStream({definition, task}: Job): LogStreamName {
  const said = awslogs(definition.declared.containerProperties?.['logConfiguration']);
  return {
    group: said?.['awslogs-group'] ?? '/aws/batch/job',
    stream: `${said?.['awslogs-stream-prefix'] ?? definition.name}/${CONTAINER}/${task.id}`,
  };
}
