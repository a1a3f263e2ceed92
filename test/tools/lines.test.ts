import * as fc from 'fast-check';
import {expect, test} from 'vitest';
import {LineSplitter} from '../../src/tools/lines.ts';

function split(chunks: Iterable<Buffer>): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(line => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

const text = fc.array(fc.constantFrom('a', 'é', '🚀', ' ', '\n', '\r', '\r\n')).map(parts => parts.join(''));

test('lines do not depend on where the chunks are cut, not even inside a character or a line end', () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(40)), (text, cuts) => {
      const bytes = Buffer.from(text);
      const edges = [0, ...cuts.filter(cut => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
      expect(split(chunks)).toEqual(split([bytes]));
    }),
  );
});

test('every line end ends a line, and a rest without one is a line', () => {
  expect(split([Buffer.from('a\nb\r\nc\rd\n\ne')])).toEqual(['a', 'b', 'c', 'd', '', 'e']);
  expect(split([])).toEqual([]);
});

test('a line that never ends is handed on in pieces', () => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const pieces = split(Array.from({length: 10}, () => piece));
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join('').length).toBe(10 * piece.length);
});
