import {expect, test, vi} from 'vitest';
import {type Aws, createAws} from '../../../src/tools/aws/index.ts';
import {story} from '../../emulator/story.ts';
import {serve} from '../server.ts';

const noWait = () => Promise.resolve();
const awsAt = (url: string) =>
  createAws({
    region: 'us-east-1',
    profile: undefined,
    login: undefined,
    env: {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'},
  });
const role = 'arn:aws:iam::000000000000:role/start';
const machine = 'arn:aws:states:us-east-1:000000000000:stateMachine:load';

/** An endpoint that gives every call the same answer. */
const answering = (status: number, body: unknown) =>
  serve((_request, response) => void response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body)));

test('what is not there is undefined, and no error', async () => {
  const {url} = await story();
  const aws = awsAt(url);
  expect(await aws.scheduler.schedule({group: 'default', name: 'nothing'})).toBeUndefined();
  expect(await aws.scheduler.schedule({group: 'nothing', name: 'nothing'})).toBeUndefined();
  expect(await aws.sfn.stateMachine(machine)).toBeUndefined();
  expect(await aws.batch.jobDefinition('nothing')).toBeUndefined();
  expect(await aws.batch.jobDefinition('nothing:3')).toBeUndefined();
  expect(await aws.events.targets({name: 'nothing', bus: 'default'})).toBeUndefined();
  expect(await aws.batch.job('nothing')).toBeUndefined();
});

test('a job definition that is read can be registered as it is: tags are kept, and none are never sent', async () => {
  const {url, world} = await story();
  const aws = awsAt(url);
  const properties = {
    type: 'container',
    containerProperties: {image: 'loader:1', command: ['load']},
    parameters: {Since: 'last'},
  };
  world.registerJobDefinition({jobDefinitionName: 'tagged', ...properties, tags: {project: 'pass'}, propagateTags: true});
  world.registerJobDefinition({jobDefinitionName: 'bare', ...properties});

  const tagged = await aws.batch.jobDefinition('tagged');
  expect(tagged?.input).toMatchObject({tags: {project: 'pass'}, propagateTags: true, parameters: {Since: 'last'}});
  for (const key of ['jobDefinitionArn', 'revision', 'status', 'containerOrchestrationType'])
    expect(tagged?.input).not.toHaveProperty(key);
  const arn = await aws.batch.register(tagged?.input ?? {}, noWait);
  expect((await aws.batch.jobDefinition(arn))?.input).toEqual(tagged?.input);
  expect(await aws.batch.revisions('tagged', 5)).toEqual([arn, tagged?.arn]);
  expect((await aws.batch.jobDefinition('tagged'))?.arn).toBe(arn);
  expect((await aws.batch.jobDefinition('bare'))?.input).not.toHaveProperty('tags');
});

test('lists end where they are told to, and say that there is more', async () => {
  const {url, world} = await story();
  const aws = awsAt(url);
  for (let index = 0; index < 5; index++) {
    world.createRule({name: `rule-${index}`, ScheduleExpression: 'rate(1 day)'});
    world.createStateMachine({name: `machine-${index}`, roleArn: role, definition: '{}'});
    const Target = {Arn: machine, RoleArn: role};
    world.createSchedule({
      name: `schedule-${index}`,
      ScheduleExpression: 'rate(1 day)',
      FlexibleTimeWindow: {Mode: 'OFF'},
      Target,
    });
  }
  for (const [most, found, more] of [
    [3, 3, true],
    [5, 5, false],
    [9, 5, false],
  ] as const) {
    const [rules, machines, schedules] = await Promise.all([
      aws.events.list('default', most),
      aws.sfn.list(most),
      aws.scheduler.list(most),
    ]);
    expect([rules.rules.length, rules.more]).toEqual([found, more]);
    expect([machines.arns.length, machines.more]).toEqual([found, more]);
    expect([schedules.schedules.length, schedules.more]).toEqual([found, more]);
    expect(schedules.schedules[0]).toEqual({group: 'default', name: 'schedule-0', target: machine});
  }
});

