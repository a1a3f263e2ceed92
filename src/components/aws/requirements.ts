/** What every AWS component requires: a session that is the right one and lasts, and images that are there. */
import type {Check, Claim} from '../../release/model.ts';
import {z} from 'zod';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import {failed, open, passed} from '../verdict.ts';

/** Equal for every component of a release, so it is looked at once. `needed`: also where the config says nothing of AWS. */
export function sessionClaim(needed = true): Claim {
  return {id: 'aws session', text: 'AWS session', subject: {is: 'session', needed}};
}

export function imageClaim(image: string, tag: string): Claim {
  return {id: `image ${image}:${tag}`, text: `image ${image}:${tag}`, subject: {is: 'image', image, tag}};
}

const subject = z.discriminatedUnion('is', [
  z.object({is: z.literal('session'), needed: z.boolean()}),
  z.object({is: z.literal('image'), image: z.string(), tag: z.string()}),
]);

/** The verdict on a claim of this file; undefined for any other claim. */
export async function checkShared(claim: Claim, io: Io): Promise<Check | undefined> {
  const parsed = subject.safeParse(claim.subject);
  if (!parsed.success) return undefined;
  if (parsed.data.is === 'session') {
    return parsed.data.needed || io.place.usesAws
      ? checkSession(claim, io)
      : open(claim, `${io.place.name} has no \`aws:\` settings`);
  }
  return (await withoutSession(claim, io)) ?? checkImage(claim, parsed.data, io);
}

/**
 * The verdict on a requirement that cannot be looked at, because the session is missing or another account's:
 * that is one thing to mend, not one for each requirement. Undefined where the session will do.
 */
export async function withoutSession(claim: Claim, io: Io): Promise<Check | undefined> {
  const {accountId} = io.place;
  const usable = await io.aws.sts.identity().then(
    ({account}) => accountId === undefined || account === accountId,
    () => false,
  );
  return usable ? undefined : open(claim, 'not looked at: the AWS session is not the right one');
}

/** A session that ends within this is not worth starting with, whatever the last release took. Milliseconds. */
const shortestSession = 5 * 60_000;

async function checkSession(claim: Claim, io: Io): Promise<Check> {
  const {account, arn, expires} = await io.aws.sts.identity();
  const {accountId, login, name} = io.place;
  if (accountId !== undefined && account !== accountId) {
    return failed(claim, `the credentials are for account ${account} (${arn}), ${name} is account ${accountId}`, {
      next: login ? `Run: ${login.join(' ')}` : 'Use credentials of that account, or another profile.',
    });
  }
  const who = `${account} as ${arn.split(':').at(-1) ?? arn}`;
  if (expires === undefined) return passed(claim, who);
  const left = expires.getTime() - io.clock.now();
  const needed = Math.max(io.lastDuration ?? 0, shortestSession);
  const ends = `ends ${expires.toISOString().slice(11, 16)} UTC, in ${Math.max(0, Math.floor(left / 60_000))} min`;
  if (left >= needed) return passed(claim, `${who}, ${ends}`);
  const took = io.lastDuration === undefined ? '' : `; the last release took ${Math.ceil(io.lastDuration / 60_000)} min`;
  return failed(claim, `${who}: the session ${ends}${took}`, {next: login ? `Run: ${login.join(' ')}` : 'Get new credentials.'});
}

async function checkImage(claim: Claim, {image, tag}: {image: string; tag: string}, io: Io): Promise<Check> {
  const found = await lookUp(io, image, tag);
  return found.is === 'there'
    ? passed(claim, shortDigest(found.digest))
    : failed(claim, found.why, {next: `Push ${found.uri}, or choose a version whose images are there.`});
}

type Found =
  | {readonly is: 'there'; readonly digest: string}
  | {readonly is: 'missing'; readonly why: string; readonly uri: string};

async function lookUp(io: Io, name: string, tag: string): Promise<Found> {
  const image = await io.image(name, tag);
  const found = await image.digest();
  if (found === undefined) return {is: 'missing', why: `there is no tag ${tag} in ${image.repository}`, uri: image.uri};
  if (!found.usable)
    return {is: 'missing', why: `${image.repository}:${tag} is ${found.status}, it cannot be pulled`, uri: image.uri};
  return {is: 'there', digest: found.digest};
}
