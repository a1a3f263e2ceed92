/** The real, built program, started as a person or a CI job starts it, and what it wrote into its records. */
import {readFile, readdir, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {execa} from 'execa';
import {spawn as spawnInTerminal} from '@lydell/node-pty';
import type {ReadRecord, RecordedEvent} from '../../src/record/chain.ts';
import {parseHead} from '../../src/record/file-store.ts';
import type {EventOf, RunEvent} from '../../src/release/events.ts';
import {readChain} from './read-chain.ts';

/** Another copy may be tested, an installed package for instance: the path of its launcher. */
export const launcher = process.env['DW_LAUNCHER'] ?? fileURLToPath(new URL('../../bin/deploy-wizard.js', import.meta.url));

/** Shared by all tests: each has a home of its own, and would compile the program anew. */
export const compiled = {NODE_COMPILE_CACHE: join(tmpdir(), 'dw-test-compiled')} as const;

export type ProgramEnv = Readonly<Record<string, string>>;

export interface ProgramOptions {
  readonly cwd: string;
  /** The complete environment: nothing is inherited, but where compiled code is kept. */
  readonly env: ProgramEnv;
  /** Standard input; without it there is none (`< /dev/null`). */
  readonly input?: string;
}

export interface Ended {
  /** As a shell has it: 128 + the signal's number for a process that a signal ended. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningProgram {
  readonly ended: Promise<Ended>;
  kill(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void;
}

const signalNumbers: Readonly<Record<string, number | undefined>> = {SIGINT: 2, SIGKILL: 9, SIGTERM: 15};

export function startProgram(args: readonly string[], {cwd, env, input}: ProgramOptions): RunningProgram {
  const child = execa(process.execPath, [launcher, ...args], {
    cwd,
    env: {...compiled, ...env},
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(input === undefined ? {stdin: 'ignore'} : {input}),
  });
  const ended = child.then(({exitCode, signal, stdout, stderr}) => ({
    exitCode: exitCode ?? 128 + (signalNumbers[signal ?? ''] ?? 0),
    stdout,
    stderr,
  }));
  return {ended, kill: signal => void child.kill(signal)};
}

export async function runProgram(args: readonly string[], options: ProgramOptions): Promise<Ended> {
  return startProgram(args, options).ended;
}

export interface ProgramInTerminal {
  /** Everything that was printed so far, control sequences included. */
  printed(): string;
  /** Waits until something is printed behind what was waited for before. */
  waitFor(text: string | RegExp): Promise<void>;
  type(keys: string): void;
  readonly exitCode: Promise<number>;
}

/** On a pseudo-terminal of 100 × 30. */
export function startInTerminal(args: readonly string[], {cwd, env}: Omit<ProgramOptions, 'input'>): ProgramInTerminal {
  const terminal = spawnInTerminal(process.execPath, [launcher, ...args], {
    name: 'xterm-256color',
    cols: 100,
    rows: 30,
    cwd,
    env: {...compiled, ...env, TERM: 'xterm-256color'},
  });
  let printed = '';
  let waitedFor = 0;
  terminal.onData(data => (printed += data));
  const {promise, resolve} = Promise.withResolvers<number>();
  let ended = false;
  terminal.onExit(({exitCode, signal}) => {
    ended = true;
    resolve(signal ? 128 + signal : exitCode);
  });
  return {
    printed: () => printed,
    waitFor: async text => {
      const pattern = typeof text === 'string' ? new RegExp(escapeRegExp(text)) : text;
      await until(
        () => {
          const found = pattern.exec(printed.slice(waitedFor));
          if (found) waitedFor += found.index + found[0].length;
          if (!found && ended) throw new Error(`The program ended before it printed ${String(text)}:\n${printed}`);
          return found !== null;
        },
        `${String(text)} on the terminal, which shows:\n${printed}`,
      );
    },
    type: keys => terminal.write(keys),
    exitCode: promise,
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

/** Waits until it holds; looks every few milliseconds, for a minute. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, limitMs = 60_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > limit) throw new Error(`Waited in vain for ${what}`);
    await new Promise(resolve => setTimeout(resolve, 3));
  }
}

// ── records ──────────────────────────────────────────────────────────────────────────────────────────

export interface RunRecord extends ReadRecord {
  readonly folder: string;
  readonly run: string;
}

/** The records of one environment. `root` is where the store keeps them: `$XDG_STATE_HOME/deploy-wizard/<application>`. */
export interface Records {
  readonly root: string;
  readonly environment: string;
}

/** Names of the runs, oldest first. */
export async function runs({root, environment}: Records): Promise<readonly string[]> {
  const entries = await readdir(join(root, environment), {withFileTypes: true}).catch(() => []);
  const folders = entries.filter(entry => entry.isDirectory());
  return folders.map(({name}) => name).sort();
}

/** The arguments of a command that the summary recommends under a label. */
export function commandIn(summary: string, label: string): readonly string[] {
  const command = new RegExp(`^${label} +deploy-wizard (.*)$`, 'm').exec(summary)?.[1];
  if (command === undefined) throw new Error(`The summary recommends no command as ${label}:\n${summary}`);
  return command.split(' ');
}

/** The newest record, as far as it is written; undefined while there is none. */
export async function newestRecord(records: Records): Promise<RunRecord | undefined> {
  const run = (await runs(records)).at(-1);
  if (run === undefined) return undefined;
  const folder = join(records.root, records.environment, run);
  // The head first: of a record that is being written it is behind then, and never ahead.
  const written = await readFile(join(folder, 'head.json'), 'utf8').catch(() => undefined);
  const bytes = await readFile(join(folder, 'record.ndjson')).catch(() => undefined);
  if (bytes === undefined) return undefined;
  return {folder, run, ...readChain(bytes, written === undefined ? undefined : parseHead(written))};
}

/** The newest record, which must be there and intact. */
export async function theRecord(records: Records): Promise<RunRecord> {
  const record = await newestRecord(records);
  if (record === undefined) throw new Error(`There is no record in ${records.root}.`);
  if (record.problems.length > 0) throw new Error(`The record is not intact: ${record.problems.join('; ')}`);
  return record;
}

/** The events of one type, in order. */
export function eventsOf<T extends RunEvent['type']>(record: ReadRecord, type: T): readonly (RecordedEvent & EventOf<T>)[] {
  return record.events.filter((event): event is RecordedEvent & EventOf<T> => event.type === type);
}

/** The request of a step's newest intent. */
export function requestOf(record: ReadRecord, step: string): unknown {
  const intent = eventsOf(record, 'intent').findLast(event => event.step === step && event.undo !== true);
  if (intent === undefined) throw new Error(`The record has no intent of ${step}.`);
  return intent.request;
}

/** Resolves as soon as the newest record holds such an event: polled, a few milliseconds late. */
export async function untilRecorded(records: Records, what: string, fits: (event: RecordedEvent) => boolean): Promise<void> {
  // Only what has grown is read again.
  let read = '';
  await until(async () => {
    const size = await newestSize(records);
    if (size === read) return false;
    const record = await newestRecord(records).catch(() => undefined);
    if (record !== undefined) read = size;
    return record?.events.some(fits) ?? false;
  }, `${what} in the record`);
}

/** Which record is the newest, and how long it is. */
async function newestSize(records: Records): Promise<string> {
  const run = (await runs(records)).at(-1) ?? '';
  const found = await stat(join(records.root, records.environment, run, 'record.ndjson')).catch(() => undefined);
  return `${run} ${found?.size}`;
}
