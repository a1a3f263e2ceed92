/** What the config file says of a trigger, and the message that comes of it. */
import * as z from 'zod';
import {type Json, json} from '../../release/json.ts';
import {sha256} from '../../release/hash.ts';
import {httpVerify} from '../http-claim.ts';
import type {Io} from '../io.ts';
import {common} from '../settings.ts';

export const snsTriggerConfig = z.strictObject({
  kind: z.literal('sns-trigger'),
  ...common,
  topic: z.string().min(1).describe('Name or ARN'),
  images: z.array(z.string()).default([]).describe('What must be in the registry before anything is published'),
  message: z.record(z.string(), json).describe('Published as the JSON text of the `default` message'),
  attributes: z
    .record(z.string().regex(/^[\w.-]{1,256}$/, 'an attribute has letters, digits, "_", "-" and "."'), z.string().min(1))
    .default({})
    .describe('Message attributes, for filters of subscriptions'),
  group: z
    .string()
    .regex(/^(?:[!-~]{1,128}|.*\$\{.*)$/, 'at most 128 printable characters, without spaces')
    .optional()
    .describe('Message group, for FIFO topics; default: the application'),
  verify: z
    .union([z.literal('none'), httpVerify.required({expect: true})], {
      error: 'either `none`, or {http, expect, within}: without an expected answer nothing would be proved',
    })
    .describe('How the effect is seen from outside; `none` ends as "triggered, not proven"'),
});
export type SnsTriggerConfig = z.infer<typeof snsTriggerConfig>;

/** The settings for a version: those of the way back are another one's. */
export function settingsFor(
  component: SnsTriggerConfig,
  version: string,
  io: Pick<Io, 'version' | 'settings'>,
): SnsTriggerConfig {
  return version === io.version ? component : snsTriggerConfig.parse(io.settings(version));
}

/** What is handed to SNS. */
export interface Outgoing {
  /** `{"default": "…"}`: the inner text is what subscribers get. */
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export function outgoing({message, attributes}: Pick<SnsTriggerConfig, 'message' | 'attributes'>): Outgoing {
  return {message: JSON.stringify({default: innerText(message)}), attributes};
}

/** What subscribers get, byte for byte. */
export function innerText(message: Readonly<Record<string, Json>>): string {
  return JSON.stringify(message);
}

/**
 * Tells one message from another. Plans and records hold this and not the message itself, which may have secrets in it that are
 * hidden there: what is sent is always made anew, and must be the one that was approved.
 */
export function hashOf({message, attributes}: Outgoing): string {
  return sha256(JSON.stringify([message, Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))]));
}

/** Bytes as SNS counts them: the body, and names, types and values of attributes, together. */
export function sizeOf({message, attributes}: Outgoing): number {
  const parts = Object.entries(attributes).flatMap(([name, value]) => [name, 'String', value]);
  return [message, ...parts].reduce((sum, part) => sum + Buffer.byteLength(part), 0);
}
