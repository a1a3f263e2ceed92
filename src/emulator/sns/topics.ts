import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';

export interface Topic {
  readonly arn: string;
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly listeners: Set<Listener>;
  /** FIFO only: deduplication id → what it was answered with, and until when repeats are swallowed. */
  readonly recent: Map<string, {readonly message: PublishedMessage; readonly until: number}>;
}

export interface PublishedMessage {
  readonly topicArn: string;
  readonly messageId: string;
  readonly message: string;
  readonly subject: string | undefined;
  /** `json`: `message` holds a text for each protocol. */
  readonly structure: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly at: number;
  /** What listeners threw. A publisher never hears of it: SNS has stored the message, which is all that it promises. */
  readonly failures: readonly unknown[];
}

/** A subscriber inside this process, called at once. */
export type Listener = (message: PublishedMessage) => void | Promise<void>;

export const isFifo = ({name}: Topic): boolean => name.endsWith('.fifo');

/** Creates a topic, or finds the one that has this name already, as CreateTopic does. */
export function createTopic(account: Account, name: string, attributes: Readonly<Record<string, string>> = {}): Topic {
  const arn = arnIn(account, 'sns', name);
  const existing = account.topics.get(arn);
  if (existing !== undefined) return existing;
  const topic: Topic = {arn, name, attributes: new Map(Object.entries(attributes)), listeners: new Set(), recent: new Map()};
  if (isFifo(topic) !== (attributes['FifoTopic'] === 'true')) {
    throw new AwsError('InvalidParameter', 'Invalid parameter: Fifo Topic names must end with .fifo, and only theirs may');
  }
  account.topics.set(arn, topic);
  return topic;
}

export function topicAt(account: Account, arn: string): Topic {
  if (arn.split(':').length < 6) {
    throw new AwsError(
      'InvalidParameter',
      `Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not ${arn.split(':').length}`,
    );
  }
  const topic = account.topics.get(arn);
  if (topic === undefined) throw new AwsError('NotFound', 'Topic does not exist', 404);
  return topic;
}

/** Everything that GetTopicAttributes says: what was set, and what AWS adds. */
export const attributesOf = (account: Account, topic: Topic): ReadonlyMap<string, string> =>
  new Map([
    ['Policy', JSON.stringify({Version: '2008-10-17', Id: '__default_policy_ID', Statement: []})],
    ['Owner', account.id],
    ['SubscriptionsConfirmed', String(topic.listeners.size)],
    ['SubscriptionsPending', '0'],
    ['SubscriptionsDeleted', '0'],
    ['TopicArn', topic.arn],
    ['EffectiveDeliveryPolicy', JSON.stringify({http: {disableSubscriptionOverrides: false}})],
    ['DisplayName', ''],
    ...topic.attributes,
  ]);
