import {createHash, type Hash, randomUUID} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {mkdir, mkdtemp, rename, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {RegistryError} from './errors.ts';

/** A blob that is being uploaded, in one piece or in several. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  readonly path: string;
  readonly hash: Hash;
  size: number;
}

export interface Blobs {
  begin(repository: string): Upload;
  /** An upload that was begun and not yet finished. */
  upload(repository: string, id: string): Upload;
  /** Adds bytes. If they do not arrive whole, the upload is over: nobody knows how much of it there is. */
  append(upload: Upload, bytes: Readable): Promise<void>;
  /** Makes the upload a blob of its repository, if it is what its digest says. */
  finish(upload: Upload, digest: string): Promise<void>;
  cancel(upload: Upload): Promise<void>;
  has(repository: string, digest: string): boolean;
  /** Where a blob's bytes are, and how many. */
  find(repository: string, digest: string): Promise<{readonly path: string; readonly size: number}>;
  remove(): Promise<void>;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function checkDigest(digest: string): void {
  if (!DIGEST.test(digest)) throw new RegistryError('DIGEST_INVALID', `not a sha256 digest: ${digest}`);
}

/** Blobs in a temporary folder: stored once by digest, but visible only in the repositories that they were pushed to. */
export async function createBlobs(): Promise<Blobs> {
  const folder = await mkdtemp(join(tmpdir(), 'deploy-wizard-registry-'));
  const [uploading, finished] = [join(folder, 'uploads'), join(folder, 'blobs')];
  await Promise.all([mkdir(uploading), mkdir(finished)]);

  const uploads = new Map<string, Upload>();
  const visible = new Set<string>();
  const pathOf = (digest: string): string => join(finished, digest.replace(':', '-'));
  const has = (repository: string, digest: string): boolean => visible.has(`${repository}@${digest}`);

  async function cancel(upload: Upload): Promise<void> {
    uploads.delete(upload.id);
    await rm(upload.path, {force: true});
  }

  return {
    begin(repository) {
      const id = randomUUID();
      const upload = {id, repository, path: join(uploading, id), hash: createHash('sha256'), size: 0};
      uploads.set(id, upload);
      return upload;
    },

    upload(repository, id) {
      const upload = uploads.get(id);
      if (upload?.repository === repository) return upload;
      throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
    },

    async append(upload, bytes) {
      try {
        await pipeline(bytes, chunks => measured(chunks, upload), createWriteStream(upload.path, {flags: 'a'}));
      } catch (failure) {
        await cancel(upload);
        throw failure;
      }
    },

    async finish(upload, digest) {
      checkDigest(digest);
      const actual = `sha256:${upload.hash.digest('hex')}`;
      if (actual !== digest) {
        await cancel(upload);
        throw new RegistryError('DIGEST_INVALID', `the content has the digest ${actual}, not ${digest}`);
      }
      await rename(upload.path, pathOf(digest));
      uploads.delete(upload.id);
      visible.add(`${upload.repository}@${digest}`);
    },

    cancel,
    has,

    async find(repository, digest) {
      checkDigest(digest);
      if (!has(repository, digest)) throw new RegistryError('BLOB_UNKNOWN', `there is no blob ${digest} in ${repository}`);
      const path = pathOf(digest);
      return {path, size: (await stat(path)).size};
    },

    remove: () => rm(folder, {recursive: true, force: true}),
  };
}

/** The same bytes, counted and hashed on their way. */
async function* measured(chunks: AsyncIterable<Buffer>, upload: Upload): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    upload.hash.update(chunk);
    upload.size += chunk.length;
    yield chunk;
  }
}
