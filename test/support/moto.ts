/** moto, from Python: what AWS answers in the eyes of somebody else. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';

/** The program. */
export const moto = 'moto_server';

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts one on a port of its own choice, which it says when it listens. */
export async function startMoto(): Promise<Moto> {
  const server = spawn(moto, ['-H', '127.0.0.1', '-p', '0'], {stdio: ['ignore', 'pipe', 'pipe'], detached: true});
  const stop = () => end(server);
  let said = '';
  for await (const chunk of server.stderr.setEncoding('utf8')) {
    said += String(chunk);
    const url = /Running on (http:\S+)/.exec(said)?.[1];
    if (url !== undefined) return {url, stop};
  }
  throw new Error(`moto_server ended before it listened: ${said}`);
}

/** The whole group: what is on the PATH may be a wrapper around moto. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return;
  const ended = once(server, 'exit');
  process.kill(-server.pid, 'SIGTERM');
  await ended;
}
