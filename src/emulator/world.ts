import type {Account} from './account.ts';
import {createRepository, findImage, manifestFor, putImage, type TagMutability} from './ecr/repository.ts';
import {createCluster} from './ecs/clusters.ts';
import {seedService, serviceNamed, updateService} from './ecs/services.ts';
import {type Registration, registerTaskDefinition} from './ecs/task-definitions.ts';
import {DEFAULT_BUS, putRule, putTargets, ruleNamed, type RuleSettings, type Target} from './eventbridge/rules.ts';
import type {Fault, Faults} from './faults.ts';
import {behave, type CircuitBreaker, type Scenario} from './scenarios.ts';
import {digestOf} from './naming.ts';
import {createTopic, type Listener, type PublishedMessage, topicAt} from './sns/topics.ts';

/** The account from the inside: to put things into it before the story begins, and to meddle with it while it goes on. */
export interface World {
  createRepository(
    name: string,
    options?: {readonly tagMutability?: TagMutability},
  ): {readonly arn: string; readonly uri: string};
  /**
   * Puts an image there (and its repository, if need be) and gives its digest.
   * The same repository, tag and content make the same image; other content moves the tag to another one.
   */
  putImage(repository: string, tag: string, content?: string): string;

  createCluster(name: string): string;
  /** Gives the ARN of the new revision. */
  registerTaskDefinition(registration: Registration): string;
  /**
   * A service that has been steady since yesterday, whatever the scenario (CreateService is the one that rolls out), and its
   * cluster, if need be. Gives the service's ARN.
   */
  createService(service: SeededService): string;
  /** UpdateService from within: how an application redeploys itself, or how somebody else gets in the way. */
  updateService(update: {
    readonly cluster: string;
    readonly service: string;
    readonly taskDefinition?: string;
    readonly desiredCount?: number;
    readonly forceNewDeployment?: boolean;
  }): void;

  /** Creates the bus too, if it is a named one. */
  createRule(rule: RuleSettings & {readonly name: string; readonly eventBus?: string}): string;
  putTargets(rule: {readonly name: string; readonly eventBus?: string}, targets: readonly Target[]): void;
  /** From now on PutTargets fails for this target, with HTTP 200, as when two people change a rule at once. */
  refuseTarget(id: string): void;

  createTopic(topic: {readonly name: string; readonly attributes?: Readonly<Record<string, string>>}): string;
  /** Calls a listener with each message, before the publisher has its answer. Gives a function that ends it. */
  onPublish(topicArn: string, listener: Listener): () => void;
  readonly published: readonly PublishedMessage[];

  /** How the next deployments of a service go, instead of as the scenario of all says. Of several scenarios the later ones win. */
  scenarioFor(service: string, ...scenarios: readonly Scenario[]): void;
  /** Makes the next calls fail. */
  fail(fault: Fault): void;
  expireCredentials(): void;
  renewCredentials(): void;
}

export interface SeededService {
  readonly cluster: string;
  readonly service: string;
  readonly taskDefinition: string;
  readonly desiredCount: number;
  readonly circuitBreaker?: CircuitBreaker;
}

export const createWorld = (account: Account, faults: Faults): World => ({
  createRepository: (name, {tagMutability} = {}) => createRepository(account, name, tagMutability),

  putImage(name, tag, content = '') {
    const repository = account.repositories.get(name) ?? createRepository(account, name);
    const manifest = manifestFor(`${name}:${tag} ${content}`);
    const present = findImage(repository, {imageTag: tag, imageDigest: digestOf(manifest)});
    return (present ?? putImage(account, repository, {manifest, tag})).digest;
  },

  createCluster: name => createCluster(account, name).arn,
  registerTaskDefinition: registration => registerTaskDefinition(account, registration).arn,
  createService({service: serviceName, circuitBreaker, ...service}) {
    createCluster(account, service.cluster);
    return seedService(account, {...service, serviceName, configuration: {deploymentCircuitBreaker: circuitBreaker}}).arn;
  },
  updateService({cluster, service, ...change}) {
    updateService(account, serviceNamed(account, cluster, service), change);
  },

  createRule({name, eventBus = DEFAULT_BUS, ...settings}) {
    if (!account.buses.has(eventBus)) account.buses.set(eventBus, new Map());
    return putRule(account, eventBus, name, settings).arn;
  },
  putTargets({name, eventBus = DEFAULT_BUS}, targets) {
    putTargets(account, ruleNamed(account, eventBus, name), targets);
  },
  refuseTarget: id => void account.refusedTargets.add(id),

  createTopic: ({name, attributes}) => createTopic(account, name, attributes).arn,
  onPublish(topicArn, listener) {
    const {listeners} = topicAt(account, topicArn);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
  published: account.published,

  scenarioFor: (service, ...scenarios) => void account.serviceBehaviours.set(service, behave(...scenarios)),
  fail: fault => faults.add(fault),
  expireCredentials() {
    account.credentialsExpired = true;
  },
  renewCredentials() {
    account.credentialsExpired = false;
  },
});
