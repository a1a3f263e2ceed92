/** The bump: every version file at once, all or none. */
import * as z from 'zod';
import {type Step, step} from '../../../release/contract.ts';
import {DeployError} from '../../../release/errors.ts';
import {sha256} from '../../../release/hash.ts';
import {type Edit, applyEdit, readText, revertEdit} from '../../../tools/files.ts';
import type {Io} from '../../io.ts';
import {editVersion, findVersion, restoreVersion} from '../../version-file.ts';
import type {Source} from '../config.ts';
import {type VersionFileNow, readVersionFiles, versionFileNames} from './version-files.ts';

const edited = z.object({
  path: z.string(),
  /** Null: what the file's name says. */
  patterns: z.array(z.string().nullable()),
  before: z.string(),
  after: z.string(),
  /** What stood in the version's places before. */
  was: z.array(z.string()),
});
type Edited = z.infer<typeof edited>;

const bumpRequest = z.object({from: z.string(), to: z.string(), files: z.array(edited).min(1)});

export function bumpStep(id: string, source: Source, version: string): Step<Io> {
  const names = versionFileNames(source);
  return step({
    id,
    phase: 'bump',
    title: `set the version in ${names} to ${version}`,
    requestSchema: bumpRequest,
    resultSchema: z.object({from: z.string(), to: z.string()}),
    request: async (io: Io) => {
      const files = await readVersionFiles(source, io);
      return {from: files[0]?.version ?? version, to: version, files: files.map(file => editOf(file, version))};
    },
    perform: async (_io, {files, from, to}) => {
      await applyAll(files, to);
      return {from, to};
    },
    settle: async (_io, {files, from, to}) => {
      const found = await Promise.all(files.map(async file => ({...file, now: (await readText(file.path)).sha256})));
      if (found.every(({now, after}) => now === after)) return {done: {from, to}};
      // Cut off in between: performing it again does the rest.
      return found.every(({now, before, after}) => now === before || now === after) ? 'absent' : 'unknown';
    },
    undo: async (_io, {files}) => undoAll(files),
    tell: ({from, to}) => (from === to ? `${names} says ${to} already: kept` : `${names}: ${from} → ${to}`),
    byHand: () => ({note: `the version in ${names}: ${version}`, commands: []}),
  });
}

function editOf({path, text, patterns, sha256: before}: VersionFileNow, version: string): Edited {
  const {ranges} = findVersion({path, text, patterns});
  return {
    path,
    patterns: patterns.map(pattern => pattern ?? null),
    before,
    after: sha256(editVersion({path, text, patterns}, version)),
    was: ranges.map(({start, end}) => text.slice(start, end)),
  };
}

const patternsOf = ({patterns}: Edited) => patterns.map(pattern => pattern ?? undefined);

/** Every edit is made before the first is written; when one cannot be written, those before it are taken back. */
async function applyAll(files: readonly Edited[], version: string): Promise<void> {
  const edits = await Promise.all(
    files.map(async file => {
      const {text, sha256: now} = await readText(file.path);
      const {path, before, after} = file;
      if (now === after) return [];
      if (now !== before) {
        throw new DeployError(`${path} has changed since it was read`, {
          means: 'No version file was changed.',
          next: ['Look at the file, and start again.'],
        });
      }
      return [
        {edit: {path, before, after, text: editVersion({path, text, patterns: patternsOf(file)}, version)}, original: text},
      ];
    }),
  );
  const done: {readonly edit: Edit; readonly original: string}[] = [];
  for (const one of edits.flat()) {
    try {
      await applyEdit(one.edit);
      done.push(one);
    } catch (error) {
      for (const {edit, original} of done.toReversed()) await revertEdit(edit, original);
      throw error;
    }
  }
}

/** All of them, if all are still ours; none otherwise. */
async function undoAll(files: readonly Edited[]): Promise<void> {
  const edits = await Promise.all(
    files.map(async file => {
      const {path, before, after, was} = file;
      const {text, sha256: now} = await readText(path);
      if (now === before) return [];
      const original = now === after ? restoreVersion({path, text, patterns: patternsOf(file)}, was) : undefined;
      if (original === undefined || sha256(original) !== before) throw changed(path);
      return [{edit: {path, before, after, text}, original}];
    }),
  );
  for (const {edit, original} of edits.flat()) if (!(await revertEdit(edit, original))) throw changed(edit.path);
}

function changed(file: string): DeployError {
  return new DeployError(`${file} was changed by somebody else in the meantime`, {means: 'The bump was left as it is.'});
}
