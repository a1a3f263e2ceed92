/** Words that several views share: durations, counts, glyphs for lines of plain text. */
import type {Change, Check, ComponentEnd, Downtime, Plan} from '../release/model.ts';
import {isNoop, risks} from '../release/words.ts';
import {onGitHub, withoutCommands} from './github.ts';
import {clean} from './text.ts';

/** `41 s`, `3 min 12 s`, `1 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? '' : ` ${seconds % 60} s`}`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `3 update, 1 trigger`, worst last; `nothing` for a plan without changes. */
export function totals(plan: Plan): string {
  const changes: readonly Change[] = plan.components.flatMap(({changes}) => changes);
  const words = risks
    .filter(risk => risk !== 'none')
    .flatMap(risk => {
      const count = changes.filter(change => change.risk === risk).length;
      return count === 0 ? [] : [`${count} ${risk}`];
    });
  return plan.components.every(isNoop) ? 'nothing' : words.join(', ');
}

/** `1.13.2 → 1.14.0`, or what is known of it. */
export function versions({from, to}: {readonly from?: string | undefined; readonly to: string}): string {
  return from === undefined || from === to ? to : `${from} → ${to}`;
}

/** The first characters of a fingerprint, in the groups that people read aloud. */
export function shortFingerprint(fingerprint: string): string {
  return `${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}`;
}

interface Marks {
  readonly good: string;
  readonly bad: string;
  readonly warning: string;
  readonly open: string;
  readonly going: string;
}

const unicode: Marks = {good: '✔', bad: '✖', warning: '⚠', open: '○', going: '●'};
const ascii: Marks = {good: 'ok', bad: 'FAIL', warning: 'warn', open: 'open', going: '..'};

type Env = Readonly<Record<string, string | undefined>>;

function showsUnicode(env: Env): boolean {
  const locale = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? 'UTF-8';
  return /utf-?8/i.test(locale) && env['TERM'] !== 'linux';
}

/** Glyphs that the terminal can show. */
export function marks(env: Env): Marks {
  return showsUnicode(env) ? unicode : ascii;
}

/** Signs within our sentences, and what stands in for them. */
const standIns = new Map([
  ['→', '->'],
  ['…', '...'],
  ['×', 'x'],
  ['·', '-'],
]);

/** Makes a line harmless (`clean`, and no command to whoever reads along), with signs that the terminal can show. */
export function lineFor(env: Env): (text: string) => string {
  const harmless = onGitHub(env) ? (text: string) => withoutCommands(clean(text)) : clean;
  if (showsUnicode(env)) return harmless;
  return text => harmless(text).replaceAll(/[→…×·]/g, sign => standIns.get(sign) ?? sign);
}

/**
 * The same for a text of ours that may hold several lines of somebody else's: what follows a line feed stands deeper and behind a
 * bar, so that it cannot pass for a line of ours.
 */
export function linesFor(env: Env): (text: string) => readonly string[] {
  const plain = lineFor(env);
  return text => {
    const [first = '', ...more] = text.split(/\r\n|\n|\r/);
    const indent = ' '.repeat(text.search(/\S|$/) + 4);
    return [plain(first), ...more.map(line => `${indent}| ${plain(line)}`.trimEnd())];
  };
}

export function checkMark(marks: Marks, status: Check['status']): string {
  return {passed: marks.good, failed: marks.bad, warned: marks.warning, open: marks.open, pending: marks.going}[status];
}

export function endMark(marks: Marks, end: ComponentEnd['end']): string {
  if (end === 'verified' || end === 'unchanged') return marks.good;
  return end === 'not proven' || end === 'waived' ? marks.warning : end === 'not started' ? marks.open : marks.bad;
}

/** How many probes fit in a line. */
const barWidth = 40;

/** `down 42 s  ==xxxxxx++`: how long, and the probes as they came; of many, evenly chosen ones. */
export function downtimeWords({ms, probes}: Downtime): string {
  const step = Math.max(1, probes.length / barWidth);
  const bar = Array.from({length: Math.min(probes.length, barWidth)}, (_, index) => probes[Math.floor(index * step)] ?? '').join(
    '',
  );
  return `${ms === 0 ? 'never seen down' : `down ${duration(ms)}`}  ${bar}`;
}
