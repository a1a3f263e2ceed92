/** What a released application answers at `/version`, on loopback. */
import {type IncomingMessage, type ServerResponse, createServer} from 'node:http';

export interface Web {
  readonly url: string;
  close(): Promise<void>;
}

/** `version` is asked at every request; undefined answers 503. */
export async function serveVersion(version: () => Promise<string | undefined>): Promise<Web> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const now = await version();
    if (now === undefined) response.writeHead(503).end('not running\n');
    else if (request.url === '/version') response.end(`${now}\n`);
    else response.writeHead(404).end('not found\n');
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port to listen on');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
