/** S3 as moto has it: a server of its own for a test file, with one bucket. */
import {CreateBucketCommand, S3Client} from '@aws-sdk/client-s3';
import {afterAll, beforeAll} from 'vitest';
import {type Moto, startMoto} from '../../support/moto.ts';

export const bucket = 'releases';

const credentials = {accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret'};

/** What a process needs in its environment to work there. */
export function environmentAt(url: string): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_S3: url,
  };
}

export interface MotoS3 {
  /** Known once the tests run. */
  readonly url: string;
  /** Looks and changes things behind the program's back. */
  readonly client: S3Client;
}

/** Starts it before the tests of a suite, on a port of its own choice, and stops it after them. */
export function useMoto(): MotoS3 {
  let running: (Moto & MotoS3) | undefined;
  beforeAll(async () => {
    const server = await startMoto();
    const client = new S3Client({endpoint: server.url, region: 'us-east-1', credentials, forcePathStyle: true});
    await client.send(new CreateBucketCommand({Bucket: bucket}));
    running = {...server, client};
  }, 60_000);
  afterAll(async () => {
    running?.client.destroy();
    await running?.stop();
  });
  const here = () => {
    if (running === undefined) throw new Error('moto is not there yet');
    return running;
  };
  return {
    get url() {
      return here().url;
    },
    get client() {
      return here().client;
    },
  };
}
