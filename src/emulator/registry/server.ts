import type {IncomingMessage, ServerResponse} from 'node:http';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {listenOnLoopback} from '../loopback.ts';
import {createBlobs} from './blobs.ts';
import {RegistryError} from './errors.ts';
import {type Answer, type Registry, respond} from './routes.ts';

export interface RunningRegistry {
  /** `host:port`, as it stands in image references. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts a registry on loopback, good enough for `docker push` and `docker pull`: Docker takes registries on 127.0.0.0/8
 * without TLS. What was pushed is gone when it is closed.
 */
export async function startRegistry({port = 0}: {readonly port?: number} = {}): Promise<RunningRegistry> {
  const registry: Registry = {blobs: await createBlobs(), shelves: new Map()};
  const server = await listenOnLoopback(port, (request, response) =>
    answerWith(() => respond(registry, request), request, response),
  );
  return {
    url: server.host,
    async close() {
      await server.close();
      await registry.blobs.remove();
    },
  };
}

/** Writes what a registry says, errors in the specification's words. */
export async function answerWith(
  respond: () => Promise<Answer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const {status, headers, body} = await respond().catch(asAnswer);
  // A body that nobody wanted would stand in the way of the connection's next request.
  request.resume();
  response.writeHead(status, {'Docker-Distribution-API-Version': 'registry/2.0', ...headers});
  if (body instanceof Readable) await pipeline(body, response);
  else response.end(request.method === 'HEAD' ? undefined : body);
}

function asAnswer(failure: unknown): Answer {
  const {status, code, message} =
    failure instanceof RegistryError
      ? failure
      : {status: 500, code: 'UNKNOWN', message: `The registry failed: ${String(failure)}`};
  return {
    status,
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({errors: [{code, message, detail: null}]}),
  };
}
