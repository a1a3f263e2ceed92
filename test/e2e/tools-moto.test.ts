/** What is sent to SNS and asked of ECR, on moto: a second opinion on what AWS takes. */
import {CreateRepositoryCommand, ECRClient} from '@aws-sdk/client-ecr';
import {CreateTopicCommand, SNSClient, SubscribeCommand} from '@aws-sdk/client-sns';
import {CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient} from '@aws-sdk/client-sqs';
import {expect, onTestFinished, test} from 'vitest';
import {createAws} from '../../src/tools/aws/index.ts';
import {credentials} from '../support/pass.ts';
import {part, requires} from '../support/requires.ts';

const region = 'ap-southeast-2';
const noWait = () => Promise.resolve();

function clients() {
  const endpoint = part('moto').url;
  const config = {
    endpoint,
    region,
    credentials: {accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY},
  };
  const [sns, sqs, ecr] = [new SNSClient(config), new SQSClient(config), new ECRClient(config)];
  onTestFinished(() => [sns, sqs, ecr].forEach(client => client.destroy()));
  return {
    sns,
    sqs,
    ecr,
    aws: createAws({region, profile: undefined, login: undefined, env: {...credentials, AWS_ENDPOINT_URL: endpoint}}),
  };
}

requires('moto')('on moto', () => {
  test('a FIFO topic delivers a message that is meant twice twice, and one that is sent twice once', async () => {
    const {sns, sqs, aws} = clients();
    const fifo = {FifoTopic: 'true', ContentBasedDeduplication: 'false'};
    const {TopicArn = ''} = await sns.send(new CreateTopicCommand({Name: 'deploy.fifo', Attributes: fifo}));
    const {QueueUrl} = await sqs.send(new CreateQueueCommand({QueueName: 'deploy.fifo', Attributes: {FifoQueue: 'true'}}));
    const {Attributes} = await sqs.send(new GetQueueAttributesCommand({QueueUrl, AttributeNames: ['QueueArn']}));
    await sns.send(new SubscribeCommand({TopicArn, Protocol: 'sqs', Endpoint: Attributes?.['QueueArn']}));

    const publish = (deduplication: string) =>
      aws.sns.publish(
        {
          topic: TopicArn,
          message: JSON.stringify({default: 'x'}),
          attributes: {stage: 'production'},
          fifo: {group: 'pass', deduplication},
        },
        noWait,
      );
    for (const id of ['1.14.0-1', '1.14.0-1', '1.14.0-2']) expect(await publish(id)).not.toBe('');
    const {Messages = []} = await sqs.send(new ReceiveMessageCommand({QueueUrl, MaxNumberOfMessages: 10}));
    expect(Messages).toHaveLength(2);
    expect(Messages.map(({Body = ''}) => JSON.parse(Body))).toMatchObject(
      Array.from({length: 2}, () => ({Message: 'x', MessageAttributes: {stage: {Type: 'String', Value: 'production'}}})),
    );
  });

  test('ECR tells its repositories, and gives a token for its registry', async () => {
    const {ecr, aws} = clients();
    await ecr.send(new CreateRepositoryCommand({repositoryName: 'tools', imageTagMutability: 'IMMUTABLE'}));
    expect(await aws.ecr.repository('tools')).toMatchObject({
      arn: expect.stringMatching(/:repository\/tools$/),
      mutability: 'IMMUTABLE',
    });
    expect(await aws.ecr.repository('nothing')).toBeUndefined();
    expect(await aws.ecr.token(region)).toMatchObject({
      registry: `123456789012.dkr.ecr.${region}.amazonaws.com`,
      username: 'AWS',
    });
  });
});
