/** What each kind of component acts on, as ARNs, and the roles that it gives away: what IAM is asked about. */
import type {Json} from '../../release/json.ts';
import {DeployError} from '../../release/errors.ts';
import type {Io} from '../io.ts';
import {type Source, machineName} from '../loaders/target.ts';
import type {Acting, PassedRole} from './allowed.ts';
import type {Definition} from './definitions.ts';

/** `arn:aws:ecs:us-east-1:111122223333:service/pass/web` of `ecs` and `service/pass/web`, in the place of this release. */
export async function arnHere(service: string, resource: string, io: Pick<Io, 'aws' | 'place'>): Promise<string> {
  const {account, arn} = await io.aws.sts.identity();
  if (io.place.region === undefined) {
    throw new DeployError('no AWS region is set', {
      code: 'DW114',
      means: 'Nothing was changed.',
      next: ['Set aws.region of the environment in the config file.'],
    });
  }
  return `arn:${arn.split(':')[1] ?? 'aws'}:${service}:${io.place.region}:${account}:${resource}`;
}

export async function serviceActing(
  {cluster, service}: {readonly cluster: string; readonly service: string},
  io: Io,
): Promise<Acting> {
  const found = await io.aws.ecs.service(cluster, service);
  const definition = found?.taskDefinition === undefined ? undefined : await io.aws.ecs.taskDefinition(found.taskDefinition);
  const name = cluster.slice(cluster.lastIndexOf('/') + 1);
  const ecs = (resource: string) => arnHere('ecs', resource, io);
  return {
    on: {
      service: [found?.serviceArn ?? (await ecs(`service/${name}/${service}`))],
      task: [await ecs(`task/${name}/*`)],
      'container instance': [await ecs(`container-instance/${name}/*`)],
      ...(definition && {
        'task definition': [await ecs(`task-definition/${definition.family}:*`)],
        'log stream': await Promise.all(
          logGroupsIn(definition).map(group => arnHere('logs', `log-group:${group}:log-stream:*`, io)),
        ),
      }),
    },
    passes: definition ? rolesIn(definition) : [],
  };
}

/** Without a definition there is nothing to register, and nothing that could be asked. */
export async function loaderActing(
  definition: Definition | undefined,
  {sources, smoke}: {readonly sources: readonly Source[]; readonly smoke: unknown},
  io: Io,
): Promise<Acting> {
  if (definition === undefined) return {on: {}};
  const isTask = definition.arn.includes(':task-definition/');
  const arns = async (is: Source['is']) =>
    Promise.all(sources.filter(source => source.is === is).map(source => arnOfSource(source, io)));
  const name = isTask ? `task-definition/${definition.family}:*` : `job-definition/${definition.family}:*`;
  const revisions = [await arnHere(isTask ? 'ecs' : 'batch', name, io)];
  return {
    on: {
      [isTask ? 'task definition' : 'job definition']: revisions,
      ...(smoke !== null && {'smoke run': revisions, 'smoke runs': ['*']}),
      rule: await arns('rule'),
      schedule: await arns('schedule'),
      'state machine': await arns('stateMachine'),
    },
    passes: [...rolesIn(definition), ...(await Promise.all(sources.map(source => rolesOfSource(source, io)))).flat()],
  };
}

async function arnOfSource(source: Source, io: Io): Promise<string> {
  switch (source.is) {
    case 'rule':
      return arnHere('events', source.bus === 'default' ? `rule/${source.name}` : `rule/${source.bus}/${source.name}`, io);
    case 'schedule':
      return arnHere('scheduler', `schedule/${source.group}/${source.name}`, io);
    case 'stateMachine':
      return source.machine.startsWith('arn:')
        ? source.machine
        : arnHere('states', `stateMachine:${machineName(source.machine)}`, io);
  }
}

/** Writing a target back gives its role away again. A state machine keeps its own, which is not sent. */
async function rolesOfSource(source: Source, io: Io): Promise<readonly PassedRole[]> {
  switch (source.is) {
    case 'rule': {
      const targets = (await io.aws.events.targets(source)) ?? [];
      return targets.flatMap(({RoleArn}) => (RoleArn === undefined ? [] : [{role: RoleArn, to: 'events.amazonaws.com'}]));
    }
    case 'schedule': {
      const role = (await io.aws.scheduler.schedule(source))?.Target?.RoleArn;
      return role === undefined ? [] : [{role, to: 'scheduler.amazonaws.com'}];
    }
    case 'stateMachine':
      return [];
  }
}

const roleKeys = new Set(['taskRoleArn', 'executionRoleArn', 'jobRoleArn']);

/** The roles that a definition names: whoever registers it gives them to its containers. */
export function rolesIn({input}: Pick<Definition, 'input'>): readonly PassedRole[] {
  return stringsAt(input, key => roleKeys.has(key)).map(role => ({role, to: 'ecs-tasks.amazonaws.com'}));
}

/** Where its containers write, where that is CloudWatch Logs. */
function logGroupsIn({input}: Pick<Definition, 'input'>): readonly string[] {
  return stringsAt(input, key => key === 'awslogs-group');
}

/** The texts under some keys, wherever they stand; each once. */
function stringsAt(value: Json, wanted: (key: string) => boolean): readonly string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item: Json) => stringsAt(item, wanted)))];
  if (value === null || typeof value !== 'object') return [];
  const found = Object.entries(value).flatMap(([key, item]) =>
    typeof item === 'string' ? (wanted(key) ? [item] : []) : stringsAt(item, wanted),
  );
  return [...new Set(found)];
}
