import {expect, test} from 'vitest';
import {middle, paletteFor, sixteen} from '../../../src/views/tui/text/palette.ts';

/** The 6 × 6 × 6 cube of the 256 colours, as every terminal has it. */
function rgbOf(colour: string): readonly number[] {
  const number = Number(/^ansi256\((\d+)\)$/.exec(colour)?.[1]) - 16;
  return [Math.floor(number / 36), Math.floor(number / 6) % 6, number % 6].map(step => (step === 0 ? 0 : 55 + step * 40));
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(rgb: readonly number[]): number {
  const [r = 0, g = 0, b = 0] = rgb.map(value => {
    const share = value / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const backgrounds = {black: [0, 0, 0], white: [255, 255, 255], 'a dark grey': [27, 29, 35], 'an ivory': [253, 246, 227]};

test.each(
  Object.entries(middle).flatMap(([name, colour]) => Object.entries(backgrounds).map(on => [name, ...on, colour] as const)),
)('our %s can be read on %s', (_name, _on, background, colour) => {
  expect(contrast(luminance(rgbOf(colour)), luminance(background))).toBeGreaterThan(3);
});

test.each([
  [{TERM: 'xterm-256color'}, middle],
  [{TERM: 'xterm', COLORTERM: 'truecolor'}, middle],
  [{TERM: 'xterm'}, sixteen],
  [{TERM: 'linux'}, sixteen],
  [{TERM: 'xterm-256color', FORCE_COLOR: '1'}, sixteen],
  [{TERM: 'xterm', FORCE_COLOR: '2'}, middle],
])('%j gets its palette', (env, palette) => {
  expect(paletteFor(env)).toBe(palette);
});
