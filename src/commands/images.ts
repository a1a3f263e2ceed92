/** Images as the config names them: where they are in this environment, and where a missing one is copied from. */
import {digestIn, ecrRepository, tagOf} from '../components/images.ts';
import type {Image, ImageSource, Io, Place} from '../components/io.ts';
import type {Config} from '../config/schema.ts';
import {DeployError, UsageError} from '../release/errors.ts';
import type {Aws} from '../tools/aws/index.ts';
import {LoginError, type Registry, formatImageName, parseImageName} from '../tools/registry.ts';

export interface Images {
  image(setting: string, tag: string): Promise<Image>;
  digestOf(uri: string): Promise<string | undefined>;
  tagsOf(setting: string): ReturnType<Io['tagsOf']>;
  /** The first component that asks is the one that copies it. */
  copierOf(setting: string, component: string): string;
}

export function createImages(options: {
  readonly registries: Config['registries'];
  readonly place: Place;
  readonly aws: Aws;
  readonly registry: Registry;
  readonly learnSecret: (secret: string) => void;
}): Images {
  const {registries, place, aws, registry, learnSecret} = options;
  const copiers = new Map<string, string>();

  const region = (): string => {
    if (place.region !== undefined) return place.region;
    throw new UsageError(`environment ${place.name} has no aws.region: it takes one to name images in ECR`);
  };

  const ecrHost = async (): Promise<string> => {
    const account = place.accountId ?? (await aws.sts.identity()).account;
    return `${account}.dkr.ecr.${region()}.amazonaws.com${region().startsWith('cn-') ? '.cn' : ''}`;
  };

  /** The same tag of the repository that the registry is copied from. */
  const sourceOf = (copyFrom: string, repository: string, tag: string): ImageSource => {
    const from = {...parseImageName(`${copyFrom}/${repository}`), tag};
    return {
      uri: formatImageName(from),
      digest: () => registry.digest(from, tag),
      copy: async (digest, sinks) => {
        const {registry: host, ...login} = await aws.ecr.token(region());
        learnSecret(login.password);
        return registry.copy({from, digest, to: {registry: host, repository, tag}, login}, sinks).catch((error: unknown) => {
          throw error instanceof LoginError && error.registry === host ? notAllowed(error) : error;
        });
      },
    };
  };

  const ecrImage = async (repository: string, tag: string, copyFrom: string | undefined): Promise<Image> => ({
    uri: `${await ecrHost()}/${repository}:${tag}`,
    tag,
    repository,
    inEcr: true,
    digest: async () => {
      const found = await aws.ecr.image(repository, tag);
      return found && {digest: found.digest, status: found.status, usable: found.status === 'ACTIVE'};
    },
    ...(copyFrom !== undefined && {source: sourceOf(copyFrom, repository, tag)}),
  });

  return {
    image: async (setting, tag) => {
      const slash = setting.indexOf('/');
      const registryName = setting.slice(0, Math.max(slash, 0));
      if (Object.hasOwn(registries, registryName)) {
        return ecrImage(setting.slice(slash + 1), tag, registries[registryName]?.copyFrom);
      }
      const name = parseImageName(setting);
      return {
        uri: formatImageName({...name, tag}),
        tag,
        repository: setting,
        inEcr: false,
        digest: async () => {
          const digest = await registry.digest(name, tag);
          return digest === undefined ? undefined : {digest, status: 'ACTIVE', usable: true};
        },
      };
    },

    digestOf: async uri => {
      const [repository, reference] = [ecrRepository(uri), digestIn(uri) ?? tagOf(uri)];
      // Of our own account and region; any other is asked as every registry is.
      if (repository !== undefined && reference !== undefined && uri.startsWith(`${await ecrHost()}/`)) {
        return (await aws.ecr.image(repository, reference))?.digest;
      }
      const name = parseImageName(uri);
      return registry.digest(name, digestIn(uri) ?? name.tag ?? 'latest');
    },

    tagsOf: async setting => {
      const slash = setting.indexOf('/');
      if (Object.hasOwn(registries, setting.slice(0, Math.max(slash, 0)))) return aws.ecr.tags(setting.slice(slash + 1));
      return (await registry.tags(parseImageName(setting))).map(tag => ({tag, pushedAt: undefined}));
    },

    copierOf: (setting, component) => {
      const first = copiers.get(setting) ?? component;
      copiers.set(setting, first);
      return first;
    },
  };
}

/** The token is ECR's own: what is missing is a permission. */
function notAllowed(error: LoginError): DeployError {
  return new DeployError(error.message, {
    means: 'The environment was not touched.',
    next: ['Ask for the permission to push images to ECR, or have somebody push them who may.'],
    cause: error,
  });
}
