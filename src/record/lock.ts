/**
 * One run at a time in an environment: a file that names the process which has it. A process that is gone
 * has lost it. The file appears whole or not at all (link), so that no half-written owner is ever read.
 */
import {copyFile, link, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {setTimeout} from 'node:timers/promises';
import path from 'node:path';
import {randomUUID} from 'node:crypto';
import {z} from 'zod';
import {DeployError, exitCodes} from '../release/errors.ts';
import {noRecord} from './file-store.ts';
import {isCode} from '../tools/error-code.ts';
import {identify, isRunning} from '../tools/process-identity.ts';

const owner = z.object({
  user: z.string(),
  host: z.string(),
  pid: z.number(),
  startTime: z.string().optional(),
  /** What it is for: a version, a run. */
  work: z.string(),
  since: z.string(),
});
export type Owner = z.infer<typeof owner>;

/** Somebody else is at work in the environment. */
export class EnvironmentLockedError extends DeployError {
  override readonly exitCode = exitCodes.locked;
}

const lockFile = 'lock.json';
/** Several processes that find the same dead owner take turns: so often, with so long between, in milliseconds. */
const attempts = 50;
const pauseMs = 20;

/**
 * Takes the environment's lock; resolves with how to give it back. Throws EnvironmentLockedError naming who has it, and a
 * DeployError where nothing can be written.
 */
export async function lockEnvironment(
  folder: string,
  who: {readonly user: string; readonly host: string; readonly pid: number; readonly work: string; readonly since: string},
): Promise<() => Promise<void>> {
  const file = path.join(folder, lockFile);
  const mine = JSON.stringify({...who, ...identify(who.pid)} satisfies Owner);
  const draft = path.join(folder, `.lock-${randomUUID()}`);
  try {
    await mkdir(folder, {recursive: true, mode: 0o700});
    await writeFile(draft, mine, {mode: 0o600});
  } catch (error) {
    throw noRecord(folder, error);
  }
  const release = async () => {
    // Only what is still ours: an owner that was taken for dead must not free its successor.
    if ((await read(file)) === mine) await rm(file, {force: true});
  };
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await link(draft, file);
        return release;
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
      const found = await read(file);
      if (found === undefined) continue;
      if (!isDead(found, who.host)) throw locked(found, file);
      if (await takeOver(file, found, draft)) return release;
      if (attempt === attempts) throw locked(found, file);
      await setTimeout(pauseMs);
    }
  } finally {
    await rm(draft, {force: true});
  }
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}

/** Whether the owner is a process of this machine that is gone. Of another machine nobody here can tell. */
function isDead(text: string, host: string): boolean {
  const parsed = parse(text);
  return parsed !== undefined && parsed.host === host && !isRunning(parsed);
}

function parse(text: string): Owner | undefined {
  try {
    return owner.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Puts our draft in the place of a dead owner; false when another process is at it, or was. One at a time may
 * try, and the place is never empty meanwhile: nobody who comes fresh can slip in.
 */
async function takeOver(file: string, dead: string, draft: string): Promise<boolean> {
  const turn = `${file}.takeover`;
  try {
    await link(draft, turn);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    const other = await read(turn);
    // Whoever had the turn died while it did: the next attempt may have it.
    if (other !== undefined && isDead(other, parse(dead)?.host ?? '')) await rm(turn, {force: true});
    return false;
  }
  try {
    if ((await read(file)) !== dead) return false;
    // Onto itself a link is not renamed: a copy of the draft takes the place.
    const copy = `${draft}-copy`;
    await copyFile(draft, copy);
    await rename(copy, file);
    return true;
  } finally {
    await rm(turn, {force: true});
  }
}

function locked(text: string, file: string): EnvironmentLockedError {
  const found = parse(text);
  const who =
    found === undefined
      ? 'somebody'
      : `${found.user} on ${found.host} (process ${found.pid}) since ${found.since}, for ${found.work}`;
  return new EnvironmentLockedError(`the environment is locked by ${who}`, {
    means: 'Nothing was started.',
    next: ['Wait for it to end.', `If that process is gone for good, on another machine: remove ${file}`],
  });
}
