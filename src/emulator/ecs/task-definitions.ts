import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {shortName} from '../naming.ts';
import type {ContainerDefinition, Tag, TaskDefinition} from './model.ts';

export interface Registration {
  readonly family: string;
  readonly containerDefinitions: readonly ContainerDefinition[];
  readonly tags?: readonly Tag[] | undefined;
  readonly [field: string]: unknown;
}

/** What AWS writes into every container definition that does not say otherwise. */
const CONTAINER_DEFAULTS = {
  cpu: 0,
  portMappings: [],
  essential: true,
  environment: [],
  mountPoints: [],
  volumesFrom: [],
  systemControls: [],
};

/** The same for the task definition as a whole. */
const DEFAULTS = {volumes: [], placementConstraints: []};

/** Registers another revision, always: the same input twice makes two. */
export function registerTaskDefinition(account: Account, registration: Registration): TaskDefinition {
  const {family, containerDefinitions, tags, ...declared} = registration;
  checkTags(tags);
  const revisions = account.taskDefinitions.get(family) ?? [];
  const revision = revisions.length + 1;
  const definition: TaskDefinition = {
    arn: arnIn(account, 'ecs', `task-definition/${family}:${revision}`),
    family,
    revision,
    status: 'ACTIVE',
    containers: containerDefinitions.map(container => ({...CONTAINER_DEFAULTS, ...container})),
    declared: {...DEFAULTS, ...declared},
    tags: tags ?? [],
    registeredAt: account.clock.now(),
    deregisteredAt: undefined,
  };
  account.taskDefinitions.set(family, [...revisions, definition]);
  return definition;
}

/** What RegisterTaskDefinition refuses about tags. An absent list is fine, an empty one is not. */
const TAG_RULES: readonly (readonly [broken: (tags: readonly Tag[]) => boolean, message: string])[] = [
  [tags => tags.length === 0, 'Tags can not be empty.'],
  [tags => tags.length > 50, 'Tags can not exceed 50.'],
  [
    tags => tags.some(({key, value = ''}) => key.length === 0 || key.length > 128 || value.length > 256),
    'Tag keys and values must have at most 128 and 256 characters.',
  ],
  [
    tags => tags.some(({key, value = ''}) => /^aws:/i.test(key) || /^aws:/i.test(value)),
    'Tag keys and values can not start with aws:.',
  ],
  [tags => new Set(tags.map(({key}) => key)).size < tags.length, 'Tag keys must be unique.'],
];

function checkTags(tags: readonly Tag[] | undefined): void {
  const broken = tags && TAG_RULES.find(([isBroken]) => isBroken(tags));
  if (broken) throw new AwsError('InvalidParameterException', broken[1]);
}

/**
 * The task definition of `family` (its latest ACTIVE revision), `family:revision` or an ARN.
 * @param missing what the caller's action answers when there is none: each has its own words
 */
export function taskDefinitionNamed(account: Account, nameOrArn: string, missing = 'TaskDefinition not found.'): TaskDefinition {
  const [family = '', revision] = shortName(nameOrArn).split(':');
  const revisions = account.taskDefinitions.get(family) ?? [];
  const found = revision === undefined ? revisions.findLast(({status}) => status === 'ACTIVE') : revisions[Number(revision) - 1];
  if (found === undefined) throw new AwsError('ClientException', missing);
  return found;
}

/** The same for something that is to start tasks from it: an INACTIVE one cannot. */
export function usableTaskDefinition(account: Account, nameOrArn: string): TaskDefinition {
  const definition = taskDefinitionNamed(account, nameOrArn);
  if (definition.status === 'INACTIVE') throw new AwsError('ClientException', 'TaskDefinition is inactive');
  return definition;
}

/** Makes a revision INACTIVE. What runs from it goes on running. */
export function deregisterTaskDefinition(account: Account, nameOrArn: string): TaskDefinition {
  const {family, revision} = taskDefinitionNamed(account, nameOrArn, 'The specified task definition does not exist.');
  const revisions = account.taskDefinitions.get(family) ?? [];
  const deregister = (definition: TaskDefinition): TaskDefinition => ({
    ...definition,
    status: 'INACTIVE',
    deregisteredAt: account.clock.now(),
  });
  const changed = revisions.map(definition => (definition.revision === revision ? deregister(definition) : definition));
  account.taskDefinitions.set(family, changed);
  return taskDefinitionNamed(account, `${family}:${revision}`);
}
