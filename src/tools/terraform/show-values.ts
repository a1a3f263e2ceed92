/** Values of a plan as one line of text each, with nothing in it that must not be seen. */
import {canonical} from '../../release/hash.ts';
import type {Difference, Marked} from './values.ts';

const hidden = '(sensitive)';
const unknown = 'known after apply';

/** Longer texts are cut. In UTF-16 units. */
const longest = 80;
/** What is kept on either side of the place where two long texts differ. */
const context = 24;

/** Hides every occurrence of the secrets in a text. `secrets`: longest first, as `collectSecrets` has them. */
export function hiding(secrets: readonly string[]): (text: string) => string {
  return text => secrets.reduce((seen, secret) => (seen.includes(secret) ? seen.replaceAll(secret, hidden) : seen), text);
}

export interface ShownDifference {
  readonly before: string | null;
  readonly after: string | null;
  /** Something is hidden. */
  readonly sensitive: boolean;
}

/** Both sides of a difference. Secrets are hidden first and texts cut after that: half a secret is one too. */
export function showDifference({before, after}: Difference, hide: (text: string) => string): ShownDifference {
  // A value that is secret on one side is the same secret, or the next one, on the other.
  if (before.is === 'sensitive' || after.is === 'sensitive') {
    const side = ({is}: Marked) => (is === 'absent' ? null : is === 'unknown' ? unknown : hidden);
    return {before: side(before), after: side(after), sensitive: true};
  }
  const shown = [before, after].map(value => show(value));
  const [was = null, will = null] = shown.map(text => (text === null ? null : hide(text)));
  const [shortBefore, shortAfter] = was === null || will === null ? [cut(was), cut(will)] : cutAround(was, will);
  return {before: shortBefore, after: shortAfter, sensitive: [was, will].some(text => text?.includes(hidden))};
}

function show(value: Marked): string | null {
  switch (value.is) {
    case 'absent':
      return null;
    case 'unknown':
      return unknown;
    case 'sensitive':
      return hidden;
    case 'plain':
      return typeof value.value === 'string' ? showText(value.value) : String(value.value);
    case 'list':
    case 'map':
      return showNested(value);
  }
}

function showNested(value: Marked): string {
  switch (value.is) {
    case 'plain':
      return canonical(value.value);
    case 'list':
      return `[${value.items.map(showNested).join(', ')}]`;
    case 'map':
      return `{${[...value.entries].map(([key, item]) => `${JSON.stringify(key)}: ${showNested(item)}`).join(', ')}}`;
    case 'absent':
    case 'unknown':
    case 'sensitive':
      return show(value) ?? 'null';
  }
}

/** As it is, or in quotes where it would look like something else (`1`, `true`, nothing) or has more than one line. */
function showText(text: string): string {
  const looksLikeAnother = /^(?:|null|true|false|-?\d+(?:\.\d+)?)$/.test(text) || text !== text.trim();
  // oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal as they are
  return looksLikeAnother || /[\u0000-\u001f\u007f]/.test(text) ? JSON.stringify(text) : text;
}

function cut(text: string | null): string | null {
  return text === null || text.length <= longest ? text : `${text.slice(0, longest - 1).toWellFormed()}…`;
}

/** Two texts, each cut down to where they differ. */
function cutAround(before: string, after: string): [string, string] {
  if (before.length <= longest && after.length <= longest) return [before, after];
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;

  const from = start <= context ? 0 : start - context;
  const window = (text: string) => {
    const to = end <= context ? text.length : text.length - end + context;
    const upTo = Math.min(to, from + longest);
    return `${from > 0 ? '…' : ''}${text.slice(from, upTo).toWellFormed()}${upTo < text.length ? '…' : ''}`;
  };
  return [window(before), window(after)];
}
