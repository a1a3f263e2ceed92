/** Versions in the files of package managers: package.json and its lock, pyproject.toml, setup.cfg, and a plain VERSION file. */
import {type Member, membersOf, readJsonObject} from '../editing/json.ts';
import type {Source} from '../editing/source.ts';
import {isMark, matching, readLines, splitBy, type Rules, type Tree} from '../editing/trees.ts';
import {insideQuotes, literalSite, type Site} from './site.ts';

/** The top-level `"version"`; other members of that name belong to something else. */
export function packageJsonSites(source: Source): readonly Site[] {
  return named(readJsonObject(source).members, 'version').map(({key, value}) =>
    quotedSite(source, 'package.json version', key, [value]),
  );
}

/**
 * The package's own version in a lock file of npm: at the top, and (since npm 7) once more under `packages[""]`. All others are those
 * of what it depends on. https://docs.npmjs.com/cli/configuring-npm/package-lock-json
 */
export function packageLockSites(source: Source): readonly Site[] {
  const {members} = readJsonObject(source);
  const packages = named(members, 'packages').flatMap(({value}) => membersOf(source, value));
  const own = named(packages, '').flatMap(({value}) => membersOf(source, value));
  return [...named(members, 'version'), ...named(own, 'version')].map(({key, value}) =>
    quotedSite(source, 'package-lock.json version', key, [value]),
  );
}

const named = (members: readonly Member[], name: string): readonly Member[] => members.filter(member => member.name === name);

/** A file that holds a version and nothing else but white space. */
export function plainSites(source: Source): readonly Site[] {
  const [word, ...more] = source.text.matchAll(/[^\s\uFEFF]+/g);
  if (word === undefined) return [];
  if (more[0] !== undefined) throw source.error(more[0].index, 'expected nothing behind the version');
  return [literalSite(source, 'VERSION file', {start: word.index, end: word.index + word[0].length})];
}

const TOML_RULES: Rules = [
  {match: matching(/[ \t]+|#[^\r\n]*/y), kind: 'blank'},
  {match: matching(/\r?\n/y), kind: 'newline'},
  {match: matching(/"""(?:[^"\\]|\\[^]|"(?!""))*"{3,5}|'''(?:[^']|'(?!''))*'{3,5}/y), kind: 'string'},
  {match: matching(/"""|'''/y), refuse: 'this multi-line string never ends'},
  {match: matching(/"(?:[^"\\\r\n]|\\[^\r\n])*"|'[^'\r\n]*'/y), kind: 'string'},
  {match: matching(/["']/y), refuse: 'this string does not end on its line'},
  // Numbers and dates too: only keys and strings matter here, and a key may look like a number.
  {match: matching(/[\w+:-]+/y), kind: 'name'},
  {match: matching(/[[\]{}=,.]/y), kind: 'mark'},
];

/** Where pyproject.toml may state the version, and what people call that. */
const TOML_VERSIONS = [
  {path: ['project', 'version'], format: 'pyproject.toml [project] version'},
  {path: ['tool', 'poetry', 'version'], format: 'pyproject.toml [tool.poetry] version'},
] as const;

/** The version of `[project]` and that of `[tool.poetry]`, wherever the table header ends and the dotted key begins. */
export function pyprojectSites(source: Source): readonly Site[] {
  return [...readTomlEntries(source)].flatMap(({path, key, value}) => {
    const stated = TOML_VERSIONS.find(known => known.path.join('\0') === path.join('\0'));
    return stated === undefined ? [] : [quotedSite(source, stated.format, key, value)];
  });
}

interface TomlEntry {
  /** The table's name and the key, unquoted. */
  readonly path: readonly string[];
  readonly key: Tree | undefined;
  readonly value: readonly Tree[];
}

function* readTomlEntries(source: Source): Generator<TomlEntry> {
  let table: readonly string[] = [];
  for (const line of readLines(source, TOML_RULES)) {
    const [first] = line;
    const [key = [], value = []] = splitBy(line, '=');
    // The name of an array of tables, `[[name]]`, keeps its inner brackets here, and so is no table's name.
    if (first?.kind === '[') table = readTomlKey(source, first.children);
    else yield {path: [...table, ...readTomlKey(source, key)], key: first, value};
  }
}

function readTomlKey(source: Source, key: readonly Tree[]): readonly string[] {
  const parts = key.filter(part => !isMark(part, '.')).map(part => insideQuotes(part) ?? part);
  return parts.map(({start, end}) => source.text.slice(start, end));
}

const CFG_HEADER = /^\s*\[(?<section>[^\]]+)\]/;
const CFG_VERSION = /^(?<before>\s*version\s*[=:]\s*)(?<value>.*?)\s*$/i;

/** The version of `[metadata]`; its key may be written in any case, and followed by `=` or `:`. */
export function setupCfgSites(source: Source): readonly Site[] {
  return [...readCfgLines(source.text)].flatMap(({section, line, at}) => {
    const {before, value} = CFG_VERSION.exec(line)?.groups ?? {};
    if (section !== 'metadata' || before === undefined || value === undefined) return [];
    const start = at + before.length;
    return [literalSite(source, 'setup.cfg [metadata] version', {start, end: start + value.length})];
  });
}

interface CfgLine {
  readonly section: string;
  readonly line: string;
  /** Where the line starts. */
  readonly at: number;
}

/** The lines where options start, as configparser sees them: comments have lines of their own, and deeper lines continue a value. */
function* readCfgLines(text: string): Generator<CfgLine> {
  let section = '';
  let optionIndent = Infinity;
  for (const {0: line, index} of text.matchAll(/[^\r\n\uFEFF]+/g)) {
    const indent = line.search(/\S/);
    if (indent === -1 || /[#;]/.test(line.charAt(indent)) || indent > optionIndent) continue;
    const header = CFG_HEADER.exec(line)?.groups?.['section'];
    section = header ?? section;
    optionIndent = header === undefined ? indent : Infinity;
    if (header === undefined) yield {section, line, at: index};
  }
}

function quotedSite(source: Source, format: string, key: Tree | undefined, [value, more]: readonly Tree[]): Site {
  const range = more === undefined ? insideQuotes(value) : undefined;
  if (range === undefined) throw source.error((value ?? key)?.start ?? 0, `expected a version in quotes (${format})`);
  return literalSite(source, format, range);
}
