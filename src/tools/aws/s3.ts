/** Objects of one bucket: read, listed, and written on conditions (facts/terraform.md section 4, "S3 semantics"). */
import type {GetObjectCommand, ListObjectsV2CommandOutput, S3Client} from '@aws-sdk/client-s3';
import {LostAnswerError} from '../../release/errors.ts';
import {type AwsOptions, clientConfig} from './clients.ts';
import {errorName, isUnsent} from './errors.ts';
import {paged} from './paged.ts';
import {createSession, ifThere, lazy} from './session.ts';

export interface S3Object {
  readonly bytes: Buffer;
  readonly etag: string;
  /** Milliseconds since it was written, by S3's own clock; 0 where that is not told. To the second. */
  readonly age: number;
}

/** An object as a listing names it. Its ETag is another one as soon as something else is written there. */
export interface S3Listed {
  readonly key: string;
  readonly etag: string;
}

/** When an object may be written: where there is none, or where it is still the one that was read. Absent: always. */
export type Condition = 'new' | {readonly etag: string};

export interface S3 {
  /** Undefined when there is no such object. */
  get(key: string): Promise<S3Object | undefined>;
  /**
   * The ETag of what was written; undefined when the condition does not hold. A lost answer is settled: the same is sent again, and
   * when it is there already, it is ours if it has the same bytes. Unconditional writes end with whichever was last.
   * Throws a LostAnswerError when nobody can tell, and a DeployError when it was not written.
   */
  put(key: string, bytes: Buffer, condition?: Condition): Promise<string | undefined>;
  /** All objects whose keys begin so, in the order of these. */
  objects(prefix: string): Promise<readonly S3Listed[]>;
  /** What comes between the prefix and the next slash of the keys that begin so, in order. */
  folders(prefix: string): Promise<readonly string[]>;
}

/** Milliseconds before something is sent again whose answer was lost, or that never left. */
const waits = [250, 500, 1000, 2000, 4000, 8000, 15_000];

/** `region` is where it is asked first; a bucket elsewhere says so, and is asked there. */
export function createS3(options: AwsOptions, bucket: string, sleep: (ms: number) => Promise<void>): S3 {
  const session = createSession(options);
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-s3');
    const client = (use: 'read' | 'write') => {
      const config = clientConfig(options, 'S3', use);
      // An endpoint of one's own has no host name a bucket.
      return new module.S3Client({...config, forcePathStyle: config.endpoint !== undefined, followRegionRedirects: true});
    };
    return {...module, reader: client('read'), writer: client('write')};
  });

  const get = async (key: string): Promise<S3Object | undefined> => {
    const call = session.read('s3:GetObject', async () => {
      const {reader, GetObjectCommand} = await sdk();
      const {output, date} = await sendDated(reader, new GetObjectCommand({Bucket: bucket, Key: key}));
      return {...output, bytes: Buffer.from((await output.Body?.transformToByteArray()) ?? []), date};
    });
    const found = await ifThere(call, 'NoSuchKey');
    if (found === undefined) return undefined;
    const {bytes, ETag: etag = '', LastModified, date} = found;
    return {bytes, etag, age: date === undefined || LastModified === undefined ? 0 : date - LastModified.getTime()};
  };

  /** One attempt. */
  const send = async (key: string, bytes: Buffer, condition: Condition | undefined): Promise<string | undefined> => {
    const {writer, PutObjectCommand} = await sdk();
    const only = condition === 'new' ? {IfNoneMatch: '*'} : condition && {IfMatch: condition.etag};
    const command = new PutObjectCommand({Bucket: bucket, Key: key, Body: bytes, ...only});
    const {ETag} = await session.write('s3:PutObject', () => writer.send(command), sleep);
    return ETag ?? '';
  };

  const list = async <Item>(
    {prefix, delimiter}: {readonly prefix: string; readonly delimiter?: string},
    items: (page: ListObjectsV2CommandOutput) => readonly Item[],
  ): Promise<readonly Item[]> => {
    const {found} = await paged({
      ask: token =>
        session.read('s3:ListBucket', async () => {
          const {reader, ListObjectsV2Command} = await sdk();
          const listing = {Bucket: bucket, Prefix: prefix, Delimiter: delimiter, ContinuationToken: token};
          return reader.send(new ListObjectsV2Command(listing));
        }),
      items,
      next: ({NextContinuationToken}) => NextContinuationToken,
    });
    return found;
  };

  return {
    get,
    put: async (key, bytes, condition) => {
      let doubt: LostAnswerError | undefined;
      for (let attempt = 0; ; attempt++) {
        try {
          return await send(key, bytes, condition);
        } catch (error) {
          if (unmet.has(errorName(error))) {
            const there = await get(key);
            return there?.bytes.equals(bytes) ? there.etag : undefined;
          }
          const again = isAgain(error);
          if (error instanceof LostAnswerError) doubt = error;
          const wait = waits[attempt];
          if (!again || wait === undefined) throw doubt ?? error;
          await sleep(wait);
        }
      }
    },
    objects: prefix =>
      list({prefix}, ({Contents = []}) =>
        Contents.flatMap(({Key, ETag = ''}) => (Key === undefined ? [] : [{key: Key, etag: ETag}])),
      ),
    folders: prefix =>
      list({prefix, delimiter: '/'}, ({CommonPrefixes = []}) =>
        CommonPrefixes.flatMap(({Prefix}) => Prefix?.slice(prefix.length, -1) ?? []),
      ),
  };
}

/** The condition does not hold: there is one, there is another one, there is none any more. */
const unmet = new Set(['PreconditionFailed', 'NoSuchKey']);

/** Whether the same may be sent again: its answer was lost, it never left, or S3 was at another write of the same object. */
function isAgain(error: unknown): boolean {
  const unsent = error instanceof Error && isUnsent(error.cause);
  return error instanceof LostAnswerError || unsent || errorName(error) === 'ConditionalRequestConflict';
}

/** With the time at which S3 answered. */
async function sendDated(client: S3Client, command: GetObjectCommand) {
  let date: number | undefined;
  command.middlewareStack.add(
    next => async args => {
      const result = await next(args);
      const {response} = result;
      if (typeof response === 'object' && response !== null && 'headers' in response) {
        const said = Date.parse(String(Object(response.headers)['date']));
        if (!Number.isNaN(said)) date = said;
      }
      return result;
    },
    {step: 'deserialize'},
  );
  return {output: await client.send(command), date};
}
