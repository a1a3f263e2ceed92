/**
 * Records in S3: `<prefix>/<environment>/<run>/<number of its first line>.ndjson`, lines as on disk in objects that are never
 * written twice (`If-None-Match`), which fences a second writer; the head beside them, which is; and a pack of them (s3-pack.ts).
 */
import {randomUUID} from 'node:crypto';
import path from 'node:path';
import pLimit from 'p-limit';
import {LostAnswerError} from '../release/errors.ts';
import type {S3, S3Listed} from '../tools/aws/s3.ts';
import {type Head, emptyHead} from './chain.ts';
import {cannotWrite, notOurs} from './errors.ts';
import {parseHead} from './file-store.ts';
import type {Cell, Journal, Medium} from './medium.ts';
import type {S3Place} from './place.ts';
import {createPacks, segmentOf} from './s3-pack.ts';

const headFile = 'head.json';
/** How many objects are read at once. */
const readers = 16;

/** `logs` is a folder on this machine: logs of jobs are files, wherever the record is. */
export function s3Medium(s3: S3, {bucket, prefix}: S3Place, logs: string): Medium {
  const keyOf = (...names: readonly string[]) => [...(prefix === '' ? [] : [prefix]), ...names].join('/');
  const placeOf = (...names: readonly string[]) => `s3://${[bucket, keyOf(...names)].filter(part => part !== '').join('/')}`;
  const under = (...names: readonly string[]) => {
    const key = keyOf(...names);
    return key === '' ? '' : `${key}/`;
  };
  const journalOf = (environment: string, name: string): Journal =>
    openJournal(s3, {
      folder: under(environment, name),
      place: placeOf(environment, name),
      logs: path.join(logs, environment, name, 'logs'),
      written: (object, bytes) => void known.set(nameOf(object), bytes),
      atEnd: () => packs.make(under(environment, name)),
    });

  const limit = pLimit(readers);
  /** What was read or written once: several parts of a command read the same records. One that was replaced has another ETag. */
  const known = new Map<string, Buffer>();
  const nameOf = ({key, etag}: S3Listed) => `${key} ${etag}`;
  const get = async (object: S3Listed): Promise<Buffer> => {
    const bytes = known.get(nameOf(object)) ?? (await limit(() => s3.get(object.key)))?.bytes ?? Buffer.alloc(0);
    known.set(nameOf(object), bytes);
    return bytes;
  };
  const packs = createPacks(s3, get);

  return {
    place: placeOf(),
    shared: true,
    tears: false,
    placeOf,
    environments: () => s3.folders(under()),
    journals: environment => s3.folders(under(environment)),
    cell: environment => s3Cell(s3, keyOf(environment, 'lock.json'), placeOf(environment)),
    read: async (environment, name) => {
      // The head first: what is read after it can only be more than it names.
      const written = await limit(() => s3.get(keyOf(environment, name, headFile)));
      const objects = await s3.objects(under(environment, name));
      if (objects.length === 0) return undefined;
      return {bytes: await packs.read(objects), head: written && parseHead(written.bytes.toString('utf8'))};
    },
    create: async (environment, name) => {
      // The empty head takes the name, and says by whom: of two who come at once, each knows which is its own.
      const head = Buffer.from(`${JSON.stringify({...emptyHead, by: randomUUID()})}\n`);
      const made = await s3.put(keyOf(environment, name, headFile), head, 'new');
      return made === undefined ? undefined : journalOf(environment, name);
    },
    open: async (environment, name) => journalOf(environment, name),
  };
}

interface Opening {
  /** What the keys of its objects begin with. */
  readonly folder: string;
  readonly place: string;
  readonly logs: string;
  /** Told of every object of lines that was written. */
  written(object: S3Listed, bytes: Buffer): void;
  /** Called when nothing more is written. */
  atEnd(): Promise<void>;
}

function openJournal(s3: S3, {folder, place, logs, written, atEnd}: Opening): Journal {
  let unwritten: Head | undefined;
  let writing: Promise<void> = Promise.resolve();
  let failed: unknown;

  /** Those that wait meanwhile go in one: only the last counts. */
  const writeNewest = async (): Promise<void> => {
    const head = unwritten;
    unwritten = undefined;
    if (head === undefined) return;
    try {
      await s3.put(`${folder}${headFile}`, Buffer.from(`${JSON.stringify(head)}\n`));
      failed = undefined;
    } catch (error) {
      failed = error;
    }
  };
  const sayFailed = () => {
    if (failed !== undefined) throw cannotWrite(place, failed);
  };

  return {
    place,
    logs,
    append: async (lines, seq) => {
      let made: string | undefined;
      try {
        made = await s3.put(`${folder}${segmentOf(seq)}`, lines, 'new');
      } catch (error) {
        // Nobody knows whether it is there: what followed could follow something else.
        throw cannotWrite(place, error, error instanceof LostAnswerError);
      }
      if (made === undefined) throw notOurs(place, `somebody else wrote line ${seq + 1}`);
      written({key: `${folder}${segmentOf(seq)}`, etag: made}, lines);
    },
    writeHead: async head => {
      // Not waited for: a head that is behind is normal. One that cannot be written at all is said with the next line.
      sayFailed();
      unwritten = head;
      writing = writing.then(writeNewest);
    },
    close: async () => {
      await writing;
      sayFailed();
      await atEnd();
    },
  };
}

/** Its version is the ETag of the object. */
function s3Cell(s3: S3, key: string, place: string): Cell {
  return {
    place,
    local: false,
    read: async () => {
      const found = await s3.get(key);
      return found && {text: found.bytes.toString('utf8'), version: found.etag, age: async () => found.age};
    },
    swap: (text, was) => s3.put(key, Buffer.from(text), was === undefined ? 'new' : {etag: was}),
  };
}
