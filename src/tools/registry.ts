/**
 * What a registry says about its tags: the OCI distribution API, read only.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
import {createHash} from 'node:crypto';
import {z} from 'zod';
import {DeployError} from '../release/errors.ts';
import {authorize} from './registry/authorize.ts';
import type {CredentialsFor} from './registry/docker-credentials.ts';
import {LoginError} from './registry/errors.ts';
import {formatImageName, type ImageName} from './registry/image-name.ts';
import {createTransport, jsonOf, type Answer, type Request, type TransportOptions} from './registry/transport.ts';

export {dockerCredentials, type Credentials} from './registry/docker-credentials.ts';
export {LoginError} from './registry/errors.ts';
export {formatImageName, parseImageName} from './registry/image-name.ts';

/**
 * Its calls throw LoginError when the registry wants other credentials, DeployError when it cannot be reached or fails, and
 * StoppedError. Each call has ten seconds, and is repeated twice after a failure that may pass.
 */
export interface Registry {
  /** `sha256:…` of what a tag points to, as the registry says it; undefined when the tag is not there. The name's own tag is not read. */
  digest(name: ImageName, tag: string, signal?: AbortSignal): Promise<string | undefined>;
  /** `sha256:…` of the configuration that a tag's manifest names: what docker calls the image's id. Undefined for an index, or no tag. */
  imageId(name: ImageName, tag: string, signal?: AbortSignal): Promise<string | undefined>;
  /** All tags of a repository, in the registry's order; none when there is no such repository. */
  tags(name: ImageName, signal?: AbortSignal): Promise<string[]>;
}

export interface RegistryOptions extends TransportOptions {
  readonly credentials: CredentialsFor;
}

/** Without all of these a registry may answer with another manifest, of another digest, than the one that was pushed. */
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const tagsPerPage = 1000;
const mostPages = 100;

const isDigest = /^sha256:[0-9a-f]{64}$/;
const someManifest = z.object({schemaVersion: z.number()});
const manifestAnswer = z.object({config: z.object({digest: z.string()}).optional()});
const tagsAnswer = z.object({tags: z.array(z.string()).nullish()});
const errorsAnswer = z.object({errors: z.array(z.object({code: z.string().optional(), message: z.string().optional()})).min(1)});

export function createRegistry(options: RegistryOptions): Registry {
  const {credentials} = options;
  const transport = createTransport(options);
  /** What the Authorization header was last, by repository. Used until the registry refuses it. */
  const authorizations = new Map<string, string>();

  /** A call about a repository, with the credentials that the registry wants for it. */
  async function call(name: ImageName, method: 'GET' | 'HEAD', path: string, signal: AbortSignal | undefined): Promise<Answer> {
    const url = new URL(path, `${baseUrl(name.registry)}${name.repository}/`).href;
    const key = `${name.registry}/${name.repository}`;
    const request = (): Request => {
      const authorization = authorizations.get(key);
      return {url, method, headers: {accept: manifestTypes, ...(authorization !== undefined && {authorization})}};
    };

    let answer = await transport.read(request(), signal);
    const challenge = answer.headers.get('www-authenticate');
    if (answer.status === 401 && challenge !== null) {
      const known = await credentials(name.registry);
      const authorization = await authorize(challenge, name, known, request => transport.read(request, signal));
      if (authorization !== undefined) {
        authorizations.set(key, authorization);
        answer = await transport.read(request(), signal);
      }
    }
    if (answer.status === 401 || answer.status === 403) throw refused(name, answer);
    return answer;
  }

  /** The manifest of a tag; undefined when the tag is not there. */
  async function manifest(name: ImageName, tag: string, signal: AbortSignal | undefined): Promise<Answer | undefined> {
    const answer = await call(name, 'GET', manifestPath(tag), signal);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw unexpected({...name, tag}, answer);
    return answer;
  }

  return {
    async digest(name, tag, signal) {
      const head = await call(name, 'HEAD', manifestPath(tag), signal);
      if (head.status === 404) return undefined;
      const digest = head.headers.get('docker-content-digest');
      if (head.status === 200 && digest !== null && isDigest.test(digest)) return digest;
      if (head.status >= 500 || head.status === 429) throw unexpected({...name, tag}, head);

      // Not every registry names the digest, or answers HEAD at all: it is the hash of the bytes.
      const get = await manifest(name, tag, signal);
      if (get === undefined) return undefined;
      // A proxy or a login page answers 200 as well, to anything.
      if (!someManifest.safeParse(jsonOf(get)).success) throw unexpected({...name, tag}, get);
      return `sha256:${createHash('sha256').update(get.body).digest('hex')}`;
    },

    async imageId(name, tag, signal) {
      const answer = await manifest(name, tag, signal);
      return answer && manifestAnswer.safeParse(jsonOf(answer)).data?.config?.digest;
    },

    async tags(name, signal) {
      const tags: string[] = [];
      let path: string | undefined = `tags/list?n=${tagsPerPage}`;
      for (let page = 0; path !== undefined && page < mostPages; page++) {
        const answer: Answer = await call(name, 'GET', path, signal);
        if (answer.status === 404) return tags;
        const listed = tagsAnswer.safeParse(jsonOf(answer));
        if (answer.status !== 200 || !listed.success) throw unexpected(name, answer);
        tags.push(...(listed.data.tags ?? []));
        path = nextPage(answer.headers.get('link'));
      }
      return tags;
    },
  };
}

/** As the docker engine does it: plain HTTP on this machine only. */
function baseUrl(registry: string): string {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
  return `${isLoopback ? 'http' : 'https'}://${host}/v2/`;
}

function manifestPath(tag: string): string {
  return `manifests/${encodeURIComponent(tag)}`;
}

/** `Link: </v2/x/tags/list?n=1000&last=1.9>; rel="next"`: its query, so that no registry sends the credentials elsewhere. */
function nextPage(link: string | null): string | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(link ?? '') ?? [];
  return target?.includes('?') ? `tags/list${target.slice(target.indexOf('?'))}` : undefined;
}

function refused(name: ImageName, answer: Answer): LoginError {
  return new LoginError(
    name.registry,
    `The registry ${name.registry} refuses to show ${formatImageName(name)} (${describe(answer)}).`,
  );
}

function unexpected(name: ImageName, answer: Answer): DeployError {
  return new DeployError(`The registry ${name.registry} does not tell about ${formatImageName(name)} (${describe(answer)}).`, {
    ...(answer.status === 429 && {next: ['It asks for fewer calls: log in, or try again later.']}),
  });
}

/** `401 UNAUTHORIZED: authentication required` */
function describe(answer: Answer): string {
  const said = errorsAnswer.safeParse(jsonOf(answer)).data?.errors[0];
  const words = [said?.code, said?.message].filter(Boolean).join(': ');
  return words === '' ? String(answer.status) : `${answer.status} ${words}`;
}
