/** What the form shows of the world before anything is chosen: read-only, and never more than was asked for. */
import type {Io} from '../components/io.ts';
import type {Component, Stop} from '../release/contract.ts';
import {UsageError, toTrouble} from '../release/errors.ts';
import type {ComponentCard, EnvironmentCard, Survey, VersionSuggestion} from '../release/form.ts';
import {wholeRelease} from '../release/model.ts';
import {type Bump, bumpVersion, compareVersions} from '../release/version.ts';
import type {LastRelease} from '../record/last-release.ts';
import type {Application} from './application.ts';

/** Bound with a version that no release has: an observation must not depend on it. */
export const noVersion = '0.0.0-unknown';

export interface SurveyOptions {
  readonly application: Application;
  readonly last: ReadonlyMap<string, LastRelease>;
  components(environment: string): readonly Component<Io>[];
  io(environment: string): (stop: Stop) => Io;
}

export function createSurvey({application: {loaded}, last, components, io}: SurveyOptions): Survey {
  const looked = new Map<string, Promise<readonly ComponentCard[]>>();
  const lookAt = (
    environment: string,
    signal: AbortSignal,
    found: (card: ComponentCard) => void,
  ): Promise<readonly ComponentCard[]> => {
    const make = io(environment);
    const worldIo = make({signal, command: () => undefined, request: () => undefined});
    const cardOf = async (component: Component<Io>) => {
      const made = await card(component, worldIo);
      found(made);
      return made;
    };
    return Promise.all(components(environment).map(cardOf));
  };
  return {
    application: loaded.config.application,
    environments: Object.entries(loaded.config.environments).map(([name, {aws}]): EnvironmentCard => {
      const release = last.get(name);
      return {
        name,
        ...(aws?.accountId && {account: aws.accountId}),
        ...(aws?.region && {region: aws.region}),
        ...(release && {last: {version: release.version, outcome: release.outcome, at: release.at, by: release.by}}),
      };
    }),
    look: (environment, signal, found = () => undefined) => {
      // Asked again when the operator goes back and forth; the world is looked at once.
      const known = looked.get(environment);
      if (known !== undefined) return known;
      const looking = lookAt(environment, signal, found);
      looked.set(environment, looking);
      signal.addEventListener('abort', () => looked.delete(environment), {once: true});
      return looking;
    },
    suggest: (_environment, cards) => suggestions(cards),
  };
}

async function card(component: Component<Io>, io: Io): Promise<ComponentCard> {
  const {id, kind, needs} = component;
  try {
    const observed = await component.observe(io);
    return {
      id,
      kind,
      needs,
      ...(observed?.version && {version: observed.version}),
      ...(observed?.source && {source: observed.source}),
    };
  } catch (error) {
    const {what, next} = toTrouble(error);
    return {id, kind, needs, problem: {what, ...(next && {next})}};
  }
}

/** The newest of what is deployed; else what a source file says. */
export function currentVersion(cards: readonly ComponentCard[]): string | undefined {
  const newest = (all: readonly (string | undefined)[]) =>
    all.filter(version => version !== undefined).toSorted((a, b) => compareVersions(b, a) ?? 0)[0];
  return newest(cards.map(({version}) => version)) ?? newest(cards.map(({source}) => source));
}

function suggestions(cards: readonly ComponentCard[]): readonly VersionSuggestion[] {
  const now = currentVersion(cards);
  const source = cards.find(card => card.source !== undefined)?.source;
  if (now === undefined) return [];
  const bumped = (['patch', 'minor', 'major'] as const).flatMap(bump => {
    try {
      return [{version: bumpVersion(now, bump), text: bump}];
    } catch {
      return [];
    }
  });
  const ahead =
    source !== undefined && (compareVersions(source, now) ?? 0) > 0
      ? [{version: source, text: 'what the source says already'}]
      : [];
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
        means: 'Nothing was started.',
        next: [`To release what the file says: --release ${ahead.source}`],
      },
    );
  }
  return version;
}

export const surveyJob = {component: wholeRelease, phase: 'preflight'} as const;
