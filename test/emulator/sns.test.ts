import {CreateTopicCommand, GetTopicAttributesCommand, ListTopicsCommand, PublishCommand} from '@aws-sdk/client-sns';
import {expect, test} from 'vitest';
import {story} from './story.ts';

const TOPIC = 'arn:aws:sns:us-east-1:000000000000:pass-deploy';

test('a message is stored, and the application hears of it before the publisher does', async () => {
  const {sns, world} = await story();
  const TopicArn = world.createTopic({name: 'pass-deploy'});
  const heard: string[] = [];
  world.onPublish(TopicArn, ({message}) => void heard.push(message));

  const Message = JSON.stringify({action: 'DeployStart', note: '<&"quoted"> ü + 100%'});
  const {MessageId} = await sns.send(
    new PublishCommand({
      TopicArn,
      Message,
      Subject: 'Deploy',
      MessageAttributes: {env: {DataType: 'String', StringValue: 'staging'}},
    }),
  );
  expect(heard).toEqual([Message]);
  expect(world.published).toEqual([
    expect.objectContaining({
      messageId: MessageId,
      topicArn: TopicArn,
      message: Message,
      subject: 'Deploy',
      attributes: {env: 'staging'},
    }),
  ]);
});

test("an application that fails to act is not the publisher's problem, but it is not forgotten", async () => {
  const {sns, world} = await story();
  const TopicArn = world.createTopic({name: 'pass-deploy'});
  const stop = world.onPublish(TopicArn, () => {
    throw new Error('out of disk');
  });
  await sns.send(new PublishCommand({TopicArn, Message: 'deploy'}));
  stop();
  await sns.send(new PublishCommand({TopicArn, Message: 'again'}));
  expect(world.published.map(({failures}) => failures.map(String))).toEqual([['Error: out of disk'], []]);
});

test('a topic has attributes, those that were set and those that AWS adds', async () => {
  const {sns, world} = await story();
  const {TopicArn} = await sns.send(new CreateTopicCommand({Name: 'pass-deploy', Attributes: {DisplayName: 'Deploys & more'}}));
  world.onPublish(TOPIC, () => undefined);

  const {Attributes} = await sns.send(new GetTopicAttributesCommand({TopicArn}));
  expect(TopicArn).toBe(TOPIC);
  expect(Attributes).toMatchObject({TopicArn, Owner: '000000000000', DisplayName: 'Deploys & more', SubscriptionsConfirmed: '1'});
});

test('topics are listed in pages of a hundred', async () => {
  const {sns, world} = await story();
  for (let index = 0; index < 130; index += 1) world.createTopic({name: `topic-${index}`});

  const first = await sns.send(new ListTopicsCommand({}));
  const second = await sns.send(new ListTopicsCommand({NextToken: first.NextToken}));
  expect([first.Topics?.length, second.Topics?.length, second.NextToken]).toEqual([100, 30, undefined]);
});

test('a topic that is not there', async () => {
  const {sns} = await story();
  const missing = {name: 'NotFoundException', message: 'Topic does not exist', $metadata: {httpStatusCode: 404}};
  await expect(sns.send(new GetTopicAttributesCommand({TopicArn: TOPIC}))).rejects.toMatchObject(missing);
  await expect(sns.send(new PublishCommand({TopicArn: TOPIC, Message: 'deploy'}))).rejects.toMatchObject(missing);
  await expect(sns.send(new PublishCommand({TopicArn: 'pass-deploy', Message: 'deploy'}))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});

test.each([
  ['nothing to say', {Message: ''}, 'Empty message'],
  ['a subject of two lines', {Message: 'm', Subject: 'one\ntwo'}, 'Subject'],
  ['a subject of 100 characters', {Message: 'm', Subject: 's'.repeat(100)}, 'Subject'],
  ['json that is none', {Message: '{', MessageStructure: 'json'}, 'Message Structure - JSON message body failed to parse'],
  [
    'json that is no object',
    {Message: '["default"]', MessageStructure: 'json'},
    'Message Structure - JSON message body failed to parse',
  ],
  [
    'json without a default',
    {Message: '{"email":"m"}', MessageStructure: 'json'},
    'Message Structure - No default entry in JSON message body',
  ],
  [
    'a default that is no string',
    {Message: '{"default":1}', MessageStructure: 'json'},
    'Message Structure - No default entry in JSON message body',
  ],
  ['another structure', {Message: 'm', MessageStructure: 'yaml'}, 'MessageStructure'],
  ['one byte too many', {Message: 'ü'.repeat(131_072) + '.'}, 'Message too long'],
])('a message is refused: %s', async (_, message, problem) => {
  const {sns, world} = await story();
  world.createTopic({name: 'pass-deploy'});
  await expect(sns.send(new PublishCommand({TopicArn: TOPIC, ...message}))).rejects.toMatchObject({
    name: 'InvalidParameterException',
    message: `Invalid parameter: ${problem}`,
  });
  expect(world.published).toEqual([]);
});

test("how long a message may be is the topic's to say, and attributes count", async () => {
  const {sns, world} = await story();
  const TopicArn = world.createTopic({name: 'small', attributes: {MaximumMessageSize: '1024'}});
  const attributed = (size: number) =>
    new PublishCommand({
      TopicArn,
      Message: 'm'.repeat(size),
      MessageAttributes: {env: {DataType: 'String', StringValue: 'staging'}},
    });

  await sns.send(attributed(1024 - 'envstaging'.length));
  await expect(sns.send(attributed(1024))).rejects.toMatchObject({message: 'Invalid parameter: Message too long'});
});

test('a FIFO topic swallows a repeat for five minutes, and says that all is well', async () => {
  const {sns, world, clock} = await story();
  const TopicArn = world.createTopic({name: 'deploys.fifo', attributes: {FifoTopic: 'true'}});
  const again = new PublishCommand({TopicArn, Message: 'deploy', MessageGroupId: 'pass', MessageDeduplicationId: '1.0.0-1'});

  const first = await sns.send(again);
  const second = await sns.send(again);
  expect(second.MessageId).toBe(first.MessageId);
  expect(world.published).toHaveLength(1);

  clock.pass(5 * 60);
  await sns.send(again);
  expect(world.published).toHaveLength(2);
  await expect(sns.send(new PublishCommand({TopicArn, Message: 'deploy'}))).rejects.toMatchObject({
    name: 'InvalidParameterException',
  });
});
