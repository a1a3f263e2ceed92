/**
 * Step Functions: states that submit a Batch job or run an ECS task name the definition in their `Parameters` (JSONPath) or
 * `Arguments` (JSONata), at the top or inside of a Map or a Parallel state. The definition is text that people wrote: only the
 * bytes of the reference are replaced.
 */
import {DeployError} from '../../release/errors.ts';
import {type Json, json} from '../../release/json.ts';
import {isObject} from '../aws/containers.ts';
import {waiting} from '../aws/waiting.ts';
import {type JsonString, jsonStrings, replaceStrings} from './json-strings.ts';
import {type Launch, launchOf} from './launch.ts';
import {type Wanted, isOf} from './reference.ts';
import {type Entry, type Io, type Reading, machineName} from './target.ts';

/** The state machine now; undefined when there is none. `machine`: name or ARN. */
export async function readStateMachine(machine: string, wanted: Wanted, io: Io): Promise<Reading | undefined> {
  const arn = await machineArn(machine, io);
  if (arn !== unqualified(arn)) {
    throw new DeployError(`${machineName(arn)} is named with a version or an alias, and those are never changed`, {
      means: 'Nothing was changed.',
      next: ['Name the state machine itself under `targets:` in the config file.'],
    });
  }
  const found = await io.aws.sfn.stateMachine(arn);
  if (found === undefined) return undefined;
  const {definition, status} = found;
  return {
    entries: machineEntries(definition, wanted),
    timing: undefined,
    trouble: status === 'ACTIVE' ? undefined : `it is ${status}`,
    write: references => {
      const places = placesIn(definition, wanted.service);
      const changes = places.flatMap(({id, at}) => {
        const value = references.get(id);
        return value === undefined ? [] : [{at, value}];
      });
      return io.aws.sfn.update(arn, replaceStrings(definition, changes), waiting(io));
    },
  };
}

export async function machineArn(machine: string, io: Pick<Io, 'aws' | 'place'>): Promise<string> {
  if (machine.startsWith('arn:')) return machine;
  const {account, arn} = await io.aws.sts.identity();
  if (io.place.region === undefined)
    throw new DeployError('no AWS region is set', {
      code: 'DW114',
      next: ['Set aws.region of the environment in the config file.'],
    });
  return `arn:${arn.split(':')[1] ?? 'aws'}:states:${io.place.region}:${account}:stateMachine:${machine}`;
}

/** Without the version or the alias that an ARN may name. */
export function unqualified(arn: string): string {
  return arn.split(':').slice(0, 7).join(':');
}

/** The states that start what is wanted. Those that compute the name while they run are none of them. */
export function machineEntries(definition: string, wanted: Wanted): readonly Entry[] {
  return placesIn(definition, wanted.service)
    .filter(({at}) => isOf(wanted, at.value))
    .map(({id, at}) => ({id, starts: at.value, launch: () => launchOfState(definition, at, wanted)}));
}

const calls = {
  ecs: {resource: /^arn:[^:]+:states:::(?:aws-sdk:)?ecs:runTask(?:\.\w+)?$/, member: 'TaskDefinition'},
  batch: {resource: /^arn:[^:]+:states:::(?:aws-sdk:)?batch:submitJob(?:\.\w+)?$/, member: 'JobDefinition'},
} as const;

interface Place {
  readonly id: string;
  readonly at: JsonString;
}

/** Every state's reference, whatever it names. */
function placesIn(definition: string, service: Wanted['service']): readonly Place[] {
  const strings = jsonStrings('definition', definition);
  const byPath = new Map(strings.map(one => [JSON.stringify(one.path), one]));
  return strings.flatMap(at => {
    const [settings, member] = at.path.slice(-2);
    if (member !== calls[service].member || (settings !== 'Parameters' && settings !== 'Arguments')) return [];
    const state = at.path.slice(0, -2);
    const resource = byPath.get(JSON.stringify([...state, 'Resource']))?.value ?? '';
    return calls[service].resource.test(resource) ? [{id: statePath(state), at}] : [];
  });
}

/** `Each source / Load`: the names of the states on the way. A Parallel's branches have numbers, which keep their states apart. */
function statePath(path: readonly string[]): string {
  return path
    .flatMap((part, index) => {
      if (path[index - 1] === 'States') return [part];
      return path[index - 1] === 'Branches' ? [`branch ${Number(part) + 1}`] : [];
    })
    .join(' / ');
}

function launchOfState(definition: string, at: JsonString, {service}: Wanted): Launch {
  const settings = at.path.slice(0, -1).reduce<Json | undefined>(
    (value, part) => {
      if (Array.isArray(value)) return value[Number(part)];
      return isObject(value) ? value[part] : undefined;
    },
    json.parse(JSON.parse(definition)),
  );
  return launchOf(service, settings);
}
