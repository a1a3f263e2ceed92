/** The key table, read aloud: the help bar, the choices of a question, the `?` page. */
import type {Scene} from '../scene.ts';
import {type Mode, modeBelow, modeOf, type Screen, screenOf} from '../state/mode.ts';
import {accent, bold, cell, dim, gap, type Line, span, spread, widthOf} from '../text/line.ts';
import {clockTime} from '../text/words.ts';
import type {Binding} from './binding.ts';
import {bindingsOf, keyTable, wordsOf} from './table.ts';

/** The answers to what is asked, as one line: `r try again   l leave it as it is`. Empty where nothing is. */
export function choiceLine(scene: Scene): Line {
  const choices = bindingsOf(modeOf(scene.model), scene).filter(({place}) => place === 'choice');
  return choices.flatMap((binding, index) => [gap(index === 0 ? 2 : 3), ...choice(binding, scene)]);
}

function choice(binding: Binding, scene: Scene): Line {
  return [span(binding.label, {...accent, bold: true}), gap(1), span(wordsOf(binding, scene))];
}

/**
 * The last line of every screen: the keys that work now, and the time that the run takes.
 *
 *     ↑↓ move   enter choose   ? help   ctrl+c quit                                    elapsed 01:24
 */
export function helpBar(scene: Scene): Line {
  const bindings = bindingsOf(modeOf(scene.model), scene).filter(({place}) => place === 'bar');
  const right = elapsed(scene);
  const room = scene.width - widthOf(right) - 2;
  // The last ones, help and Ctrl-C, are always said.
  const last = bindings.slice(-2).flatMap(binding => entry(binding, scene));
  const shown: Line[] = [];
  let used = widthOf(last);
  for (const binding of bindings.slice(0, -2)) {
    const words = entry(binding, scene);
    used += widthOf(words);
    if (used > room) break;
    shown.push(words);
  }
  return spread([...shown.flat(), ...last], right, scene.width);
}

function entry(binding: Binding, scene: Scene): Line {
  return [span(binding.label, bold), span(` ${wordsOf(binding, scene)}`, dim), gap(3)];
}

const timed: ReadonlySet<Screen> = new Set<Screen>(['work', 'board', 'finished']);

function elapsed({model, moment}: Scene): Line {
  const {started, finished} = model.run;
  if (started === undefined || !timed.has(screenOf(model))) return [];
  const until = finished === undefined ? moment.now : Date.parse(finished.at);
  return [span(`elapsed ${clockTime(until - Date.parse(started.at))}`, dim)];
}

/** Every key of the screen below. */
export function helpLines(scene: Scene): readonly Line[] {
  const mode: Mode = modeBelow(scene.model);
  const bindings = bindingsOf(mode, scene);
  const field: readonly Line[] = keyTable[mode].field
    ? [[cell('text', 12, bold), span('is typed or pasted into the field; ctrl+u clears it, ctrl+w takes a word back', dim)]]
    : [];
  return [...field, ...bindings.map(binding => [cell(binding.label, 12, bold), span(wordsOf(binding, scene), dim)])];
}
