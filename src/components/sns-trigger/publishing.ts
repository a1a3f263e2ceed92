/** Publishing: what a plan carries for it, and the one step that does it. */
import * as z from 'zod';
import {type Step, step} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import {waiting} from '../aws/waiting.ts';
import {aws} from '../by-hand.ts';
import {alreadyAnswers} from '../http-claim.ts';
import type {Io} from '../io.ts';
import {type SnsTriggerConfig, hashOf, outgoing, settingsFor} from './config.ts';
import {groupOf, isFifo} from './topic.ts';

export const payloadSchema = z.object({
  topic: z.string(),
  version: z.string(),
  /** Of the message and its attributes, which are made anew from the settings when they are sent. */
  hash: z.string(),
  /** Null where nothing will be looked at. */
  effect: z
    .object({
      text: z.string(),
      within: z.number(),
      /** It was not there when it was planned, so that it can be seen to come. */
      absent: z.boolean(),
    })
    .nullable(),
  /** What must be there, as it was when it was planned. */
  images: z.array(z.object({uri: z.string(), digest: z.string().nullable()})),
});
export type Payload = z.infer<typeof payloadSchema>;

export const publishStep = 'publish';

const publishRequest = payloadSchema
  .pick({topic: true, version: true, hash: true, effect: true})
  // Of a FIFO topic: another one for every message that is meant, or SNS would swallow it.
  .extend({deduplication: z.string().nullable()});

/** Publishes once: a lost answer is looked up by the effect, which was not there before. */
export function publish(component: SnsTriggerConfig & {readonly id: string}, payload: Payload): Step<Io> {
  return step({
    id: publishStep,
    phase: 'apply',
    title: `publish to ${component.topic}`,
    requestSchema: publishRequest,
    // Null where the answer was lost, and the effect was seen or somebody knows of it.
    resultSchema: z.object({messageId: z.string().nullable()}),
    request: async (io: Io) => {
      if (await hasArrived(component, payload, io)) {
        throw new DeployError(`${payload.effect?.text ?? ''} already`, {means: 'Nothing was published.', final: true});
      }
      const {topic, version, hash, effect} = payload;
      return {topic, version, hash, effect, deduplication: isFifo(topic) ? `${version}-${attempt(io)}` : null};
    },
    perform: async (io, {topic, version, hash, deduplication}) => {
      const settings = settingsFor(component, version, io);
      const message = outgoing(settings);
      if (hashOf(message) !== hash) {
        throw new DeployError('the message is not the one that was approved: what it is made of has changed since', {
          means: 'Nothing was published.',
          next: ['Look at the environment variables that the config file names, or plan the release anew.'],
          final: true,
        });
      }
      const fifo = deduplication === null ? null : {group: groupOf(settings, io), deduplication};
      const messageId = await io.aws.sns.publish({topic, ...message, fifo}, waiting(io));
      return {messageId};
    },
    // SNS keeps no list of what was published: all that can be seen is the effect, which was not there before.
    settle: async (io, request) => ((await hasArrived(component, request, io)) ? {done: {messageId: null}} : 'unknown'),
    assume: () => ({messageId: null}),
    tell: ({messageId}) => (messageId === null ? 'published, its answer was lost' : `published, message ${messageId}`),
    byHand: io => {
      const settings = settingsFor(component, payload.version, io);
      const {message, attributes} = outgoing(settings);
      const typed = Object.entries(attributes).map(([name, value]) => [name, {DataType: 'String', StringValue: value}]);
      const attached = typed.length === 0 ? [] : ['--message-attributes', JSON.stringify(Object.fromEntries(typed))];
      const ordered = isFifo(payload.topic)
        ? ['--message-group-id', groupOf(settings, io), '--message-deduplication-id', '<another one for every message>']
        : [];
      const words = ['--topic-arn', payload.topic, '--message-structure', 'json', '--message', message, ...attached, ...ordered];
      return {commands: [aws(io, 'sns', 'publish', ...words)]};
    },
  });
}

/** When it was meant: `20260115T120000123`. */
function attempt(io: Io): string {
  return new Date(io.clock.now()).toISOString().replaceAll(/[^\dT]/g, '');
}

/** Whether the effect is there that was not there when it was planned. */
export async function hasArrived(
  component: SnsTriggerConfig,
  {effect, version}: Pick<Payload, 'effect' | 'version'>,
  io: Io,
): Promise<boolean> {
  const {verify} = settingsFor(component, version, io);
  return effect?.absent === true && verify !== 'none' && alreadyAnswers(verify.http, verify.expect, io);
}
