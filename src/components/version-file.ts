/**
 * Finds the version in a project's own file, and changes it without touching another byte.
 *
 * Pure: text in, text out. A file may state its version more than once (`__version_info__` and `__version__`); then all of them must
 * agree, and an edit changes all of them.
 */
import semver from 'semver';
import {applyEdits, LocatedError, type Range, type Source} from './editing/source.ts';
import {packageJsonSites, packageLockSites, plainSites, pyprojectSites, setupCfgSites} from './version-file/packaging.ts';
import {patternSites} from './version-file/pattern.ts';
import {pythonSites, setupPySites} from './version-file/python.ts';
import type {Site} from './version-file/site.ts';

/** A file as the repository has it: its path decides how it is read, and is shown in errors. */
export interface VersionFile {
  readonly path: string;
  readonly text: string;
  /** Where its versions are: a pattern with a group named `version`, or what the file's name says (undefined). That alone unless told. */
  readonly patterns?: readonly (string | undefined)[];
}

/** Where the version stands in a file and what it says. */
export interface FoundVersion {
  /** As it is written; from `__version_info__`, put together as `1.2.3` or `1.2.3-beta.1`. */
  readonly version: string;
  /** For people, such as `python __version_info__`; joined by ` + ` when the file states the version in several ways. */
  readonly format: string;
  /** What an edit may touch, in order: UTF-16 offsets into the text. */
  readonly ranges: readonly Range[];
}

/** A version that cannot be found, understood or written; says where (`path:line:column`) and what was looked for. */
export class VersionFileError extends LocatedError {
  override readonly name = 'VersionFileError';
}

interface Format {
  readonly fileName: RegExp;
  readonly sites: (source: Source) => readonly Site[];
  readonly lookedFor: string;
}

const PYTHON_ASSIGNMENTS = '__version_info__ = {…} or (…), or __version__ = "…", at the left margin';

/** The files that can hold a version. The first entry that fits a file's name reads it. */
const FORMATS: readonly Format[] = [
  {fileName: /^package\.json$/, sites: packageJsonSites, lookedFor: 'a top-level "version"'},
  {fileName: /^(?:package-lock|npm-shrinkwrap)\.json$/, sites: packageLockSites, lookedFor: 'a top-level "version"'},
  {fileName: /^pyproject\.toml$/, sites: pyprojectSites, lookedFor: 'version = "…" in [project] or [tool.poetry]'},
  {fileName: /^setup\.cfg$/, sites: setupCfgSites, lookedFor: 'version = … in [metadata]'},
  {fileName: /^setup\.py$/, sites: setupPySites, lookedFor: `setup(version="…"), ${PYTHON_ASSIGNMENTS}`},
  {fileName: /\.py$/, sites: pythonSites, lookedFor: PYTHON_ASSIGNMENTS},
  {fileName: /^version(?:\.txt)?$/i, sites: plainSites, lookedFor: 'a version and nothing else'},
];

const KNOWN_FILES = 'package.json, package-lock.json, pyproject.toml, setup.cfg, setup.py, *.py, VERSION or VERSION.txt';

/**
 * The version that a file states.
 *
 * Throws a VersionFileError when the kind of file is unknown, when it states no version, a computed one, or several that disagree, and
 * when it cannot be read that far.
 */
export function findVersion(file: VersionFile): FoundVersion {
  const [first, ...others] = readSites(file);
  const formats = new Set([first, ...others].map(site => site.format));
  const ranges = distinct(
    file,
    [first, ...others].flatMap(site => site.ranges),
  );
  return {version: first.version, format: [...formats].join(' + '), ranges};
}

/**
 * The file's text with another version: a semantic one, PASS's `-RC1` and `-SNAPSHOT` included. Only bytes in the ranges of
 * `findVersion` change, and none when the file already says so.
 *
 * Throws a VersionFileError as `findVersion` does, when the file's format cannot express the version, and when the result, read back,
 * would say something else.
 */
export function editVersion(file: VersionFile, version: string): string {
  const sites = readSites(file);
  if (sites[0].version === version) return file.text;
  if (!isSemanticVersion(version)) {
    throw new VersionFileError(file, startOf(sites[0]), `${JSON.stringify(version)} is not a version such as 1.2.3 or 1.2.3-RC1`);
  }
  const edits = distinct(
    file,
    sites.flatMap(site => {
      const edits = site.edits(version);
      if (edits !== undefined) return edits;
      throw new VersionFileError(file, startOf(site), `${site.format} cannot express ${version}, only ${site.expresses}`);
    }),
  );
  const text = applyEdits(file.text, edits);
  const readBack = findVersion({...file, text}).version;
  if (readBack === version) return text;
  throw new VersionFileError(file, startOf(sites[0]), `setting the version to ${version} would make the file say ${readBack}`);
}

/**
 * The text as it was before an edit: what stood in the ranges of `findVersion` then, put into those of now. An edit may have changed
 * more than the version can tell (the serial of a final release), hence not simply an edit back. Undefined where there are not as many.
 */
export function restoreVersion(file: VersionFile, was: readonly string[]): string | undefined {
  const {ranges} = findVersion(file);
  if (ranges.length !== was.length) return undefined;
  return applyEdits(
    file.text,
    ranges.map((range, index) => ({...range, replacement: was[index] ?? ''})),
  );
}

/** Every site of a file, in agreement. */
function readSites(file: VersionFile): readonly [Site, ...Site[]] {
  const {patterns = [undefined]} = file;
  const [first, ...others] = patterns.flatMap(pattern => sitesOf(file, pattern));
  if (first === undefined) throw new VersionFileError(file, 0, 'no version found');

  const different = others.find(site => site.version !== first.version);
  if (different === undefined) return [first, ...others];
  throw new VersionFileError(
    file,
    startOf(different),
    `${different.format} says ${different.version} but ${first.format} says ${first.version}: make them agree first`,
  );
}

/** At least one. */
function sitesOf(file: VersionFile, pattern: string | undefined): readonly Site[] {
  const source: Source = {text: file.text, error: (at, problem) => new VersionFileError(file, at, problem)};
  const format =
    pattern === undefined
      ? FORMATS.find(({fileName}) => fileName.test(baseName(file.path)))
      : {sites: () => patternSites(source, pattern), lookedFor: pattern};
  if (format === undefined) {
    throw new VersionFileError(file, 0, `no known kind of version file, which are ${KNOWN_FILES}, or {file, pattern}`);
  }
  const sites = format.sites(source);
  if (sites.length === 0) throw new VersionFileError(file, 0, `no version found; looked for ${format.lookedFor}`);
  return sites;
}

/** In order, and equal ones once: two patterns may mean the same place. Throws for places that overlap otherwise. */
function distinct<R extends Range>(file: VersionFile, ranges: readonly R[]): readonly R[] {
  const inOrder = ranges.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const once = inOrder.filter(({start, end}, index) => start !== inOrder[index - 1]?.start || end !== inOrder[index - 1]?.end);
  const overlapping = once.find(({start}, index) => start < (once[index - 1]?.end ?? 0));
  if (overlapping === undefined) return once;
  throw new VersionFileError(file, overlapping.start, 'two patterns find a version here, and not the same one');
}

const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

const startOf = (site: Site): number => Math.min(...site.ranges.map(range => range.start));

/** Whether semver reads the whole text as it stands: no `v` in front, no white space, no leading zeros. */
function isSemanticVersion(text: string): boolean {
  const parsed = semver.parse(text);
  return parsed !== null && [parsed.version, ...(parsed.build.length > 0 ? [parsed.build.join('.')] : [])].join('+') === text;
}
