/**
 * A message that makes something out of sight redeploy itself. Publishing proves nothing: the effect is
 * watched from outside, from the old answer to the new one.
 */
import * as z from 'zod';
import {stepKey} from '../release/history.ts';
import {fingerprint} from '../release/hash.ts';
import type {Change, Check, Claim} from '../release/model.ts';
import {isDowngrade} from '../release/version.ts';
import {checkPermissions, permissionsClaim} from './aws/allowed.ts';
import {copySteps, digestToBe} from './aws/copying.ts';
import {checkShared, imageClaim, sessionClaim} from './aws/requirements.ts';
import {stoppable} from './aws/stoppable.ts';
import {answers, ask, inWords, isGood, lookAt} from './http-claim.ts';
import {shortDigest} from './images.ts';
import type {Io} from './io.ts';
import {
  type Outgoing,
  type SnsTriggerConfig,
  hashOf,
  innerText,
  outgoing,
  settingsFor,
  sizeOf,
  snsTriggerConfig,
} from './sns-trigger/config.ts';
import {type Payload, hasArrived, payloadSchema, publish, publishStep} from './sns-trigger/publishing.ts';
import {checkTopic, groupOf, isFifo, maximumSize, topicActing, topicArn, topicClaim} from './sns-trigger/topic.ts';
import {failed} from './verdict.ts';

const state = z.object({version: z.string()});
type State = z.infer<typeof state>;

export const snsTrigger = stoppable<SnsTriggerConfig, State, Payload>({
  kind: 'sns-trigger',
  revert: 'ask',
  config: snsTriggerConfig,
  state,
  payload: payloadSchema,

  requirements: (component, target) => [
    sessionClaim(),
    topicClaim(component),
    permissionsClaim(component.id, 'sns-trigger'),
    ...component.images.map(image => imageClaim(image, target.version)),
  ],

  observe: async (component, io) => {
    if (component.verify === 'none') return undefined;
    const answer = await ask(component.verify.http, io);
    const version = isGood(answer) ? versionIn(answer.body) : undefined;
    return version === undefined
      ? undefined
      : {version, state: {version}, digests: await digestsOf(component.images, version, io)};
  },

  // Whoever is told to redeploy pulls them, whichever way it goes.
  prepare: (component, {version}, io) => copySteps(component.images, {is: 'release', version}, io),

  plan: async (component, target, io) => {
    const settings = settingsFor(component, target.version, io);
    const {verify} = settings;
    const arn = await topicArn(settings.topic, io);
    const before = verify === 'none' ? undefined : await ask(verify.http, io);
    const answered = before !== undefined && isGood(before) ? before.body : undefined;
    const arrived = verify !== 'none' && answered !== undefined && answers(answered, verify.expect);
    // On the way back within a run, the message that failed may still be acted on: the old answer proves nothing.
    const nothingToDo = arrived && (target.is === 'release' || target.version === io.version);
    const from = answered === undefined ? undefined : versionIn(answered);
    const images = await Promise.all(
      settings.images.map(async name => {
        const image = await io.image(name, target.version);
        return {name, uri: image.uri, digest: await digestToBe(image)};
      }),
    );
    const message = outgoing(settings);
    const change: Change = {
      id: `topic ${settings.topic}`,
      risk: 'trigger',
      summary: `message to SNS topic ${settings.topic}`,
      details: [
        {name: 'topic', before: null, after: arn},
        ...(await messageDetails(settings, message, arn, io)),
        ...images.map(({name, digest}) => ({name: `${name} digest`, before: null, after: shortDigest(digest ?? 'not there')})),
      ],
      flags: [
        ...(isDowngrade(from, target.version) ? (['downgrade'] as const) : []),
        // Nobody knows what the first one did.
        ...(io.unproven.has(stepKey(component.id, publishStep)) ? (['republish'] as const) : []),
      ],
    };
    const payload: Payload = {
      topic: arn,
      version: target.version,
      hash: hashOf(message),
      effect:
        verify === 'none' ? null : {text: `${verify.http} answers ${verify.expect}`, within: verify.within, absent: !arrived},
      images: images.map(({uri, digest}) => ({uri, digest: digest ?? null})),
    };
    return {
      component: component.id,
      kind: component.kind,
      ...(from !== undefined && {from}),
      to: target.version,
      changes: nothingToDo ? [] : [change],
      notes: notesOf(settings, {before: before && inWords(before), arrived, nothingToDo}),
      fingerprint: fingerprint(payload),
      payload,
    };
  },

  recheck: async (component, {payload}, io) => {
    for (const {uri, digest} of payload.images) {
      if (((await io.digestOf(uri)) ?? null) !== digest) return `${uri} is another image now`;
    }
    return (await hasArrived(component, payload, io)) ? `${component.id}: ${payload.effect?.text ?? ''} already` : undefined;
  },

  steps: (component, {payload}) => [publish(component, payload)],

  claims: (component, {payload: {effect, version}}) =>
    effect === null
      ? []
      : [
          {
            id: `${component.id} http`,
            text: effect.text,
            subject: {is: 'effect', version},
            within: effect.within,
            // What was started may still come: the release is neither done nor known to have failed.
            late: 'unknown',
          },
        ],

  check: async (component, claim, io) =>
    (await checkShared(claim, io)) ??
    checkTopic(component, claim, io) ??
    checkPermissions(claim, io, () => topicActing(component, io)) ??
    checkEffect(component, claim, io),
});

