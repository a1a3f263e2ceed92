/**
 * When a rule or a schedule starts something next: AWS' `cron(…)`, `rate(…)` and `at(…)`, in the schedule's time zone.
 * Grammar: EventBridge Scheduler user guide, "Schedule types"; rules have the first two, in UTC.
 */
import {Cron} from 'croner';

export interface Timing {
  readonly expression: string;
  /** IANA name. Rules know UTC only. */
  readonly zone: string;
  readonly enabled: boolean;
  /** Where `rate` counts from, and before which nothing runs. */
  readonly start?: Date | undefined;
  readonly end?: Date | undefined;
  /** A run comes up to so many minutes later than its time. */
  readonly window?: number | undefined;
}

/** `untold`: it runs, but when cannot be computed from what AWS tells. */
export type Next = Date | 'never' | 'untold';

/** The first time after `now`. */
export function nextRun({expression, zone, start, end}: Timing, now: Date): Next {
  const [, kind, body = ''] = /^\s*(cron|rate|at)\((.*)\)\s*$/s.exec(expression) ?? [];
  const from = start !== undefined && start > now ? start : now;
  const next =
    kind === 'cron' ? nextCron(body, zone, from) : kind === 'rate' ? nextRate(body, start, now) : nextAt(body, zone, from);
  return next instanceof Date && end !== undefined && next > end ? 'never' : next;
}

/** In words, for a plan. */
export function tellNextRun(timing: Timing, now: Date): string {
  if (!timing.enabled) return 'disabled: it starts nothing until somebody enables it';
  const next = nextRun(timing, now);
  if (next === 'never') return `${timing.expression}: it runs no more`;
  if (next === 'untold') return `${timing.expression}: when it runs next, AWS does not tell`;
  const later = timing.window === undefined ? '' : ` or up to ${timing.window} min later`;
  return `next run ${clockTime(next, now, timing.zone)}${later}, in ${distance(next.getTime() - now.getTime())}`;
}

const day = 24 * 60 * 60_000;

/** `02:00 UTC`; with its date where that is not today or tonight. */
function clockTime(time: Date, now: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(time);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find(one => one.type === type)?.value ?? '';
  const date = time.getTime() - now.getTime() < day ? '' : `${part('year')}-${part('month')}-${part('day')} `;
  return `${date}${part('hour')}:${part('minute')} ${timeZone}`;
}

/** Milliseconds as `14 min`, `3 h 20 min`, `6 days`. */
function distance(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  if (ms < 2 * day) return `${Math.floor(minutes / 60)} h${minutes % 60 === 0 ? '' : ` ${minutes % 60} min`}`;
  return `${Math.round(ms / day)} days`;
}

// ── the three kinds ──────────────────────────────────────────────────────────────────────────────────

function nextAt(body: string, zone: string, from: Date): Next {
  // A pattern that is a local time is that one time.
  const time = local(body.trim(), zone);
  if (time === undefined) return 'untold';
  return time > from ? time : 'never';
}

function local(text: string, timezone: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return undefined;
  try {
    return new Cron(text, {timezone, paused: true}).getOnce() ?? undefined;
  } catch {
    return undefined;
  }
}

const units: Readonly<Record<string, number>> = {minute: 60_000, hour: 3_600_000, day};

/** Milliseconds between two runs of `rate(…)`; undefined for any other expression. */
export function ratePeriod(expression: string): number | undefined {
  const [, count, unit = ''] = /^\s*rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)\s*$/.exec(expression) ?? [];
  const period = Number(count) * (units[unit] ?? 0);
  return period > 0 ? period : undefined;
}

function nextRate(body: string, start: Date | undefined, now: Date): Next {
  const period = ratePeriod(`rate(${body})`);
  // Without a start it counts from a moment that no call tells.
  if (period === undefined || start === undefined) return 'untold';
  if (start > now) return start;
  const passed = Math.floor((now.getTime() - start.getTime()) / period) + 1;
  return new Date(start.getTime() + passed * period);
}

function nextCron(body: string, timezone: string, from: Date): Next {
  const fields = body.trim().split(/\s+/);
  const [minutes = '', hours = '', days = '', months = '', weekdays = '', years = ''] = fields;
  if (fields.length !== 6) return 'untold';
  const pattern = [
    '0',
    stepped(minutes, 59),
    stepped(hours, 23),
    stepped(any(days), 31),
    stepped(months, 12),
    weekday(any(weekdays)),
    stepped(years, 2199),
  ].join(' ');
  try {
    return new Cron(pattern, {timezone, mode: '7-part', paused: true}).nextRun(from) ?? 'never';
  } catch {
    return 'untold';
  }
}

/** "No specific value", which is any. */
function any(field: string): string {
  return field === '?' ? '*' : field;
}

/** AWS writes `5/10` for "from 5, every 10", which is a range with a step elsewhere. */
function stepped(field: string, last: number): string {
  return field.replace(
    /(^|,)(\d+)\/(\d+)/g,
    (_all, before: string, first: string, step: string) => `${before}${first}-${last}/${step}`,
  );
}

/** AWS counts weekdays from SUN = 1, cron from SUN = 0; `L` alone is the last of the week, `6L` the last Friday of the month. */
function weekday(field: string): string {
  if (field === '*') return field;
  return field
    .split(',')
    .map(part => {
      if (part === 'L') return '6';
      const [, range = '', suffix = ''] = /^(.*?)(L|#\d|\/\d+)?$/.exec(part) ?? [];
      const moved = range.replace(/\d+/g, digits => String(Number(digits) - 1));
      if (suffix === 'L') return `${moved}#L`;
      return suffix.startsWith('/') && /^\d+$/.test(moved) ? `${moved}-6${suffix}` : `${moved}${suffix}`;
    })
    .join(',');
}
