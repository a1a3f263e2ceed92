import {describe, expect, test} from 'vitest';
import {type Timing, nextRun, tellNextRun} from '../../../src/components/loaders/timing.ts';

/** A Sunday. */
const now = new Date('2026-11-22T01:46:00Z');
const at = (expression: string, more: Partial<Timing> = {}): Timing => ({expression, zone: 'UTC', enabled: true, ...more});
const iso = (timing: Timing) => {
  const next = nextRun(timing, now);
  return next instanceof Date ? next.toISOString().slice(0, 16) : next;
};

test.each([
  ['every night', 'cron(0 2 * * ? *)', '2026-11-22T02:00'],
  ['every ten minutes of a working day', 'cron(0/10 * ? * MON-FRI *)', '2026-11-23T00:00'],
  ['from minute 5, every 15', 'cron(5/15 0 * * ? *)', '2026-11-23T00:05'],
  ['weekdays count from Sunday = 1', 'cron(0 18 ? * 2-6 *)', '2026-11-23T18:00'],
  ['Sunday by its number', 'cron(0 12 ? * 1 *)', '2026-11-22T12:00'],
  ['the last day of the month', 'cron(0 10 L * ? *)', '2026-11-30T10:00'],
  ['the weekday nearest to the first', 'cron(0 8 1W * ? *)', '2026-12-01T08:00'],
  ['the last Friday of the month', 'cron(15 10 ? * 6L 2026-2030)', '2026-11-27T10:15'],
  ['the second Monday of the month', 'cron(0 2 ? * 2#2 *)', '2026-12-14T02:00'],
  ['the last day of the week', 'cron(0 2 ? * L *)', '2026-11-28T02:00'],
  ['every other year from 2027', 'cron(0 9 ? * 2 2027/2)', '2027-01-04T09:00'],
  ['a year that is over', 'cron(0 2 1 1 ? 2025)', 'never'],
  ['once', 'at(2026-11-22T03:00:00)', '2026-11-22T03:00'],
  ['once, over', 'at(2026-11-20T03:00:00)', 'never'],
  ['a rate that counts from a moment AWS does not tell', 'rate(7 days)', 'untold'],
  ['what it does not know', 'cron(0 2 * *)', 'untold'],
])('%s: %s', (_what, expression, expected) => {
  expect(iso(at(expression))).toBe(expected);
});

describe('a schedule', () => {
  test('runs by the clock of its own time zone', () => {
    // New York has four hours less than UTC in summer and five in winter.
    expect(iso(at('cron(0 2 * * ? *)', {zone: 'America/New_York'}))).toBe('2026-11-22T07:00');
    expect(iso(at('at(2026-07-01T02:00:00)', {zone: 'America/New_York'}))).toBe('never');
    expect(iso(at('at(2027-07-01T02:00:00)', {zone: 'America/New_York'}))).toBe('2027-07-01T06:00');
  });

  test('counts a rate from its start', () => {
    const start = new Date('2026-11-20T00:30:00Z');
    expect(iso(at('rate(12 hours)', {start}))).toBe('2026-11-22T12:30');
    expect(iso(at('rate(12 hours)', {start: new Date('2026-12-01T00:00:00Z')}))).toBe('2026-12-01T00:00');
  });

  test('does not run before its start, nor after its end', () => {
    expect(iso(at('cron(0 2 * * ? *)', {start: new Date('2026-12-24T12:00:00Z')}))).toBe('2026-12-25T02:00');
    expect(iso(at('cron(0 2 * * ? *)', {end: new Date('2026-11-22T01:59:00Z')}))).toBe('never');
  });
});

test('the next run is told in the words of a plan', () => {
  expect(tellNextRun(at('cron(0 2 * * ? *)'), now)).toBe('next run 02:00 UTC, in 14 min');
  expect(tellNextRun(at('cron(0 2 * * ? *)', {window: 15}), now)).toBe('next run 02:00 UTC or up to 15 min later, in 14 min');
  expect(tellNextRun(at('cron(30 5 * * ? *)', {zone: 'America/New_York'}), now)).toBe(
    'next run 05:30 America/New_York, in 8 h 44 min',
  );
  expect(tellNextRun(at('cron(0 2 ? * 2#2 *)'), now)).toBe('next run 2026-12-14 02:00 UTC, in 22 days');
  expect(tellNextRun(at('rate(7 days)'), now)).toBe('rate(7 days): when it runs next, AWS does not tell');
  expect(tellNextRun(at('at(2026-11-20T03:00:00)'), now)).toBe('at(2026-11-20T03:00:00): it runs no more');
  expect(tellNextRun(at('cron(0 2 * * ? *)', {enabled: false}), now)).toMatch(/^disabled/);
});