// ── plan ─────────────────────────────────────────────────────────────────────────────────────────────

/** Exactly what subscribers get, and what decides whether and how they do. */
async function messageDetails(settings: SnsTriggerConfig, message: Outgoing, arn: string, io: Io): Promise<Change['details']> {
  const limit = maximumSize((await io.aws.sns.topic(arn)) ?? {});
  return [
    {name: 'message', before: null, after: innerText(settings.message)},
    ...Object.entries(message.attributes).map(([name, value]) => ({name: `attribute ${name}`, before: null, after: value})),
    ...(isFifo(arn) ? [{name: 'group', before: null, after: groupOf(settings, io)}] : []),
    {name: 'size', before: null, after: `${sizeOf(message)} of ${limit} bytes`},
  ];
}

function notesOf(
  {verify}: SnsTriggerConfig,
  {before, arrived, nothingToDo}: {readonly before: string | undefined; readonly arrived: boolean; readonly nothingToDo: boolean},
): string[] {
  if (verify === 'none') return ['verify: none: nothing will prove that it was acted on'];
  if (nothingToDo) return [`${verify.http} answers ${verify.expect} already`];
  if (arrived) return [`${verify.http} answers ${verify.expect} already: that this message was acted on will not be seen`];
  return [`${verify.http} answers ${before ?? ''} now`];
}

// ── claims ───────────────────────────────────────────────────────────────────────────────────────────

const effectSubject = z.object({is: z.literal('effect'), version: z.string()});

async function checkEffect(component: SnsTriggerConfig, claim: Claim, io: Io): Promise<Check> {
  const {verify} = settingsFor(component, effectSubject.parse(claim.subject).version, io);
  return verify === 'none' ? failed(claim, 'nothing says where to look') : lookAt(claim, verify.http, verify.expect, io);
}

/** What the images of a version are, as far as the registry still tells. */
async function digestsOf(images: readonly string[], version: string, io: Io): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(
    images.map(async name => {
      const image = await io.image(name, version);
      const digest = await image.digest().catch(() => undefined);
      return digest === undefined ? [] : [[image.repository, digest.digest] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

/** The version that an answer names: alone, or as the first `version` of a JSON object. */
function versionIn(body: string): string | undefined {
  const pattern = /(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/;
  const named = /"version"\s*:\s*"([^"]+)"/.exec(body)?.[1];
  return pattern.exec(named ?? (body.trim().length <= 60 ? body : ''))?.[1];
}
