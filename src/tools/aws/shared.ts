/**
 * One poller for all that watch things of the same kind: sixty services of a cluster cost six calls a tick, however many
 * look at each, and at whatever moment. A tick is a second, and longer while AWS says that it is asked too often.
 */
import {batched} from './batched.ts';
import type {Timer} from '../pacing.ts';

export interface Fetched<T> {
  /** In the order of the names; undefined for what is not there. */
  readonly found: readonly (T | undefined)[];
  /** AWS refused to answer at first, because it was asked too often. */
  readonly throttled: boolean;
}

export interface Shared<T> {
  /** As it was at most one tick ago. Of two looks within a tick both get the same object. */
  look(group: string, name: string): Promise<T | undefined>;
  /** It was changed by us: what was seen before says nothing any more. */
  forget(group: string, name: string): void;
}

interface Entry<T> {
  /** When its answer was asked for. */
  at: number;
  /** When somebody wanted it last. */
  wanted: number;
  answer: Promise<T | undefined>;
}

interface Group<T> {
  readonly entries: Map<string, Entry<T>>;
  tick: number;
  next: Promise<void> | undefined;
  /** The refresh before: calls that hang are not piled up. */
  last: Promise<void>;
}

/** Milliseconds. */
const shortest = 1000;
const longest = 30_000;
/** Whoever comes this long before the next tick waits for it, instead of getting what is nearly that old. Milliseconds. */
const patience = 500;
/** What nobody has wanted for so many ticks is watched no more. */
const kept = 5;

export function shared<T>(
  most: number,
  fetch: (group: string, names: readonly string[]) => Promise<Fetched<T>>,
  timer: Timer,
): Shared<T> {
  const groups = new Map<string, Group<T>>();
  const first = batched<T>(most, async (group, names) => (await fetch(group, names)).found);

  const ask = (entry: Entry<T>, answer: Promise<T | undefined>): void => {
    entry.at = timer.now();
    entry.answer = answer;
    // Whoever looks gets the error; where nobody does, nobody needs it.
    answer.catch(() => undefined);
  };

  const refresh = async (name: string, group: Group<T>): Promise<void> => {
    const {entries} = group;
    for (const [key, {wanted}] of entries) if (timer.now() - wanted > kept * group.tick) entries.delete(key);
    const names = [...entries.keys()];
    const calls = Array.from({length: Math.ceil(names.length / most)}, (_, index) => {
      const part = names.slice(index * most, (index + 1) * most);
      const call = fetch(name, part);
      part.forEach((key, place) => {
        const entry = entries.get(key);
        if (entry)
          ask(
            entry,
            call.then(({found}) => found[place]),
          );
      });
      return call;
    });
    const ends = await Promise.allSettled(calls);
    const held = ends.filter(end => end.status === 'rejected' || end.value.throttled);
    // One of many may have had bad luck.
    group.tick = held.length > ends.length / 2 ? Math.min(longest, group.tick * 2) : Math.max(shortest, group.tick * 0.75);
  };

  /** The next refresh of the group; resolves when it has begun. */
  const nextOf = (name: string, group: Group<T>, {at}: Entry<T>): Promise<void> => {
    const due = Math.min(group.tick, Math.max(0, at + group.tick - timer.now()));
    const begin = async () => {
      await Promise.all([timer.sleep(due), group.last]);
      group.next = undefined;
      group.last = refresh(name, group);
    };
    group.next ??= begin();
    return group.next;
  };

  return {
    look: async (name, key) => {
      const group: Group<T> = groups.get(name) ?? {entries: new Map(), tick: shortest, next: undefined, last: Promise.resolve()};
      groups.set(name, group);
      const known = group.entries.get(key);
      const now = timer.now();
      if (known === undefined) {
        const entry: Entry<T> = {at: now, wanted: now, answer: Promise.resolve(undefined)};
        group.entries.set(key, entry);
        ask(entry, first(name, key));
        return entry.answer;
      }
      known.wanted = now;
      const age = now - known.at;
      if (age < 0 || age >= group.tick - patience) await nextOf(name, group, known);
      return (group.entries.get(key) ?? known).answer;
    },
    forget: (name, key) => void groups.get(name)?.entries.delete(key),
  };
}
