/** Config files that were checked before: as good as checked now, and never older than the file. */
import {mkdtemp, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {loadConfig} from '../../src/config/load.ts';
import {loadRemembered} from '../../src/config/remembered.ts';
import {UsageError} from '../../src/release/errors.ts';
import {cookbookYaml, passYaml} from './samples.ts';

async function places() {
  const root = await mkdtemp(path.join(tmpdir(), 'dw-remembered-'));
  onTestFinished(() => rm(root, {recursive: true, force: true}));
  return {file: path.join(root, 'deploy-wizard.config.yaml'), cache: path.join(root, 'cache')};
}

describe('a config file that was checked before', () => {
  test('is what it was when it is read again, and nobody else can read what is kept', async () => {
    const {file, cache} = await places();
    await writeFile(file, passYaml);
    const checked = await loadConfig(file, {});
    expect(await loadRemembered(file, {}, cache)).toEqual(checked);
    expect(await loadRemembered(file, {}, cache)).toEqual(checked);
    const [kept = ''] = await readdir(cache);
    expect((await stat(path.join(cache, kept))).mode & 0o777).toBe(0o600);
    expect((await stat(cache)).mode & 0o777).toBe(0o700);
  });

  test('is not read from the file system twice where it is kept: its mistakes would show', async () => {
    const {file, cache} = await places();
    await writeFile(file, passYaml);
    await loadRemembered(file, {}, cache);
    const [kept = ''] = await readdir(cache);
    const text = await readFile(path.join(cache, kept), 'utf8');
    await writeFile(path.join(cache, kept), text.replace('"application":"pass"', '"application":"kept"'));
    expect((await loadRemembered(file, {}, cache)).config.application).toBe('kept');
  });

  test('is checked anew as soon as it is another file', async () => {
    const {file, cache} = await places();
    await writeFile(file, passYaml);
    await loadRemembered(file, {}, cache);
    await writeFile(file, cookbookYaml);
    expect((await loadRemembered(file, {}, cache)).config.application).toBe('data-models-sqlalchemy');
    expect(await readdir(cache)).toHaveLength(1);
    await writeFile(file, passYaml.replace('application:', 'aplication:'));
    await expect(loadRemembered(file, {}, cache)).rejects.toThrow(/1:1: unknown key "aplication"/);
  });

  test.each(['', '{', '{"key":"x"}', 'null'])('is checked anew where what is kept is %j', async kept => {
    const {file, cache} = await places();
    await writeFile(file, passYaml);
    await loadRemembered(file, {}, cache);
    const [name = ''] = await readdir(cache);
    await writeFile(path.join(cache, name), kept);
    expect((await loadRemembered(file, {}, cache)).config.application).toBe('pass');
  });

  test('needs no place to be kept', async () => {
    const {file} = await places();
    await writeFile(file, passYaml);
    // A file is in the way.
    expect((await loadRemembered(file, {}, path.join(file, 'cache'))).config.application).toBe('pass');
  });

  test('that is gone is an error like any other', async () => {
    const {file, cache} = await places();
    await expect(loadRemembered(file, {}, cache)).rejects.toThrow(UsageError);
  });
});
