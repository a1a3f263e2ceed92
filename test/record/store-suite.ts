/** What every store does, wherever it keeps its records. */
import {describe, expect, test} from 'vitest';
import {DeployError} from '../../src/release/errors.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {findRun, lastRelease} from '../../src/record/last-release.ts';
import {type Store, createStore} from '../../src/record/store.ts';
import {losesAnswer, testRelease} from '../support/world.ts';
import {withoutLink} from './support/link.ts';
import {type Place, environment} from './support/places.ts';

const noon = Date.UTC(2026, 0, 15, 12);

/** The store as one process has it, with a clock that is a second later at every look. */
async function openStore(place: Place): Promise<Store> {
  let now = noon;
  return createStore(await place.open(), {now: () => (now += 1000)});
}

const event = (text: string): RunEvent => ({type: 'job.started', job: {component: 'core', phase: 'apply'}, text});
const texts = (events: readonly RunEvent[]) => events.map(event => ('text' in event ? event.text : event.type));

/** A record of three lines that nobody writes any more. */
async function written(place: Place): Promise<{store: Store; run: string}> {
  const store = await openStore(place);
  const {run, writer} = await store.create(environment, '1.14.0');
  for (const text of ['one', 'two', 'three']) await writer.append(event(text));
  await writer.close();
  return {store, run};
}

/** Records of the same whole release. */
async function releases(place: Place, count: number): Promise<{store: Store; runs: readonly string[]}> {
  const {events} = await testRelease({core: {}}).go();
  const store = await openStore(place);
  const runs: string[] = [];
  for (let number = 0; number < count; number++) {
    const {run, writer} = await store.create(environment, '1.14.0');
    await Promise.all(events.map(event => writer.append(event)));
    await writer.close();
    runs.push(run);
  }
  return {store, runs};
}

