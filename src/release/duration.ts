/** Durations as people write them, in settings and on the command line. */

const units: Readonly<Record<string, number>> = {s: 1000, m: 60_000, h: 3_600_000};

export const durationForm = /^([1-9]\d{0,5})([smh])$/;
export const durationRule = 'a duration is a whole number with s, m or h: 90s, 10m, 24h';

/** `90s`, `10m`, `24h` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = durationForm.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (units[unit] ?? 0);
}