test('a conflict is an answer, and is sent once', async () => {
  const conflict = {__type: 'ConflictException', Message: 'it is being changed', message: 'it is being changed'};
  await using server = await answering(409, conflict);
  const aws = awsAt(server.url);
  expect(await aws.sfn.update(machine, '{}', noWait)).toBe('conflict');
  const schedule = {
    Name: 'nightly',
    ScheduleExpression: 'rate(1 day)',
    FlexibleTimeWindow: {Mode: 'OFF' as const},
    Target: {Arn: machine, RoleArn: role},
  };
  expect(await aws.scheduler.update(schedule, noWait)).toBe('conflict');
  expect(server.requests).toEqual(['POST /', 'PUT /schedules/nightly']);
});

test('a task that could not be placed is a failure, although ECS answers 200', async () => {
  await using server = await answering(200, {
    tasks: [],
    failures: [{arn: 'pass', reason: 'RESOURCE:MEMORY', detail: 'no instance has it'}],
  });
  await expect(awsAt(server.url).ecs.run({taskDefinition: 'loader:2', clientToken: 'once'}, noWait)).rejects.toThrow(
    'ECS could not start the task: RESOURCE:MEMORY: no instance has it',
  );
});

test('tags of AWS itself are not sent back: whatever would set them is refused', async () => {
  const own = {key: 'project', value: 'pass'};
  const stack = {key: 'aws:cloudformation:stack-name', value: 'pass'};
  const taskDefinition = {taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/loader:2', family: 'loader'};
  await using task = await answering(200, {taskDefinition, tags: [stack, own]});
  expect((await awsAt(task.url).ecs.taskDefinition('loader'))?.input).toEqual({family: 'loader', tags: [own]});
  await using other = await answering(200, {taskDefinition, tags: [stack]});
  expect((await awsAt(other.url).ecs.taskDefinition('loader'))?.input).toEqual({family: 'loader'});

  const jobDefinition = {
    jobDefinitionArn: 'arn:aws:batch:us-east-1:000000000000:job-definition/load:2',
    jobDefinitionName: 'load',
  };
  const tags = {[stack.key]: stack.value, [own.key]: own.value};
  await using job = await answering(200, {jobDefinitions: [{...jobDefinition, revision: 2, status: 'ACTIVE', tags}]});
  expect((await awsAt(job.url).batch.jobDefinition('load'))?.input).toEqual({jobDefinitionName: 'load', tags: {project: 'pass'}});
});

const schedule = {Name: 'load', ScheduleExpression: 'rate(1 day)', FlexibleTimeWindow: {Mode: 'OFF'}, Target: undefined} as const;

test.each<[string, RegExp, (aws: Aws) => Promise<unknown>, (aws: Aws) => Promise<unknown>]>([
  [
    'targets',
    /ListTargetsByRule/,
    aws => aws.events.targets({name: 'load', bus: 'default'}),
    aws => aws.events.putTargets({name: 'load', bus: 'default'}, [], noWait),
  ],
  [
    'a schedule',
    /^GET .*schedules/,
    aws => aws.scheduler.schedule({group: 'default', name: 'load'}),
    aws => aws.scheduler.update(schedule, noWait),
  ],
  ['a state machine', /DescribeStateMachine/, aws => aws.sfn.stateMachine(machine), aws => aws.sfn.update(machine, '{}', noWait)],
  [
    'a family',
    /DescribeTaskDefinition/,
    aws => aws.ecs.taskDefinition('load'),
    aws => aws.ecs.register({family: 'load'}, noWait),
  ],
  [
    'a job',
    /describejobdefinitions/,
    aws => aws.batch.jobDefinition('load'),
    aws => aws.batch.register({type: 'container'}, noWait),
  ],
])('after a change of ours nobody is told of %s what was asked before it', async (_what, look, ask, change) => {
  const looks: (() => void)[] = [];
  await using server = await serve((request, response) => {
    const answer = () => void response.writeHead(200, {'content-type': 'application/json'}).end('{}');
    const call = `${request.method} ${request.url} ${String(request.headers['x-amz-target'])}`;
    // The first look is slow.
    if (look.test(call) && looks.push(answer) === 1) return;
    answer();
  });
  const aws = awsAt(server.url);
  const early = ask(aws).catch(() => undefined);
  await vi.waitUntil(() => looks.length === 1);
  await change(aws).catch(() => undefined);
  await ask(aws).catch(() => undefined);
  expect(looks).toHaveLength(2);
  looks[0]?.();
  await early;
});
