import {spawn} from 'node:child_process';
import {appendFile, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {execa} from 'execa';
import {describe, expect, onTestFinished, test} from 'vitest';
import {type Store, fileStore} from '../../src/record/file-store.ts';
import {DeployError} from '../../src/release/errors.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {losesAnswer, testRelease} from '../support/world.ts';
import {withoutLink} from './support/link.ts';

const noon = Date.UTC(2026, 0, 15, 12);

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'dw-store-'));
  onTestFinished(() => rm(made, {recursive: true, force: true}));
  return made;
}

/** A store with a clock that is a second later at every look. */
async function newStore(): Promise<{store: Store; root: string}> {
  const root = path.join(await folder(), 'state', 'pass');
  let now = noon;
  return {root, store: fileStore(root, {now: () => (now += 1000)})};
}

const event = (text: string): RunEvent => ({type: 'job.started', job: {component: 'core', phase: 'apply'}, text});

/** A record of three lines that nobody writes any more. */
async function written(): Promise<{store: Store; root: string; run: string; file: string; head: string}> {
  const {store, root} = await newStore();
  const {run, writer} = await store.create('production', '1.14.0');
  for (const text of ['one', 'two', 'three']) await writer.append(event(text));
  await writer.close();
  return {store, root, run, file: path.join(writer.folder, 'record.ndjson'), head: path.join(writer.folder, 'head.json')};
}

const texts = (events: readonly RunEvent[]) => events.map(event => ('text' in event ? event.text : event.type));
const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

describe('a record on disk', () => {
  test('is a folder of its own that nobody else may look into', async () => {
    const {store, root} = await newStore();
    const {run, writer} = await store.create('production', '1.14.0');
    await writer.append(event('one'));
    await writer.close();
    expect(run).toBe('2026-01-15T12-00-01Z-1.14.0');
    expect(writer.folder).toBe(path.join(root, 'production', run));
    expect((await readdir(writer.folder)).sort()).toEqual(['head.json', 'logs', 'record.ndjson']);
    for (const made of [path.dirname(root), root, path.join(root, 'production'), writer.folder, path.join(writer.folder, 'logs')])
      expect([made, await modeOf(made)]).toEqual([made, '700']);
    for (const file of ['record.ndjson', 'head.json'])
      expect([file, await modeOf(path.join(writer.folder, file))]).toEqual([file, '600']);
  });

  test('holds a line when its append resolves, and the head names it', async () => {
    const {store} = await newStore();
    const {run, writer} = await store.create('production', '1.14.0');
    for (const text of ['one', 'two', 'three']) {
      const recorded = await writer.append(event(text));
      const lines = (await readFile(path.join(writer.folder, 'record.ndjson'), 'utf8')).split('\n');
      expect(lines.at(-1)).toBe('');
      expect(JSON.parse(lines.at(-2) ?? '')).toEqual(recorded);
      expect(JSON.parse(await readFile(path.join(writer.folder, 'head.json'), 'utf8'))).toEqual(writer.head());
      expect((await store.read('production', run)).problems).toEqual([]);
    }
    await writer.close();
  });

  test('keeps the order in which lines were appended, however many wait', async () => {
    const {store} = await newStore();
    const {run, writer} = await store.create('production', '1.14.0');
    const all = Array.from({length: 50}, (_, index) => `line ${index}`);
    await Promise.all(all.map(text => writer.append(event(text))));
    await writer.close();
    const record = await store.read('production', run);
    expect(record.problems).toEqual([]);
    expect(texts(record.events)).toEqual(all);
  });

  test('of a whole release reads back to the same events', async () => {
    const release = testRelease({core: {prepares: ['bump', 'push']}, service: {needs: ['core']}});
    release.world.faults.set('core/push', [losesAnswer]);
    const {events} = await release.go();
    const {store} = await newStore();
    const {run, writer} = await store.create('staging', '1.14.0');
    for (const event of events) await writer.append(event);
    await writer.close();
    const record = await store.read('staging', run);
    expect(record.events.map(withoutLink)).toEqual(events);
  });
});

