/**
 * Values as a plan has them: what they are, with Terraform's marks (sensitive, unknown) laid over them, and how two of them differ.
 */
import type {Json} from '../../release/json.ts';
import {canonical} from '../../release/hash.ts';
import type {Marks} from './plan-json.ts';

export type JsonObject = {readonly [key: string]: Json};

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The marks of one part. `true` holds for everything below it. */
export function marksAt(marks: Marks, key: string | number): Marks {
  if (marks === true) return true;
  if (isList(marks)) return typeof key === 'number' ? marks[key] : undefined;
  return isObject(marks) && Object.hasOwn(marks, key) ? marks[key] : undefined;
}

/** The value that a JSON text holds when that is a list or an object (`jsonencode`, policies, container definitions). */
export function decodeJson(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** A value with its marks. There is no difference between `null` and absent in Terraform. */
export type Marked =
  | {readonly is: 'absent'}
  | {readonly is: 'unknown'}
  /** `value` is undefined when it is not known either. */
  | {readonly is: 'sensitive'; readonly value: Json | undefined}
  | {readonly is: 'plain'; readonly value: string | number | boolean}
  | {readonly is: 'list'; readonly items: readonly Marked[]}
  | {readonly is: 'map'; readonly entries: ReadonlyMap<string, Marked>};

const absent: Marked = {is: 'absent'};

/** Lays the marks over a value. */
export function mark(value: Json | undefined, sensitive: Marks, unknown: Marks): Marked {
  if (sensitive === true && (unknown === true || (value ?? null) !== null)) {
    return {is: 'sensitive', value: unknown === true ? undefined : value};
  }
  if (unknown === true) return {is: 'unknown'};
  const part = (item: Json | undefined, key: string | number) => mark(item, marksAt(sensitive, key), marksAt(unknown, key));
  if (isList(value)) return {is: 'list', items: value.map(part)};
  if (isObject(value)) {
    // What is not known is not in the value: only its mark tells of it.
    const keys = new Set([...Object.keys(value), ...(isObject(unknown) ? Object.keys(unknown) : [])]);
    return {is: 'map', entries: new Map([...keys].map(key => [key, part(value[key], key)]))};
  }
  return value === undefined || value === null ? absent : {is: 'plain', value};
}

export type Path = readonly (string | number)[];

/** One place where two values differ. */
export interface Difference {
  readonly path: Path;
  readonly before: Marked;
  readonly after: Marked;
}

/** Where two values differ, leaf by leaf. Lists of plain values are leaves: they read better in one piece. */
export function differences(before: Marked, after: Marked, path: Path = []): Difference[] {
  if (identity(before) === identity(after)) return [];
  if (isPartwise(before) && isPartwise(after)) return inParts(before, after, path);
  const decoded = decodedDifferences(before, after, path);
  return decoded.length > 0 ? decoded : [{path, before, after}];
}

/** A map, a list that holds maps or lists, or nothing: what is compared part by part. */
type Partwise = Extract<Marked, {is: 'absent' | 'list' | 'map'}>;

function isPartwise(value: Marked): value is Partwise {
  if (value.is === 'map') return value.entries.size > 0;
  if (value.is === 'list') return value.items.some(item => item.is === 'list' || item.is === 'map');
  return value.is === 'absent';
}

function inParts(before: Partwise, after: Partwise, path: Path): Difference[] {
  if (before.is !== 'map' && after.is !== 'map') return inLists(itemsOf(before), itemsOf(after), path);
  if (before.is === 'list' || after.is === 'list') return [{path, before, after}];
  const [was, will] = [entriesOf(before), entriesOf(after)];
  const keys = [...new Set([...was.keys(), ...will.keys()])];
  const parts = keys.flatMap(key => differences(was.get(key) ?? absent, will.get(key) ?? absent, [...path, key]));
  // Nothing, and something in which everything is null, are not the same.
  return parts.length > 0 || before.is === after.is ? parts : [{path, before, after}];
}

/**
 * Items that are in both lists are left out, wherever they stand: a set is written as a list, and one new member would otherwise
 * make every later one look changed. What remains is compared in pairs, in order.
 */
function inLists(before: readonly Marked[], after: readonly Marked[], path: Path): Difference[] {
  const was = without(before, after);
  const will = without(after, before);
  const parts = Array.from({length: Math.max(was.length, will.length)}, (_, index) => {
    const [old, young] = [was[index], will[index]];
    return differences(old?.item ?? absent, young?.item ?? absent, [...path, young?.index ?? old?.index ?? index]);
  }).flat();
  // Only their order differs, or how many nulls are in them.
  return parts.length > 0 ? parts : [{path, before: {is: 'list', items: before}, after: {is: 'list', items: after}}];
}

/** The items that the other list does not have, counted: two equal items need two counterparts. */
function without(items: readonly Marked[], others: readonly Marked[]): {readonly item: Marked; readonly index: number}[] {
  const rest = others.map(identity);
  return items
    .map((item, index) => ({item, index}))
    .filter(({item}) => {
      const found = rest.indexOf(identity(item));
      if (found >= 0) rest.splice(found, 1);
      return found < 0;
    });
}

/** Two JSON texts differ where their values do. Where only the white space differs, the texts themselves are the difference. */
function decodedDifferences(before: Marked, after: Marked, path: Path): Difference[] {
  if (before.is !== 'plain' || after.is !== 'plain') return [];
  const [was, will] = [before.value, after.value].map(value => (typeof value === 'string' ? decodeJson(value) : undefined));
  if (was === undefined || will === undefined) return [];
  return differences(mark(was, false, false), mark(will, false, false), path);
}

/** Equal for values that are the same, whether or not they are marked sensitive. What is not known equals nothing but itself. */
function identity(value: Marked): string {
  switch (value.is) {
    case 'absent':
      return 'null';
    case 'unknown':
      return 'unknown';
    case 'sensitive':
      return value.value === undefined ? 'unknown' : canonical(value.value);
    case 'plain':
      return canonical(value.value);
    case 'list':
      return `[${value.items.map(identity).join(',')}]`;
    case 'map': {
      const entries = [...value.entries].sort(([a], [b]) => (a < b ? -1 : 1));
      return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${identity(item)}`).join(',')}}`;
    }
  }
}

function itemsOf(value: Partwise): readonly Marked[] {
  return value.is === 'list' ? value.items : [];
}

function entriesOf(value: Partwise): ReadonlyMap<string, Marked> {
  return value.is === 'map' ? value.entries : new Map();
}

/** `root_block_device[0].tags["a.b"]` */
export function showPath(path: Path): string {
  return path.map((key, index) => showKey(key, index === 0)).join('');
}

function showKey(key: string | number, first: boolean): string {
  if (typeof key === 'number') return `[${key}]`;
  if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(key)) return first ? key : `[${JSON.stringify(key)}]`;
  return first ? key : `.${key}`;
}
