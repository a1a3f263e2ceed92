import {describe, expect, test} from 'vitest';
import type {History, Past} from '../../../../src/components/aws/rollout/history.ts';
import {isOurs, judgeAnother, judgeOurs, standing} from '../../../../src/components/aws/rollout/judging.ts';
import type {Rollout} from '../../../../src/components/aws/rollout/subject.ts';
import type {EcsDeployment, EcsService, EcsServiceDeployment} from '../../../../src/tools/aws/ecs.ts';

const arn = (name: string): string => `arn:aws:ecs:us-east-1:333333333333:task-definition/${name}`;
const [old, ours, foreign] = [arn('web:1'), arn('web:2'), arn('web:3')];

const rollout: Rollout = {
  is: 'rollout',
  cluster: 'pass',
  service: 'web',
  from: old,
  taskDefinition: ours,
  images: [],
  replaced: 'ecs-svc/1',
  since: 0,
  takenBack: null,
};

/** Ours is the newest and done, if nothing else is said. */
const deployment = (change: Partial<EcsDeployment> = {}): EcsDeployment => ({
  id: 'ecs-svc/2',
  status: 'PRIMARY',
  taskDefinition: ours,
  desiredCount: 2,
  runningCount: 2,
  rolloutState: 'COMPLETED',
  ...change,
});
const replaced = deployment({id: 'ecs-svc/1', status: 'ACTIVE', taskDefinition: old});
const service = (deployments: EcsDeployment[], more: Partial<EcsService> = {}): EcsService => ({
  taskDefinition: deployments[0]?.taskDefinition,
  desiredCount: 2,
  deployments,
  ...more,
});
const wish = (status: EcsServiceDeployment['status'], more: Partial<EcsServiceDeployment> = {}): EcsServiceDeployment => ({
  serviceDeploymentArn: 'ours',
  status,
  ...more,
});
const past = (name: string, taskDefinition: string): Past => ({
  arn: name,
  status: '',
  reason: undefined,
  at: 0,
  revision: '',
  taskDefinition,
});
const seen = (...all: readonly Past[]): History => ({is: 'seen', all});
const unseen: History = {is: 'unseen'};
const tripped = {deploymentCircuitBreaker: {status: 'TRIGGERED', failureCount: 3, threshold: 3}} as const;

