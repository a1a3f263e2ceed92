/** The key table, read aloud: the help bar, the choices of a question, the `?` page. */
import type {Scene} from '../scene.ts';
import {type Mode, modeBelow, modeOf, type Screen, screenOf} from '../state/mode.ts';
import {accent, bold, cell, cut, dim, gap, type Line, span, spread, widthOf} from '../text/line.ts';
import {clockTime} from '../text/words.ts';
import type {Binding} from './binding.ts';
import {bindingsOf, keyTable, wordsOf} from './table.ts';

/** The answers to what is asked: `r try again   l leave it as it is`. On as many lines as it takes; none where nothing is asked. */
export function choiceLines(scene: Scene): readonly Line[] {
  const choices = bindingsOf(modeOf(scene.model), scene).filter(({place}) => place === 'choice');
  return choices.reduce<readonly Line[]>((lines, binding) => {
    const next = choice(binding, scene);
    const last = lines.at(-1);
    if (last === undefined || widthOf(last) + 3 + widthOf(next) > scene.width) return [...lines, [gap(2), ...next]];
    return [...lines.slice(0, -1), [...last, gap(3), ...next]];
  }, []);
}

function choice(binding: Binding, scene: Scene): Line {
  return [span(binding.label, {...accent, bold: true}), gap(1), span(wordsOf(binding, scene))];
}

/**
 * The last line of every screen: the keys that work now, and the time that the run takes.
 *
 *     ↑↓ move   enter choose   ? help   ctrl+c quit                                    elapsed 01:24
 */
export function helpBar(scene: Scene, withTime = true): Line {
  const entries = bindingsOf(modeOf(scene.model), scene)
    .filter(({place}) => place === 'bar')
    .map((binding): Line => [span(binding.label, bold), span(` ${wordsOf(binding, scene)}`, dim)]);
  const time = withTime ? elapsed(scene) : [];
  const isTight = widthOf(joined(entries, 3)) + widthOf(time) + 2 > scene.width;
  if (!isTight) return spread(joined(entries, 3), time, scene.width);
  // Little room: the time goes first, then keys from the end of the table; but never the last two, help and Ctrl-C.
  while (entries.length > 2 && widthOf(joined(entries, 2)) > scene.width) entries.splice(-3, 1);
  return joined(entries, 2);
}

function joined(entries: readonly Line[], between: number): Line {
  return entries.flatMap((entry, index) => [gap(index === 0 ? 0 : between), ...entry]);
}

const timed: ReadonlySet<Screen> = new Set<Screen>(['work', 'board', 'finished']);

function elapsed({model, moment}: Scene): Line {
  const {started, finished} = model.run;
  if (started === undefined || !timed.has(screenOf(model))) return [];
  const until = finished === undefined ? moment.now : Date.parse(finished.at);
  return [span(`elapsed ${clockTime(until - Date.parse(started.at))}`, dim)];
}

/** Every key of the screen below; in two columns, where one is too long. */
export function helpLines(scene: Scene, height: number): readonly Line[] {
  const mode: Mode = modeBelow(scene.model);
  const typing: readonly Line[] = keyTable[mode].field
    ? [helpLine('text', 'is typed or pasted'), helpLine('ctrl+u', 'clear the field'), helpLine('ctrl+w', 'take a word back')]
    : [];
  const lines = [
    ...typing,
    ...bindingsOf(mode, scene).map(binding =>
      helpLine(binding.label, [wordsOf(binding, scene), ...alsoOf(binding)].join(', also ')),
    ),
  ];
  if (lines.length <= height) return lines;
  const half = Math.floor(scene.width / 2);
  return lines.slice(0, height).map((left, index) => {
    const right = lines[height + index] ?? [];
    return [...spread(left, [], half), ...cut(right, half)];
  });
}

/** Keys that do the same and are not in the label: one text, where there are some. */
export function alsoOf({label, keys}: Binding): readonly string[] {
  const named = label === '↑↓' ? ['↑', '↓'] : label.split(' ');
  const others = Object.keys(keys)
    .filter(key => !(/^\d$/.test(key) && /^\d-\d$/.test(label)))
    .map(key => shortNames[key] ?? key)
    .filter(name => !named.includes(name));
  return others.length === 0 ? [] : [others.join(' ')];
}

/** Keys whose name is not what people call them. */
const shortNames: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  escape: 'esc',
  pageup: 'pgup',
  pagedown: 'pgdn',
};

function helpLine(label: string, words: string): Line {
  return [cell(label, 12, bold), span(words, dim)];
}
