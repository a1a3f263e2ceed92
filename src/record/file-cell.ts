/**
 * A cell in a folder: `lock.<number>.json`, of which the one with the highest number counts. Putting another text there makes
 * the next number, which only one process can (link); what is there is never written over and never taken away, so that a
 * process that was suspended between reading and writing comes too late instead of overwriting what others have done since.
 */
import {link, mkdir, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {randomUUID} from 'node:crypto';
import path from 'node:path';
import {isCode} from '../tools/error-code.ts';
import {noRecord} from './errors.ts';
import type {Cell} from './medium.ts';

const named = /^lock\.(\d{8})\.json$/;
const nameOf = (number: number) => `lock.${String(number).padStart(8, '0')}.json`;
/** Superseded ones that stay: a reader that is listing the folder meanwhile still meets one. */
const kept = 2;
/** How often a reader looks again, when what it found was superseded before it was read. */
const looks = 20;

export function fileCell(folder: string): Cell {
  const numbers = async (): Promise<readonly number[]> => {
    const names = await readdir(folder).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return [];
      throw noRecord(folder, error);
    });
    const found = names.flatMap(name => named.exec(name)?.[1] ?? []);
    return found.map(Number).sort((a, b) => a - b);
  };

  return {
    place: folder,
    local: true,
    read: async () => {
      for (let look = 1; ; look++) {
        const newest = (await numbers()).at(-1);
        if (newest === undefined) return undefined;
        const file = path.join(folder, nameOf(newest));
        try {
          const text = await readFile(file, 'utf8');
          const {mtimeMs} = await stat(file);
          return {text, version: String(newest), age: async () => (await now(folder)) - mtimeMs};
        } catch (error) {
          if (!isCode(error, 'ENOENT') || look === looks) throw noRecord(folder, error);
        }
      }
    },
    swap: async (text, was) => {
      const next = was === undefined ? 1 : Number(was) + 1;
      const mine = path.join(folder, nameOf(next));
      try {
        await mkdir(folder, {recursive: true, mode: 0o700});
        if (!(await makeWhole(folder, mine, text))) return undefined;
        const all = await numbers();
        if (all.at(-1) !== next) {
          // Its number was free because it had been superseded and taken away: whoever came since has it.
          await rm(mine, {force: true});
          return undefined;
        }
        const old = all.filter(number => number < next - kept);
        for (const number of old) await rm(path.join(folder, nameOf(number)), {force: true});
        return String(next);
      } catch (error) {
        throw noRecord(folder, error);
      }
    },
  };
}

/** A file that appears whole or not at all, and only where there is none: no half-written text is ever read. */
async function makeWhole(folder: string, file: string, text: string): Promise<boolean> {
  return withDraft(folder, text, async draft => {
    try {
      await link(draft, file);
      return true;
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw error;
    }
  });
}

/** The time by the clock that dates the files of this folder: on a network file system another machine's. */
async function now(folder: string): Promise<number> {
  return withDraft(folder, '', async draft => (await stat(draft)).mtimeMs);
}

async function withDraft<T>(folder: string, text: string, work: (draft: string) => Promise<T>): Promise<T> {
  const draft = path.join(folder, `.lock-${randomUUID()}`);
  try {
    await writeFile(draft, text, {mode: 0o600});
    return await work(draft);
  } finally {
    await rm(draft, {force: true});
  }
}
