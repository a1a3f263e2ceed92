/**
 * The lines of a record in one object, made when its writer is done: a record of many small objects takes as many requests to read,
 * and an environment has hundreds of records. A pack names what it was made of by ETag. Where any of that is another object by
 * now, or gone, it counts for nothing: then the lines are read where they were written, and what was done to them is found there.
 */
import * as z from 'zod';
import type {S3, S3Listed} from '../tools/aws/s3.ts';

export const segmentOf = (seq: number) => `${String(seq).padStart(8, '0')}.ndjson`;
const isSegment = /\/\d{8}\.ndjson$/;
const isPack = /\/\d{8}\.pack$/;
/** Fewer objects are read as fast as they are. */
const worthPacking = 4;

/** The first line of a pack: the objects whose lines follow, in order. */
const contents = z.object({of: z.array(z.object({key: z.string(), etag: z.string()}))});

export interface Packs {
  /** The lines of a record whose objects are these. */
  read(objects: readonly S3Listed[]): Promise<Buffer>;
  /** Packs the record whose keys begin so. Never rejects: without a pack it is only slower to read. */
  make(folder: string): Promise<void>;
}

export function createPacks(s3: S3, get: (object: S3Listed) => Promise<Buffer>): Packs {
  /** What the newest pack holds, and how many of the segments that is: none where it is no pack of them. */
  const unpack = async (pack: S3Listed | undefined, segments: readonly S3Listed[]) => {
    const nothing = {bytes: Buffer.alloc(0), count: 0};
    if (pack === undefined) return nothing;
    const packed = await get(pack);
    const end = packed.indexOf(0x0a);
    const of = contentsOf(packed.subarray(0, end).toString('utf8'));
    const same = of.length > 0 && of.every(({key, etag}, at) => segments[at]?.key === key && segments[at].etag === etag);
    return same ? {bytes: packed.subarray(end + 1), count: of.length} : nothing;
  };
  const read: Packs['read'] = async objects => {
    const segments = objects.filter(({key}) => isSegment.test(key));
    const {bytes, count} = await unpack(
      objects.findLast(({key}) => isPack.test(key)),
      segments,
    );
    return Buffer.concat([bytes, ...(await Promise.all(segments.slice(count).map(get)))]);
  };
  const pack = async (folder: string): Promise<void> => {
    const objects = await s3.objects(folder);
    const of = objects.filter(({key}) => isSegment.test(key));
    const last = of.at(-1);
    if (last === undefined || of.length < worthPacking) return;
    const lines = await read(objects);
    const first = Buffer.from(`${JSON.stringify({of} satisfies z.infer<typeof contents>)}\n`);
    await s3.put(last.key.replace(/ndjson$/, 'pack'), Buffer.concat([first, lines]), 'new');
  };
  return {read, make: folder => pack(folder).catch(() => undefined)};
}

function contentsOf(line: string): z.infer<typeof contents>['of'] {
  try {
    return contents.parse(JSON.parse(line)).of;
  } catch {
    return [];
  }
}
