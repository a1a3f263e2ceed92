import {DescribeTasksCommand, ListTasksCommand} from '@aws-sdk/client-ecs';
import {describe, expect, test} from 'vitest';
import type {Io} from '../../../src/components/io.ts';
import {DeployError, StoppedError} from '../../../src/release/errors.ts';
import type {Step} from '../../../src/release/contract.ts';
import {loaderTarget, targetsOf} from '../../support/pass.ts';
import {type Story, image, story} from '../../emulator/story.ts';
import {type Bench, bench, notPassed} from './support.ts';
import {standingClock} from '../support/world.ts';

const released = '1.14.0';
const task = (name: string) => `arn:aws:ecs:us-east-1:000000000000:task-definition/${name}`;

const awslogs = {
  logDriver: 'awslogs',
  options: {'awslogs-group': '/ecs/loader', 'awslogs-region': 'us-east-1', 'awslogs-stream-prefix': 'ecs'},
};

/** A loader that a rule starts in the cluster `pass`, and a job that a schedule submits; both must run once before they are moved. */
async function loaders(
  within: string | true = true,
  starts = 'loader:1',
): Promise<{told: Story; loader: Bench; importer: Bench}> {
  const told = await story();
  const {world} = told;
  for (const tag of ['1.13.0', released]) for (const repository of ['loader', 'importer']) world.putImage(repository, tag);
  world.createCluster('pass');
  world.registerTaskDefinition({
    family: 'loader',
    containerDefinitions: [{name: 'loader', image: image('loader', '1.13.0'), logConfiguration: awslogs}],
  });
  world.registerJobDefinition({
    jobDefinitionName: 'importer',
    type: 'container',
    containerProperties: {image: image('importer', '1.13.0')},
  });
  world.createRule({name: 'nightly', ScheduleExpression: 'cron(0 2 * * ? *)'});
  const target = loaderTarget('daily', task(starts));
  world.putTargets({name: 'nightly'}, [{...target, Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/pass'}]);
  world.createSchedule({
    name: 'import',
    ScheduleExpression: 'rate(7 days)',
    FlexibleTimeWindow: {Mode: 'OFF'},
    Target: {
      Arn: 'arn:aws:scheduler:::aws-sdk:batch:submitJob',
      RoleArn: 'arn:aws:iam::000000000000:role/start',
      Input: '{"JobName": "import", "JobQueue": "loads", "JobDefinition": "importer:1"}',
    },
  });
  const smoke = within === true ? true : {within};
  const clock = standingClock(told.clock.now(), ms => told.clock.pass(ms / 1000));
  return {
    told,
    loader: bench(
      told.url,
      {kind: 'ecs-scheduled-task', family: 'loader', images: {loader: 'ecr/loader'}, targets: [{rule: 'nightly'}], smoke},
      clock,
    ),
    importer: bench(
      told.url,
      {
        kind: 'batch-job-definition',
        jobDefinition: 'importer',
        images: {default: 'ecr/importer'},
        targets: [{schedule: 'import'}],
        smoke,
      },
      clock,
    ),
  };
}

const changes = ({calls}: Story) =>
  calls.filter(({action}) => /^(?:Put|Update|Register|Run|Submit)/.test(action)).map(({action}) => action);

const starts = async ({events}: Story) =>
  (await targetsOf(events, 'nightly')).map(({EcsParameters}) => EcsParameters?.TaskDefinitionArn);

test('one run of the new revision comes before the rule is moved, started as the rule starts it', async () => {
  const {told, loader} = await loaders();
  expect(notPassed(await loader.requirements(released))).toEqual([]);

  const {plan, checks} = await loader.release(released);
  expect(plan.changes.map(({summary}) => summary)).toContain(
    'one run of new revision as rule nightly (target daily) would start it, before anything is moved: it must succeed within 15 min',
  );
  expect(notPassed(checks)).toEqual([]);
  expect(changes(told)).toEqual(['RegisterTaskDefinition', 'RunTask', 'PutTargets']);
  const {taskArns} = await told.ecs.send(new ListTasksCommand({cluster: 'pass', family: 'loader', desiredStatus: 'STOPPED'}));
  const {tasks} = await told.ecs.send(new DescribeTasksCommand({cluster: 'pass', tasks: taskArns}));
  expect(tasks).toEqual([
    expect.objectContaining({
      taskDefinitionArn: task('loader:2'),
      startedBy: expect.stringMatching(/^deploy-wizard-/),
      launchType: 'FARGATE',
      overrides: expect.objectContaining({containerOverrides: [expect.objectContaining({command: ['--since', 'last-run']})]}),
    }),
  ]);
  expect(await starts(told)).toEqual([task('loader:2')]);

  // What runs already needs no trial, and going back to it none either.
  expect((await loader.plan(released)).changes).toEqual([]);
});

test('a job is tried with what its schedule says', async () => {
  const {told, importer} = await loaders();
  const {checks} = await importer.release(released);
  expect(notPassed(checks)).toEqual([]);
  expect(changes(told)).toEqual(['RegisterJobDefinition', 'SubmitJob', 'UpdateSchedule']);
});

describe('a run that does not succeed moves nothing', () => {
  test.each([
    ['crash-loop', 'the smoke run of loader:2 failed: Essential container in task exited (container loader exited with 1)'],
    ['out-of-memory', 'container loader exited with 137, OutOfMemoryError: container killed due to memory usage'],
    ['cannot-pull', 'CannotPullContainerError'],
  ] as const)('%s', async (scenario, expected) => {
    const {told, loader} = await loaders();
    told.world.scenarioFor('loader', scenario);
    await expect(loader.release(released)).rejects.toThrow(expected);
    expect(changes(told)).toEqual(['RegisterTaskDefinition', 'RunTask']);
    expect(await starts(told)).toEqual([task('loader:1')]);
  });

  test.each(['loader', 'importer'] as const)('and leaves the last words of %s in the log of its job', async which => {
    const all = await loaders();
    all.told.world.scenarioFor(which, 'crash-loop');
    await expect(all[which].release(released)).rejects.toThrow('the smoke run');
    expect(all[which].logged.join('\n')).toContain('ERROR could not connect to the database: password authentication failed');
  });

  test('of Batch, too', async () => {
    const {told, importer} = await loaders();
    told.world.scenarioFor('importer', 'crash-loop');
    await expect(importer.release(released)).rejects.toThrow(
      'the smoke run of importer:2 failed: Essential container in task exited (its container exited with 1)',
    );
    expect(changes(told)).toEqual(['RegisterJobDefinition', 'SubmitJob']);
  });

  test('nor one that takes too long', async () => {
    const {told, loader} = await loaders('2m');
    told.world.scenarioFor('loader', {slowdown: 1000});
    const error = await loader.release(released).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(DeployError);
    expect(error).toMatchObject({
      message: expect.stringContaining('has not ended within 2 min'),
      means: 'It was left running, and no schedule was moved.',
      next: [expect.stringMatching(/aws ecs describe-tasks --cluster \S+ --tasks \S+/)],
    });
    expect(await starts(told)).toEqual([task('loader:1')]);
  });
});

describe('a run is started once', () => {
  test('although the answer to its start is lost', async () => {
    const {told, loader} = await loaders();
    told.world.fail({action: 'RunTask', kind: 'lost-answer'});
    expect(notPassed((await loader.release(released)).checks)).toEqual([]);
    expect(changes(told)).toEqual(['RegisterTaskDefinition', 'RunTask', 'PutTargets']);
  });

  test.each(['loader', 'importer'] as const)('although %s’s process ends while it runs', async which => {
    const all = await loaders();
    const bench = all[which];
    const {io, step, request} = await begun(bench);
    const dies: Io = {...io, clock: {...io.clock, sleep: () => Promise.reject(new StoppedError('gone'))}};
    await expect(step.perform(dies, request)).rejects.toThrow('gone');

    const settled = await step.settle(io, request);
    expect(settled).toEqual({done: {run: expect.any(String), seconds: expect.any(Number)}});
    expect(changes(all.told).filter(action => action === 'RunTask' || action === 'SubmitJob')).toHaveLength(1);
  });

  test('and one of which nothing is known may be started, unless it is so long ago that it may be forgotten', async () => {
    const {told, loader} = await loaders();
    const {io, step, request} = await begun(loader);
    expect(await step.settle(io, request)).toBe('absent');
    await io.clock.sleep(2 * 60 * 60_000, io.signal);
    expect(await step.settle(io, request)).toBe('unknown');
    expect(changes(told)).toEqual(['RegisterTaskDefinition']);
  });

  /** The revision is registered, and the run is about to begin. */
  async function begun({component, io, plan}: Bench) {
    const [register, smoke] = component.steps(await plan(released));
    const step = (found: Step<Io> | undefined): Step<Io> => {
      if (found === undefined) throw new Error('no such step');
      return found;
    };
    const registered = await step(register).perform(io, await step(register).request(io, new Map()));
    const request = await step(smoke).request(io, new Map([['register', registered]]));
    return {io, step: step(smoke), request};
  }
});

test('where registering activates, no run can come before: that is refused', async () => {
  const {loader} = await loaders(true, 'loader');
  expect(notPassed(await loader.requirements(released))).toEqual([
    'failed: loader: a smoke run can come before activation: rule nightly names no revision: registering one activates it there',
  ]);
});
