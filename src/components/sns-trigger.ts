/**
 * A message that makes something out of sight redeploy itself. Publishing proves nothing: the effect is
 * watched from outside, from the old answer to the new one.
 */
import {z} from 'zod';
import {type ComponentKind, step} from '../release/contract.ts';
import {DeployError} from '../release/errors.ts';
import {type Json, fingerprint, json} from '../release/json.ts';
import type {Change, Check, Claim} from '../release/model.ts';
import {stepKey} from '../release/history.ts';
import {isDowngrade} from '../release/version.ts';
import {checkShared, imageClaim, sessionClaim, withoutSession} from './aws/requirements.ts';
import {alreadyAnswers, answers, ask, checkHttp, httpClaim, httpVerify, inWords, isGood} from './http-claim.ts';
import {shortDigest} from './images.ts';
import type {Io} from './io.ts';
import {failed, passed} from './verdict.ts';

export const snsTriggerConfig = z.strictObject({
  kind: z.literal('sns-trigger'),
  needs: z.array(z.string()).optional(),
  topic: z.string().min(1).describe('Name or ARN'),
  images: z.array(z.string()).default([]).describe('What must be in the registry before anything is published'),
  message: z.record(z.string(), json).describe('Published as the JSON text of the `default` message'),
  verify: z
    .union([z.literal('none'), httpVerify.required({expect: true})], {
      error: 'either `none`, or {http, expect, within}: without an expected answer nothing would be proved',
    })
    .describe('How the effect is seen from outside; `none` ends as "triggered, not proven"'),
  revert: z.enum(['ask', 'never'], {error: '`revert: auto` is not there yet in this version of deploy-wizard'}).default('ask'),
});
type Config = z.infer<typeof snsTriggerConfig>;

const state = z.object({version: z.string()});
type State = z.infer<typeof state>;

const payloadSchema = z.object({
  topic: z.string(),
  /** The inner JSON, as text: exactly what subscribers get. */
  message: z.string(),
  verify: z.object({http: z.string(), expect: z.string(), within: z.number()}).nullable(),
  /** False where the effect is there already. */
  publish: z.boolean(),
  /** What must be there, as it was when it was planned. */
  images: z.array(z.object({uri: z.string(), digest: z.string().nullable()})),
});
type Payload = z.infer<typeof payloadSchema>;

const publishStep = 'publish';

/** SNS' own default; a topic may have another (MaximumMessageSize). Bytes. */
const defaultSize = 256 * 1024;

