import {expect, test} from 'vitest';
import {evidenceOf} from '../../../../src/components/aws/rollout/diagnosis.ts';
import type {Rollout} from '../../../../src/components/aws/rollout/subject.ts';
import {newTrack} from '../../../../src/components/aws/rollout/track.ts';
import type {EcsServiceDeployment} from '../../../../src/tools/aws/ecs.ts';

const began = Date.UTC(2026, 0, 15, 12);

const rollout: Rollout = {
  is: 'rollout',
  cluster: 'pass',
  service: 'web',
  from: 'web:1',
  taskDefinition: 'web:2',
  images: [],
  replaced: null,
  since: began,
  takenBack: null,
};

test('what is told of a failure is of this deployment, with its circuit breaker and its alarms, and no novel', () => {
  const minute = (count: number) => new Date(began + count * 60_000);
  const events = [
    {createdAt: minute(2), message: `(service web) ${'x'.repeat(500)}`},
    {createdAt: minute(1), message: '(service web) was unable to place a task.'},
    {createdAt: minute(-1), message: '(service web) has reached a steady state.'},
  ];
  const mine: EcsServiceDeployment = {
    deploymentCircuitBreaker: {status: 'MONITORING', failureCount: 2, threshold: 5},
    alarms: {triggeredAlarmNames: ['too-slow']},
  };
  expect(evidenceOf(rollout, {events}, mine, [], newTrack())).toEqual([
    'circuit breaker: 2 failed tasks, it trips at 5',
    'alarm too-slow has gone off',
    expect.stringMatching(/^\(service web\) x{386}…$/),
    '(service web) was unable to place a task.',
  ]);
});
