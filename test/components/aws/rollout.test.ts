import {describe, expect, test} from 'vitest';
import {type Io, checkRollout} from '../../../src/components/aws/rollout.ts';
import {DeployError} from '../../../src/release/errors.ts';
import type {Check, Claim} from '../../../src/release/model.ts';
import type {EcsDeployment, EcsService, EcsServiceDeployment, EcsTask} from '../../../src/tools/aws/ecs.ts';

const arn = (name: string): string => `arn:aws:ecs:us-east-1:333333333333:task-definition/${name}`;
const digest = `sha256:${'ab'.repeat(32)}`;
const other = `sha256:${'cd'.repeat(32)}`;
const platform = `sha256:${'ef'.repeat(32)}`;

const old = arn('web:1');
const ours = arn('web:2');
const foreign = arn('web:3');

const claim: Claim = {
  id: 'web rollout',
  text: 'web: service web runs web:2',
  subject: {
    is: 'rollout',
    cluster: 'pass',
    service: 'web',
    from: old,
    taskDefinition: ours,
    images: [{container: 'app', image: '333333333333.dkr.ecr.us-east-1.amazonaws.com/web:1.14.0', digest}],
  },
  within: 60_000,
};

const oursId = 'ecs-svc/2';

/** What DescribeServices calls a deployment. Ours is the newest and done, if nothing else is said. */
function deployment(change: Partial<EcsDeployment> = {}): EcsDeployment {
  return {
    id: oursId,
    status: 'PRIMARY',
    taskDefinition: ours,
    desiredCount: 2,
    runningCount: 2,
    rolloutState: 'COMPLETED',
    ...change,
  };
}

const replaced = deployment({id: 'ecs-svc/1', status: 'ACTIVE', taskDefinition: old});

function task(change: Partial<EcsTask> = {}): EcsTask {
  return {
    taskDefinitionArn: ours,
    startedBy: oursId,
    lastStatus: 'RUNNING',
    containers: [
      {name: 'app', imageDigest: digest},
      {name: 'collector', imageDigest: other},
    ],
    ...change,
  };
}

/** A task that ended, with what its one container says of it. */
function stopped(change: Partial<EcsTask>, container: NonNullable<EcsTask['containers']>[number] = {}): EcsTask {
  return task({lastStatus: 'STOPPED', containers: [{name: 'app', ...container}], ...change});
}

interface Seen {
  readonly deployments: readonly EcsDeployment[];
  /** What the service is said to run; by default what its newest deployment runs. */
  readonly runs?: string;
  readonly service?: Partial<EcsService>;
  readonly running?: readonly EcsTask[];
  readonly stopped?: readonly EcsTask[];
  /** The service deployments, newest first; `denied`: they may not be looked at. */
  readonly history?: readonly EcsServiceDeployment[] | 'denied';
  /** The digests of the platforms of an index. */
  readonly platforms?: readonly string[];
}

function look({
  deployments,
  runs,
  service = {},
  running = [task(), task()],
  history = [],
  platforms = [],
  ...seen
}: Seen): Promise<Check> {
  const io: Io = {
    log: () => undefined,
    progress: () => undefined,
    aws: {
      ecs: {
        service: () =>
          Promise.resolve({
            serviceName: 'web',
            taskDefinition: runs ?? deployments.find(({status}) => status === 'PRIMARY')?.taskDefinition,
            deployments: [...deployments],
            ...service,
          }),
        tasks: (_cluster, _service, desired) => Promise.resolve(desired === 'RUNNING' ? running : (seen.stopped ?? [])),
        deployments: () =>
          history === 'denied'
            ? Promise.reject(new DeployError('not allowed to call ecs:ListServiceDeployments'))
            : Promise.resolve(history),
      },
      ecr: {platforms: (_repository, of) => Promise.resolve(of === digest ? platforms : [])},
    },
  };
  const check = checkRollout(claim, io);
  if (check === undefined) throw new Error('not a rollout claim');
  return check;
}

const wish = (taskDefinition: string, status: string, reason?: string): EcsServiceDeployment => ({
  taskDefinition,
  status,
  reason,
});

const selfHealing = {deploymentConfiguration: {deploymentCircuitBreaker: {enable: true, rollback: true}}};

