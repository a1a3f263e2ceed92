import {mkdtemp, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {describe, expect, onTestFinished, test} from 'vitest';
import {EnvironmentLockedError, lockEnvironment} from '../../src/record/lock.ts';
import {DeployError} from '../../src/release/errors.ts';

async function newFolder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'dw-lock-'));
  onTestFinished(() => rm(made, {recursive: true, force: true}));
  return path.join(made, 'state', 'production');
}

const me = {user: 'jo', host: 'laptop', pid: process.pid, work: 'release 1.14.0', since: '2026-01-15T12:00:00.000Z'};

/** A process id that nobody has any more. */
async function deadPid(): Promise<number> {
  const child = execa(process.execPath, ['--version']);
  const {pid} = child;
  await child;
  if (pid === undefined) throw new Error('it never ran');
  return pid;
}

describe('the lock of an environment', {timeout: 30_000}, () => {
  test('is held by one, and given back', async () => {
    const folder = await newFolder();
    const unlock = await lockEnvironment(folder, me);
    await expect(lockEnvironment(folder, {...me, user: 'ann'})).rejects.toThrow(EnvironmentLockedError);
    await unlock();
    await (
      await lockEnvironment(folder, {...me, user: 'ann'})
    )();
    expect(await readdir(folder)).toEqual([]);
  });

  test('says who has it, since when and for what; exit 4', async () => {
    const folder = await newFolder();
    await lockEnvironment(folder, me);
    await expect(lockEnvironment(folder, me)).rejects.toMatchObject({
      exitCode: 4,
      message: `the environment is locked by jo on laptop (process ${process.pid}) since 2026-01-15T12:00:00.000Z, for release 1.14.0`,
      means: 'Nothing was started.',
    });
  });

  test("is nobody else's to read", async () => {
    const folder = await newFolder();
    await lockEnvironment(folder, me);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(folder, 'lock.json'))).mode & 0o777).toBe(0o600);
  });

  test('goes to exactly one of many who come at once', async () => {
    const folder = await newFolder();
    const all = await Promise.allSettled(
      Array.from({length: 12}, (_, index) => lockEnvironment(folder, {...me, work: `release ${index}`})),
    );
    expect(all.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
    expect((await readdir(folder)).sort()).toEqual(['lock.json']);
  });

  test('of a process that is gone is taken over, by exactly one', async () => {
    const folder = await newFolder();
    await lockEnvironment(folder, {...me, pid: await deadPid()});
    const all = await Promise.allSettled(
      Array.from({length: 6}, (_, index) => lockEnvironment(folder, {...me, work: `release ${index}`})),
    );
    expect(all.filter(({status}) => status === 'fulfilled')).toHaveLength(1);
  });

  test("of a process on another machine is nobody's to judge: it stays", async () => {
    const folder = await newFolder();
    await lockEnvironment(folder, {...me, host: 'elsewhere', pid: await deadPid()});
    const refused = lockEnvironment(folder, me);
    await expect(refused).rejects.toThrow(/locked by jo on elsewhere/);
    await expect(refused).rejects.toMatchObject({
      next: ['Wait for it to end.', expect.stringContaining(`remove ${path.join(folder, 'lock.json')}`)],
    });
  });

  test("that nobody can read is somebody's", async () => {
    const folder = await newFolder();
    await (
      await lockEnvironment(folder, me)
    )();
    await writeFile(path.join(folder, 'lock.json'), 'not json');
    await expect(lockEnvironment(folder, me)).rejects.toThrow(/locked by somebody/);
  });

  test('is not given back by whoever has lost it', async () => {
    const folder = await newFolder();
    const unlock = await lockEnvironment(folder, me);
    const file = path.join(folder, 'lock.json');
    const another = (await readFile(file, 'utf8')).replace('jo', 'ann');
    await writeFile(file, another);
    await unlock();
    expect(await readFile(file, 'utf8')).toBe(another);
  });

  test('where nothing can be written says so, before anything is started', async () => {
    const folder = await newFolder();
    const file = path.dirname(path.dirname(folder));
    await writeFile(path.join(file, 'a file'), '');
    const refused = lockEnvironment(path.join(file, 'a file', 'production'), me);
    await expect(refused).rejects.toThrow(DeployError);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining('no record can be kept in'),
      means: 'Nothing was started.',
    });
  });
});
