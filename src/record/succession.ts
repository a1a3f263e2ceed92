/**
 * Runs of an environment follow one another: each says which one was there when it began, and how far its record reached. So none
 * can be taken away, or chained anew from its first line, without a later one that tells. After the newest there is none: its
 * head does, where it was kept elsewhere.
 */
import type {EventOf} from '../release/events.ts';
import type {Head, ReadRecord} from './chain.ts';
import type {Store} from './store.ts';

/** What a run says of the one before it. */
export type Before = NonNullable<EventOf<'run.started'>['after']>;

/** What is there when `run` begins; undefined for the first of its environment. */
export async function runBefore(store: Store, environment: string, run: string): Promise<Before | undefined> {
  const newest = (await store.runs(environment)).find(other => other < run);
  if (newest === undefined) return undefined;
  // Of one that cannot be read, or relied on, it is known at least that it was there.
  const record = await store.read(environment, newest).catch(() => undefined);
  const head = record?.problems.length === 0 ? record.named : undefined;
  return {run: newest, ...(head && {head})};
}

/** Whether an intact record is still the one that had this head: it may have been gone on with. */
export function hasHad({events, head}: ReadRecord, then: Head): boolean {
  const next = events[then.length];
  return next === undefined ? then.length === head.length && then.hash === head.hash : next.prev === then.hash;
}
