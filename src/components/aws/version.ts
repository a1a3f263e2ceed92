/** Which version a definition runs, as its images tell. */
import {compareVersions, versionProblem} from '../../release/version.ts';
import type {TaskDefinition} from '../../tools/aws/ecs.ts';
import {digestIn, ecrRepository, tagOf} from '../images.ts';
import type {Io as EveryIo} from '../io.ts';
import {imagesOf} from './task-definition.ts';

/** What of the world is needed here. */
interface Io {
  readonly aws: {readonly ecr: Pick<EveryIo['aws']['ecr'], 'image'>};
}

/** The version that the tags of the named containers agree on. */
export function versionIn(definition: TaskDefinition, names: readonly string[]): string | undefined {
  const now = imagesOf(definition);
  const tags = new Set(names.map(name => tagOf(now.get(name) ?? '')));
  const [tag] = tags;
  return tags.size === 1 ? tag : undefined;
}

/** The same; where an image is named by its digest alone, ECR says what it is released as: of several versions the highest. */
export async function versionOf(definition: TaskDefinition, names: readonly string[], io: Io): Promise<string | undefined> {
  const named = versionIn(definition, names);
  if (named !== undefined) return named;
  const now = imagesOf(definition);
  const [first = [], ...rest] = await Promise.all(names.map(name => versionsOf(now.get(name) ?? '', io)));
  return first
    .filter(version => rest.every(versions => versions.includes(version)))
    .toSorted((a, b) => compareVersions(b, a) ?? 0)[0];
}

async function versionsOf(image: string, io: Io): Promise<readonly string[]> {
  const [tag, digest, repository] = [tagOf(image), digestIn(image), ecrRepository(image)];
  if (tag !== undefined) return [tag];
  if (digest === undefined || repository === undefined) return [];
  // For people, and for what is a downgrade: who may not ask goes without.
  const found = await io.aws.ecr.image(repository, digest).catch(() => undefined);
  return (found?.tags ?? []).filter(version => versionProblem(version) === undefined);
}
