/**
 * Records on disk: `<root>/<environment>/<run>/record.ndjson`, its head beside it, one log file a job.
 * Folders 0700, files 0600; every line is on disk before `append` resolves.
 */
import {type FileHandle, access, mkdir, open, readFile, readdir, truncate} from 'node:fs/promises';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type {Clock} from '../release/contract.ts';
import {DeployError, exitCodes} from '../release/errors.ts';
import type {RunEvent} from '../release/events.ts';
import {isCode} from '../tools/error-code.ts';
import {type Head, type ReadRecord, type RecordedEvent, emptyHead, head, readChain, seal} from './chain.ts';

const recordFile = 'record.ndjson';
const headFile = 'head.json';

/** A record being written. Appends are ordered; each resolves when its line is on disk. */
export interface RecordWriter {
  readonly folder: string;
  append(event: RunEvent): Promise<RecordedEvent>;
  head(): Head;
  close(): Promise<void>;
}

/** The record cannot be written: what was done so far is in it, and nothing more is done. */
class RecordError extends DeployError {
  override readonly exitCode = exitCodes.unknown;
}

export interface Store {
  readonly root: string;
  /** Starts a record in a folder of its own, named by time and version (a number is added to a taken name). */
  create(environment: string, version: string): Promise<{run: string; writer: RecordWriter}>;
  /** Goes on with a record. A torn last line is cut off first. Refuses one that does not verify. */
  resume(environment: string, run: string): Promise<{record: ReadRecord; writer: RecordWriter}>;
  read(environment: string, run: string): Promise<ReadRecord>;
  /** The runs of an environment, newest first. */
  runs(environment: string): Promise<readonly string[]>;
}

export function fileStore(root: string, clock: Pick<Clock, 'now'>): Store {
  const folderOf = (environment: string, run: string) => path.join(root, environment, run);

  const read = async (environment: string, run: string): Promise<ReadRecord> => {
    const folder = folderOf(environment, run);
    const bytes = await readFile(path.join(folder, recordFile)).catch(async (error: unknown) => {
      // A process that died between making the folder and the first line has recorded nothing.
      if (isCode(error, 'ENOENT') && (await isThere(folder))) return Buffer.alloc(0);
      throw new DeployError(`the record of run ${run} cannot be read: ${messageOf(error)}`, {cause: error});
    });
    return readChain(bytes, await readHead(folder));
  };

  return {
    root,
    read,
    create: async (environment, version) => {
      const parent = path.join(root, environment);
      try {
        const {run, folder} = await newFolder(parent, `${stamp(clock.now())}-${version}`);
        return {run, writer: await startWriter(folder, emptyHead, clock)};
      } catch (error) {
        throw noRecord(parent, error);
      }
    },
    resume: async (environment, run) => {
      const record = await read(environment, run);
      if (record.problems.length > 0) {
        throw new DeployError(`the record of run ${run} was changed by somebody: ${record.problems.join('; ')}`, {
          means: 'Nothing was done: what it says cannot be relied on.',
          next: [`Look at ${folderOf(environment, run)} and at the environment itself.`],
        });
      }
      if (record.torn) await truncate(path.join(folderOf(environment, run), recordFile), record.intactBytes);
      return {record, writer: await startWriter(folderOf(environment, run), record.head, clock)};
    },
    runs: async environment => {
      const entries = await readdir(path.join(root, environment), {withFileTypes: true}).catch(() => []);
      // Names start with the time of the run: their order is the order of the runs.
      return entries
        .filter(entry => entry.isDirectory())
        .map(({name}) => name)
        .sort()
        .toReversed();
    },
  };
}

async function newFolder(parent: string, name: string): Promise<{run: string; folder: string}> {
  await mkdir(parent, {recursive: true, mode: 0o700});
  for (let number = 1; ; number++) {
    const run = number === 1 ? name : `${name}-${number}`;
    const folder = path.join(parent, run);
    try {
      await mkdir(folder, {mode: 0o700});
      await mkdir(path.join(folder, 'logs'), {mode: 0o700});
      return {run, folder};
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

async function startWriter(folder: string, from: Head, clock: Pick<Clock, 'now'>): Promise<RecordWriter> {
  const file: FileHandle = await open(path.join(folder, recordFile), 'a', 0o600);
  let now = from;
  /** Bytes of whole lines. */
  let {size} = await file.stat();
  let broken: DeployError | undefined;
  let last: Promise<unknown> = Promise.resolve();
  /** A line that came to the disk in part would tear the chain for all that follow: it is cut off, or nothing follows it. */
  const writeLine = async (line: Buffer): Promise<void> => {
    if (broken) throw broken;
    try {
      await file.appendFile(line);
      await file.sync();
      size += line.length;
    } catch (error) {
      const failed = cannotWrite(folder, error);
      await file.truncate(size).catch(() => (broken = failed));
      throw failed;
    }
  };
  const write = async (event: RunEvent): Promise<RecordedEvent> => {
    const at = new Date(clock.now()).toISOString();
    const sealed = seal(event, at, now);
    await writeLine(Buffer.from(`${sealed.line}\n`));
    const recorded: RecordedEvent = {...event, seq: now.length, at, prev: now.hash};
    now = sealed.head;
    // After the line: a head that is behind is normal, one that is ahead means that lines were cut.
    await writeFileAtomic(path.join(folder, headFile), `${JSON.stringify(now)}\n`, {mode: 0o600}).catch((error: unknown) => {
      throw cannotWrite(folder, error);
    });
    return recorded;
  };
  return {
    folder,
    head: () => now,
    append: event => {
      const turn = last.then(() => write(event));
      // A line that could not be written fails its own append; the next one tries again.
      last = turn.catch(() => undefined);
      return turn;
    },
    close: async () => {
      await last;
      await file.close();
    },
  };
}

async function isThere(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  );
}

/** A place where nothing can be written, in words. */
export function noRecord(parent: string, error: unknown): DeployError {
  return new DeployError(`no record can be kept in ${parent}: ${messageOf(error)}`, {
    means: 'Nothing was started.',
    next: ['Set `store:` in the config file, or XDG_STATE_HOME, to a folder that you may write.'],
    cause: error,
  });
}

function cannotWrite(folder: string, error: unknown): DeployError {
  return new RecordError(`the record cannot be written: ${messageOf(error)}`, {
    means: 'What cannot be recorded is not begun. What was begun is in the record, up to here.',
    next: [`Make room for ${folder}, then go on: deploy-wizard resume`],
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function readHead(folder: string): Promise<Head | undefined> {
  const text = await readFile(path.join(folder, headFile), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return head.parse(JSON.parse(text));
  } catch {
    // An unreadable head is as good as one that names a record that is not there.
    return {length: Number.MAX_SAFE_INTEGER, hash: ''};
  }
}

/** 2026-11-21T21-14-03Z: sorts by time and is a file name everywhere. */
function stamp(now: number): string {
  return new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
}
