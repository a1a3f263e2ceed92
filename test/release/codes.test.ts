/** The codes of errors: what people look up when something went wrong. */
import {readFile, readdir} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {codes} from '../../src/release/codes.ts';
import {
  DeployError,
  LostAnswerError,
  RefusedError,
  StoppedError,
  UsageError,
  exitCodes,
  toTrouble,
} from '../../src/release/errors.ts';

const root = path.join(import.meta.dirname, '../..');

describe('every code', () => {
  test('is explained in docs/errors.md under its name, and nothing else is', async () => {
    const text = await readFile(path.join(root, 'docs/errors.md'), 'utf8');
    const explained = [...text.matchAll(/^### (?<code>DW\d{3}): (?<title>.+)\n(?<words>[^#\n].+)$/gm)];
    expect(Object.fromEntries(explained.map(({groups}) => [groups?.['code'], groups?.['title']]))).toEqual(codes);
    for (const {groups} of explained) expect(groups?.['words']?.length).toBeGreaterThan(30);
  });

  test('is one that something can end with', async () => {
    const files = (await readdir(path.join(root, 'src'), {recursive: true})).filter(file => /\.tsx?$/.test(file));
    const sources = files.filter(file => !file.endsWith('release/codes.ts'));
    const text = (await Promise.all(sources.map(file => readFile(path.join(root, 'src', file), 'utf8')))).join('\n');
    expect(Object.keys(codes).filter(code => !text.includes(code))).toEqual([]);
  });
});

describe('an error', () => {
  test.each([
    [new DeployError('x'), 'DW100', exitCodes.failed],
    [new UsageError('x'), 'DW200', exitCodes.usage],
    [new UsageError('x', {code: 'DW205'}), 'DW205', exitCodes.usage],
    [new RefusedError('x'), 'DW300', exitCodes.refused],
    [new LostAnswerError('x'), 'DW700', exitCodes.unknown],
    [new StoppedError('x'), 'DW900', exitCodes.interrupted],
  ])('%o has the code of its class unless it has one of its own', (error, code, exitCode) => {
    expect({code: error.code, exitCode: error.exitCode}).toEqual({code, exitCode});
  });

  test('hands its code on to views and records, where it says anything', () => {
    expect(toTrouble(new UsageError('no', {code: 'DW205'}))).toEqual({what: 'no', code: 'DW205'});
    expect(toTrouble(new DeployError('no'))).toEqual({what: 'no'});
  });
});
