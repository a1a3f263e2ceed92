/** Small shapes that many settings share. */
import {z} from 'zod';

/** A name that is safe in file names, flags and on screen. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'a name has letters, digits, "-" and "_", starts with a letter or a digit, and has at most 64 characters',
  );

const units = {s: 1000, m: 60_000, h: 3_600_000} as const;

/** `90s`, `10m`, `24h`; read as milliseconds. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,5}[smh]$/, 'a duration is a whole number with s, m or h: 90s, 10m, 24h')
  .transform(text => Number(text.slice(0, -1)) * units[text.endsWith('s') ? 's' : text.endsWith('m') ? 'm' : 'h']);
