/**
 * The wizard's side of a supervised command: start it, look what became of it, read along, interrupt it. Everything goes through
 * the run folder, so any process can do it, at any later time.
 */
import {spawn} from 'node:child_process';
import {chmod, mkdir, open, readFile, type FileHandle} from 'node:fs/promises';
import {join} from 'node:path';
// The one thing of `process` that is needed here is a system call: to send a signal.
import {kill} from 'node:process';
import {setTimeout} from 'node:timers/promises';
import {DeployError} from '../../release/errors.ts';
import type {Environment} from '../exec.ts';
import {LineSplitter} from '../lines.ts';
import {isRunning, type ProcessIdentity} from '../process-identity.ts';
import {isCode} from '../error-code.ts';
import {files, readClaim, readExit, readStarted, writeFirst, writeWhole, type Request} from './run-folder.ts';
import type {Command} from './terraform.ts';

export type Supervised =
  /** It was never started, and may be. */
  | {readonly is: 'absent'}
  /** `pid` is undefined for the moment between the claim and the start. */
  | {readonly is: 'running'; readonly pid: number | undefined}
  /** `error`: why it could not be started. */
  | {readonly is: 'ended'; readonly exitCode: number | null; readonly signal: string | null; readonly error?: string | undefined}
  /** It was started and is gone, and nobody saw how it ended: it or its supervisor was killed by force, or the machine went down. */
  | {readonly is: 'lost'};

export type Ended = Extract<Supervised, {is: 'ended' | 'lost'}>;

export interface StartOptions extends Command {
  /** Private to this one command; made when it is not there. Should be short-lived: what is printed may hold secrets. */
  readonly folder: string;
  /** The Node that runs the supervisor: a real path, which stays there. */
  readonly node: string;
  /** Path of the bundled supervisor.ts. */
  readonly supervisor: string;
}

export interface FollowOptions {
  /** A line as it was printed. May hold secrets. */
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Stops following. The command is not told. */
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  /** Rejects with a StoppedError when the signal is aborted, as a Clock's. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The folder's command runs already, or has run: a plan is applied once. */
export class AlreadyStartedError extends DeployError {
  constructor(folder: string) {
    super(`What ${folder} is for was started before.`, {next: ['Follow it instead of starting it again.']});
  }
}

const startLimitMs = 10_000;
const startPollMs = 20;

/**
 * Starts a command under a supervisor, which goes on when this process dies. Resolves when the supervisor has claimed the folder;
 * rejects when nothing was started and nothing will be.
 */
export async function startSupervised({folder, node, supervisor, file, args, cwd, env}: StartOptions): Promise<void> {
  await mkdir(folder, {recursive: true, mode: 0o700});
  await chmod(folder, 0o700);
  if (readClaim(folder)) throw new AlreadyStartedError(folder);
  const request: Request = {file, args, cwd};
  writeWhole(folder, files.request, request);

  const pid = await startSupervisor(folder, node, supervisor, env);
  // Of two starts at the same time one wins. The other must not believe that it was its own.
  if (readClaim(folder)?.pid !== pid) throw new AlreadyStartedError(folder);
}

/** Its pid, once it (or another one) has claimed the folder. */
async function startSupervisor(folder: string, node: string, supervisor: string, env: Environment): Promise<number | undefined> {
  const log = await open(join(folder, files.log), 'a', 0o600);
  try {
    const child = spawn(node, [supervisor, folder], {cwd: folder, env, detached: true, stdio: ['ignore', log.fd, log.fd]});
    child.unref();
    let end: string | undefined;
    child.once('error', error => (end = error.message));
    child.once('exit', (code, signal) => (end ??= `it ended with ${signal ?? `exit code ${code}`}`));

    for (let waited = 0; !readClaim(folder); waited += startPollMs) {
      if (end !== undefined) throw await notStarted(folder, end);
      if (waited >= startLimitMs && withdraw(folder))
        throw await notStarted(folder, `it did not within ${startLimitMs / 1000} s`);
      await setTimeout(startPollMs);
    }
    return child.pid;
  } finally {
    await log.close();
  }
}

/** Claims the folder in the supervisor's place: should it come late, it finds the claim and ends. False when it came just now. */
function withdraw(folder: string): boolean {
  if (!writeFirst(folder, files.claim, {pid: 0})) return false;
  writeWhole(folder, files.exit, {exitCode: null, signal: null, error: 'The supervisor did not start in time.'});
  return true;
}

async function notStarted(folder: string, reason: string): Promise<DeployError> {
  const said = await readFile(join(folder, files.log), 'utf8').catch(() => '');
  const lines = said.split('\n').filter(line => line.trim() !== '' && !/^\s+at /.test(line));
  return new DeployError([`The supervisor of Terraform could not start: ${reason}.`, ...lines.slice(-10)].join('\n'), {
    means: 'Terraform was not started. Nothing was changed.',
  });
}

/** What became of a folder's command. */
export async function inspectSupervised(folder: string): Promise<Supervised> {
  const claim = readClaim(folder);
  if (!claim) return {is: 'absent'};
  const exit = readExit(folder);
  if (exit) return {is: 'ended', ...exit};
  const started = readStarted(folder);
  if (started && isRunning(started)) return {is: 'running', pid: started.pid};
  // It has ended, and the supervisor is about to say how; or it is about to start.
  if (isRunning(claim)) return {is: 'running', pid: undefined};
  // The supervisor may have said so and ended since we looked.
  const late = readExit(folder);
  return late ? {is: 'ended', ...late} : {is: 'lost'};
}

/** Reads along from the first line, until the command has ended and everything that it printed was handed on. */
export async function follow(folder: string, {onLine, signal, pollMs = 200, sleep}: FollowOptions): Promise<Ended> {
  const tails = [
    new Tail(join(folder, files.stdout), line => onLine(line, 'stdout')),
    new Tail(join(folder, files.stderr), line => onLine(line, 'stderr')),
  ];
  try {
    for (;;) {
      // Looked at first: what is read after the end is complete.
      const state = await inspectSupervised(folder);
      for (const tail of tails) await tail.read();
      if (state.is === 'absent') throw new DeployError(`Nothing was started in ${folder}.`);
      if (state.is !== 'running') {
        for (const tail of tails) tail.end();
        return state;
      }
      await sleep(pollMs, signal);
    }
  } finally {
    await Promise.all(tails.map(tail => tail.close()));
  }
}

/** Reads what was added to a file since the last time. */
class Tail {
  readonly #path: string;
  readonly #lines: LineSplitter;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #file: FileHandle | undefined;
  #position = 0;

  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path;
    this.#lines = new LineSplitter(onLine);
  }

