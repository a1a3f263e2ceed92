/** A version that a pattern of the user finds: for every kind of file that is not known here. */
import type {Source} from '../editing/source.ts';
import {literalSite, type Site} from './site.ts';

/** Why a pattern cannot find a version; undefined for one that can. */
export function patternProblem(pattern: string): string | undefined {
  try {
    compile(pattern);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  // A group counts where it is one: in an escape or a class the same letters are something else.
  return groupsOf(pattern).includes('version') ? undefined : 'it needs a named group: (?<version>…)';
}

/** Every place where the pattern matches; `^` and `$` are the ends of a line. Throws where it matches without its group. */
export function patternSites(source: Source, pattern: string): readonly Site[] {
  return [...source.text.matchAll(compile(pattern))].map(match => {
    const range = match.indices?.groups?.['version'];
    if (range === undefined) throw source.error(match.index, `${pattern} matches here, and its group "version" does not`);
    return literalSite(source, `the pattern ${pattern}`, {start: range[0], end: range[1]});
  });
}

const compile = (pattern: string): RegExp => new RegExp(pattern, 'dgm');

/** The names of the groups: those of a match that the added alternative makes of nothing. */
const groupsOf = (pattern: string): readonly string[] => Object.keys(new RegExp(`${pattern}|`, 'm').exec('')?.groups ?? {});
