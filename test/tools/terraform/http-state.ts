/** A state kept over HTTP (the `http` backend), which may be slow to save it, and may be locked by somebody else. */
import {createServer} from 'node:http';
import {onTestFinished} from 'vitest';

export interface HttpState {
  /** Lines of `backend "http" { … }`. */
  readonly settings: string;
  /** From now on the state is not saved, until `letGo`. */
  hold(): void;
  letGo(): void;
  /** Whether somebody waits for it to be saved. */
  isHeld(): boolean;
  isLocked(): boolean;
  /** Somebody else takes the lock, and gives it back. */
  lock(who: string): void;
  unlock(): void;
}

export async function httpState(): Promise<HttpState> {
  const resumed = Promise.withResolvers<void>();
  let [state, lock, holding, isHeld] = ['', '', false, false];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).map(String).join('');
    if (request.method === 'LOCK' && lock !== '') return response.writeHead(423).end(lock);
    if (request.method === 'LOCK') lock = body;
    if (request.method === 'UNLOCK') lock = '';
    if (request.method === 'POST' && holding) {
      isHeld = true;
      await resumed.promise;
    }
    if (request.method === 'POST') state = body;
    return response.writeHead(request.method === 'GET' && state === '' ? 404 : 200).end(request.method === 'GET' ? state : '');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    resumed.resolve();
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/state`;
  return {
    settings: ['address', 'lock_address', 'unlock_address'].map(name => `    ${name} = "${url}"\n`).join(''),
    hold: () => (holding = true),
    letGo: () => resumed.resolve(),
    isHeld: () => isHeld,
    isLocked: () => lock !== '',
    lock: who => (lock = JSON.stringify({ID: '11111111-2222-3333-4444-555555555555', Operation: 'apply', Who: who, Info: ''})),
    unlock: () => (lock = ''),
  };
}
