/** From what Ink reads to what the key table knows: names for keys, text for fields. */
import type {Key} from 'ink';
import {clean} from '../../text.ts';
import type {Scene} from '../scene.ts';
import {modeOf} from '../state/mode.ts';
import type {Action} from '../state/model.ts';
import type {Field} from './binding.ts';
import {actionOf, keyTable} from './table.ts';

/** Where keys go: the scene as it is now, and what is done about them. */
export interface Receiver {
  readonly scene: () => Scene;
  readonly send: (action: Action) => void;
}

/** Nobody types more than this into a field; somebody may paste it. */
const longestText = 200;

/** One key, or a chunk of text that arrived at once. */
export function onInput(receiver: Receiver, input: string, key: Key): void {
  const name = nameOf(input, key);
  if (name !== undefined) {
    press(receiver, name);
    return;
  }
  // Ctrl-C right behind other keys must not get lost in them.
  for (const [index, chunk] of input.split('\u0003').entries()) {
    if (index > 0) press(receiver, 'ctrl+c');
    onChunk(receiver, chunk);
  }
}

function onChunk(receiver: Receiver, input: string): void {
  // Typed fast, or pasted by a terminal without bracketed paste. Once a field takes the text, the rest belongs to it:
  // a pasted line must never submit itself.
  let rest = input;
  while (rest !== '') {
    if (fieldOf(receiver.scene()) !== undefined) {
      onText(receiver, rest);
      return;
    }
    const first = String.fromCodePoint(rest.codePointAt(0) ?? 0);
    press(receiver, characterNames[first] ?? first);
    rest = rest.slice(first.length);
  }
}

/** Text that was pasted. Line ends are dropped: they are no Enter. */
export function onText({scene, send}: Receiver, text: string): void {
  const plain = clean(text.replaceAll(/[\r\n]+/g, ''));
  const before = scene();
  const {paste} = keyTable[modeOf(before.model)];
  const field = fieldOf(before);
  const action = field
    ? field.set(before, `${field.text(before)}${plain}`.slice(0, field.longest ?? longestText))
    : paste?.(before, plain.trim());
  if (action !== undefined) send(action);
}

function press({scene, send}: Receiver, name: string): void {
  const before = scene();
  const field = fieldOf(before);
  const edit = field && edits[name]?.(field.text(before));
  const action = edit === undefined ? actionOf(name, before) : field?.set(before, edit);
  if (action !== undefined) send(action);
}

function fieldOf({model}: Scene): Field | undefined {
  return keyTable[modeOf(model)].field;
}

/** What keys do to the text of any field. The caret is always at its end. */
const edits: Readonly<Record<string, (text: string) => string>> = {
  backspace: text => text.replace(/.$/su, ''),
  'ctrl+u': () => '',
  'ctrl+w': text => text.trimEnd().replace(/\S+$/, ''),
};

const characterNames: Readonly<Record<string, string>> = {'\r': 'enter', ' ': 'space', '\t': 'tab'};

const namedKeys = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const satisfies readonly (readonly [keyof Key, string])[];

/** The name of a key that is no text; undefined for text. */
function nameOf(input: string, key: Key): string | undefined {
  if (key.ctrl) return `ctrl+${input}`;
  if (key.meta && !key.escape) return `alt+${input}`;
  const name = namedKeys.find(([flag]) => key[flag])?.[1];
  return name === 'tab' && key.shift ? 'shift+tab' : name;
}
