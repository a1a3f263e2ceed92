/**
 * What a screen says, as data: a line is a row of spans. Lines are cut, padded, wrapped and windowed here, before they
 * reach Ink, so that a column never depends on what stands in it. `span` is the only way in, and it cleans.
 */
import {clean, columnsOf, pad, truncate, wrap} from '../../text.ts';
import {glyphs} from './glyphs.ts';

/** One accent, three states. Everything else is the terminal's own colour, dim or bold. */
export type Colour = 'cyan' | 'green' | 'yellow' | 'red';

export interface Style {
  readonly colour?: Colour | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  /** What was looked for. */
  readonly inverse?: boolean;
}

export interface Span extends Style {
  readonly text: string;
}

export type Line = readonly Span[];

export const blank: Line = [];
export const dim: Style = {dim: true};
export const bold: Style = {bold: true};
export const accent: Style = {colour: 'cyan'};

/** A piece of a line. Whatever comes from outside is harmless after this. */
export function span(text: string, style: Style = {}): Span {
  return {...style, text: clean(text)};
}

/** A line in one style. */
export function line(text: string, style: Style = {}): Line {
  return [span(text, style)];
}

/** A column: the text in exactly `width` columns. */
export function cell(text: string, width: number, style: Style = {}, side: 'left' | 'right' = 'left'): Span {
  return {...style, text: pad(clean(text), width, side)};
}

/** As many columns of nothing. */
export function gap(width: number): Span {
  return {text: ' '.repeat(Math.max(0, width))};
}

export function widthOf(line: Line): number {
  return line.reduce((sum, part) => sum + columnsOf(part.text), 0);
}

/** The width of a column that holds these texts, `most` at most. */
export function widest(texts: readonly string[], most: number): number {
  return Math.min(most, Math.max(0, ...texts.map(text => columnsOf(clean(text)))));
}

/** Whether a line holds the text, capitals or not. */
export function holds(line: Line, text: string): boolean {
  return text !== '' && plainOf(line).toLowerCase().includes(text.toLowerCase());
}

function plainOf(line: Line): string {
  return line.map(part => part.text).join('');
}

/** The line with every place that holds the text marked. What goes over the end of a span is not. */
export function marked(line: Line, text: string): Line {
  if (!holds(line, text)) return line;
  const wanted = new RegExp(`(${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')})`, 'giu');
  return line.flatMap(part =>
    part.text
      .split(wanted)
      .map((piece, index) => (index % 2 === 1 ? {...part, text: piece, inverse: true} : {...part, text: piece})),
  );
}

/** The line in at most `width` columns. */
export function cut(line: Line, width: number): Line {
  const kept: Span[] = [];
  let room = width;
  for (const part of line) {
    const columns = columnsOf(part.text);
    if (columns > room) return [...kept, {...part, text: truncate(part.text, room)}];
    kept.push(part);
    room -= columns;
  }
  return kept;
}

/** `left` at the left edge, `right` at the right one. When there is no room for both, the left one is cut. */
export function spread(left: Line, right: Line, width: number): Line {
  const rightCut = cut(right, width);
  const room = Math.max(0, width - widthOf(rightCut) - (right.length > 0 ? 1 : 0));
  const leftCut = cut(left, room);
  return [...leftCut, gap(width - widthOf(leftCut) - widthOf(rightCut)), ...rightCut];
}

/** A text of any length in lines: `head` before the first one, as much space before the others. */
export function paragraph(text: string, width: number, style: Style = {}, head: Line = []): readonly Line[] {
  const indent = widthOf(head);
  return wrap(clean(text), width - indent).map((row, index) => [...(index === 0 ? head : [gap(indent)]), {...style, text: row}]);
}

/**
 * The part of a list that fits into `height` lines and shows line `at`. Where something is left out, the line at that
 * edge says how much.
 */
export function around(lines: readonly Line[], at: number, height: number): readonly Line[] {
  if (lines.length <= height) return lines;
  const top = Math.max(0, Math.min(at - Math.floor(height / 2), lines.length - height));
  return withEdges(lines, top, height);
}

/** The part of a text that fits into `height` lines, `top` lines down. */
export function scrolled(lines: readonly Line[], top: number, height: number): readonly Line[] {
  if (lines.length <= height) return lines;
  return withEdges(lines, Math.max(0, Math.min(top, lines.length - height)), height);
}

function withEdges(lines: readonly Line[], top: number, height: number): readonly Line[] {
  const shown = lines.slice(top, top + Math.max(0, height));
  if (height < 4) return shown;
  const below = lines.length - top - height;
  return shown.map((row, index) => {
    if (index === 0 && top > 0) return line(`  ${glyphs.up} ${top + 1} more`, dim);
    if (index === height - 1 && below > 0) return line(`  ${glyphs.down} ${below + 1} more`, dim);
    return row;
  });
}
