import {
  DescribeServiceDeploymentsCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  type DesiredStatus,
  ListServiceDeploymentsCommand,
  ListTasksCommand,
  type Service,
  type ServiceDeployment,
  type Task,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type {EmulatorOptions, SeededService} from '../../src/emulator/index.ts';
import {image, type Story, story} from './story.ts';

export interface RolloutStory extends Story {
  /** Registers a task definition for a tag and deploys it. */
  readonly deploy: (tag: string) => Promise<void>;
  readonly service: () => Promise<Service>;
  readonly serviceDeployment: () => Promise<ServiceDeployment>;
  readonly tasks: (desiredStatus?: DesiredStatus) => Promise<Task[]>;
}

/** The service `web` of three tasks, which has run version 1.0.0 since yesterday. */
export async function runningService(
  options: Omit<EmulatorOptions, 'now'> = {},
  service: Partial<SeededService> = {},
): Promise<RolloutStory> {
  const told = await story(options);
  const {world, ecs} = told;
  const register = (tag: string) =>
    world.registerTaskDefinition({
      family: 'web',
      containerDefinitions: [
        {
          name: 'app',
          image: image('web', tag),
          logConfiguration: {logDriver: 'awslogs', options: {'awslogs-group': '/ecs/web', 'awslogs-stream-prefix': 'ecs'}},
        },
      ],
    });
  world.putImage('web', '1.0.0');
  world.createService({cluster: 'main', service: 'web', taskDefinition: register('1.0.0'), desiredCount: 3, ...service});

  return {
    ...told,
    async deploy(tag) {
      await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', taskDefinition: register(tag)}));
    },
    async service() {
      const {services = []} = await ecs.send(new DescribeServicesCommand({cluster: 'main', services: ['web']}));
      return the(services[0]);
    },
    async serviceDeployment() {
      const {serviceDeployments: [latest] = []} = await ecs.send(
        new ListServiceDeploymentsCommand({cluster: 'main', service: 'web'}),
      );
      const serviceDeploymentArns = [the(the(latest).serviceDeploymentArn)];
      const {serviceDeployments = []} = await ecs.send(new DescribeServiceDeploymentsCommand({serviceDeploymentArns}));
      return the(serviceDeployments[0]);
    },
    async tasks(desiredStatus) {
      const {taskArns = []} = await ecs.send(new ListTasksCommand({cluster: 'main', serviceName: 'web', desiredStatus}));
      if (taskArns.length === 0) return [];
      const {tasks = []} = await ecs.send(new DescribeTasksCommand({cluster: 'main', tasks: taskArns}));
      return tasks;
    },
  };
}

/** The thing itself, or the test is over. */
export function the<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('there is no such thing');
  return thing;
}

/** What a deployment table shows: status, revision, state, and running of desired. */
export const rows = ({deployments = []}: Service): string[] =>
  deployments.map(({status, taskDefinition, rolloutState, runningCount, desiredCount}) =>
    [status, the(taskDefinition).split('/')[1], rolloutState, `${runningCount}/${desiredCount}`].join(' '),
  );
