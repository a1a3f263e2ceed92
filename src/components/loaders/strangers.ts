/** Places that start a definition although no config file lists them: what they pin, nobody moves. */
import {type Wanted, parseReference, shortReference} from './reference.ts';
import {type Survey, startersOf} from './survey.ts';
import {type Source, entryName, sourceKey, sourceName} from './target.ts';

/**
 * One line for each that pins another revision. `listed`: keys of the sources that are released; `revision`: the one that is
 * to run, undefined where it has no number yet.
 */
export function strangers(
  wanted: Wanted,
  listed: readonly Source[],
  revision: number | undefined,
  survey: Survey,
): readonly string[] {
  const known = new Set(listed.map(sourceKey));
  return startersOf(wanted, survey)
    .filter(({source, entry}) => {
      const pinned = parseReference(entry.starts).revision;
      return !known.has(sourceKey(source)) && pinned !== undefined && pinned !== revision;
    })
    .map(({source, entry}) => {
      const place = [entryName(source, entry.id), sourceName(source)].filter(Boolean).join(' of ');
      return `${place} starts ${shortReference(entry.starts)}`;
    });
}
