/**
 * What a registry says about its tags, and copying between registries: the OCI distribution API.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
import {createHash} from 'node:crypto';
import * as z from 'zod';
import {ownTime} from './pacing.ts';
import {createCaller, unexpected} from './registry/caller.ts';
import {type Copied, type Copying, type CopySinks, createCopier} from './registry/copying.ts';
import type {Credentials, CredentialsFor} from './registry/docker-credentials.ts';
import type {ImageName} from './registry/image-name.ts';
import {manifestTypes} from './registry/manifest.ts';
import {createTransport, jsonOf, type Answer, type TransportOptions} from './registry/transport.ts';

export type {Copied, CopySinks} from './registry/copying.ts';
export {dockerCredentials, type Credentials} from './registry/docker-credentials.ts';
export {ecrRegion, withEcrTokens} from './registry/ecr-credentials.ts';
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
  /** The digests that an index names, one a platform; none where the digest is no index, or is not there. */
  platforms(name: ImageName, digest: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** All tags of a repository, in the registry's order; none when there is no such repository. */
  tags(name: ImageName, signal?: AbortSignal): Promise<string[]>;
  /**
   * Copies what a tag points to, with everything that it names (all platforms of an index), byte for byte: the copy has the same
   * digest. What is there already is not sent again. Throws LostAnswerError when nobody knows whether the tag was set.
   */
  copy(copying: Copying, sinks: CopySinks): Promise<Copied>;
  /** What a registry is shown when it asks who asks; undefined where there is nothing to show. */
  credentials(registry: string): Promise<Credentials | undefined>;
  /**
   * Finds other credentials for a registry that has refused those it was shown: fresh ones from where they came from, else what
   * `otherwise` gives, which are kept here and nowhere else. Whoever calls it meanwhile for the same registry waits for the same
   * answer. False where there are no others.
   */
  logInAnew(registry: string, otherwise: () => Promise<Credentials | undefined>): Promise<boolean>;
}

export interface RegistryOptions extends TransportOptions {
  readonly credentials: CredentialsFor;
  /** Milliseconds from any moment on, for pacing; the default is this process's own time. */
  readonly now?: () => number;
}

const tagsPerPage = 1000;
const mostPages = 100;

const isDigest = /^sha256:[0-9a-f]{64}$/;
const someManifest = z.object({schemaVersion: z.number()});
const manifestAnswer = z.object({config: z.object({digest: z.string()}).optional()});
const indexAnswer = z.object({manifests: z.array(z.object({digest: z.string()}))});
const tagsAnswer = z.object({tags: z.array(z.string()).nullish()});

export function createRegistry(options: RegistryOptions): Registry {
  const {credentials} = options;
  const transport = createTransport(options);
  /** What was given during this run, by registry. */
  const given = new Map<string, Credentials>();
  const underway = new Map<string, Promise<boolean>>();

  const credentialsOf = async (registry: string): Promise<Credentials | undefined> =>
    given.get(registry) ?? (await credentials(registry));

  async function findOthers(registry: string, otherwise: () => Promise<Credentials | undefined>): Promise<boolean> {
    const before = await credentialsOf(registry).catch(() => undefined);
    const fresh = given.has(registry) ? undefined : await credentials(registry, 'anew');
    if (fresh !== undefined && fresh.password !== before?.password) return true;
    const other = await otherwise();
    if (other === undefined) return false;
    given.set(registry, {...other, aside: true});
    return true;
  }

  const caller = createCaller({transport, credentials: credentialsOf});
  const call = (name: ImageName, method: 'GET' | 'HEAD', path: string, signal: AbortSignal | undefined): Promise<Answer> =>
    caller.call(name, {method, path, headers: {accept: manifestTypes.join(', ')}}, signal);

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

    async platforms(name, digest, signal) {
      const answer = await manifest(name, digest, signal);
      return (answer && indexAnswer.safeParse(jsonOf(answer)).data?.manifests.map(one => one.digest)) ?? [];
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

    copy: createCopier({source: caller, transport, now: options.now ?? ownTime.now}),

    credentials: credentialsOf,

    logInAnew(registry, otherwise) {
      const already = underway.get(registry);
      if (already !== undefined) return already;
      const finding = findOthers(registry, otherwise).finally(() => {
        caller.forget(registry);
        underway.delete(registry);
      });
      underway.set(registry, finding);
      return finding;
    },
  };
}

function manifestPath(tag: string): string {
  return `manifests/${encodeURIComponent(tag)}`;
}

/** `Link: </v2/x/tags/list?n=1000&last=1.9>; rel="next"`: its query, so that no registry sends the credentials elsewhere. */
function nextPage(link: string | null): string | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(link ?? '') ?? [];
  return target?.includes('?') ? `tags/list${target.slice(target.indexOf('?'))}` : undefined;
}
