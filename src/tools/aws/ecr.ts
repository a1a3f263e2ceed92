/** What ECR holds. */
import {type AwsOptions, clientConfig, errorName, lazy, read} from './session.ts';

export interface EcrImage {
  readonly digest: string;
  /** `ACTIVE`, `ARCHIVED`, `ACTIVATING`; an open set. */
  readonly status: string;
}

export interface Ecr {
  /** The image that a tag names; undefined when the repository or the tag is not there. */
  image(repository: string, tag: string): Promise<EcrImage | undefined>;
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
  };
}
