/** Topics, and the one message that makes something redeploy. */
import {type AwsOptions, clientConfig, errorName, lazy, read, write} from './session.ts';

export interface Sns {
  /** The attributes of a topic; undefined when there is none. */
  topic(arn: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Publishes `{"default": message}` with MessageStructure json, once. Returns the message id. */
  publish(arn: string, message: string, sleep: (ms: number) => Promise<void>): Promise<string>;
}

export function createSns(options: AwsOptions): Sns {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-sns');
    return {
      ...module,
      reader: new module.SNSClient(clientConfig(options, 'SNS', 'read')),
      writer: new module.SNSClient(clientConfig(options, 'SNS', 'write')),
    };
  });
  return {
    topic: async arn => {
      try {
        return await read(options, 'sns:GetTopicAttributes', async () => {
          const {reader, GetTopicAttributesCommand} = await sdk();
          const {Attributes} = await reader.send(new GetTopicAttributesCommand({TopicArn: arn}));
          return Attributes ?? {};
        });
      } catch (error) {
        if (['NotFoundException', 'NotFound'].includes(errorName(error))) return undefined;
        throw error;
      }
    },
    publish: async (arn, message, sleep) => {
      const {writer, PublishCommand} = await sdk();
      const command = new PublishCommand({TopicArn: arn, MessageStructure: 'json', Message: JSON.stringify({default: message})});
      const {MessageId} = await write(options, 'sns:Publish', () => writer.send(command), sleep);
      return MessageId ?? '';
    },
  };
}
