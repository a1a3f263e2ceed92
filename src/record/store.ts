/**
 * The records of an application: one a run, each a chain of events. The same on every medium; what a record is, and which
 * of them can be relied on, is decided here.
 */
import type * as z from 'zod';
import type {Clock} from '../release/contract.ts';
import {DeployError} from '../release/errors.ts';
import type {RunEvent} from '../release/events.ts';
import {NewerRecordError, type ReadChain, type ReadRecord, emptyHead, readLines} from './chain.ts';
import {messageOf, noRecord, notOurs} from './errors.ts';
import type {Proven} from './proven.ts';
import type {LockEvent} from './lock-events.ts';
import type {Cell, Medium} from './medium.ts';
import {type Writer, createWriter} from './writer.ts';

export type RecordWriter = Writer<RunEvent>;

export interface Store {
  /** Where it is, for people: a folder, or `s3://bucket/prefix`. */
  readonly place: string;
  /** Whether other machines see it. */
  readonly shared: boolean;
  /** Starts a record named by time and version (a number is added to a taken name), behind all that are there. */
  create(environment: string, version: string): Promise<{run: string; writer: RecordWriter}>;
  /** Goes on with a record. A torn last line is cut off first. Refuses one that does not verify. */
  resume(environment: string, run: string): Promise<{record: ReadRecord; writer: RecordWriter}>;
  /** Throws a DeployError where there is none, and a NewerRecordError that names it where this version cannot read it. */
  read(environment: string, run: string): Promise<ReadRecord>;
  /** Where people look for the records of an environment, or for that of one run: a folder, or `s3://…`. */
  placeOf(environment: string, run?: string): string;
  /** The runs of an environment, newest first. */
  runs(environment: string): Promise<readonly string[]>;
  /** What the environment's lock is kept in. */
  lock(environment: string): Cell;
  /** What was done to the environment's lock by hand, or because it had expired, oldest first: a chain of its own. */
  lockLog(environment: string): Promise<ReadChain<LockEvent>>;
  /** Adds to it. Only whoever has the lock may: then nobody else writes meanwhile. */
  logLock(environment: string, event: LockEvent): Promise<void>;
}

/** Names of runs start with their time: their order is the order of the runs. */
const runName = /^\d{4}-/;
const stamped = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z-/;
/** The journal of the lock: among the runs, and none of them. */
export const lockJournal = '.locks';

/** What the lines of a journal are, and the newest version of it that is understood. */
interface Events<E> {
  readonly schema: z.ZodType<E> | 'proven';
  readonly version: number;
}

// Making schemas takes longer than reading a record that needs none.
const runEvents = async (): Promise<Events<RunEvent>> => {
  const {runEvent, schemaVersion} = await import('../release/events.ts');
  return {schema: runEvent, version: schemaVersion};
};
const lockEvents = async (): Promise<Events<LockEvent>> => {
  const {lockEvent, lockSchema} = await import('./lock-events.ts');
  return {schema: lockEvent, version: lockSchema};
};
const provenEvents = {schema: 'proven', version: Number.MAX_SAFE_INTEGER} as const;

/** This reader, with all that it asks of an event: the name of a bundled file holds a hash of what it uses. */
export const reader = import.meta.filename;

