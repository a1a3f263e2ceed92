/** Where the launcher has Node keep the compiled program: with the user, in a folder that nobody else can write to. */
import {mkdtemp, readdir, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {execa} from 'execa';
import {launcher} from '../support/program.ts';

test.each([
  ['the user’s caches', {}, ['.cache', 'deploy-wizard', 'compiled']],
  ['the folder that is named for caches', {XDG_CACHE_HOME: 'caches'}, ['caches', 'deploy-wizard', 'compiled']],
  ['where Node is told to', {NODE_COMPILE_CACHE: 'node'}, ['node']],
] as const)('the compiled program is kept in %s, and not where everybody may write', async (_where, given, expected) => {
  const home = await mkdtemp(path.join(tmpdir(), 'dw-compiled-'));
  onTestFinished(() => rm(home, {recursive: true, force: true}));
  const places = Object.fromEntries(Object.entries(given).map(([name, folder]) => [name, path.join(home, folder)]));
  const temporary = path.join(home, 'tmp');
  await execa(process.execPath, [launcher, '--version'], {env: {HOME: home, TMPDIR: temporary, ...places}, extendEnv: false});
  const kept = path.join(home, ...expected);
  expect((await readdir(kept, {recursive: true})).length).toBeGreaterThan(1);
  expect((await stat(kept)).mode & 0o022).toBe(0);
  await expect(readdir(temporary)).rejects.toThrow();
});

test('somebody without a home starts it all the same', async () => {
  const homeless =
    "import os from 'node:os'; import {syncBuiltinESMExports} from 'node:module'; os.homedir = () => { throw new Error('ENOENT'); }; syncBuiltinESMExports();";
  const {stdout} = await execa(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(homeless)}`, launcher, '--version'],
    {env: {}, extendEnv: false},
  );
  expect(stdout).toMatch(/^\d+\.\d+\.\d+$/);
});
