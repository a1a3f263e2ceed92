/** Where time comes from. Timestamps are wall-clock milliseconds; only what *takes* time is sped up. */
export interface Clock {
  /** Milliseconds since the epoch, as AWS believes it to be. */
  now(): number;
  /** How many milliseconds of ours one second of AWS takes: 1000 at speed 1, 100 at speed 10. */
  readonly second: number;
}

export interface ClockOptions {
  readonly now: () => number;
  readonly speed: number;
  /** By how much AWS's clock is ahead of ours (negative: behind). */
  readonly skewSeconds: number;
}

export function createClock({now, speed, skewSeconds}: ClockOptions): Clock {
  if (!Number.isFinite(speed) || speed <= 0) throw new RangeError(`speed must be a number above 0, not ${speed}`);
  return {now: () => now() + skewSeconds * 1000, second: 1000 / speed};
}

/** A timestamp as the JSON protocols write it: seconds since the epoch, with fractions. */
export const epochSeconds = (milliseconds: number): number => milliseconds / 1000;
