/** A program that has the terminal to itself while it runs. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import type {Environment} from './exec.ts';

/**
 * Runs a program on this process' own terminal and waits for it. A Ctrl-C reaches both (one foreground
 * group): whoever calls this has to leave it to the program. Returns its exit code, 128 + the number of a signal.
 */
export async function runInTerminal(
  file: string,
  args: readonly string[],
  options: {readonly cwd: string; readonly env: Environment},
): Promise<number> {
  const child = spawn(file, [...args], {cwd: options.cwd, env: {...options.env}, stdio: 'inherit'});
  const [code, signal]: readonly unknown[] = await once(child, 'exit');
  if (typeof code === 'number') return code;
  return signal === 'SIGINT' ? 130 : 143;
}
