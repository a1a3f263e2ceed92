/** A site is one place in a file that states the version; a file may have several, and then they must agree. */
import type {Edit, Range, Source} from '../editing/source.ts';
import type {Tree} from '../editing/trees.ts';

export interface Site {
  /** How the version is stated, for people: `python __version_info__`. */
  readonly format: string;
  readonly version: string;
  /** What an edit may touch. */
  readonly ranges: readonly Range[];
  /** The edits that make the site state another version; undefined when it has no way to say that one. */
  readonly edits: (version: string) => readonly Edit[] | undefined;
  /** What it can say, for people. */
  readonly expresses: string;
}

/** What a version that stands in a file may look like: wide enough for PEP 440 (`1.2rc1`, `1!2.0.dev3`), whose place is all that counts. */
const VERSION_AS_FOUND = /^\d[\w.+!-]*$/;

/** A site that spells the version out. Throws when what stands there is no version. */
export function literalSite(source: Source, format: string, range: Range): Site {
  const version = source.text.slice(range.start, range.end);
  if (!VERSION_AS_FOUND.test(version)) {
    throw source.error(range.start, `expected a version such as 1.2.3 (${format}), found ${JSON.stringify(version)}`);
  }
  return {format, version, ranges: [range], edits: next => [{...range, replacement: next}], expresses: 'any version'};
}

const PYTHON_STRING = /^[rRuU]?("""|'''|["'])/;

/** The range between the quotes of a Python or TOML string; undefined for f-strings, bytes and everything that is no string. */
export function insideQuotes(token: Tree | undefined): Range | undefined {
  const [opening, quote] = (token?.kind === 'string' && PYTHON_STRING.exec(token.text)) || [];
  if (token === undefined || opening === undefined || quote === undefined) return undefined;
  return {start: token.start + opening.length, end: token.end - quote.length};
}
