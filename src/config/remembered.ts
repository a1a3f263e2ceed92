/**
 * Config files that were checked before. Reading YAML and checking it takes longer than all that `status` does besides, so what came
 * of it is kept, by the file's path, with a hash of its bytes and of this program: another file, or another program, checks anew.
 */
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {sha256} from '../release/hash.ts';
import type {LoadedConfig, loadConfig} from './load.ts';

/** As `loadConfig`; throws what that throws. `folder`: of this user alone, and free to be deleted at any time. */
export async function loadRemembered(file: string, env: Parameters<typeof loadConfig>[1], folder: string): Promise<LoadedConfig> {
  const absolute = path.resolve(file);
  const text = await readFile(absolute, 'utf8').catch(() => undefined);
  // What cannot be read has an error of its own.
  if (text === undefined) return (await import('./load.ts')).loadConfig(absolute, env);
  const place = path.join(folder, `${sha256(absolute)}.json`);
  // The name of a bundled file holds a hash of all that it uses: the schema too.
  const key = sha256(`${import.meta.filename}\n${text}`);
  const known = await remembered(place, key);
  if (known !== undefined) return known;

  const loaded = (await import('./load.ts')).parseConfig(text, absolute, env);
  await remember(place, JSON.stringify({key, loaded}));
  return loaded;
}

interface Remembered {
  readonly key: string;
  readonly loaded: LoadedConfig;
}

async function remembered(place: string, key: string): Promise<LoadedConfig | undefined> {
  try {
    // What `remember` wrote, in a folder that nobody else writes to; it is told by its key.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const kept = JSON.parse(await readFile(place, 'utf8')) as Partial<Remembered>;
    return kept.key === key ? kept.loaded : undefined;
  } catch {
    return undefined;
  }
}

/** Where it cannot be kept it is checked again the next time. */
async function remember(place: string, text: string): Promise<void> {
  const whole = `${place}.${crypto.randomUUID()}`;
  try {
    await mkdir(path.dirname(place), {recursive: true, mode: 0o700});
    await writeFile(whole, text, {mode: 0o600, flag: 'wx'});
    await rename(whole, place);
  } catch {}
}
