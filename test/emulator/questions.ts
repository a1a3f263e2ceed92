import {
  DeregisterJobDefinitionCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobsCommand,
  RegisterJobDefinitionCommand,
  type RegisterJobDefinitionCommandInput,
} from '@aws-sdk/client-batch';
import {DescribeLogStreamsCommand, GetLogEventsCommand} from '@aws-sdk/client-cloudwatch-logs';
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  ListImagesCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DeregisterTaskDefinitionCommand,
  DescribeClustersCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListClustersCommand,
  ListServicesCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {DescribeTargetGroupsCommand, DescribeTargetHealthCommand} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  DescribeRuleCommand,
  ListEventBusesCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {GetRoleCommand} from '@aws-sdk/client-iam';
import {
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  GetScheduleCommand,
  ListSchedulesCommand,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import {
  CreateStateMachineCommand,
  DescribeStateMachineCommand,
  ListStateMachinesCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import {CreateTopicCommand, GetTopicAttributesCommand, ListTopicsCommand, PublishCommand} from '@aws-sdk/client-sns';
import {GetCallerIdentityCommand} from '@aws-sdk/client-sts';
import type {Clients} from './story.ts';

export const ACCOUNT = '123456789012';
export const LOG = {group: '/ecs/web', stream: 'ecs/app/0123456789abcdef'};
export const TARGET_GROUP = 'web';
/** The caller's, on the endpoint. */
export const ROLE = 'release-manager';

const arn = (service: string, resource: string): string => `arn:aws:${service}:us-east-1:${ACCOUNT}:${resource}`;
const role = `arn:aws:iam::${ACCOUNT}:role/starter`;

const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: {mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2},
  layers: [],
});

const schedule: CreateScheduleCommandInput = {
  Name: 'journal',
  ScheduleExpression: 'cron(0 2 * * ? *)',
  Description: 'Loads journals',
  FlexibleTimeWindow: {Mode: 'OFF'},
  Target: {
    Arn: arn('ecs', 'cluster/main'),
    RoleArn: role,
    EcsParameters: {
      TaskDefinitionArn: arn('ecs', 'task-definition/web:1'),
      LaunchType: 'FARGATE',
      NetworkConfiguration: {awsvpcConfiguration: {Subnets: ['subnet-1']}},
    },
  },
};

const job: RegisterJobDefinitionCommandInput = {
  jobDefinitionName: 'grants',
  type: 'container',
  platformCapabilities: ['FARGATE'],
  retryStrategy: {attempts: 1},
  propagateTags: true,
  timeout: {attemptDurationSeconds: 3600},
  parameters: {full: 'true'},
  tags: {team: 'pass'},
  containerProperties: {
    image: 'grants:1',
    command: ['load'],
    environment: [{name: 'URL', value: 'https://pass.example.edu'}],
    resourceRequirements: [
      {type: 'VCPU', value: '1'},
      {type: 'MEMORY', value: '2048'},
    ],
    fargatePlatformConfiguration: {platformVersion: 'LATEST'},
    jobRoleArn: role,
    executionRoleArn: role,
  },
};

const definition = JSON.stringify({StartAt: 'Load', States: {Load: {Type: 'Pass', End: true}}});
const machine = arn('states', 'stateMachine:load');
const topic = (name: string): string => arn('sns', name);

/** The one target group that there is has an ARN of its own on either side. */
async function groupArn(elb: Clients['elb']): Promise<string> {
  const {TargetGroups: [group] = []} = await elb.send(new DescribeTargetGroupsCommand({Names: [TARGET_GROUP]}));
  return group?.TargetGroupArn ?? '';
}