/** `proven`: what need not be checked to be events once more. */
export function createStore(medium: Medium, clock: Pick<Clock, 'now'>, proven?: Proven): Store {
  /** The lines of a journal, verified; undefined where there is no such journal. */
  const readAs = async <E extends object>(
    at: {readonly environment: string; readonly name: string; readonly what: string},
    events: () => Promise<Events<E>>,
  ): Promise<ReadChain<E> | undefined> => {
    const stored = await medium.read(at.environment, at.name).catch((error: unknown) => {
      throw new DeployError(`${at.what} cannot be read: ${messageOf(error)}`, {cause: error});
    });
    if (stored === undefined) return undefined;
    try {
      const known = (await proven?.has(stored.bytes)) ?? false;
      const {schema, version} = known ? provenEvents : await events();
      const chain = readLines(stored.bytes, stored.head, schema, version);
      if (!known && chain.problems.length === 0 && !chain.torn) await proven?.add(stored.bytes);
      const problems = chain.torn && !medium.tears ? [...chain.problems, 'cut: its last line does not end'] : chain.problems;
      return {...chain, problems};
    } catch (error) {
      throw error instanceof NewerRecordError ? error.of(at.what) : error;
    }
  };

  const read = async (environment: string, run: string): Promise<ReadRecord> => {
    const what = `the record of run ${run}`;
    const record = await readAs({environment, name: run, what}, runEvents);
    if (record === undefined) throw new DeployError(`${what} cannot be read: there is none in ${medium.placeOf(environment)}`);
    return record;
  };

  const begin = async <E extends object>(environment: string, name: string): Promise<Writer<E> | undefined> => {
    const journal = await medium.create(environment, name);
    return journal && createWriter<E>(journal, emptyHead, clock);
  };

  const goOn = async <E extends object>(
    at: {readonly environment: string; readonly name: string; readonly what: string},
    record: ReadChain<E>,
  ): Promise<Writer<E>> => {
    const {environment, name, what} = at;
    if (record.problems.length > 0) {
      throw new DeployError(`${what} was changed by somebody: ${record.problems.join('; ')}`, {
        code: 'DW140',
        means: 'Nothing was done: what it says cannot be relied on.',
        next: [`Look at ${medium.placeOf(environment, name)} and at the environment itself.`],
      });
    }
    const journal = await medium.open(environment, name, {lines: record.head.length, bytes: record.intactBytes});
    return createWriter<E>(journal, record.head, clock);
  };

  /** When a run begins, for its name: behind the newest, whatever a clock says that was put back, or another machine's. */
  const nextTime = async (environment: string): Promise<number> => {
    const newest = (await medium.journals(environment)).map(timeOf).filter(Number.isFinite);
    return newest.reduce((time, other) => Math.max(time, other + second), wholeSecond(clock.now()));
  };

  const locksOf = (environment: string) => ({environment, name: lockJournal, what: `the log of the lock of ${environment}`});

  return {
    place: medium.place,
    shared: medium.shared,
    placeOf: (...names) => medium.placeOf(...names),
    read,
    create: async (environment, version) => {
      try {
        const name = `${stamp(await nextTime(environment))}-${version}`;
        for (let number = 1; ; number++) {
          const run = number === 1 ? name : `${name}-${number}`;
          const writer = await begin<RunEvent>(environment, run);
          if (writer) return {run, writer};
        }
      } catch (error) {
        throw noRecord(medium.placeOf(environment), error);
      }
    },
    resume: async (environment, run) => {
      const record = await read(environment, run);
      return {record, writer: await goOn({environment, name: run, what: `the record of run ${run}`}, record)};
    },
    runs: async environment => (await medium.journals(environment)).filter(name => runName.test(name)).toReversed(),
    lock: environment => medium.cell(environment),
    lockLog: async environment =>
      (await readAs(locksOf(environment), lockEvents)) ?? readLines<LockEvent>(Buffer.alloc(0), undefined, 'proven', 0),
    logLock: async (environment, event) => {
      const at = locksOf(environment);
      const record = await readAs(at, lockEvents);
      const writer = record ? await goOn(at, record) : await begin<LockEvent>(environment, lockJournal);
      if (writer === undefined) throw notOurs(medium.placeOf(environment, lockJournal), 'somebody else began it');
      try {
        await writer.append(event);
      } finally {
        await writer.close();
      }
    },
  };
}

const second = 1000;

function wholeSecond(time: number): number {
  return Math.floor(time / second) * second;
}

/** NaN for what is no run. */
function timeOf(run: string): number {
  const [, day, hours, minutes, seconds] = stamped.exec(run) ?? [];
  return day === undefined ? NaN : Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`);
}

/** 2026-11-21T21-14-03Z: sorts by time and is a file name everywhere. */
function stamp(now: number): string {
  return new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
}
