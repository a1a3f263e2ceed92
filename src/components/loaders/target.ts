/** What every kind of target can do: say what it starts, and be moved to another revision with everything else kept. */
import * as z from 'zod';
import type {Aws} from '../../tools/aws/index.ts';
import type {Waiting} from '../aws/waiting.ts';
import type {Io as EveryIo} from '../io.ts';
import type {Launch} from './launch.ts';
import type {TargetSetting} from './settings.ts';
import type {Timing} from './timing.ts';

/** What of the world is needed to read and write targets. */
export interface Io extends Waiting {
  readonly aws: Pick<Aws, 'events' | 'scheduler' | 'sfn' | 'sts'>;
  readonly place: Pick<EveryIo['place'], 'region'>;
}

/** What starts a definition. Kept in plans and records. */
export const source = z.discriminatedUnion('is', [
  z.object({is: z.literal('rule'), bus: z.string(), name: z.string()}),
  z.object({is: z.literal('schedule'), group: z.string(), name: z.string()}),
  /** `machine`: name or ARN. */
  z.object({is: z.literal('stateMachine'), machine: z.string()}),
]);
export type Source = z.infer<typeof source>;

/** One place in a source that names the definition. */
export interface Entry {
  /** Unique within its source, and the same when it is read again: a target's id, the names of a state. Empty where there is one only. */
  readonly id: string;
  /** The reference as it stands there. */
  readonly starts: string;
  launch(): Launch;
}

/** A source as it was read at one moment. */
export interface Reading {
  readonly entries: readonly Entry[];
  /** When it starts, where it says so itself. */
  readonly timing: Timing | undefined;
  /** Why it starts nothing whatever its entries say; undefined where all is well. */
  readonly trouble?: string | undefined;
  /**
   * Writes back all that was read, with other references at these entries (by id). `conflict`: somebody changed it in the same
   * moment and nothing happened; it has to be read again.
   */
  write(references: ReadonlyMap<string, string>): Promise<'done' | 'conflict'>;
}

/** Unique among the sources of an environment: for ids. */
export function sourceKey(source: Source): string {
  switch (source.is) {
    case 'rule':
      return `rule ${source.bus}/${source.name}`;
    case 'schedule':
      return `schedule ${source.group}/${source.name}`;
    case 'stateMachine':
      return `state machine ${machineName(source.machine)}`;
  }
}

/** For people: without what is the default. */
export function sourceName(source: Source): string {
  return sourceKey(source).replace(/^(\w+) default\//, '$1 ');
}

/** The name of a state machine, of its ARN or of itself. */
export function machineName(machine: string): string {
  return machine.startsWith('arn:') ? (machine.split(':')[6] ?? machine) : machine;
}

/** An entry as a part of its source's name; empty where the source has one only. */
export function entryName(source: Source, id: string): string {
  if (id === '') return '';
  return source.is === 'rule' ? `target ${id}` : `state ${id}`;
}

// ── as the config file has them ──────────────────────────────────────────────────────────────────────

export function sourceOf(setting: TargetSetting): Source {
  if ('rule' in setting) {
    const [bus, name] = split(setting.rule);
    return {is: 'rule', bus, name};
  }
  if ('schedule' in setting) {
    const [group, name] = split(setting.schedule);
    return {is: 'schedule', group, name};
  }
  return {is: 'stateMachine', machine: setting.stateMachine};
}

/** `default` stands before a name that has nothing before it. Buses of partners have slashes in their names; rules have none. */
function split(text: string): readonly [string, string] {
  const slash = text.lastIndexOf('/');
  return slash === -1 ? ['default', text] : [text.slice(0, slash), text.slice(slash + 1)];
}
