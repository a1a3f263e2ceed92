import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {onTestFinished} from 'vitest';

/** The program, from Python. */
export const MOTO = 'moto_server';

/** moto on a port of its own choice, which it says when it listens; gone when the test is over. */
export async function startMoto(): Promise<string> {
  const server = spawn(MOTO, ['-H', '127.0.0.1', '-p', '0'], {stdio: ['ignore', 'pipe', 'pipe'], detached: true});
  onTestFinished(() => stop(server));
  let said = '';
  for await (const chunk of server.stderr.setEncoding('utf8')) {
    said += String(chunk);
    const url = /Running on (http:\S+)/.exec(said)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`moto_server ended before it listened: ${said}`);
}

/** The whole group: what is on the PATH may be a wrapper around moto. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return;
  const ended = once(server, 'exit');
  process.kill(-server.pid, 'SIGTERM');
  await ended;
}
