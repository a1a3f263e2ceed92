import {createHash} from 'node:crypto';
import {chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {applyEdit, readText, revertEdit, type Edit} from '../../src/tools/files.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dw-files-'));
  path = join(folder, 'VERSION');
});
afterEach(() => rm(folder, {recursive: true, force: true}));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const edit = (before: string, text: string): Edit => ({path, before: sha256(before), after: sha256(text), text});

describe('reading', () => {
  test('gives back every character, byte order mark and line ends too', async () => {
    const text = '\uFEFFversion: "1.0.0"\r\nnäme: x';
    await writeFile(path, text);
    expect(await readText(path)).toEqual({text, sha256: sha256(text)});
  });

  test('says why it cannot', async () => {
    await expect(readText(path)).rejects.toThrow(`${path} does not exist.`);
    await expect(readText(folder)).rejects.toThrow(`${folder} is a folder.`);
    await writeFile(path, Buffer.from([0x6e, 0xe4, 0x6d, 0x65]));
    await expect(readText(path)).rejects.toThrow(`${path} is not a text file in UTF-8.`);
  });
});

describe('an edit', () => {
  test('and its way back leave the bytes as they were, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({unit: 'binary'}), fc.string({unit: 'binary'}), async (raw, rawNew) => {
        const [before, after] = [raw.toWellFormed(), rawNew.toWellFormed()];
        await writeFile(path, before);
        await applyEdit(edit(before, after));
        expect(await readFile(path, 'utf8')).toBe(after);
        expect(await revertEdit(edit(before, after), before)).toBe(true);
        expect(await readFile(path, 'utf8')).toBe(before);
      }),
      {numRuns: 30},
    );
  });

  test('done twice is done once, forwards and back', async () => {
    await writeFile(path, '1.0.0');
    await applyEdit(edit('1.0.0', '1.1.0'));
    const {ino} = await stat(path);
    await applyEdit(edit('1.0.0', '1.1.0'));
    expect((await stat(path)).ino).toBe(ino);
    expect(await revertEdit(edit('1.0.0', '1.1.0'), '1.0.0')).toBe(true);
    expect(await revertEdit(edit('1.0.0', '1.1.0'), '1.0.0')).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('1.0.0');
  });

  test('leaves alone what somebody else wrote meanwhile', async () => {
    await writeFile(path, '2.0.0');
    await expect(applyEdit(edit('1.0.0', '1.1.0'))).rejects.toMatchObject({
      message: `${path} has changed since it was read.`,
      means: 'It was left as it is.',
    });
    expect(await revertEdit(edit('1.0.0', '1.1.0'), '1.0.0')).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('2.0.0');

    await rm(path);
    await expect(applyEdit(edit('1.0.0', '1.1.0'))).rejects.toThrow(/does not exist/);
    expect(await revertEdit(edit('1.0.0', '1.1.0'), '1.0.0')).toBe(false);
  });

  test('keeps permissions and symbolic links, and leaves nothing beside the file', async () => {
    await writeFile(path, '1.0.0');
    await chmod(path, 0o751);
    const link = join(folder, 'link');
    await symlink('VERSION', link);
    await applyEdit({...edit('1.0.0', '1.1.0'), path: link});
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(path, 'utf8')).toBe('1.1.0');
    expect((await stat(path)).mode & 0o777).toBe(0o751);
    expect(await readdir(folder)).toEqual(['VERSION', 'link']);
  });

  test('takes away what an edit that was killed in the middle has left', async () => {
    await writeFile(path, '1.0.0');
    await writeFile(join(folder, '.VERSION.deploy-wizard'), '1.1');
    await applyEdit(edit('1.0.0', '1.1.0'));
    expect(await readdir(folder)).toEqual(['VERSION']);
  });

  test('of a file that several share is made once', async () => {
    await writeFile(path, '1.0.0');
    await Promise.all([1, 2, 3].map(() => applyEdit(edit('1.0.0', '1.1.0'))));
    expect(await readFile(path, 'utf8')).toBe('1.1.0');
    expect(await readdir(folder)).toEqual(['VERSION']);
  });

  test('that does not hold what it says is a defect, not a change', async () => {
    await writeFile(path, '1.0.0');
    await expect(applyEdit({...edit('1.0.0', '1.1.0'), text: '9.9.9'})).rejects.toThrow(/does not have the hash it says/);
    await expect(revertEdit(edit('1.0.0', '1.1.0'), '0.9.0')).rejects.toThrow(/was not there before/);
    expect(await readFile(path, 'utf8')).toBe('1.0.0');
  });
});