describe('the newest deployment is ours', () => {
  const look = (of: EcsDeployment[], mine?: EcsServiceDeployment, more?: Partial<EcsService>) => {
    const [primary] = of;
    if (primary === undefined) throw new Error('there is none');
    return judgeOurs(rollout, service(of, more), primary, mine);
  };

  test('where it is of our revision, and not the one that was there before', () => {
    expect(isOurs(rollout, deployment())).toBe(true);
    expect(isOurs(rollout, deployment({id: 'ecs-svc/1'}))).toBe(false);
    expect(isOurs(rollout, deployment({taskDefinition: foreign}))).toBe(false);
    expect(isOurs(rollout, undefined)).toBe(false);
  });

  test('and has arrived once all its tasks run, no other deployment is left, and ECS calls it successful', () => {
    expect(look([deployment()], wish('SUCCESSFUL'))).toEqual({
      status: 'passed',
      found: '2 of 2 tasks, one deployment, SUCCESSFUL',
    });
    expect(look([deployment()])?.status).toBe('passed');
  });

  test('and has arrived behind a Classic load balancer, which has no rollout state, once the old one is gone', () => {
    const {rolloutState: _none, ...unstated} = deployment();
    expect(look([unstated], wish('SUCCESSFUL'))?.status).toBe('passed');
    expect(look([unstated, replaced], wish('SUCCESSFUL'))).toBeUndefined();
  });

  test.each<[string, EcsDeployment[], EcsServiceDeployment | undefined]>([
    ['while tasks are started', [deployment({rolloutState: 'IN_PROGRESS', runningCount: 1}), replaced], wish('IN_PROGRESS')],
    ['while the old deployment drains', [deployment(), replaced], wish('IN_PROGRESS')],
    ['while a task is missing', [deployment({runningCount: 1})], wish('SUCCESSFUL')],
    ['while ECS bakes it', [deployment()], wish('IN_PROGRESS', {lifecycleStage: 'BAKE_TIME'})],
  ])('and is on its way %s', (_when, of, mine) => {
    expect(look(of, mine)).toBeUndefined();
  });

  test('and says its stage, whatever that is called', () => {
    const primary = deployment({runningCount: 1});
    expect(standing(primary, wish('IN_PROGRESS', {lifecycleStage: 'POST_TEST_TRAFFIC_SHIFT'}))).toBe(
      '1 of 2 running, post test traffic shift',
    );
    expect(standing(primary, undefined)).toBe('1 of 2 running');
  });

  test('and was stopped: by the circuit breaker, or by somebody', () => {
    const failed = [deployment({rolloutState: 'FAILED'}), replaced];
    const statusReason = 'Service deployment stopped.';
    expect(look(failed, wish('STOPPED', {...tripped, statusReason}))).toEqual({
      status: 'failed',
      found: `the rollout failed: ${statusReason}`,
    });
    expect(look([deployment({rolloutState: 'IN_PROGRESS'}), replaced], wish('STOPPED', {statusReason}))).toEqual({
      status: 'failed',
      cause: 'stopped',
      found: `somebody stopped the deployment: ${statusReason}`,
    });
  });

  test('and failed: for good, or until ECS has taken it back', () => {
    const failed = [deployment({rolloutState: 'FAILED', rolloutStateReason: 'tasks failed to start.'}), replaced];
    expect(look(failed)).toEqual({status: 'failed', found: 'the rollout failed: tasks failed to start.'});
    const heals = {deploymentConfiguration: {deploymentCircuitBreaker: {enable: true, rollback: true}}};
    expect(look(failed, undefined, heals)).toMatchObject({status: 'pending', cause: 'failed'});
  });

  test('and is about to be taken back', () => {
    const going = [deployment({rolloutState: 'IN_PROGRESS'}), replaced];
    expect(look(going, wish('ROLLBACK_REQUESTED'))?.found).toBe('somebody has asked ECS to take it back');
    expect(look(going, wish('ROLLBACK_REQUESTED', tripped))?.found).toBe('ECS is about to take it back');
    expect(look(going, wish('STOP_REQUESTED'))?.found).toBe('somebody has asked ECS to stop the deployment');
    expect(look(going, wish('ROLLBACK_FAILED', {statusReason: 'no candidate'}))).toMatchObject({
      status: 'failed',
      found: 'it failed, and so did the way back: no candidate',
    });
  });
});

