/** What a bench measures. */
import {table} from './table.ts';

export interface Figure {
  readonly what: string;
  /** Of `values` and `limit`: `s`, `MB`, or nothing for a count. */
  readonly unit: 's' | 'MB' | '';
  /** One a run. */
  readonly values: readonly number[];
  /** What it should not be above. */
  readonly limit?: number;
}

export interface Bench {
  readonly title: string;
  measure(): Promise<readonly Figure[]>;
  /** Lines for comparison, below the table. */
  readonly beside?: readonly string[];
}

export function figuresTable(figures: readonly Figure[]): string {
  return table([
    ['what', 'median', 'min', 'max', 'runs', 'limit'],
    ...figures.map(({what, unit, values, limit}) => {
      const sorted = values.toSorted((a, b) => a - b);
      const [min = Number.NaN, max = Number.NaN] = [sorted[0], sorted.at(-1)];
      return [
        what,
        ...[median(sorted), min, max].map(value => show(value, unit)),
        String(values.length),
        limit === undefined ? '' : show(limit, unit),
      ];
    }),
  ]);
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const [lower = Number.NaN, upper = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (lower + upper) / 2;
}

function show(value: number, unit: Figure['unit']): string {
  const number = unit === '' ? String(Math.round(value * 10) / 10) : value.toFixed(2);
  return unit === '' ? number : `${number} ${unit}`;
}
