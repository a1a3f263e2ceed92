import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {promisify} from 'node:util';
import {expect, onTestFinished, test} from 'vitest';
import {makeScratch, temporaryFolder} from '../../src/commands/scratch.ts';

/** The pid of a process that has ended. */
async function ended(): Promise<number> {
  const {stdout} = await promisify(execFile)(process.execPath, ['-p', 'process.pid']);
  return Number(stdout);
}

test('what a killed look has left behind goes with the next one; what is at work, or of another machine, stays', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'dw-sweep-'));
  onTestFinished(() => rm(root, {recursive: true, force: true}));
  const env = {TMPDIR: root};
  const left = async (host: string, pid: number) => {
    const folder = temporaryFolder(env);
    await mkdir(folder);
    await writeFile(path.join(folder, 'owner.json'), JSON.stringify({host, pid}));
    await writeFile(path.join(folder, 'service.tfplan'), 'secret');
    return path.basename(folder);
  };
  await left('laptop', await ended());
  const working = await left('laptop', process.pid);
  const elsewhere = await left('build', await ended());
  await mkdir(path.join(root, 'deploy-wizard-of-somebody'));

  const own = temporaryFolder(env);
  await makeScratch(own, {env, host: 'laptop', pid: process.pid});
  expect((await readdir(root)).sort()).toEqual([path.basename(own), working, elsewhere, 'deploy-wizard-of-somebody'].sort());
  expect((await stat(own)).mode & 0o777).toBe(0o700);
});
