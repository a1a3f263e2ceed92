/** The records of an environment, read for people: none of them stops the others from being read. */
import type {ReadRecord} from '../record/chain.ts';
import type {Store} from '../record/store.ts';
import {type Before, hasHad} from '../record/succession.ts';
import {toTrouble} from '../release/errors.ts';
import {type RecordedRun, type Tick, type Trace, recordedRun, ticksIn, tracesOf} from '../release/standing.ts';

/** A run as far as its record can be read. */
export interface ReadRun {
  readonly run: string;
  readonly recorded?: RecordedRun;
  readonly record?: ReadRecord;
  /** What is wrong with the record, in one line. */
  readonly problem?: string;
  /** Why it could not be read at all. */
  readonly error?: unknown;
}

/** How many records are read side by side. */
const batch = 8;

/**
 * Newest first, a few at a time: whoever has seen enough stops asking. One that a later one names and that is not there has its
 * place among them, behind that one. `version`: only runs of that one, and of those whose version begins like it: what a record
 * says decides.
 */
export async function* readRuns(store: Store, environment: string, version?: string): AsyncGenerator<ReadRun> {
  const all = await store.runs(environment);
  const names = version === undefined ? all : all.filter(name => isNamed(name, version));
  const there = new Set(all);
  const said = new Map<string, Said>();
  for (let start = 0; start < names.length; start += batch) {
    for (const read of await Promise.all(names.slice(start, start + batch).map(run => readRun(store, environment, run)))) {
      const run = compared(read, said.get(read.run));
      yield run;
      if (run.recorded === undefined || run.problem !== undefined) continue;
      const {after} = run.recorded.history.started ?? {};
      if (after && !said.has(after.run)) said.set(after.run, {head: after.head, by: run.run});
      const gone = goneBefore(run.recorded, there);
      if (gone === undefined) continue;
      there.add(gone.run);
      yield gone;
    }
  }
}

/** The run that another one says was there when it began, and that is not `there` any more. */
export function goneBefore({run, history}: RecordedRun, there: ReadonlySet<string>): ReadRun | undefined {
  const before = history.started?.after?.run;
  if (before === undefined || there.has(before)) return undefined;
  return {run: before, problem: `its record is gone: it was there when run ${run} began`};
}

/** What a later run has said of a record. */
interface Said {
  readonly head: Before['head'];
  readonly by: string;
}

/** With what a later run has said of it: somebody who knows how can chain a record anew, and its head. */
function compared(read: ReadRun, said: Said | undefined): ReadRun {
  if (said?.head === undefined || read.record === undefined || read.problem !== undefined) return read;
  if (hasHad(read.record, said.head)) return read;
  const found = `it is not the one that was there when run ${said.by} began`;
  return {...read, record: {...read.record, problems: [found]}, problem: `it was changed by somebody: ${found}`};
}

/** Names are made of the time and the version; of two versions that begin alike, what a record says decides. */
export function isNamed(run: string, version: string): boolean {
  return run.includes(`Z-${version}`);
}

export async function readRun(store: Store, environment: string, run: string): Promise<ReadRun> {
  try {
    const record = await store.read(environment, run);
    const recorded = recordedRun(run, record.events);
    const [problem] = record.problems;
    return {
      run,
      record,
      ...(recorded && {recorded}),
      ...(problem !== undefined && {problem: `it was changed by somebody: ${problem}`}),
    };
  } catch (error) {
    return {run, problem: toTrouble(error).what, error};
  }
}

/** How many runs are looked back over at most: what has not moved for longer than that says so. */
export const reach = 100;

/**
 * What the records say of each component, newest first, until `enough` of it is known. Records that cannot be relied on are no
 * part of it: they are named.
 */
export async function readTraces(
  store: Store,
  environment: string,
  enough: (traces: readonly Trace[]) => boolean,
): Promise<{
  readonly traces: readonly Trace[];
  readonly runs: readonly RecordedRun[];
  readonly problems: readonly string[];
  /** The runs that `problems` are of. */
  readonly unread: readonly string[];
}> {
  const unread: string[] = [];
  const traces: Trace[] = [];
  const runs: RecordedRun[] = [];
  const problems: string[] = [];
  let left = reach;
  for await (const {run, recorded, problem} of readRuns(store, environment)) {
    if (problem !== undefined) {
      problems.push(`run ${run}: ${problem}`);
      unread.push(run);
    } else if (recorded !== undefined) {
      runs.push(recorded);
      traces.push(...tracesOf(recorded));
    }
    left -= 1;
    if (left === 0 || enough(traces)) break;
  }
  return {traces, runs, problems, unread};
}

// ── ticks ────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Where ticks are kept: beside the environment, each in a small chained record of its own. So nobody who ticks writes into the
 * record of a run that is going on, two people tick at once, and an item can be ticked before there is a run of its version.
 * No environment can have that name: theirs have no dot.
 */
export function ticksOf(environment: string): string {
  return `${environment}.ticks`;
}

export interface Ticks {
  readonly ticks: readonly Tick[];
  /** Records of ticks that cannot be relied on: their ticks do not count. */
  readonly problems: readonly string[];
}

/** The ticks of one version in one environment: those of the wizard are in the records of its runs. */
export async function readTicks(
  store: Store,
  environment: string,
  version: string,
  runs: readonly RecordedRun[] = [],
): Promise<Ticks> {
  const place = ticksOf(environment);
  const names = (await store.runs(place)).filter(name => isNamed(name, version));
  const read = await Promise.all(names.map(name => readRun(store, place, name)));
  const good = read.filter(({problem}) => problem === undefined);
  const ticks = [...good.flatMap(({record}) => ticksIn(record?.events ?? [], undefined)), ...runs.flatMap(({ticks}) => ticks)];
  return {
    ticks: ticks.filter(tick => tick.version === version),
    problems: read.flatMap(({run, problem}) => (problem === undefined ? [] : [`tick ${run}: ${problem}`])),
  };
}
