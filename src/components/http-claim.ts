/** A claim that a URL answers, and with what. Used by every kind that has `verify.http`. */
import * as z from 'zod';
import {duration} from './settings.ts';
import type {Check, Claim} from '../release/model.ts';
import type {Io} from './io.ts';
import {passed, pending} from './verdict.ts';

export const httpVerify = z.strictObject({
  http: z.url({protocol: /^https?$/, error: 'an http:// or https:// URL'}).or(z.string().regex(/\$\{/)),
  expect: z
    .string()
    .min(1)
    .optional()
    .describe('What the answer has to hold, as a word of its own; without it any 2xx answer will do'),
  within: duration.default(10 * 60_000),
});
export type HttpVerify = z.infer<typeof httpVerify>;

const subject = z.object({is: z.literal('http'), url: z.string(), expect: z.string().optional()});

/** One probe may take this long, in milliseconds. */
const probeLimit = 5000;

export function httpClaim(component: string, {http, expect, within}: HttpVerify): Claim {
  return {
    id: `${component} http`,
    text: `${http} answers${expect === undefined ? '' : ` ${expect}`}`,
    subject: {is: 'http', url: http, ...(expect !== undefined && {expect})},
    within,
    // Whatever was started may still come: the release is neither done nor known to have failed.
    late: 'unknown',
  };
}

/** The look at an HTTP claim; undefined for any other claim. */
export function checkHttp(claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = subject.safeParse(claim.subject);
  return data && lookAt(claim, data.url, data.expect, io);
}

/** Looks once, and says so as the job's progress. */
export async function lookAt(claim: Claim, url: string, expect: string | undefined, io: Io): Promise<Check> {
  const answer = await ask(url, io);
  const found = inWords(answer);
  const waiting = expect === undefined ? found : `${found}, waiting for ${expect}`;
  io.progress({text: waiting});
  if (!isGood(answer)) return pending(claim, waiting);
  if (expect !== undefined && !answers(answer.body, expect)) return pending(claim, waiting);
  return passed(claim, found);
}

type Answer = Awaited<ReturnType<Io['probe']>>;
type GoodAnswer = Extract<Answer, {status: number}>;

export function ask(url: string, io: Io): Promise<Answer> {
  return io.probe(url, {timeoutMs: probeLimit, signal: io.signal});
}

export function isGood(answer: Answer): answer is GoodAnswer {
  return 'status' in answer && answer.status >= 200 && answer.status < 300;
}

/** What was answered, in a few words: `200 1.13.9`, `503`, `200 from login.example.edu`, `connection refused`. */
export function inWords(answer: Answer): string {
  if (!('status' in answer)) return answer.error;
  const status = answer.host === undefined ? String(answer.status) : `${answer.status} from ${answer.host}`;
  const [line = ''] = answer.body.trim().split('\n');
  return isShown(line) ? `${status} ${line.trim()}` : status;
}

/** A short line of text: no page, no image, nothing that was cut out of either. */
function isShown(line: string): boolean {
  return line !== '' && line.length <= 60 && !line.startsWith('<') && !/[\p{Cc}\ufffd]/u.test(line.trim());
}

/** Whether a URL answers what is expected, at once. */
export async function alreadyAnswers(url: string, expect: string, io: Io): Promise<boolean> {
  const answer = await ask(url, io);
  return isGood(answer) && answers(answer.body, expect);
}

/**
 * Whether the text holds the expected words as they stand, and not as a part of something longer: `1.14.0`
 * is in `{"version": "1.14.0"}` and in `v1.14.0`, not in `1.14.0-RC1`, `21.14.0` or `1.14.0.1`.
 */
export function answers(body: string, expect: string): boolean {
  for (let at = body.indexOf(expect); at !== -1; at = body.indexOf(expect, at + 1)) {
    const before = body.slice(Math.max(0, at - 3), at);
    const after = body.slice(at + expect.length, at + expect.length + 2);
    if (!/[\w.+-]$/.test(before.replace(/\bv$/, '')) && !/^(?:[\w+-]|\.\w)/.test(after)) return true;
  }
  return false;
}