/** What is asked of both, in this order. */
export const QUESTIONS: Readonly<Record<string, (clients: Clients) => Promise<unknown>>> = {
  'sts:GetCallerIdentity': ({sts}) => sts.send(new GetCallerIdentityCommand({})),

  'iam:GetRole': ({iam}) => iam.send(new GetRoleCommand({RoleName: ROLE})),
  'iam:GetRole (missing)': ({iam}) => iam.send(new GetRoleCommand({RoleName: 'no'})),

  'ecr:CreateRepository': ({ecr}) => ecr.send(new CreateRepositoryCommand({repositoryName: 'web'})),
  'ecr:PutImage': ({ecr}) => ecr.send(new PutImageCommand({repositoryName: 'web', imageManifest: manifest, imageTag: '1.0.0'})),
  'ecr:DescribeImages': ({ecr}) => ecr.send(new DescribeImagesCommand({repositoryName: 'web', imageIds: [{imageTag: '1.0.0'}]})),
  'ecr:DescribeImages (missing)': ({ecr}) =>
    ecr.send(new DescribeImagesCommand({repositoryName: 'web', imageIds: [{imageTag: 'no'}]})),
  'ecr:DescribeRepositories': ({ecr}) => ecr.send(new DescribeRepositoriesCommand({repositoryNames: ['web']})),
  'ecr:DescribeRepositories (missing)': ({ecr}) => ecr.send(new DescribeRepositoriesCommand({repositoryNames: ['no']})),
  'ecr:BatchGetImage': ({ecr}) =>
    ecr.send(new BatchGetImageCommand({repositoryName: 'web', imageIds: [{imageTag: '1.0.0'}, {imageTag: 'no'}]})),
  'ecr:GetAuthorizationToken': ({ecr}) => ecr.send(new GetAuthorizationTokenCommand({})),
  'ecr:ListImages': ({ecr}) => ecr.send(new ListImagesCommand({repositoryName: 'web'})),

  'sns:CreateTopic': ({sns}) => sns.send(new CreateTopicCommand({Name: 'deploys'})),
  'sns:ListTopics': ({sns}) => sns.send(new ListTopicsCommand({})),
  'sns:GetTopicAttributes': ({sns}) => sns.send(new GetTopicAttributesCommand({TopicArn: topic('deploys')})),
  'sns:Publish': ({sns}) => sns.send(new PublishCommand({TopicArn: topic('deploys'), Message: 'deploy'})),
  'sns:Publish (missing)': ({sns}) => sns.send(new PublishCommand({TopicArn: topic('no'), Message: 'deploy'})),
  'sns:GetTopicAttributes (missing)': ({sns}) => sns.send(new GetTopicAttributesCommand({TopicArn: topic('no')})),

  'events:PutRule': ({events}) => events.send(new PutRuleCommand({Name: 'nightly', ScheduleExpression: 'rate(1 day)'})),
  'events:PutTargets': ({events}) =>
    events.send(new PutTargetsCommand({Rule: 'nightly', Targets: [{Id: 'load', Arn: arn('sqs', 'load')}]})),
  'events:PutTargets (missing)': ({events}) =>
    events.send(new PutTargetsCommand({Rule: 'no', Targets: [{Id: 'load', Arn: arn('sqs', 'load')}]})),
  'events:DescribeRule': ({events}) => events.send(new DescribeRuleCommand({Name: 'nightly'})),
  'events:ListEventBuses': ({events}) => events.send(new ListEventBusesCommand({})),
  'events:ListRules': ({events}) => events.send(new ListRulesCommand({})),
  'events:ListTargetsByRule': ({events}) => events.send(new ListTargetsByRuleCommand({Rule: 'nightly'})),
  'events:DescribeRule (missing)': ({events}) => events.send(new DescribeRuleCommand({Name: 'no'})),

  'scheduler:CreateSchedule': ({scheduler}) => scheduler.send(new CreateScheduleCommand(schedule)),
  'scheduler:CreateSchedule (twice)': ({scheduler}) => scheduler.send(new CreateScheduleCommand(schedule)),
  'scheduler:GetSchedule': ({scheduler}) => scheduler.send(new GetScheduleCommand({Name: 'journal', GroupName: 'default'})),
  'scheduler:GetSchedule (missing)': ({scheduler}) => scheduler.send(new GetScheduleCommand({Name: 'no'})),
  'scheduler:GetSchedule (group missing)': ({scheduler}) =>
    scheduler.send(new GetScheduleCommand({Name: 'journal', GroupName: 'no'})),
  'scheduler:ListSchedules': ({scheduler}) => scheduler.send(new ListSchedulesCommand({NamePrefix: 'jour'})),
  'scheduler:UpdateSchedule': ({scheduler}) =>
    scheduler.send(new UpdateScheduleCommand({...schedule, Description: undefined, State: 'DISABLED'})),
  'scheduler:UpdateSchedule (missing)': ({scheduler}) => scheduler.send(new UpdateScheduleCommand({...schedule, Name: 'no'})),
  'scheduler:GetSchedule (updated)': ({scheduler}) => scheduler.send(new GetScheduleCommand({Name: 'journal'})),

  'batch:RegisterJobDefinition': ({batch}) => batch.send(new RegisterJobDefinitionCommand(job)),
  'batch:DescribeJobDefinitions': ({batch}) => batch.send(new DescribeJobDefinitionsCommand({jobDefinitionName: 'grants'})),
  'batch:DescribeJobDefinitions (by ARN)': ({batch}) =>
    batch.send(new DescribeJobDefinitionsCommand({jobDefinitions: [arn('batch', 'job-definition/grants:1')]})),
  'batch:DescribeJobDefinitions (missing)': ({batch}) => batch.send(new DescribeJobDefinitionsCommand({jobDefinitionName: 'no'})),
  'batch:DeregisterJobDefinition': ({batch}) => batch.send(new DeregisterJobDefinitionCommand({jobDefinition: 'grants:1'})),
  'batch:DescribeJobDefinitions (inactive)': ({batch}) =>
    batch.send(new DescribeJobDefinitionsCommand({jobDefinitionName: 'grants', status: 'INACTIVE'})),
  'batch:DescribeJobs (missing)': ({batch}) => batch.send(new DescribeJobsCommand({jobs: ['no']})),

  'states:CreateStateMachine': ({states}) =>
    states.send(new CreateStateMachineCommand({name: 'load', definition, roleArn: role})),
  'states:DescribeStateMachine': ({states}) => states.send(new DescribeStateMachineCommand({stateMachineArn: machine})),
  'states:DescribeStateMachine (missing)': ({states}) =>
    states.send(new DescribeStateMachineCommand({stateMachineArn: `${machine}-no`})),
  'states:UpdateStateMachine': ({states}) => states.send(new UpdateStateMachineCommand({stateMachineArn: machine, definition})),
  'states:UpdateStateMachine (missing)': ({states}) =>
    states.send(new UpdateStateMachineCommand({stateMachineArn: `${machine}-no`, definition})),
  'states:ListStateMachines': ({states}) => states.send(new ListStateMachinesCommand({})),

  'logs:DescribeLogStreams': ({logs}) => logs.send(new DescribeLogStreamsCommand({logGroupName: LOG.group})),
  'logs:DescribeLogStreams (missing)': ({logs}) => logs.send(new DescribeLogStreamsCommand({logGroupName: 'no'})),
  'logs:GetLogEvents': ({logs}) =>
    logs.send(new GetLogEventsCommand({logGroupName: LOG.group, logStreamName: LOG.stream, limit: 2})),
  'logs:GetLogEvents (stream missing)': ({logs}) =>
    logs.send(new GetLogEventsCommand({logGroupName: LOG.group, logStreamName: 'no'})),
  'logs:GetLogEvents (group missing)': ({logs}) => logs.send(new GetLogEventsCommand({logGroupName: 'no', logStreamName: 'no'})),

  'elb:DescribeTargetGroups': ({elb}) => elb.send(new DescribeTargetGroupsCommand({Names: [TARGET_GROUP]})),
  'elb:DescribeTargetGroups (missing)': ({elb}) => elb.send(new DescribeTargetGroupsCommand({Names: ['no']})),
  'elb:DescribeTargetHealth': async ({elb}) => elb.send(new DescribeTargetHealthCommand({TargetGroupArn: await groupArn(elb)})),
  'elb:DescribeTargetHealth (missing)': ({elb}) =>
    elb.send(new DescribeTargetHealthCommand({TargetGroupArn: arn('elasticloadbalancing', 'targetgroup/no/0123456789abcdef')})),

  'ecs:RegisterTaskDefinition': ({ecs}) =>
    ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'web',
        networkMode: 'awsvpc',
        cpu: '256',
        memory: '512',
        requiresCompatibilities: ['FARGATE'],
        tags: [{key: 'team', value: 'pass'}],
        containerDefinitions: [{name: 'app', image: 'web:1'}],
      }),
    ),
  'ecs:DescribeTaskDefinition': ({ecs}) =>
    ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'web', include: ['TAGS']})),
  'ecs:DescribeTaskDefinition (missing)': ({ecs}) => ecs.send(new DescribeTaskDefinitionCommand({taskDefinition: 'no'})),
  'ecs:ListTaskDefinitions': ({ecs}) => ecs.send(new ListTaskDefinitionsCommand({familyPrefix: 'web'})),
  'ecs:CreateCluster': ({ecs}) => ecs.send(new CreateClusterCommand({clusterName: 'other'})),
  'ecs:DescribeClusters': ({ecs}) => ecs.send(new DescribeClustersCommand({clusters: ['other', 'no']})),
  'ecs:ListClusters': ({ecs}) => ecs.send(new ListClustersCommand({})),
  'ecs:CreateService': ({ecs}) =>
    ecs.send(new CreateServiceCommand({cluster: 'other', serviceName: 'web', taskDefinition: 'web', desiredCount: 0})),
  'ecs:CreateService (no task definition)': ({ecs}) =>
    ecs.send(new CreateServiceCommand({cluster: 'other', serviceName: 'no', taskDefinition: 'no', desiredCount: 0})),
  'ecs:ListServices': ({ecs}) => ecs.send(new ListServicesCommand({cluster: 'other'})),
  'ecs:DescribeServices': ({ecs}) => ecs.send(new DescribeServicesCommand({cluster: 'other', services: ['web']})),
  'ecs:DescribeServices (missing)': ({ecs}) => ecs.send(new DescribeServicesCommand({cluster: 'other', services: ['no']})),
  'ecs:DescribeServices (cluster missing)': ({ecs}) => ecs.send(new DescribeServicesCommand({cluster: 'no', services: ['no']})),
  'ecs:UpdateService (missing)': ({ecs}) =>
    ecs.send(new UpdateServiceCommand({cluster: 'other', service: 'no', desiredCount: 1})),
  'ecs:ListTasks': ({ecs}) => ecs.send(new ListTasksCommand({cluster: 'other'})),
  'ecs:DescribeTasks (missing)': ({ecs}) =>
    ecs.send(new DescribeTasksCommand({cluster: 'other', tasks: ['0123456789abcdef0123456789abcdef']})),
  'ecs:DeregisterTaskDefinition': ({ecs}) => ecs.send(new DeregisterTaskDefinitionCommand({taskDefinition: 'web:1'})),
};
