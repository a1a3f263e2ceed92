/** Places that start a definition although nobody has planned for them: what they pin, nobody moves. */
import {type Wanted, parseReference, shortReference} from './reference.ts';
import {placeKey} from './standing.ts';
import {type Found, type Survey, startersOf} from './survey.ts';
import {type Source, entryName, sourceKey, sourceName} from './target.ts';

/**
 * One line for each place that no config file lists and that pins another revision. `listed`: the sources that are released;
 * `revision`: the one that is to run, undefined where it has no number yet.
 */
export function strangersBeside(
  wanted: Wanted,
  listed: readonly Source[],
  revision: number | undefined,
  survey: Survey,
): readonly string[] {
  const known = new Set(listed.map(sourceKey));
  const others = startersOf(wanted, survey).filter(({source}) => !known.has(sourceKey(source)));
  return strangers(new Set(), revision, others);
}

/** One line for each of the places that pins another revision. `known`: keys of places that were planned for. */
export function strangers(known: ReadonlySet<string>, revision: number | undefined, places: readonly Found[]): readonly string[] {
  return places
    .filter(({source, entry}) => {
      const pinned = parseReference(entry.starts).revision;
      return !known.has(placeKey({source, entry: entry.id})) && pinned !== undefined && pinned !== revision;
    })
    .map(({source, entry}) => {
      const place = [entryName(source, entry.id), sourceName(source)].filter(Boolean).join(' of ');
      return `${place} starts ${shortReference(entry.starts)}`;
    });
}
