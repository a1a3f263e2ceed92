/** Records that were checked before: their shape is known, that nobody changed them is looked at every time. */
import {appendFile, mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {fileMedium} from '../../src/record/file-store.ts';
import {provenIn} from '../../src/record/proven.ts';
import {createStore} from '../../src/record/store.ts';

const clock = {now: () => Date.UTC(2026, 0, 15, 12)};

async function recorded() {
  const root = await mkdtemp(path.join(tmpdir(), 'dw-proven-'));
  onTestFinished(() => rm(root, {recursive: true, force: true}));
  const place = path.join(root, 'proven');
  const open = (reader = 'this one') => createStore(fileMedium(path.join(root, 'records')), clock, provenIn(place, reader));
  const {run, writer} = await open().create('production', '1.0.0');
  await writer.append({type: 'job.succeeded', job: {component: 'core', phase: 'apply'}, text: 'it is there'});
  await writer.close();
  const file = path.join(root, 'records', 'production', run, 'record.ndjson');
  return {place, open, run, file};
}

describe('a record that was checked before', () => {
  test('reads the same the next time, by another process too', async () => {
    const {open, run, place} = await recorded();
    const first = await open().read('production', run);
    expect(first.problems).toEqual([]);
    expect(await readFile(place, 'utf8')).toMatch(/^[0-9a-f]{64}$/);
    expect((await stat(place)).mode & 0o777).toBe(0o600);
    expect(await open().read('production', run)).toEqual(first);
  });

  test('is checked anew once it has another line, and by another reader', async () => {
    const {open, run, place, file} = await recorded();
    await open().read('production', run);
    await open('another one').read('production', run);
    expect((await readFile(place, 'utf8')).split('\n')).toHaveLength(2);
    await appendFile(file, '{"no":"event"}\n');
    expect((await open().read('production', run)).problems.join()).toContain('line 2: is not an event of a release');
  });

  test('that somebody changed is never taken for one, whatever is kept', async () => {
    const {open, run, file} = await recorded();
    await open().read('production', run);
    await writeFile(file, (await readFile(file, 'utf8')).replace('it is there', 'it was there'));
    const {problems} = await open().read('production', run);
    expect(problems).toEqual([expect.stringContaining('is not what the head names')]);
    // Not kept either.
    expect((await open().read('production', run)).problems).toEqual(problems);
  });
});
