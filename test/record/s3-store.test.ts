import {DeleteObjectCommand, GetObjectCommand, PutObjectCommand} from '@aws-sdk/client-s3';
import {describe, expect, test} from 'vitest';
import {openMedium} from '../../src/record/open.ts';
import {createStore} from '../../src/record/store.ts';
import {lookAtLock, takeLock} from '../../src/record/lock.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {missing} from '../emulator/tools.ts';
import {ann} from './lock-suite.ts';
import {storeSuite} from './store-suite.ts';
import {bucket, environmentAt, useMoto} from './support/moto-s3.ts';
import {moto} from '../support/moto.ts';
import {type Place, environment, folder, keysOf, s3Place} from './support/places.ts';
import {unreliable} from './support/unreliable.ts';

const clock = {now: () => Date.UTC(2026, 0, 15, 12)};
const event = (text: string): RunEvent => ({type: 'job.started', job: {component: 'core', phase: 'apply'}, text});
const texts = (events: readonly RunEvent[]) => events.map(event => ('text' in event ? event.text : event.type));

describe.skipIf(missing(moto))('in S3', {timeout: 60_000}, () => {
  const moto = useMoto();
  storeSuite(() => s3Place(moto));

  const begin = async (place: Place) => {
    const store = createStore(await place.open(), clock);
    return {store, ...(await store.create(environment, '1.14.0'))};
  };
  const objectsOf = async ({store: url}: Place, run: string) => {
    const prefix = `${url.replace(`s3://${bucket}/`, '')}/${environment}/${run}/`;
    return (await keysOf(moto.client, prefix)).map(key => key.slice(prefix.length));
  };

  test('lines that wait together go into one object, named by the number of its first', async () => {
    const place = await s3Place(moto);
    const {run, writer} = await begin(place);
    await Promise.all(['one', 'two', 'three'].map(text => writer.append(event(text))));
    await writer.append(event('four'));
    await writer.close();
    expect(await objectsOf(place, run)).toEqual(['00000000.ndjson', '00000003.ndjson', 'head.json']);
  });

  describe('that is long', () => {
    const all = ['one', 'two', 'three', 'four', 'five'];
    const long = async () => {
      const place = await s3Place(moto);
      const {run, writer} = await begin(place);
      for (const text of all) await writer.append(event(text));
      await writer.close();
      const key = (name: string) => `${place.store.replace(`s3://${bucket}/`, '')}/${environment}/${run}/${name}`;
      const put = (name: string, text: string) =>
        moto.client.send(new PutObjectCommand({Bucket: bucket, Key: key(name), Body: Buffer.from(text)}));
      const other = async () => createStore(await place.open(), clock);
      return {place, run, key, put, other, read: async () => (await other()).read(environment, run)};
    };

    test('is packed when its writer is done, and read from the pack', async () => {
      const {place, run, key, put, read} = await long();
      expect(await objectsOf(place, run)).toContain('00000004.pack');
      expect(await read()).toMatchObject({problems: [], head: {length: 5}});
      expect(texts((await read()).events)).toEqual(all);
      // As good a place to lie as any other.
      const {Body} = await moto.client.send(new GetObjectCommand({Bucket: bucket, Key: key('00000004.pack')}));
      await put('00000004.pack', ((await Body?.transformToString()) ?? '').replace('"text":"three"', '"text":"seven"'));
      expect((await read()).problems[0]).toMatch(/^line 4: does not follow the line before it/);
    });

    test('hides nothing that is done to one of its objects', async () => {
      const {put, read} = await long();
      await put('00000002.ndjson', '{}\n');
      expect((await read()).problems[0]).toBe('line 3: is not an event of a release');
    });

    test('nor that one was taken away', async () => {
      const {key, read} = await long();
      await moto.client.send(new DeleteObjectCommand({Bucket: bucket, Key: key('00000004.ndjson')}));
      expect((await read()).problems).toEqual(['cut: the head names 5 lines, there are 4']);
    });

    test('is read as it is where there is no pack, or one that is none', async () => {
      const {put, read} = await long();
      await put('00000004.pack', 'not a pack');
      expect(await read()).toMatchObject({problems: [], head: {length: 5}});
    });

    test('is gone on with, and packed again', async () => {
      const {place, run, other, read} = await long();
      const {record, writer} = await (await other()).resume(environment, run);
      expect(texts(record.events)).toEqual(all);
      await writer.append(event('six'));
      expect(texts((await read()).events)).toEqual([...all, 'six']);
      await writer.close();
      expect(await objectsOf(place, run)).toContain('00000005.pack');
      expect(await read()).toMatchObject({problems: [], head: {length: 6}});
    });
  });

  test('other machines see it; logs of jobs are on this one', async () => {
    const {store, writer} = await begin(await s3Place(moto));
    expect(store).toMatchObject({shared: true, place: expect.stringMatching(/^s3:\/\/releases\/pass\/\d+$/)});
    expect(writer.logs).toMatch(/^\/.*\/production\/2026-01-15T12-00-00Z-1\.14\.0\/logs$/);
    await writer.close();
  });

  test('a line whose end somebody took away is no torn one: objects are whole', async () => {
    const place = await s3Place(moto);
    const {store, run, writer} = await begin(place);
    await writer.append(event('one'));
    await writer.close();
    await place.edit(run, text => text.slice(0, -1));
    expect((await store.read(environment, run)).problems).toContain('cut: its last line does not end');
  });

  test.each([
    ['never arrived', 'unasked'],
    ['was done, and its answer lost', 'unanswered'],
    ['was put off', 'slow down'],
  ] as const)('a write that %s is sent again, and is there once', async (_how, fault) => {
    const s3 = await unreliable(moto.url);
    const place = await s3Place(moto, s3.url);
    s3.next('head.json', fault);
    const {store, run, writer} = await begin(place);
    s3.next('00000001.ndjson', fault, fault);
    for (const text of ['one', 'two', 'three']) await writer.append(event(text));
    s3.next('head.json', fault);
    await writer.append(event('four'));
    await writer.close();
    const record = await store.read(environment, run);
    expect(record.problems).toEqual([]);
    expect(texts(record.events)).toEqual(['one', 'two', 'three', 'four']);
    expect(s3.writes.filter(key => key.endsWith('00000001.ndjson')).length).toBe(3);
  });

  test('a write that was lost, where somebody else was faster, is theirs: what is there is compared', async () => {
    const s3 = await unreliable(moto.url);
    const place = await s3Place(moto, s3.url);
    const {run, writer} = await begin(place);
    await writer.append(event('one'));
    const direct = {env: environmentAt(moto.url), from: '/', logs: await folder(), sleep: () => Promise.resolve()};
    const theirs = await createStore(await openMedium(place.store, direct), clock).resume(environment, run);
    await theirs.writer.append(event('theirs'));
    await theirs.writer.close();
    s3.next('00000001.ndjson', 'unasked');
    await expect(writer.append(event('ours'))).rejects.toThrow(
      'the record was changed by somebody while it was written: somebody else wrote line 2',
    );
    expect(s3.writes.filter(key => key.endsWith('00000001.ndjson'))).toHaveLength(2);
    await writer.close();
  });

  test('a write of which nobody can tell ends the record there: what follows could follow something else', async () => {
    const s3 = await unreliable(moto.url);
    const place = await s3Place(moto, s3.url);
    const {store, run, writer} = await begin(place);
    await writer.append(event('one'));
    s3.next('00000001.ndjson', 'unanswered', ...Array.from({length: 8}, () => 'unasked' as const));
    const refused = writer.append(event('two'));
    await expect(refused).rejects.toMatchObject({
      name: 'RecordError',
      exitCode: 7,
      message: expect.stringMatching(/^the record cannot be written: the answer to s3:PutObject was lost/),
    });
    await expect(writer.append(event('three'))).rejects.toThrow(/the record cannot be written/);
    await writer.close();
    // Whoever goes on with it reads what is there.
    const again = await store.resume(environment, run);
    expect(texts(again.record.events)).toEqual(['one', 'two']);
    await again.writer.append(event('four'));
    await again.writer.close();
    expect((await store.read(environment, run)).problems).toEqual([]);
  });

  test('a lock whose taking was not answered is ours, and nobody else has it', async () => {
    const s3 = await unreliable(moto.url);
    const cell = (await (await s3Place(moto, s3.url)).open()).cell(environment);
    s3.next('lock.json', 'unanswered');
    const lock = await takeLock(cell, ann, {environment});
    expect(await lookAtLock(cell, ann.host)).toEqual({is: 'held', owner: ann});
    s3.next('lock.json', 'unanswered');
    await lock.release();
    expect(await lookAtLock(cell, ann.host)).toEqual({is: 'free'});
  });

  test('a bucket that is not there is said before anything is started', async () => {
    const medium = await openMedium('s3://nowhere/pass', {
      env: environmentAt(moto.url),
      from: '/',
      logs: await folder(),
      sleep: () => Promise.resolve(),
    });
    await expect(createStore(medium, clock).create(environment, '1.14.0')).rejects.toMatchObject({
      message: expect.stringMatching(
        /^no record can be kept in s3:\/\/nowhere\/pass\/production: s3:ListBucket failed: NoSuchBucket/,
      ),
      means: 'Nothing was started.',
      next: ['Set `store:` in the config file to a bucket that is there and that you may write to.'],
    });
  });
});
