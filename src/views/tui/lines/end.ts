import type {ComponentEnd} from '../../../release/model.ts';
import type {RunState} from '../../../release/reducer.ts';
import {glyphs} from '../text/glyphs.ts';
import {blank, bold, cell, dim, gap, type Line, paragraph, span, type Style, widest, widthOf} from '../text/line.ts';
import {isBadOutcome} from '../text/words.ts';
import {downtimeLines} from './downtime.ts';

const endMarks: Readonly<Record<ComponentEnd['end'], readonly [glyph: string, style: Style]>> = {
  verified: [glyphs.done, {colour: 'green'}],
  unchanged: [glyphs.nothing, dim],
  'not proven': [glyphs.warned, {colour: 'yellow'}],
  waived: [glyphs.warned, {colour: 'yellow'}],
  failed: [glyphs.failed, {colour: 'red'}],
  'rolled back': [glyphs.failed, {colour: 'yellow'}],
  superseded: [glyphs.warned, {colour: 'yellow'}],
  stopped: [glyphs.warned, {colour: 'yellow'}],
  unknown: [glyphs.asked, {colour: 'yellow'}],
  'not started': [glyphs.open, dim],
};

/**
 * How the run ended, component by component.
 *
 *     ✖ failed: notification-services cannot start
 *
 *     ✔ pass-core               verified      1.13.2 → 1.14.0   https://pass.example.edu/version answers 1.14.0
 *     ✖ notification-services   failed        1.13.2 → 1.14.0   CannotPullContainerError: not found
 */
export function endLines({finished}: RunState, width: number): readonly Line[] {
  if (finished === undefined) return [];
  const isBad = isBadOutcome(finished.outcome);
  const head: Line = [
    span(`${isBad ? glyphs.failed : glyphs.done} ${finished.outcome}  `, {colour: isBad ? 'red' : 'green', bold: true}),
  ];
  const names = widest(
    finished.components.map(({component}) => component),
    Math.floor(width / 3),
  );
  const versions = widest(finished.components.map(versionsOf), Math.floor(width / 3));
  return [
    ...paragraph(finished.text, width, bold, head),
    blank,
    ...finished.components.flatMap(end => [
      ...oneEnd(end, names, versions, width),
      ...(end.downtime === undefined ? [] : downtimeLines(end.downtime, width - 4).map(row => [gap(4), ...row])),
    ]),
    blank,
    [span(finished.touched ? 'What was done is in the record.' : 'No environment has been touched.', dim)],
  ];
}

function oneEnd(ended: ComponentEnd, names: number, versions: number, width: number): readonly Line[] {
  const {component, end, note} = ended;
  const [glyph, style] = endMarks[end];
  const head: Line = [cell(glyph, 2, style), cell(component, names), gap(2), cell(end, 13, style)];
  const row: Line = [...head, cell(versionsOf(ended), versions), gap(2)];
  if (note === '') return [row];
  // Where a note would stand in a tall column of single words, it gets lines of its own.
  const beside = width - widthOf(row) >= 24 ? paragraph(note, width, dim, row) : [];
  return beside.length === 1 || beside.length === 2 ? beside : [row, ...paragraph(note, width, dim, [gap(4)])];
}

function versionsOf({from, to}: ComponentEnd): string {
  return from === undefined || from === to ? to : `${from} ${glyphs.arrow} ${to}`;
}
