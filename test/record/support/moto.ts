/** S3 as moto has it: a server of its own for a test file, with one bucket. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {CreateBucketCommand, S3Client} from '@aws-sdk/client-s3';
import {afterAll, beforeAll} from 'vitest';

export const program = 'moto_server';
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

export interface Moto {
  /** Known once the tests run. */
  readonly url: string;
  /** Looks and changes things behind the program's back. */
  readonly client: S3Client;
}

/** Starts it before the tests of a suite, on a port of its own choice, and stops it after them. */
export function useMoto(): Moto {
  let running: (Moto & {readonly server: ChildProcess}) | undefined;
  beforeAll(async () => {
    const server = spawn(program, ['-H', '127.0.0.1', '-p', '0'], {stdio: ['ignore', 'pipe', 'pipe'], detached: true});
    const url = await announced(server);
    const client = new S3Client({endpoint: url, region: 'us-east-1', credentials, forcePathStyle: true});
    await client.send(new CreateBucketCommand({Bucket: bucket}));
    running = {server, url, client};
  }, 60_000);
  afterAll(async () => {
    running?.client.destroy();
    if (running) await stop(running.server);
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

async function announced(server: ChildProcess): Promise<string> {
  let said = '';
  for await (const chunk of server.stderr?.setEncoding('utf8') ?? []) {
    said += String(chunk);
    const url = /Running on (http:\S+)/.exec(said)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`moto_server ended before it listened: ${said}`);
}

/** The whole group: what is on the PATH may be a wrapper around moto. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return;
  const ended = once(server, 'exit');
  process.kill(-server.pid, 'SIGTERM');
  await ended;
}
