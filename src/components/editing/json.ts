/** Reads the members of a JSON object with their places, strictly: what `JSON.parse` refuses is refused here, with a position. */
import {contentStart, type Source} from './source.ts';
import {isMark, matching, readLines, splitBy, type Rules, type Tree} from './trees.ts';

/** One `"name": value` of an object. */
export interface Member {
  readonly name: string;
  readonly key: Tree;
  readonly value: Tree;
}

const JSON_RULES: Rules = [
  {match: matching(/[ \t\r\n]+/y), kind: 'blank'},
  {match: matching(/"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy), kind: 'string'},
  {match: matching(/"/y), refuse: 'this string does not end on its line, or holds an escape that JSON does not have'},
  {match: matching(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y), kind: 'number'},
  {match: matching(/true|false|null/y), kind: 'name'},
  {match: matching(/[[\]{},:]/y), kind: 'mark'},
];

/** The text that a JSON string stands for. */
export const decodeJsonString = (token: Tree): string => String(JSON.parse(token.text));

/** The object that the whole text is, and its members in order. Throws when the text is not JSON or not an object. */
export function readJsonObject(source: Source): {readonly object: Tree; readonly members: readonly Member[]} {
  const [object, extra] = readLines(source, JSON_RULES).flat();
  if (object?.kind !== '{') throw source.error(object?.start ?? contentStart(source.text), 'expected a JSON object');
  if (extra !== undefined) throw source.error(extra.start, 'expected nothing behind the object');
  return {object, members: readMembers(source, object)};
}

/** The members of a value that `readJsonObject` has read; none where it is no object. */
export const membersOf = (source: Source, value: Tree): readonly Member[] =>
  value.kind === '{' ? readMembers(source, value) : [];

/** The items of a list that `readJsonObject` has read. */
export const itemsOf = (list: Tree): readonly Tree[] => readItems(list).flatMap(([item]) => item ?? []);

const readMembers = (source: Source, object: Tree): readonly Member[] =>
  readItems(object).map(item => readMember(source, object, item));

function readMember(source: Source, object: Tree, [key, colon, ...value]: readonly Tree[]): Member {
  if (key?.kind !== 'string') throw source.error(key?.start ?? object.end - 1, 'expected a member "name": value');
  if (!isMark(colon, ':')) throw source.error(colon?.start ?? key.end, 'expected a colon behind the name');
  return {name: decodeJsonString(key), key, value: readValue(source, object, value)};
}

/** The one tree that a value is, checked to the bottom. */
function readValue(source: Source, parent: Tree, [value, extra]: readonly Tree[]): Tree {
  if (value === undefined || value.kind === 'mark' || value.kind === '(') {
    throw source.error(value?.start ?? parent.end - 1, 'expected a value');
  }
  if (extra !== undefined) throw source.error(extra.start, 'expected a comma or the end');
  if (value.kind === '{') readMembers(source, value);
  if (value.kind === '[') readItems(value).forEach(item => readValue(source, value, item));
  return value;
}

/** What stands between the commas; an empty group has no items, and every other comma needs one on either side. */
const readItems = (group: Tree): readonly (readonly Tree[])[] =>
  group.children.length === 0 ? [] : splitBy(group.children, ',');
