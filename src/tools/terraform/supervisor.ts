/**
 * `node supervisor.mjs <run folder>`: runs one command and outlives the wizard that started it (facts/terraform.md 1.6).
 *
 * Terraform dies of SIGPIPE when the reader of its output does, and of SIGHUP when the connection drops, and then loses what it has
 * just made. So its output goes to files, it runs in a session of its own, and somebody must wait for its exit code: this process,
 * which does nothing else. It never ends Terraform and never passes a signal on; who wants it to stop sends the signal to it.
 *
 * What it is asked and what it tells: run-folder.ts. The environment is its own, handed on as it is.
 */
import {spawn, type ChildProcess} from 'node:child_process';
import {closeSync, fsyncSync, openSync} from 'node:fs';
import {join} from 'node:path';
import {identify} from '../process-identity.ts';
import {files, readRequest, writeFirst, writeWhole, type Exit, type Request, type Started} from './run-folder.ts';

/** The folder was claimed by another supervisor (EX_CANTCREAT of sysexits.h). */
const alreadyClaimed = 73;

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: supervisor <run folder>\n');
  process.exit(64);
}

// Whoever ends this process first only loses the exit code: the command is not told, and goes on.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT'] as const) process.on(signal, () => undefined);

if (!writeFirst(folder, files.claim, identify(process.pid))) process.exit(alreadyClaimed);

const exit = await supervise(folder).catch((error: unknown): Exit => ({exitCode: null, signal: null, error: String(error)}));
writeWhole(folder, files.exit, exit);

/** Runs what is requested, to its end. */
async function supervise(folder: string): Promise<Exit> {
  const request = readRequest(folder);
  if (!request) throw new Error(`There is no ${files.request}.`);
  const outputs = [files.stdout, files.stderr].map(name => openSync(join(folder, name), 'ax', 0o600));
  try {
    return await run(folder, request, outputs);
  } finally {
    for (const output of outputs) {
      // The exit code must not outlive what was printed before it.
      fsyncSync(output);
      closeSync(output);
    }
  }
}

async function run(folder: string, {file, args, cwd}: Request, outputs: readonly number[]): Promise<Exit> {
  // `detached`: a session of its own, which no terminal can signal. Handlers, as above, are not inherited: SIGINT still stops it.
  const child = spawn(file, args, {cwd, env: process.env, detached: true, stdio: ['ignore', ...outputs]});
  const ended = endOf(child);
  if (child.pid !== undefined) {
    const started: Started = {...identify(child.pid), startedAt: new Date().toISOString()};
    writeWhole(folder, files.pid, started);
  }
  return ended;
}

async function endOf(child: ChildProcess): Promise<Exit> {
  const {promise, resolve, reject} = Promise.withResolvers<Exit>();
  child.once('error', reject);
  child.once('exit', (exitCode, signal) => resolve({exitCode, signal}));
  return promise;
}
