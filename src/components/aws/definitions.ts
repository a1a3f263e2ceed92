/** The two kinds of definitions that are released by registering another revision: what they are called, and their calls. */
import type {Batch} from '../../tools/aws/batch.ts';
import type {Ecs, TaskDefinition} from '../../tools/aws/ecs.ts';
import type {Command} from '../by-hand.ts';
import type {Input} from './containers.ts';
import {type Waiting, waiting} from './waiting.ts';

/** What of the world is needed here. */
interface Io extends Waiting {
  readonly aws: {
    readonly ecs: Pick<Ecs, 'taskDefinition' | 'revisions' | 'register'>;
    readonly batch: Pick<Batch, 'jobDefinition' | 'revisions' | 'register'>;
  };
}

/** A revision of either kind. */
export type Definition = TaskDefinition;

export interface Definitions {
  readonly noun: 'task definition' | 'job definition';
  /** Whose call starts one. */
  readonly service: 'ecs' | 'batch';
  /** By ARN, `name:revision`, or name (its newest active revision); undefined when there is none. */
  find(name: string, io: Io): Promise<Definition | undefined>;
  /** ARNs of active revisions, newest first. */
  revisions(name: string, count: number, io: Io): Promise<readonly string[]>;
  /** Makes a new revision, every time. Returns its ARN. */
  register(input: Input, io: Io): Promise<string>;
  /** How a person does that: the words of the commands that read a revision and that register one, and what is read and then refused. */
  readonly typed: {readonly read: (base: string) => Command; readonly register: Command; readonly refused: string};
}

export const taskDefinitions: Definitions = {
  noun: 'task definition',
  service: 'ecs',
  find: (name, io) => io.aws.ecs.taskDefinition(name),
  revisions: (name, count, io) => io.aws.ecs.revisions(name, count),
  register: (input, io) => io.aws.ecs.register(input, waiting(io)),
  typed: {
    read: base => ['ecs', 'describe-task-definition', '--task-definition', base, '--include', 'TAGS'],
    register: ['ecs', 'register-task-definition', '--cli-input-json'],
    refused:
      'taskDefinitionArn, revision, status, requiresAttributes, compatibilities, registeredAt, registeredBy; tags go into it',
  },
};

export const jobDefinitions: Definitions = {
  noun: 'job definition',
  service: 'batch',
  find: (name, io) => io.aws.batch.jobDefinition(name),
  revisions: (name, count, io) => io.aws.batch.revisions(name, count),
  register: (input, io) => io.aws.batch.register(input, waiting(io)),
  typed: {
    read: base => ['batch', 'describe-job-definitions', '--job-definitions', base],
    register: ['batch', 'register-job-definition', '--cli-input-json'],
    refused: 'jobDefinitionArn, revision, status, containerOrchestrationType',
  },
};
