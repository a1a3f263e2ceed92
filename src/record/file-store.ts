/**
 * Records on disk: `<root>/<environment>/<run>/record.ndjson`, its head beside it, one log file a job.
 * Folders 0700, files 0600; every line is on disk before `append` resolves.
 */
import {access, mkdir, open, readFile, readdir, stat, truncate} from 'node:fs/promises';
import path from 'node:path';
import type {Clock} from '../release/contract.ts';
import {isCode} from '../tools/error-code.ts';
import {type Head, emptyHead, headOf} from './chain.ts';
import {cannotWrite, notOurs} from './errors.ts';
import {fileCell} from './file-cell.ts';
import type {Journal, Medium} from './medium.ts';
import {type Store, createStore} from './store.ts';

const recordFile = 'record.ndjson';
const headFile = 'head.json';

export function fileStore(root: string, clock: Pick<Clock, 'now'>): Store {
  return createStore(fileMedium(root), clock);
}

/** `root` is made, with the folders above it, when something is first written. */
export function fileMedium(root: string): Medium {
  const placeOf = (...names: readonly string[]) => path.join(root, ...names);
  return {
    place: root,
    shared: false,
    tears: true,
    placeOf,
    environments: () => foldersIn(root),
    journals: environment => foldersIn(placeOf(environment)),
    cell: environment => fileCell(placeOf(environment)),
    read: async (environment, name) => {
      const folder = placeOf(environment, name);
      try {
        // The head first: of a record that is being written it is behind then, and never ahead.
        const head = await readHead(folder);
        return {bytes: await readFile(path.join(folder, recordFile)), head};
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error;
        // A process that died between making the folder and the first line has recorded nothing.
        return (await isThere(folder)) ? {bytes: Buffer.alloc(0), head: await readHead(folder)} : undefined;
      }
    },
    create: async (environment, name) => {
      const folder = placeOf(environment, name);
      await mkdir(placeOf(environment), {recursive: true, mode: 0o700});
      try {
        await mkdir(folder, {mode: 0o700});
      } catch (error) {
        if (isCode(error, 'EEXIST')) return undefined;
        throw error;
      }
      await writeHead(folder, emptyHead);
      const journal = await openJournal(folder);
      // A record whose name a power failure takes away is lost with all its lines.
      for (const made of [folder, placeOf(environment)]) await syncFolder(made);
      return journal;
    },
    open: async (environment, name, {bytes}) => {
      const folder = placeOf(environment, name);
      const file = path.join(folder, recordFile);
      if (await isThere(file)) await truncate(file, bytes);
      return openJournal(folder);
    },
  };
}

async function openJournal(folder: string): Promise<Journal> {
  const name = path.join(folder, recordFile);
  const file = await open(name, 'a', 0o600);
  const {ino, size: found} = await file.stat({bigint: true});
  /** Bytes of whole lines. */
  let size = Number(found);

  /** What was opened is what has that name, and nobody else has written to it. */
  const refuseAnother = async (): Promise<void> => {
    const there = await stat(name, {bigint: true}).catch(() => undefined);
    if (there === undefined) throw notOurs(folder, `${recordFile} is gone`);
    if (there.ino !== ino) throw notOurs(folder, `${recordFile} is another file`);
    if (Number(there.size) !== size) throw notOurs(folder, `${recordFile} has ${there.size} bytes, ${size} were written`);
  };

  return {
    place: folder,
    logs: path.join(folder, 'logs'),
    append: async lines => {
      await refuseAnother();
      try {
        await file.appendFile(lines);
        await file.sync();
        size += lines.length;
      } catch (error) {
        // A line that came to the disk in part would tear the chain for all that follow: it is cut off, or nothing follows it.
        const cut = await file.truncate(size).then(
          () => true,
          () => false,
        );
        throw cannotWrite(folder, error, !cut);
      }
    },
    writeHead: async now => {
      try {
        await writeHead(folder, now);
      } catch (error) {
        throw cannotWrite(folder, error);
      }
    },
    close: () => file.close(),
  };
}

async function writeHead(folder: string, now: Head): Promise<void> {
  // Whoever only reads does not wait for it to be loaded.
  const {default: writeFileAtomic} = await import('write-file-atomic');
  await writeFileAtomic(path.join(folder, headFile), `${JSON.stringify(now)}\n`, {mode: 0o600});
}

async function readHead(folder: string): Promise<Head | undefined> {
  const text = await readFile(path.join(folder, headFile), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseHead(text);
}

/** An unreadable head is as good as one that names lines that are not there. */
export function parseHead(text: string): Head {
  const unreadable: Head = {length: Number.MAX_SAFE_INTEGER, hash: ''};
  try {
    return headOf(JSON.parse(text)) ?? unreadable;
  } catch {
    return unreadable;
  }
}

/** In the order of their names. */
async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, {withFileTypes: true}).catch((error: unknown) => {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return [];
    throw error;
  });
  return entries
    .filter(entry => entry.isDirectory())
    .map(({name}) => name)
    .sort();
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
