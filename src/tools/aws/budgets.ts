/** What AWS lets an account do in a second, call by call. */
import {type Allowance, type Budget, type Timer, createBudget} from '../pacing.ts';

/** What AWS counts together. */
interface Bucket extends Allowance {
  readonly calls: readonly string[];
}

/** `burst` calls at once, then so many a second. `calls` as IAM names them: what AWS counts together. */
function bucket<const Call extends string>(burst: number, perSecond: number, ...calls: readonly Call[]) {
  return {burst, perSecond, calls};
}

/** Where AWS names a rate and no burst: what a second brings at once. */
function rate<const Call extends string>(perSecond: number, ...calls: readonly Call[]) {
  return bucket(perSecond, perSecond, ...calls);
}

/**
 * What AWS takes by default of an account in a region, the smallest region where they differ. From the quota pages of its
 * documentation; where these name no number (*) it is one that well-known tools get along with.
 */
const buckets = [
  // Amazon ECS: request throttling
  bucket(50, 20, 'ecs:DescribeClusters', 'ecs:ListClusters'),
  bucket(100, 20, 'ecs:DescribeServices', 'ecs:ListServices'),
  bucket(100, 20, 'ecs:DescribeTasks', 'ecs:ListTasks'),
  bucket(50, 20, 'ecs:DescribeServiceDeployments', 'ecs:ListServiceDeployments'),
  bucket(50, 20, 'ecs:DescribeServiceRevisions'),
  bucket(50, 20, 'ecs:DescribeTaskDefinition', 'ecs:ListTaskDefinitions'),
  bucket(20, 1, 'ecs:RegisterTaskDefinition'),
  bucket(50, 5, 'ecs:UpdateService', 'ecs:StopServiceDeployment'),
  bucket(100, 40, 'ecs:RunTask'),
  // Amazon EventBridge: all calls but PutEvents
  rate(50, 'events:DescribeRule', 'events:ListEventBuses', 'events:ListRules', 'events:ListTargetsByRule', 'events:PutTargets'),
  rate(50, 'scheduler:GetSchedule'),
  rate(50, 'scheduler:ListSchedules'),
  rate(50, 'scheduler:UpdateSchedule'),
  // AWS Batch: 50 SubmitJob; of the others it says no more than that they have limits, too (*)
  rate(
    50,
    'batch:DescribeJobDefinitions',
    'batch:DescribeJobs',
    'batch:ListJobs',
    'batch:RegisterJobDefinition',
    'batch:SubmitJob',
  ),
  bucket(200, 20, 'states:DescribeStateMachine'),
  bucket(100, 5, 'states:ListStateMachines'),
  bucket(100, 1, 'states:UpdateStateMachine'),
  rate(30, 'sns:GetTopicAttributes'),
  rate(30, 'sns:ListTopics'),
  rate(300, 'sns:Publish'),
  rate(2000, 'ecr:BatchGetImage'),
  rate(500, 'ecr:GetAuthorizationToken'),
  // (*)
  bucket(100, 20, 'ecr:DescribeImages', 'ecr:DescribeRepositories'),
  rate(15, 'iam:GetRole'),
  bucket(20, 5, 'iam:SimulatePrincipalPolicy'),
  rate(600, 'sts:GetCallerIdentity'),
  bucket(40, 10, 'elasticloadbalancing:DescribeTargetHealth'),
  rate(10, 'logs:GetLogEvents'),
  // Amazon S3: for each prefix
  rate(5500, 's3:GetObject', 's3:ListBucket'),
  rate(3500, 's3:PutObject'),
] satisfies readonly Bucket[];

export type Action = (typeof buckets)[number]['calls'][number];

export type Budgets = (action: Action) => Budget;

export function createBudgets(timer: Timer): Budgets {
  const budgets = new Map<Action, Budget>();
  for (const {calls, ...allowance} of buckets) {
    const budget = createBudget(allowance, timer);
    for (const call of calls) budgets.set(call, budget);
  }
  return action => {
    const budget = budgets.get(action);
    if (budget === undefined) throw new Error(`no budget for ${action}`);
    return budget;
  };
}
