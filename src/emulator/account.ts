import type {Clock} from './clock.ts';
import type {JobDefinition} from './batch/definitions.ts';
import type {Job} from './batch/jobs.ts';
import type {Cluster, ServiceState, TaskDefinition} from './ecs/model.ts';
import type {PlacedTask} from './ecs/placed.ts';
import type {Repository} from './ecr/repository.ts';
import type {TargetGroup} from './elb/target-groups.ts';
import type {EventBus} from './eventbridge/rules.ts';
import type {Denial} from './iam/permissions.ts';
import type {LogLine} from './logs/streams.ts';
import type {Schedule} from './scheduler/schedules.ts';
import type {Behaviour} from './scenarios.ts';
import type {PublishedMessage, Topic} from './sns/topics.ts';
import type {StateMachine} from './stepfunctions/machines.ts';
import {hexId} from './naming.ts';

/** Everything that there is in the account. The services' modules act on it; the server and the `World` only pass it on. */
export interface Account {
  readonly id: string;
  readonly region: string;
  readonly clock: Clock;
  /** What identifiers are derived from, together with `serial`. */
  readonly seed: string;
  /** Another number each time. */
  serial(): number;
  credentialsExpired: boolean;
  readonly denials: Denial[];

  readonly repositories: Map<string, Repository>;
  /** Where images are pushed to: this endpoint, once it listens. */
  registryHost: string | undefined;
  readonly topics: Map<string, Topic>;
  readonly published: PublishedMessage[];
  readonly buses: Map<string, EventBus>;
  /** Targets that PutTargets fails for, by id. */
  readonly refusedTargets: Set<string>;
  readonly scheduleGroups: Set<string>;
  /** By `group/name`. */
  readonly schedules: Map<string, Schedule>;
  /** By ARN. */
  readonly stateMachines: Map<string, StateMachine>;
  /** By name; index = revision - 1. */
  readonly jobDefinitions: Map<string, JobDefinition[]>;
  /** By id. */
  readonly jobs: Map<string, Job>;
  /** By ARN. */
  readonly targetGroups: Map<string, TargetGroup>;
  /** By group, then by stream: what was written from outside. What containers write is looked up in their tasks. */
  readonly logGroups: Map<string, Map<string, LogLine[]>>;

  readonly clusters: Map<string, Cluster>;
  /** By family; index = revision - 1, for revisions never go away here. */
  readonly taskDefinitions: Map<string, TaskDefinition[]>;
  /** By ARN. Each is as of the last look: `ecs/services.ts` brings it up to now. */
  readonly services: Map<string, ServiceState>;
  /** Single tasks, and which of them a client token started. */
  readonly runs: PlacedTask[];
  readonly runTokens: Map<string, readonly PlacedTask[]>;
  /**
   * How deployments and runs go that start from now on: all of them, and those of services, families and job definitions
   * (by name) that have a way of their own.
   */
  readonly behaviour: Behaviour;
  readonly behaviours: Map<string, Behaviour>;
}

export interface AccountOptions {
  readonly id: string;
  readonly region: string;
  readonly clock: Clock;
  readonly behaviour: Behaviour;
}

export function createAccount({id, region, clock, behaviour}: AccountOptions): Account {
  let serial = 0;
  return {
    id,
    region,
    clock,
    seed: hexId(id, region, clock.now()),
    serial: () => ++serial,
    credentialsExpired: false,
    denials: [],
    repositories: new Map(),
    registryHost: undefined,
    topics: new Map(),
    published: [],
    buses: new Map([['default', new Map()]]),
    refusedTargets: new Set(),
    scheduleGroups: new Set(['default']),
    schedules: new Map(),
    stateMachines: new Map(),
    jobDefinitions: new Map(),
    jobs: new Map(),
    targetGroups: new Map(),
    logGroups: new Map(),
    clusters: new Map(),
    taskDefinitions: new Map(),
    services: new Map(),
    runs: [],
    runTokens: new Map(),
    behaviour,
    behaviours: new Map(),
  };
}

/** `arn:aws:service:region:account:resource` for something in this account. */
export const arnIn = ({region, id}: Pick<Account, 'region' | 'id'>, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${id}:${resource}`;
