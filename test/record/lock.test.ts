import {readFile, readdir, stat, utimes, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {execa} from 'execa';
import {describe, expect, test} from 'vitest';
import {fileCell} from '../../src/record/file-cell.ts';
import {asOwner, lookAtLock, takeLock} from '../../src/record/lock.ts';
import {DeployError} from '../../src/release/errors.ts';
import {missing} from '../emulator/tools.ts';
import {ann, jo, lockSuite} from './lock-suite.ts';
import {useMoto} from './support/moto-s3.ts';
import {moto} from '../support/moto.ts';
import {environment, filePlace, folder, s3Place} from './support/places.ts';

describe('on disk', {timeout: 30_000}, () => {
  lockSuite(filePlace);

  const newFolder = async () => path.join(await folder(), 'state', 'production');
  const held = async (at: string) => `${at}/${(await readdir(at)).find(name => name.startsWith('lock.')) ?? ''}`;

  /** A process id that nobody has any more. */
  async function deadPid(): Promise<number> {
    const child = execa(process.execPath, ['--version']);
    const {pid} = child;
    await child;
    if (pid === undefined) throw new Error('it never ran');
    return pid;
  }

  test("is nobody else's to read", async () => {
    const at = await newFolder();
    const lock = await takeLock(fileCell(at), jo, {environment});
    expect((await stat(at)).mode & 0o777).toBe(0o700);
    expect((await stat(await held(at))).mode & 0o777).toBe(0o600);
    await lock.release();
  });

  test('of a process of this machine that is gone is taken over at once, by exactly one', async () => {
    const at = await newFolder();
    await takeLock(fileCell(at), asOwner({...jo, pid: await deadPid()}), {environment});
    const all = await Promise.allSettled(Array.from({length: 8}, () => takeLock(fileCell(at), jo, {environment})));
    expect(all.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
    for (const one of all) if (one.status === 'fulfilled') await one.value.release();
  });

  test('of a process of this machine that runs stays, whatever a clock says that has jumped', async () => {
    const at = await newFolder();
    const lock = await takeLock(fileCell(at), jo, {environment});
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(await held(at), longAgo, longAgo);
    await expect(takeLock(fileCell(at), jo, {environment})).rejects.toThrow(/locked by jo on laptop/);
    await lock.release();
  });

  test('of a process among others, in a container with the same name, is judged by its lease alone', async () => {
    const at = await newFolder();
    const inside = {...jo, pid: await deadPid(), pids: 'pid:[1]'};
    const lock = await takeLock(fileCell(at), inside, {environment});
    expect(await lookAtLock(fileCell(at), jo.host)).toMatchObject({is: 'held'});
    await lock.release();
  });

  test('of another machine is taken over when it was last renewed longer ago than its lease, by the clock of the file system', async () => {
    const at = await newFolder();
    const lock = await takeLock(fileCell(at), ann, {environment});
    const age = async (seconds: number) => {
      const then = new Date(Date.now() - seconds * 1000);
      await utimes(await held(at), then, then);
    };
    await age(50);
    await expect(takeLock(fileCell(at), jo, {environment})).rejects.toThrow(/locked by ann on elsewhere/);
    await age(61);
    const mine = await takeLock(fileCell(at), jo, {environment});
    expect(mine.from).toEqual(ann);
    await mine.release();
    await lock.release();
  });

  test('a process that was suspended between reading and writing comes too late, however much has happened since', async () => {
    const at = await newFolder();
    const cell = fileCell(at);
    const before = await cell.read();
    for (let times = 1; times <= 6; times++) await (await takeLock(fileCell(at), ann, {environment})).release();
    const lock = await takeLock(fileCell(at), jo, {environment});
    expect(await cell.swap('late', before?.version)).toBeUndefined();
    expect(await cell.swap('late', '2')).toBeUndefined();
    expect(await lookAtLock(cell, ann.host)).toMatchObject({is: 'held', owner: {user: 'jo'}});
    expect((await readdir(at)).length).toBeLessThanOrEqual(3);
    await lock.release();
  });

  test('leaves nothing behind but what says that it is free', async () => {
    const at = await newFolder();
    for (let times = 1; times <= 4; times++) await (await takeLock(fileCell(at), jo, {environment})).release();
    const names = (await readdir(at)).sort();
    expect(names).toHaveLength(3);
    expect(JSON.parse(await readFile(path.join(at, names.at(-1) ?? ''), 'utf8'))).toMatchObject({is: 'free'});
  });

  test('where nothing can be written says so, before anything is started', async () => {
    const at = await folder();
    await writeFile(path.join(at, 'a file'), '');
    const refused = takeLock(fileCell(path.join(at, 'a file', 'production')), jo, {environment});
    await expect(refused).rejects.toThrow(DeployError);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining('no record can be kept in'),
      means: 'Nothing was started.',
    });
  });
});

describe.skipIf(missing(moto))('in S3', {timeout: 60_000}, () => {
  const moto = useMoto();
  lockSuite(() => s3Place(moto));

  test("is judged by its lease alone, and by S3's clock: a process of the same name may be on another machine", async () => {
    const cell = (await (await s3Place(moto)).open()).cell(environment);
    const lock = await takeLock(cell, {...jo, pid: 2 ** 22 - 1}, {environment});
    expect(await lookAtLock(cell, jo.host)).toMatchObject({is: 'held'});
    expect(await (await cell.read())?.age()).toBeLessThan(10_000);
    await lock.release();
  });
});
