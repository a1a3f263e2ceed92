/**
 * The lines of a record: one event each, chained by hashes, so that an edit, a removal, a reorder or a cut
 * can be told from the bytes alone (facts/terraform.md section 4). Pure.
 */
import type * as z from 'zod';
import {DeployError} from '../release/errors.ts';
import type {RunEvent} from '../release/events.ts';
import {sha256} from '../release/hash.ts';

/** What the chain adds to an event. `prev` is the sha256 of the previous line's bytes without its line feed. */
export interface Link {
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly prev: string;
}
export type RecordedEvent = RunEvent & Link;

/** How far a record reaches: the number of its lines and the hash of the last one. */
export interface Head {
  readonly length: number;
  readonly hash: string;
}

/** What the first line names as the line before it. */
export const emptyHead: Head = {length: 0, hash: '0'.repeat(64)};

/** The line that follows `before`, without its line feed, and the head after it. */
export function seal(event: object, at: string, before: Head): {readonly line: string; readonly head: Head} {
  const line = JSON.stringify({seq: before.length, at, prev: before.hash, ...event});
  return {line, head: {length: before.length + 1, hash: sha256(line)}};
}

export interface ReadChain<E> {
  readonly events: readonly (E & Link)[];
  /** Where the chain stands after the last whole line. */
  readonly head: Head;
  /** How far it was last said to reach, which is written when lines are safe: those behind may be lost to a power failure. */
  readonly named: Head | undefined;
  /** Bytes of whole, intact lines; what follows is a line that was cut off while it was written. */
  readonly intactBytes: number;
  /** Whether the last line is torn: begun and never ended. Normal after a crash. */
  readonly torn: boolean;
  /** What is wrong with the chain; empty for a record that nobody touched. */
  readonly problems: readonly string[];
}
export type ReadRecord = ReadChain<RunEvent>;

/**
 * Reads chained lines, each an event of `schema`, in no newer version than `version`. `writtenHead` is what was last said of
 * their number and hash: more lines than that are normal (the head is written after them), with fewer some were cut.
 * `proven`: these very bytes were read as such events before.
 */
export function readLines<E extends object>(
  bytes: Buffer,
  writtenHead: Head | undefined,
  schema: z.ZodType<E> | 'proven',
  version: number,
): ReadChain<E> {
  const end = bytes.lastIndexOf(lineFeed) + 1;
  const problems: string[] = [];
  const events: (E & Link)[] = [];
  let now = emptyHead;
  for (const [index, line] of linesOf(bytes.subarray(0, end)).entries()) {
    const read = readLine(line.toString('utf8'), schema, version);
    if (typeof read === 'string') problems.push(`line ${index + 1}: ${read}`);
    else {
      if (read.seq !== index) problems.push(`line ${index + 1}: says it is number ${read.seq + 1}`);
      if (read.prev !== now.hash) problems.push(`line ${index + 1}: does not follow the line before it`);
      events.push(read);
    }
    // Of the raw bytes: several sequences that are no UTF-8 read as the same text.
    now = {length: index + 1, hash: sha256(line)};
    if (writtenHead?.length === now.length && writtenHead.hash !== now.hash)
      problems.push(`line ${index + 1}: is not what the head names`);
  }
  if (writtenHead === undefined && now.length > 1) problems.push('the head is gone: nothing tells whether lines were cut');
  if (writtenHead?.length === 0 && writtenHead.hash !== emptyHead.hash) problems.push('the head names no line, and a hash');
  if (writtenHead && writtenHead.length > now.length) {
    problems.push(`cut: the head names ${writtenHead.length} lines, there are ${now.length}`);
  }
  return {events, head: now, named: writtenHead, intactBytes: end, torn: end < bytes.length, problems};
}

const lineFeed = 0x0a;

/** Without their line feeds. `bytes` ends with one, or is empty. */
function linesOf(bytes: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(lineFeed, start);
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** The event of a line, or what is wrong with it. Throws for a line that a newer version wrote. */
function readLine<E extends object>(line: string, schema: z.ZodType<E> | 'proven', version: number): (E & Link) | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'is not JSON';
  }
  // Nothing else has the hash of what was proven to be one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (schema === 'proven') return value as E & Link;
  // Any line may say it: a newer version may have gone on with a record that an older one began.
  const newer = fieldsOf(value).get('schema');
  if (typeof newer === 'number' && newer > version) throw new NewerRecordError(newer, version);
  const link = linkOf(value);
  // Compiling a parser for every kind of event takes longer than reading a whole record without one.
  const event = schema.safeParse(value, {jitless: true});
  if (link === undefined || !event.success) return 'is not an event of a release';
  return {...event.data, ...link};
}

// Read by hand: who only looks at records that were read before (`status`) does not load what reads everything else.

function linkOf(value: unknown): Link | undefined {
  const fields = fieldsOf(value);
  const [seq, at, prev] = [fields.get('seq'), fields.get('at'), fields.get('prev')];
  const isLink = isWhole(seq) && typeof at === 'string' && isTime(at) && typeof prev === 'string';
  return isLink ? {seq, at, prev} : undefined;
}

/** Undefined for what is none. */
export function headOf(value: unknown): Head | undefined {
  const fields = fieldsOf(value);
  const [length, hash] = [fields.get('length'), fields.get('hash')];
  return isWhole(length) && length >= 0 && typeof hash === 'string' ? {length, hash} : undefined;
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isTime = (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));

/** A record that this version of the program cannot read. It is none that somebody changed. */
export class NewerRecordError extends DeployError {
  static override readonly usual = 'DW141';
  readonly schema: number;
  readonly known: number;

  constructor(schema: number, known: number, record = 'this record') {
    super(`${record} was written by a newer deploy-wizard (schema ${schema}, this one reads up to ${known})`, {
      means: 'Nothing was read and nothing was changed.',
      next: ['Use the version of deploy-wizard that wrote it, or a newer one.'],
    });
    this.schema = schema;
    this.known = known;
  }

  /** The same, of a record with a name. */
  of(record: string): NewerRecordError {
    return new NewerRecordError(this.schema, this.known, record);
  }
}
