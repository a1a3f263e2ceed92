import * as z from 'zod';
import {digestOf} from '../naming.ts';
import {checkDigest} from './blobs.ts';
import {RegistryError} from './errors.ts';

export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** The manifests of one repository, by digest and by tag. */
export interface Shelf {
  readonly manifests: Map<string, Manifest>;
  readonly tags: Map<string, string>;
}

const descriptor = z.looseObject({digest: z.string(), urls: z.array(z.string()).optional()});

/** An image manifest (config and layers) or an index (manifests): OCI's and Docker's differ in nothing that matters here. */
const document = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).default([]),
  manifests: z.array(descriptor).default([]),
});

const isDigest = (reference: string): boolean => reference.includes(':');

export interface Shelving {
  /** A tag or a digest. */
  readonly reference: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly hasBlob: (digest: string) => boolean;
}

/** Takes a manifest in, if it is what its digest says and everything that it names is there. */
export function putManifest(shelf: Shelf, {reference, mediaType, bytes, hasBlob}: Shelving): Manifest {
  const manifest: Manifest = {digest: digestOf(bytes), mediaType, bytes};
  if (isDigest(reference) && reference !== manifest.digest) {
    checkDigest(reference);
    throw new RegistryError('DIGEST_INVALID', `the manifest has the digest ${manifest.digest}, not ${reference}`);
  }
  const {config, layers, manifests, ...parsed} = parse(bytes);
  if (parsed.mediaType !== undefined && parsed.mediaType !== mediaType) {
    throw new RegistryError('MANIFEST_INVALID', `the manifest says ${parsed.mediaType}, the request ${mediaType}`);
  }
  // Layers with URLs of their own are not pushed.
  const blobs = [...(config === undefined ? [] : [config]), ...layers].filter(({urls}) => urls === undefined);
  const absent = blobs.find(({digest}) => !hasBlob(digest)) ?? manifests.find(({digest}) => !shelf.manifests.has(digest));
  if (absent !== undefined)
    throw new RegistryError('MANIFEST_BLOB_UNKNOWN', `the manifest names ${absent.digest}, which is not here`);

  shelf.manifests.set(manifest.digest, manifest);
  if (!isDigest(reference)) shelf.tags.set(reference, manifest.digest);
  return manifest;
}

function parse(bytes: Buffer): z.infer<typeof document> {
  try {
    return document.parse(JSON.parse(bytes.toString()));
  } catch {
    throw new RegistryError('MANIFEST_INVALID', 'not an image manifest or index of schema version 2');
  }
}

/** @param accept the request's Accept header; a manifest of a type that it does not name is not found, as in Docker's registry */
export function findManifest({manifests, tags}: Shelf, reference: string, accept = '*/*'): Manifest {
  const manifest = manifests.get(isDigest(reference) ? reference : (tags.get(reference) ?? ''));
  if (manifest === undefined) throw new RegistryError('MANIFEST_UNKNOWN', `there is no manifest ${reference}`);
  const types = accept.split(',').map(type => type.split(';')[0]?.trim());
  if (types.includes('*/*') || types.includes(manifest.mediaType)) return manifest;
  throw new RegistryError('MANIFEST_UNKNOWN', `${reference} is a ${manifest.mediaType}, which the Accept header does not name`);
}
