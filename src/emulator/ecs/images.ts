import type {Account} from '../account.ts';
import {findImage, registryHost} from '../ecr/repository.ts';
import {digestOf} from '../naming.ts';
import type {ContainerImage, TaskDefinition} from './model.ts';

/**
 * Resolves the images of a task definition to digests, as ECS does once for a deployment ("version consistency").
 * Only this account's registry is looked into. Of any other registry everything is taken to exist, with a digest that its
 * name determines.
 */
export const resolveImages = (account: Account, {containers}: TaskDefinition): readonly ContainerImage[] =>
  containers.map(({name, image, healthCheck}) => ({
    containerName: name,
    image,
    imageDigest: resolveImage(account, image),
    hasHealthCheck: healthCheck !== undefined,
  }));

/** The digest that an image reference stands for now; undefined: there is no such image. */
export function resolveImage(account: Account, reference: string): string | undefined {
  const {repository, imageTag, imageDigest} = parseReference(reference);
  const prefix = `${registryHost(account)}/`;
  if (!repository.startsWith(prefix)) return imageDigest ?? digestOf(reference);
  const found = account.repositories.get(repository.slice(prefix.length));
  const image = found && findImage(found, imageDigest === undefined ? {imageTag} : {imageDigest});
  return image?.status === 'ACTIVE' ? image.digest : undefined;
}

/** `host:port/name:tag@digest`: a colon is a tag's only after the last slash, and the tag is `latest` if nothing else is said. */
function parseReference(reference: string): {repository: string; imageTag: string; imageDigest: string | undefined} {
  const [named = '', imageDigest] = reference.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return colon === -1
    ? {repository: named, imageTag: 'latest', imageDigest}
    : {repository: named.slice(0, colon), imageTag: named.slice(colon + 1), imageDigest};
}
