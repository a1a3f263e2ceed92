/** What a bench prints of its figures: they are compared with other commits, and with the plain tool. */
import {expect, test} from 'vitest';
import {figuresTable, ratioOf} from '../bench/figures.ts';

test('a table of figures has median, extremes, and how many times the plain tool it is', () => {
  const plain = [0.03, 0.02, 0.05];
  const figures = [
    {what: 'bare Node', unit: 's', values: plain},
    {what: '--version', unit: 's', values: [0.06, 0.04, 0.045], plain, limit: 2},
    {what: 'calls', unit: '', values: [7, 8], limit: 10},
  ] as const;
  expect(figuresTable(figures)).toBe(
    `what         median       min       max   runs   to plain   limit
bare Node   0.030 s   0.020 s   0.050 s      3
--version   0.045 s   0.040 s   0.060 s      3     1.50 x     2 x
calls           7.5         7         8      2                 10
`,
  );
  expect(ratioOf([0.06, 0.04, 0.045], plain)).toBeCloseTo(1.5);
});
