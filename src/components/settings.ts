/** Small shapes that many settings share. */
import * as z from 'zod';
import {durationForm, durationRule, parseDuration} from '../release/duration.ts';
import {reverts} from '../release/words.ts';

/** A name that is safe in file names, flags and on screen. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'a name has letters, digits, "-" and "_", starts with a letter or a digit, and has at most 64 characters',
  );

/** What every component's config may say, whatever its kind. */
export const common = {
  needs: z.array(z.string()).optional().describe('Components that must be verified before this one begins'),
  revert: z
    .enum(reverts)
    .optional()
    .describe('Whether it may be taken back when a release fails; --yes never reverts what says ask'),
};

/** `90s`, `10m`, `24h`; read as milliseconds. */
export const duration = z
  .string()
  .regex(durationForm, durationRule)
  .transform(text => parseDuration(text) ?? 0);
