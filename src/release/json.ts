import * as z from 'zod';

/** What can be written to a record and read back unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};

export const json: z.ZodType<Json> = z.json();

/** What a record holds in place of a secret: it cannot be read back. */
export const hidden = '•••';
