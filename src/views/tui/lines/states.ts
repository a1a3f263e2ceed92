/** The glyph and the colour of a state, for every table. */
import type {Check} from '../../../release/model.ts';
import type {Moment} from '../scene.ts';
import type {RowState} from '../state/rows.ts';
import {glyphs, spinner} from '../text/glyphs.ts';
import {cell, type Span, type Style} from '../text/line.ts';

interface Mark {
  /** `spins`: the glyph of the moment. */
  readonly glyph: string;
  readonly style: Style;
}

const spins = '';

const rowMarks: Readonly<Record<RowState, Mark>> = {
  waiting: {glyph: glyphs.open, style: {dim: true}},
  running: {glyph: spins, style: {colour: 'cyan'}},
  done: {glyph: glyphs.done, style: {colour: 'green'}},
  back: {glyph: glyphs.back, style: {colour: 'yellow'}},
  failed: {glyph: glyphs.failed, style: {colour: 'red'}},
  skipped: {glyph: glyphs.nothing, style: {dim: true}},
  asked: {glyph: glyphs.asked, style: {colour: 'yellow'}},
};

const checkMarks: Readonly<Record<Check['status'], Mark>> = {
  passed: {glyph: glyphs.done, style: {colour: 'green'}},
  failed: {glyph: glyphs.failed, style: {colour: 'red'}},
  pending: {glyph: spins, style: {colour: 'cyan'}},
  warned: {glyph: glyphs.warned, style: {colour: 'yellow'}},
  open: {glyph: glyphs.asked, style: {colour: 'yellow'}},
};

/** A row's state, glyph and word, in `width` columns. */
export function rowMark(is: RowState, word: string, width: number, moment: Moment): Span {
  const {glyph, style} = rowMarks[is];
  return cell(`${glyph || spinner(moment.frame)} ${word}`, width, style);
}

/** The two columns in front of a check. */
export function checkMark(status: Check['status'], moment: Moment): Span {
  const {glyph, style} = checkMarks[status];
  return cell(glyph || spinner(moment.frame), 2, style);
}

/** Something is going on: the spinner and its space. */
export function spinnerSpan({frame}: Moment): Span {
  return cell(spinner(frame), 2, {colour: 'cyan'});
}
