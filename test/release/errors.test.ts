import {readFile, readdir} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {inOneLine} from '../../src/release/errors.ts';

test('a command that somebody is told to run is not run into the sentence behind it', () => {
  expect(inOneLine(['Run: chopaws --profile prod', 'Then start again.'])).toBe('Run: chopaws --profile prod · Then start again.');
  expect(inOneLine(['It will not get better by itself.', 'Push the image'])).toBe(
    'It will not get better by itself. Push the image',
  );
  expect(inOneLine(['docker login ghcr.io'])).toBe('docker login ghcr.io');
});

test('wherever several steps become one line', async () => {
  const sources = path.join(import.meta.dirname, '../../src');
  const files = (await readdir(sources, {recursive: true})).filter(file => /\.tsx?$/.test(file));
  const texts = await Promise.all(files.map(async file => [file, await readFile(path.join(sources, file), 'utf8')] as const));
  expect(
    texts.flatMap(([file, text]) => (/\bnext\??\.join\(' '\)|newCredentials\([^)]*\)\.join/.test(text) ? [file] : [])),
  ).toEqual([]);
});
