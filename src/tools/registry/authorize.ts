import * as z from 'zod';
import {identityTokenUser, type Credentials} from './docker-credentials.ts';
import {LoginError} from './errors.ts';
import type {ImageName} from './image-name.ts';
import {jsonOf, type Answer, type Request} from './transport.ts';

const tokenAnswer = z.object({token: z.string().optional(), access_token: z.string().optional()});

/**
 * Answers a registry's `WWW-Authenticate` with the Authorization header to try next; undefined where there is none to try.
 * `send` carries out the request for a token. Throws LoginError when the token is refused.
 * https://distribution.github.io/distribution/spec/auth/token/, …/auth/oauth/
 */
export async function authorize(
  challenge: string,
  name: ImageName,
  credentials: Credentials | undefined,
  send: (request: Request) => Promise<Answer>,
): Promise<string | undefined> {
  const {scheme, parameters} = parseChallenge(challenge);
  if (scheme === 'basic') return credentials && basic(credentials);
  const realm = URL.parse(parameters['realm'] ?? '');
  if (scheme !== 'bearer' || realm === null) return undefined;
  if (credentials && !isSafe(realm)) {
    throw new LoginError(
      name.registry,
      `The registry ${name.registry} wants the password unencrypted, at ${realm.host}: it was not sent.`,
    );
  }

  const question = new URLSearchParams({
    ...(parameters['service'] !== undefined && {service: parameters['service']}),
    scope: parameters['scope'] ?? `repository:${name.repository}:pull`,
  });
  const answer = await send(tokenRequest(realm, question, credentials));
  const {token, access_token: accessToken} = tokenAnswer.safeParse(jsonOf(answer)).data ?? {};
  const given = token ?? accessToken;
  if (answer.status !== 200 || !given) {
    throw new LoginError(
      name.registry,
      `The registry ${name.registry} gives no token for ${name.repository} (${answer.status}).`,
    );
  }
  return `Bearer ${given}`;
}

function tokenRequest(realm: URL, question: URLSearchParams, credentials: Credentials | undefined): Request {
  if (credentials?.username === identityTokenUser) {
    question.set('grant_type', 'refresh_token');
    question.set('client_id', 'deploy-wizard');
    question.set('refresh_token', credentials.password);
    return {url: realm.href, method: 'POST', headers: {}, body: question};
  }
  const url = new URL(realm);
  for (const [name, value] of question) url.searchParams.set(name, value);
  return {url: url.href, method: 'GET', headers: credentials ? {authorization: basic(credentials)} : {}};
}

function basic({username, password}: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** `Bearer realm="https://auth.docker.io/token",service="registry.docker.io"`: the first challenge, names in lower case. */
function parseChallenge(challenge: string): {scheme: string; parameters: Readonly<Partial<Record<string, string>>>} {
  const [, scheme = '', rest = ''] = /^\s*(\S+)\s*(.*)$/s.exec(challenge) ?? [];
  const parameters: Record<string, string> = {};
  for (const [, name = '', quoted, plain] of rest.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    parameters[name.toLowerCase()] ??= quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(.)/g, '$1');
  }
  return {scheme: scheme.toLowerCase(), parameters};
}

function isSafe({protocol, hostname}: URL): boolean {
  return protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
