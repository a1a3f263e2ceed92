/** The strings of a JSON text with their places in it, so that one can be replaced and every other byte kept. */
import {type Edit, type Source, LocatedError, applyEdits} from '../editing/source.ts';
import {decodeJsonString, itemsOf, membersOf, readJsonObject} from '../editing/json.ts';
import type {Tree} from '../editing/trees.ts';

export interface JsonString {
  /** Names of members and indices of items, from the outside. */
  readonly path: readonly string[];
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** Every string that is a value. Throws a LocatedError where the text is no JSON object; `name` is what errors call it. */
export function jsonStrings(name: string, text: string): readonly JsonString[] {
  const source: Source = {text, error: (at, problem) => new LocatedError({path: name, text}, at, problem)};
  const walk = (value: Tree, path: readonly string[]): readonly JsonString[] => {
    if (value.kind === 'string') return [{path, value: decodeJsonString(value), start: value.start, end: value.end}];
    if (value.kind === '[') return itemsOf(value).flatMap((item, index) => walk(item, [...path, String(index)]));
    return membersOf(source, value).flatMap(member => walk(member.value, [...path, member.name]));
  };
  return walk(readJsonObject(source).object, []);
}

/** The text with other strings at some places; every other byte as it was. */
export function replaceStrings(text: string, changes: readonly {readonly at: JsonString; readonly value: string}[]): string {
  const edits = changes.map(({at, value}): Edit => ({start: at.start, end: at.end, replacement: JSON.stringify(value)}));
  return applyEdits(text, edits);
}
