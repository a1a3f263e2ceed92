/** Columns of plain text. */
import {columnsOf} from './text.ts';

/** Rows of cleaned cells (`clean`) as lines: each column as wide as its widest cell. */
export function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell))));
  return rows.map(row =>
    row
      .map((cell, column) => `${cell}${' '.repeat((widths[column] ?? 0) - columnsOf(cell))}`)
      .join('   ')
      .trimEnd(),
  );
}
