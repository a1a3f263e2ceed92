/** What the records say of an environment: the release that was last there, and how long it took. */
import {type History, replay} from '../release/history.ts';
import type {Outcome} from '../release/words.ts';
import type {Store} from './store.ts';

export interface LastRelease {
  readonly run: string;
  readonly version: string;
  readonly outcome: Outcome;
  /** When it ended. ISO 8601. */
  readonly at: string;
  readonly by: string;
  /** Milliseconds. */
  readonly took: number;
}

/** Runs that changed nothing say nothing of an environment. */
const untold: ReadonlySet<Outcome> = new Set(['refused', 'nothing to do']);

/** How many records are read at most before giving up on finding a release. */
const readable = 20;

export async function lastRelease(store: Store, environment: string): Promise<LastRelease | undefined> {
  for (const run of (await store.runs(environment)).slice(0, readable)) {
    const record = await store.read(environment, run).catch(() => undefined);
    const [first] = record?.events ?? [];
    const last = record?.events.at(-1);
    if (first?.type !== 'run.started' || last?.type !== 'run.finished') continue;
    // Whoever adopted it has changed nothing, and said what is there.
    if (untold.has(last.outcome) || !(last.touched || first.kind === 'adopt')) continue;
    const took = Date.parse(last.at) - Date.parse(first.at);
    return {run, version: first.version, outcome: last.outcome, at: last.at, by: first.by.user, took};
  }
  return undefined;
}

/**
 * The newest run of an environment that fits; undefined when none does. Throws where a record cannot be read: whoever went on to
 * an older one would take it for the newest.
 */
export async function findRun(
  store: Store,
  environment: string,
  fits: (history: History, run: string) => boolean,
): Promise<{readonly run: string; readonly history: History} | undefined> {
  for (const run of await store.runs(environment)) {
    const history = replay((await store.read(environment, run)).events);
    if (fits(history, run)) return {run, history};
  }
  return undefined;
}
