/**
 * What the form shows of the world before anything is chosen: read-only, and never more than was asked for. Its first screen has to
 * be there at once: all that looks at anything is loaded behind it.
 */
import {UsageError} from '../release/errors.ts';
import type {ComponentCard, EnvironmentCard, Survey, VersionSuggestion} from '../release/form.ts';
import type {Allowance} from '../release/policy.ts';
import {type Bump, bumpVersion, compareVersions} from '../release/version.ts';
import type {LoadedConfig} from '../config/load.ts';
import type {Application} from './application.ts';
import type {Context} from './context.ts';
import type {Eyes} from './survey/eyes.ts';

/** Bound with a version that no release has: an observation must not depend on it. */
export const noVersion = '0.0.0-unknown';

/** `open`: the application with its records, opened when somebody first looks. */
export function createSurvey(
  context: Context,
  {config}: LoadedConfig,
  open: () => Promise<Application>,
  allowances: readonly Allowance[],
): Survey {
  let opened: Promise<Eyes> | undefined;
  const eyes = (): Promise<Eyes> =>
    (opened ??= Promise.all([import('./survey/eyes.ts'), open()]).then(([{openEyes}, application]) =>
      openEyes(context, application, allowances),
    ));
  const looked = new Map<string, Promise<readonly ComponentCard[]>>();
  const environments = Object.entries(config.environments).map(([name, {aws}]): EnvironmentCard => ({
    name,
    ...(aws?.accountId && {account: aws.accountId}),
    ...(aws?.region && {region: aws.region}),
  }));
  return {
    application: config.application,
    environments,
    presets: config.presets,
    recall: async name => ({
      ...environments.find(card => card.name === name),
      ...(await (await eyes()).recall(name)),
      name,
    }),
    reach: async (environment, signal) => (await eyes()).reach(environment, signal),
    look: (environment, signal, found = () => undefined) => {
      // Asked again when the operator goes back and forth; the world is looked at once.
      const known = looked.get(environment);
      if (known !== undefined) return known;
      const looking = eyes().then(open => open.look(environment, signal, found));
      looked.set(environment, looking);
      signal.addEventListener('abort', () => looked.delete(environment), {once: true});
      return looking;
    },
    suggest: (_environment, cards) => suggestions(cards),
    versions: async (environment, signal, found) => {
      // Whoever goes on meanwhile does not wait for it; what cannot be asked is left out.
      await (await eyes()).versions(environment, signal, found).catch(() => undefined);
    },
  };
}

/** The newest of what is deployed; else what a source file says. */
export function currentVersion(cards: readonly ComponentCard[]): string | undefined {
  const newest = (all: readonly (string | undefined)[]) =>
    all.filter(version => version !== undefined).toSorted((a, b) => compareVersions(b, a) ?? 0)[0];
  return newest(cards.map(({version}) => version)) ?? newest(cards.map(({source}) => source));
}

/** Versions worth offering, best first: one that was increased and not released yet is kept before another is made. */
export function suggestions(cards: readonly ComponentCard[]): readonly VersionSuggestion[] {
  const now = currentVersion(cards);
  const {source, sourceNote} = cards.find(card => card.source !== undefined) ?? {};
  if (now === undefined) return [];
  const bumped = (['patch', 'minor', 'major', 'prerelease'] as const).flatMap(bump => {
    try {
      return [{version: bumpVersion(now, bump), text: bump === 'prerelease' ? 'release candidate' : bump}];
    } catch {
      return [];
    }
  });
  const ahead =
    source !== undefined && (compareVersions(source, now) ?? 0) > 0
      ? [{version: source, text: `what the source says already${sourceNote === undefined ? '' : `: ${sourceNote}`}`}]
      : [];
  // Nothing says what is deployed: what the source says was never released, or did not come to its end.
  if (cards.every(({version}) => version === undefined)) return [{version: now, text: 'what the source says'}, ...bumped];
  return [...ahead, ...bumped.filter(({version}) => version !== source), {version: now, text: 'what is deployed'}];
}

/** The version that `--bump` means, counted from what is deployed. Throws a UsageError where nothing can be counted. */
export function versionFromBump(bump: Bump, cards: readonly ComponentCard[]): string {
  const now = currentVersion(cards);
  const problem = cards.find(card => card.problem !== undefined);
  if (now === undefined) {
    throw new UsageError(
      `--bump ${bump}: no component says what is deployed${problem?.problem ? ` (${problem.id}: ${problem.problem.what})` : ''}`,
      {
        code: 'DW210',
        means: 'Nothing was started.',
        next: ['Give the version itself: --release <version>', ...(problem?.problem?.next ?? [])],
      },
    );
  }
  const version = bumpVersion(now, bump);
  const ahead = cards.find(({source}) => source !== undefined && (compareVersions(source, version) ?? 0) > 0);
  if (ahead?.source !== undefined) {
    throw new UsageError(
      `--bump ${bump} makes ${version} of the deployed ${now}, and the version file of ${ahead.id} says ${ahead.source} already`,
      {
        code: 'DW210',
        means: 'Nothing was started.',
        next: [`To release what the file says: --release ${ahead.source}`],
      },
    );
  }
  return version;
}
