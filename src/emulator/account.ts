import type {Clock} from './clock.ts';
import type {Cluster, ServiceState, TaskDefinition} from './ecs/model.ts';
import type {Repository} from './ecr/repository.ts';
import type {EventBus} from './eventbridge/rules.ts';
import type {Behaviour} from './scenarios.ts';
import type {PublishedMessage, Topic} from './sns/topics.ts';
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

  readonly repositories: Map<string, Repository>;
  readonly topics: Map<string, Topic>;
  readonly published: PublishedMessage[];
  readonly buses: Map<string, EventBus>;
  /** Targets that PutTargets fails for, by id. */
  readonly refusedTargets: Set<string>;

  readonly clusters: Map<string, Cluster>;
  /** By family; index = revision - 1, for revisions never go away here. */
  readonly taskDefinitions: Map<string, TaskDefinition[]>;
  /** By ARN. Each is as of the last look: `ecs/services.ts` brings it up to now. */
  readonly services: Map<string, ServiceState>;
  /** How deployments go that start from now on: all of them, and those of services (by name) that have a way of their own. */
  readonly behaviour: Behaviour;
  readonly serviceBehaviours: Map<string, Behaviour>;
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
    repositories: new Map(),
    topics: new Map(),
    published: [],
    buses: new Map([['default', new Map()]]),
    refusedTargets: new Set(),
    clusters: new Map(),
    taskDefinitions: new Map(),
    services: new Map(),
    behaviour,
    serviceBehaviours: new Map(),
  };
}

/** `arn:aws:service:region:account:resource` for something in this account. */
export const arnIn = ({region, id}: Pick<Account, 'region' | 'id'>, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${id}:${resource}`;
