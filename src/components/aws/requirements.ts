/** What every AWS component requires: a session that is the right one and lasts, and images that are there or can be copied. */
import type {Check, Claim} from '../../release/model.ts';
import * as z from 'zod';
import {DeployError, inOneLine} from '../../release/errors.ts';
import {newCredentials} from '../../tools/aws/errors.ts';
import {shortDigest} from '../images.ts';
import type {Image, Io} from '../io.ts';
import {failed, open, passed} from '../verdict.ts';
import {denials, verdict} from './allowed.ts';

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
  const account = await io.aws.sts.identity().then(
    identity => identity.account,
    () => undefined,
  );
  if (account !== undefined && (accountId === undefined || account === accountId)) return undefined;
  // Whoever looks again may have logged in meanwhile.
  io.aws.renew();
  return open(claim, 'not looked at: the AWS session is not the right one');
}

/** A session that ends within this is not worth starting with, whatever the last release took. Milliseconds. */
const shortestSession = 5 * 60_000;

async function checkSession(claim: Claim, io: Io): Promise<Check> {
  const {account, arn, expires} = await io.aws.sts.identity();
  const {accountId, login, name} = io.place;
  if (accountId !== undefined && account !== accountId) {
    io.aws.renew();
    return failed(claim, `the credentials are for account ${account} (${arn}), ${name} is account ${accountId}`, {
      next: login ? logIn(io) : 'Use credentials of that account, or another profile.',
    });
  }
  const who = `${account} as ${arn.split(':').at(-1) ?? arn}`;
  if (expires === undefined) return passed(claim, who);
  const left = expires.getTime() - io.clock.now();
  const needed = Math.max(io.lastDuration ?? 0, shortestSession);
  const ends = `ends ${expires.toISOString().slice(11, 16)} UTC, in ${Math.max(0, Math.floor(left / 60_000))} min`;
  if (left >= needed) return passed(claim, `${who}, ${ends}`);
  io.aws.renew();
  const took = io.lastDuration === undefined ? '' : `; the last release took ${Math.ceil(io.lastDuration / 60_000)} min`;
  return failed(claim, `${who}: the session ${ends}${took}`, {next: logIn(io)});
}

function logIn({place: {login}, env}: Io): string {
  return inOneLine(newCredentials({login, env}));
}

async function checkImage(claim: Claim, {image: setting, tag}: {image: string; tag: string}, io: Io): Promise<Check> {
  const image = await io.image(setting, tag);
  const found = await image.digest();
  if (found === undefined) return image.inEcr ? checkMissing(claim, image, io) : notThere(claim, image);
  if (found.usable) return passed(claim, shortDigest(found.digest));
  return failed(claim, `${image.repository}:${tag} is ${found.status}: it cannot be pulled`, {
    next: unusable[found.status]?.(image) ?? 'Look at it in ECR.',
  });
}

/** What to do about an image that is in ECR and cannot be pulled, by its status. */
const unusable: Readonly<Partial<Record<string, (image: Image) => string>>> = {
  ARCHIVED: ({repository, tag}) =>
    `Restore it: aws ecr update-image-storage-class --repository-name ${repository} --image-id imageTag=${tag} --target-storage-class STANDARD`,
  ACTIVATING: () => 'It is being restored: try again in a while.',
};

function notThere(claim: Claim, {uri, tag, repository, source}: Image): Check {
  const elsewhere = source === undefined ? '' : `, and no ${source.uri} to copy`;
  return failed(claim, `there is no tag ${tag} in ${repository}${elsewhere}`, {
    next: `Push ${source?.uri ?? uri}, or choose a version whose images are there.`,
  });
}

/** An image that is not in ECR yet: whether it can be copied there. */
async function checkMissing(claim: Claim, image: Image, io: Io): Promise<Check> {
  const {repository: name, source} = image;
  const repository = await io.aws.ecr.repository(name);
  if (repository === undefined) {
    return failed(claim, `there is no repository ${name} in ECR`, {
      next: `Correct the name in the config file, or make it: aws ecr create-repository --repository-name ${name}`,
    });
  }
  const digest = await source?.digest();
  if (source === undefined || digest === undefined) return notThere(claim, image);
  const coming = passed(claim, `not in ECR yet: will be copied from ${source.uri}, ${shortDigest(digest)}`);
  try {
    const allowed = verdict(
      claim,
      await denials('copyFrom', {on: {repository: [repository.arn]}, ownPolicy: ['repository']}, io),
    );
    return allowed.status === 'passed' ? coming : {...allowed, found: `${coming.found}; ${allowed.found}`};
  } catch (error) {
    // What cannot be asked holds nothing up.
    if (error instanceof DeployError) return coming;
    throw error;
  }
}
