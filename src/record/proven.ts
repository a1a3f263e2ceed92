/**
 * Records whose lines were found to be events before, by the hash of their bytes: what a record says is checked once, and not by every
 * `status`. That nobody changed it is checked every time.
 */
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {sha256} from '../release/hash.ts';

export interface Proven {
  has(bytes: Buffer): Promise<boolean>;
  add(bytes: Buffer): Promise<void>;
}

/** As many as `status` looks back over, in many applications. */
const most = 5000;

/** `file`: of this user alone, and free to be deleted at any time. `reader`: what checks them; another one may ask more of an event. */
export function provenIn(file: string, reader: string): Proven {
  const keyOf = (bytes: Buffer) => sha256(`${reader}\n${sha256(bytes)}`);
  let known: Promise<Set<string>> | undefined;
  const load = () =>
    (known ??= readFile(file, 'utf8').then(
      text => new Set(text.split('\n').filter(line => line !== '')),
      () => new Set<string>(),
    ));
  return {
    has: async bytes => (await load()).has(keyOf(bytes)),
    add: async bytes => {
      const all = await load();
      all.add(keyOf(bytes));
      const draft = `${file}.${crypto.randomUUID()}`;
      try {
        await mkdir(path.dirname(file), {recursive: true, mode: 0o700});
        await writeFile(draft, [...all].slice(-most).join('\n'), {mode: 0o600, flag: 'wx'});
        await rename(draft, file);
      } catch {
        // Then it is checked again the next time.
      }
    },
  };
}
