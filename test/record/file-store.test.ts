import {spawn} from 'node:child_process';
import {
  type FileHandle,
  appendFile,
  copyFile,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {execa} from 'execa';
import {describe, expect, onTestFinished, test, vi} from 'vitest';
import {fileStore} from '../../src/record/file-store.ts';
import type {Store} from '../../src/record/store.ts';
import {DeployError} from '../../src/release/errors.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {storeSuite} from './store-suite.ts';
import {filePlace, folder} from './support/places.ts';

describe('on disk', () => storeSuite(filePlace));

const noon = Date.UTC(2026, 0, 15, 12);

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
  return {store, root, run, file: path.join(writer.place, 'record.ndjson'), head: path.join(writer.place, 'head.json')};
}

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

describe('a record on disk', () => {
  test('is a folder of its own that nobody else may look into', async () => {
    const {store, root} = await newStore();
    const {run, writer} = await store.create('production', '1.14.0');
    await writer.append(event('one'));
    await writer.close();
    expect(writer.place).toBe(path.join(root, 'production', run));
    expect(writer.logs).toBe(path.join(writer.place, 'logs'));
    expect((await readdir(writer.place)).sort()).toEqual(['head.json', 'record.ndjson']);
    for (const made of [path.dirname(root), root, path.join(root, 'production'), writer.place])
      expect([made, await modeOf(made)]).toEqual([made, '700']);
    for (const file of ['record.ndjson', 'head.json'])
      expect([file, await modeOf(path.join(writer.place, file))]).toEqual([file, '600']);
  });

  test('holds a line when its append resolves, and the head names it', async () => {
    const {store} = await newStore();
    const {writer} = await store.create('production', '1.14.0');
    for (const text of ['one', 'two', 'three']) {
      const recorded = await writer.append(event(text));
      const lines = (await readFile(path.join(writer.place, 'record.ndjson'), 'utf8')).split('\n');
      expect(lines.at(-1)).toBe('');
      expect(JSON.parse(lines.at(-2) ?? '')).toEqual(recorded);
      expect(JSON.parse(await readFile(path.join(writer.place, 'head.json'), 'utf8'))).toEqual(writer.head());
    }
    await writer.close();
  });

  test('is on the disk before its head says so: a power failure leaves a head that is behind', async () => {
    const {store} = await newStore();
    const {writer} = await store.create('production', '1.14.0');
    const [file, head] = [path.join(writer.place, 'record.ndjson'), path.join(writer.place, 'head.json')];
    const named = async () => {
      const {length}: {length: number} = JSON.parse(await readFile(head, 'utf8'));
      return length;
    };
    const probe = await open(file);
    const handle: FileHandle = Object.getPrototypeOf(probe);
    await probe.close();
    const synced: {readonly lines: number; readonly named: number}[] = [];
    const sync = vi.spyOn(handle, 'sync').mockImplementation(async () => {
      synced.push({lines: (await readFile(file, 'utf8')).split('\n').length - 1, named: await named()});
    });
    onTestFinished(() => sync.mockRestore());
    for (const text of ['one', 'two']) await writer.append(event(text));
    expect(synced).toEqual([
      {lines: 1, named: 0},
      {lines: 2, named: 1},
    ]);
    expect(await named()).toBe(2);
    await writer.close();
  });

  test('of several processes that start in the same second is one each', {timeout: 30_000}, async () => {
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

  test('is no other thing that is in its folder', async () => {
    const {store, root} = await newStore();
    const {run, writer} = await store.create('production', '1.14.0');
    await writer.close();
    await writeFile(path.join(root, 'production', 'lock.00000001.json'), '{}');
    await mkdir(path.join(root, 'production', '.locks'));
    expect(await store.runs('production')).toEqual([run]);
  });
});

describe('going on with a record after a crash', () => {
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

  test('goes on where a process of an older version died after its first line, before its first head', async () => {
    const {store} = await newStore();
    const {run, writer} = await store.create('production', '1.14.0');
    await writer.append(event('one'));
    await writer.close();
    await rm(path.join(writer.place, 'head.json'));
    const again = await store.resume('production', run);
    expect(again.record.problems).toEqual([]);
    await again.writer.append(event('two'));
    await again.writer.close();
    expect(await store.read('production', run)).toMatchObject({problems: [], head: {length: 2}});
  });

  test('goes on where it died before its first line', async () => {
    const {store, root} = await newStore();
    const run = '2026-01-15T12-00-00Z-1.14.0';
    await mkdir(path.join(root, 'production', run), {recursive: true});
    expect(await store.read('production', run)).toMatchObject({events: [], problems: [], torn: false});
  });
});

describe('a record that somebody touches while it is written', () => {
  test.each([
    ['removed', (file: string) => rm(file), /record\.ndjson is gone/],
    [
      'replaced by a copy',
      async (file: string) => {
        await copyFile(file, `${file}.copy`);
        await rename(`${file}.copy`, file);
      },
      /record\.ndjson is another file/,
    ],
    ['written to', (file: string) => appendFile(file, 'x'), /record\.ndjson has \d+ bytes, \d+ were written/],
    ['emptied', (file: string) => writeFile(file, ''), /record\.ndjson has 0 bytes/],
  ] as const)('%s: the next line is refused, and so is every other; exit 7', async (_what, touch, words) => {
    const {store} = await newStore();
    const {writer} = await store.create('production', '1.14.0');
    await writer.append(event('one'));
    const file = path.join(writer.place, 'record.ndjson');
    await touch(file);
    const left = await readFile(file).catch(() => undefined);
    const refused = writer.append(event('two'));
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.toMatchObject({
      name: 'RecordError',
      exitCode: 7,
      message: expect.stringContaining('the record was changed by somebody while it was written'),
      means: expect.stringContaining('Nothing more was begun'),
    });
    await expect(writer.append(event('three'))).rejects.toThrow(words);
    expect(await readFile(file).catch(() => undefined)).toEqual(left);
    await writer.close();
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
      name: 'NoRecordError',
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
    expect(stderr).toMatch(/NoRecordError: no record can be kept in .*production: EACCES: permission denied/);
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
