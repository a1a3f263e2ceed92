/**
 * What jobs write: a file a job, and the newest lines in memory for whoever watches (design section 4).
 * Lines never go through events. Everything is redacted and cleaned of control sequences before it is kept.
 */
import {type WriteStream, createWriteStream, mkdirSync} from 'node:fs';
import path from 'node:path';
import {stripVTControlCharacters} from 'node:util';
import type {Redaction} from './redact.ts';

/** What is left of a sequence that was cut off, and all else that a terminal obeys; tabs stay. */
const controls = /[\p{Cc}--\t]/gv;

/** How many lines of a job stay in memory. The rest is in its file. */
const kept = 2000;
/** Longer lines are cut in memory, so that a megabyte without a line feed is no megabyte on a screen. */
const longest = 4000;

export interface JobLogs {
  readonly version: number;
  write(jobId: string, line: string): void;
  tail(jobId: string, count: number): readonly string[];
  /** When the lines of such a tail were written, in milliseconds since the epoch. */
  times(jobId: string, count: number): readonly number[];
  total(jobId: string): number;
  path(jobId: string): string | undefined;
  close(): Promise<void>;
}

/** A full disk must not end the release: the record says what happened, the log is a help. */
function openFile(file: string): WriteStream {
  try {
    mkdirSync(path.dirname(file), {recursive: true, mode: 0o700});
  } catch {
    // Then the file cannot be opened either.
  }
  return createWriteStream(file, {flags: 'a', mode: 0o600}).on('error', () => undefined);
}

interface Log {
  readonly lines: string[];
  readonly times: number[];
  total: number;
  readonly file: WriteStream | undefined;
  /** Lines for the file that go there together: a write each, of a child that prints faster than a disk writes, fills the memory. */
  waiting: string;
}

/** How much goes to a file at once, in characters; less at the end of the turn. */
const batch = 64 * 1024;

function flush(log: Log): void {
  if (log.waiting !== '') log.file?.write(log.waiting);
  log.waiting = '';
}

/** `folder` is where the files go, made when the first of them is; undefined writes none. */
export function createJobLogs(folder: string | undefined, redaction: Redaction, now: () => number = Date.now): JobLogs {
  const logs = new Map<string, Log>();
  let version = 0;

  const pathOf = (jobId: string) =>
    folder === undefined ? undefined : path.join(folder, `${jobId.replaceAll('*', 'release')}.log`);
  const open = (jobId: string): Log => {
    const file = pathOf(jobId);
    const stream = file === undefined ? undefined : openFile(file);
    const log: Log = {lines: [], times: [], total: 0, file: stream, waiting: ''};
    logs.set(jobId, log);
    return log;
  };

  return {
    get version() {
      return version;
    },
    write: (jobId, text) => {
      const log = logs.get(jobId) ?? open(jobId);
      for (const raw of text.split(/\r\n|\n|\r/)) {
        // Cleaned first: a secret must not come together by what is taken out of it.
        const line = redaction.text(stripVTControlCharacters(raw).replaceAll(controls, '')).trimEnd();
        if (log.waiting === '') setImmediate(flush, log);
        log.waiting += `${line}\n`;
        if (log.waiting.length > batch) flush(log);
        log.lines.push(line.length > longest ? `${line.slice(0, longest)}…` : line);
        log.times.push(now());
        log.total += 1;
      }
      // Twice the room, halved at once: no shifting of two thousand entries a line.
      if (log.lines.length > 2 * kept) {
        log.lines.splice(0, log.lines.length - kept);
        log.times.splice(0, log.times.length - kept);
      }
      version += 1;
    },
    tail: (jobId, count) => newest(logs.get(jobId)?.lines, count),
    times: (jobId, count) => newest(logs.get(jobId)?.times, count),
    total: jobId => logs.get(jobId)?.total ?? 0,
    path: jobId => (logs.has(jobId) ? pathOf(jobId) : undefined),
    close: async () => {
      logs.forEach(flush);
      const files = [...logs.values()].flatMap(({file}) => file ?? []);
      // A file that could not be opened never finishes; it is closed all the same.
      await Promise.all(
        files.map(file => new Promise<void>(resolve => (file.destroyed ? resolve() : file.once('close', () => resolve()).end()))),
      );
    },
  };
}

/** The last `count` of them. (A slice from -0 would be all of them.) */
function newest<T>(all: readonly T[] | undefined, count: number): readonly T[] {
  return all === undefined || count <= 0 ? [] : all.slice(-Math.min(count, kept));
}
