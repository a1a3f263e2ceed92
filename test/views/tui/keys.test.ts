import {expect, test} from 'vitest';
import {alsoOf} from '../../../src/views/tui/keys/help.ts';
import {keyTable} from '../../../src/views/tui/keys/table.ts';

const modes = Object.entries(keyTable);

test.each(modes)('%s: every entry of the key table has keys, a label and words', (_mode, {bindings}) => {
  for (const {keys, label, does} of bindings) {
    expect(Object.keys(keys).length).toBeGreaterThan(0);
    expect(label).not.toBe('');
    expect(typeof does === 'function' || does !== '').toBe(true);
  }
});

/** How people call keys, where that is not their name. */
const called: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  escape: 'esc',
  pageup: 'pgup',
  pagedown: 'pgdn',
};

test.each(modes)('%s: the help page names every key that does something', (_mode, {bindings}) => {
  for (const binding of bindings) {
    const names = [...binding.label.split(/ |(?<=↑)/), ...alsoOf(binding).flatMap(text => text.split(' '))];
    for (const key of Object.keys(binding.keys)) {
      expect(names).toContain(/^\d$/.test(key) ? binding.label : (called[key] ?? key));
    }
    expect(new Set(names).size).toBe(names.length);
  }
});

test.each(modes)('%s: no key has two meanings that may hold at the same time', (_mode, {bindings}) => {
  const unconditional = bindings.filter(({when}) => when === undefined).flatMap(({keys}) => Object.keys(keys));
  expect(new Set(unconditional).size).toBe(unconditional.length);
});

test.each(modes)('%s: letters are no commands where text is typed', (_mode, {bindings, field}) => {
  if (field === undefined) return;
  const letters = bindings.flatMap(({keys}) => Object.keys(keys)).filter(key => key.length === 1);
  expect(letters).toEqual([]);
});
