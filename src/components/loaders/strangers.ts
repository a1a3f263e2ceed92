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
  return strangers(new Set(), revision, placesBeside(wanted, listed, survey));
}

/** The same as they are now. A look around is shared, and whatever it accuses may have been moved since, by this release too. */
export async function strangersNow(
  wanted: Wanted,
  listed: readonly Source[],
  revision: number | undefined,
  survey: Survey,
  read: (source: Source) => Promise<readonly Found[]>,
): Promise<readonly string[]> {
  const seen = placesBeside(wanted, listed, survey).filter(place => isStranger(place, revision));
  const again = [...Map.groupBy(seen, ({source}) => sourceKey(source)).values()].map(async places => {
    const [first] = places;
    return first === undefined ? [] : read(first.source).catch(() => places);
  });
  return strangers(new Set(), revision, (await Promise.all(again)).flat());
}

/** The places of sources that are not listed. */
function placesBeside(wanted: Wanted, listed: readonly Source[], survey: Survey): readonly Found[] {
  const known = new Set(listed.map(sourceKey));
  return startersOf(wanted, survey).filter(({source}) => !known.has(sourceKey(source)));
}

function isStranger({entry}: Found, revision: number | undefined): boolean {
  const pinned = parseReference(entry.starts).revision;
  return pinned !== undefined && pinned !== revision;
}

/** One line for each of the places that pins another revision. `known`: keys of places that were planned for. */
export function strangers(known: ReadonlySet<string>, revision: number | undefined, places: readonly Found[]): readonly string[] {
  return places
    .filter(place => isStranger(place, revision) && !known.has(placeKey({source: place.source, entry: place.entry.id})))
    .map(({source, entry}) => {
      const place = [entryName(source, entry.id), sourceName(source)].filter(Boolean).join(' of ');
      return `${place} starts ${shortReference(entry.starts)}`;
    });
}
