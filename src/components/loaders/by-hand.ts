/** How a person moves a target to another revision: read what it is, and hand it in again with the revision in it. */
import type {ByHand} from '../../release/contract.ts';
import {type Command, aws, partitionOf} from '../by-hand.ts';
import type {Io} from '../io.ts';
import {type Wanted, shortReference} from './reference.ts';
import {type Source, entryName, machineName, sourceName} from './target.ts';

/** A place, and the whole reference that is to stand there. */
interface Place {
  readonly entry: string;
  readonly to: string;
}

export function moveByHand(source: Source, wanted: Wanted, places: readonly Place[], io: Pick<Io, 'place'>): ByHand {
  const file = `file://<${sourceName(source)}, with ${[...new Set(places.map(({to}) => shortReference(to)))].join(', ')}>`;
  const changed = places.map(({entry, to}) => {
    const place = entryName(source, entry);
    return `${memberOf(source, wanted)} ${to}${place === '' ? '' : ` in ${place}`}`;
  });
  const {commands, without} = callsOf(source, file, io);
  return {note: `everything in the file as it is read${without}, but for ${changed.join(', ')}`, commands};
}

/** What of a target names the definition. */
function memberOf({is}: Source, {service}: Wanted): string {
  if (service === 'batch') return 'JobDefinition';
  return is === 'stateMachine' ? 'TaskDefinition' : 'TaskDefinitionArn';
}

interface Calls {
  readonly commands: readonly Command[];
  /** What is read and cannot be handed in. */
  readonly without: string;
}

function callsOf(source: Source, file: string, io: Pick<Io, 'place'>): Calls {
  switch (source.is) {
    case 'rule': {
      const rule = ['--rule', source.name, '--event-bus-name', source.bus];
      const reading = aws(io, 'events', 'list-targets-by-rule', ...rule, '--query', 'Targets');
      return {commands: [reading, aws(io, 'events', 'put-targets', ...rule, '--targets', file)], without: ''};
    }
    case 'schedule':
      return {
        commands: [
          aws(io, 'scheduler', 'get-schedule', '--name', source.name, '--group-name', source.group),
          aws(io, 'scheduler', 'update-schedule', '--name', source.name, '--group-name', source.group, '--cli-input-json', file),
        ],
        without: ' (without Arn, CreationDate and LastModificationDate)',
      };
    case 'stateMachine': {
      const machine = ['--state-machine-arn', arnOf(source.machine, io)];
      const reading = aws(io, 'stepfunctions', 'describe-state-machine', ...machine, '--query', 'definition', '--output', 'text');
      return {
        commands: [reading, aws(io, 'stepfunctions', 'update-state-machine', ...machine, '--definition', file)],
        without: '',
      };
    }
  }
}

function arnOf(machine: string, {place: {region, accountId}}: Pick<Io, 'place'>): string {
  if (machine.startsWith('arn:')) return machine;
  if (region === undefined || accountId === undefined) return `<ARN of state machine ${machineName(machine)}>`;
  return `arn:${partitionOf(region)}:states:${region}:${accountId}:stateMachine:${machine}`;
}
