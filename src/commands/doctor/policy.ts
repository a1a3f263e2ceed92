/**
 * The IAM policy that a config file takes in one environment: the permissions of its components (permissions.ts), on what it names.
 * Nothing is asked of AWS. What a release needs and what only explains failures are statements apart.
 */
import type {Json} from '../../release/json.ts';
import type {Config} from '../../config/schema.ts';
import type {Place} from '../../components/io.ts';
import {type Source, machineName, sourceOf} from '../../components/loaders/target.ts';
import {type Permission, type Subject, type Work, permissions} from '../../components/aws/permissions.ts';

/** One component's settings, with their references replaced. */
export type Settings = Config['components'][string];

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Json;
}

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** What a piece of work is about, as ARNs or patterns of such. What is not in it is not needed. */
type Resources = Readonly<Partial<Record<Subject, readonly string[]>>>;

interface Part {
  readonly work: Work;
  readonly on: Resources;
}

/** `store`: the bucket and the prefix of the records, where they are in S3. */
export function policyFor(
  place: Pick<Place, 'accountId' | 'region'>,
  components: readonly Settings[],
  {
    registries,
    store,
  }: Pick<Config, 'registries'> & {readonly store: {readonly bucket: string; readonly prefix: string} | undefined},
): Policy {
  const arn = arnsIn(place);
  const repositories = (images: readonly string[]) =>
    images.flatMap(image => {
      const slash = image.indexOf('/');
      return Object.hasOwn(registries, image.slice(0, slash)) ? [arn('ecr', `repository/${image.slice(slash + 1)}`)] : [];
    });
  const copied = (images: readonly string[]) =>
    images.filter(image => registries[image.slice(0, image.indexOf('/'))]?.copyFrom !== undefined);

  const parts = components.flatMap((settings): readonly Part[] => {
    const images = imagesOf(settings);
    const own = resourcesOf(settings, arn);
    if (own === undefined) return [];
    const common = {any: ['*'], role: [arn('iam', 'role/*')], repository: repositories(images)};
    const copies = repositories(copied(images));
    return [
      {work: own.work, on: {...common, ...own.on}},
      ...(copies.length === 0 ? [] : [{work: 'copyFrom' as const, on: {any: ['*'], repository: copies}}]),
    ];
  });
  const bucket = store && `arn:${partitionOf(place.region)}:s3:::${store.bucket}`;
  const objects = store && `${bucket}/${store.prefix === '' ? '' : `${store.prefix}/`}*`;
  const records: readonly Part[] =
    bucket === undefined || objects === undefined ? [] : [{work: 'store', on: {store: [bucket, objects]}}];
  return {Version: '2012-10-17', Statement: statements([...parts, ...records], place)};
}

type Arns = (service: string, resource: string) => string;

function arnsIn({accountId = '*', region = '*'}: Pick<Place, 'accountId' | 'region'>): Arns {
  const partition = partitionOf(region);
  return (service, resource) => `arn:${partition}:${service}:${service === 'iam' ? '' : region}:${accountId}:${resource}`;
}

function partitionOf(region = ''): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

function imagesOf(settings: Settings): readonly string[] {
  switch (settings.kind) {
    case 'terraform':
      return [];
    case 'sns-trigger':
      return settings.images;
    case 'ecs-service':
    case 'ecs-scheduled-task':
    case 'batch-job-definition':
      return Object.values(settings.images);
  }
}

