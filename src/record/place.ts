/** What `store:` may name: a folder, or a bucket. */

export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
}

const url = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[\w.=-]+)*)\/?$/;

/** Whether it is meant to be in S3, rightly written or not. */
export function isS3(store: string): boolean {
  return store.startsWith('s3://');
}

/** The bucket and the prefix of `s3://bucket/prefix`; undefined for anything else. */
export function s3Place(store: string): S3Place | undefined {
  const [, bucket, prefix = ''] = url.exec(store) ?? [];
  return bucket === undefined ? undefined : {bucket, prefix: prefix.slice(1)};
}
