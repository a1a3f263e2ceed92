/** How screens share their room out, and what can be scrolled on them: for views, and for the keys that scroll. */
import {columnsOf} from '../../text.ts';
import type {Scene} from '../scene.ts';
import {selectedId, selectedRow} from '../state/lists.ts';
import {screenOf} from '../state/mode.ts';
import type {Model} from '../state/model.ts';
import {boardRows, workRows} from '../state/rows.ts';
import type {Line} from '../text/line.ts';
import {changeLines} from './changes.ts';
import {checkLines} from './checks.ts';
import {rowDetails} from './details.ts';
import {endLines} from './end.ts';

/** A title and a free line. */
export const titleHeight = 2;

/** The plan's two panes: names and badges at the left, about a third at most; a divider of three columns. */
export function reviewWidths({model, width}: Scene): {readonly left: number; readonly right: number} {
  const names = (model.run.plan?.components ?? []).map(({component}) => columnsOf(component));
  const left = Math.min(12 + Math.max(9, ...names), Math.max(22, Math.floor(width * 0.4)));
  return {left, right: width - left - 3};
}

/** A table over the details of its selected row: half and half at most, with a free line between. */
export function tableHeights(rows: number, height: number): {readonly table: number; readonly details: number} {
  const table = Math.min(rows, Math.max(3, Math.floor((height - 1) / 2)));
  return {table, details: Math.max(0, height - table - 1)};
}

/** A text that may be longer than its room. `of` names it: another text starts at its own top. */
export interface Scrollable {
  readonly of: string;
  readonly lines: readonly Line[];
  readonly height: number;
}

const nothing: Scrollable = {of: '', lines: [], height: 0};

export function scrollableOf(scene: Scene): Scrollable {
  const {model, width, height, moment} = scene;
  switch (screenOf(model)) {
    case 'preflight':
      return {of: 'checks', lines: checkLines(scene), height: height - titleHeight};
    case 'finished':
      return {of: 'end', lines: endLines(model.run, width), height};
    case 'review': {
      const component = selectedId(model, 'changes');
      const plan = model.run.plan?.components.find(plan => plan.component === component);
      if (plan === undefined) return nothing;
      return {of: `plan of ${plan.component}`, lines: changeLines(plan, reviewWidths(scene).right), height: height - titleHeight};
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
    case 'confirm':
      return nothing;
  }
}

/** How far the text is scrolled, as far as it can be. */
export function topOf({scroll}: Model, {of, lines, height}: Scrollable): number {
  return scroll.of === of ? Math.max(0, Math.min(scroll.top, lines.length - height)) : 0;
}