/** What the calls of a component are about; undefined for one that calls no AWS itself (Terraform's permissions are its own). */
function resourcesOf(settings: Settings, arn: Arns): Part | undefined {
  switch (settings.kind) {
    case 'terraform':
      return undefined;
    case 'sns-trigger': {
      const {topic} = settings;
      return {
        work: 'sns-trigger',
        on: {topic: [topic.startsWith('arn:') ? topic : arn('sns', topic)], key: [arn('kms', 'key/*')]},
      };
    }
    case 'ecs-service': {
      const cluster = settings.cluster.slice(settings.cluster.lastIndexOf('/') + 1);
      const at = `${cluster}/${settings.service}`;
      return {
        work: 'ecs-service',
        on: {
          service: [arn('ecs', `service/${at}`)],
          'service deployment': [arn('ecs', `service-deployment/${at}/*`)],
          'service revision': [arn('ecs', `service-revision/${at}/*`)],
          task: [arn('ecs', `task/${cluster}/*`)],
          'container instance': [arn('ecs', `container-instance/${cluster}/*`)],
          // The file does not name it.
          'task definition': [arn('ecs', 'task-definition/*:*')],
          'log stream': [arn('logs', 'log-group:*:log-stream:*')],
        },
      };
    }
    case 'ecs-scheduled-task': {
      const revisions = [arn('ecs', `task-definition/${settings.family}:*`)];
      return {
        work: 'ecs-scheduled-task',
        on: {
          ...startedBy(settings.targets.map(sourceOf), arn),
          'task definition': revisions,
          ...(settings.smoke && {
            'smoke run': revisions,
            task: [arn('ecs', 'task/*')],
            'container instance': [arn('ecs', 'container-instance/*')],
            'log stream': [arn('logs', 'log-group:*:log-stream:*')],
          }),
        },
      };
    }
    case 'batch-job-definition': {
      const revisions = [
        arn('batch', `job-definition/${settings.jobDefinition}`),
        arn('batch', `job-definition/${settings.jobDefinition}:*`),
      ];
      return {
        work: 'batch-job-definition',
        on: {
          ...startedBy(settings.targets.map(sourceOf), arn),
          'job definition': revisions,
          ...(settings.smoke && {
            'smoke run': [...revisions, arn('batch', 'job-queue/*')],
            'smoke runs': ['*'],
            'log stream': [arn('logs', 'log-group:*:log-stream:*')],
          }),
        },
      };
    }
  }
}

function startedBy(sources: readonly Source[], arn: Arns): Resources {
  const of = (is: Source['is']) => sources.filter(source => source.is === is).map(source => sourceArn(source, arn));
  return {rule: of('rule'), schedule: of('schedule'), 'state machine': of('stateMachine')};
}

function sourceArn(source: Source, arn: Arns): string {
  switch (source.is) {
    case 'rule':
      return arn('events', source.bus === 'default' ? `rule/${source.name}` : `rule/${source.bus}/${source.name}`);
    case 'schedule':
      return arn('scheduler', `schedule/${source.group}/${source.name}`);
    case 'stateMachine':
      return source.machine.startsWith('arn:') ? source.machine : arn('states', `stateMachine:${machineName(source.machine)}`);
  }
}

/** What a role may be given to, and where a key may be used: nobody else gets anything by them. */
function conditionOf({action}: Permission, {region = '*'}: Pick<Place, 'region'>): Json | undefined {
  if (action === 'iam:PassRole') {
    const services = ['ecs-tasks.amazonaws.com', 'events.amazonaws.com', 'scheduler.amazonaws.com'];
    return {StringEquals: {'iam:PassedToService': services}};
  }
  return action.startsWith('kms:') ? {StringLike: {'kms:ViaService': `sns.${region}.amazonaws.com`}} : undefined;
}

/** One statement for what is needed alike, on the same, under the same condition. */
function statements(parts: readonly Part[], place: Pick<Place, 'region'>): readonly Statement[] {
  const wanted = parts.flatMap(({work, on}) => {
    const table: readonly Permission[] = permissions[work];
    return table.flatMap(permission => {
      const resources = on[permission.on] ?? [];
      return resources.length === 0 ? [] : [{permission, resources}];
    });
  });
  // An action that one component needs is no mere help to another.
  const required = new Set(wanted.flatMap(({permission: {need, action}}) => (need === 'help' ? [] : [action])));
  const byAction = Map.groupBy(wanted, ({permission: {action}}) => action);
  const lines = [...byAction].map(([action, all]) => ({
    action,
    title: required.has(action) ? 'Required' : 'Diagnostic',
    resources: [...new Set(all.flatMap(({resources}) => resources))].sort(),
    condition: all[0] && conditionOf(all[0].permission, place),
  }));
  const groups = Map.groupBy(lines, ({title, resources, condition}) => JSON.stringify([title, resources, condition ?? null]));
  const counts = {Required: 0, Diagnostic: 0};
  return [...groups.values()]
    .toSorted(([a], [b]) => (b?.title ?? '').localeCompare(a?.title ?? ''))
    .flatMap(group => {
      const [first] = group;
      if (first === undefined) return [];
      const {title, resources, condition} = first;
      const number = title === 'Required' ? (counts.Required += 1) : (counts.Diagnostic += 1);
      return [
        {
          Sid: `${title}${number}`,
          Effect: 'Allow' as const,
          Action: group.map(({action}) => action).sort(),
          Resource: resources,
          ...(condition !== undefined && {Condition: condition}),
        },
      ];
    });
}
