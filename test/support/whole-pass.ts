/**
 * PASS with its loaders as design section 8 has them: a Batch job that a state machine submits, a task on a schedule, a Batch job
 * on a rule.
 */
import {DescribeJobDefinitionsCommand, BatchClient} from '@aws-sdk/client-batch';
import {GetScheduleCommand, SchedulerClient} from '@aws-sdk/client-scheduler';
import {DescribeStateMachineCommand, SFNClient} from '@aws-sdk/client-sfn';
import {
  type Pass,
  type PassConfig,
  account,
  before,
  credentials,
  image,
  loaderTarget,
  region,
  shortName,
  standing,
  targetsOf,
  taskDefinitionArn,
} from './pass.ts';

const role = `arn:aws:iam::${account}:role/pass-start`;
const machineArn = `arn:aws:states:${region}:${account}:stateMachine:grant-load`;
export const queue = `arn:aws:batch:${region}:${account}:job-queue/loads`;

const grantLoad = (revision: number) => `{
  "StartAt": "Load",
  "States": {"Load": {"Type": "Task", "Resource": "arn:aws:states:::batch:submitJob.sync",
    "Parameters": {"JobName": "load", "JobQueue": "loads", "JobDefinition": "jhu-grant-loader:${revision}"}, "End": true}}
}
`;

const jobDefinitions = ['jhu-grant-loader', 'pass-nihms-loader'] as const;

/** `smoke`: whether a run of the journal loader is tried before its schedule moves. */
export const wholeConfig =
  ({smoke = false} = {}) =>
  (config: PassConfig): void =>
    void Object.assign(config.components, {
      'grant-loader': {
        kind: 'batch-job-definition',
        jobDefinition: 'jhu-grant-loader',
        images: {default: 'ecr/jhu-grant-loader'},
        targets: [{stateMachine: 'grant-load'}],
        needs: ['pass-core'],
      },
      'journal-loader': {
        kind: 'ecs-scheduled-task',
        family: 'pass-journal-loader',
        images: {loader: 'ecr/pass-journal-loader'},
        targets: [{schedule: 'journal'}],
        ...(smoke && {pin: 'digest', smoke}),
        needs: ['pass-core'],
      },
      'nihms-loader': {
        kind: 'batch-job-definition',
        jobDefinition: 'pass-nihms-loader',
        images: {default: 'ecr/pass-nihms-loader'},
        targets: [{rule: 'nihms-batch'}],
        needs: ['pass-core'],
      },
    });

/** What the loaders need, beside what PASS has anyway. `stray`: a rule that nobody has listed starts the journal loader, too. */
export function seedWhole({world}: Pick<Pass, 'world'>, {stray = false} = {}): void {
  if (!stray) world.putTargets({name: 'journal-nightly'}, [{...loaderTarget('loader', taskDefinitionArn('report:1'))}]);
  for (const jobDefinitionName of jobDefinitions) {
    const containerProperties = {image: image(jobDefinitionName, before), command: ['load'], jobRoleArn: role};
    world.registerJobDefinition({jobDefinitionName, type: 'container', containerProperties, tags: {project: 'pass'}});
  }
  world.createStateMachine({name: 'grant-load', roleArn: role, definition: grantLoad(1)});
  const {EcsParameters, Input, RetryPolicy, Arn} = loaderTarget('loader', taskDefinitionArn('pass-journal-loader:1'));
  world.createSchedule({
    name: 'journal',
    ScheduleExpression: 'cron(0 2 * * ? *)',
    FlexibleTimeWindow: {Mode: 'OFF'},
    Target: {Arn, RoleArn: role, Input, RetryPolicy, EcsParameters},
  });
  world.createRule({name: 'nihms-batch', ScheduleExpression: 'rate(7 days)'});
  world.putTargets({name: 'nihms-batch'}, [
    {Id: 'load', Arn: queue, RoleArn: role, BatchParameters: {JobDefinition: 'pass-nihms-loader:1', JobName: 'load'}},
  ]);
}

/** What each loader starts. */
export interface Starts {
  readonly journal: string;
  /** The state machine's definition. */
  readonly grants: string | undefined;
  readonly nihms: string | undefined;
}

export async function starts({url, events}: Pick<Pass, 'url' | 'events'>): Promise<Starts> {
  const [scheduler, states] = [new SchedulerClient(clientAt(url)), new SFNClient(clientAt(url))];
  try {
    const {Target} = await scheduler.send(new GetScheduleCommand({Name: 'journal'}));
    const {definition} = await states.send(new DescribeStateMachineCommand({stateMachineArn: machineArn}));
    const [rule] = await targetsOf(events, 'nihms-batch');
    return {
      journal: shortName(Target?.EcsParameters?.TaskDefinitionArn),
      grants: definition,
      nihms: rule?.BatchParameters?.JobDefinition,
    };
  } finally {
    scheduler.destroy();
    states.destroy();
  }
}

export const startsOf = (revision: number): Starts => ({
  journal: `pass-journal-loader:${revision}`,
  grants: grantLoad(revision),
  nihms: `pass-nihms-loader:${revision}`,
});

/** Everything that a whole release moves, and how many revisions there are of it. */
export interface WholeStanding {
  readonly services: Readonly<Record<string, string>>;
  readonly starts: Starts;
  /** By family or job definition. */
  readonly revisions: Readonly<Record<string, number>>;
}

const families = ['deposit-services', 'notification-services', 'pass-journal-loader'] as const;

export async function wholeStanding(pass: Pick<Pass, 'url' | 'ecs' | 'events'>): Promise<WholeStanding> {
  const {services, revisions} = await standing(pass);
  const batch = new BatchClient(clientAt(pass.url));
  try {
    const jobs = jobDefinitions.map(async jobDefinitionName => {
      const found = await batch.send(new DescribeJobDefinitionsCommand({jobDefinitionName}));
      return [jobDefinitionName, found.jobDefinitions?.length ?? 0] as const;
    });
    return {
      services,
      starts: await starts(pass),
      revisions: Object.fromEntries([
        ...families.map(family => [family, revisions[family] ?? 0] as const),
        ...(await Promise.all(jobs)),
      ]),
    };
  } finally {
    batch.destroy();
  }
}

/** Everything on the given revision, which is the newest. */
export const wholeOn = (revision: number): WholeStanding => ({
  services: {'deposit-services': `deposit-services:${revision}`, 'notification-services': `notification-services:${revision}`},
  starts: startsOf(revision),
  revisions: Object.fromEntries([...families, ...jobDefinitions].map(name => [name, revision])),
});

function clientAt(endpoint: string) {
  const {AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey} = credentials;
  return {endpoint, region, credentials: {accessKeyId, secretAccessKey}};
}
