/** What PASS's account holds before the release: images, services, and loaders with everything that starts them. */
import type {World} from '../../emulator/index.ts';

export const account = '333333333333';
export const region = 'us-east-1';
export const before = '1.13.2';
export const released = '1.14.0';
/** What the wizard may be asked for: each has its images. */
const offered = ['1.13.3', released, '2.0.0'];

/** Name of the component, its container and its image. */
export const services = [
  {id: 'deposit-services', container: 'deposit-services-core', image: 'deposit-services-core', tasks: 2},
  {id: 'notification-services', container: 'notification', image: 'pass-notification-service', tasks: 1},
] as const;

const loaders = ['jhu-grant-loader', 'pass-journal-loader', 'pass-nihms-loader'] as const;

const arn = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`;
const role = (name: string): string => `arn:aws:iam::${account}:role/${name}`;
const queue = arn('batch', 'job-queue/loaders');

/** Fills the account, and gives the ARN of the topic that makes the core application redeploy. */
export function furnish(world: World): string {
  for (const image of ['pass-core', 'pass-ui', ...services.map(one => one.image), ...loaders]) {
    for (const tag of [before, ...offered]) world.putImage(image, tag);
  }
  for (const {id, container, image, tasks} of services) {
    world.createService({
      cluster: 'pass',
      service: id,
      taskDefinition: registerTask(world, id, container, image),
      desiredCount: tasks,
      circuitBreaker: {enable: true, rollback: true},
    });
  }
  scheduleJournals(world);
  orchestrateGrants(world);
  scheduleNihms(world);
  return world.createTopic({name: 'pass-deploy'});
}

/** EventBridge Scheduler starts an ECS task. */
function scheduleJournals(world: World): void {
  const taskDefinition = registerTask(world, 'pass-journal-loader', 'loader', 'pass-journal-loader');
  world.createSchedule({
    name: 'journal',
    ScheduleExpression: 'cron(0 2 * * ? *)',
    ScheduleExpressionTimezone: 'America/New_York',
    FlexibleTimeWindow: {Mode: 'OFF'},
    Target: {
      Arn: arn('ecs', 'cluster/pass'),
      RoleArn: role('pass-events'),
      EcsParameters: {
        TaskDefinitionArn: taskDefinition,
        TaskCount: 1,
        LaunchType: 'FARGATE',
        NetworkConfiguration: {awsvpcConfiguration: {Subnets: ['subnet-0a1b2c3d']}},
      },
    },
  });
}

/** A state machine submits a Batch job, and a rule starts the state machine. */
function orchestrateGrants(world: World): void {
  const JobDefinition = registerJob(world, 'jhu-grant-loader');
  const machine = world.createStateMachine({
    name: 'grant-load',
    roleArn: role('pass-states'),
    definition: JSON.stringify({
      StartAt: 'Load grants',
      States: {
        'Load grants': {
          Type: 'Task',
          Resource: 'arn:aws:states:::batch:submitJob.sync',
          Parameters: {JobName: 'grant-load', JobQueue: queue, JobDefinition},
          End: true,
        },
      },
    }),
  });
  world.createRule({name: 'grant-nightly', ScheduleExpression: 'cron(0 3 * * ? *)'});
  world.putTargets({name: 'grant-nightly'}, [{Id: 'load', Arn: machine, RoleArn: role('pass-events')}]);
}

/** A rule submits a Batch job by itself. */
function scheduleNihms(world: World): void {
  const JobDefinition = registerJob(world, 'pass-nihms-loader');
  world.createRule({name: 'nihms-weekly', ScheduleExpression: 'rate(7 days)'});
  world.putTargets({name: 'nihms-weekly'}, [
    {Id: 'load', Arn: queue, RoleArn: role('pass-events'), BatchParameters: {JobDefinition, JobName: 'nihms-load'}},
  ]);
}

const imageOf = (name: string): string => `${account}.dkr.ecr.${region}.amazonaws.com/${name}:${before}`;

function registerTask(world: World, family: string, name: string, image: string): string {
  return world.registerTaskDefinition({
    family,
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    cpu: '512',
    memory: '1024',
    executionRoleArn: role('pass-execution'),
    taskRoleArn: role('pass-task'),
    tags: [{key: 'project', value: 'pass'}],
    containerDefinitions: [
      {
        name,
        image: imageOf(image),
        essential: true,
        environment: [{name: 'PASS_CORE_URL', value: 'https://pass.example.edu'}],
        healthCheck: {command: ['CMD-SHELL', 'curl --fail http://localhost:8080/health']},
        logConfiguration: {
          logDriver: 'awslogs',
          options: {'awslogs-group': `/ecs/${family}`, 'awslogs-region': region, 'awslogs-stream-prefix': 'ecs'},
        },
      },
    ],
  });
}

const registerJob = (world: World, name: string): string =>
  world.registerJobDefinition({
    jobDefinitionName: name,
    type: 'container',
    platformCapabilities: ['FARGATE'],
    retryStrategy: {attempts: 1},
    timeout: {attemptDurationSeconds: 7200},
    tags: {project: 'pass'},
    containerProperties: {
      image: imageOf(name),
      executionRoleArn: role('pass-execution'),
      jobRoleArn: role('pass-task'),
      environment: [{name: 'PASS_CORE_URL', value: 'https://pass.example.edu'}],
      resourceRequirements: [
        {type: 'VCPU', value: '1'},
        {type: 'MEMORY', value: '2048'},
      ],
    },
  });
