import {expect, onTestFinished, test} from 'vitest';
import {UpdateServiceCommand} from '@aws-sdk/client-ecs';
import {PutImageCommand} from '@aws-sdk/client-ecr';
import {startEmulator} from '../../../src/emulator/index.ts';
import {type Aws, createAws} from '../../../src/tools/aws/index.ts';
import type {Timer} from '../../../src/tools/pacing.ts';
import {type Story, image, story} from '../../emulator/story.ts';
import {serve} from '../server.ts';

const noWait = () => Promise.resolve();

const awsOf = ({url}: Pick<Story, 'url'>, timer?: Timer) =>
  createAws({
    ...(timer && {timer}),
    region: 'us-east-1',
    profile: undefined,
    login: undefined,
    env: {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'},
  });

/** A service `web` of so many tasks. */
async function service(desiredCount: number) {
  const told = await story();
  const {world} = told;
  for (const tag of ['1.0.0', '1.1.0']) world.putImage('web', tag);
  const register = (tag: string) =>
    world.registerTaskDefinition({family: 'web', containerDefinitions: [{name: 'app', image: image('web', tag)}]});
  world.createService({cluster: 'main', service: 'web', taskDefinition: register('1.0.0'), desiredCount});
  return {...told, register, aws: awsOf(told)};
}

test('all tasks of a service are listed, however many there are', async () => {
  const {aws, calls} = await service(230);

  const tasks = await aws.ecs.tasks('main', 'web', 'RUNNING');
  expect(new Set(tasks.map(({taskArn}) => taskArn)).size).toBe(230);
  expect(calls.filter(({action}) => action === 'DescribeTasks')).toHaveLength(3);
  expect(await aws.ecs.tasks('main', 'web', 'STOPPED')).toEqual([]);
});

test('the deployments of a service name the revision that each set out for, newest first', async () => {
  const {ecs, register, clock, aws, ...told} = await service(1);
  clock.pass(60);
  await ecs.send(new UpdateServiceCommand({cluster: 'main', service: 'web', taskDefinition: register('1.1.0')}));
  clock.pass(1);

  const deployments = await aws.ecs.deployments('main', 'web');
  const revisions = await aws.ecs.serviceRevisions(deployments.map(({revision}) => revision));
  expect(deployments.map(({status, revision}) => [status, revisions.get(revision)?.taskDefinition.split('/')[1]])).toEqual([
    ['IN_PROGRESS', 'web:2'],
    ['SUCCESSFUL', 'web:1'],
  ]);
  const [newest] = deployments;
  expect(await aws.ecs.deployments('main', 'web', newest?.at)).toEqual([newest]);
  // As AWS answers to a moment that lies too far back.
  told.world.fail({action: 'ListServiceDeployments', kind: {code: 'InvalidParameterException'}});
  expect(await aws.ecs.deployments('main', 'web', 0)).toEqual(deployments);
  expect(revisions.get(newest?.revision ?? '')?.digests.get('app')).toBe(told.world.putImage('web', '1.1.0'));
});

test('whoever watches a service is told nothing older than what was seen of it meanwhile', async () => {
  const {world, register, aws} = await service(1);
  expect((await aws.ecs.watched('main', 'web'))?.taskDefinition).toMatch(/web:1$/);
  world.updateService({cluster: 'main', service: 'web', taskDefinition: register('1.1.0')});
  expect((await aws.ecs.service('main', 'web'))?.taskDefinition).toMatch(/web:2$/);
  expect((await aws.ecs.watched('main', 'web'))?.taskDefinition).toMatch(/web:2$/);
});

test('a service revision is asked for once: it never changes', async () => {
  const {aws, calls} = await service(1);
  const [newest] = await aws.ecs.deployments('main', 'web');
  const arns = [newest?.revision ?? '', newest?.revision ?? ''];
  await aws.ecs.serviceRevisions(arns);
  await aws.ecs.serviceRevisions(arns);
  expect(calls.filter(({action}) => action === 'DescribeServiceRevisions')).toHaveLength(1);
  expect(await aws.ecs.serviceRevisions([])).toEqual(new Map());
});

test('stopped tasks that are known are not asked for again', async () => {
  const {aws, calls} = await service(2);
  const tasks = await aws.ecs.tasks('main', 'web', 'RUNNING');
  const known = new Map(tasks.map(task => [task.taskArn ?? '', task]));
  expect(await aws.ecs.tasks('main', 'web', 'RUNNING', known)).toEqual(tasks);
  expect(calls.filter(({action}) => action === 'DescribeTasks')).toHaveLength(1);
});

test('the tail of a log, and the health behind a load balancer', async () => {
  const {aws, world} = await service(1);
  const log = {region: undefined, group: '/ecs/web', stream: 'ecs/app/1'};
  expect(await aws.logs.tail(log, 2)).toBeUndefined();
  world.writeLog(log, ['one', 'two', 'three']);
  expect(await aws.logs.tail(log, 2)).toEqual(['two', 'three']);

  const targetGroup = world.createTargetGroup({name: 'shop'});
  world.createService({cluster: 'main', service: 'shop', taskDefinition: 'web', desiredCount: 2, targetGroup});
  expect(await aws.elb.targetHealth(targetGroup)).toEqual([
    {state: 'healthy', reason: undefined, description: undefined},
    {state: 'healthy', reason: undefined, description: undefined},
  ]);
});

test('what is not there is undefined, and no error', async () => {
  const {aws} = await service(1);
  expect(await aws.ecs.cluster('nothing')).toBeUndefined();
  expect(await aws.ecs.service('main', 'nothing')).toBeUndefined();
  expect(await aws.ecs.taskDefinition('nothing')).toBeUndefined();
  expect(await aws.ecs.taskDefinition('web:9')).toBeUndefined();
  expect(await aws.ecr.image('nothing', '1.0.0')).toBeUndefined();
  expect(await aws.ecr.tags('nothing')).toEqual([]);
  expect(await aws.ecr.image('web', '9.9.9')).toBeUndefined();
  expect(await aws.events.rule({name: 'nothing', bus: 'default'})).toBeUndefined();
  expect(await aws.sns.topic('arn:aws:sns:us-east-1:000000000000:nothing')).toBeUndefined();
});

test('a task definition that is read can be registered as it is, tags included', async () => {
  const {aws, world} = await service(1);
  world.registerTaskDefinition({
    family: 'loader',
    tags: [{key: 'project', value: 'pass'}],
    containerDefinitions: [{name: 'loader', image: 'loader:1', environment: [{name: 'A', value: '1'}]}],
  });

  const read = await aws.ecs.taskDefinition('loader');
  expect(read?.input['tags']).toEqual([{key: 'project', value: 'pass'}]);
  const registered = await aws.ecs.register(read?.input ?? {}, noWait);
  const again = await aws.ecs.taskDefinition(registered);
  expect(again?.revision).toBe(2);
  expect(again?.input).toEqual(read?.input);
  expect(await aws.ecs.revisions('loader', 5)).toEqual([registered, read?.arn]);
});

test('what Register does not take of a definition is not sent back, nor are tags of AWS itself', async () => {
  const declared = {family: 'web', cpu: '256', containerDefinitions: [{name: 'app', image: 'web:1'}]};
  await using server = await serve((_request, response) => {
    const taskDefinition = {
      ...declared,
      taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
      revision: 1,
      status: 'DELETE_IN_PROGRESS',
      requiresAttributes: [{name: 'com.amazonaws.ecs.capability.ecr-auth'}],
      compatibilities: ['EC2', 'FARGATE'],
      registeredAt: 1_768_478_400,
      deregisteredAt: 1_768_478_400,
      deleteRequestedAt: 1_768_478_400,
      registeredBy: 'arn:aws:iam::000000000000:root',
    };
    response
      .writeHead(200, {'content-type': 'application/x-amz-json-1.1'})
      .end(JSON.stringify({taskDefinition, tags: [{key: 'aws:cloudformation:stack-name', value: 'web'}]}));
  });
  expect((await awsOf(server).ecs.taskDefinition('web:1'))?.input).toEqual(declared);
});

test('a task definition without tags is registered without any', async () => {
  const {aws} = await service(1);
  const read = await aws.ecs.taskDefinition('web');
  expect(read?.input).not.toHaveProperty('tags');
  expect(await aws.ecs.register(read?.input ?? {}, noWait)).toMatch(/web:2$/);
});

test('the platforms of an index are the manifests that it names', async () => {
  const told = await service(1);
  const platforms = ['ab', 'cd'].map(pair => `sha256:${pair.repeat(32)}`);
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: platforms.map(digest => ({digest, size: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json'})),
  };
  await told.ecr.send(new PutImageCommand({repositoryName: 'web', imageTag: 'all', imageManifest: JSON.stringify(index)}));

  const all = await told.aws.ecr.image('web', 'all');
  expect(await told.aws.ecr.platforms('web', all?.digest ?? '')).toEqual(platforms);
  const one = await told.aws.ecr.image('web', '1.0.0');
  expect(await told.aws.ecr.platforms('web', one?.digest ?? '')).toEqual([]);
  expect(await told.aws.ecr.platforms('web', `sha256:${'00'.repeat(32)}`)).toEqual([]);
});

test('the tags of a repository, with the time at which they were pushed', async () => {
  const told = await service(1);
  told.world.putImage('web', '1.1.0');
  const tags = await told.aws.ecr.tags('web');
  expect(tags.map(({tag}) => tag).toSorted()).toEqual(['1.0.0', '1.1.0']);
  for (const {pushedAt} of tags) expect(Date.parse(pushedAt ?? '')).not.toBeNaN();
});

test('services that are asked for in the same moment share their calls, ten in each', async () => {
  const {aws, world, calls} = await service(1);
  const names = Array.from({length: 24}, (_, index) => `service-${index}`);
  for (const name of names) world.createService({cluster: 'main', service: name, taskDefinition: 'web', desiredCount: 1});

  const found = await Promise.all(names.map(name => aws.ecs.service('main', name)));
  expect(found.map(one => one?.serviceName)).toEqual(names);
  expect(calls.filter(({action}) => action === 'DescribeServices')).toHaveLength(3);
});

type Wait = (ms: number) => Promise<void>;
const rule = {name: 'nightly', bus: 'default'};
const machine = 'arn:aws:states:us-east-1:000000000000:stateMachine:nightly';
const topic = 'arn:aws:sns:us-east-1:000000000000:deploys';

// Four fifths of what facts/aws.md and AWS's quota pages give (tools/aws/budgets.ts); larger ones are left to budgets.test.ts.
test.each<[string, number, (aws: Aws, wait: Wait) => Promise<unknown>]>([
  ['clusters', 40, ({ecs}) => ecs.cluster('main')],
  ['services', 80, ({ecs}) => ecs.servicesIn('main', 10)],
  ['tasks', 80, ({ecs}) => ecs.tasks('main', 'web', 'STOPPED')],
  ['deployments', 40, ({ecs}) => ecs.deployments('main', 'web')],
  ['definitions', 40, ({ecs}) => ecs.revisions('web', 1)],
  [
    'registrations',
    16,
    ({ecs}, wait) => ecs.register({family: 'web', containerDefinitions: [{name: 'app', image: 'web:1'}]}, wait),
  ],
  ['updates of services', 40, ({ecs}, wait) => ecs.updateService('main', 'web', {taskDefinition: 'web:1', force: true}, wait)],
  ['rules', 40, ({events}) => events.rule(rule)],
  ['targets', 40, ({events}) => events.targets(rule)],
  ['event buses', 40, ({events}) => events.buses(10)],
  ['lists of rules', 40, ({events}) => events.list('default', 10)],
  ['changes of targets', 40, ({events}, wait) => events.putTargets(rule, [], wait)],
  ['schedules', 40, ({scheduler}) => scheduler.schedule({group: 'default', name: 'nightly'})],
  ['lists of schedules', 40, ({scheduler}) => scheduler.list(10)],
  ['changes of schedules', 40, ({scheduler}, wait) => scheduler.update({Name: 'nightly', GroupName: 'default'}, wait)],
  ['job definitions', 40, ({batch}) => batch.revisions('loader', 1)],
  ['registrations of jobs', 40, ({batch}, wait) => batch.register({jobDefinitionName: 'loader', type: 'container'}, wait)],
  ['jobs', 40, ({batch}) => batch.job('job-1')],
  ['lists of jobs', 40, ({batch}) => batch.jobs('queue', 'loader')],
  ['state machines', 160, ({sfn}) => sfn.stateMachine(machine)],
  ['lists of state machines', 80, ({sfn}) => sfn.list(10)],
  ['changes of state machines', 80, ({sfn}, wait) => sfn.update(machine, '{}', wait)],
  ['topics', 24, ({sns}) => sns.topic(topic)],
  ['lists of topics', 24, ({sns}) => sns.topics()],
  ['messages', 240, ({sns}, wait) => sns.publish({topic, message: '{"default":"1"}', attributes: {}, fifo: null}, wait)],
  ['images', 80, ({ecr}) => ecr.image('web', '1.0.0')],
  ['repositories', 80, ({ecr}) => ecr.repository('web')],
  ['roles', 12, ({iam}) => iam.role(crypto.randomUUID())],
  ['simulations', 16, ({iam}) => iam.simulate({principal: 'arn:aws:iam::1:role/x', actions: ['ecs:RunTask'], resources: ['*']})],
  ['target groups', 32, ({elb}) => elb.targetHealth('arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/1')],
  ['lines of logs', 8, ({logs}) => logs.tail({region: undefined, group: 'web', stream: 'web/1'}, 10)],
])('calls for %s wait their turn after %i at once', async (_what, burst, call) => {
  const waits: number[] = [];
  const wait: Wait = ms => Promise.resolve(void waits.push(ms));
  // With a clock like ours: the SDK tries again what is refused by one that is not.
  const emulator = await startEmulator({});
  onTestFinished(() => emulator.close());
  const aws = awsOf(emulator, {now: () => 0, sleep: wait});
  // What the answer is does not matter here: a refusal is an answer, too.
  const send = () => call(aws, wait).catch(() => undefined);
  for (let sent = 0; sent < burst; sent++) await send();
  expect(waits).toEqual([]);
  await send();
  expect(waits).toEqual([expect.any(Number)]);
  expect(waits[0]).toBeGreaterThan(0);
});

test('new credentials do not make AWS forget what was asked with the ones before', async () => {
  const waits: number[] = [];
  const aws = awsOf(await service(1), {now: () => 0, sleep: ms => Promise.resolve(void waits.push(ms))});
  for (let sent = 0; sent < 40; sent++) await aws.events.list('default', 1);
  aws.renew();
  await aws.events.list('default', 1);
  expect(waits).toHaveLength(1);
});

test('every page of a listing waits its turn', async () => {
  const waits: number[] = [];
  const told = await service(1);
  for (let made = 0; made < 250; made++) told.world.createRule({name: `rule-${made}`, ScheduleExpression: 'rate(1 day)'});
  const aws = awsOf(told, {now: () => 0, sleep: ms => Promise.resolve(void waits.push(ms))});
  // Three pages each.
  for (let listed = 0; listed < 14; listed++) expect((await aws.events.list('default', 1000)).rules).toHaveLength(250);
  expect(waits).toHaveLength(14 * 3 - 40);
});

test('no more pages are asked for than somebody wants', async () => {
  const {aws, world, calls} = await service(1);
  for (let made = 0; made < 250; made++) world.createRule({name: `rule-${made}`, ScheduleExpression: 'rate(1 day)'});
  const listed = await aws.events.list('default', 150);
  expect([listed.rules.length, listed.more]).toEqual([150, true]);
  expect(calls.filter(({action}) => action === 'ListRules')).toHaveLength(2);
});

test('whoever is stopped while a call waits for its turn has sent nothing', async () => {
  const {aws, calls} = await service(1);
  const register = (wait: Wait) => aws.ecs.register({family: 'web', containerDefinitions: [{name: 'app', image: 'web:1'}]}, wait);
  for (let sent = 0; sent < 16; sent++) await register(noWait);
  await expect(register(() => Promise.reject(new Error('stopped while waiting')))).rejects.toThrow('stopped while waiting');
  expect(calls.filter(({action}) => action === 'RegisterTaskDefinition')).toHaveLength(16);
});

test('what the components of a release may do is asked of IAM in one call, and each is told its own answer', async () => {
  const {aws, world, calls} = await service(1);
  const arn = (name: string) => `arn:aws:ecs:us-east-1:000000000000:service/main/${name}`;
  world.deny('ecs:UpdateService', arn('web-7'));
  const names = Array.from({length: 30}, (_, index) => `web-${index}`);
  const about = {principal: 'arn:aws:iam::000000000000:role/deployer', actions: ['ecs:UpdateService', 'ecs:DescribeServices']};
  const answers = await Promise.all(names.map(name => aws.iam.simulate({...about, resources: [arn(name)]})));

  expect(answers.map(decisions => decisions.map(({resource}) => resource))).toEqual(names.map(name => [arn(name), arn(name)]));
  const refused = answers.flat().filter(({is}) => is !== 'allowed');
  expect(refused.map(({action, resource}) => [action, resource])).toEqual([['ecs:UpdateService', arn('web-7')]]);
  // Twenty-five resources a call.
  expect(calls.filter(({action}) => action === 'SimulatePrincipalPolicy')).toHaveLength(2);
});

test('targets that AWS refuses with 200 are an error that names them', async () => {
  const {aws, world} = await service(1);
  const rule = {name: 'nightly', bus: 'default'};
  const target = {Id: 'loader', Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/main'};
  world.createRule({name: 'nightly', ScheduleExpression: 'rate(1 day)'});
  world.refuseTarget('loader');
  await expect(aws.events.putTargets(rule, [target, {...target, Id: 'other'}], noWait)).rejects.toThrow(
    /^rule nightly did not take 1 of 2 targets: loader: ConcurrentModificationException/,
  );
  expect(await aws.events.targets(rule)).toEqual([{...target, Id: 'other'}]);
});

test('a clock that is off by an hour holds up no change: what AWS refuses for its date is sent once more', async () => {
  let taken = 0;
  await using server = await serve((request, response) => {
    const now = Date.now() + 3_600_000;
    // 20260115T120000Z
    const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(request.headers['x-amz-date'])) ?? [];
    const [year = 0, month = 0, day, hour, minute, second] = parts.map(Number);
    const isOff = Math.abs(Date.UTC(year, month - 1, day, hour, minute, second) - now) > 300_000;
    if (!isOff) taken += 1;
    const answer = isOff
      ? {__type: 'InvalidSignatureException', message: 'Signature expired'}
      : {taskDefinition: {taskDefinitionArn: 'web:2'}};
    response
      .writeHead(isOff ? 403 : 200, {'content-type': 'application/x-amz-json-1.1', date: new Date(now).toUTCString()})
      .end(JSON.stringify(answer));
  });
  expect(await awsOf(server).ecs.register({family: 'web'}, noWait)).toBe('web:2');
  expect(taken).toBe(1);
});
