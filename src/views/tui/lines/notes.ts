/** What is said to whoever looks, and asks nothing: a hook that runs, a lock that is lost, a config that has changed. */
import type {Model} from '../state/model.ts';
import type {Moment, Scene} from '../scene.ts';
import {configChangedLines} from '../../lines.ts';
import {glyphs} from '../text/glyphs.ts';
import {cut, dim, gap, type Line, paragraph, span, spread} from '../text/line.ts';
import {clockTime} from '../text/words.ts';
import {spinnerSpan} from './states.ts';

/**
 *     ⠹ hook before apply  ./announce.sh                                                          00:12
 *     ! notify: nobody was told: hooks.example.edu answers 503
 */
export function noteLines(model: Model, moment: Moment, {width, height}: Pick<Scene, 'width' | 'height'>): readonly Line[] {
  // Read aloud as they came.
  if (model.said !== undefined) return [];
  const hooks = model.hooks.map(({hook, text, at}) => {
    const left = cut([spinnerSpan(moment), span(`hook ${hook}`), gap(2), span(text, dim)], width - 7);
    return spread(left, [span(clockTime(moment.now - Date.parse(at)), dim)], width);
  });
  const note = model.notices.at(-1) ?? configChangedLines(model.run.configChanged).join(' ');
  return [...hooks, ...(note === '' ? [] : noteRows(note, width, height < roomForTwo ? 1 : 2))];
}

const roomForTwo = 16;

/** What is cut off of it is printed when the screen is given back. */
function noteRows(note: string, width: number, longest: number): readonly Line[] {
  const rows = paragraph(note, width, {colour: 'yellow'}, [span(`${glyphs.warned} `, {colour: 'yellow', bold: true})]);
  if (rows.length <= longest) return rows;
  const last = rows[longest - 1] ?? [];
  return [...rows.slice(0, longest - 1), cut([...last, span(` ${glyphs.ellipsis}`, dim)], width)];
}