describe('released', () => {
  test('is a service whose tasks all run the released image', async () => {
    expect(await look({deployments: [deployment()]})).toMatchObject({
      status: 'passed',
      found: '2 of 2 tasks, with the released digest',
    });
  });

  test('is a service behind a Classic load balancer once the old deployment is gone', async () => {
    const {rolloutState: _none, ...unstated} = deployment();
    expect(await look({deployments: [unstated]})).toMatchObject({status: 'passed'});
    expect(await look({deployments: [unstated, replaced]})).toMatchObject({status: 'pending'});
  });

  test('is an image for several platforms whose tasks name their own platform’s manifest', async () => {
    const running = [task({containers: [{name: 'app', imageDigest: platform}]}), task()];
    expect(await look({deployments: [deployment()], running, platforms: [other, platform]})).toMatchObject({status: 'passed'});
    expect(await look({deployments: [deployment()], running})).toMatchObject({status: 'failed'});
  });

  test('is said without its proof where ECS tells no digest', async () => {
    const running = [task({containers: [{name: 'app'}]}), task()];
    expect(await look({deployments: [deployment()], running})).toMatchObject({
      status: 'passed',
      found: '2 of 2 tasks, whose digest ECS does not tell',
    });
  });
});

describe('not released yet', () => {
  test.each<[string, Seen]>([
    ['while tasks are started', {deployments: [deployment({rolloutState: 'IN_PROGRESS', runningCount: 1}), replaced]}],
    ['while all run and old tasks are still there', {deployments: [deployment({rolloutState: 'IN_PROGRESS'}), replaced]}],
    ['while the old deployment drains', {deployments: [deployment(), replaced]}],
    ['while a task is missing', {deployments: [deployment({runningCount: 1})]}],
    [
      'while tasks are listed that are still starting',
      {deployments: [deployment()], running: [task(), task({lastStatus: 'PENDING'})]},
    ],
    ['while no task of ours is listed', {deployments: [deployment()], running: [task({startedBy: 'ecs-svc/1'}), task()]}],
    [
      'while the update is not to be seen yet',
      {deployments: [{...replaced, status: 'PRIMARY'}], history: [wish(old, 'SUCCESSFUL')]},
    ],
    ['while the update is pending', {deployments: [{...replaced, status: 'PRIMARY'}], history: [wish(ours, 'PENDING')]}],
    [
      'while the service names the revision and no deployment does',
      {deployments: [{...replaced, status: 'PRIMARY'}], runs: ours, history: 'denied'},
    ],
  ])('%s', async (_when, seen) => {
    expect(await look(seen)).toMatchObject({status: 'pending'});
  });
});

describe('never released', () => {
  test('are zero tasks', async () => {
    const none = deployment({desiredCount: 0, runningCount: 0});
    expect(await look({deployments: [none], running: []})).toMatchObject({
      status: 'failed',
      found: 'it is scaled to zero: nothing of it runs',
    });
  });

  test('is another image under the same tag', async () => {
    const running = [task(), task({containers: [{name: 'app', imageDigest: other}]})];
    expect(await look({deployments: [deployment()], running})).toMatchObject({
      status: 'failed',
      found: `container app runs ${other}, not ${digest}`,
    });
  });

  test('is a service that is gone', async () => {
    const io = {log: () => undefined, progress: () => undefined};
    const gone = {
      service: () => Promise.resolve(undefined),
      tasks: () => Promise.resolve([]),
      deployments: () => Promise.resolve([]),
    };
    const check = checkRollout(claim, {...io, aws: {ecs: gone, ecr: {platforms: () => Promise.resolve([])}}});
    expect(await check).toMatchObject({status: 'failed', found: 'there is no service web any more'});
  });
});

