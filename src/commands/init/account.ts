/** What an AWS account holds that could be released. A bounded number of calls; what may not be looked at is said, and left out. */
import {imagesIn} from '../../components/aws/containers.ts';
import {type Definition, type Definitions, jobDefinitions, taskDefinitions} from '../../components/aws/definitions.ts';
import {ecrRepository} from '../../components/images.ts';
import type {Io} from '../../components/io.ts';
import {parseReference} from '../../components/loaders/reference.ts';
import {startersOf, survey} from '../../components/loaders/survey.ts';
import type {Source} from '../../components/loaders/target.ts';
import {toTrouble} from '../../release/errors.ts';
import type {Aws} from '../../tools/aws/index.ts';

/** Container → `ecr/<repository>`. */
type Images = Readonly<Record<string, string>>;

export interface FoundService {
  readonly cluster: string;
  readonly service: string;
  readonly images: Images;
}

export interface FoundLoader {
  readonly kind: 'ecs-scheduled-task' | 'batch-job-definition';
  /** Of the family, or the job definition. */
  readonly name: string;
  readonly images: Images;
  readonly sources: readonly Source[];
}

export interface FoundAccount {
  readonly id: string;
  readonly services: readonly FoundService[];
  readonly loaders: readonly FoundLoader[];
  /** Names. */
  readonly topics: readonly string[];
  /** What was left out, and why: one line each. */
  readonly unseen: readonly string[];
}

const mostClusters = 5;
const mostServices = 50;
const mostLoaders = 50;

/** Throws a DeployError where nobody knows who is asking. */
export async function lookAtAccount(aws: Aws, signal: AbortSignal, clock: Io['clock']): Promise<FoundAccount> {
  const {account} = await aws.sts.identity();
  const unseen: string[] = [];
  const part = async <T>(what: string, look: () => Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await look();
    } catch (error) {
      unseen.push(`${what} could not be looked at: ${toTrouble(error).what}`);
      return [];
    }
  };
  const [services, loaders, topics] = await Promise.all([
    part('services', () => servicesIn(aws)),
    part('loaders', () => loadersIn({aws, signal, clock}, unseen)),
    part('topics', () => aws.sns.topics()),
  ]);
  return {id: account, services, loaders, topics: topics.map(arn => arn.slice(arn.lastIndexOf(':') + 1)), unseen};
}

async function servicesIn(aws: Aws): Promise<readonly FoundService[]> {
  const clusters = await aws.ecs.clusters(mostClusters);
  const found = await Promise.all(
    clusters.map(async arn => {
      const cluster = arn.slice(arn.lastIndexOf('/') + 1);
      const names = (await aws.ecs.servicesIn(cluster, mostServices)).map(one => one.slice(one.lastIndexOf('/') + 1));
      return Promise.all(names.map(service => serviceIn(aws, cluster, service)));
    }),
  );
  return found.flat().filter(({images}) => Object.keys(images).length > 0);
}

async function serviceIn(aws: Aws, cluster: string, service: string): Promise<FoundService> {
  const {taskDefinition} = (await aws.ecs.service(cluster, service)) ?? {};
  const definition = taskDefinition === undefined ? undefined : await aws.ecs.taskDefinition(taskDefinition);
  return {cluster, service, images: definition === undefined ? {} : ownImages(definition)};
}

/** The containers that run images of ECR: what else runs beside them is somebody else's release. */
function ownImages({input}: Pick<Definition, 'input'>): Images {
  return Object.fromEntries(
    [...imagesIn(input)].flatMap(([container, image]) => {
      const repository = ecrRepository(image);
      return repository === undefined ? [] : [[container, `ecr/${repository}`] as const];
    }),
  );
}

type Asking = Parameters<Definitions['find']>[1] & Parameters<typeof survey>[0];

/** `named`: by ARN, wherever it stands; or by name in a setting, which may be JSON within JSON. */
const kinds = [
  {
    kind: 'ecs-scheduled-task',
    definitions: taskDefinitions,
    named: /(?::task-definition\/|TaskDefinition\\*":\s*\\*"(?!arn:))([^"\\$]+)/g,
  },
  {
    kind: 'batch-job-definition',
    definitions: jobDefinitions,
    named: /(?::job-definition\/|JobDefinition\\*":\s*\\*"(?!arn:))([^"\\$]+)/g,
  },
] as const;

/** The definitions that rules, schedules and state machines start, with all that starts them. */
async function loadersIn(io: Asking, unseen: string[]): Promise<readonly FoundLoader[]> {
  const seen = await survey(io);
  unseen.push(...seen.unseen);
  const text = JSON.stringify([seen.rules, seen.schedules, seen.machines]);
  const all = kinds.map(async ({kind, definitions, named}) => {
    const names = new Set([...text.matchAll(named)].map(([, reference = '']) => parseReference(reference).name));
    const loaders = [...names]
      .sort()
      .slice(0, mostLoaders)
      .map(async name => {
        const sources = startersOf({service: definitions.service, name}, seen).map(({source}) => source);
        const definition = sources.length === 0 ? undefined : await definitions.find(name, io);
        const images = definition === undefined ? {} : ownImages(definition);
        return Object.keys(images).length === 0 ? [] : [{kind, name, images, sources: distinct(sources)}];
      });
    return (await Promise.all(loaders)).flat();
  });
  return (await Promise.all(all)).flat();
}

function distinct(sources: readonly Source[]): readonly Source[] {
  return [...new Map(sources.map(source => [JSON.stringify(source), source])).values()];
}
