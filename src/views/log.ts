/** The runs of an environment as a table. */
import type {Outcome} from '../release/words.ts';
import type {RunKind} from '../release/standing.ts';
import {tableLines} from './table.ts';
import {duration, lineFor, marks} from './words.ts';

/** One run, as far as its record says. The same in JSON. */
export interface LogEntry {
  readonly run: string;
  readonly kind?: RunKind;
  readonly version?: string;
  readonly components?: readonly string[];
  /** When it began. ISO 8601. */
  readonly at?: string;
  readonly by?: {readonly user: string; readonly host: string};
  readonly reason?: string;
  /** Absent: it never ended. */
  readonly outcome?: Outcome;
  readonly text?: string;
  readonly durationMs?: number;
  readonly head?: {readonly length: number; readonly hash: string};
  /** Why the record cannot be relied on, or not be read. */
  readonly problem?: string;
}

const good: ReadonlySet<Outcome> = new Set(['passed', 'nothing to do']);
const warned: ReadonlySet<Outcome> = new Set(['passed with waivers', 'triggered, not proven']);

export function logLines(
  env: Readonly<Record<string, string | undefined>>,
  {environment, entries}: {readonly environment: string; readonly entries: readonly LogEntry[]},
): readonly string[] {
  const glyphs = marks(env);
  const plain = lineFor(env);
  if (entries.length === 0) return [plain(`no run in ${environment} is recorded`)];
  const mark = ({outcome, problem}: LogEntry) => {
    if (problem !== undefined) return glyphs.bad;
    if (outcome === undefined) return glyphs.open;
    return good.has(outcome) ? glyphs.good : warned.has(outcome) ? glyphs.warning : glyphs.bad;
  };
  const rows = entries.map(entry => [
    entry.at?.slice(0, 19).replace('T', ' ') ?? '',
    entry.version ?? '',
    entry.kind ?? '',
    entry.outcome ?? (entry.version === undefined ? '' : 'not ended'),
    entry.durationMs === undefined ? '' : duration(entry.durationMs),
    entry.by === undefined ? '' : `${entry.by.user}@${entry.by.host}`,
    entry.run,
  ]);
  const lines = tableLines(rows.map(row => row.map(plain)));
  return entries.flatMap((entry, index) => [
    `${mark(entry)} ${lines[index] ?? ''}`,
    ...(entry.reason === undefined ? [] : [plain(`    ${entry.reason}`)]),
    ...(entry.problem === undefined ? [] : [plain(`    ${entry.problem}`)]),
  ]);
}
