/** What the records say of how long components were down while they were released. */
import type {Store} from './store.ts';

/** How many records are read at most, and how many downtimes of a component are wanted. */
const readable = 20;
const wanted = 5;

/** The downtimes of each component in an environment that were measured, in milliseconds, newest first. */
export async function pastDowntimes(store: Store, environment: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const runs = (await store.runs(environment)).slice(0, readable);
  for (const record of await Promise.all(runs.map(run => store.read(environment, run).catch(() => undefined)))) {
    const last = record?.events.at(-1);
    if (last?.type !== 'run.finished') continue;
    for (const {component, end, downtime} of last.components) {
      // One that failed went on for as long as somebody took to mend it.
      const list = found.get(component) ?? [];
      if (downtime && end === 'verified' && list.length < wanted) found.set(component, [...list, downtime.ms]);
    }
  }
  return found;
}
