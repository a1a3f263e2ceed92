import {describe, expect, test} from 'vitest';
import {grouped, hopeless, isFailure, reasonOf} from '../../../../src/components/aws/rollout/reasons.ts';
import type {EcsTask} from '../../../../src/tools/aws/ecs.ts';

const stopped = (stoppedReason: string, more: Partial<EcsTask> = {}): EcsTask => ({
  stopCode: 'TaskFailedToStart',
  stoppedReason,
  ...more,
});
const crash = (exitCode: number, more: Partial<EcsTask> = {}): EcsTask => ({
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
  containers: [{name: 'app', exitCode}],
  ...more,
});
const after = (seconds: number): Partial<EcsTask> => ({startedAt: new Date(0), stoppedAt: new Date(seconds * 1000)});

describe('a task that ended', () => {
  test.each<[string, string]>([
    [
      'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref web:1.14.0: not found',
      'it is not there',
    ],
    [
      'CannotPullContainerError: Error response from daemon: manifest for web:1.14.0 not found: manifest unknown',
      'it is not there',
    ],
    [
      'CannotPullImageManifestError: pull access denied for web, repository does not exist or may require authorization',
      'the execution role may not',
    ],
    [
      "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
      'not made for the platform',
    ],
    ['CannotPullContainerError: 403 Forbidden', 'the execution role may not'],
    [
      'ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: AccessDeniedException: not allowed',
      'a secret cannot be read',
    ],
    [
      "ResourceInitializationError: unable to pull secrets or registry auth: secret: ResourceNotFoundException: Secrets Manager can't find it",
      'a secret is missing',
    ],
    [
      'ResourceInitializationError: failed to validate logger args: The specified log group does not exist',
      'the log of the container',
    ],
    ['CannotStartContainerError: exec format error', 'made for another CPU'],
    [
      'CannotCreateContainerError: exec: "serve": executable file not found in $PATH',
      'the command of the container is not in the image',
    ],
    ['ECS was unable to assume the role arn:aws:iam::333333333333:role/task', 'cannot assume a role'],
  ])('for good: %s', (reason, why) => {
    const found = hopeless(stopped(reason), []);
    expect(found?.why).toContain(why);
    expect(found?.next).toMatch(/\w+\.$/);
  });

  test.each([
    'CannotPullContainerError: i/o timeout',
    'CannotPullContainerError: context canceled',
    'CannotPullContainerError: toomanyrequests: Rate exceeded',
    'ResourceInitializationError: unable to pull secrets or registry auth: context deadline exceeded',
    'Essential container in task exited',
    'Timeout waiting for network interface provisioning to complete.',
  ])('and may start next time: %s', reason => {
    expect(hopeless(stopped(reason), [])).toBeUndefined();
  });

  test('out of memory at its start does so every time, and not after an hour of work', () => {
    const containers = [{name: 'app', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage'}];
    expect(hopeless(crash(137, {containers, ...after(2)}), [])?.why).toContain('out of memory');
    expect(hopeless(crash(137, {containers, ...after(3600)}), [])).toBeUndefined();
  });

  test('is believed what the kernel wrote into its log, and nothing else that stands there', () => {
    expect(hopeless(crash(255), ['  exec /bin/serve: exec format error'])?.why).toContain('another CPU');
    expect(
      hopeless(crash(1), ['standard_init_linux.go:228: exec user process caused: no such file or directory'])?.why,
    ).toContain('not in the image');
    expect(hopeless(crash(1), ['ERROR upstream said: exec format error'])).toBeUndefined();
  });
});

test.each<[string, Partial<EcsTask>, boolean]>([
  [
    'was scaled in',
    {stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity initiated by (deployment ecs-svc/2)'},
    false,
  ],
  [
    'did not get healthy',
    {stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Task failed ELB health checks in (target-group web)'},
    true,
  ],
  ['was on a spot instance', {stopCode: 'SpotInterruption'}, false],
  ['was stopped by a person', {stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user'}, false],
  ['is still to say why', {}, false],
  ['could not start', {stopCode: 'TaskFailedToStart'}, true],
  ['exited', {stopCode: 'EssentialContainerExited'}, true],
])('a task that %s: a failure? %s', (_what, task, isOne) => {
  expect(isFailure(task)).toBe(isOne);
});

test('the container that ended first is blamed, not those that followed it', () => {
  const containers = [
    {name: 'collector', exitCode: 143},
    {name: 'app', exitCode: 1},
  ];
  expect(reasonOf(crash(0, {containers}))).toBe('Essential container in task exited (container app exited with 1)');
  expect(reasonOf({})).toBe('stopped without a reason');
});

test('equal reasons are counted, the most frequent first', () => {
  expect(grouped([crash(1), crash(137), crash(137)])).toEqual([
    '2 × Essential container in task exited (container app exited with 137)',
    '1 × Essential container in task exited (container app exited with 1)',
  ]);
});
