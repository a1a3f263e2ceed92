/** Which run an audit is about, and what came after it. */
import type {ReadRecord} from '../../record/chain.ts';
import type {Store} from '../../record/store.ts';
import {type RecordedRun, arrivedOutcomes} from '../../release/standing.ts';
import {type ReadRun, readRun, readRuns} from '../records.ts';

/** A run with the bytes that say so. */
export interface AuditedRun extends RecordedRun {
  readonly record: ReadRecord;
}

export interface FoundRun {
  readonly audited: AuditedRun;
  /** Older runs of the same version that somebody let something through for. */
  readonly earlier: readonly RecordedRun[];
  /** Newer runs whose records are as they were written. */
  readonly newer: readonly RecordedRun[];
  /** Newer records, and older ones of the same version, that were changed: what came of this release, they may have hidden. */
  readonly changed: readonly string[];
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

/**
 * The newest run of a version (of any, where none is named) that brought it there. Throws where a record cannot be read before
 * one is found: whoever went on to an older one would take it for the newest.
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
      const rank = ranks.findIndex(fits => fits(recorded));
      if (rank !== -1 && !candidates.has(rank)) candidates.set(rank, {audited: {...recorded, record}, after: newer.length});
      if (rank === 0) break;
    }
    newer.push(run);
  }
  const [best] = [...candidates].toSorted(([a], [b]) => a - b);
  const after = best === undefined ? newer : newer.slice(0, best[1].after);
  if (best === undefined) return {changed: problemsOf(after)};
  const {audited} = best[1];
  const before = await earlierRuns(store, environment, audited);
  return {
    audited,
    earlier: before.flatMap(({recorded, problem}) =>
      recorded && problem === undefined && recorded.history.waived.length > 0 ? [recorded] : [],
    ),
    changed: problemsOf([...after, ...before]),
    newer: after.flatMap(({recorded, problem}) => (recorded && problem === undefined ? [recorded] : [])),
  };
}

/** By their names, which end with the version: of two versions that begin alike, what the record says decides. */
async function earlierRuns(store: Store, environment: string, {run, history}: AuditedRun): Promise<readonly ReadRun[]> {
  const version = history.started?.version ?? '';
  const names = (await store.runs(environment)).filter(name => name < run && name.includes(`Z-${version}`));
  const runs = await Promise.all(names.map(name => readRun(store, environment, name)));
  return runs.filter(({recorded}) => recorded === undefined || recorded.history.started?.version === version);
}

function problemsOf(runs: readonly ReadRun[]): readonly string[] {
  return runs.flatMap(({run, problem}) => (problem === undefined ? [] : [`run ${run}: ${problem}`]));
}

/** By whom, and where. */
export function bywords({history: {started}}: RecordedRun): string {
  return started === undefined ? '' : `${started.by.user} on ${started.by.host}`;
}
