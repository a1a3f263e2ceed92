/** tfvars as JSON. Strings are taken as they are: `${…}` means nothing in a `.tfvars.json` (measured with Terraform 1.11.4). */
import {decodeJsonString, readJsonObject} from '../editing/json.ts';
import {contentStart, type Edit, type Source} from '../editing/source.ts';
import type {Attribute, Entry, Language} from './language.ts';

/** Terraform reads a member of this name as a comment, as often as it comes. */
const COMMENT = '//';

export const json: Language = {read, encode: value => JSON.stringify(value), append};

function read(source: Source): readonly Attribute[] {
  if (contentStart(source.text) > 0) throw source.error(0, 'Terraform refuses a byte order mark in JSON');
  return readJsonObject(source)
    .members.filter(({name}) => name !== COMMENT)
    .map(({name, key, value}) => ({
      name,
      at: key.start,
      value: {start: value.start, end: value.end},
      string: value.kind === 'string' ? decodeJsonString(value) : undefined,
    }));
}

/** New members look like the last one: the same white space before the name and around the colon. */
function append(source: Source, entries: readonly Entry[]): Edit {
  const {object, members} = readJsonObject(source);
  const [last, beforeLast] = [members.at(-1), members.at(-2)];
  const write = ([name, written]: Entry, indent: string, colon: string) => indent + json.encode(name) + colon + written;
  if (last === undefined) {
    const at = object.start + 1;
    return {start: at, end: at, replacement: entries.map(entry => write(entry, '', ': ')).join(', ')};
  }
  const indent = source.text.slice(beforeLast?.value.end ?? object.start + 1, last.key.start).replace(',', '');
  const colon = source.text.slice(last.key.end, last.value.start);
  const at = last.value.end;
  return {start: at, end: at, replacement: entries.map(entry => `,${write(entry, indent, colon)}`).join('')};
}
