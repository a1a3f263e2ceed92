/**
 * The folder (0700) through which a supervisor and the wizard speak to each other, over the death of either. Every file is written
 * once, whole or not at all, but for the two outputs. Depends on nothing but Node, for the supervisor.
 */
import {closeSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {isCode} from '../error-code.ts';
import type {ProcessIdentity} from '../process-identity.ts';

export const files = {
  /** Request: what to run. Written by the wizard. */
  request: 'request.json',
  /** ProcessIdentity of the supervisor. Who writes it runs the command; nobody else ever does. */
  claim: 'claim',
  /** Started: the command's process. */
  pid: 'pid.json',
  stdout: 'out.jsonl',
  stderr: 'err.log',
  /** Exit: how it ended. */
  exit: 'exit.json',
  /** What the supervisor itself had to say, which is nothing when all is well. */
  log: 'supervisor.log',
  /** It was asked to stop. Written before the signal is sent, so that it is never sent twice. */
  interrupted: 'interrupted',
  interruptedAgain: 'interrupted-again',
} as const;

/** The environment is not in it: it may hold credentials. It is handed down from process to process. */
export interface Request {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

export interface Started extends ProcessIdentity {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it was never started. */
  readonly error?: string | undefined;
}

// Undefined when there is none. What is there is whole, and ours: its shape is taken as it is.

export function readRequest(folder: string): Request | undefined {
  const request: Request | null = JSON.parse(textOf(folder, files.request));
  return request ?? undefined;
}

export function readClaim(folder: string): ProcessIdentity | undefined {
  const claim: ProcessIdentity | null = JSON.parse(textOf(folder, files.claim));
  return claim ?? undefined;
}

export function readStarted(folder: string): Started | undefined {
  const started: Started | null = JSON.parse(textOf(folder, files.pid));
  return started ?? undefined;
}

export function readExit(folder: string): Exit | undefined {
  const exit: Exit | null = JSON.parse(textOf(folder, files.exit));
  return exit ?? undefined;
}

/** The JSON text; `null` when there is no such file. */
function textOf(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return 'null';
    throw error;
  }
}

/** Replaces a file, so that even after a power failure there is the old one or the new one. */
export function writeWhole(folder: string, name: string, value: unknown): void {
  const temporary = writeTemporary(folder, name, value);
  renameSync(temporary, join(folder, name));
  syncFolder(folder);
}

/** Makes a file with its content in one step. False when it is there already: of many who try, one wins. */
export function writeFirst(folder: string, name: string, value: unknown): boolean {
  const temporary = writeTemporary(folder, name, value);
  try {
    linkSync(temporary, join(folder, name));
    syncFolder(folder);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(temporary, {force: true});
  }
}

let temporaries = 0;

function writeTemporary(folder: string, name: string, value: unknown): string {
  const path = join(folder, `.${name}.${uniqueHere}.${temporaries++}`);
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, `${JSON.stringify(value)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return path;
}

/** Two processes may write to one folder at the same time. */
const uniqueHere = crypto.randomUUID();

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
