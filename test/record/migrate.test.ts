import {appendFile, readFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {createStore} from '../../src/record/store.ts';
import {type Copied, copyRecords} from '../../src/record/migrate.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {missing} from '../emulator/tools.ts';
import {ann} from './lock-suite.ts';
import {useMoto} from './support/moto-s3.ts';
import {moto} from '../support/moto.ts';
import {type Place, environment, filePlace, s3Place} from './support/places.ts';

const event = (text: string): RunEvent => ({type: 'job.started', job: {component: 'core', phase: 'apply'}, text});

/** A store with `count` records of three lines, and a line in the log of the lock. */
async function filled(place: Place, count: number): Promise<readonly string[]> {
  let now = Date.UTC(2026, 0, 15, 12);
  const store = createStore(await place.open(), {now: () => (now += 1000)});
  await store.logLock(environment, {type: 'lock.frozen', schema: 1, by: ann});
  const runs: string[] = [];
  for (let number = 0; number < count; number++) {
    const {run, writer} = await store.create(environment, '1.14.0');
    await Promise.all(['one', 'two', 'three'].map(text => writer.append(event(text))));
    await writer.close();
    runs.push(run);
  }
  return runs;
}

async function copyAll(from: Place, to: Place): Promise<readonly Copied[]> {
  const all: Copied[] = [];
  await copyRecords(await from.open(), await to.open(), environment, copied => void all.push(copied));
  return all;
}

const told = (all: readonly Copied[]) => all.map(({name, is}) => `${name.replace(/.*Z-/, '')} ${is}`);

function migrations(newFrom: () => Promise<Place>, newTo: () => Promise<Place>): void {
  test('every record arrives byte for byte, with its head; once more, all of it is there already', async () => {
    const [from, to] = [await newFrom(), await newTo()];
    const runs = await filled(from, 2);
    expect(told(await copyAll(from, to))).toEqual(['.locks copied', '1.14.0 copied', '1.14.0 copied']);
    const store = createStore(await to.open(), {now: () => 0});
    expect(await store.runs(environment)).toEqual(runs.toReversed());
    expect(await store.lockLog(environment)).toMatchObject({problems: [], events: [{type: 'lock.frozen'}]});
    for (const run of runs) {
      expect(await to.text(run)).toBe(await from.text(run));
      expect(await store.read(environment, run)).toMatchObject({problems: [], head: {length: 3}});
    }
    expect(told(await copyAll(from, to))).toEqual(['.locks there already', '1.14.0 there already', '1.14.0 there already']);
  });

  test('what was recorded since is added; what an interruption cut off is gone on with', async () => {
    const [from, to] = [await newFrom(), await newTo()];
    const [run = ''] = await filled(from, 1);
    await copyAll(from, to);
    const {writer} = await createStore(await from.open(), {now: () => 0}).resume(environment, run);
    await writer.append(event('four'));
    await writer.close();
    expect(told(await copyAll(from, to))).toEqual(['.locks there already', '1.14.0 copied']);
    expect(await to.text(run)).toBe(await from.text(run));
    expect(await createStore(await to.open(), {now: () => 0}).read(environment, run)).toMatchObject({problems: []});
  });

  test('a record that somebody changed is refused by name, and stops nothing else', async () => {
    const [from, to] = [await newFrom(), await newTo()];
    const [first = '', second = ''] = await filled(from, 2);
    await from.edit(first, text => text.replace('two', 'six'));
    const all = await copyAll(from, to);
    expect(told(all)).toEqual(['.locks copied', '1.14.0 refused', '1.14.0 copied']);
    expect(all[1]?.note).toMatch(/^it was changed by somebody: line 3/);
    expect(await createStore(await to.open(), {now: () => 0}).runs(environment)).toEqual([second]);
  });

  test('another record of the same name is never overwritten', async () => {
    const [from, to] = [await newFrom(), await newTo()];
    const [run = ''] = await filled(from, 1);
    await filled(to, 1);
    await to.edit(run, text => text.replace('one', 'six'));
    const before = await to.text(run);
    const all = await copyAll(from, to);
    expect(all.at(-1)).toMatchObject({is: 'refused', note: expect.stringMatching(/^another record of that name is in /)});
    expect(await to.text(run)).toBe(before);
  });
}

describe('from a folder to a folder', () => {
  migrations(filePlace, filePlace);

  test('a torn last line stays behind, and that is said; a torn copy is made whole', async () => {
    const [from, to] = [await filePlace(), await filePlace()];
    const [run = ''] = await filled(from, 1);
    const whole = await from.text(run);
    await appendFile(path.join(from.store, environment, run, 'record.ndjson'), '{"seq":3,');
    expect((await copyAll(from, to)).at(-1)).toMatchObject({is: 'copied', note: 'its last line was torn, and is left out'});
    expect(await to.text(run)).toBe(whole);
    await to.edit(run, text => text.slice(0, -30));
    await to.setHead(run, JSON.stringify({length: 0, hash: '0'.repeat(64)}));
    expect((await copyAll(from, to)).at(-1)).toMatchObject({is: 'copied'});
    expect(await readFile(path.join(to.store, environment, run, 'record.ndjson'), 'utf8')).toBe(whole);
  });
});

describe.skipIf(missing(moto))('between a folder and S3', {timeout: 60_000}, () => {
  const moto = useMoto();
  describe('into S3', () => migrations(filePlace, () => s3Place(moto)));
  describe('out of S3', () => migrations(() => s3Place(moto), filePlace));
});
