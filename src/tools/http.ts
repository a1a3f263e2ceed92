/** Looking at a URL, as often as somebody likes: the answer, or why there is none. */
import {get as getHttp, type IncomingMessage} from 'node:http';
import {get as getHttps} from 'node:https';
import {StoppedError} from '../release/errors.ts';
import {networkReason} from './network.ts';

/** `body`: the first 64 KiB, as UTF-8. `host`: who answered, where redirects led to another one (a login page, often). */
export type ProbeResult = {readonly status: number; readonly body: string; readonly host?: string} | {readonly error: string};

export interface ProbeOptions {
  /** For everything: connecting, redirects, the body. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const mostRedirects = 5;
const longestBody = 64 * 1024;

/**
 * GETs a URL, following up to five redirects. Any status is a result, and so is any failure; throws nothing but StoppedError.
 * Every probe connects anew: a connection kept from before would go on talking to an instance that new clients no longer reach.
 */
export async function probe(url: string, {timeoutMs, signal}: ProbeOptions): Promise<ProbeResult> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await follow(url, AbortSignal.any([signal, limit]));
  } catch (error) {
    if (signal.aborted) throw new StoppedError(`Looking at ${url} was stopped.`);
    return {error: limit.aborted ? `no answer within ${timeoutMs / 1000} s` : networkReason(error)};
  }
}

async function follow(start: string, signal: AbortSignal): Promise<ProbeResult> {
  let url = start;
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const parsed = URL.parse(url);
    if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') return {error: `${url} is no http or https URL`};
    const response = await get(parsed, signal);
    const status = response.statusCode ?? 0;
    const {location} = response.headers;
    if (status < 300 || status > 399 || location === undefined) {
      const body = await bodyOf(response);
      return {status, body, ...(parsed.host !== URL.parse(start)?.host && {host: parsed.host})};
    }
    response.destroy();
    url = URL.parse(location, url)?.href ?? location;
  }
  return {error: `more than ${mostRedirects} redirects`};
}

function get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const {promise, resolve, reject} = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === 'https:' ? getHttps : getHttp;
  const headers = {'user-agent': 'deploy-wizard', accept: '*/*', 'cache-control': 'no-cache'};
  send(url, {agent: false, signal, headers}, resolve).on('error', reject);
  return promise;
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop closes the connection.
    if (size >= longestBody) break;
  }
  return Buffer.concat(chunks).subarray(0, longestBody).toString('utf8');
}
