import * as z from 'zod';
import {actionsOf, type Service} from '../action.ts';
import {paginate} from '../pagination.ts';
import {numbered} from '../protocol/query.ts';
import {publish} from './publish.ts';
import {attributesOf, createTopic, topicAt} from './topics.ts';

const codes = {invalidInput: 'InvalidParameter', internal: 'InternalError', denied: 'AuthorizationError'};
const action = actionsOf(codes);

/** `Attributes.entry.N.key` and `.value`. */
const attributeMap = z
  .object({entry: z.record(z.string(), z.object({key: z.string(), value: z.string()}))})
  .transform(({entry}) => Object.fromEntries(numbered(entry).map(({key, value}) => [key, value])));

/** `MessageAttributes.entry.N.Name` and `.Value.StringValue` or `.Value.BinaryValue`. */
const messageAttributes = z
  .object({
    entry: z.record(
      z.string(),
      z.object({
        Name: z.string(),
        Value: z.object({DataType: z.string(), StringValue: z.string().optional(), BinaryValue: z.string().optional()}),
      }),
    ),
  })
  .transform(({entry}) =>
    Object.fromEntries(numbered(entry).map(({Name, Value}) => [Name, Value.StringValue ?? Value.BinaryValue ?? ''])),
  );

/** ListTopics gives this many at a time, and takes no wish. */
const TOPICS_A_PAGE = 100;

export const sns: Service = {
  name: 'sns',
  wire: {protocol: 'query', version: '2010-03-31', namespace: 'http://sns.amazonaws.com/doc/2010-03-31/'},
  codes,
  actions: {
    CreateTopic: action(
      z.object({Name: z.string().regex(/^[\w-]{1,256}(?:\.fifo)?$/), Attributes: attributeMap.optional()}),
      (account, {Name, Attributes}) => ({TopicArn: createTopic(account, Name, Attributes).arn}),
    ),

    ListTopics: action(z.object({NextToken: z.string().optional()}), (account, {NextToken}) => {
      const {items, nextToken} = paginate([...account.topics.keys()], {
        limit: TOPICS_A_PAGE,
        token: NextToken,
        invalid: codes.invalidInput,
      });
      return {Topics: items.map(TopicArn => ({TopicArn})), NextToken: nextToken};
    }),

    GetTopicAttributes: action(z.object({TopicArn: z.string()}), (account, {TopicArn}) => ({
      Attributes: attributesOf(account, topicAt(account, TopicArn)),
    })),

    Publish: action(
      z.object({
        TopicArn: z.string(),
        Message: z.string(),
        Subject: z.string().optional(),
        MessageStructure: z.string().optional(),
        MessageAttributes: messageAttributes.optional(),
        MessageGroupId: z.string().optional(),
        MessageDeduplicationId: z.string().optional(),
      }),
      (account, input) => {
        const {messageId} = publish(account, topicAt(account, input.TopicArn), {
          message: input.Message,
          subject: input.Subject,
          structure: input.MessageStructure,
          attributes: input.MessageAttributes,
          groupId: input.MessageGroupId,
          deduplicationId: input.MessageDeduplicationId,
        });
        return {MessageId: messageId};
      },
    ),
  },
};
