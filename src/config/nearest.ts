/** What somebody meant who mistyped a name. */
import {closest, distance} from 'fastest-levenshtein';

/** The known name that is nearly what was written; undefined where none is. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  if (written === '' || known.length === 0) return undefined;
  const best = closest(written, known);
  return distance(written, best) <= Math.max(2, Math.floor(best.length / 3)) ? best : undefined;
}

/** What to do about a name that is not known: which one may have been meant, and which there are. */
export function orRather(written: string, known: readonly string[], none: string): readonly string[] {
  const meant = nearest(written, known);
  return [
    ...(meant === undefined ? [] : [`Did you mean ${meant}?`]),
    known.length === 0 ? none : `There are: ${known.join(', ')}`,
  ];
}
