/**
 * What AWS has to allow, by what a config file names: the one table that preflight asks by, and that a policy can be made from.
 * Resources and condition keys: https://docs.aws.amazon.com/service-authorization/latest/reference/
 */

/** What an action is about. Its ARNs are known where a component is looked at; `any`: actions that know no resources. */
export type Subject =
  | 'any'
  | 'service'
  | 'service deployment'
  | 'service revision'
  | 'task'
  | 'container instance'
  | 'task definition'
  | 'job definition'
  | 'job queue'
  | 'rule'
  | 'schedule'
  | 'state machine'
  | 'topic'
  | 'key'
  | 'repository'
  | 'log stream'
  | 'role'
  /** A run of a new revision that must succeed before anything else starts it. */
  | 'smoke run'
  | 'smoke runs'
  | 'store';

export interface Permission {
  readonly action: string;
  readonly on: Subject;
  /**
   * `look`: used before anything is changed, where a denial shows by itself. `act`: to change something, or to prove it
   * afterwards. `help`: only the words of a failure are poorer without it.
   */
  readonly need: 'look' | 'act' | 'help';
}

const look = (action: string, on: Subject = 'any'): Permission => ({action, on, need: 'look'});
const act = (action: string, on: Subject): Permission => ({action, on, need: 'act'});
const help = (action: string, on: Subject): Permission => ({action, on, need: 'help'});

/** What every component on AWS needs. */
const common = [look('sts:GetCallerIdentity'), help('iam:SimulatePrincipalPolicy', 'role'), help('iam:GetRole', 'role')];
const images = [look('ecr:DescribeImages', 'repository'), help('ecr:BatchGetImage', 'repository')];
const taskDefinitions = [
  look('ecs:DescribeTaskDefinition'),
  look('ecs:ListTaskDefinitions'),
  act('ecs:RegisterTaskDefinition', 'task definition'),
  // Asked for only where the account has turned tagging authorization on.
  help('ecs:TagResource', 'task definition'),
  act('iam:PassRole', 'role'),
];
const tasks = [
  act('ecs:ListTasks', 'container instance'),
  act('ecs:DescribeTasks', 'task'),
  help('logs:GetLogEvents', 'log stream'),
];
/** What starts loaders, and a run that proves a new revision. */
const targets = [
  look('events:ListEventBuses'),
  look('events:ListRules'),
  look('events:DescribeRule', 'rule'),
  look('events:ListTargetsByRule', 'rule'),
  act('events:PutTargets', 'rule'),
  look('scheduler:ListSchedules'),
  look('scheduler:GetSchedule', 'schedule'),
  act('scheduler:UpdateSchedule', 'schedule'),
  look('states:ListStateMachines'),
  look('states:DescribeStateMachine', 'state machine'),
  act('states:UpdateStateMachine', 'state machine'),
];

/** By kind of component; and what copying images and keeping records take. */
export const permissions = {
  'ecs-service': [
    ...common,
    ...images,
    ...taskDefinitions,
    ...tasks,
    look('ecs:DescribeClusters'),
    look('ecs:DescribeServices', 'service'),
    act('ecs:UpdateService', 'service'),
    help('ecs:ListServiceDeployments', 'service'),
    help('ecs:DescribeServiceDeployments', 'service deployment'),
    help('ecs:DescribeServiceRevisions', 'service revision'),
    help('ecs:StopServiceDeployment', 'service deployment'),
    help('elasticloadbalancing:DescribeTargetHealth', 'any'),
  ],
  'ecs-scheduled-task': [...common, ...images, ...taskDefinitions, ...tasks, ...targets, act('ecs:RunTask', 'smoke run')],
  'batch-job-definition': [
    ...common,
    ...images,
    ...targets,
    look('batch:DescribeJobDefinitions'),
    act('batch:RegisterJobDefinition', 'job definition'),
    act('iam:PassRole', 'role'),
    act('batch:SubmitJob', 'smoke run'),
    act('batch:ListJobs', 'smoke runs'),
    act('batch:DescribeJobs', 'smoke runs'),
    help('logs:GetLogEvents', 'log stream'),
  ],
  'sns-trigger': [
    ...common,
    ...images,
    look('sns:GetTopicAttributes', 'topic'),
    act('sns:Publish', 'topic'),
    act('kms:GenerateDataKey', 'key'),
    act('kms:Decrypt', 'key'),
  ],
  copyFrom: [
    look('ecr:DescribeRepositories', 'repository'),
    act('ecr:GetAuthorizationToken', 'any'),
    act('ecr:BatchCheckLayerAvailability', 'repository'),
    act('ecr:InitiateLayerUpload', 'repository'),
    act('ecr:UploadLayerPart', 'repository'),
    act('ecr:CompleteLayerUpload', 'repository'),
    act('ecr:PutImage', 'repository'),
    // For what a registry is asked with HEAD.
    act('ecr:BatchGetImage', 'repository'),
  ],
  /** What `init` offers to choose from; whoever may not look is asked for names instead. */
  init: [look('ecs:ListClusters'), look('ecs:ListServices'), look('sns:ListTopics')],
  store: [act('s3:GetObject', 'store'), act('s3:ListBucket', 'store'), act('s3:PutObject', 'store')],
} as const satisfies Readonly<Record<string, readonly Permission[]>>;

/** What needs permissions of its own. */
export type Work = keyof typeof permissions;
