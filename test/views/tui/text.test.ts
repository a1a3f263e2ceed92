import fc from 'fast-check';
import stringWidth from 'string-width';
import {describe, expect, test} from 'vitest';
import {clean, columnsOf, pad, truncate, truncateStart, wrap} from '../../../src/views/text.ts';
import {glyphs, showsUnicode, spinner, toAscii} from '../../../src/views/tui/text/glyphs.ts';
import {around, line, scrolled, span, spread, widthOf} from '../../../src/views/tui/text/line.ts';
import {ago, clockTime} from '../../../src/views/tui/text/words.ts';

/** Any text, with the dangerous ones more often than by chance. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({unit: 'grapheme'}),
      fc.string({unit: 'binary'}),
      fc.constantFrom(
        '\u001B[31m',
        '\u001B]0;x\u0007',
        '\n',
        '\r',
        '\t',
        '\u202E',
        '\u200D',
        '\uFE0F',
        '漢',
        '👩‍👩‍👧',
        '\uD800',
        'word ',
      ),
    ),
    {maxLength: 12},
  )
  .map(parts => parts.join(''));

describe('clean', () => {
  test.each([
    ['plain', 'plain'],
    ['\u001B[31mred\u001B[0m', 'red'],
    ['a\r\nb\tc', 'a b c'],
    ['\u001B]8;;http://x\u0007link\u001B]8;;\u0007', 'link'],
    ['a\u202Eb', 'ab'],
    ['✔\uFE0F', '✔'],
    ['a\u0000b\u009Fc', 'abc'],
    ['naïve 漢字', 'naïve 漢字'],
  ])('%j becomes %j', (text, cleaned) => {
    expect(clean(text)).toBe(cleaned);
  });

  test('leaves no control, no bidi override and no line end in any text, and changes nothing twice', () => {
    fc.assert(
      fc.property(anyText, text => {
        const cleaned = clean(text);
        expect(cleaned).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069\u200B-\u200F\uFEFF]/u);
        expect(clean(cleaned)).toBe(cleaned);
      }),
    );
  });
});

test('truncate and pad keep to their columns, whatever the text', () => {
  fc.assert(
    fc.property(anyText, fc.nat(60), (text, width) => {
      const cleaned = clean(text);
      expect(stringWidth(truncate(cleaned, width))).toBeLessThanOrEqual(width);
      expect(stringWidth(truncateStart(cleaned, width))).toBeLessThanOrEqual(width);
      expect(stringWidth(pad(cleaned, width))).toBe(width);
      if (columnsOf(cleaned) <= width) expect(truncate(cleaned, width)).toBe(cleaned);
    }),
  );
  expect(truncate('abcdef', 4)).toBe('abc…');
  expect(truncateStart('abcdef', 4)).toBe('…def');
  expect(truncate('漢字漢字', 4)).toBe('漢…');
  expect(pad('7', 3, 'right')).toBe('  7');
});

test('wrap keeps to its columns and loses nothing but spaces', () => {
  fc.assert(
    fc.property(anyText, fc.integer({min: 8, max: 40}), (text, width) => {
      const cleaned = clean(text);
      const lines = wrap(cleaned, width);
      for (const row of lines) expect(columnsOf(row)).toBeLessThanOrEqual(width);
      expect(lines.join('').replaceAll(' ', '')).toBe(cleaned.replaceAll(' ', ''));
    }),
  );
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  expect(wrap('', 4)).toEqual(['']);
  expect(wrap('漢', 1)).toEqual(['…']);
});

test('spread fills a line exactly', () => {
  fc.assert(
    fc.property(anyText, anyText, fc.integer({min: 1, max: 80}), (left, right, width) => {
      expect(widthOf(spread([span(left)], [span(right)], width))).toBe(width);
    }),
  );
});

test('a window over lines shows the selected one, and says how many it leaves out', () => {
  const lines = Array.from({length: 20}, (_, index) => line(`row ${index}`));
  const texts = (shown: typeof lines | readonly (typeof lines)[number][]): string[] =>
    shown.map(row => row.map(({text}) => text).join(''));
  for (let at = 0; at < 20; at += 1) {
    const shown = texts(around(lines, at, 6));
    expect(shown).toHaveLength(6);
    expect(shown).toContain(`row ${at}`);
  }
  expect(texts(around(lines, 0, 6)).at(-1)).toBe('  ↓ 15 more');
  expect(texts(scrolled(lines, 100, 6))).toEqual(['  ↑ 15 more', 'row 15', 'row 16', 'row 17', 'row 18', 'row 19']);
  expect(around(lines, 3, 40)).toBe(lines);
});

test('ASCII stand-ins keep the columns', () => {
  const signs = '✔ ✖ ● ○ ─ ▸ → · ▏ │ █ ░ … ↑ ↓ ⠋ ⠙ ⠹ ⠸ ⠼ ⠴ ⠦ ⠧ ⠇ ⠏';
  expect(columnsOf(toAscii(signs))).toBe(columnsOf(signs));
  expect(toAscii(signs)).toMatch(/^[ -~]*$/);
});

test.each([
  [{}, true],
  [{LANG: 'en_US.UTF-8'}, true],
  [{LANG: 'C'}, false],
  [{LC_ALL: 'POSIX', LANG: 'en_US.UTF-8'}, false],
  [{TERM: 'linux', LANG: 'en_US.UTF-8'}, false],
  [{OS: 'Windows_NT'}, false],
  [{OS: 'Windows_NT', WT_SESSION: '1'}, true],
])('%j shows Unicode: %s', (env, shows) => {
  expect(showsUnicode(env)).toBe(shows);
});

test('times', () => {
  const now = Date.parse('2026-11-21T21:14:00Z');
  expect(clockTime(84_000)).toBe('01:24');
  expect(clockTime(3_723_000)).toBe('1:02:03');
  expect(clockTime(-5)).toBe('00:00');
  expect(ago('2026-11-21T21:13:40Z', now)).toBe('just now');
  expect(ago('2026-11-21T20:14:00Z', now)).toBe('1 h ago');
  expect(ago('2026-11-09T21:14:00Z', now)).toBe('12 d ago');
  expect(ago('no time', now)).toBe('');
});

test('every sign that is measured without looking it up is one column wide, and stays one beside any other', () => {
  const ranges = [
    [0x20, 0x7e],
    [0xb7, 0xb7],
    [0x2026, 0x2026],
    [0x2190, 0x2193],
    [0x2500, 0x25cf],
    [0x2714, 0x2714],
    [0x2716, 0x2716],
    [0x2800, 0x28ff],
  ] as const;
  const signs = ranges.flatMap(([from, to]) =>
    Array.from({length: to - from + 1}, (_, index) => String.fromCodePoint(from + index)),
  );
  for (const sign of signs) {
    expect(stringWidth(sign), sign).toBe(1);
    expect(columnsOf(sign), sign).toBe(1);
  }
  for (const other of ['a', '─', '✔', '⠹', '1', '#']) {
    expect(stringWidth(signs.map(sign => `${sign}${other}`).join(''))).toBe(signs.length * 2);
  }
});

test('none of our signs is an emoji, and each is one column wide', () => {
  for (const sign of [...Object.values(glyphs), ...Array.from({length: 10}, (_, frame) => spinner(frame))]) {
    expect(sign).toMatch(/^\P{Emoji_Presentation}$/u);
    expect(stringWidth(sign), sign).toBe(1);
  }
});
