/**
 * Processes: the one place that starts them. Arguments are an array, there is never a shell, and a child sees only the
 * environment that it is given.
 *
 * Children run in a process group of their own: a Ctrl-C at the terminal reaches the wizard, which decides, and not the children
 * behind its back. Stopping one signals its whole group (a git hook, a docker plug-in) once and waits; nothing is ever killed by
 * force. A child is asked to end when the wizard exits; what must outlive it needs a supervisor.
 */
import {access} from 'node:fs/promises';
import {constants, type SignalConstants} from 'node:os';
import {execa} from 'execa';
import {DeployError, StoppedError} from '../release/errors.ts';
import {LineSplitter} from './lines.ts';

/** A complete environment. Variables that are undefined are not there. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface ExecOptions {
  /** The wizard's own working directory unless told. */
  readonly cwd?: string;
  /** The complete environment of the child: nothing is inherited. PATH is searched for the program. */
  readonly env: Environment;
  /** Standard input, for secrets too. Without it the child reads an empty one. */
  readonly input?: string;
  /** Every line of output as it comes, without its end (`\n` or `\r`). Must not throw. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Asks the child to stop, with `stopSignal`. */
  readonly signal?: AbortSignal;
  /** SIGTERM unless told. */
  readonly stopSignal?: 'SIGINT' | 'SIGTERM';
  /** The child is asked to stop after so many milliseconds. For ever unless told. */
  readonly timeoutMs?: number;
  /** At most so many bytes of stdout, and of stderr, are in the result: the last ones. 10 MiB unless told; 0 keeps none. */
  readonly maxBuffer?: number;
}

export interface ExecResult {
  /** As a shell has it: 128 + the signal's number for a child that a signal ended. */
  readonly exitCode: number;
  /** As printed, with its final line feed. UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
  /** More was printed than `maxBuffer`: the start is missing. */
  readonly truncated?: true;
}

const defaultMaxBuffer = 10 * 1024 * 1024;
const linesInError = 10;

/** A command that ended with something else than 0. Its arguments and the end of its output are shown: secrets go through `input`. */
export class CommandError extends DeployError {
  static override readonly usual = 'DW121';
  readonly command: readonly string[];
  readonly result: ExecResult;
  /** The end of what it said: of stderr if there was anything, else of stdout. */
  readonly lastLines: readonly string[];

  /** `lastLines` are taken from the result unless given. */
  constructor(file: string, args: readonly string[], result: ExecResult, lastLines: readonly string[] = lastLinesOf(result)) {
    super([`\`${showCommand([file, ...args])}\` ended with exit code ${result.exitCode}.`, ...lastLines].join('\n'));
    this.command = [file, ...args];
    this.result = result;
    this.lastLines = lastLines;
  }
}

/** A command that did not end within its time, and was asked to stop. */
export class TimeoutError extends DeployError {
  static override readonly usual = 'DW122';
}

/** A program that is not on this machine. */
export class MissingToolError extends DeployError {
  static override readonly usual = 'DW120';
  readonly tool: string;

  constructor(tool: string, cause?: unknown) {
    super(`${tool} is not installed, or not in a folder of PATH.`, {cause, next: [installHints[tool] ?? `Install ${tool}.`]});
    this.tool = tool;
  }
}

const installHints: Readonly<Record<string, string>> = {
  docker: 'Install Docker: https://docs.docker.com/engine/install/',
  git: 'Install git: https://git-scm.com/downloads',
  terraform: 'Install Terraform: https://developer.hashicorp.com/terraform/install',
};

/**
 * Runs a program to its end. Any exit code is a result. When it settles, the child has ended.
 * Throws MissingToolError, StoppedError (asked through `signal`), TimeoutError, or DeployError (it could not be started).
 */
export async function exec(file: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const {cwd, env, input, onLine, signal, stopSignal = 'SIGTERM', timeoutMs = 0, maxBuffer = defaultMaxBuffer} = options;
  if (signal?.aborted) throw new StoppedError(`\`${showCommand([file, ...args])}\` was not started: a stop was asked for.`);

  const child = execa(file, args, {
    ...(cwd !== undefined && {cwd}),
    env: defined(env),
    extendEnv: false,
    ...(input === undefined ? {stdin: 'ignore' as const} : {input}),
    buffer: false,
    reject: false,
    ...(signal && {cancelSignal: signal}),
    timeout: timeoutMs,
    killSignal: stopSignal,
    killDescendants: true,
    forceKillAfterDelay: false,
  });
  const stdout = new Output(maxBuffer, onLine && (line => onLine(line, 'stdout')));
  const stderr = new Output(maxBuffer, onLine && (line => onLine(line, 'stderr')));
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));

  const ended = await child;
  stdout.end();
  stderr.end();
  const exitCode = await exitCodeOf(ended, file, args, options);
  return {
    exitCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    ...((stdout.truncated || stderr.truncated) && {truncated: true}),
  };
}

