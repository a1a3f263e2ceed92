/** Bindings that several modes share: moving in lists, scrolling texts. */
import {scrollableOf, topOf} from '../lines/panes.ts';
import type {Scene} from '../scene.ts';
import {neighbour, rowIds} from '../state/lists.ts';
import type {ListName} from '../state/model.ts';
import {type Act, type Binding, keys} from './binding.ts';

function move(list: ListName, by: number): Act {
  return ({model}) => {
    const row = neighbour(model, list, by);
    return row === undefined ? undefined : {do: 'select', list, row};
  };
}

function scroll(by: (height: number) => number): Act {
  return scene => {
    const text = scrollableOf(scene);
    const top = topOf(scene.model, text) + by(text.height);
    return {do: 'scroll', of: text.of, top: Math.max(0, Math.min(top, text.lines.length - text.height))};
  };
}

const arrows = {up: ['up', 'k'], down: ['down', 'j']} as const;

/** Arrows (and, where letters are free, j and k) in a list. */
export function moving(list: ListName, letters = true): Binding {
  const [up, down] = letters ? [arrows.up, arrows.down] : [['up'], ['down']];
  return {keys: {...keys(up, move(list, -1)), ...keys(down, move(list, 1))}, label: '↑↓', does: 'move', place: 'bar'};
}

export function toTheEnds(list: ListName): Binding {
  return {
    keys: {...keys(['home', 'g'], move(list, -Infinity)), ...keys(['end', 'G'], move(list, Infinity))},
    label: 'g G',
    does: 'first, last row',
    place: 'help',
  };
}

/** Digits select rows, as far as there are digits. */
export function digits(list: ListName): Binding {
  const row =
    (index: number): Act =>
    ({model}) => {
      const id = rowIds(model, list)[index];
      return id === undefined ? undefined : {do: 'select', list, row: id};
    };
  return {
    keys: Object.fromEntries(Array.from({length: 9}, (_, index) => [String(index + 1), row(index)])),
    label: '1-9',
    does: 'go to that row',
    place: 'help',
  };
}

const lineUp = scroll(() => -1);
const lineDown = scroll(() => 1);
// Two lines of the page before stay in sight.
const pageUp = scroll(height => -Math.max(1, height - 2));
const pageDown = scroll(height => Math.max(1, height - 2));
const toTop = scroll(() => -Infinity);
const toBottom = scroll(() => Infinity);

export const paging: Binding = {
  keys: {...keys(['pageup', 'ctrl+u'], pageUp), ...keys(['pagedown', 'ctrl+d'], pageDown)},
  label: 'pgup pgdn',
  does: 'scroll the text',
  place: 'help',
};

/** The same where letters and their like are typed. */
export const pages: Binding = {keys: {pageup: pageUp, pagedown: pageDown}, label: 'pgup pgdn', does: 'scroll', place: 'bar'};

export const scrolling: Binding = {
  keys: {
    ...keys(arrows.up, lineUp),
    ...keys(arrows.down, lineDown),
    ...keys(['home', 'g'], toTop),
    ...keys(['end', 'G'], toBottom),
  },
  label: '↑↓',
  does: 'scroll',
  place: 'bar',
};

/** A list beside or above a text: `tab` goes from one to the other, and the arrows with it. */
export function listAndText(list: ListName): readonly Binding[] {
  const isReading = ({model}: Scene): boolean => model.reading === list;
  return [
    {...moving(list), when: scene => !isReading(scene)},
    {...toTheEnds(list), when: scene => !isReading(scene)},
    {...scrolling, when: isReading},
    {
      keys: keys(['tab', 'shift+tab'], scene => ({do: 'read', list: isReading(scene) ? undefined : list})),
      label: 'tab',
      does: scene => (isReading(scene) ? 'list' : 'details'),
      place: 'bar',
    },
    digits(list),
    paging,
  ];
}
