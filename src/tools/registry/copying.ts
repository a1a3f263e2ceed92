/**
 * Copies an image from one registry to another, manifests and blobs as they are: `docker pull`, `tag` and `push` would make
 * another digest of it (facts/aws.md, "Copying an image").
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
 */
import pLimit from 'p-limit';
import {DeployError, LostAnswerError, StoppedError} from '../../release/errors.ts';
import {createBudget} from '../pacing.ts';
import {type BlobSource, type Blobs, createBlobs} from './blobs.ts';
import {type Call, type Caller, createCaller, inWords, unexpected} from './caller.ts';
import type {Credentials} from './docker-credentials.ts';
import {formatImageName, type ImageName} from './image-name.ts';
import {type Descriptor, type Manifest, manifestTypes, readManifest} from './manifest.ts';
import type {Answer, Transport} from './transport.ts';

export interface Copying {
  readonly from: ImageName;
  /** Of what is copied: the tag may have moved since somebody looked. */
  readonly digest: string;
  readonly to: ImageName & {readonly tag: string};
  /** For the target. The source is shown what docker knows. */
  readonly login: Credentials;
}

export interface CopySinks {
  /** Bytes of all blobs. */
  onProgress(done: number, total: number): void;
  onLine(line: string): void;
  readonly signal: AbortSignal;
}

export interface Copied {
  readonly digest: string;
  readonly manifests: number;
  /** How many were sent; the others were there, or mounted from another repository. */
  readonly sent: number;
  readonly blobs: number;
}

/** Blobs of one image that are on their way at once. */
const atOnce = 3;
/** An index in an index in an index is none that a build makes. */
const deepest = 3;
const mostManifests = 200;
/** What registries have to take, by the specification. */
const longestManifest = 4 * 1024 * 1024;
/** For a registry to look through a manifest's blobs. Milliseconds. */
const manifestLimitMs = 60_000;

export function createCopier(options: {readonly source: Caller; readonly transport: Transport; readonly now: () => number}) {
  const {source, transport, now} = options;
  const blobs = createBlobs(transport.pause);
  const pacers = new Map<string, Pacer>();
  return async ({from, digest, to, login}: Copying, sinks: CopySinks): Promise<Copied> => {
    const pacer = pacers.get(to.registry) ?? createPacer(now, transport.pause);
    pacers.set(to.registry, pacer);
    const target = pacer(createCaller({transport, credentials: () => Promise.resolve(login)}));
    const manifests = await readTree(source, from, digest, sinks.signal);
    sinks.onLine(`${formatImageName(from)}: ${manifests.length} manifests, ${digest}`);
    const sent = await copyBlobs(blobs, {caller: source, name: from}, {caller: target, name: to}, manifests, sinks);
    for (const manifest of manifests.slice(0, -1)) await putManifest(target, to, manifest, sinks.signal);
    await setTag(target, to, manifests, sinks.signal);
    return {digest, manifests: manifests.length, ...sent};
  };
}

/** The same caller, whose calls wait their turn. */
type Pacer = (caller: Caller) => Caller;

/**
 * How many manifests and blobs a registry may be sent in a second: what ECR takes of an account, which is less than others do
 * (Amazon ECR service quotas, PutImage and InitiateLayerUpload).
 */
function createPacer(now: () => number, pause: Transport['pause']): Pacer {
  const timer = {now, sleep: (ms: number) => pause(ms, undefined)};
  const [manifests, uploads] = [10, 100].map(perSecond => createBudget({burst: perSecond, perSecond}, timer));
  const budgetOf = ({method, path}: Call) => {
    if (method === 'POST') return uploads;
    return method === 'PUT' && path.startsWith('manifests/') ? manifests : undefined;
  };
  return caller => ({
    ...caller,
    call: async (name, call, signal) => {
      const budget = budgetOf(call);
      await budget?.turn(ms => pause(ms, signal));
      const answer = await caller.call(name, call, signal);
      budget?.went(answer.status === 429);
      return answer;
    },
  });
}

/** The manifest of a digest and all that it names, those that are named before those that name them. */
async function readTree(caller: Caller, name: ImageName, digest: string, signal: AbortSignal): Promise<readonly Manifest[]> {
  const found = new Map<string, Manifest>();
  const follow = async (digest: string, depth: number): Promise<void> => {
    if (found.has(digest)) return;
    const manifest = await readOne(caller, name, digest, signal);
    if (depth > deepest || found.size >= mostManifests) {
      throw new DeployError(`${formatImageName(name)} names more manifests than an image has`, {final: true});
    }
    for (const child of manifest.manifests) await follow(child.digest, depth + 1);
    found.set(digest, manifest);
  };
  await follow(digest, 1);
  return [...found.values()];
}

