/** What ECR holds. */
import * as z from 'zod';
import {DeployError} from '../../release/errors.ts';
import {clientConfig} from './clients.ts';
import {paged} from './paged.ts';
import {type Session, ifThere, lazy} from './session.ts';
import {together} from './together.ts';

export interface EcrImage {
  readonly digest: string;
  /** `ACTIVE`, `ARCHIVED`, `ACTIVATING`; an open set. */
  readonly status: string;
  /** All that it goes by in its repository. */
  readonly tags: readonly string[];
}

export interface EcrTag {
  readonly tag: string;
  /** ISO 8601. */
  readonly pushedAt: string | undefined;
}

/** What a registry of ECR takes for user and password. Secret. */
export interface EcrToken {
  /** Where it is good for: a host, with a port if there is one. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
  /** Milliseconds since the epoch. Twelve hours from its making. */
  readonly endsAt: number;
}

export interface Ecr {
  /** Undefined when there is no such repository. */
  repository(name: string): Promise<{readonly arn: string; readonly mutability: string} | undefined>;
  /** The image that a tag or a digest names; undefined when the repository or the image is not there. */
  image(repository: string, reference: string): Promise<EcrImage | undefined>;
  /** The repository's tags, in no order, and when they were pushed; of very many, some. None when there is no such repository. */
  tags(repository: string): Promise<readonly EcrTag[]>;
  /** The digests that an index names, one a platform; none where the digest is no index, or is not there. */
  platforms(repository: string, digest: string): Promise<readonly string[]>;
  /** A new token for `docker login` at the registries of a region, whichever region the rest is asked in. */
  token(region: string): Promise<EcrToken>;
}

/** What DescribeImages gives at once. */
const imagesPerPage = 1000;
/** So many are looked through. */
const mostImages = 5000;

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

export function createEcr(session: Session): Ecr {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-ecr');
    return {...module, client: new module.ECRClient(clientConfig(session.options, 'ECR', 'read'))};
  });
  const image = together(async (repository: string, reference: string): Promise<EcrImage | undefined> => {
    const call = session.read('ecr:DescribeImages', async () => {
      const {client, DescribeImagesCommand} = await sdk();
      const imageIds = [reference.startsWith('sha256:') ? {imageDigest: reference} : {imageTag: reference}];
      return client.send(new DescribeImagesCommand({repositoryName: repository, imageIds}));
    });
    const [found] = (await ifThere(call, 'ImageNotFoundException', 'RepositoryNotFoundException'))?.imageDetails ?? [];
    return found?.imageDigest === undefined
      ? undefined
      : {digest: found.imageDigest, status: found.imageStatus ?? 'ACTIVE', tags: found.imageTags ?? []};
  });

  return {
    repository: async name => {
      const call = session.read('ecr:DescribeRepositories', async () => {
        const {client, DescribeRepositoriesCommand} = await sdk();
        return client.send(new DescribeRepositoriesCommand({repositoryNames: [name]}));
      });
      const [found] = (await ifThere(call, 'RepositoryNotFoundException'))?.repositories ?? [];
      return found && {arn: found.repositoryArn ?? '', mutability: found.imageTagMutability ?? 'MUTABLE'};
    },
    image: image.ask,
    tags: async repository => {
      const listing = paged({
        ask: nextToken =>
          session.read('ecr:DescribeImages', async () => {
            const {client, DescribeImagesCommand} = await sdk();
            const filter = {tagStatus: 'TAGGED'} as const;
            return client.send(
              new DescribeImagesCommand({repositoryName: repository, filter, maxResults: imagesPerPage, nextToken}),
            );
          }),
        items: ({imageDetails = []}) => imageDetails,
        next: ({nextToken}) => nextToken,
        most: mostImages,
      });
      const {found = []} = (await ifThere(listing, 'RepositoryNotFoundException')) ?? {};
      return found.flatMap(({imageTags = [], imagePushedAt}) =>
        imageTags.map(tag => ({tag, pushedAt: imagePushedAt?.toISOString()})),
      );
    },
    platforms: async (repository, digest) => {
      const {images} = await session.read('ecr:BatchGetImage', async () => {
        const {client, BatchGetImageCommand} = await sdk();
        return client.send(
          new BatchGetImageCommand({
            repositoryName: repository,
            imageIds: [{imageDigest: digest}],
            acceptedMediaTypes: manifestTypes,
          }),
        );
      });
      const {data} = index.safeParse(parse(images?.[0]?.imageManifest));
      return data?.manifests.map(manifest => manifest.digest) ?? [];
    },
    token: async region => {
      const {authorizationData} = await session.read('ecr:GetAuthorizationToken', async () => {
        const {ECRClient, GetAuthorizationTokenCommand} = await sdk();
        const client = new ECRClient(clientConfig({...session.options, region}, 'ECR', 'read'));
        return client.send(new GetAuthorizationTokenCommand({}));
      });
      const {authorizationToken = '', proxyEndpoint = '', expiresAt} = authorizationData?.[0] ?? {};
      const registry = URL.parse(proxyEndpoint)?.host;
      // `AWS:<password>` in base64.
      const [, username, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(authorizationToken, 'base64').toString('utf8')) ?? [];
      if (username === undefined || password === undefined || expiresAt === undefined || registry === undefined) {
        throw new DeployError(`ECR in ${region} gives no token to log in with.`);
      }
      return {registry, username, password, endsAt: expiresAt.getTime()};
    },
  };
}
