/** The one redaction: every text on its way to a screen, a log, the record or a report passes it. */
import {stripVTControlCharacters} from 'node:util';
import {hidden} from '../release/json.ts';

export interface Redaction {
  /** From now on, this text is hidden wherever it occurs. Short ones are ignored: they would hide half of everything. */
  learn(secret: string): void;
  /** The text without any known secret. */
  text(text: string): string;
  /** The same for every string in a JSON value, keys included. */
  deep<T>(value: T): T;
}

/** Below this a "secret" is too common a word to be replaced everywhere (`true`, `80`, `dev`). */
const shortest = 4;

/**
 * `open`: texts that everybody may read anyway (the config file, which the record holds; the words that events are made of). What
 * stands in one of them is no secret, and hiding it would make a record unreadable.
 */
export function createRedaction(open: readonly string[] = []): Redaction {
  const secrets = new Set<string>();
  let pattern: RegExp | undefined;

  const hide = (text: string): string => {
    if (secrets.size === 0) return text;
    // Longest first, so that a secret that holds another is hidden whole.
    pattern ??= new RegExp(
      [...secrets]
        .sort((a, b) => b.length - a.length)
        .map(escapeRegExp)
        .join('|'),
      'g',
    );
    return text.replace(pattern, (found, at: number) => (isPartOfHash(text, at, found) ? found : hidden));
  };
  const text = (input: string): string => {
    const shown = hide(input);
    // A view takes out what cannot be seen: what comes together by that must not be a secret either.
    const visible = stripVTControlCharacters(shown).replaceAll(invisible, '');
    if (visible === shown) return shown;
    const hiddenThen = hide(visible);
    return hiddenThen === visible ? shown : hiddenThen;
  };
  const deep = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(deep);
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [text(key), deep(item)]));
    }
    return value;
  };

  return {
    text,
    deep: <T>(value: T): T => {
      if (secrets.size === 0) return value;
      // The shape stays: strings become strings.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return deep(value) as T;
    },
    learn: secret => {
      for (const form of formsOf(secret)) if (!open.some(text => text.includes(form))) secrets.add(form);
      pattern = undefined;
    },
  };
}

/** Controls and what Unicode calls ignorable, but not what parts words and lines. */
const invisible = /[[\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\t\n\v\f\r\u0085\u2028\u2029]]/gv;

/** A secret as it is, line by line (a key file is cut into lines by a log), and as JSON, URLs, forms and base64 write it. */
function formsOf(secret: string): readonly string[] {
  const parts = [secret, ...secret.split(/\r?\n/).map(line => line.trim())].filter(part => part.trim().length >= shortest);
  return parts.flatMap(part => {
    const escaped = JSON.stringify(part).slice(1, -1);
    return [
      part,
      // In a command as it is shown: on one line, and in quotes.
      part.replaceAll(/\s+/g, ' '),
      part.replaceAll(/\s+/g, ' ').replaceAll("'", String.raw`'\''`),
      escaped,
      JSON.stringify(escaped).slice(1, -1),
      encodeURIComponent(part.toWellFormed()),
      new URLSearchParams([['', part]]).toString().slice(1),
      // Without its padding: it may or may not be there.
      Buffer.from(part).toString('base64').replace(/=+$/, ''),
      Buffer.from(part).toString('base64url'),
    ];
  });
}

const hex = /[0-9a-f]/;
/** Of the shortest hash there is, a commit's. */
const hashLength = 40;

/** A short secret in hexadecimal may well be a part of a hash, which a resumed run has to find as it was. */
function isPartOfHash(text: string, at: number, found: string): boolean {
  if (!/^[0-9a-f]+$/.test(found)) return false;
  let start = at;
  let end = at + found.length;
  while (hex.test(text.charAt(start - 1))) start -= 1;
  while (hex.test(text.charAt(end))) end += 1;
  return end - start >= hashLength && end - start > found.length;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
