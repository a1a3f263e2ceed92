import type {Account} from './account.ts';
import {type JobRegistration, registerJobDefinition} from './batch/definitions.ts';
import {createRepository, findImage, manifestFor, putImage, repositoryNamed, type TagMutability} from './ecr/repository.ts';
import {createCluster} from './ecs/clusters.ts';
import {seedService, serviceNamed, updateService} from './ecs/services.ts';
import {type Registration, registerTaskDefinition, taskDefinitionNamed} from './ecs/task-definitions.ts';
import {DEFAULT_BUS, putRule, putTargets, ruleNamed, type RuleSettings, type Target} from './eventbridge/rules.ts';
import {createTargetGroup, targetGroupAt} from './elb/target-groups.ts';
import type {Fault, Faults} from './faults.ts';
import {createSchedule, DEFAULT_GROUP, type ScheduleSettings} from './scheduler/schedules.ts';
import {behave, type CircuitBreaker, type Scenario} from './scenarios.ts';
import type {LogLine} from './logs/streams.ts';
import {digestOf} from './naming.ts';
import {createTopic, type Listener, type PublishedMessage, topicAt} from './sns/topics.ts';
import {createStateMachine, type NewMachine} from './stepfunctions/machines.ts';

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

  /** Archives the image that a tag names: it is listed, but cannot be pulled. */
  archiveImage(repository: string, tag: string): void;

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

  /** A schedule of EventBridge Scheduler; its group too, if there is none of that name. Gives its ARN. */
  createSchedule(schedule: ScheduleSettings & {readonly name: string; readonly group?: string}): string;
  /** Gives the ARN of the new revision. */
  registerJobDefinition(registration: JobRegistration): string;
  /** Gives its ARN. */
  createStateMachine(machine: NewMachine): string;
  /** A target group that services can be behind (`SeededService.targetGroup`). Gives its ARN. */
  createTargetGroup(group: {readonly name: string; readonly port?: number}): string;
  /** Writes lines to a log as of now; the group and the stream come into being with it. */
  writeLog(log: {readonly group: string; readonly stream: string}, lines: readonly string[]): void;

  createTopic(topic: {readonly name: string; readonly attributes?: Readonly<Record<string, string>>}): string;
  /** Calls a listener with each message, before the publisher has its answer. Gives a function that ends it. */
  onPublish(topicArn: string, listener: Listener): () => void;
  readonly published: readonly PublishedMessage[];

  /**
   * How the next deployments of a service go, or runs of a family or job definition, instead of as the scenario of all says.
   * Of several scenarios the later ones win.
   */
  scenarioFor(name: string, ...scenarios: readonly Scenario[]): void;
  /** Makes the next calls fail. */
  fail(fault: Fault): void;
  /**
   * Takes a permission away (`ecs:UpdateService`, `logs:*`): calls answer that access is denied, and the simulation of policies
   * says so. On some resources only (an ARN, `*` stands for any text), as with `iam:PassRole`, the simulation alone says so.
   */
  deny(action: string, resource?: string): void;
  expireCredentials(): void;
  renewCredentials(): void;
}

export interface SeededService {
  readonly cluster: string;
  readonly service: string;
  readonly taskDefinition: string;
  readonly desiredCount: number;
  readonly circuitBreaker?: CircuitBreaker;
  /** The ARN of the target group that it is behind; its first container is what answers there. */
  readonly targetGroup?: string;
}

export const createWorld = (account: Account, faults: Faults): World => ({
  createRepository: (name, {tagMutability} = {}) => createRepository(account, name, tagMutability),

  putImage(name, tag, content = '') {
    const repository = account.repositories.get(name) ?? createRepository(account, name);
    const manifest = manifestFor(`${name}:${tag} ${content}`);
    const present = findImage(repository, {imageTag: tag, imageDigest: digestOf(manifest)});
    return (present ?? putImage(account, repository, {manifest, tag})).digest;
  },

  archiveImage(name, tag) {
    const repository = repositoryNamed(account, name);
    const image = findImage(repository, {imageTag: tag});
    if (image === undefined) throw new Error(`there is no ${name}:${tag} to archive`);
    repository.images.set(image.digest, {...image, status: 'ARCHIVED'});
  },

  createCluster: name => createCluster(account, name).arn,
  registerTaskDefinition: registration => registerTaskDefinition(account, registration).arn,
  createService({service: serviceName, circuitBreaker, targetGroup, ...service}) {
    createCluster(account, service.cluster);
    return seedService(account, {
      ...service,
      serviceName,
      configuration: {deploymentCircuitBreaker: circuitBreaker},
      declared: targetGroup === undefined ? {} : {loadBalancers: [behind(account, service.taskDefinition, targetGroup)]},
    }).arn;
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

  createSchedule({name, group = DEFAULT_GROUP, ...settings}) {
    account.scheduleGroups.add(group);
    return createSchedule(account, group, name, settings).arn;
  },
  registerJobDefinition: registration => registerJobDefinition(account, registration).arn,
  createStateMachine: machine => createStateMachine(account, machine).arn,
  createTargetGroup: ({name, port = 80}) => createTargetGroup(account, name, port).arn,
  writeLog({group, stream}, lines) {
    const streams = account.logGroups.get(group) ?? new Map<string, LogLine[]>();
    const at = account.clock.now();
    account.logGroups.set(group, streams.set(stream, [...(streams.get(stream) ?? []), ...lines.map(message => ({at, message}))]));
  },

  createTopic: ({name, attributes}) => createTopic(account, name, attributes).arn,
  onPublish(topicArn, listener) {
    const {listeners} = topicAt(account, topicArn);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
  published: account.published,

  scenarioFor: (name, ...scenarios) => void account.behaviours.set(name, behave(...scenarios)),
  fail: fault => faults.add(fault),
  deny: (action, resource = '*') => void account.denials.push({action, resource}),
  expireCredentials() {
    account.credentialsExpired = true;
  },
  renewCredentials() {
    account.credentialsExpired = false;
  },
});

/** How a service says that its first container is behind a target group. */
function behind(account: Account, taskDefinition: string, targetGroup: string) {
  const {port: containerPort} = targetGroupAt(account, targetGroup);
  const [container] = taskDefinitionNamed(account, taskDefinition).containers;
  return {targetGroupArn: targetGroup, containerName: container?.name, containerPort};
}
