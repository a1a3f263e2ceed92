/** What there is of a loader now: its targets, what each starts, and the revision that counts as deployed. */
import type {Definition} from '../aws/definitions.ts';
import {imagesOf} from '../aws/task-definition.ts';
import type {ContainerImage} from '../aws/task-definition.ts';
import type {Io} from '../io.ts';
import type {Loader, Pin} from './loader.ts';
import {parseReference} from './reference.ts';
import {readSource} from './sources.ts';
import {type Entry, type Reading, type Source, sourceKey} from './target.ts';

export interface Seen {
  readonly source: Source;
  /** Undefined when there is none. */
  readonly reading: Reading | undefined;
}

export interface Standing {
  /** The newest revision that anything starts: of what is pinned, and of what follows the newest. */
  readonly definition: Definition;
  readonly seen: readonly Seen[];
  readonly places: readonly Place[];
  /** Something names no revision: it starts the newest active one, whatever that is. */
  readonly follows: boolean;
}

export interface Place {
  readonly source: Source;
  readonly entry: Entry;
}

/** Undefined where there is no such definition. */
export async function standingOf(loader: Loader, io: Io): Promise<Standing | undefined> {
  const seen = await Promise.all(
    loader.sources.map(async source => ({source, reading: await readSource(source, loader.wanted, io)})),
  );
  const places = seen.flatMap(({source, reading}) => (reading?.entries ?? []).map(entry => ({source, entry})));
  const follows = places.some(({entry}) => !isPinned(entry.starts));
  const pinned = places.map(({entry}) => entry.starts).filter(isPinned);
  const highest = pinned.toSorted((a, b) => (parseReference(b).revision ?? 0) - (parseReference(a).revision ?? 0))[0];
  const named = highest === undefined ? undefined : await loader.definitions.find(highest, io);
  const newest = follows || named === undefined ? await loader.definitions.find(loader.wanted.name, io) : undefined;
  const definition = named === undefined || (newest && newest.revision > named.revision) ? newest : named;
  return definition && {definition, seen, places, follows};
}

export function isPinned(reference: string): boolean {
  return parseReference(reference).revision !== undefined;
}

export function pinsOf({places}: Standing): Pin[] {
  return places.map(({source, entry}) => ({source, entry: entry.id, starts: entry.starts}));
}

/** Unique among the places of a component, and the same whenever it is read. */
export function placeKey({source, entry}: Pick<Pin, 'source' | 'entry'>): string {
  return [sourceKey(source), entry].filter(Boolean).join(' ');
}

/** What the named containers run, with the digests of the tags, for whoever goes back to it. Of a digest that cannot be asked there is none. */
export async function imagesNow(definition: Definition, names: readonly string[], io: Io): Promise<ContainerImage[]> {
  const now = imagesOf(definition);
  const found = await Promise.all(
    names.map(async container => {
      const image = now.get(container);
      const digest = image === undefined ? undefined : await io.digestOf(image).catch(() => undefined);
      return image === undefined || digest === undefined ? [] : [{container, image, digest}];
    }),
  );
  return found.flat();
}