  async read(): Promise<void> {
    this.#file ??= await openIfThere(this.#path);
    if (!this.#file) return;
    for (;;) {
      const {bytesRead} = await this.#file.read(this.#buffer, 0, this.#buffer.length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      this.#lines.push(this.#buffer.subarray(0, bytesRead));
    }
  }

  /** A last line without an end is a line as well. */
  end(): void {
    this.#lines.end();
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path, 'r').catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  });
}

/**
 * Asks Terraform to stop: it stops what it is doing, saves the state and gives the lock back. True when this call has sent the
 * signal. Never sent a second time, by whatever process: Terraform takes two for "exit at once, data may be lost" (facts 1.6).
 */
export async function interruptOnce(folder: string): Promise<boolean> {
  return interrupt(folder, files.interrupted);
}

/**
 * The second interrupt: Terraform exits at once, may lose what it has just made, and leaves the state locked. Only after a first one,
 * and only when somebody has asked for exactly this.
 */
export async function interruptAgain(folder: string): Promise<boolean> {
  return (await wasInterrupted(folder)) && interrupt(folder, files.interruptedAgain);
}

export async function wasInterrupted(folder: string): Promise<boolean> {
  const file = await openIfThere(join(folder, files.interrupted));
  await file?.close();
  return file !== undefined;
}

/** Noted before it is sent: should we die in between, it is missing, and not sent twice. */
async function interrupt(folder: string, note: string): Promise<boolean> {
  const started = await whenStarted(folder);
  if (!started || !isRunning(started) || !writeFirst(folder, note, {pid: started.pid})) return false;
  try {
    kill(started.pid, 'SIGINT');
    return true;
  } catch (error) {
    if (isCode(error, 'ESRCH')) return false;
    throw error;
  }
}

/** The command's process; undefined when it was never started. Waits for a supervisor that is about to start it. */
async function whenStarted(folder: string): Promise<ProcessIdentity | undefined> {
  for (;;) {
    const started = readStarted(folder);
    if (started ?? (await inspectSupervised(folder)).is !== 'running') return started;
    await setTimeout(startPollMs);
  }
}
