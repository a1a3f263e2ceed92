/** What a process that can be thrown away reaches AWS through. */
import {Agent, type IncomingMessage, type ServerResponse, createServer, request as send} from 'node:http';
import {buffer} from 'node:stream/consumers';
import type {Life} from './life.ts';
import type {IdleTime} from './time.ts';

/** What only looks, by the name of the action or by the path of it. */
const looking = /^(?:Describe|List|Get|BatchGet|Filter|Simulate)/i;

function actionOf({headers, method, url = '/'}: IncomingMessage, body: Buffer): string {
  const {'x-amz-target': target} = headers;
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  const form = new URLSearchParams(body.toString('latin1')).get('Action');
  if (form !== null) return form;
  return method === 'GET' || method === 'HEAD' ? 'Get' : url.slice(url.lastIndexOf('/') + 1);
}

/** Sends a request on, and waits for the whole of its answer. */
async function exchange(agent: Agent, url: URL, {method, headers}: Pick<IncomingMessage, 'method' | 'headers'>, body: Buffer) {
  const {promise, resolve, reject} = Promise.withResolvers<IncomingMessage>();
  send(url, {method, headers, agent}, resolve).on('error', reject).end(body);
  const answer = await promise;
  const {connection: _connection, 'keep-alive': _keptAlive, 'transfer-encoding': _encoding, ...rest} = answer.headers;
  return {status: answer.statusCode ?? 500, headers: rest, body: await buffer(answer)};
}

export interface Gateway {
  readonly url: string;
  close(): void;
}

/** Between one process and the endpoint. */
export async function gateway(
  endpoint: string,
  {life, time, call}: {readonly life: Life; readonly time: IdleTime; readonly call: () => () => void},
): Promise<Gateway> {
  const agent = new Agent({keepAlive: true});
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (life.over()) return;
    const done = time.busy();
    life.atEnd(done);
    const body = await buffer(request);
    const answered = looking.test(actionOf(request, body)) ? () => undefined : call();
    if (life.over()) return;
    const {method, url, headers} = request;
    try {
      const answer = await exchange(agent, new URL(url ?? '/', endpoint), {method, headers}, body);
      answered();
      if (!life.over()) response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch {
      // The endpoint has cut it off.
      answered();
      if (!life.over()) request.socket.resetAndDestroy();
    }
    done();
  };
  const server = createServer((request, response) => void handle(request, response));
  const {promise, resolve} = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}
