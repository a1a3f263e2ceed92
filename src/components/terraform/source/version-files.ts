/** The files that state a component's version, as the config names them, and the lock files that repeat it. */
import {access, realpath} from 'node:fs/promises';
import path from 'node:path';
import {DeployError} from '../../../release/errors.ts';
import {readText} from '../../../tools/files.ts';
import type {Io} from '../../io.ts';
import {type VersionFile, findVersion} from '../../version-file.ts';
import type {Source} from '../config.ts';

export interface VersionFilePlace {
  /** Absolute. */
  readonly path: string;
  /** As the config has it, for people. */
  readonly name: string;
  /** Where in the file, as `VersionFile` has it. */
  readonly patterns: readonly (string | undefined)[];
  /** A lock file: it follows, whatever it says now. */
  readonly follows: boolean;
}

/** A version file as it is now. */
export interface VersionFileNow extends VersionFilePlace, Required<VersionFile> {
  /** What it states. */
  readonly version: string;
  /** Of its bytes. */
  readonly sha256: string;
}

/** Lock files that npm writes beside a package.json, with its version in them. */
const lockFiles = ['package-lock.json', 'npm-shrinkwrap.json'];

/** Every file once, in the order of the config, each package.json followed by its lock. */
export async function versionFilePlaces({version}: Source, io: Pick<Io, 'folder'>): Promise<readonly VersionFilePlace[]> {
  const places = new Map<string, VersionFilePlace>();
  for (const stated of [version].flat()) {
    const {file: name, pattern} = typeof stated === 'string' ? {file: stated, pattern: undefined} : stated;
    const file = path.resolve(io.folder, name);
    // Under whatever name: two edits of one file would each undo the other.
    const key = await realpath(file).catch(() => file);
    const known = places.get(key);
    if (known?.patterns.includes(pattern)) continue;
    places.set(key, {path: file, name, follows: false, ...known, patterns: [...(known?.patterns ?? []), pattern]});
  }
  for (const {path: file, name, patterns} of places.values()) {
    if (path.basename(file) !== 'package.json' || !patterns.includes(undefined)) continue;
    for (const lock of lockFiles) {
      const beside = path.join(path.dirname(file), lock);
      const key = await realpath(beside).catch(() => undefined);
      if (key === undefined || places.has(key)) continue;
      places.set(key, {path: beside, name: path.join(path.dirname(name), lock), patterns: [undefined], follows: true});
    }
  }
  return [...places.values()];
}

/** Reads them all. Throws where one cannot be read, states no version, or another than the first (a lock file may). */
export async function readVersionFiles(source: Source, io: Pick<Io, 'folder'>): Promise<readonly VersionFileNow[]> {
  const files = await Promise.all((await versionFilePlaces(source, io)).map(readVersionFile));
  const [first] = files;
  const other = files.find(({version, follows}) => !follows && version !== first?.version);
  if (first === undefined || other === undefined) return files;
  throw new DeployError(`${other.name} says ${other.version}, and ${first.name} says ${first.version}`, {
    means: 'No file was changed.',
    next: ['Make them agree first.'],
    final: true,
  });
}

async function readVersionFile(place: VersionFilePlace): Promise<VersionFileNow> {
  const {text, sha256} = await readText(place.path);
  return {...place, text, sha256, version: findVersion({path: place.path, text, patterns: place.patterns}).version};
}

/** What the first of them states: what a release goes by. Throws where it cannot be read. */
export async function statedVersion(source: Source, io: Pick<Io, 'folder'>): Promise<string | undefined> {
  const [first] = await versionFilePlaces(source, io);
  return first && (await readVersionFile(first)).version;
}

/** The config's names for them, for people: `package.json, VERSION`. */
export function versionFileNames(source: Source): string {
  return namesOf(source).join(', ');
}

/** Each once, relative to the config file. */
export function namesOf({version}: Source): readonly string[] {
  return [...new Set([version].flat().map(stated => (typeof stated === 'string' ? stated : stated.file)))];
}

export async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
