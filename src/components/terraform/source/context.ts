/** What must not be in a build context: our records, which change with every line that is written, and would be shipped. */
import path from 'node:path';
import {readText} from '../../../tools/files.ts';
import type {Io} from '../../io.ts';
import {type Source, type TerraformConfig, pathsOf} from '../config.ts';

/** The records' folder, relative to the context that it is in, unless `.dockerignore` names it or what it is in; undefined elsewhere. */
export async function recordsInContext(component: TerraformConfig, {build}: Source, io: Io): Promise<string | undefined> {
  const {context} = pathsOf(component, io);
  const inside = path.relative(context, io.records);
  if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside)) return undefined;
  const dockerfile = path.resolve(context, build.dockerfile ?? 'Dockerfile');
  const ignored = [
    ...(await patternsIn(path.join(context, '.dockerignore'))),
    ...(await patternsIn(`${dockerfile}.dockerignore`)),
  ];
  return ignored.some(pattern => isPartOf(inside, pattern)) ? undefined : inside;
}

async function patternsIn(file: string): Promise<readonly string[]> {
  const text = await readText(file).then(
    ({text}) => text,
    () => '',
  );
  return text.split(/\r?\n/).map(line =>
    line
      .trim()
      .replace(/^\.?\//, '')
      .replace(/(?:\/\*\*?)?\/?$/, ''),
  );
}

/** Whether a plain name (no wildcard in it) is the folder, or one that it is in. */
function isPartOf(folder: string, name: string): boolean {
  return name !== '' && `${folder}/`.startsWith(`${name.replace(/^\*\*\//, '')}/`);
}
