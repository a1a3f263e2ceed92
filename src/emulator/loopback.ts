import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';

export interface LoopbackServer {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly close: () => Promise<void>;
}

/**
 * An HTTP server that only this machine can reach.
 * @param port 0: any free one
 * @param handle answers a request; if it rejects there is nobody left to answer, and the connection goes
 */
export async function listenOnLoopback(
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');

  return {
    host: `127.0.0.1:${address.port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
