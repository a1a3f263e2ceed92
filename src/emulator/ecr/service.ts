import * as z from 'zod';
import type {Account} from '../account.ts';
import {actionsOf, type Service} from '../action.ts';
import {epochSeconds} from '../clock.ts';
import {AwsError} from '../errors.ts';
import {paginate} from '../pagination.ts';
import {AUTHORIZATION_TOKEN} from './registry.ts';
import {
  createRepository,
  findImage,
  type Image,
  type ImageId,
  putImage,
  registryHost,
  type Repository,
  repositoryNamed,
  tagsOf,
} from './repository.ts';

const codes = {invalidInput: 'InvalidParameterException', internal: 'ServerException'};
const action = actionsOf(codes);

const page = {nextToken: z.string().optional(), maxResults: z.int().min(1).max(1000).default(100)};
const repositoryName = z
  .string()
  .min(2)
  .max(256)
  .regex(/^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/);
const imageId = z.object({imageDigest: z.string().optional(), imageTag: z.string().optional()});

/** Authorization tokens live for 12 hours. */
const TOKEN_LIFETIME = 12 * 60 * 60 * 1000;

export const ecr: Service = {
  name: 'ecr',
  wire: {protocol: 'json', version: '1.1', target: 'AmazonEC2ContainerRegistry_V20150921'},
  codes,
  actions: {
    CreateRepository: action(
      z.object({repositoryName, imageTagMutability: z.enum(['MUTABLE', 'IMMUTABLE']).default('MUTABLE')}),
      (account, input) => ({
        repository: describe(account, createRepository(account, input.repositoryName, input.imageTagMutability)),
      }),
    ),

    DescribeRepositories: action(z.object({repositoryNames: z.array(z.string()).optional(), ...page}), (account, input) => {
      const all = input.repositoryNames?.map(name => repositoryNamed(account, name)) ?? [...account.repositories.values()];
      const {items, nextToken} = paginate(all, pageOf(input));
      return {repositories: items.map(repository => describe(account, repository)), nextToken};
    }),

    DescribeImages: action(
      z.object({repositoryName, imageIds: z.array(imageId).max(100).optional(), ...page}),
      (account, input) => {
        const repository = repositoryNamed(account, input.repositoryName);
        const wanted = input.imageIds?.map(id => imageIn(account, repository, id)) ?? [...repository.images.values()];
        const {items, nextToken} = paginate(wanted, pageOf(input));
        return {imageDetails: items.map(image => detail(account, repository, image)), nextToken};
      },
    ),

    ListImages: action(
      z.object({
        repositoryName,
        filter: z.object({tagStatus: z.enum(['TAGGED', 'UNTAGGED', 'ANY']).optional()}).optional(),
        ...page,
      }),
      (account, input) => {
        const repository = repositoryNamed(account, input.repositoryName);
        const ids = [...repository.images.values()].flatMap(image => identities(repository, image));
        const keep = TAG_FILTERS[input.filter?.tagStatus ?? 'ANY'];
        const {items, nextToken} = paginate(ids.filter(keep), pageOf(input));
        return {imageIds: items, nextToken};
      },
    ),

    // Unlike DescribeImages it names what is missing instead of failing as a whole.
    BatchGetImage: action(z.object({repositoryName, imageIds: z.array(imageId).min(1).max(100)}), (account, input) => {
      const repository = repositoryNamed(account, input.repositoryName);
      const found = input.imageIds.map(id => ({id, image: findImage(repository, id)}));
      return {
        images: found.flatMap(({id, image}) =>
          image === undefined ? [] : [withManifest(account, repository, image, id.imageTag)],
        ),
        failures: found
          .filter(({image}) => image === undefined)
          .map(({id}) => ({imageId: id, failureCode: 'ImageNotFound', failureReason: 'Requested image not found'})),
      };
    }),

    PutImage: action(
      z.object({
        repositoryName,
        imageManifest: z.string().min(1),
        imageManifestMediaType: z.string().optional(),
        imageTag: z.string().optional(),
      }),
      (account, input) => {
        const repository = repositoryNamed(account, input.repositoryName);
        const image = putImage(account, repository, {
          manifest: input.imageManifest,
          mediaType: input.imageManifestMediaType,
          tag: input.imageTag,
        });
        return {image: withManifest(account, repository, image, input.imageTag)};
      },
    ),

    GetAuthorizationToken: action(z.looseObject({}), account => ({
      authorizationData: [
        {
          authorizationToken: AUTHORIZATION_TOKEN,
          expiresAt: epochSeconds(account.clock.now() + TOKEN_LIFETIME),
          proxyEndpoint: account.registryHost ?? `https://${registryHost(account)}`,
        },
      ],
    })),
  },
};

const TAG_FILTERS: Readonly<Record<'TAGGED' | 'UNTAGGED' | 'ANY', (id: ImageId) => boolean>> = {
  TAGGED: ({imageTag}) => imageTag !== undefined,
  UNTAGGED: ({imageTag}) => imageTag === undefined,
  ANY: () => true,
};

const pageOf = (input: {maxResults: number; nextToken?: string | undefined}) => ({
  limit: input.maxResults,
  token: input.nextToken,
  invalid: codes.invalidInput,
});

function imageIn(account: Account, repository: Repository, id: ImageId): Image {
  const image = findImage(repository, id);
  if (image !== undefined) return image;
  throw new AwsError(
    'ImageNotFoundException',
    `The image with imageId {imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'} does not exist within the repository with name '${repository.name}' in the registry with id '${account.id}'`,
  );
}

/** One identity for each tag, or one without a tag. */
function identities(repository: Repository, image: Image): readonly ImageId[] {
  const tags = tagsOf(repository, image);
  return tags.length === 0 ? [{imageDigest: image.digest}] : tags.map(imageTag => ({imageDigest: image.digest, imageTag}));
}

const describe = (account: Account, repository: Repository) => ({
  repositoryArn: repository.arn,
  registryId: account.id,
  repositoryName: repository.name,
  repositoryUri: repository.uri,
  createdAt: epochSeconds(repository.createdAt),
  imageTagMutability: repository.tagMutability,
  imageScanningConfiguration: {scanOnPush: false},
  encryptionConfiguration: {encryptionType: 'AES256'},
});

function detail(account: Account, repository: Repository, image: Image) {
  const tags = tagsOf(repository, image);
  return {
    registryId: account.id,
    repositoryName: repository.name,
    imageDigest: image.digest,
    imageTags: tags.length === 0 ? undefined : tags,
    imageSizeInBytes: image.manifest.length,
    imagePushedAt: epochSeconds(image.pushedAt),
    imageManifestMediaType: image.mediaType,
    imageStatus: image.status,
  };
}

const withManifest = (account: Account, repository: Repository, image: Image, imageTag: string | undefined) => ({
  registryId: account.id,
  repositoryName: repository.name,
  imageId: {imageDigest: image.digest, imageTag},
  imageManifest: image.manifest,
  imageManifestMediaType: image.mediaType,
});