describe('runs', () => {
  test('are listed newest first; there are none of an environment that nobody released to', async () => {
    const {store, root} = await newStore();
    const made: string[] = [];
    for (const version of ['2.0.0', '1.0.0', '1.5.0']) {
      const {run, writer} = await store.create('production', version);
      await writer.close();
      made.push(run);
    }
    await writeFile(path.join(root, 'production', 'lock.json'), '{}');
    expect(await store.runs('production')).toEqual(made.toReversed());
    expect(await store.runs('staging')).toEqual([]);
  });

  test('that start in the same second get a record each', async () => {
    const root = await folder();
    const store = fileStore(root, {now: () => noon});
    const all = await Promise.all(Array.from({length: 8}, () => store.create('production', '1.14.0')));
    await Promise.all(all.map(({writer}, index) => writer.append(event(`mine is ${index}`))));
    await Promise.all(all.map(({writer}) => writer.close()));
    expect(new Set(all.map(({run}) => run)).size).toBe(8);
    for (const [index, {run}] of all.entries())
      expect(texts((await store.read('production', run)).events)).toEqual([`mine is ${index}`]);
  });

  test('of several processes that start in the same second get a record each', {timeout: 30_000}, async () => {
    const root = await folder();
    const all = await Promise.all([1, 2, 3].map(() => execa(process.execPath, [writerScript, root])));
    const store = fileStore(root, {now: () => noon});
    expect(await store.runs('production')).toHaveLength(3);
    for (const {stdout} of all) {
      const [{run}, {acknowledged}]: [{run: string}, {acknowledged: string[]}] = JSON.parse(`[${stdout.replace('\n', ',')}]`);
      const record = await store.read('production', run);
      expect(record.problems).toEqual([]);
      expect(record.events).toHaveLength(acknowledged.length);
    }
  });
});

describe('going on with a record', () => {
  test('appends to the same chain', async () => {
    const {store, run} = await written();
    const {record, writer} = await store.resume('production', run);
    expect(record).toMatchObject({torn: false, problems: []});
    await writer.append(event('four'));
    await writer.close();
    const read = await store.read('production', run);
    expect(read.problems).toEqual([]);
    expect(texts(read.events)).toEqual(['one', 'two', 'three', 'four']);
  });

  test('cuts off a line that a dying process has torn, and says so', async () => {
    const {store, run, file} = await written();
    const whole = await readFile(file);
    await appendFile(file, '{"seq":3,"at":"2026-01-15T12:00:09.000Z","prev":"ab');
    const {record, writer} = await store.resume('production', run);
    expect(record).toMatchObject({torn: true, problems: []});
    expect(await readFile(file)).toEqual(whole);
    await writer.append(event('four'));
    await writer.close();
    expect(await store.read('production', run)).toMatchObject({torn: false, problems: []});
  });

  test('takes a head that is behind for what a crash leaves', async () => {
    const {store, run, head} = await written();
    const {prev = ''} = (await store.read('production', run)).events[2] ?? {};
    await writeFile(head, JSON.stringify({length: 2, hash: prev}));
    const {record, writer} = await store.resume('production', run);
    expect(record.problems).toEqual([]);
    await writer.append(event('four'));
    await writer.close();
    expect(await store.read('production', run)).toMatchObject({problems: [], head: {length: 4}});
  });

  test('goes on where a process died after its first line, before its first head', async () => {
    const {store} = await newStore();
    const {run, writer} = await store.create('production', '1.14.0');
    await writer.append(event('one'));
    await writer.close();
    await rm(path.join(writer.folder, 'head.json'));
    const again = await store.resume('production', run);
    expect(again.record.problems).toEqual([]);
    await again.writer.append(event('two'));
    await again.writer.close();
    expect(await store.read('production', run)).toMatchObject({problems: [], head: {length: 2}});
  });

  test('refuses one whose head was taken away', async () => {
    const {store, run, head} = await written();
    await rm(head);
    await expect(store.resume('production', run)).rejects.toThrow(/the head is gone/);
  });

  test.each([
    [
      'cut',
      (file: string) => readFile(file).then(bytes => truncate(file, bytes.lastIndexOf(10, -2) + 1)),
      /cut: the head names 3 lines, there are 2/,
    ],
    [
      'edited',
      (file: string) => readFile(file, 'utf8').then(text => writeFile(file, text.replace('two', 'six'))),
      /line 3: does not follow the line before it/,
    ],
    ['emptied', (file: string) => truncate(file, 0), /cut: the head names 3 lines, there are 0/],
  ] as const)('refuses one that was %s, and leaves it as it is', async (_what, change, words) => {
    const {store, run, file} = await written();
    await change(file);
    const left = await readFile(file);
    await expect(store.resume('production', run)).rejects.toThrow(words);
    await expect(store.resume('production', run)).rejects.toMatchObject({
      means: 'Nothing was done: what it says cannot be relied on.',
    });
    expect(await readFile(file)).toEqual(left);
    expect((await store.read('production', run)).problems).not.toEqual([]);
  });

  test.each(['', 'not json', '{"length":-1}', '[]'])('a head that reads %j is a problem', async text => {
    const {store, run, head} = await written();
    await writeFile(head, text);
    expect((await store.read('production', run)).problems).not.toEqual([]);
  });

  test('of a run that is not there says which', async () => {
    const {store} = await newStore();
    await expect(store.resume('production', 'yesterday')).rejects.toThrow(/the record of run yesterday cannot be read: ENOENT/);
    await expect(store.read('production', 'yesterday')).rejects.toThrow(DeployError);
  });
});

