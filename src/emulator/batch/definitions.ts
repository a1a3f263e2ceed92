import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {shortName} from '../naming.ts';

/** What RegisterJobDefinition takes; what is not named here is handed back as it came. */
export interface JobRegistration {
  readonly jobDefinitionName: string;
  readonly type: string;
  readonly containerProperties?: ContainerProperties | undefined;
  readonly [field: string]: unknown;
}

export interface ContainerProperties {
  readonly image: string;
  readonly [field: string]: unknown;
}

export interface JobDefinition {
  readonly name: string;
  readonly revision: number;
  readonly arn: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly declared: JobRegistration;
}

/** What Batch writes into container properties that do not say otherwise. */
const CONTAINER_DEFAULTS = {
  command: [],
  volumes: [],
  environment: [],
  mountPoints: [],
  ulimits: [],
  resourceRequirements: [],
  secrets: [],
};

/** Registers another revision, always: the same input twice makes two. */
export function registerJobDefinition(account: Account, registration: JobRegistration): JobDefinition {
  const {jobDefinitionName: name, containerProperties} = registration;
  const revisions = account.jobDefinitions.get(name) ?? [];
  const revision = revisions.length + 1;
  const definition: JobDefinition = {
    name,
    revision,
    arn: arnIn(account, 'batch', `job-definition/${name}:${revision}`),
    status: 'ACTIVE',
    declared: {
      tags: {},
      parameters: {},
      containerOrchestrationType: 'ECS',
      ...registration,
      ...(containerProperties && {containerProperties: {...CONTAINER_DEFAULTS, ...containerProperties}}),
    },
  };
  account.jobDefinitions.set(name, [...revisions, definition]);
  return definition;
}

/** All revisions that a name, `name:revision` or ARN means. */
export function jobDefinitionsNamed({jobDefinitions}: Account, nameOrArn: string): readonly JobDefinition[] {
  const [name = '', revision] = shortName(nameOrArn).split(':');
  return (jobDefinitions.get(name) ?? []).filter(
    definition => revision === undefined || definition.revision === Number(revision),
  );
}

/** What a job would be made from: without a revision the latest ACTIVE one. */
export function usableJobDefinition(account: Account, nameOrArn: string): JobDefinition {
  const definition = jobDefinitionsNamed(account, nameOrArn).findLast(({status}) => status === 'ACTIVE');
  if (definition === undefined)
    throw new AwsError('ClientException', `JobDefinition ${nameOrArn} does not exist or is not active.`);
  return definition;
}

/** Makes a revision INACTIVE. Jobs that were submitted with it go on. */
export function deregisterJobDefinition(account: Account, nameOrArn: string): void {
  const {name, revision} = usableJobDefinition(account, nameOrArn);
  const changed = (account.jobDefinitions.get(name) ?? []).map((definition): JobDefinition =>
    definition.revision === revision ? {...definition, status: 'INACTIVE'} : definition,
  );
  account.jobDefinitions.set(name, changed);
}
