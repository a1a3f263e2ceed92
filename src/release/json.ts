import {createHash} from 'node:crypto';
import * as z from 'zod';

/** What can be written to a record and read back unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};

export const json: z.ZodType<Json> = z.json();

/** What a record holds in place of a secret: it cannot be read back. */
export const hidden = '•••';

/**
 * One text for one value: keys sorted, no white space. Two values that are equal as JSON have the same
 * canonical text, whatever the order in which their keys were set. Keys that hold `undefined` are left out.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(item => canonical(item ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/** sha256 of bytes or text, in lower-case hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The fingerprint of a JSON value: sha256 of its canonical text. */
export function fingerprint(value: unknown): string {
  return sha256(canonical(value));
}
