import type {Account} from '../account.ts';
import {AwsError} from '../errors.ts';
import {digestOf, uuid} from '../naming.ts';
import {isFifo, type PublishedMessage, type Topic} from './topics.ts';

export interface Publication {
  readonly message: string;
  readonly subject?: string | undefined;
  readonly structure?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
}

/** 256 KiB, unless the topic's `MaximumMessageSize` says otherwise. */
const DEFAULT_MAXIMUM_SIZE = 262_144;
/** For how long a FIFO topic swallows messages with the same deduplication id. */
const DEDUPLICATION_INTERVAL = 5 * 60 * 1000;

/** What Publish refuses, in the order in which it looks. Each gives the words after "Invalid parameter: ". */
const RULES: readonly ((publication: Publication, topic: Topic) => string | undefined)[] = [
  ({message}) => (message === '' ? 'Empty message' : undefined),
  ({subject}) => (subject === undefined || isSubject(subject) ? undefined : 'Subject'),
  publication => (publication.structure === 'json' ? structureProblem(publication.message) : undefined),
  ({structure}) => (structure === undefined || structure === 'json' ? undefined : 'MessageStructure'),
  (publication, topic) => (sizeOf(publication) > maximumSize(topic) ? 'Message too long' : undefined),
  ({groupId}, topic) =>
    isFifo(topic) && groupId === undefined ? 'The MessageGroupId parameter is required for FIFO topics' : undefined,
  (publication, topic) =>
    isFifo(topic) && deduplicationId(publication, topic) === undefined
      ? 'The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly'
      : undefined,
];

/** Stores a message and calls the topic's listeners. A repeat on a FIFO topic is answered like the first and goes nowhere. */
export function publish(account: Account, topic: Topic, publication: Publication): PublishedMessage {
  const problem = RULES.map(rule => rule(publication, topic)).find(found => found !== undefined);
  if (problem !== undefined) throw new AwsError('InvalidParameter', `Invalid parameter: ${problem}`);

  const at = account.clock.now();
  const key = isFifo(topic) ? deduplicationId(publication, topic) : undefined;
  const earlier = key === undefined ? undefined : topic.recent.get(key);
  if (earlier !== undefined && at < earlier.until) return earlier.message;

  const failures: unknown[] = [];
  const message: PublishedMessage = {
    topicArn: topic.arn,
    messageId: uuid(account.seed, 'message', account.serial()),
    message: publication.message,
    subject: publication.subject,
    structure: publication.structure,
    attributes: publication.attributes ?? {},
    at,
    failures,
  };
  account.published.push(message);
  if (key !== undefined) topic.recent.set(key, {message, until: at + DEDUPLICATION_INTERVAL});
  deliver(topic, message, failures);
  return message;
}

function deliver({listeners}: Topic, message: PublishedMessage, failures: unknown[]): void {
  for (const listener of listeners) {
    try {
      Promise.resolve(listener(message)).catch((failure: unknown) => failures.push(failure));
    } catch (failure) {
      failures.push(failure);
    }
  }
}

/** Fewer than 100 characters of text on one line, starting with something visible. */
const isSubject = (subject: string): boolean => /^[^\s\p{Cc}][^\p{Cc}]{0,98}$/u.test(subject);

function structureProblem(message: string): string | undefined {
  const parsed = parse(message);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return 'Message Structure - JSON message body failed to parse';
  }
  // Values that are not strings are ignored, so a `default` of another type counts as none.
  const usable = 'default' in parsed && typeof parsed.default === 'string';
  return usable ? undefined : 'Message Structure - No default entry in JSON message body';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Body and attributes count together. */
const sizeOf = ({message, attributes = {}}: Publication): number =>
  Buffer.byteLength(message) + Buffer.byteLength(Object.entries(attributes).flat().join(''));

const maximumSize = ({attributes}: Topic): number => Number(attributes.get('MaximumMessageSize') ?? DEFAULT_MAXIMUM_SIZE);

const deduplicationId = (publication: Publication, {attributes}: Topic): string | undefined =>
  publication.deduplicationId ??
  (attributes.get('ContentBasedDeduplication') === 'true' ? digestOf(publication.message) : undefined);
