/** Which versions were released already, as far as the deployed one, the registry and git tell. */
import {parseImageName} from '../../../tools/registry.ts';
import type {Observed} from '../../../release/contract.ts';
import {compareVersions, isDowngrade} from '../../../release/version.ts';
import {readText} from '../../../tools/files.ts';
import type {Io} from '../../io.ts';
import {type Source, type TerraformConfig, pathsOf} from '../config.ts';
import {currentValues, versionIn} from '../set-values.ts';
import {withLogin} from './login.ts';
import {statedVersion} from './version-files.ts';

export interface Released {
  /** What the tfvars file names. */
  readonly deployed: string | undefined;
  /** The newest of the registry's tags; null where the registry cannot be asked. */
  readonly pushed: string | undefined | null;
  /** The newest that a git tag names. */
  readonly tagged: string | undefined;
}

/**
 * What the version files state; and, where that is ahead of what is deployed, whether it was released before: asking the registry takes
 * a moment, and says nothing otherwise.
 */
export async function observeSource(
  component: TerraformConfig,
  source: Source,
  deployed: string | undefined,
  io: Io,
): Promise<Pick<Observed<unknown>, 'source' | 'sourceNote'>> {
  const stated = await statedVersion(source, io);
  if (stated === undefined || !isDowngrade(stated, deployed ?? stated)) return stated === undefined ? {} : {source: stated};
  const released = await releasedVersions(component, source, io);
  const words = releasedInWords(released);
  return {source: stated, sourceNote: isIncreased(stated, released) ? `increased, never released (${words})` : words};
}

export async function releasedVersions(component: TerraformConfig, source: Source, io: Io): Promise<Released> {
  const {varFile, context} = pathsOf(component, io);
  const name = parseImageName(source.build.image);
  const [text, tags, gitTags] = await Promise.all([
    readText(varFile),
    withLogin(io, name.registry, source.build.login, () => io.registry.tags(name, io.signal)).catch(() => null),
    tagsOfRepository(context, io),
  ]);
  return {
    deployed: versionIn(currentValues(text.text, varFile, component.set), component.set, io.version),
    pushed: tags === null ? null : newest(tags),
    tagged: newest(gitTags.flatMap(tag => versionOfTag(tag, source.git.tag, io.version))),
  };
}

async function tagsOfRepository(folder: string, io: Io): Promise<readonly string[]> {
  const root = await io.git.root(folder);
  return root === undefined ? [] : io.git.tags(root);
}

/** The version that a git tag names, as the config writes its tags; with or without a `v` where the config makes none. */
export function versionOfTag(tag: string, written: string | undefined, bound: string): readonly string[] {
  if (written === undefined) return [tag.replace(/^v(?=\d)/, '')];
  const found = versionIn({tag}, {tag: written}, bound);
  return found === undefined ? [] : [found];
}

const newest = (versions: readonly string[]): string | undefined =>
  versions.filter(version => compareVersions(version, version) !== undefined).toSorted((a, b) => compareVersions(b, a) ?? 0)[0];

/** Whether a version is newer than everything that was released: it was increased, and never released. */
export function isIncreased(version: string, {deployed, pushed, tagged}: Released): boolean {
  const all = [deployed, pushed, tagged].flatMap(one => one ?? []);
  return all.length > 0 && all.every(one => (compareVersions(version, one) ?? 0) > 0);
}

/** `deployed 0.7.1, newest pushed 0.7.1, no git tag` */
export function releasedInWords({deployed, pushed, tagged}: Released): string {
  return [
    deployed === undefined ? 'deployed version unknown' : `deployed ${deployed}`,
    pushed === null
      ? 'the registry does not say what was pushed'
      : pushed === undefined
        ? 'none pushed'
        : `newest pushed ${pushed}`,
    tagged === undefined ? 'no git tag' : `newest git tag ${tagged}`,
  ].join(', ');
}
