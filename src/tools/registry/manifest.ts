/** What a manifest names: https://github.com/opencontainers/image-spec, and Docker's schema 2, which differ in nothing that matters here. */
import {createHash} from 'node:crypto';
import * as z from 'zod';
import {DeployError} from '../../release/errors.ts';

const index = 'application/vnd.oci.image.index.v1+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** Without all of these a registry may answer with another manifest, of another digest, than the one that was pushed. */
export const manifestTypes: readonly string[] = [
  index,
  dockerList,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export interface Descriptor {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  /** As they came: another byte would be another digest. */
  readonly bytes: Buffer;
  /** Of an index: one a platform. */
  readonly manifests: readonly Descriptor[];
  /** Configuration and layers. */
  readonly blobs: readonly Descriptor[];
}

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest that is not sha256');
const descriptor = z.object({digest, size: z.number().int().nonnegative(), urls: z.array(z.string()).optional()});
const document = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptor.optional(),
  layers: z.array(descriptor).default([]),
  manifests: z.array(descriptor).default([]),
});

/** Reads a manifest as a registry sent it. Throws DeployError for one that cannot be copied. `name`: for its words. */
export function readManifest(name: string, bytes: Buffer, contentType: string | null): Manifest {
  const found = document.safeParse(parse(bytes));
  const mediaType = found.data?.mediaType ?? contentType?.split(';')[0]?.trim() ?? '';
  if (!manifestTypes.includes(mediaType)) {
    throw new DeployError(`${name} is no image of a type that can be copied (${mediaType || 'it does not say which'})`, {
      means: 'Nothing was copied.',
      next: ['Push it again with a newer client, or push it to ECR yourself.'],
      final: true,
    });
  }
  if (!found.success) {
    throw new DeployError(`the manifest of ${name} cannot be read: ${z.prettifyError(found.error)}`, {final: true});
  }
  const {config, layers, manifests} = found.data;
  return {
    digest: digestOf(bytes),
    mediaType,
    bytes,
    manifests,
    // Layers with addresses of their own are fetched from there, and not pushed.
    blobs: [...(config ? [config] : []), ...layers].filter(({urls}) => urls === undefined),
  };
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
