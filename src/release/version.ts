/**
 * Release versions: semver with PASS's labels, `X.Y.Z-SNAPSHOT` < `X.Y.Z-RC1` < `X.Y.Z-RC2` < `X.Y.Z-RC10` < `X.Y.Z`
 * (facts/seeds.md). Plain semver compares `RC10` and `RC2` as text, hence the normal form below.
 */
import semver from 'semver';
import {UsageError} from './errors.ts';

export const bumps = ['major', 'minor', 'patch', 'prerelease'] as const;
export type Bump = (typeof bumps)[number];

/** What an image tag may be: distribution spec, `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. */
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * The version, if it can be released: semver, and valid as an image tag.
 * Throws a UsageError that says what is allowed; `what` names the flag or the field.
 */
export function parseVersion(text: string, what: string): string {
  const why = versionProblem(text);
  if (why !== undefined) {
    throw new UsageError(`${what}: ${why}`, {
      code: 'DW208',
      means: 'Nothing was started.',
      next: ['Give a version such as 1.14.0, 1.14.0-RC1 or 1.14.0-SNAPSHOT.'],
    });
  }
  return text;
}

/** Why the text is no version that can be released; undefined when it is one. */
export function versionProblem(text: string): string | undefined {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  if (text === '') return 'a version is missing';
  if (/^v\d/i.test(text)) return `${shown} has a leading "v"; write it without`;
  if (semver.parse(text) === null) return `${shown} is not a version (major.minor.patch, and a label such as -RC1 where wanted)`;
  if (!tagPattern.test(text))
    return `${shown} cannot be an image tag (letters, digits, "_", ".", "-"; at most 128 characters; no "+")`;
  return undefined;
}

/** `SNAPSHOT` sorts before every other label, and digits at the end of a label count as a number. */
function normalForm(version: string): semver.SemVer | undefined {
  const parsed = semver.parse(version);
  if (parsed === null) return undefined;
  const labels = parsed.prerelease.flatMap(part => {
    if (typeof part === 'number') return [part];
    if (part.toUpperCase() === 'SNAPSHOT') return [0, 'SNAPSHOT'];
    const [, name, digits] = /^(.*?)(\d*)$/.exec(part) ?? [];
    return digits ? [name ?? '', Number(digits)] : [part];
  });
  const core = `${parsed.major}.${parsed.minor}.${parsed.patch}`;
  return semver.parse(labels.length === 0 ? core : `${core}-${labels.join('.')}`) ?? parsed;
}

/** Negative when a < b, 0 when equal, positive when a > b; undefined when one of them is no version. */
export function compareVersions(a: string, b: string): number | undefined {
  const left = normalForm(a);
  const right = normalForm(b);
  if (left === undefined || right === undefined) return undefined;
  return semver.compare(left, right);
}

export function isDowngrade(from: string | undefined, to: string): boolean {
  return from !== undefined && (compareVersions(to, from) ?? 0) < 0;
}

/**
 * The next version, always a later one. `prerelease` counts a label's number up (`-RC1` → `-RC2`, `-beta` → `-beta1`), or starts
 * with `-RC1`: of the version itself after its `-SNAPSHOT`, else of the next patch.
 */
export function bumpVersion(version: string, bump: Bump): string {
  const parsed = semver.parse(version);
  if (parsed === null)
    throw new UsageError(`--bump ${bump}: ${JSON.stringify(version)} is not a version that can be counted up`, {code: 'DW210'});
  if (bump !== 'prerelease') return semver.inc(version, bump) ?? version;
  const core = `${parsed.major}.${parsed.minor}.${parsed.patch}`;
  const label = parsed.prerelease.join('.');
  if (label === '') return `${semver.inc(version, 'patch') ?? core}-RC1`;
  if (label.toUpperCase() === 'SNAPSHOT') return `${core}-RC1`;
  const [, name = '', number] = /^(.*?)(\d*)$/.exec(label) ?? [];
  return `${core}-${name}${Number(number) + 1}`;
}
