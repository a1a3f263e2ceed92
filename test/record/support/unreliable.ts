/** Something between the program and S3 that loses what is asked, or what is answered. */
import {type IncomingMessage, createServer, request} from 'node:http';
import {buffer} from 'node:stream/consumers';
import {onTestFinished} from 'vitest';

/** `unasked`: it never arrives; `unanswered`: it is done, and nobody hears of it; `slow down`: S3 says that it did nothing. */
export type Fault = 'unasked' | 'unanswered' | 'slow down';

export interface Unreliable {
  readonly url: string;
  /** What becomes of the next requests that write to a key with this in it, one after the other. */
  next(key: string, ...faults: readonly Fault[]): void;
  /** Requests that write, as `PUT /key`, faults included. */
  readonly writes: readonly string[];
}

/** Passes everything else on to `upstream`; gone with the test. */
export async function unreliable(upstream: string): Promise<Unreliable> {
  const faults: {readonly key: string; readonly is: Fault}[] = [];
  const writes: string[] = [];
  const faultOf = ({method, url = ''}: IncomingMessage): Fault | undefined => {
    if (method !== 'PUT') return undefined;
    writes.push(url.split('?')[0] ?? '');
    const index = faults.findIndex(({key}) => url.includes(key));
    return index === -1 ? undefined : faults.splice(index, 1)[0]?.is;
  };
  const server = createServer(async (incoming, answer) => {
    const fault = faultOf(incoming);
    const body = await buffer(incoming);
    if (fault === 'unasked') return void incoming.socket.destroy();
    if (fault === 'slow down') {
      answer.writeHead(503, {'content-type': 'application/xml'});
      return void answer.end('<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>');
    }
    const {hostname, port} = new URL(upstream);
    const onward = request({hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers}, theirs => {
      if (fault === 'unanswered') return void incoming.socket.destroy();
      answer.writeHead(theirs.statusCode ?? 500, theirs.headers);
      theirs.pipe(answer);
    });
    onward.end(body);
  });
  const {promise, resolve} = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    next: (key, ...more) => void faults.push(...more.map(is => ({key, is}))),
    writes,
  };
}