describe('tasks that stop', () => {
  const rolling = [deployment({rolloutState: 'IN_PROGRESS', runningCount: 0}), replaced];

  test.each([
    'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref web:1.14.0: not found',
    'CannotPullContainerError: Error response from daemon: manifest for web:1.14.0 not found: manifest unknown',
    'CannotPullImageManifestError: pull access denied for web, repository does not exist or may require authorization',
    "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
    'CannotPullContainerError: 403 Forbidden',
    'ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: AccessDeniedException: not allowed',
    "ResourceInitializationError: unable to pull secrets or registry auth: secret: ResourceNotFoundException: Secrets Manager can't find it",
    'CannotStartContainerError: exec format error',
    'CannotCreateContainerError: exec: "serve": executable file not found in $PATH',
  ])('for good: %s', async reason => {
    const check = await look({deployments: rolling, stopped: [stopped({stopCode: 'TaskFailedToStart', stoppedReason: reason})]});
    expect(check).toMatchObject({
      status: 'failed',
      found: reason,
      next: expect.stringContaining('It will not get better by itself.'),
    });
    expect(check.cause).toBeUndefined();
  });

  test.each([
    'CannotPullContainerError: i/o timeout',
    'CannotPullContainerError: context canceled',
    'CannotPullContainerError: toomanyrequests: Rate exceeded',
    'ResourceInitializationError: unable to pull secrets or registry auth: context deadline exceeded',
    'Essential container in task exited',
    'OutOfMemoryError: Container killed due to memory usage',
  ])('and may start next time: %s', async reason => {
    const check = await look({deployments: rolling, stopped: [stopped({stopCode: 'TaskFailedToStart', stoppedReason: reason})]});
    expect(check).toMatchObject({status: 'pending', found: `0 of 2 running, 1 stopped: ${reason}`, evidence: [`1 × ${reason}`]});
  });

  test('are a failure when none lives until time is up', async () => {
    const crash = stopped(
      {stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited'},
      {exitCode: 3},
    );
    expect(await look({deployments: rolling, stopped: [crash, crash]})).toMatchObject({
      status: 'pending',
      cause: 'failed',
      found: '0 of 2 running, 2 stopped: Essential container in task exited (container app exited with 3)',
    });
    const oneLives = [deployment({rolloutState: 'IN_PROGRESS', runningCount: 1}), replaced];
    expect((await look({deployments: oneLives, stopped: [crash]})).cause).toBeUndefined();
    expect(await look({deployments: oneLives, stopped: [crash, crash, crash]})).toMatchObject({
      status: 'pending',
      cause: 'failed',
    });
  });

  test.each<[string, Partial<EcsTask>]>([
    [
      'were started by another deployment',
      {startedBy: 'ecs-svc/1', stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: not found'},
    ],
    [
      'were of another revision',
      {taskDefinitionArn: old, stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: not found'},
    ],
    [
      'were scaled in',
      {stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity initiated by (deployment ecs-svc/2)'},
    ],
    ['were on a spot instance', {stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.'}],
    ['were stopped by a person', {stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user'}],
  ])('do not count when they %s', async (_why, change) => {
    expect(await look({deployments: rolling, stopped: [stopped(change)]})).toEqual(
      expect.objectContaining({status: 'pending', found: '0 of 2 running'}),
    );
  });

  test('count when they do not get healthy', async () => {
    const unhealthy = stopped({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed ELB health checks in (target-group web)',
    });
    expect(await look({deployments: rolling, stopped: [unhealthy]})).toMatchObject({
      found: '0 of 2 running, 1 stopped: Task failed ELB health checks in (target-group web)',
    });
  });

  test('are blamed on the container that ended first, not on those that followed it', async () => {
    const crash = task({
      lastStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [
        {name: 'collector', exitCode: 143},
        {name: 'app', exitCode: 1},
      ],
    });
    expect((await look({deployments: rolling, stopped: [crash]})).found).toContain('(container app exited with 1)');
  });

  test('name the way back that there is', async () => {
    const cannotPull = [stopped({stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: not found'})];
    expect((await look({deployments: rolling, stopped: cannotPull})).next).toContain(
      'aws ecs update-service --cluster pass --service web --task-definition web:1',
    );
    expect((await look({deployments: rolling, stopped: cannotPull, service: selfHealing})).next).toContain(
      'until its circuit breaker takes it back',
    );
  });
});

describe('a rollout that failed', () => {
  const failed = deployment({
    rolloutState: 'FAILED',
    rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
    runningCount: 0,
  });

  test('stays so where ECS may not take it back', async () => {
    expect(await look({deployments: [failed, replaced]})).toMatchObject({
      status: 'failed',
      found: 'the rollout failed: ECS deployment circuit breaker: tasks failed to start.',
    });
  });

  test('is waited for where ECS takes it back, and has failed if it does not', async () => {
    expect(await look({deployments: [failed, replaced], service: selfHealing})).toMatchObject({
      status: 'pending',
      cause: 'failed',
    });
  });
});

describe('the newest deployment is of the old revision', () => {
  const back = [{...replaced, status: 'PRIMARY'}];
  const turning = [
    deployment({
      id: 'ecs-svc/1',
      taskDefinition: old,
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.',
    }),
    deployment({status: 'ACTIVE', rolloutState: 'FAILED', runningCount: 0}),
  ];
  const tripped = 'Service deployment rolled back because the circuit breaker threshold was exceeded.';

  test('since ECS took it back', async () => {
    const crash = stopped({stopCode: 'EssentialContainerExited'}, {exitCode: 1});
    const check = await look({
      deployments: back,
      history: [wish(ours, 'ROLLBACK_SUCCESSFUL', tripped), wish(old, 'SUCCESSFUL')],
      stopped: [crash],
    });
    expect(check).toMatchObject({status: 'failed', cause: 'rolled back', found: `ECS took it back to web:1: ${tripped}`});
    expect(check.evidence).toEqual(['1 × EssentialContainerExited (container app exited with 1)']);
  });

  test.each(['ROLLBACK_REQUESTED', 'ROLLBACK_IN_PROGRESS'])('and is on its way there: %s', async status => {
    expect(await look({deployments: turning, history: [wish(ours, status, tripped)]})).toMatchObject({
      status: 'pending',
      found: `ECS is taking it back to web:1: ${tripped}`,
    });
  });

  test('and the way there failed', async () => {
    const check = await look({deployments: turning, history: [wish(ours, 'ROLLBACK_FAILED', 'no candidate')]});
    expect(check).toMatchObject({status: 'failed', found: 'it failed, and so did the way back: no candidate'});
    expect(check.cause).toBeUndefined();
  });

  test('since somebody deployed it', async () => {
    const history = [
      wish(old, 'IN_PROGRESS'),
      wish(ours, 'STOPPED', 'A newer service deployment took its place.'),
      wish(old, 'SUCCESSFUL'),
    ];
    expect(await look({deployments: back, history})).toMatchObject({
      status: 'failed',
      cause: 'superseded',
      found: 'another deployment took over: it runs web:1',
    });
  });

  test('and the history may not be looked at: the signs of a way back are believed', async () => {
    expect(await look({deployments: turning, history: 'denied'})).toMatchObject({
      status: 'pending',
      found: 'ECS is taking it back to web:1',
    });
    const events = [{message: '(service web) rolling back to deployment ecs-svc/1.'}];
    expect(await look({deployments: back, history: 'denied', service: {events}})).toMatchObject({
      status: 'failed',
      cause: 'rolled back',
    });
  });

  test('and nothing says why: nobody knows', async () => {
    expect(await look({deployments: back, history: 'denied'})).toMatchObject({
      status: 'pending',
      found: 'it runs web:1; the deployment of web:2 is not to be seen',
    });
  });
});

describe('the newest deployment is of yet another revision', () => {
  const overtaken = [
    deployment({id: 'ecs-svc/3', taskDefinition: foreign, rolloutState: 'IN_PROGRESS'}),
    deployment({status: 'ACTIVE'}),
  ];

  test.each<[string, Seen['history']]>([
    ['the history names ours', [wish(foreign, 'IN_PROGRESS'), wish(ours, 'STOPPED'), wish(old, 'SUCCESSFUL')]],
    ['the history has forgotten ours', [wish(foreign, 'SUCCESSFUL')]],
    ['the history lags', [wish(ours, 'STOPPED'), wish(old, 'SUCCESSFUL')]],
    ['the history may not be looked at', 'denied'],
  ])('%s: superseded', async (_what, history) => {
    expect(await look({deployments: overtaken, ...(history && {history})})).toMatchObject({
      status: 'failed',
      cause: 'superseded',
      found: 'another deployment took over: it runs web:3',
    });
  });

  test('unless it is where ECS took ours back to', async () => {
    const back = [deployment({id: 'ecs-svc/0', taskDefinition: arn('web:0')})];
    expect(await look({deployments: back, history: [wish(ours, 'ROLLBACK_SUCCESSFUL')]})).toMatchObject({
      cause: 'rolled back',
      found: 'ECS took it back to web:0',
    });
  });
});
