import {AwsError} from './errors.ts';

export interface PageRequest {
  readonly limit: number;
  readonly token?: string | undefined;
  /** What the service answers to a token that it did not give out. */
  readonly invalid: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/** One page of a list. Tokens are opaque to callers, as AWS asks them to be treated. */
export function paginate<T>(items: readonly T[], {limit, token, invalid}: PageRequest): Page<T> {
  const start = token === undefined ? 0 : offsetOf(token, invalid);
  const end = start + limit;
  return {items: items.slice(start, end), nextToken: end < items.length ? tokenFor(end) : undefined};
}

const tokenFor = (offset: number): string => Buffer.from(`offset:${offset}`).toString('base64url');

function offsetOf(token: string, code: string): number {
  const match = /^offset:(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) throw new AwsError(code, 'Invalid token.');
  return Number(match[1]);
}
