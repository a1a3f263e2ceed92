/**
 * Versions in Python files: `__version__ = "1.2.3"`, `__version_info__` as a dictionary or a tuple, and `setup(version="1.2.3")`.
 *
 * Only what is assigned at the left margin counts: an assignment inside a function, a class or a branch is something else, or a
 * fallback. Values that are computed (`__version__ = get_version()`) follow from the ones that are written out, and are left out.
 */
import type {Source} from '../editing/source.ts';
import {isMark, isName, matching, readLines, splitBy, type Rules, type Tree} from '../editing/trees.ts';
import {dictionarySite, tupleSite} from './python-version-info.ts';
import {insideQuotes, literalSite, type Site} from './site.ts';

/**
 * Strings come first, for their prefixes look like names. An f-string ends at its own next quote, as it did before Python 3.12.
 * An assignment with an operator (`+=`, `:=`, `==`) is one mark, so that `=` alone is always a plain assignment.
 */
const PYTHON_RULES: Rules = [
  {match: matching(/(?:[ \t\f]|\\\r?\n)+/y), kind: 'blank'},
  {match: matching(/#[^\r\n]*/y), kind: 'blank'},
  {match: matching(/\r\n?|\n/y), kind: 'newline'},
  {match: matching(/[bfrtuBFRTU]{0,2}(?:"""(?:[^"\\]|\\[^]|"(?!""))*"""|'''(?:[^'\\]|\\[^]|'(?!''))*''')/y), kind: 'string'},
  {match: matching(/[bfrtuBFRTU]{0,2}(?:"""|''')/y), refuse: 'this triple-quoted string never ends'},
  {match: matching(/[bfrtuBFRTU]{0,2}(?:"(?:[^"\\\r\n]|\\(?:\r\n|[^]))*"|'(?:[^'\\\r\n]|\\(?:\r\n|[^]))*')/y), kind: 'string'},
  {match: matching(/["']/y), refuse: 'this string does not end on its line'},
  {match: matching(/[\p{ID_Start}_]\p{ID_Continue}*/uy), kind: 'name'},
  {match: matching(/\d[\w.]*/y), kind: 'number'},
  {match: matching(/(?:\*\*|\/\/|<<|>>|[-+*/%&|^@=!<>:])=|[^]/y), kind: 'mark'},
];

/** The versions that a module states in assignments. Throws where the file or a version in it cannot be understood. */
export const pythonSites = (source: Source): readonly Site[] => assignmentSites(source, readLines(source, PYTHON_RULES));

/** The versions that a setup.py states: those of any module, and the `version="…"` argument of `setup`. */
export function setupPySites(source: Source): readonly Site[] {
  const lines = readLines(source, PYTHON_RULES);
  return [...assignmentSites(source, lines), ...lines.flatMap(line => setupArgumentSites(source, line))];
}

/** How the value assigned to a name is read: undefined when it is not written out. */
type Reader = (source: Source, value: readonly Tree[], words: ReadonlySet<string>) => Site | undefined;
const READERS: Readonly<Record<string, Reader>> = {
  __version__: readVersion,
  __version_info__: readVersionInfo,
};

function assignmentSites(source: Source, lines: readonly (readonly Tree[])[]): readonly Site[] {
  const words = new Set(lines.flatMap(line => stringsIn(source, line)));
  return lines
    .filter(line => startsAtMargin(source, line))
    .flatMap(line => splitBy(line, ';'))
    .flatMap(statement => {
      const sides = splitBy(statement, '=');
      const value = sides.at(-1) ?? [];
      return sides.slice(0, -1).flatMap(target => readTarget(target)?.(source, value, words) ?? []);
    });
}

/** The insides of all strings, however deep. */
function stringsIn(source: Source, trees: readonly Tree[]): readonly string[] {
  return trees.flatMap(tree => {
    const inside = insideQuotes(tree);
    return inside === undefined ? stringsIn(source, tree.children) : [source.text.slice(inside.start, inside.end)];
  });
}

const startsAtMargin = (source: Source, [first]: readonly Tree[]): boolean =>
  first !== undefined && /^$|[\r\n\uFEFF]/.test(source.text.slice(first.start - 1, first.start));

/** `name` or `name: annotation`. */
function readTarget([name, colon]: readonly Tree[]): Reader | undefined {
  const assigned = name?.kind === 'name' && (colon === undefined || isMark(colon, ':'));
  return assigned && Object.hasOwn(READERS, name.text) ? READERS[name.text] : undefined;
}

function readVersion(source: Source, [value, more]: readonly Tree[]): Site | undefined {
  const range = more === undefined ? insideQuotes(value) : undefined;
  return range && literalSite(source, 'python __version__', range);
}

function readVersionInfo(source: Source, [value, more]: readonly Tree[], words: ReadonlySet<string>): Site | undefined {
  if (value === undefined || more !== undefined) return undefined;
  if (value.kind === '{') return dictionarySite(source, value, words);
  // `(1, 2, 3)` is written out, `(tuple(…))` and `(MAJOR, MINOR)` are not.
  return value.children[0]?.kind === 'number' ? tupleSite(source, value, words) : undefined;
}

function setupArgumentSites(source: Source, trees: readonly Tree[]): readonly Site[] {
  return trees.flatMap((tree, index) => {
    const call = tree.kind === '(' && isName(trees[index - 1], 'setup') && !isName(trees[index - 2], 'def');
    const own = call ? splitBy(tree.children, ',').flatMap(argument => readArgument(source, argument) ?? []) : [];
    return [...own, ...setupArgumentSites(source, tree.children)];
  });
}

function readArgument(source: Source, [name, equals, value, more]: readonly Tree[]): Site | undefined {
  const range = isName(name, 'version') && isMark(equals, '=') && more === undefined ? insideQuotes(value) : undefined;
  return range && literalSite(source, 'setup(version=…)', range);
}
