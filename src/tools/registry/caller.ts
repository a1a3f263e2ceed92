/**
 * Calls about a repository, with the credentials that its registry wants for them: shown when it asks, and used until it refuses
 * them.
 */
import * as z from 'zod';
import {DeployError} from '../../release/errors.ts';
import {authorize} from './authorize.ts';
import type {Credentials} from './docker-credentials.ts';
import {LoginError} from './errors.ts';
import {formatImageName, type ImageName} from './image-name.ts';
import {type Answer, jsonOf, type Request, type Transport} from './transport.ts';

export interface Call {
  readonly method: Request['method'];
  /** Below the repository, such as `manifests/1.0`; or what a Location header said. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Milliseconds for the answer, where it may take longer than usual. */
  readonly limitMs?: number;
}

export interface Caller {
  /** Sends what may be sent twice. Throws LoginError where the registry refuses who asks. */
  call(name: ImageName, call: Call, signal: AbortSignal | undefined): Promise<Answer>;
  /**
   * Sends once, and leaves the answer's body to be read as it comes. What has a body of its own is sent right after a `call` about
   * the same repository: a stream cannot be sent again with other credentials.
   */
  open(
    name: ImageName,
    call: Omit<Call, 'body' | 'limitMs'>,
    signal: AbortSignal,
    body?: ReadableStream<Uint8Array>,
  ): Promise<Response>;
  /** What a registry was shown is not shown to it again. */
  forget(registry: string): void;
}

export function createCaller(options: {
  readonly transport: Transport;
  readonly credentials: (registry: string) => Promise<Credentials | undefined>;
}): Caller {
  const {transport, credentials} = options;
  /** What the Authorization header was last, by repository. Used until the registry refuses it. */
  const authorizations = new Map<string, string>();
  const keyOf = ({registry, repository}: ImageName): string => `${registry}/${repository}`;

  const requestOf = (name: ImageName, {method, path, headers, body, limitMs}: Call): Request => {
    const base = new URL(`${baseUrl(name.registry)}${name.repository}/`);
    const url = new URL(path, base);
    // A registry may keep uploads elsewhere: its credentials are its own.
    const authorization = url.origin === base.origin ? authorizations.get(keyOf(name)) : undefined;
    return {
      url: url.href,
      method,
      headers: {...headers, ...(authorization !== undefined && {authorization})},
      ...(body && {body}),
      ...(limitMs !== undefined && {limitMs}),
    };
  };

  /** Whether there is something else to show to a registry that has answered 401. */
  async function logIn(name: ImageName, challenge: string | null, signal: AbortSignal | undefined): Promise<boolean> {
    if (challenge === null) return false;
    const known = await credentials(name.registry);
    const authorization = await authorize(challenge, name, known, request => transport.read(request, signal));
    if (authorization !== undefined) authorizations.set(keyOf(name), authorization);
    return authorization !== undefined;
  }

  return {
    async call(name, call, signal) {
      let answer = await transport.read(requestOf(name, call), signal);
      if (answer.status === 401 && (await logIn(name, answer.headers.get('www-authenticate'), signal))) {
        answer = await transport.read(requestOf(name, call), signal);
      }
      if (answer.status === 401 || answer.status === 403) throw refused(name, call, answer);
      return answer;
    },

    async open(name, call, signal, body) {
      let response = await transport.open(requestOf(name, call), signal, body);
      if (response.status === 401 && body === undefined) {
        await response.body?.cancel();
        if (await logIn(name, response.headers.get('www-authenticate'), signal)) {
          response = await transport.open(requestOf(name, call), signal);
        }
      }
      return response;
    },

    forget(registry) {
      for (const key of authorizations.keys()) if (key.startsWith(`${registry}/`)) authorizations.delete(key);
    },
  };
}

/** As the docker engine does it: plain HTTP on this machine only. */
function baseUrl(registry: string): string {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);
  return `${isLoopback ? 'http' : 'https'}://${host}/v2/`;
}

function refused(name: ImageName, {method}: Call, answer: Answer): LoginError {
  const wanted = method === 'GET' || method === 'HEAD' ? 'to show' : 'to take';
  return new LoginError(
    name.registry,
    `The registry ${name.registry} refuses ${wanted} ${formatImageName(name)} (${inWords(answer)}).`,
  );
}

/** An answer that says nothing of what was asked. */
export function unexpected(name: ImageName, answer: Answer): DeployError {
  return new DeployError(`The registry ${name.registry} does not tell about ${formatImageName(name)} (${inWords(answer)}).`, {
    ...(answer.status === 429 && {next: ['It asks for fewer calls: log in, or try again later.']}),
  });
}

const errorsAnswer = z.object({errors: z.array(z.object({code: z.string().optional(), message: z.string().optional()})).min(1)});

/** `401 UNAUTHORIZED: authentication required` */
export function inWords(answer: Answer): string {
  const said = errorsAnswer.safeParse(jsonOf(answer)).data?.errors[0];
  const words = [said?.code, said?.message].filter(Boolean).join(': ');
  return words === '' ? String(answer.status) : `${answer.status} ${words}`;
}
