/** Calls over HTTP: a time limit for each, and two more tries where a failure may pass. */
import {setTimeout as wait} from 'node:timers/promises';
import {DeployError, StoppedError} from '../../release/errors.ts';
import {networkReason} from '../network.ts';

export interface TransportOptions {
  readonly fetch?: typeof fetch;
  /** Waits between tries, in milliseconds. Rejects when the signal is aborted. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface Request {
  readonly url: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** A form, or bytes. */
  readonly body?: URLSearchParams | Buffer;
  /** For the whole answer. Milliseconds; ten seconds unless told. */
  readonly limitMs?: number;
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Transport {
  /**
   * Sends what may be sent twice. An answer of any status is an answer. Throws DeployError when there is none, and StoppedError.
   */
  read(request: Request, signal: AbortSignal | undefined): Promise<Answer>;
  /** Sends once, without a limit but the signal's; the answer's body is read by whoever wants it. Throws what `fetch` throws. */
  open(request: Request, signal: AbortSignal, body?: ReadableStream<Uint8Array>): Promise<Response>;
  /** Waits so many milliseconds before another try, or until the signal is aborted. */
  pause(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

const timeLimitMs = 10_000;
/** Waits before the second and the third try. */
const pausesMs = [300, 1000];
/** A server that asks for more patience than this is reported instead. */
const longestPauseMs = 10_000;

export function createTransport(options: TransportOptions): Transport {
  const {fetch: send = fetch, sleep = (ms, signal) => wait(ms, undefined, {signal})} = options;

  async function once(request: Request, signal: AbortSignal | undefined): Promise<Answer> {
    const {url, method, headers, body, limitMs = timeLimitMs} = request;
    const limit = AbortSignal.timeout(limitMs);
    const init = {method, headers, ...(body && {body}), signal: signal ? AbortSignal.any([signal, limit]) : limit};
    const response = await send(url, init);
    return {status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer())};
  }

  const pause = (ms: number, signal: AbortSignal | undefined) => sleep(ms, signal).catch(() => undefined);

  return {
    pause,

    open: ({url, method, headers}, signal, body) =>
      send(url, {method, headers, signal, ...(body && {body, duplex: 'half' as const})}),

    async read(request, signal) {
      for (let tries = 0; ; tries++) {
        const answer = await once(request, signal).catch((error: unknown) => ({unreachable: error}));
        if (signal?.aborted) throw new StoppedError('Asking the registry was stopped.');
        const wait = pauseBefore(tries, answer);
        if (wait !== undefined) await pause(wait, signal);
        else if ('unreachable' in answer) throw unreachable(request.url, answer.unreachable);
        else return answer;
      }
    },
  };
}

/** The answer's body where it is JSON. */
export function jsonOf({body}: Answer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Milliseconds to wait before another try; undefined when this answer is the one to live with. */
function pauseBefore(tries: number, answer: Answer | {unreachable: unknown}): number | undefined {
  const pause = pausesMs[tries];
  if (pause === undefined || 'unreachable' in answer) return pause;
  if (answer.status < 500 && answer.status !== 429) return undefined;
  const asked = retryAfterMs(answer.headers.get('retry-after'));
  if (asked === undefined) return pause;
  return asked <= longestPauseMs ? asked : undefined;
}

/** Retry-After is a number of seconds, or a date. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function unreachable(url: string, error: unknown): DeployError {
  return new DeployError(`The registry at ${new URL(url).host} cannot be reached: ${networkReason(error)}.`, {
    code: 'DW160',
    cause: error,
    next: ['Check its name, and the network (VPN, proxy).'],
  });
}
