/** Images made by hand, for registries: blobs, manifests and an index, down to the byte. */
import {createHash, randomBytes} from 'node:crypto';

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

export interface Made {
  readonly type: string;
  readonly bytes: Buffer;
  readonly digest: string;
}

export interface MadeImage {
  readonly index: Made;
  readonly manifests: readonly Made[];
  readonly blobs: readonly Made[];
}

function made(type: string, content: Buffer | object): Made {
  // Spaces and order are the maker's: whoever writes a manifest anew makes another digest.
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content, null, 3));
  return {type, bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`};
}

const descriptor = ({type, bytes, digest}: Made) => ({mediaType: type, size: bytes.length, digest});

/** An index of two platforms that share a layer, and each have one of their own. `layerBytes`: of each layer. */
export function makeImage({layerBytes = 100_000} = {}): MadeImage {
  const shared = made(types.layer, randomBytes(layerBytes));
  const platforms = ['amd64', 'arm64'].map(architecture => {
    const config = made(types.config, {architecture, os: 'linux', rootfs: {type: 'layers', diff_ids: []}});
    const own = made(types.layer, randomBytes(layerBytes));
    const layers = [shared, own].map(descriptor);
    const manifest = made(types.manifest, {schemaVersion: 2, mediaType: types.manifest, config: descriptor(config), layers});
    return {architecture, manifest, blobs: [config, own]};
  });
  const index = made(types.index, {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: platforms.map(({architecture, manifest}) => ({...descriptor(manifest), platform: {architecture, os: 'linux'}})),
  });
  return {index, manifests: platforms.map(({manifest}) => manifest), blobs: [shared, ...platforms.flatMap(({blobs}) => blobs)]};
}

/** Pushes it to a registry without login. `address`: `host:port`. */
export async function pushMade(
  address: string,
  repository: string,
  tag: string,
  {index, manifests, blobs}: MadeImage,
): Promise<void> {
  const base = `http://${address}/v2/${repository}`;
  for (const {bytes, digest} of blobs) {
    const {headers} = await send(`${base}/blobs/uploads/`, 'POST');
    const location = new URL(headers.get('location') ?? '', base);
    location.searchParams.set('digest', digest);
    await send(location.href, 'PUT', bytes, 'application/octet-stream');
  }
  for (const {type, bytes, digest} of manifests) await send(`${base}/manifests/${digest}`, 'PUT', bytes, type);
  await send(`${base}/manifests/${tag}`, 'PUT', index.bytes, index.type);
}

async function send(url: string, method: string, body?: Buffer, type?: string): Promise<Response> {
  const answer = await fetch(url, {method, ...(body && {body}), ...(type !== undefined && {headers: {'content-type': type}})});
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** The bytes of a manifest as a registry without login hands them out; undefined where it is not there. */
export async function manifestAt(address: string, repository: string, reference: string): Promise<Buffer | undefined> {
  const answer = await fetch(`http://${address}/v2/${repository}/manifests/${reference}`, {
    headers: {accept: `${types.index}, ${types.manifest}`},
  });
  return answer.ok ? Buffer.from(await answer.arrayBuffer()) : undefined;
}
