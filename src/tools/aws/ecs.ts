/** Clusters, services, tasks and task definitions. */
import type {Deployment, Service, Task} from '@aws-sdk/client-ecs';
import {type Json, json} from '../../release/json.ts';
import {type AwsOptions, clientConfig, errorName, lazy, read, write} from './session.ts';
import {batched} from './batched.ts';

export type EcsService = Service;
export type EcsDeployment = Deployment;
export type EcsTask = Task;

/** One wish to deploy, from the call to its end, the way back included (facts/aws.md, "Service deployments"). */
export interface EcsServiceDeployment {
  /** `PENDING`, `IN_PROGRESS`, `SUCCESSFUL`, `STOPPED`, `ROLLBACK_…`; an open set. */
  readonly status: string;
  readonly reason: string | undefined;
  /** The revision that it set out for. */
  readonly taskDefinition: string;
}

/** A task definition as JSON, and the tags that stand beside it. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: string;
  /** What RegisterTaskDefinition accepts of it, tags included; nothing that only AWS may say. */
  readonly input: {readonly [key: string]: Json};
}

export interface Ecs {
  cluster(name: string): Promise<{readonly arn: string; readonly status: string} | undefined>;
  /** One service; calls of the same moment go out together, ten a call (DescribeServices' limit). */
  service(cluster: string, service: string): Promise<EcsService | undefined>;
  /** By ARN, `family:revision`, or family (its newest active revision); undefined when there is none. */
  taskDefinition(name: string): Promise<TaskDefinition | undefined>;
  /** Revisions of a family, newest first. */
  revisions(family: string, count: number): Promise<readonly string[]>;
  /** Makes a new revision, every time. Returns its ARN. */
  register(input: {readonly [key: string]: Json}, sleep: (ms: number) => Promise<void>): Promise<string>;
  updateService(cluster: string, service: string, taskDefinition: string, sleep: (ms: number) => Promise<void>): Promise<void>;
  /** The latest deployments of a service, newest first, at most 20: what a service itself forgets once they are over. */
  deployments(cluster: string, service: string): Promise<readonly EcsServiceDeployment[]>;
  /** The tasks of a service by what they are meant to be. Each says which deployment started it. */
  tasks(cluster: string, service: string, desired: 'RUNNING' | 'STOPPED'): Promise<readonly EcsTask[]>;
}

/** In a task definition but refused by RegisterTaskDefinition (facts/aws.md, computed from the SDK's types). */
const readOnly = new Set([
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'deregisteredAt',
  'deleteRequestedAt',
  'registeredBy',
]);

