/** What ECR holds. */
import {z} from 'zod';
import {type AwsOptions, clientConfig, errorName, lazy, read} from './session.ts';

export interface EcrImage {
  readonly digest: string;
  /** `ACTIVE`, `ARCHIVED`, `ACTIVATING`; an open set. */
  readonly status: string;
}

export interface Ecr {
  /** The image that a tag names; undefined when the repository or the tag is not there. */
  image(repository: string, tag: string): Promise<EcrImage | undefined>;
  /** The digests that an index names, one a platform; none where the digest is no index, or is not there. */
  platforms(repository: string, digest: string): Promise<readonly string[]>;
}

/** All that ECR stores, indexes included: without them it may answer with another manifest than the one asked for. */
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const index = z.object({manifests: z.array(z.object({digest: z.string()}))});

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function createEcr(options: AwsOptions): Ecr {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-ecr');
    return {...module, client: new module.ECRClient(clientConfig(options, 'ECR', 'read'))};
  });
  return {
    image: async (repository, tag) => {
      try {
        return await read(options, 'ecr:DescribeImages', async () => {
          const {client, DescribeImagesCommand} = await sdk();
          const {imageDetails} = await client.send(
            new DescribeImagesCommand({repositoryName: repository, imageIds: [{imageTag: tag}]}),
          );
          const image = imageDetails?.[0];
          return image?.imageDigest === undefined
            ? undefined
            : {digest: image.imageDigest, status: image.imageStatus ?? 'ACTIVE'};
        });
      } catch (error) {
        if (['ImageNotFoundException', 'RepositoryNotFoundException'].includes(errorName(error))) return undefined;
        throw error;
      }
    },
    platforms: (repository, digest) =>
      read(options, 'ecr:BatchGetImage', async () => {
        const {client, BatchGetImageCommand} = await sdk();
        const {images} = await client.send(
          new BatchGetImageCommand({
            repositoryName: repository,
            imageIds: [{imageDigest: digest}],
            acceptedMediaTypes: manifestTypes,
          }),
        );
        const {data} = index.safeParse(parse(images?.[0]?.imageManifest));
        return data?.manifests.map(manifest => manifest.digest) ?? [];
      }),
  };
}
