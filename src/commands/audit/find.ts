/** Which run an audit is about, and what came after it. */
import type {ReadRecord} from '../../record/chain.ts';
import type {Store} from '../../record/store.ts';
import {type RecordedRun, arrivedOutcomes} from '../../release/standing.ts';
import {type ReadRun, goneBefore, isNamed, readRun, readRuns} from '../records.ts';
import {type Part, partsOf} from './parts.ts';

/** A run with the bytes that say so. */
export interface AuditedRun extends RecordedRun {
  readonly record: ReadRecord;
}

export interface FoundRun {
  readonly audited: AuditedRun;
  /** Older runs of the same version that somebody let something through for, but for the parts. */
  readonly earlier: readonly RecordedRun[];
  /** Newer runs whose records are as they were written. */
  readonly newer: readonly RecordedRun[];
  /** Newer records, and older ones of the same version, that were changed: what came of this release, they may have hidden. */
  readonly changed: readonly string[];
  /** Other runs of the same version, for the components that the audited one did not have. */
  readonly parts: readonly Part[];
}

/** How good a run is as the subject of an audit; the first of these that some run is. */
const ranks: readonly ((run: RecordedRun) => boolean)[] = [
  ({history}) => isThere(history.finished?.outcome) && (history.finished?.touched === true || history.started?.kind === 'adopt'),
  ({history}) => isThere(history.finished?.outcome),
  // It never came to its end: that is what the audit says then.
  ({history}) => history.plan !== undefined,
];

function isThere(outcome: NonNullable<RecordedRun['history']['finished']>['outcome'] | undefined): boolean {
  return outcome !== undefined && arrivedOutcomes.has(outcome);
}

/** It changed the environment, came to no good end, and was not taken back: what is there is what it left. */
function leftSomething({history: {finished}}: RecordedRun): boolean {
  return finished?.touched === true && !isThere(finished.outcome) && finished.outcome !== 'rolled back';
}

/**
 * The newest run of a version that brought it there; where none is named, of any, or the one that failed since: whoever asks how the
 * environment is must not be told how it was. Throws where a record cannot be read before one is found: whoever went on to an older one
 * would take it for the newest.
 */
export async function findAudited(
  store: Store,
  environment: string,
  version: string | undefined,
): Promise<FoundRun | {readonly changed: readonly string[]}> {
  const newer: ReadRun[] = [];
  const candidates = new Map<number, {readonly audited: AuditedRun; readonly after: number}>();
  for await (const run of readRuns(store, environment)) {
    if (run.error !== undefined) throw run.error;
    const {recorded, record} = run;
    if (recorded && record && (version === undefined || recorded.history.started?.version === version)) {
      const rank = version === undefined && leftSomething(recorded) ? 0 : ranks.findIndex(fits => fits(recorded));
      if (rank !== -1 && !candidates.has(rank)) candidates.set(rank, {audited: {...recorded, record}, after: newer.length});
      if (rank === 0) break;
    }
    newer.push(run);
  }
  const [best] = [...candidates].toSorted(([a], [b]) => a - b);
  const after = best === undefined ? newer : newer.slice(0, best[1].after);
  if (best === undefined) return {changed: problemsOf(after)};
  const {audited} = best[1];
  const later = after.flatMap(intact);
  const same = await sameVersion(store, environment, audited);
  const parts = partsOf(audited, [...later, audited, ...same.flatMap(intact)]);
  const oldest = parts.at(-1)?.audited.run ?? audited.run;
  // What came between may have taken an older part back.
  const before = oldest < audited.run ? await runsBetween(store, environment, oldest, audited.run) : [];
  const older = [...same, ...before.filter(({run}) => same.every(one => one.run !== run))];
  const known = new Set([...(await store.runs(environment)), ...after.map(({run}) => run)]);
  const gone = [audited, ...older.flatMap(intact)].flatMap(run => goneBefore(run, known) ?? []);
  return {
    audited,
    earlier: same
      .flatMap(intact)
      .filter(({run, history}) => history.waived.length > 0 && parts.every(({audited: part}) => part.run !== run)),
    changed: problemsOf([...after, ...older, ...gone]),
    newer: later,
    parts: before.length === 0 ? parts : partsOf(audited, [...later, audited, ...before.flatMap(intact)]),
  };
}

async function sameVersion(store: Store, environment: string, {run, history}: AuditedRun): Promise<readonly ReadRun[]> {
  const version = history.started?.version ?? '';
  const names = (await store.runs(environment)).filter(name => name < run && isNamed(name, version));
  const runs = await Promise.all(names.map(name => readRun(store, environment, name)));
  return runs.filter(({recorded}) => recorded === undefined || recorded.history.started?.version === version);
}

/** From the older one on, which is among them; newest first. */
async function runsBetween(store: Store, environment: string, older: string, newer: string): Promise<readonly ReadRun[]> {
  const names = (await store.runs(environment)).filter(name => name >= older && name < newer);
  return Promise.all(names.map(name => readRun(store, environment, name)));
}

function intact({recorded, record, problem}: ReadRun): readonly AuditedRun[] {
  return recorded && record && problem === undefined ? [{...recorded, record}] : [];
}

function problemsOf(runs: readonly ReadRun[]): readonly string[] {
  return runs.flatMap(({run, problem}) => (problem === undefined ? [] : [`run ${run}: ${problem}`]));
}

/** By whom, and where. */
export function bywords({history: {started}}: RecordedRun): string {
  return started === undefined ? '' : `${started.by.user} on ${started.by.host}`;
}