const writerScript = path.join(import.meta.dirname, 'support', 'writer.ts');

describe('a place that cannot be written', () => {
  test('is said before anything is started, with what to do', async () => {
    const root = path.join(await folder(), 'a file');
    await writeFile(root, '');
    const refused = fileStore(root, {now: () => noon}).create('production', '1.14.0');
    await expect(refused).rejects.toThrow(DeployError);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringMatching(/^no record can be kept in .*production: E/),
      means: 'Nothing was started.',
      next: ['Set `store:` in the config file, or XDG_STATE_HOME, to a folder that you may write.'],
    });
  });

  test('so is one whose folder for the run cannot be made', async () => {
    const {store} = await newStore();
    const refused = store.create('production', 'a'.repeat(300));
    await expect(refused).rejects.toMatchObject({
      name: 'DeployError',
      means: 'Nothing was started.',
      message: expect.stringContaining('ENAMETOOLONG'),
    });
  });

  test('so is a folder that one may only read', async () => {
    const root = await folder();
    await mkdir(path.join(root, 'production'), {mode: 0o500});
    // Root may write anywhere, unless that is taken away from it.
    const asAnybody = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override', '--'] : [];
    const {stderr, exitCode} = await execa('env', [...asAnybody, process.execPath, writerScript, root], {reject: false});
    expect(stderr).toMatch(/DeployError: no record can be kept in .*production: EACCES: permission denied/);
    expect(exitCode).toBe(1);
    expect(await readdir(path.join(root, 'production'))).toEqual([]);
  });

  test(
    'a disk that is full in the middle of a line: the chain stays whole, and goes on when there is room',
    {timeout: 30_000},
    async () => {
      const root = await folder();
      // 8 blocks of 512 or 1024 bytes, as the shell has it: a line is cut off in its middle (EFBIG, as ENOSPC does it).
      const child = spawn('sh', ['-c', 'ulimit -S -f 8 && exec "$0" "$@"', process.execPath, writerScript, root, 'full'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      onTestFinished(() => void child.kill());
      const said: Record<string, unknown>[] = [];
      for await (const line of createInterface({input: child.stdout})) {
        said.push(JSON.parse(line));
        if (said.length !== 2) continue;
        const {run} = said[0] ?? {};
        // What a reader sees meanwhile: whole lines, nothing torn in between.
        expect(await fileStore(root, {now: () => noon}).read('production', String(run))).toMatchObject({
          problems: [],
          torn: false,
        });
        await execa('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:']);
        child.stdin.write('there is room again\n');
      }
      const [{run} = {}, full, {acknowledged} = {}] = said;
      expect(full).toEqual({
        problem: expect.stringMatching(/^RecordError: the record cannot be written: EFBIG/),
        again: expect.stringMatching(/^RecordError: the record cannot be written: EFBIG/),
      });
      const record = await fileStore(root, {now: () => noon}).read('production', String(run));
      expect(record).toMatchObject({problems: [], torn: false});
      // Every line that was acknowledged is there, and none that was not.
      expect(record.events.map(event => `${event.seq} ${'text' in event ? event.text?.split(' ')[0] : ''}`)).toEqual(
        acknowledged,
      );
      expect(record.events.length).toBeGreaterThan(20);
    },
  );
});
