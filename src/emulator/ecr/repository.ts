import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {digestOf} from '../naming.ts';

export interface Image {
  readonly digest: string;
  readonly manifest: string;
  readonly mediaType: string;
  readonly pushedAt: number;
  /** ARCHIVED: it is listed, but cannot be pulled. */
  readonly status: 'ACTIVE' | 'ARCHIVED';
}

export type TagMutability = 'MUTABLE' | 'IMMUTABLE';

export interface Repository {
  readonly name: string;
  readonly arn: string;
  /** `<host>/<name>`: what an image reference starts with. */
  readonly uri: string;
  readonly createdAt: number;
  readonly tagMutability: TagMutability;
  /** By digest, in order of pushing. */
  readonly images: Map<string, Image>;
  /** Tag → digest. */
  readonly tags: Map<string, string>;
}

/** Which image is meant; a digest wins over a tag, and both must agree. */
export interface ImageId {
  readonly imageDigest?: string | undefined;
  readonly imageTag?: string | undefined;
}

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** The host of this account's private registry. */
export const registryHost = ({id, region}: Account): string => `${id}.dkr.ecr.${region}.amazonaws.com`;

export function createRepository(account: Account, name: string, tagMutability: TagMutability = 'MUTABLE'): Repository {
  if (account.repositories.has(name)) {
    throw new AwsError(
      'RepositoryAlreadyExistsException',
      `The repository with name '${name}' already exists in the registry with id '${account.id}'`,
    );
  }
  const repository: Repository = {
    name,
    arn: arnIn(account, 'ecr', `repository/${name}`),
    uri: `${registryHost(account)}/${name}`,
    createdAt: account.clock.now(),
    tagMutability,
    images: new Map(),
    tags: new Map(),
  };
  account.repositories.set(name, repository);
  return repository;
}

export function repositoryNamed(account: Account, name: string): Repository {
  const repository = account.repositories.get(name);
  if (repository !== undefined) return repository;
  throw new AwsError(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry with id '${account.id}'`,
  );
}

export function findImage({images, tags}: Repository, {imageDigest, imageTag}: ImageId): Image | undefined {
  const tagged = imageTag === undefined ? undefined : tags.get(imageTag);
  if (imageTag !== undefined && tagged === undefined) return undefined;
  if (imageDigest !== undefined && tagged !== undefined && tagged !== imageDigest) return undefined;
  return images.get(imageDigest ?? tagged ?? '');
}

export const tagsOf = ({tags}: Repository, {digest}: Image): readonly string[] =>
  [...tags].filter(([, tagged]) => tagged === digest).map(([tag]) => tag);

export interface PushedImage {
  readonly manifest: string;
  readonly mediaType?: string | undefined;
  readonly tag?: string | undefined;
}

/** Stores a manifest and moves the tag to it, under ECR's rules for immutable tags and repeated pushes. */
export function putImage(
  account: Account,
  repository: Repository,
  {manifest, mediaType = OCI_MANIFEST, tag}: PushedImage,
): Image {
  const digest = digestOf(manifest);
  const where = `in the repository with name '${repository.name}' in registry with id '${account.id}'`;
  const present = repository.images.get(digest);
  const tagged = tag === undefined ? undefined : repository.tags.get(tag);
  if (present !== undefined && (tag === undefined || tagged === digest)) {
    const named = tag === undefined ? '' : ` and tag '${tag}'`;
    throw new AwsError('ImageAlreadyExistsException', `Image with digest '${digest}'${named} already exists ${where}`);
  }
  if (tagged !== undefined && repository.tagMutability === 'IMMUTABLE') {
    throw new AwsError(
      'ImageTagAlreadyExistsException',
      `The image tag '${tag}' already exists ${where} and cannot be overwritten because the tag is immutable.`,
    );
  }
  const image: Image = present ?? {digest, manifest, mediaType, pushedAt: account.clock.now(), status: 'ACTIVE'};
  repository.images.set(digest, image);
  if (tag !== undefined) repository.tags.set(tag, digest);
  return image;
}

/** A small but well-formed OCI manifest, different for every `content`. */
export const manifestFor = (content: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(`config of ${content}`), size: 2},
    layers: [{mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(`layer of ${content}`), size: 32}],
  });
