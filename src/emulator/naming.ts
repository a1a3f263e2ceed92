import {createHash} from 'node:crypto';

/**
 * Identifiers in AWS's shapes, each a pure function of what it names. The same story gives the same identifiers
 * under a fake clock, and two demos never share one: the account's seed holds the moment it was started.
 */
type Part = string | number;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** 32 hex digits: a task, a request. */
export const hexId = (...parts: readonly Part[]): string => sha256(parts.join('/')).slice(0, 32);

/** 19 decimal digits, as in `ecs-svc/9223370564343880200` and in service revisions. */
export const digitId = (...parts: readonly Part[]): string =>
  BigInt(`0x${hexId(...parts)}`)
    .toString()
    .slice(0, 19)
    .padEnd(19, '0');

/** 21 URL-safe characters: a service deployment. */
export const slugId = (...parts: readonly Part[]): string =>
  Buffer.from(hexId(...parts), 'hex')
    .toString('base64url')
    .slice(0, 21);

export function uuid(...parts: readonly Part[]): string {
  const hex = hexId(...parts);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}

/** An address in 10.0.0.0/16. */
export const privateIp = (...parts: readonly Part[]): string => {
  const hex = hexId(...parts, 'address');
  return `10.0.${Number.parseInt(hex.slice(0, 2), 16)}.${Number.parseInt(hex.slice(2, 4), 16)}`;
};

/** `sha256:…` of some bytes, as registries write it. */
export const digestOf = (content: string | Uint8Array): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** The name at the end of an ARN, or the name itself: nearly every ECS parameter takes either. */
export const shortName = (arnOrName: string): string => arnOrName.slice(arnOrName.lastIndexOf('/') + 1);
