/**
 * What every format-preserving editor stands on: a text with a way to refuse it, ranges in it, and edits of ranges.
 *
 * All offsets are UTF-16 code units, as `String.prototype.slice` counts them.
 */
import {DeployError} from '../../release/errors.ts';

/** A half-open stretch of a text: `text.slice(start, end)`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** New text for a range. */
export interface Edit extends Range {
  readonly replacement: string;
}

/** A text to read. `error` makes (does not throw) the error that points at an offset of it. */
export interface Source {
  readonly text: string;
  readonly error: (at: number, problem: string) => LocatedError;
}

/** A text that cannot be read or edited as asked. The message starts with `path:line:column: `, as compilers write it. */
export class LocatedError extends DeployError {
  static override readonly usual = 'DW170';
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units; a byte order mark takes no column. */
  readonly column: number;

  constructor(file: {readonly path: string; readonly text: string}, at: number, problem: string) {
    const {line, column} = positionOf(file.text, at);
    super(`${file.path}:${line}:${column}: ${problem}`, {means: 'No file was changed.', final: true});
    this.path = file.path;
    this.line = line;
    this.column = column;
  }
}

const BYTE_ORDER_MARK = '\uFEFF';

/** Where the content starts: behind the byte order mark, if there is one. */
export const contentStart = (text: string): number => (text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0);

/** The line and column of an offset, both counted from 1. */
export function positionOf(text: string, at: number): {readonly line: number; readonly column: number} {
  const before = text.slice(contentStart(text), at);
  const lines = before.split('\n');
  return {line: lines.length, column: (lines.at(-1) ?? '').length + 1};
}

/** The text with every range replaced. Ranges may come in any order and must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const inOrder = edits.toSorted((a, b) => a.start - b.start);
  const kept = inOrder.map((edit, index) => text.slice(inOrder[index - 1]?.end ?? 0, edit.start) + edit.replacement);
  return kept.join('') + text.slice(inOrder.at(-1)?.end ?? 0);
}
