import {isDeepStrictEqual} from 'node:util';
import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {shortName} from '../naming.ts';
import {behave, type CircuitBreaker} from '../scenarios.ts';
import {clusterNamed} from './clusters.ts';
import {deploy, newService, scale, type Circumstances, type Target} from './deploying.ts';
import {resolveImages} from './images.ts';
import type {DeploymentConfiguration, ServiceState} from './model.ts';
import {advance, change} from './rollout.ts';
import {revisionOf} from './state.ts';
import {taskDefinitionNamed, usableTaskDefinition} from './task-definitions.ts';

/** Services by name: each look brings a service up to now, each change is made now. */

const DEFAULT_CONFIGURATION: DeploymentConfiguration = {
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  deploymentCircuitBreaker: {enable: false, rollback: false},
};

interface ConfigurationInput {
  readonly minimumHealthyPercent?: number | undefined;
  readonly maximumPercent?: number | undefined;
  readonly deploymentCircuitBreaker?: CircuitBreaker | undefined;
}

export interface ServiceInput {
  readonly cluster: string;
  readonly serviceName: string;
  readonly taskDefinition: string;
  readonly desiredCount: number;
  readonly configuration?: ConfigurationInput | undefined;
  readonly declared?: Readonly<Record<string, unknown>> | undefined;
}

/** Creates a service, and with it its first deployment. */
export const createService = (account: Account, input: ServiceInput): ServiceState =>
  keep(account, draft(account, input, circumstances(account, input.serviceName)));

/** A day: longer than any rollout takes, at any speed. */
const LONG_AGO = 24 * 60 * 60 * 1000;

/** Puts a service there that was created a day ago and has been steady since, whatever the scenario. */
export const seedService = (account: Account, input: ServiceInput): ServiceState => {
  const long = {at: account.clock.now() - LONG_AGO, second: account.clock.second, behaviour: behave()};
  return look(account, keep(account, draft(account, input, long)));
};

/** A new service, not kept yet. */
function draft(account: Account, input: ServiceInput, circumstances: Circumstances): ServiceState {
  const {name: clusterName} = clusterNamed(account, input.cluster);
  const arn = arnIn(account, 'ecs', `service/${clusterName}/${input.serviceName}`);
  if (account.services.has(arn)) throw new AwsError('InvalidParameterException', 'Creation of service was not idempotent.');
  return newService(
    {
      name: input.serviceName,
      arn,
      clusterName,
      seed: account.seed,
      desiredCount: input.desiredCount,
      configuration: configure(DEFAULT_CONFIGURATION, input.configuration),
      declared: input.declared ?? {},
      target: targetOf(account, input.taskDefinition),
    },
    circumstances,
  );
}

export interface ServiceChange {
  readonly taskDefinition?: string | undefined;
  readonly forceNewDeployment?: boolean | undefined;
  readonly desiredCount?: number | undefined;
  readonly configuration?: ConfigurationInput | undefined;
  readonly declared?: Readonly<Record<string, unknown>> | undefined;
}

/** What starts a deployment when it is changed; the API reference says of each "This parameter triggers a new service deployment". */
const DEPLOYED_ATTRIBUTES = [
  'networkConfiguration',
  'platformVersion',
  'loadBalancers',
  'serviceRegistries',
  'serviceConnectConfiguration',
  'volumeConfigurations',
];

/** UpdateService: sets what is given, and deploys if something that tasks are made from has changed or if it is told to. */
export function updateService(account: Account, service: ServiceState, update: ServiceChange): ServiceState {
  const presentDefinition = revisionOf(service, service.primary.revisionId).taskDefinition;
  const target = targetOf(account, update.taskDefinition ?? presentDefinition, update.taskDefinition !== undefined);
  const declared = {...service.declared, ...update.declared};
  const deploys =
    update.forceNewDeployment === true ||
    target.taskDefinition !== presentDefinition ||
    DEPLOYED_ATTRIBUTES.some(name => !isDeepStrictEqual(declared[name], service.declared[name]));

  const circumstance = circumstances(account, service.name);
  return keep(
    account,
    change(service, circumstance.at, state => {
      const changed = {
        ...scale(state, update.desiredCount ?? state.desiredCount),
        declared,
        configuration: configure(state.configuration, update.configuration),
      };
      return deploys ? deploy(changed, target, circumstance) : changed;
    }),
  );
}

export const serviceArn = (account: Account, cluster: string, nameOrArn: string): string =>
  arnIn(account, 'ecs', `service/${clusterNamed(account, cluster).name}/${shortName(nameOrArn)}`);

/** A service as it is now, or undefined. */
export function findService(account: Account, cluster: string, nameOrArn: string): ServiceState | undefined {
  const service = account.services.get(serviceArn(account, cluster, nameOrArn));
  return service && look(account, service);
}

export function serviceNamed(account: Account, cluster: string, nameOrArn: string): ServiceState {
  const service = findService(account, cluster, nameOrArn);
  if (service === undefined) throw new AwsError('ServiceNotFoundException', 'Service not found.');
  return service;
}

/** All services as they are now. */
export const allServices = (account: Account): readonly ServiceState[] =>
  [...account.services.values()].map(service => look(account, service));

/** Brings a service up to now. */
const look = (account: Account, service: ServiceState): ServiceState => keep(account, advance(service, account.clock.now()));

export function keep(account: Account, service: ServiceState): ServiceState {
  account.services.set(service.arn, service);
  return service;
}

const circumstances = (account: Account, serviceName: string): Circumstances => ({
  at: account.clock.now(),
  second: account.clock.second,
  behaviour: account.behaviours.get(serviceName) ?? account.behaviour,
});

/** @param usable a service may go on with an INACTIVE task definition, but not move to one */
function targetOf(account: Account, taskDefinition: string, usable = true): Target {
  const definition = usable ? usableTaskDefinition(account, taskDefinition) : taskDefinitionNamed(account, taskDefinition);
  return {taskDefinition: definition.arn, images: resolveImages(account, definition)};
}

const configure = (present: DeploymentConfiguration, input: ConfigurationInput = {}): DeploymentConfiguration => ({
  minimumHealthyPercent: input.minimumHealthyPercent ?? present.minimumHealthyPercent,
  maximumPercent: input.maximumPercent ?? present.maximumPercent,
  deploymentCircuitBreaker: input.deploymentCircuitBreaker ?? present.deploymentCircuitBreaker,
});
