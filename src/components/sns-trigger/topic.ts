/** The topic: where it is, and whether it would take the message. */
import * as z from 'zod';
import type {Check, Claim} from '../../release/model.ts';
import {arnHere} from '../aws/acting.ts';
import type {Acting} from '../aws/allowed.ts';
import {withoutSession} from '../aws/requirements.ts';
import type {Io} from '../io.ts';
import {failed, passed, warned} from '../verdict.ts';
import {type SnsTriggerConfig, outgoing, sizeOf} from './config.ts';

/** SNS' own default; a topic may have another (MaximumMessageSize). Bytes. */
const defaultSize = 256 * 1024;

export async function topicArn(topic: string, io: Pick<Io, 'aws' | 'place'>): Promise<string> {
  return topic.startsWith('arn:') ? topic : arnHere('sns', topic, io);
}

export function isFifo(topic: string): boolean {
  return topic.endsWith('.fifo');
}

export function maximumSize(attributes: Readonly<Record<string, string>>): number {
  return Number(attributes['MaximumMessageSize'] ?? defaultSize);
}

export function topicClaim(component: {readonly id: string; readonly topic: string}): Claim {
  return {id: `${component.id} topic`, text: `${component.id}: topic ${component.topic}`, subject: {is: 'topic'}};
}

const subject = z.object({is: z.literal('topic')});

/** The look at a claim of `topicClaim`; undefined for any other claim. */
export function checkTopic(
  component: SnsTriggerConfig & {readonly id: string},
  claim: Claim,
  io: Io,
): Promise<Check> | undefined {
  return subject.safeParse(claim.subject).success ? look(component, claim, io) : undefined;
}

async function look(component: SnsTriggerConfig & {readonly id: string}, claim: Claim, io: Io): Promise<Check> {
  const {id, topic, verify} = component;
  // The old one would answer it as well: nothing would be published, or nothing proved.
  if (verify !== 'none' && !verify.expect.includes(io.version)) {
    return failed(claim, `verify.expect (${verify.expect}) does not name the version`, {
      next: `Put \${version} into components.${id}.verify.expect in the config file.`,
    });
  }
  const unseen = await withoutSession(claim, io);
  if (unseen) return unseen;
  const arn = await topicArn(topic, io);
  const correct = `Correct components.${id}.topic in the config file.`;
  const region = arn.split(':')[3];
  if (io.place.region !== undefined && region !== io.place.region) {
    return failed(
      claim,
      `${arn} is in ${region}, ${io.place.name} in ${io.place.region}: SNS takes messages in its own region only`,
      {
        next: correct,
      },
    );
  }
  const attributes = await io.aws.sns.topic(arn);
  if (attributes === undefined) return failed(claim, `there is no topic ${arn}`, {next: correct});
  const [size, limit] = [sizeOf(outgoing(component)), maximumSize(attributes)];
  if (size > limit) {
    return failed(claim, `the message has ${size} bytes, the topic takes ${limit}`, {
      next: `Shorten components.${id}.message in the config file.`,
    });
  }
  const heard = Number(attributes['SubscriptionsConfirmed'] ?? 0);
  const found = `${heard} ${heard === 1 ? 'subscription' : 'subscriptions'}, ${size} of ${limit} bytes`;
  return heard === 0 ? warned(claim, `${found}: nobody would hear of it`) : passed(claim, found);
}

/** Messages of one group are delivered in order. */
export function groupOf({group}: Pick<SnsTriggerConfig, 'group'>, {application}: Pick<Io, 'application'>): string {
  return group ?? application;
}

export async function topicActing({topic}: SnsTriggerConfig, io: Io): Promise<Acting> {
  const arn = await topicArn(topic, io);
  const {Policy: policy = '', KmsMasterKeyId: key} = (await io.aws.sns.topic(arn)) ?? {};
  return {
    on: {topic: [arn], ...(key !== undefined && !key.includes('alias/') && {key: [await keyArn(key, io)]})},
    // Only half of what decides about a key are the caller's policies.
    ownPolicy: ['key', ...(letsPublish(policy) ? (['topic'] as const) : [])],
  };
}

async function keyArn(key: string, io: Io): Promise<string> {
  return key.startsWith('arn:') ? key : arnHere('kms', `key/${key}`, io);
}

const list = z.union([z.string().transform(one => [one]), z.array(z.string())]);
const policySchema = z.object({
  Statement: z.array(z.object({Sid: z.string().optional(), Effect: z.string(), Action: list.optional()})).default([]),
});

/** Whether the topic's own policy lets anybody publish whom the account's does not: every topic is made with a policy for its owner. */
export function letsPublish(policy: string): boolean {
  const {data} = policySchema.safeParse(parse(policy));
  return (data?.Statement ?? []).some(
    ({Sid, Effect, Action = []}) =>
      Sid !== '__default_statement_ID' && Effect === 'Allow' && Action.some(action => /^(?:\*|sns:(?:\*|p.*))$/i.test(action)),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
