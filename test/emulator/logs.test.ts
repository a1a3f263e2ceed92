import {DescribeLogStreamsCommand, GetLogEventsCommand, type GetLogEventsCommandInput} from '@aws-sdk/client-cloudwatch-logs';
import {expect, test} from 'vitest';
import {runningService} from './rollout-story.ts';
import {NOON, story} from './story.ts';

const log = {group: '/ecs/web', stream: 'ecs/app/one'};

/** A log of five lines, one a second. */
async function fiveLines() {
  const told = await story();
  for (const line of ['1', '2', '3', '4 ERROR no database', '5']) {
    told.world.writeLog(log, [line]);
    told.clock.pass(1);
  }
  const get = async (input: Partial<GetLogEventsCommandInput>) => {
    const answer = await told.logs.send(new GetLogEventsCommand({logGroupName: log.group, logStreamName: log.stream, ...input}));
    return {...answer, lines: (answer.events ?? []).map(({message}) => message?.[0]).join('')};
  };
  return {...told, get};
}

test('without more to go by, the latest lines are given; from the head, the first', async () => {
  const {get} = await fiveLines();
  expect((await get({limit: 2})).lines).toBe('45');
  expect((await get({limit: 2, startFromHead: true})).lines).toBe('12');
  expect((await get({startTime: NOON + 1000, endTime: NOON + 3000})).lines).toBe('23');
});

test('tokens go on and back; at the end the same token comes again, and what is written later is found with it', async () => {
  const {get, world} = await fiveLines();
  const first = await get({limit: 2, startFromHead: true});
  const second = await get({limit: 2, nextToken: first.nextForwardToken});
  const third = await get({nextToken: second.nextForwardToken});
  const end = await get({nextToken: third.nextForwardToken});
  expect([second.lines, third.lines, end.lines]).toEqual(['34', '5', '']);
  expect(end.nextForwardToken).toBe(third.nextForwardToken);
  expect((await get({limit: 1, nextToken: second.nextBackwardToken})).lines).toBe('2');

  world.writeLog(log, ['6']);
  expect((await get({nextToken: end.nextForwardToken})).lines).toBe('6');
  await expect(get({nextToken: 'forward'})).rejects.toMatchObject({name: 'InvalidParameterException'});
});

test('containers write to the streams that their task definition names, as far as they have come', async () => {
  const {logs, tasks, deploy, world, clock} = await runningService();
  const streams = async () => {
    const {logStreams = []} = await logs.send(
      new DescribeLogStreamsCommand({logGroupName: '/ecs/web', logStreamNamePrefix: 'ecs/app/', orderBy: 'LastEventTime'}),
    );
    return logStreams.map(({logStreamName}) => logStreamName);
  };
  const running = async () => (await tasks()).map(({taskArn}) => `ecs/app/${taskArn?.split('/').at(-1)}`);
  expect(new Set(await streams())).toEqual(new Set(await running()));

  world.putImage('web', '1.1.0');
  await deploy('1.1.0');
  clock.pass(4); // a new task is being started, and has not said anything yet
  expect(await streams()).toHaveLength(3);
  clock.pass(2);
  expect(await streams()).toHaveLength(4);
});

test('a group that nobody has made is not there', async () => {
  const {logs} = await runningService();
  await expect(logs.send(new DescribeLogStreamsCommand({logGroupName: '/ecs/other'}))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'The specified log group does not exist.',
  });
});