describe('the newest deployment is another', () => {
  const back = service([{...replaced, status: 'PRIMARY'}]);
  const over = service([
    deployment({id: 'ecs-svc/3', taskDefinition: foreign, rolloutState: 'IN_PROGRESS'}),
    deployment({status: 'ACTIVE'}),
  ]);
  const alarmed = {alarms: {triggeredAlarmNames: ['too-slow']}};

  test.each<[string, EcsServiceDeployment, string]>([
    ['the circuit breaker', wish('ROLLBACK_SUCCESSFUL', tripped), 'ECS took it back to web:1'],
    ['an alarm', wish('ROLLBACK_SUCCESSFUL', alarmed), 'ECS took it back to web:1'],
    [
      'a lifecycle hook',
      wish('ROLLBACK_SUCCESSFUL', {statusReason: 'A lifecycle hook failed.'}),
      'ECS took it back to web:1: A lifecycle hook failed.',
    ],
  ])('since ECS took ours back: %s', (_what, mine, found) => {
    expect(judgeAnother(rollout, back, mine, seen(past('ours', ours)))).toEqual({status: 'failed', cause: 'rolled back', found});
  });

  test.each<[string, EcsServiceDeployment | undefined, History]>([
    ['as its history has it', wish('ROLLBACK_SUCCESSFUL', tripped), seen(past('ours', ours))],
    ['as its events have it', undefined, unseen],
  ])(
    'since ECS took ours back, and the old version does not run either: that is no “back on the old one” (%s)',
    (_how, mine, history) => {
      const events = [{message: '(service web) rolling back to deployment ecs-svc/1.'}];
      for (const [runningCount, desiredCount] of [
        [1, 2],
        [0, 0],
      ]) {
        const down = service([{...replaced, status: 'PRIMARY', runningCount, desiredCount}], {events});
        expect(judgeAnother(rollout, down, mine, history)).toEqual({
          status: 'pending',
          cause: 'failed',
          found: expect.stringMatching(`^ECS took it back to web:1.*; ${runningCount} of ${desiredCount} running there$`),
        });
      }
    },
  );

  test('since somebody had ECS take ours back', () => {
    const mine = wish('ROLLBACK_SUCCESSFUL', {statusReason: 'Requested by a user.'});
    expect(judgeAnother(rollout, back, mine, seen(past('ours', ours)))).toEqual({
      status: 'failed',
      cause: 'stopped',
      found: 'somebody stopped the deployment: ECS took it back to web:1: Requested by a user.',
    });
  });

  test.each<[string, EcsServiceDeployment | undefined, History]>([
    ['the history names a newer one', wish('IN_PROGRESS'), seen(past('theirs', foreign), past('ours', ours))],
    ['ours was stopped for it', wish('STOPPED'), seen(past('ours', ours))],
    ['ours had arrived before', wish('SUCCESSFUL'), seen(past('theirs', foreign), past('ours', ours))],
    ['the history has forgotten ours', undefined, seen(past('theirs', foreign))],
    ['the history may not be looked at', undefined, unseen],
  ])('since another took over: %s', (_what, mine, history) => {
    expect(judgeAnother(rollout, over, mine, history)).toMatchObject({
      status: 'failed',
      cause: 'superseded',
      found: 'another deployment took over: it runs web:3',
      taker: foreign,
    });
  });

  test.each<[string, EcsServiceDeployment | undefined, History]>([
    ['it is pending', wish('PENDING'), seen(past('ours', ours))],
    ['the history lags', undefined, seen()],
    ['nothing may be looked at', undefined, unseen],
  ])('since ours has not begun: %s', (_what, mine, history) => {
    expect(judgeAnother(rollout, back, mine, history)).toEqual({
      status: 'pending',
      found: 'it runs web:1; the deployment of web:2 is not to be seen',
    });
  });

  test('of the same revision, since ours has not begun', () => {
    const anew: Rollout = {...rollout, from: ours};
    const before = service([deployment({id: 'ecs-svc/1'})]);
    expect(judgeAnother(anew, before, undefined, seen()).found).toBe(
      'it runs web:2; the new deployment of web:2 is not to be seen',
    );
  });

  test('and the signs of a way back are believed where the history may not be looked at', () => {
    const turning = service([
      deployment({
        id: 'ecs-svc/1',
        taskDefinition: old,
        rolloutState: 'IN_PROGRESS',
        rolloutStateReason: 'rolling back to deploymentId ecs-svc/1.',
      }),
      deployment({status: 'ACTIVE', rolloutState: 'FAILED', runningCount: 0}),
    ]);
    expect(judgeAnother(rollout, turning, undefined, unseen)).toMatchObject({
      status: 'pending',
      found: expect.stringMatching(/^ECS is taking it back to web:1/),
    });
    const events = [{message: '(service web) rolling back to deployment ecs-svc/1.'}];
    expect(judgeAnother(rollout, {...back, events}, undefined, unseen)).toMatchObject({status: 'failed', cause: 'rolled back'});
  });

  test('where we had ECS take ours back: that is the way', () => {
    const asked: Rollout = {...rollout, taskDefinition: old, from: ours, replaced: 'ecs-svc/2', takenBack: 'ours'};
    const going = service([deployment({rolloutState: 'IN_PROGRESS'}), replaced]);
    expect(judgeAnother(asked, going, wish('ROLLBACK_REQUESTED'), seen(past('ours', ours)))).toMatchObject({status: 'pending'});
    expect(judgeAnother(asked, over, wish('ROLLBACK_SUCCESSFUL'), seen(past('ours', ours)))).toMatchObject({cause: 'superseded'});
    // The service was seen a moment before its deployment; or somebody has deployed the same once more since.
    const again = seen(past('theirs', ours), past('ours', ours));
    expect(judgeAnother(asked, going, wish('ROLLBACK_SUCCESSFUL'), seen(past('ours', ours)))).toMatchObject({status: 'pending'});
    expect(judgeAnother(asked, going, wish('ROLLBACK_SUCCESSFUL'), again)).toMatchObject({cause: 'superseded'});
    const primary = deployment({id: 'ecs-svc/1', taskDefinition: old});
    expect(judgeOurs(asked, service([primary]), primary, wish('ROLLBACK_SUCCESSFUL'))?.status).toBe('passed');
    expect(judgeOurs(asked, service([primary]), primary, wish('ROLLBACK_IN_PROGRESS'))).toBeUndefined();
  });
});
