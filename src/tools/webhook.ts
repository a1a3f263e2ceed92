/** One message to somebody's URL. What may be a secret (the URL) is in no answer. */
import {request as requestHttp} from 'node:http';
import {request as requestHttps} from 'node:https';
import {networkReason} from './network.ts';

export interface PostOptions {
  /** For everything, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** POSTs JSON once; redirects are not followed. Returns why it did not work, in a few words; undefined when it did. Never rejects. */
export async function postJson(url: string, body: string, {timeoutMs, signal}: PostOptions): Promise<string | undefined> {
  const target = URL.parse(url);
  if (target?.protocol !== 'http:' && target?.protocol !== 'https:') return 'it is no http or https URL';
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const status = await post(target, body, AbortSignal.any([signal, limit]));
    return status >= 200 && status < 300 ? undefined : `it answered ${status}`;
  } catch (error) {
    return limit.aborted || signal.aborted ? 'no answer in time' : networkReason(error);
  }
}

function post(url: URL, body: string, signal: AbortSignal): Promise<number> {
  const {promise, resolve, reject} = Promise.withResolvers<number>();
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = {
    'user-agent': 'deploy-wizard',
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  };
  send(url, {method: 'POST', agent: false, signal, headers}, response => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .on('error', reject)
    .end(body);
  return promise;
}