async function readOne(
  caller: Caller,
  {registry, repository}: ImageName,
  digest: string,
  signal: AbortSignal,
): Promise<Manifest> {
  const name = {registry, repository, digest};
  const accept = manifestTypes.join(', ');
  const answer = await caller.call(name, {method: 'GET', path: `manifests/${digest}`, headers: {accept}}, signal);
  if (answer.status === 404) throw new DeployError(`${formatImageName(name)} is not there`, {means: 'Nothing was copied.'});
  if (answer.status !== 200) throw unexpected(name, answer);
  if (answer.body.length > longestManifest)
    throw new DeployError(`the manifest ${formatImageName(name)} is too long`, {final: true});
  const manifest = readManifest(formatImageName(name), answer.body, answer.headers.get('content-type'));
  if (manifest.digest === digest) return manifest;
  throw new DeployError(`${registry} answers with another manifest than ${digest}: ${manifest.digest}`, {
    means: 'Nothing was copied.',
  });
}

interface Place {
  readonly caller: Caller;
  readonly name: ImageName;
}

async function copyBlobs(
  blobs: Blobs,
  from: Place,
  to: Place,
  manifests: readonly Manifest[],
  sinks: CopySinks,
): Promise<Pick<Copied, 'sent' | 'blobs'>> {
  const all = [...new Map(manifests.flatMap(one => one.blobs).map(blob => [blob.digest, blob])).values()];
  const total = all.reduce((sum, {size}) => sum + size, 0);
  const done = new Map<string, number>();
  const onBytes = (blob: Descriptor, bytes: number) => {
    done.set(blob.digest, bytes);
    sinks.onProgress(
      [...done.values()].reduce((sum, bytes) => sum + bytes, 0),
      total,
    );
  };
  const source: BlobSource = {
    name: formatImageName({registry: from.name.registry, repository: from.name.repository}),
    open: (digest, signal) => from.caller.open(from.name, {method: 'GET', path: `blobs/${digest}`}, signal),
  };
  const limit = pLimit(atOnce);
  const failing = new AbortController();
  const signal = AbortSignal.any([sinks.signal, failing.signal]);
  let sent = 0;
  await Promise.allSettled(
    all.map(blob =>
      limit(async () => {
        signal.throwIfAborted();
        const how = await blobs.bring(blob, source, to, {signal, onBytes: bytes => onBytes(blob, bytes)});
        onBytes(blob, blob.size);
        if (how === 'sent') sent += 1;
        sinks.onLine(`${blob.digest} ${how}`);
      }).catch((error: unknown) => failing.abort(error)),
    ),
  );
  if (sinks.signal.aborted) throw new StoppedError('Copying was stopped.');
  if (failing.signal.aborted) throw failing.signal.reason;
  return {sent, blobs: all.length};
}

/** Stores a manifest under its digest, if it is not there. */
async function putManifest(caller: Caller, name: ImageName, manifest: Manifest, signal: AbortSignal): Promise<void> {
  const path = `manifests/${manifest.digest}`;
  const accept = manifestTypes.join(', ');
  const there = await caller.call(name, {method: 'HEAD', path, headers: {accept}}, signal);
  if (there.status === 200) return;
  const answer = await caller.call(name, bodyOf(path, manifest), signal);
  if (!isStored(answer)) throw notTaken(name, manifest, answer);
}

/** What a tag points to, last of all: from then on the image is there. */
async function setTag(
  caller: Caller,
  name: ImageName & {readonly tag: string},
  manifests: readonly Manifest[],
  signal: AbortSignal,
): Promise<void> {
  const root = manifests.at(-1);
  if (root === undefined) return;
  const answer = await caller
    .call(name, bodyOf(`manifests/${encodeURIComponent(name.tag)}`, root), signal)
    .catch((error: unknown) => {
      if (error instanceof DeployError && error.cause !== undefined) {
        throw new LostAnswerError(`the answer to setting the tag ${name.tag} was lost (${error.message})`, {cause: error});
      }
      throw error;
    });
  if (answer.status >= 500)
    throw new LostAnswerError(`${name.registry} failed while it set the tag ${name.tag} (${inWords(answer)})`);
  if (!isStored(answer)) throw notTaken(name, root, answer);
}

function bodyOf(path: string, {mediaType, bytes}: Manifest) {
  return {method: 'PUT' as const, path, headers: {'content-type': mediaType}, body: bytes, limitMs: manifestLimitMs};
}

function isStored({status}: Answer): boolean {
  return status === 201 || status === 200;
}

function notTaken(name: ImageName, {digest, mediaType}: Manifest, answer: Answer): DeployError {
  return new DeployError(
    `${name.registry} does not take ${formatImageName(name)} (${mediaType}, ${digest}): ${inWords(answer)}`,
    {
      means: 'No tag was set.',
      ...(answer.status === 404 && {next: [`Make the repository ${name.repository} first.`]}),
    },
  );
}