export function storeSuite(newPlace: () => Promise<Place>): void {
  describe('a record', () => {
    test('can be read by others as soon as its append resolves', async () => {
      const place = await newPlace();
      const store = await openStore(place);
      const {run, writer} = await store.create(environment, '1.14.0');
      expect(run).toBe('2026-01-15T12-00-01Z-1.14.0');
      expect(writer.place.startsWith(place.store)).toBe(true);
      const other = await openStore(place);
      expect(await other.read(environment, run)).toMatchObject({events: [], problems: []});
      for (const [index, text] of ['one', 'two', 'three'].entries()) {
        const recorded = await writer.append(event(text));
        const read = await other.read(environment, run);
        expect(read).toMatchObject({problems: [], torn: false, head: writer.head()});
        expect(read.events[index]).toEqual(recorded);
      }
      await writer.close();
      expect(JSON.parse(await place.head(run))).toEqual(writer.head());
    });

    test('is the newest of its environment, even where a clock was put back', async () => {
      const place = await newPlace();
      const early = createStore(await place.open(), {now: () => noon - 3 * 3_600_000});
      const first = await (await openStore(place)).create(environment, '1.14.0');
      const second = await early.create(environment, '1.13.2');
      const third = await early.create(environment, '1.12.0');
      for (const {writer} of [first, second, third]) await writer.close();
      expect(first.run).toBe('2026-01-15T12-00-01Z-1.14.0');
      expect(second.run).toBe('2026-01-15T12-00-02Z-1.13.2');
      expect(await early.runs(environment)).toEqual([third.run, second.run, first.run]);
    });

    test('keeps the order in which lines were appended, however many wait', async () => {
      const store = await openStore(await newPlace());
      const {run, writer} = await store.create(environment, '1.14.0');
      const all = Array.from({length: 50}, (_, index) => `line ${index}`);
      const recorded = await Promise.all(all.map(text => writer.append(event(text))));
      await writer.close();
      const record = await store.read(environment, run);
      expect(record).toMatchObject({problems: [], events: recorded});
      expect(texts(record.events)).toEqual(all);
    });

    test('of a whole release reads back to the same events', async () => {
      const release = testRelease({core: {prepares: ['bump', 'push']}, service: {needs: ['core']}});
      release.world.faults.set('core/push', [losesAnswer]);
      const {events} = await release.go();
      const store = await openStore(await newPlace());
      const {run, writer} = await store.create(environment, '1.14.0');
      for (const event of events) await writer.append(event);
      await writer.close();
      const record = await store.read(environment, run);
      expect(record.events.map(withoutLink)).toEqual(JSON.parse(JSON.stringify(events)));
    });

    test('is written by one: whoever goes on with it elsewhere shuts the other out, and nothing is lost or mixed', async () => {
      const place = await newPlace();
      const store = await openStore(place);
      const {run, writer} = await store.create(environment, '1.14.0');
      await writer.append(event('one'));
      const other = await (await openStore(place)).resume(environment, run);
      await other.writer.append(event('theirs'));
      const refused = writer.append(event('ours'));
      await expect(refused).rejects.toThrow(/^the record was changed by somebody while it was written/);
      await expect(refused).rejects.toMatchObject({name: 'RecordError', exitCode: 7});
      // Not once more either: what followed would follow something else.
      await expect(writer.append(event('ours again'))).rejects.toThrow(/changed by somebody/);
      await other.writer.append(event('more of theirs'));
      await other.writer.close();
      await writer.close();
      const record = await store.read(environment, run);
      expect(record).toMatchObject({problems: [], torn: false});
      expect(texts(record.events)).toEqual(['one', 'theirs', 'more of theirs']);
    });
  });

  describe('runs', () => {
    test('are listed newest first; there are none of an environment that nobody released to', async () => {
      const store = await openStore(await newPlace());
      const made: string[] = [];
      for (const version of ['2.0.0', '1.0.0', '1.5.0']) {
        const {run, writer} = await store.create(environment, version);
        await writer.close();
        made.push(run);
      }
      expect(await store.runs(environment)).toEqual(made.toReversed());
      expect(await store.runs('staging')).toEqual([]);
    });

    test('that start in the same second get a record each', async () => {
      const place = await newPlace();
      const stores = await Promise.all(Array.from({length: 8}, async () => createStore(await place.open(), {now: () => noon})));
      const all = await Promise.all(stores.map(store => store.create(environment, '1.14.0')));
      await Promise.all(all.map(({writer}, index) => writer.append(event(`mine is ${index}`))));
      await Promise.all(all.map(({writer}) => writer.close()));
      expect(new Set(all.map(({run}) => run)).size).toBe(8);
      for (const [index, {run}] of all.entries())
        expect(texts((await stores[0]?.read(environment, run))?.events ?? [])).toEqual([`mine is ${index}`]);
    });
  });

  describe('going on with a record', () => {
    test('appends to the same chain', async () => {
      const {store, run} = await written(await newPlace());
      const {record, writer} = await store.resume(environment, run);
      expect(record).toMatchObject({torn: false, problems: []});
      await writer.append(event('four'));
      await writer.close();
      const read = await store.read(environment, run);
      expect(read.problems).toEqual([]);
      expect(texts(read.events)).toEqual(['one', 'two', 'three', 'four']);
    });

    test('takes a head that is behind for what a crash leaves', async () => {
      const place = await newPlace();
      const {store, run} = await written(place);
      const {prev = ''} = (await store.read(environment, run)).events[2] ?? {};
      await place.setHead(run, JSON.stringify({length: 2, hash: prev}));
      const {record, writer} = await store.resume(environment, run);
      expect(record.problems).toEqual([]);
      await writer.append(event('four'));
      await writer.close();
      expect(await store.read(environment, run)).toMatchObject({problems: [], head: {length: 4}});
    });

    test.each([
      ['edited', (text: string) => text.replace('two', 'six'), /line 3: does not follow the line before it/],
      ['cut', (text: string) => `${text.split('\n').slice(0, 2).join('\n')}\n`, /cut: the head names 3 lines, there are 2/],
      ['emptied', () => '', /cut: the head names 3 lines, there are 0/],
      ['put in another order', (text: string) => text.split('\n').toSorted().toReversed().join('\n').trimStart(), /line 1/],
    ])('refuses one that was %s, and leaves it as it is', async (_what, change, words) => {
      const place = await newPlace();
      const {store, run} = await written(place);
      await place.edit(run, change);
      const left = await place.text(run);
      await expect(store.resume(environment, run)).rejects.toThrow(words);
      await expect(store.resume(environment, run)).rejects.toMatchObject({
        means: 'Nothing was done: what it says cannot be relied on.',
      });
      expect(await place.text(run)).toBe(left);
      expect((await store.read(environment, run)).problems).not.toEqual([]);
    });

    test('refuses one whose head was taken away', async () => {
      const place = await newPlace();
      const {store, run} = await written(place);
      await place.setHead(run, undefined);
      await expect(store.resume(environment, run)).rejects.toThrow(/the head is gone/);
    });

    test.each(['', 'not json', '{"length":-1}', '[]'])('a head that reads %j is a problem', async text => {
      const place = await newPlace();
      const {store, run} = await written(place);
      await place.setHead(run, text);
      expect((await store.read(environment, run)).problems).not.toEqual([]);
    });

    test('of a run that is not there says which', async () => {
      const store = await openStore(await newPlace());
      await expect(store.resume(environment, 'yesterday')).rejects.toThrow(/the record of run yesterday cannot be read/);
      await expect(store.read(environment, 'yesterday')).rejects.toThrow(DeployError);
    });
  });

  describe('a record of another version of the program', () => {
    test('a newer one is refused by name; whoever looks for a run stops there, whoever looks for the last release goes on', async () => {
      const place = await newPlace();
      const {store, runs} = await releases(place, 2);
      const [old = '', newer = ''] = runs;
      await place.edit(newer, text => text.replace('"schema":1', '"schema":9'));
      const words = `the record of run ${newer} was written by a newer deploy-wizard (schema 9, this one reads up to 1)`;
      await expect(store.read(environment, newer)).rejects.toThrow(words);
      await expect(store.resume(environment, newer)).rejects.toThrow(words);
      await expect(findRun(store, environment, () => true)).rejects.toThrow(words);
      expect(await lastRelease(store, environment)).toMatchObject({run: old});
      expect(await store.runs(environment)).toEqual([newer, old]);
    });

    test('an older one, without what has come since, is read', async () => {
      const place = await newPlace();
      const {store, runs} = await releases(place, 1);
      const [run = ''] = runs;
      const {events} = await store.read(environment, run);
      expect(events[0]).toMatchObject({type: 'run.started', schema: 1});
      expect(events[0]).not.toHaveProperty('states');
      expect(events[0]).not.toHaveProperty('reason');
    });
  });

  describe('the log of the lock', () => {
    const by = {user: 'jo', host: 'laptop', pid: 1, work: 'lock acquire', since: '2026-01-15T12:00:00.000Z'};

    test('is a chain beside the runs, and none of them', async () => {
      const place = await newPlace();
      const store = await openStore(place);
      expect(await store.lockLog(environment)).toMatchObject({events: [], problems: []});
      await store.logLock(environment, {type: 'lock.frozen', schema: 1, by: {...by, reason: 'the fair'}});
      await store.logLock(environment, {type: 'lock.released', schema: 1, by, of: by});
      const other = await openStore(place);
      expect(await other.lockLog(environment)).toMatchObject({
        problems: [],
        events: [
          {type: 'lock.frozen', by: {reason: 'the fair'}, seq: 0},
          {type: 'lock.released', seq: 1},
        ],
      });
      expect(await other.runs(environment)).toEqual([]);
    });

    test('that somebody changed is said, and not gone on with', async () => {
      const place = await newPlace();
      const store = await openStore(place);
      await store.logLock(environment, {type: 'lock.frozen', schema: 1, by});
      await place.edit('.locks', text => text.replace('jo', 'ann'));
      expect((await store.lockLog(environment)).problems).toEqual(['line 1: is not what the head names']);
      await expect(store.logLock(environment, {type: 'lock.released', schema: 1, by})).rejects.toThrow(
        /the log of the lock of production was changed by somebody/,
      );
    });
  });
}
