/** The files that a plan was made from, by hash: a module's own, and those of the modules beside it that it calls. */
import {readFile, readdir, realpath, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import {fingerprint, sha256} from '../../release/hash.ts';
import type {ConfigModule} from '../../tools/terraform/plan-json.ts';

/** SHA-256 by path, relative to the root module. */
type Manifest = Readonly<Record<string, string>>;

export const sources = z.object({
  /** Of the manifest. */
  sha256: z.string(),
  /** Where the manifest is kept, as long as the plan is: tells which file it was that has changed. */
  manifest: z.string(),
  /** What was walked, absolute. */
  folders: z.array(z.string()),
});
export type Sources = z.infer<typeof sources>;

/** Notes the files as they are. `aside`: the records, which are no change of anything. */
export async function noteSources(folders: readonly string[], manifest: string, aside: string): Promise<Sources> {
  const files = await manifestOf(folders, aside);
  await writeFile(manifest, JSON.stringify(files), {mode: 0o600});
  return {sha256: fingerprint(files), manifest, folders: [...folders]};
}

/** Which files are not what they were, in words; undefined when all are. */
export async function changedSources({sha256, manifest, folders}: Sources, aside: string): Promise<string | undefined> {
  const now = await manifestOf(folders, aside);
  if (fingerprint(now) === sha256) return undefined;
  const noted = await readFile(manifest, 'utf8').catch(() => undefined);
  if (noted === undefined) return 'files of the module have changed';
  const before = z.record(z.string(), z.string()).parse(JSON.parse(noted));
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  const changed = names.filter(name => before[name] !== now[name]).map(name => `${name}${kindOfChange(before[name], now[name])}`);
  const more = changed.length > mostNamed ? ` and ${changed.length - mostNamed} more` : '';
  return `files of the module have changed: ${changed.slice(0, mostNamed).join(', ')}${more}`;
}

const mostNamed = 5;

function kindOfChange(before: string | undefined, now: string | undefined): string {
  if (before === undefined) return ' (new)';
  return now === undefined ? ' (gone)' : '';
}

/** The root module's folder, and those that it calls by a path outside of it, wherever they call each other. */
export function moduleFolders(directory: string, configuration: ConfigModule | undefined): readonly string[] {
  const found = new Set([directory]);
  const walk = (folder: string, module: ConfigModule | undefined): void => {
    for (const {source, module: called} of Object.values(module?.module_calls ?? {})) {
      // Anything else is downloaded into `.terraform`, from where nobody edits it.
      if (source === undefined || !/^\.{1,2}\//.test(source)) continue;
      const there = path.resolve(folder, source);
      found.add(there);
      walk(there, called);
    }
  };
  walk(directory, configuration);
  const inside = (folder: string) => [...found].some(other => other !== folder && folder.startsWith(`${other}${path.sep}`));
  return [...found].filter(folder => !inside(folder));
}

/** What Terraform itself changes; variable files, whose values are in the plan; and what no module is made of. */
const unwatched =
  /^(?:\.terraform|terraform\.tfstate\.d|.*\.tfstate(?:\..*)?|\.terraform\.tfstate\.lock\.info|.*\.tfvars(?:\.json)?|\.git|node_modules)$/;

async function manifestOf(folders: readonly string[], aside: string): Promise<Manifest> {
  const [root = ''] = folders;
  const files: Record<string, string> = {};
  // `above`: where it really is, so that a link to a folder around itself is walked once.
  const walk = async (folder: string, above: readonly string[]): Promise<void> => {
    const here = await realpath(folder);
    if (above.includes(here)) return;
    for (const name of await readdir(folder)) {
      const file = path.join(folder, name);
      if (unwatched.test(name) || file === aside) continue;
      // Of a link, what it leads to: that is what Terraform reads. One that leads nowhere is read by nobody.
      const found = await stat(file).catch(() => undefined);
      if (found?.isDirectory()) await walk(file, [...above, here]);
      else if (found?.isFile()) files[path.relative(root, file)] = sha256(await readFile(file));
    }
  };
  for (const folder of folders) await walk(folder, []);
  return files;
}