export function createEcs(options: AwsOptions): Ecs {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-ecs');
    return {
      ...module,
      reader: new module.ECSClient(clientConfig(options, 'ECS', 'read')),
      writer: new module.ECSClient(clientConfig(options, 'ECS', 'write')),
    };
  });

  const services = batched(10, (cluster: string, names: readonly string[]) =>
    read(options, 'ecs:DescribeServices', async () => {
      const {reader, DescribeServicesCommand} = await sdk();
      const {services: found = []} = await reader.send(new DescribeServicesCommand({cluster, services: [...names]}));
      // A deleted service comes back INACTIVE.
      const active = found.filter(({status}) => status !== 'INACTIVE');
      return names.map(name => active.find(({serviceName, serviceArn}) => serviceName === name || serviceArn === name));
    }),
  );

  return {
    cluster: name =>
      read(options, 'ecs:DescribeClusters', async () => {
        const {reader, DescribeClustersCommand} = await sdk();
        const {clusters} = await reader.send(new DescribeClustersCommand({clusters: [name]}));
        const cluster = clusters?.[0];
        return cluster?.clusterArn === undefined ? undefined : {arn: cluster.clusterArn, status: cluster.status ?? ''};
      }),
    service: (cluster, service) => services(cluster, service),
    taskDefinition: async name => {
      try {
        return await read(options, 'ecs:DescribeTaskDefinition', async () => {
          const {reader, DescribeTaskDefinitionCommand} = await sdk();
          const {taskDefinition, tags = []} = await reader.send(
            new DescribeTaskDefinitionCommand({taskDefinition: name, include: ['TAGS']}),
          );
          if (taskDefinition?.taskDefinitionArn === undefined) return undefined;
          const {taskDefinitionArn: arn, family = '', revision = 0, status = ''} = taskDefinition;
          const kept = Object.fromEntries(Object.entries(taskDefinition).filter(([key]) => !readOnly.has(key)));
          // An empty list of tags is refused.
          const input = asJson({...kept, ...(tags.length > 0 && {tags})});
          return {arn, family, revision, status, input};
        });
      } catch (error) {
        // There is no exception of its own for "no such task definition".
        if (errorName(error) === 'ClientException') return undefined;
        throw error;
      }
    },
    revisions: (family, count) =>
      read(options, 'ecs:ListTaskDefinitions', async () => {
        const {reader, ListTaskDefinitionsCommand} = await sdk();
        const page = await reader.send(new ListTaskDefinitionsCommand({familyPrefix: family, sort: 'DESC', maxResults: count}));
        return page.taskDefinitionArns ?? [];
      }),
    register: async (input, sleep) => {
      const {writer, RegisterTaskDefinitionCommand} = await sdk();
      type Input = ConstructorParameters<typeof RegisterTaskDefinitionCommand>[0];
      // It came from DescribeTaskDefinition, whose shape is this one but for the fields taken out above.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const command = new RegisterTaskDefinitionCommand(input as unknown as Input);
      const {taskDefinition} = await write(options, 'ecs:RegisterTaskDefinition', () => writer.send(command), sleep);
      return taskDefinition?.taskDefinitionArn ?? '';
    },
    updateService: async (cluster, service, taskDefinition, sleep) => {
      const {writer, UpdateServiceCommand} = await sdk();
      const command = new UpdateServiceCommand({cluster, service, taskDefinition});
      await write(options, 'ecs:UpdateService', () => writer.send(command), sleep);
    },
    deployments: (cluster, service) =>
      read(options, 'ecs:ListServiceDeployments', async () => {
        const {reader, ListServiceDeploymentsCommand, DescribeServiceRevisionsCommand} = await sdk();
        const {serviceDeployments = []} = await reader.send(new ListServiceDeploymentsCommand({cluster, service}));
        const newestFirst = serviceDeployments
          .toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0))
          .slice(0, 20);
        const serviceRevisionArns = [
          ...new Set(newestFirst.flatMap(({targetServiceRevisionArn}) => targetServiceRevisionArn ?? [])),
        ];
        if (serviceRevisionArns.length === 0) return [];
        const {serviceRevisions = []} = await reader.send(new DescribeServiceRevisionsCommand({serviceRevisionArns}));
        return newestFirst.flatMap(({status = '', statusReason, targetServiceRevisionArn}) => {
          const target = serviceRevisions.find(({serviceRevisionArn}) => serviceRevisionArn === targetServiceRevisionArn);
          return target?.taskDefinition === undefined
            ? []
            : [{status, reason: statusReason, taskDefinition: target.taskDefinition}];
        });
      }),
    tasks: (cluster, service, desired) =>
      read(options, 'ecs:DescribeTasks', async () => {
        const {reader, ListTasksCommand, DescribeTasksCommand} = await sdk();
        const tasks: EcsTask[] = [];
        let next: string | undefined;
        // A page holds as many as DescribeTasks takes: 100.
        do {
          const filter = {cluster, serviceName: service, desiredStatus: desired};
          const {taskArns = [], nextToken} = await reader.send(new ListTasksCommand({...filter, ...(next && {nextToken: next})}));
          if (taskArns.length > 0) {
            const page = await reader.send(new DescribeTasksCommand({cluster, tasks: taskArns}));
            tasks.push(...(page.tasks ?? []));
          }
          next = nextToken;
        } while (next !== undefined);
        return tasks;
      }),
  };
}

/** What the wire would carry: dates and undefined gone. */
function asJson(value: object): {readonly [key: string]: Json} {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  const parsed = json.parse(plain);
  return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)
    ? Object.fromEntries(Object.entries(parsed))
    : {};
}
