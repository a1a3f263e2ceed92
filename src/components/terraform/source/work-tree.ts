/** What the work tree holds that no commit has: an image is built from all of it. */
import {realpath} from 'node:fs/promises';
import path from 'node:path';
import {readText} from '../../../tools/files.ts';
import type {Head} from '../../../tools/git.ts';
import type {Io} from '../../io.ts';
import {editTfvars} from '../../tfvars.ts';
import {editVersion} from '../../version-file.ts';
import {type Source, type TerraformConfig, pathsOf} from '../config.ts';
import {readVersionFiles} from './version-files.ts';

export interface Uncommitted {
  /** A file that a release edits, and that holds more than its edit. */
  readonly edited: string | undefined;
  /** Files that a release has nothing to do with. */
  readonly others: readonly string[];
}

/** A work tree as it is at one moment: what is checked out, and what differs from it. */
export interface WorkTree extends Head {
  readonly root: string;
  readonly changes: readonly {readonly path: string}[];
}

export async function workTreeAt(root: string, io: Io): Promise<WorkTree> {
  return {root, ...(await io.git.head(root)), changes: await io.git.status(root)};
}

/** What is not committed, but for what a release of this version edits itself and what running the wizard leaves. Paths from the root. */
export async function uncommitted(
  component: TerraformConfig,
  source: Source,
  version: string,
  {root, commit, changes}: WorkTree,
  io: Io,
): Promise<Uncommitted> {
  // What is deleted in the index and there all the same is told twice.
  const changed = [...new Set(changes.map(({path}) => path))];
  const edits = await ownEdits(component, source, version, root, io);
  const more = await Promise.all(
    [...edits].map(async ([file, edit]) => {
      if (!changed.includes(file)) return [];
      // An earlier attempt at the same release may have left its own edit behind: it is committed with this one.
      const before = await io.git.contentAt(root, commit, file);
      const now = await readText(path.join(root, file));
      return before !== undefined && edit(before) === now.text ? [] : [file];
    }),
  );
  const others = changed.filter(file => !edits.has(file) && !isOurs(path.join(root, file), component, io));
  return {edited: more.flat()[0], others};
}

/** `2 files are not committed (a.txt, b.txt)` */
export function uncommittedInWords(files: readonly string[]): string {
  const named = `${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''}`;
  return `${files.length === 1 ? 'a file is' : `${files.length} files are`} not committed (${named})`;
}

/** What a release itself edits: by path from the root, what becomes of the text. */
async function ownEdits(
  component: TerraformConfig,
  source: Source,
  version: string,
  root: string,
  io: Io,
): Promise<ReadonlyMap<string, (text: string) => string>> {
  const {varFile} = pathsOf(component, io);
  const files = await readVersionFiles(source, io);
  const relative = async (file: string) => path.relative(root, await realpath(file).catch(() => file));
  return new Map<string, (text: string) => string>([
    ...(await Promise.all(
      files.map(async ({path: file, patterns}) => {
        const edit = (text: string) => editVersion({path: file, text, patterns}, version);
        return [await relative(file), edit] as const;
      }),
    )),
    [await relative(varFile), text => editTfvars(text, varFile, component.set)],
  ]);
}

/** What running the wizard leaves there itself: its records, and what `terraform init` locks. */
function isOurs(file: string, component: TerraformConfig, io: Io): boolean {
  const {directory} = pathsOf(component, io);
  return file === path.join(directory, '.terraform.lock.hcl') || !path.relative(io.records, file).startsWith('..');
}
