/** Runs that say which one was there before them: what is taken away, or chained anew, a later one tells. */
import {readFile, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {findAudited} from '../../src/commands/audit/find.ts';
import {readRuns, readTraces} from '../../src/commands/records.ts';
import {emptyHead, seal} from '../../src/record/chain.ts';
import {fileStore} from '../../src/record/file-store.ts';
import {runBefore} from '../../src/record/succession.ts';
import {runEvent} from '../../src/release/events.ts';
import {folder} from '../record/support/places.ts';
import {testRelease} from '../support/world.ts';

const environment = 'production';
const {events} = await testRelease({service: {}}).go();

async function records() {
  const root = await folder();
  let now = Date.UTC(2026, 0, 15, 12);
  const store = fileStore(root, {now: () => (now += 60_000)});
  const at = (run: string, name = '') => path.join(root, environment, run, name);
  const told = async (work: AsyncIterable<{run: string; problem?: string}>) => {
    const all: [string, string | undefined][] = [];
    for await (const {run, problem} of work) all.push([run, problem]);
    return all;
  };
  return {
    store,
    /** A whole release; `names: false`: as it was recorded before runs named each other. */
    release: async (version: string, {names = true} = {}) => {
      const {run, writer} = await store.create(environment, version);
      const after = names ? await runBefore(store, environment, run) : undefined;
      for (const event of events)
        await writer.append(event.type === 'run.started' ? {...event, run, version, ...(after && {after})} : event);
      await writer.close();
      return {run, after, head: writer.head()};
    },
    forget: (run: string) => rm(at(run), {recursive: true}),
    /** By somebody who knows how: every line follows the one before, and the head names the last. */
    forge: async (run: string) => {
      let head = emptyHead;
      const lines = (await readFile(at(run, 'record.ndjson'), 'utf8')).trim().split('\n');
      const forged = lines.map(line => {
        const {at: when}: {at: string} = JSON.parse(line);
        const sealed = seal(runEvent.parse(JSON.parse(line.replace('"user":"jo"', '"user":"mo"'))), when, head);
        head = sealed.head;
        return `${sealed.line}\n`;
      });
      await writeFile(at(run, 'record.ndjson'), forged.join(''));
      await writeFile(at(run, 'head.json'), JSON.stringify(head));
    },
    runs: (version?: string) => told(readRuns(store, environment, version)),
    traces: () => readTraces(store, environment, () => false),
    audited: async (version: string) => (await findAudited(store, environment, version)).changed,
  };
}

describe('a run', () => {
  test('names the one before it, with the head of its record as it was then', async () => {
    const {release, runs, audited} = await records();
    const [first, second, third] = [await release('1.0.0'), await release('1.1.0'), await release('1.2.0')];
    expect(first.after).toBeUndefined();
    expect(second.after).toEqual({run: first.run, head: first.head});
    expect(third.after).toEqual({run: second.run, head: second.head});
    expect(await runs()).toEqual([third, second, first].map(({run}) => [run, undefined]));
    expect(await audited('1.0.0')).toEqual([]);
  });

  test('whose record was taken away is told by the one after it: to the log, to the gates, and to audits of what it touches', async () => {
    const {release, forget, runs, traces, audited} = await records();
    const [first, second, third] = [await release('1.0.0'), await release('1.1.0'), await release('1.2.0')];
    await forget(second.run);
    const gone = `its record is gone: it was there when run ${third.run} began`;
    expect(await runs()).toEqual([
      [third.run, undefined],
      [second.run, gone],
      [first.run, undefined],
    ]);
    expect(await runs('1.1.0')).toEqual([]);
    expect(await traces()).toMatchObject({problems: [`run ${second.run}: ${gone}`], unread: [second.run]});
    for (const version of ['1.0.0', '1.2.0']) expect(await audited(version)).toEqual([`run ${second.run}: ${gone}`]);
  });

  test('whose record was chained anew, head and all, is told by it too', async () => {
    const {store, release, forge, runs, traces} = await records();
    const [first, second] = [await release('1.0.0'), await release('1.1.0')];
    await forge(first.run);
    expect(await store.read(environment, first.run)).toMatchObject({problems: []});
    const found = `it is not the one that was there when run ${second.run} began`;
    expect((await runs())[1]).toEqual([first.run, `it was changed by somebody: ${found}`]);
    expect((await traces()).unread).toEqual([first.run]);
    expect(await findAudited(store, environment, '1.0.0')).toMatchObject({audited: {record: {problems: [found]}}});
  });

  test('that somebody has gone on with since is still the same', async () => {
    const {store, release, runs} = await records();
    const [first, second] = [await release('1.0.0'), await release('1.1.0')];
    const {writer} = await store.resume(environment, first.run);
    await writer.append({type: 'run.resumed', by: {user: 'jo', host: 'desk'}});
    await writer.close();
    expect(await runs()).toEqual([second, first].map(({run}) => [run, undefined]));
  });

  test('names what is safe of a record that somebody writes: lines behind its head may be lost to a power failure', async () => {
    const {store, release, runs} = await records();
    const begun = await store.create(environment, '1.0.0');
    for (const event of events.slice(0, 3)) await begun.writer.append(event);
    const head = path.join(begun.writer.place, 'head.json');
    const behind = {length: 2, hash: (await store.read(environment, begun.run)).events[2]?.prev};
    await writeFile(head, JSON.stringify(behind));
    const second = await release('1.1.0');
    expect(second.after).toEqual({run: begun.run, head: behind});
    // It lost the third, and went on.
    const file = path.join(begun.writer.place, 'record.ndjson');
    await begun.writer.close();
    await writeFile(file, `${(await readFile(file, 'utf8')).split('\n').slice(0, 2).join('\n')}\n`);
    const {writer} = await store.resume(environment, begun.run);
    await writer.append({type: 'run.resumed', by: {user: 'jo', host: 'desk'}});
    await writer.close();
    expect(await runs()).toEqual([second.run, begun.run].map(run => [run, undefined]));
  });

  test('of an older version names none, and nothing is missed', async () => {
    const {release, forget, runs} = await records();
    const [first, second] = [await release('1.0.0', {names: false}), await release('1.1.0', {names: false})];
    await forget(first.run);
    expect(await runs()).toEqual([[second.run, undefined]]);
  });

  test('is named also where nobody can read its record, or nothing was written yet', async () => {
    const {store, release, runs} = await records();
    const begun = await store.create(environment, '1.0.0');
    expect((await release('1.1.0')).after).toEqual({run: begun.run, head: emptyHead});
    await begun.writer.close();
    const newer = await store.create(environment, '2.0.0');
    const [started] = events;
    if (started?.type !== 'run.started') throw new Error('a run begins with its start');
    await newer.writer.append(started);
    await newer.writer.close();
    const file = path.join(newer.writer.place, 'record.ndjson');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"schema":1', '"schema":9'));
    expect((await release('1.2.0')).after).toEqual({run: newer.run});
    expect((await runs()).filter(([, problem]) => problem !== undefined)).toEqual([
      [newer.run, expect.stringContaining('newer deploy-wizard')],
    ]);
  });
});