/** As `exec`, and throws CommandError for any exit code but 0. */
export async function execOk(file: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
  // Kept aside: the result may hold nothing (`maxBuffer: 0`).
  const said = {stdout: [] as string[], stderr: [] as string[]};
  const result = await exec(file, args, {
    ...options,
    onLine(line, stream) {
      if (line.trim() !== '') said[stream].push(line.trimEnd());
      if (said[stream].length > linesInError) said[stream].shift();
      options.onLine?.(line, stream);
    },
  });
  if (result.exitCode === 0) return result;
  throw new CommandError(file, args, result, said.stderr.length > 0 ? said.stderr : said.stdout);
}

/** A command as somebody could type it, on one line. What is long (a build argument) is left out, but for its name. */
export function showCommand(command: readonly string[]): string {
  return command.map(showArgument).join(' ');
}

const longestArgument = 200;

function showArgument(argument: string): string {
  const oneLine = argument.replaceAll(/\s+/g, ' ');
  // Not its beginning: nobody could tell that half a secret is one.
  const short = oneLine.length > longestArgument ? `${/^(?:--?[\w-]+=)?(?:[a-z_]\w{0,60}=)?/i.exec(oneLine)?.[0]}…` : oneLine;
  return /^[\w@%+=:,./~{}^-]+$/.test(short) ? short : `'${short.replaceAll("'", String.raw`'\''`)}'`;
}

/** What is read of execa's result. */
interface Ended {
  readonly isCanceled: boolean;
  readonly timedOut: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: keyof SignalConstants | undefined;
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
  readonly cause?: unknown;
}

async function exitCodeOf(ended: Ended, file: string, args: readonly string[], {cwd, timeoutMs}: ExecOptions): Promise<number> {
  const command = showCommand([file, ...args]);
  if (ended.isCanceled) throw new StoppedError(`\`${command}\` was stopped.`);
  if (ended.timedOut) throw new TimeoutError(`\`${command}\` did not end within ${(timeoutMs ?? 0) / 1000} s, and was stopped.`);
  if (ended.exitCode !== undefined) return ended.exitCode;
  if (ended.signal !== undefined) return 128 + constants.signals[ended.signal];

  // ENOENT does not say whether the program is missing or the folder to run it in.
  if (cwd !== undefined && !(await isThere(cwd))) {
    throw new DeployError(`\`${command}\` cannot run in ${cwd}: there is no such folder.`, {cause: ended.cause});
  }
  if (ended.code === 'ENOENT') throw new MissingToolError(file, ended.cause);
  throw new DeployError(`\`${command}\` could not be started: ${ended.originalMessage ?? 'unknown reason'}`, {
    cause: ended.cause,
  });
}

/** One of a child's two outputs: cut into lines as it comes, and its end kept. */
class Output {
  truncated = false;
  readonly #splitter: LineSplitter | undefined;
  readonly #max: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(max: number, onLine: ((line: string) => void) | undefined) {
    this.#max = max;
    this.#splitter = onLine && new LineSplitter(onLine);
  }

  push(chunk: Buffer): void {
    this.#splitter?.push(chunk);
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size > this.#max) {
      const [oldest] = this.#chunks;
      if (oldest === undefined) return;
      const excess = this.#size - this.#max;
      if (oldest.length <= excess) this.#chunks.shift();
      else this.#chunks[0] = oldest.subarray(excess);
      this.#size -= Math.min(oldest.length, excess);
      this.truncated = true;
    }
  }

  end(): void {
    this.#splitter?.end();
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

function lastLinesOf({stdout, stderr}: ExecResult): string[] {
  const text = stderr.trim() === '' ? stdout : stderr;
  const lines = text.split(/[\r\n]+/).map(line => line.trimEnd());
  return lines.filter(line => line !== '').slice(-linesInError);
}

function defined(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
