/**
 * Text from outside (child processes, AWS, Terraform, config files) on its way to a screen: what every view uses,
 * so that nothing that somebody else wrote can move the cursor, break a column or pass for something it is not.
 */
import {stripVTControlCharacters} from 'node:util';
import stringWidth from 'string-width';

const printableAscii = /^[ -~]*$/;
/** Line and paragraph ends of every kind, and tabs: they mean a gap, so that is what is left of them. */
const gaps = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/**
 * C0 and C1 controls; everything that Unicode calls ignorable (bidi overrides and isolates, zero-width joiners, variation
 * selectors: terminals disagree on their width); the interlinear anchors, which it forgot.
 */
const unsafe = /[\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** One line that can stand anywhere on a screen: no escape sequences, no controls, no line ends, no bidi overrides. */
export function clean(text: string): string {
  if (printableAscii.test(text)) return text;
  return stripVTControlCharacters(text).toWellFormed().replaceAll(gaps, ' ').replaceAll(unsafe, '');
}

let segmenter: Intl.Segmenter | undefined;
/** The characters of a text, as people count them. Making a segmenter takes as long as starting half of this program. */
function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', {granularity: 'grapheme'});
  return segmenter.segment(text);
}

/** What our own lines are drawn with: each is one column wide, and joins with none of the others. */
const narrow = /^[ -~·…←-↓─-●✔✖⠀-⣿]*$/;

/** How many columns a cleaned text takes: two for a wide character, none for a combining mark. */
export function columnsOf(text: string): number {
  return narrow.test(text) ? text.length : stringWidth(text);
}

/** The text in at most `width` columns; what is cut off is shown by an ellipsis. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return '';
  // Nobody sees more than `width` columns: do not measure a megabyte. Eight code units a column leave room for marks.
  const head = text.length > width * 8 ? text.slice(0, width * 8).toWellFormed() : text;
  if (head === text && columnsOf(text) <= width) return text;
  return `${splitAt(head, width - 1)[0]}…`;
}

/** The end of the text in at most `width` columns: what a field shows of a text that is longer than itself. */
export function truncateStart(text: string, width: number): string {
  if (width <= 0) return '';
  // As in `truncate`: a token of a thousand characters may be typed into a field.
  const tail = text.length > width * 8 ? text.slice(-width * 8).toWellFormed() : text;
  if (tail === text && columnsOf(text) <= width) return text;
  const parts = [...graphemesOf(tail)].map(part => part.segment);
  let from = parts.length;
  for (let room = width - 1; from > 0; from -= 1) {
    room -= columnsOf(parts[from - 1] ?? '');
    if (room < 0) break;
  }
  return `…${parts.slice(from).join('')}`;
}

/** The text in at most `width` columns, without its middle: of the name of an image, its tag is what goes last. */
export function truncateMiddle(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  const tag = text.slice(text.lastIndexOf('/'));
  const end = truncateStart(text, Math.min(width, Math.max(columnsOf(tag) + 1, Math.ceil(width * 0.7))));
  const start = splitAt(text, Math.max(0, width - columnsOf(end)))[0];
  return `${start}${end}`;
}

/** The text in exactly `width` columns: cut, or filled with spaces on the other side. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, width);
  const space = ' '.repeat(Math.max(0, width - columnsOf(cut)));
  return side === 'left' ? `${cut}${space}` : `${space}${cut}`;
}

/** The text in lines of at most `width` columns, broken at spaces, and inside words that are longer than a line. */
export function wrap(text: string, width: number): readonly string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (columnsOf(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    let rest = word;
    while (columnsOf(rest) > room) {
      const [piece, more] = splitAt(rest, room);
      // A wide character in a single column cannot be shown; that there is something can.
      const [{segment} = {segment: rest}] = graphemesOf(rest);
      lines.push(piece || '…');
      rest = piece === '' ? rest.slice(segment.length) : more;
    }
    line = rest;
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

/** What fits into `width` columns, and the rest. */
function splitAt(text: string, width: number): readonly [string, string] {
  if (narrow.test(text)) return [text.slice(0, width), text.slice(width)];
  let taken = 0;
  let columns = 0;
  for (const {segment} of graphemesOf(text)) {
    columns += columnsOf(segment);
    if (columns > width) break;
    taken += segment.length;
  }
  return [text.slice(0, taken), text.slice(taken)];
}