export const snsTrigger: ComponentKind<Config, State, Payload, Io> = {
  kind: 'sns-trigger',
  config: snsTriggerConfig,
  state,
  payload: payloadSchema,

  requirements: (component, target) => [
    sessionClaim(),
    {
      id: `${component.id} topic`,
      text: `${component.id}: topic ${component.topic}`,
      subject: {
        is: 'topic',
        topic: component.topic,
        size: sizeOf(component.message),
        expect: component.verify === 'none' ? null : component.verify.expect,
      },
    },
    ...component.images.map(image => imageClaim(image, target.version)),
  ],

  observe: async (component, io) => {
    if (component.verify === 'none') return undefined;
    const answer = await ask(component.verify.http, io);
    const version = 'status' in answer && answer.status === 200 ? versionIn(answer.body) : undefined;
    return version === undefined ? undefined : {version, state: {version}};
  },

  prepare: async () => [],

  plan: async (component, target, io) => {
    const arn = await topicArn(component.topic, io);
    const message = JSON.stringify(component.message);
    const verify = component.verify === 'none' ? null : component.verify;
    const before = verify === null ? undefined : await ask(verify.http, io);
    const there = verify !== null && before !== undefined && isGood(before) && answers(before.body, verify.expect);
    const from = before !== undefined && isGood(before) ? versionIn(before.body) : undefined;
    const images = await Promise.all(
      component.images.map(async name => {
        const {uri} = await io.image(name, target.version);
        return {name, uri, digest: await io.digestOf(uri)};
      }),
    );
    const change: Change = {
      id: `topic ${component.topic}`,
      risk: 'trigger',
      summary: `message to SNS topic ${component.topic}`,
      details: [
        ...Object.entries(component.message).map(([name, value]) => ({
          name,
          before: null,
          after: typeof value === 'string' ? value : JSON.stringify(value),
        })),
        ...images.map(({name, digest}) => ({name: `${name} digest`, before: null, after: shortDigest(digest ?? 'not there')})),
      ],
      flags: [
        ...(isDowngrade(from, target.version) ? (['downgrade'] as const) : []),
        // Nobody knows yet what the first one did.
        ...(verify !== null && io.unproven.has(stepKey(component.id, publishStep)) ? (['republish'] as const) : []),
      ],
    };
    const payload: Payload = {
      topic: arn,
      message,
      verify: verify && {...verify},
      publish: !there,
      images: images.map(({uri, digest}) => ({uri, digest: digest ?? null})),
    };
    return {
      component: component.id,
      kind: component.kind,
      ...(from !== undefined && {from}),
      to: target.version,
      changes: there ? [] : [change],
      notes: [
        ...(there ? [`${verify.http} answers ${verify.expect} already`] : []),
        ...(verify === null ? ['verify: none: nothing will prove that it was acted on'] : []),
        ...(before !== undefined && !there ? [`${verify?.http} answers ${inWords(before)} now`] : []),
      ],
      fingerprint: fingerprint(payload),
      payload,
    };
  },

  recheck: async (component, {payload}, io) => {
    for (const {uri, digest} of payload.images) {
      if (((await io.digestOf(uri)) ?? null) !== digest) return `${uri} is another image now`;
    }
    if (!payload.publish || payload.verify === null) return undefined;
    const there = await alreadyAnswers(payload.verify.http, payload.verify.expect, io);
    return there ? `${component.id} answers ${payload.verify.expect} already` : undefined;
  },

  steps: (component, {payload}) => [
    step({
      id: publishStep,
      phase: 'apply',
      title: `publish to ${component.topic}`,
      requestSchema: payloadSchema.pick({topic: true, message: true, verify: true}),
      // Null where the answer was lost and the effect was seen.
      resultSchema: z.object({messageId: z.string().nullable()}),
      request: async () => ({topic: payload.topic, message: payload.message, verify: payload.verify}),
      perform: async (io: Io, {topic, message}) => ({
        messageId: await io.aws.sns.publish(topic, message, ms => io.clock.sleep(ms, io.signal)),
      }),
      // SNS keeps no list of what was published: all that can be seen is the effect, which was not there before.
      settle: async (io, {verify}) =>
        verify !== null && (await alreadyAnswers(verify.http, verify.expect, io)) ? {done: {messageId: null}} : 'unknown',
      tell: ({messageId}) => (messageId === null ? 'published: the effect is there' : `published, message ${messageId}`),
    }),
  ],

  claims: (component, {payload}) => (payload.verify === null ? [] : [httpClaim(component.id, payload.verify)]),

  check: async (component, claim, io) =>
    (await checkShared(claim, io)) ?? checkHttp(claim, io) ?? checkTopic(component, claim, io),
};

function sizeOf(message: Readonly<Record<string, Json>>): number {
  return Buffer.byteLength(JSON.stringify({default: JSON.stringify(message)}));
}

async function topicArn(topic: string, io: Io): Promise<string> {
  if (topic.startsWith('arn:')) return topic;
  const {account, arn} = await io.aws.sts.identity();
  const partition = arn.split(':')[1] ?? 'aws';
  if (io.place.region === undefined)
    throw new DeployError('no AWS region is set', {next: ['Set aws.region of the environment in the config file.']});
  return `arn:${partition}:sns:${io.place.region}:${account}:${topic}`;
}

const topicSubject = z.object({is: z.literal('topic'), topic: z.string(), size: z.number(), expect: z.string().nullable()});

async function checkTopic(component: {readonly id: string}, claim: Claim, io: Io): Promise<Check> {
  const {topic, size, expect} = topicSubject.parse(claim.subject);
  // The old one would answer it as well: nothing would be published, or nothing proved.
  if (expect !== null && !expect.includes(io.version)) {
    return failed(claim, `verify.expect (${expect}) does not name the version`, {
      next: `Put \${version} into components.${component.id}.verify.expect in the config file.`,
    });
  }
  const unseen = await withoutSession(claim, io);
  if (unseen) return unseen;
  const arn = await topicArn(topic, io);
  const attributes = await io.aws.sns.topic(arn);
  if (attributes === undefined)
    return failed(claim, `there is no topic ${arn}`, {next: `Correct components.${component.id}.topic in the config file.`});
  if (arn.endsWith('.fifo'))
    return failed(claim, 'FIFO topics are not there yet in this version of deploy-wizard', {next: 'Use a standard topic.'});
  const limit = Number(attributes['MaximumMessageSize'] ?? defaultSize);
  if (size > limit)
    return failed(claim, `the message has ${size} bytes, the topic takes ${limit}`, {
      next: 'Shorten `message:` in the config file.',
    });
  return passed(claim, `${attributes['SubscriptionsConfirmed'] ?? '0'} subscriptions`);
}

/** The version that an answer names: alone, or as the first `version` of a JSON object. */
function versionIn(body: string): string | undefined {
  const pattern = /(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/;
  const named = /"version"\s*:\s*"([^"]+)"/.exec(body)?.[1];
  return pattern.exec(named ?? (body.trim().length <= 60 ? body : ''))?.[1];
}
