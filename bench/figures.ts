/** What a bench measures. */
import {table} from './table.ts';

export interface Figure {
  readonly what: string;
  /** Of `values` and `limit`: `s`, `MB`, or nothing for a count. */
  readonly unit: 's' | 'MB' | '';
  /** One a run. */
  readonly values: readonly number[];
  /** The same work by the plain tool (bare Node, the commands by hand), in the same runs: what it is compared with. */
  readonly plain?: readonly number[];
  /** What it should not be above; where there is `plain`, times that. */
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
    ['what', 'median', 'min', 'max', 'runs', 'to plain', 'limit'],
    ...figures.map(({what, unit, values, plain, limit}) => {
      const sorted = values.toSorted((a, b) => a - b);
      const [min = Number.NaN, max = Number.NaN] = [sorted[0], sorted.at(-1)];
      return [
        what,
        ...[median(sorted), min, max].map(value => show(value, unit)),
        String(values.length),
        plain === undefined ? '' : `${ratioOf(values, plain).toFixed(2)} x`,
        limit === undefined ? '' : plain === undefined ? show(limit, unit) : `${limit} x`,
      ];
    }),
  ]);
}

/** Of the medians: one slow moment of the machine counts in neither. */
export function ratioOf(values: readonly number[], plain: readonly number[]): number {
  const middle = (all: readonly number[]) => median(all.toSorted((a, b) => a - b));
  return middle(values) / middle(plain);
}

function median(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const [lower = Number.NaN, upper = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (lower + upper) / 2;
}

function show(value: number, unit: Figure['unit']): string {
  // Starts take milliseconds.
  const number = unit === '' ? String(Math.round(value * 10) / 10) : value.toFixed(unit === 's' && value < 1 ? 3 : 2);
  return unit === '' ? number : `${number} ${unit}`;
}
