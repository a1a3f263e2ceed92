/** Topics, and the one message that makes something redeploy. */
import {DeployError} from '../../release/errors.ts';
import {clients} from './clients.ts';
import {errorName} from './errors.ts';
import {type Session, ifThere, lazy, named} from './session.ts';

export interface Publication {
  readonly topic: string;
  /** JSON text with a `default` member: what MessageStructure json asks for. */
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** For FIFO topics, which need both. */
  readonly fifo: {readonly group: string; readonly deduplication: string} | null;
}

export interface Sns {
  /** The attributes of a topic; undefined when there is none. */
  topic(arn: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** ARNs of topics, at most a hundred. */
  topics(): Promise<readonly string[]>;
  /** Publishes once. Returns the message id. Throws LostAnswerError when nobody knows whether it was taken. */
  publish(publication: Publication, sleep: (ms: number) => Promise<void>): Promise<string>;
}

export function createSns(session: Session): Sns {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-sns');
    return {
      ...module,
      ...clients(module.SNSClient, session.options, 'SNS'),
    };
  });
  return {
    topic: async arn => {
      const call = session.read('sns:GetTopicAttributes', async () => {
        const {reader, GetTopicAttributesCommand} = await sdk();
        return reader.send(new GetTopicAttributesCommand({TopicArn: arn}));
      });
      const found = await ifThere(call, 'NotFoundException', 'NotFound');
      return found && (found.Attributes ?? {});
    },
    topics: async () => {
      const {Topics = []} = await session.read('sns:ListTopics', async () => {
        const {reader, ListTopicsCommand} = await sdk();
        return reader.send(new ListTopicsCommand({}));
      });
      return Topics.flatMap(({TopicArn}) => TopicArn ?? []);
    },
    publish: async ({topic, message, attributes, fifo}, sleep) => {
      const {writer, PublishCommand} = await sdk();
      const typed = Object.entries(attributes).map(([name, value]) => [name, {DataType: 'String', StringValue: value}]);
      const command = new PublishCommand({
        TopicArn: topic,
        MessageStructure: 'json',
        Message: message,
        ...(typed.length > 0 && {MessageAttributes: Object.fromEntries(typed)}),
        ...(fifo && {MessageGroupId: fifo.group, MessageDeduplicationId: fifo.deduplication}),
      });
      try {
        const {MessageId} = await session.write('sns:Publish', () => writer.send(command), sleep);
        return named('sns:Publish', MessageId);
      } catch (error) {
        throw keyTrouble(topic, error) ?? error;
      }
    },
  };
}

/** What is wrong with the key of an encrypted topic, in words; undefined for any other error. */
function keyTrouble(topic: string, error: unknown): DeployError | undefined {
  const trouble = keyTroubles[errorName(error)];
  if (trouble === undefined) return undefined;
  const [what, next] = trouble;
  return new DeployError(`the topic ${topic} is encrypted, and ${what}`, {
    means: 'Nothing was published.',
    next: [next],
    cause: error,
  });
}

const keyTroubles: Readonly<Partial<Record<string, readonly [string, string]>>> = {
  KMSAccessDeniedException: [
    'the caller may not use its key',
    'Ask for kms:GenerateDataKey and kms:Decrypt on the key of the topic (in the key’s policy, too).',
  ],
  KMSDisabledException: ['its key is disabled', 'Enable the key in KMS, or give the topic another one.'],
  KMSInvalidStateException: [
    'its key cannot be used in the state that it is in',
    'Look at the key in KMS: it may be about to be deleted.',
  ],
  KMSNotFoundException: ['its key is not there', 'Give the topic another key.'],
  KMSOptInRequired: ['the account may not use KMS', 'Sign the account up for KMS.'],
};
