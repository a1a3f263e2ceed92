import {createReadStream} from 'node:fs';
import type {IncomingMessage} from 'node:http';
import type {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import type {Blobs, Upload} from './blobs.ts';
import {RegistryError} from './errors.ts';
import {findManifest, type Manifest, putManifest, type Shelf} from './manifests.ts';

export interface Registry {
  readonly blobs: Blobs;
  readonly shelves: Map<string, Shelf>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Left out of answers to HEAD. */
  readonly body?: Buffer | string | Readable;
}

/** A request whose path has been taken apart. */
interface Ask {
  readonly registry: Registry;
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  readonly repository: string;
  /** What comes after the kind of thing: a digest, a tag, the id of an upload. */
  readonly reference: string;
}

interface Route {
  readonly path: RegExp;
  readonly methods: Readonly<Record<string, (ask: Ask) => Answer | Promise<Answer>>>;
}

const NAME = '(?<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)';

/** End points of the OCI distribution specification: pushing, pulling and listing; nothing is ever deleted. */
const ROUTES: readonly Route[] = [
  {path: /^\/v2\/?$/, methods: {GET: () => ({status: 200, body: '{}'})}},
  {path: new RegExp(`^/v2/${NAME}/tags/list$`), methods: {GET: listTags}},
  {path: new RegExp(`^/v2/${NAME}/blobs/uploads/?$`), methods: {POST: beginUpload}},
  {
    path: new RegExp(`^/v2/${NAME}/blobs/uploads/(?<reference>[^/]+)$`),
    methods: {GET: showUpload, PATCH: continueUpload, PUT: finishUpload, DELETE: cancelUpload},
  },
  {path: new RegExp(`^/v2/${NAME}/blobs/(?<reference>[^/]+)$`), methods: {GET: getBlob, HEAD: getBlob}},
  {
    path: new RegExp(`^/v2/${NAME}/manifests/(?<reference>[^/]+)$`),
    methods: {GET: getManifest, HEAD: getManifest, PUT: pushManifest},
  },
];

/** Finds the end point for a request and lets it answer. */
export async function respond(registry: Registry, request: IncomingMessage): Promise<Answer> {
  const {pathname, searchParams: query} = new URL(request.url ?? '/', 'http://registry');
  const path = decodeURIComponent(pathname);
  for (const route of ROUTES) {
    const match = route.path.exec(path);
    if (match === null) continue;
    const handle = route.methods[request.method ?? ''];
    if (handle === undefined) throw new RegistryError('UNSUPPORTED', `${request.method} is not supported here`);
    const {repository = '', reference = ''} = match.groups ?? {};
    return handle({registry, request, query, repository, reference});
  }
  throw new RegistryError('NAME_UNKNOWN', `there is nothing at ${path}`);
}

/**
 * POST: an upload in one go (`digest`), or the beginning of one. Mounting from another repository is answered like a beginning,
 * which the specification allows and Docker follows by uploading.
 */
async function beginUpload({registry: {blobs}, request, query, repository}: Ask): Promise<Answer> {
  const upload = blobs.begin(repository);
  const digest = query.get('digest');
  if (digest === null) return progress(upload, 202);
  await blobs.append(upload, request);
  return finished(blobs, upload, digest);
}

function showUpload({registry: {blobs}, repository, reference}: Ask): Answer {
  return progress(blobs.upload(repository, reference), 204);
}

async function continueUpload({registry: {blobs}, request, repository, reference}: Ask): Promise<Answer> {
  const upload = blobs.upload(repository, reference);
  const start = request.headers['content-range']?.split('-')[0];
  if (start !== undefined && Number(start) !== upload.size) {
    throw new RegistryError('BLOB_UPLOAD_INVALID', `the next byte is ${upload.size}, not ${start}`);
  }
  await blobs.append(upload, request);
  return progress(upload, 202);
}

/** PUT: the last bytes, if any, and what the whole must be. */
async function finishUpload({registry: {blobs}, request, query, repository, reference}: Ask): Promise<Answer> {
  const upload = blobs.upload(repository, reference);
  await blobs.append(upload, request);
  return finished(blobs, upload, query.get('digest') ?? '');
}

async function cancelUpload({registry: {blobs}, repository, reference}: Ask): Promise<Answer> {
  await blobs.cancel(blobs.upload(repository, reference));
  return {status: 204};
}

const progress = ({repository, id, size}: Upload, status: number): Answer => ({
  status,
  headers: {
    Location: `/v2/${repository}/blobs/uploads/${id}`,
    Range: `0-${Math.max(0, size - 1)}`,
    'Docker-Upload-UUID': id,
    ...(status === 204 ? {} : {'Content-Length': 0}),
  },
});

async function finished(blobs: Blobs, upload: Upload, digest: string): Promise<Answer> {
  await blobs.finish(upload, digest);
  return created(`/v2/${upload.repository}/blobs/${digest}`, digest);
}

const created = (location: string, digest: string): Answer => ({
  status: 201,
  headers: {Location: location, 'Docker-Content-Digest': digest, 'Content-Length': 0},
});

async function getBlob({registry: {blobs}, request, repository, reference}: Ask): Promise<Answer> {
  const {path, size} = await blobs.find(repository, reference);
  const headers = {'Content-Type': 'application/octet-stream', 'Content-Length': size, 'Docker-Content-Digest': reference};
  // Not opened for HEAD: nobody would read the stream to its end.
  return request.method === 'HEAD' ? {status: 200, headers} : {status: 200, headers, body: createReadStream(path)};
}

async function pushManifest({registry, request, repository, reference}: Ask): Promise<Answer> {
  const shelf = registry.shelves.get(repository) ?? {manifests: new Map<string, Manifest>(), tags: new Map<string, string>()};
  const {digest} = putManifest(shelf, {
    reference,
    mediaType: request.headers['content-type'] ?? '',
    bytes: await buffer(request),
    hasBlob: blob => registry.blobs.has(repository, blob),
  });
  registry.shelves.set(repository, shelf);
  return created(`/v2/${repository}/manifests/${digest}`, digest);
}

function getManifest({registry, request, repository, reference}: Ask): Answer {
  const {digest, mediaType, bytes} = findManifest(shelfOf(registry, repository), reference, request.headers.accept);
  return {
    status: 200,
    headers: {'Content-Type': mediaType, 'Content-Length': bytes.length, 'Docker-Content-Digest': digest},
    body: bytes,
  };
}

/** Tags in order, all or `n` of them after `last`; the header says where the next ones are. */
function listTags({registry, query, repository}: Ask): Answer {
  const last = query.get('last') ?? '';
  const rest = [...shelfOf(registry, repository).tags.keys()].toSorted().filter(tag => tag > last);
  const tags = rest.slice(0, Number(query.get('n') ?? rest.length));
  const next =
    tags.length < rest.length && tags.length > 0
      ? new URLSearchParams({n: String(tags.length), last: tags.at(-1) ?? ''})
      : undefined;
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/json',
      ...(next === undefined ? {} : {Link: `</v2/${repository}/tags/list?${next.toString()}>; rel="next"`}),
    },
    body: JSON.stringify({name: repository, tags}),
  };
}

function shelfOf({shelves}: Registry, repository: string): Shelf {
  const shelf = shelves.get(repository);
  if (shelf === undefined) throw new RegistryError('NAME_UNKNOWN', `there is no repository ${repository}`);
  return shelf;
}
