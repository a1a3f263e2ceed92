import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {missing} from './tools.ts';
import {story} from './story.ts';

const run = promisify(execFile);

test.skipIf(missing('aws'))('the aws CLI speaks to it, in all protocols', {timeout: 60_000}, async () => {
  const {url, world} = await story();
  const TopicArn = world.createTopic({name: 'pass-deploy'});
  world.registerTaskDefinition({family: 'web', containerDefinitions: [{name: 'app', image: 'web:1'}]});
  world.createCluster('main');
  world.createService({cluster: 'main', service: 'web', taskDefinition: 'web', desiredCount: 2});

  const aws = async (...command: readonly string[]): Promise<unknown> => {
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL: url,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'thing',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_PAGER: '',
    };
    const {stdout} = await run('aws', [...command, '--output', 'json'], {env});
    return stdout === '' ? undefined : JSON.parse(stdout);
  };

  const machine = world.createStateMachine({name: 'load', definition: '{}', roleArn: 'arn:aws:iam::000000000000:role/states'});
  world.createSchedule({
    name: 'journal',
    ScheduleExpression: 'rate(1 day)',
    FlexibleTimeWindow: {Mode: 'OFF'},
    Target: {Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/main', RoleArn: 'arn:aws:iam::000000000000:role/starter'},
  });

  // JSON 1.1, Query, JSON 1.0, and REST-JSON with what it says in the path, in the query, and in the body.
  expect(await aws('ecs', 'describe-services', '--cluster', 'main', '--services', 'web')).toMatchObject({
    services: [{runningCount: 2, deployments: [{rolloutState: 'COMPLETED'}]}],
    failures: [],
  });
  expect(await aws('sns', 'publish', '--topic-arn', TopicArn, '--message', 'a & b')).toMatchObject({
    MessageId: expect.any(String),
  });
  expect(world.published.map(({message}) => message)).toEqual(['a & b']);
  expect(await aws('stepfunctions', 'describe-state-machine', '--state-machine-arn', machine)).toMatchObject({name: 'load'});
  expect(await aws('scheduler', 'get-schedule', '--name', 'journal', '--group-name', 'default')).toMatchObject({
    Arn: 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/journal',
  });
  const container = JSON.stringify({image: 'grants:1', resourceRequirements: [{type: 'VCPU', value: '1'}]});
  const register = ['--job-definition-name', 'grants', '--type', 'container', '--container-properties', container];
  expect(await aws('batch', 'register-job-definition', ...register)).toMatchObject({revision: 1});
  await expect(aws('scheduler', 'get-schedule', '--name', 'no')).rejects.toMatchObject({
    stderr: expect.stringContaining('(ResourceNotFoundException)'),
  });
});
