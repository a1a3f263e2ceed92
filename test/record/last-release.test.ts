import {appendFile, mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {fileStore} from '../../src/record/file-store.ts';
import {findRun, lastRelease} from '../../src/record/last-release.ts';
import type {Store} from '../../src/record/store.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {type Answers, fails, testRelease} from '../support/world.ts';

/** Records of whole releases, a minute apart. */
async function recordsOf(
  ...releases: readonly (readonly RunEvent[])[]
): Promise<{store: Store; root: string; runs: readonly string[]}> {
  const root = await mkdtemp(path.join(tmpdir(), 'dw-last-'));
  onTestFinished(() => rm(root, {recursive: true, force: true}));
  let now = Date.UTC(2026, 0, 15, 12);
  const store = fileStore(root, {now: () => (now += 1000)});
  const runs: string[] = [];
  for (const events of releases) {
    now += 60_000;
    const {run, writer} = await store.create('production', '1.14.0');
    for (const event of events) await writer.append(event);
    await writer.close();
    runs.push(run);
  }
  return {store, root, runs};
}

async function release(how: 'good' | 'failed' | 'declined' | 'nothing to do' | 'killed'): Promise<readonly RunEvent[]> {
  const {world, go} = testRelease({core: {}});
  const answers: Answers = question => (how === 'declined' && question.about === 'approval' ? 'no' : undefined);
  if (how === 'failed') world.faults.set('core/change', [fails]);
  if (how === 'nothing to do') world.running.set('core', {version: '1.14.0', since: 0});
  return (await go({answers, ...(how === 'killed' && {crash: {at: 'after call', step: 'core/change'} as const})})).events;
}

const good = await release('good');

describe('the last release of an environment', () => {
  test('is the newest that changed anything, and has an end', async () => {
    const {store, runs} = await recordsOf(
      good,
      await release('failed'),
      await release('declined'),
      await release('nothing to do'),
      await release('killed'),
    );
    const last = await lastRelease(store, 'production');
    expect(last).toMatchObject({run: runs[1], version: '1.14.0', outcome: 'failed', by: 'jo'});
    expect(last?.took).toBe(
      Date.parse(last?.at ?? '') - Date.parse(`${runs[1]?.slice(0, 10)}T${runs[1]?.slice(11, 19).replaceAll('-', ':')}Z`) - 1000,
    );
  });

  test('is none where there is none', async () => {
    const {store} = await recordsOf(await release('declined'));
    expect(await lastRelease(store, 'production')).toBeUndefined();
    expect(await lastRelease(store, 'staging')).toBeUndefined();
  });

  test('does not mind records that cannot be read, folders that are none, and torn lines', async () => {
    const {store, root, runs} = await recordsOf(good, good, good);
    const file = (run: number) => path.join(root, 'production', runs[run] ?? '', 'record.ndjson');
    await writeFile(file(2), (await readFile(file(2), 'utf8')).replace('"schema":1', '"schema":9'));
    await mkdir(path.join(root, 'production', '2999-01-01T00-00-00Z-9.9.9'));
    await appendFile(file(1), '{"seq":');
    expect(await lastRelease(store, 'production')).toMatchObject({run: runs[1]});
  });
});

describe('the newest run that fits', () => {
  test('is found by what its record says', async () => {
    const {store, runs} = await recordsOf(good, await release('killed'), good);
    expect(await findRun(store, 'production', ({finished}) => finished === undefined)).toMatchObject({run: runs[1]});
    expect(await findRun(store, 'production', (_history, run) => run === runs[0])).toMatchObject({run: runs[0]});
    expect(await findRun(store, 'production', () => false)).toBeUndefined();
  });

  test('is not an older one that a record which cannot be read stands before', async () => {
    const {store, root, runs} = await recordsOf(good, good);
    const file = path.join(root, 'production', runs[1] ?? '', 'record.ndjson');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"schema":1', '"schema":9'));
    await expect(findRun(store, 'production', () => true)).rejects.toThrow('written by a newer deploy-wizard');
  });

  test('passes by a folder in which nothing was ever recorded', async () => {
    const {store, root, runs} = await recordsOf(good);
    await mkdir(path.join(root, 'production', '2999-01-01T00-00-00Z-9.9.9'));
    expect(await findRun(store, 'production', ({started}) => started !== undefined)).toMatchObject({run: runs[0]});
  });
});
