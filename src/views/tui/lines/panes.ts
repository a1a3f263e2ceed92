/** How screens share their room out, and what can be scrolled on them: for views, and for the keys that scroll. */
import type {Scene} from '../scene.ts';
import {selectedId, selectedRow} from '../state/lists.ts';
import {screenOf} from '../state/mode.ts';
import type {Model} from '../state/model.ts';
import {boardRows, workRows} from '../state/rows.ts';
import {bold, type Line, paragraph} from '../text/line.ts';
import {byHandLines} from './by-hand.ts';
import {confirmLines} from './confirm.ts';
import {rowDetails} from './details.ts';
import {endLines} from './end.ts';
import {checkLines} from './preflight.ts';
import {changeTextOf} from './review.ts';

/** A title and a free line. */
export const titleHeight = 2;

/** A table over the details of its selected row: half and half at most, with a free line between. */
export function tableHeights(rows: number, height: number): {readonly table: number; readonly details: number} {
  const table = Math.min(rows, Math.max(3, Math.floor((height - 1) / 2)));
  return {table, details: Math.max(0, height - table - 1)};
}

/** `Release pass 1.14.0 to production?` */
export function confirmTitle({model: {run}, width}: Scene): readonly Line[] {
  const {application = '', version = '', environment = '', kind} = run.started ?? {};
  const text =
    kind === 'rollback'
      ? `Take ${application} back to ${version} in ${environment}?`
      : `Release ${application} ${version} to ${environment}?`;
  return paragraph(text, width, bold);
}

/** What has to be typed, the field, and what `enter` means. */
const fieldHeight = 3;

/** A text that may be longer than its room. `of` names it: another text starts at its own top. */
export interface Scrollable {
  readonly of: string;
  readonly lines: readonly Line[];
  readonly height: number;
}

const nothing: Scrollable = {of: '', lines: [], height: 0};

export function scrollableOf(scene: Scene): Scrollable {
  const {model, width, height, moment} = scene;
  if (model.byHand !== undefined && model.log === undefined) {
    const {component} = model.byHand;
    return {of: `by hand ${component}`, lines: byHandLines(model, component, width), height: height - titleHeight};
  }
  switch (screenOf(model)) {
    case 'preflight':
      return {of: 'checks', lines: checkLines(scene), height: height - titleHeight};
    case 'finished':
      return {of: 'end', lines: endLines(model.run, width), height};
    case 'review': {
      const component = selectedId(model, 'changes');
      const text = changeTextOf(scene);
      return text === undefined ? nothing : {of: `plan of ${component}`, lines: text.lines, height: height - titleHeight};
    }
    case 'work':
    case 'board': {
      const list = screenOf(model) === 'work' ? 'jobs' : 'board';
      const rows = list === 'jobs' ? workRows(model) : boardRows(model);
      const row = selectedRow(model, list);
      if (row === undefined) return nothing;
      const {details} = tableHeights(rows.length, height);
      return {of: `details of ${row.id}`, lines: rowDetails(row, width, moment), height: details};
    }
    case 'environment':
    case 'version':
    case 'components':
    case 'starting':
      return nothing;
    case 'confirm': {
      const room = height - confirmTitle(scene).length - fieldHeight - 2;
      return {of: 'confirm', lines: confirmLines(model, width), height: Math.max(1, room)};
    }
  }
}

/** How far the text is scrolled, as far as it can be. */
export function topOf({scroll}: Model, {of, lines, height}: Scrollable): number {
  return scroll.of === of ? Math.max(0, Math.min(scroll.top, lines.length - height)) : 0;
}
