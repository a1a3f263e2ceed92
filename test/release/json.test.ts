import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {json} from '../../src/release/json.ts';
import {canonical, fingerprint, sha256} from '../../src/release/hash.ts';

/** What a record can hold: JSON as it comes back from the disk. */
const value = fc.jsonValue({noUnicodeString: false});

/** The same value with the keys of every object set in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, item]) => [key, reversed(item)]),
    );
  }
  return value;
}

describe('the canonical text of a value', () => {
  test('is JSON of the same value', () => {
    fc.assert(
      fc.property(value, value => {
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('does not depend on the order of keys, nor on the way through a file', () => {
    fc.assert(
      fc.property(value, value => {
        expect(canonical(reversed(value))).toBe(canonical(value));
        expect(canonical(JSON.parse(JSON.stringify(value)))).toBe(canonical(value));
        expect(fingerprint(reversed(value))).toBe(fingerprint(value));
      }),
    );
  });

  test('is another for another value', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        if (canonical(a) === canonical(b)) expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(b)));
      }),
    );
    expect(new Set([[], {}, null, '', 0, false, '0', 'null', [null], [[]], {a: null}, {a: []}].map(canonical)).size).toBe(12);
  });

  test('leaves out what holds nothing, and keeps places in lists', () => {
    expect(canonical({b: 1, a: undefined, c: [undefined, 2]})).toBe('{"b":1,"c":[null,2]}');
    expect(canonical({b: {y: 'ä', x: '\u2028'}, a: [1.5, -0]})).toBe(
      `{"a":[1.5,0],"b":{"x":${JSON.stringify('\u2028')},"y":"ä"}}`,
    );
  });

  test('a fingerprint is the sha256 of it', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(fingerprint({b: 1, a: 2})).toBe(sha256('{"a":2,"b":1}'));
  });

  test('what is no JSON is refused where it is read', () => {
    expect(json.safeParse({a: Number.NaN}).success).toBe(false);
    expect(json.safeParse({a: () => 1}).success).toBe(false);
  });
});
