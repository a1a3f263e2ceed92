import type {IncomingMessage, ServerResponse} from 'node:http';
import {text} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Account} from './account.ts';
import {reply} from './answering.ts';
import {createEcrRegistry, isForRegistry} from './ecr/registry.ts';
import {AwsError} from './errors.ts';
import type {Faults} from './faults.ts';
import {listenOnLoopback} from './loopback.ts';
import {uuid} from './naming.ts';
import {jsonError} from './protocol/json.ts';
import type {Outgoing} from './protocol/message.ts';
import {type Call, route} from './routing.ts';

/** A call that has arrived, whatever became of it. */
export interface RecordedCall {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** As in the credential scope: `ecs`, `events`, `elasticloadbalancing`… */
  readonly service: string;
  readonly action: string;
}

/** How many seconds of AWS a slow answer takes. */
const SLOW_ANSWER = 5;

/** How many calls are remembered. */
const CALLS_KEPT = 1000;

export interface AwsServer {
  readonly url: string;
  readonly calls: readonly RecordedCall[];
  readonly close: () => Promise<void>;
}

/** Listens on loopback. `port` 0: any free one. */
export async function serve(account: Account, faults: Faults, port: number): Promise<AwsServer> {
  const calls: RecordedCall[] = [];
  const record = (service: string, action: string): void => {
    calls.push({at: account.clock.now(), service, action});
    if (calls.length > CALLS_KEPT) calls.shift();
  };
  const registry = createEcrRegistry(account, faults, action => record('ecr', action));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (isForRegistry(request)) return registry.handle(request, response);
    const requestId = uuid(account.seed, 'request', account.serial());
    const body = await text(request);
    const {method = 'GET', url = '/', headers} = request;
    const call = routed(() => route({method, url, headers, body}));
    if (call instanceof AwsError) return send(account, response, requestId, jsonError('1.1', call));

    record(call.service.name, call.action);
    const fault = faults.next(call.action);
    const answer = reply(account, call, fault, requestId);
    if (fault === 'slow') await sleep(SLOW_ANSWER * account.clock.second);
    if (answer === 'cut') request.socket.resetAndDestroy();
    else send(account, response, requestId, answer);
  }

  const {host, close} = await listenOnLoopback(port, handle);
  return {
    url: `http://${host}`,
    calls,
    close: async () => {
      await close();
      await registry.close();
    },
  };
}

function routed(find: () => Call): Call | AwsError {
  try {
    return find();
  } catch (thrown) {
    if (thrown instanceof AwsError) return thrown;
    throw thrown;
  }
}

function send(
  {clock}: Account,
  response: ServerResponse,
  requestId: string,
  {status, contentType, body, errorType}: Outgoing,
): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    // AWS's time, not this machine's: callers correlate by it.
    Date: new Date(clock.now()).toUTCString(),
    'x-amzn-RequestId': requestId,
    ...(errorType !== undefined && {'x-amzn-ErrorType': errorType}),
  });
  response.end(body);
}
