/** Brings blobs into a repository: found there, mounted from another one of the same registry, or streamed from elsewhere. */
import {createHash} from 'node:crypto';
import {DeployError, StoppedError} from '../../release/errors.ts';
import {networkReason} from '../network.ts';
import {type Caller, inWords} from './caller.ts';
import type {ImageName} from './image-name.ts';
import type {Descriptor} from './manifest.ts';
import type {Transport} from './transport.ts';

export interface BlobSource {
  /** For words. */
  readonly name: string;
  open(digest: string, signal: AbortSignal): Promise<Response>;
}

interface BringOptions {
  readonly signal: AbortSignal;
  /** So many of the blob's bytes so far; may go back when it is sent again. */
  onBytes(bytes: number): void;
}

export interface Blobs {
  /** Afterwards the blob is in the repository. Sends it up to three times. */
  bring(
    blob: Descriptor,
    source: BlobSource,
    target: {readonly caller: Caller; readonly name: ImageName},
    options: BringOptions,
  ): Promise<'there' | 'mounted' | 'sent'>;
}

/** Without a byte for so long, a transfer has stalled. Milliseconds. */
const stalledMs = 60_000;
/** For a registry to make a blob of what it was sent. Milliseconds. */
const commitLimitMs = 5 * 60_000;
/** Waits before the second and the third try. Milliseconds. */
const pausesMs = [1000, 4000];

export function createBlobs(pause: Transport['pause']): Blobs {
  /** Where a blob is known to be, by registry and digest: many images have the same layers. */
  const known = new Map<string, string>();

  return {
    async bring(blob, source, {caller, name}, options) {
      const key = `${name.registry} ${blob.digest}`;
      const place: Place = {caller, name, signal: options.signal};
      const how = await bringOne(blob, source, place, known.get(key), options, pause);
      known.set(key, name.repository);
      return how;
    },
  };
}

interface Place {
  readonly caller: Caller;
  readonly name: ImageName;
  readonly signal: AbortSignal;
}

async function bringOne(
  blob: Descriptor,
  source: BlobSource,
  place: Place,
  other: string | undefined,
  options: BringOptions,
  pause: Transport['pause'],
): Promise<'there' | 'mounted' | 'sent'> {
  for (let tries = 0; ; tries++) {
    if (await isThere(place, blob)) return 'there';
    try {
      const location = await beginUpload(place, blob, other);
      if (location === 'mounted') return 'mounted';
      await finishUpload(place, blob, await stream(blob, source, place, location, options));
      return 'sent';
    } catch (error) {
      if (options.signal.aborted) throw new StoppedError('Copying was stopped.');
      const wait = pausesMs[tries];
      if (error instanceof DeployError || wait === undefined) throw inOurWords(error, blob, source);
      await pause(wait, options.signal);
    }
  }
}

async function isThere({caller, name, signal}: Place, {digest}: Descriptor): Promise<boolean> {
  return (await caller.call(name, {method: 'HEAD', path: `blobs/${digest}`}, signal)).status === 200;
}

/** Where to send it to; or it was mounted from the other repository, if the registry can do that. */
async function beginUpload({caller, name, signal}: Place, {digest}: Descriptor, other: string | undefined): Promise<string> {
  const mount =
    other === undefined || other === name.repository ? '' : `?${new URLSearchParams({mount: digest, from: other}).toString()}`;
  const answer = await caller.call(name, {method: 'POST', path: `blobs/uploads/${mount}`}, signal);
  if (answer.status === 201) return 'mounted';
  const location = answer.headers.get('location');
  if (answer.status === 202 && location !== null) return location;
  throw new DeployError(`${name.registry} takes nothing into ${name.repository} (${inWords(answer)})`, {
    means: 'Nothing was copied.',
    ...(answer.status === 404 && {next: [`Make the repository ${name.repository} first.`]}),
  });
}

/** Hands the bytes on as they come, and no faster than they are taken. Gives where to finish. */
async function stream(
  blob: Descriptor,
  source: BlobSource,
  {caller, name}: Place,
  location: string,
  {signal, onBytes}: BringOptions,
): Promise<string> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`nothing moved for ${stalledMs / 1000} s`)), stalledMs);
  const either = AbortSignal.any([signal, stalled.signal]);
  try {
    const response = await source.open(blob.digest, either);
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw new DeployError(`${source.name} does not hand out ${blob.digest} (${response.status})`, {means: 'No tag was set.'});
    }
    const measured = measure(response.body, blob, source, bytes => {
      timer.refresh();
      onBytes(bytes);
    });
    const headers = {'content-type': 'application/octet-stream'};
    const answer = await caller.open(name, {method: 'PATCH', path: location, headers}, either, measured);
    await answer.body?.cancel();
    const next = answer.headers.get('location');
    if (answer.status === 202 && next !== null) return next;
    throw new Error(`${name.registry} answers ${answer.status} to an upload`);
  } finally {
    clearTimeout(timer);
  }
}

/** The same bytes, which are an error once they are not what was asked for. */
function measure(
  body: ReadableStream<Uint8Array>,
  {digest, size}: Descriptor,
  source: BlobSource,
  onBytes: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  const wrong = (what: string) => new DeployError(`${source.name} sends ${what} for ${digest}`, {means: 'No tag was set.'});
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        hash.update(chunk);
        bytes += chunk.length;
        if (bytes > size) controller.error(wrong(`more than ${size} bytes`));
        else controller.enqueue(chunk);
        onBytes(bytes);
      },
      flush(controller) {
        if (`sha256:${hash.digest('hex')}` !== digest) controller.error(wrong('something else'));
      },
    }),
  );
}

async function finishUpload({caller, name, signal}: Place, {digest}: Descriptor, location: string): Promise<void> {
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
  const answer = await caller.call(name, {method: 'PUT', path, limitMs: commitLimitMs}, signal);
  // Of two tries the first may have done it: whoever tries again looks first.
  if (answer.status !== 201) throw new Error(`${name.registry} does not keep what it was sent (${inWords(answer)})`);
}

function inOurWords(error: unknown, {digest}: Descriptor, source: BlobSource): DeployError {
  // What a stream failed with is the cause of what `fetch` says.
  const own = [error, error instanceof Error ? error.cause : undefined].find(one => one instanceof DeployError);
  if (own instanceof DeployError) return own;
  return new DeployError(`${digest} of ${source.name} could not be copied: ${networkReason(error)}`, {
    means: 'No tag was set.',
    next: ['Try again: what has been copied is not sent again.'],
    cause: error,
  });
}
