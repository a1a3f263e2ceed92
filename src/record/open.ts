/** Opens what `store:` names. The S3 client is loaded for a store in S3 only. */
import path from 'node:path';
import {UsageError} from '../release/errors.ts';
import {fileMedium} from './file-store.ts';
import type {Medium} from './medium.ts';
import {isS3, s3Place} from './place.ts';

export interface Opening {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a relative folder starts. */
  readonly from: string;
  /** A folder on this machine for the logs of jobs, where the records are elsewhere. */
  readonly logs: string;
  sleep(ms: number): Promise<void>;
}

/** Asked first for a bucket, where the environment names no region; it says where the bucket is. */
const anyRegion = 'us-east-1';

/** Contacts nobody yet. Throws a UsageError for an S3 address that is none. */
export async function openMedium(store: string, {env, from, logs, sleep}: Opening): Promise<Medium> {
  if (!isS3(store)) return fileMedium(path.resolve(from, store));
  const place = s3Place(store);
  if (place === undefined) throw new UsageError(`${store} is no s3://bucket/prefix`);
  const [{s3Medium}, {createS3}] = await Promise.all([import('./s3-store.ts'), import('../tools/aws/s3.ts')]);
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? anyRegion;
  return s3Medium(createS3({region, profile: undefined, login: undefined, env}, place.bucket, sleep), place, logs);
}
