/**
 * `__version_info__`, the version in parts: a dictionary as data-models-sqlalchemy has it, or a tuple in the order of
 * `sys.version_info`. Both come down to the same five parts.
 *
 * `1.2.0` is releaselevel `final`, whatever the serial says; `1.2.0-beta.2` is releaselevel `beta`, serial 2. In the dictionary of
 * data-models-sqlalchemy the serial is a variable, filled from BUILD_NUM at run time: then it is nobody's to edit, and a prerelease is
 * `1.2.0-beta`, without a number.
 */
import type {Edit, Range, Source} from '../editing/source.ts';
import {isMark, splitBy, type Tree} from '../editing/trees.ts';
import {insideQuotes, type Site} from './site.ts';

/** The keys of the dictionary, and the order of the tuple. */
const PARTS = ['major', 'minor', 'micro', 'releaselevel', 'serial'] as const;
type Part = (typeof PARTS)[number];
const REQUIRED = ['major', 'minor', 'micro'] as const satisfies readonly Part[];

/** A part that is written out: the range of its digits, or of the inside of its quotes. */
interface Slot extends Range {
  readonly text: string;
}

/** The parts that are written out. */
type Slots = {readonly [part in Part]?: Slot | undefined};
type CompleteSlots = Slots & Record<(typeof REQUIRED)[number], Slot>;

interface PartRule {
  readonly range: (value: readonly Tree[]) => Range | undefined;
  readonly pattern: RegExp;
  /** What a version cannot be told without; undefined where a computed value is all right. */
  readonly expected: string | undefined;
}

const INTEGER: PartRule = {range: onlyNumber, pattern: /^(?:0|[1-9]\d*)$/, expected: 'a plain integer'};

const PART_RULES: Readonly<Record<Part, PartRule>> = {
  major: INTEGER,
  minor: INTEGER,
  micro: INTEGER,
  releaselevel: {range: onlyString, pattern: /^[A-Za-z]+$/, expected: "a word in quotes such as 'final'"},
  serial: {...INTEGER, expected: undefined},
};

function onlyNumber([value, more]: readonly Tree[]): Range | undefined {
  return value?.kind === 'number' && more === undefined ? value : undefined;
}

function onlyString([value, more]: readonly Tree[]): Range | undefined {
  return more === undefined ? insideQuotes(value) : undefined;
}

/** What is said about one part, not yet understood. */
interface Statement {
  readonly part: Part;
  readonly value: readonly Tree[];
  /** Where it is said. */
  readonly at: number;
}

/** The site of `{'major': 1, 'minor': 2, 'micro': 3, …}`; keys that are no part of a version are left out. */
export function dictionarySite(source: Source, dictionary: Tree): Site {
  const statements = splitItems(dictionary).flatMap(item => readEntry(source, dictionary, item) ?? []);
  const again = statements.find(({part}, index) => statements.slice(0, index).some(earlier => earlier.part === part));
  if (again !== undefined) throw source.error(again.at, `${again.part} is in the dictionary __version_info__ twice`);
  return partsSite(source, 'python __version_info__', dictionary, statements);
}

function readEntry(source: Source, dictionary: Tree, [key, colon, ...value]: readonly Tree[]): Statement | undefined {
  const name = insideQuotes(key);
  if (key === undefined || name === undefined || !isMark(colon, ':')) {
    throw source.error(key?.start ?? dictionary.start, "expected 'key': value in the dictionary __version_info__");
  }
  const part = PARTS.find(known => known === source.text.slice(name.start, name.end));
  return part && {part, value, at: key.start};
}

/** The site of `(1, 2, 3)` or `(1, 2, 3, 'final', 0)`. */
export function tupleSite(source: Source, tuple: Tree): Site {
  const items = splitItems(tuple);
  const statements = PARTS.flatMap((part, index) => {
    const value = items[index];
    return value === undefined ? [] : [{part, value, at: tuple.start}];
  });
  if (items.length <= PARTS.length) return partsSite(source, 'python __version_info__ tuple', tuple, statements);
  throw source.error(tuple.start, `expected at most (${PARTS.join(', ')}) in the tuple __version_info__`);
}

/** What stands between commas; the last comma may be followed by nothing. */
const splitItems = (group: Tree): readonly (readonly Tree[])[] => splitBy(group.children, ',').filter(item => item.length > 0);

function partsSite(source: Source, format: string, whole: Tree, statements: readonly Statement[]): Site {
  const slots: Slots = Object.fromEntries(statements.map(statement => [statement.part, readSlot(source, statement)]));
  const missing = REQUIRED.filter(part => slots[part] === undefined);
  if (!isComplete(slots)) throw source.error(whole.start, `__version_info__ lacks ${missing.join(', ')}`);
  return {
    format,
    version: versionOf(slots),
    ranges: Object.values(slots).flatMap(slot => (slot === undefined ? [] : [{start: slot.start, end: slot.end}])),
    edits: version => editSlots(slots, version),
    expresses: describe(slots),
  };
}

/** The slot that holds a part's value; undefined when the value is computed and need not be known. */
function readSlot(source: Source, {part, value, at}: Statement): Slot | undefined {
  const {range, pattern, expected} = PART_RULES[part];
  const found = range(value);
  const text = found === undefined ? '' : source.text.slice(found.start, found.end);
  if (found !== undefined && pattern.test(text)) return {start: found.start, end: found.end, text};
  if (expected === undefined) return undefined;
  throw source.error(value[0]?.start ?? at, `expected ${expected} as ${part} of __version_info__`);
}

const isComplete = (slots: Slots): slots is CompleteSlots => REQUIRED.every(part => slots[part] !== undefined);

function versionOf({major, minor, micro, releaselevel, serial}: CompleteSlots): string {
  const release = `${major.text}.${minor.text}.${micro.text}`;
  if (releaselevel === undefined || releaselevel.text === 'final') return release;
  return serial === undefined ? `${release}-${releaselevel.text}` : `${release}-${releaselevel.text}.${serial.text}`;
}

/** Groups are named after the parts. The levels are those that `get_version` of data-models-sqlalchemy accepts. */
const EXPRESSIBLE = /^(?<major>\d+)\.(?<minor>\d+)\.(?<micro>\d+)(?:-(?<releaselevel>alpha|beta)(?:\.(?<serial>\d+))?)?$/;

function editSlots(slots: Slots, version: string): readonly Edit[] | undefined {
  const wanted = EXPRESSIBLE.exec(version)?.groups;
  if (wanted === undefined) return undefined;
  const isFinal = wanted['releaselevel'] === undefined;
  const hasNumber = wanted['serial'] !== undefined;
  if (!isFinal && (slots.releaselevel === undefined || hasNumber !== (slots.serial !== undefined))) return undefined;

  const texts: Partial<Record<Part, string>> = {...wanted, ...(isFinal && {releaselevel: 'final'})};
  return PARTS.flatMap(part => {
    const [slot, replacement] = [slots[part], texts[part]];
    return slot !== undefined && replacement !== undefined ? [{start: slot.start, end: slot.end, replacement}] : [];
  });
}

function describe({releaselevel, serial}: Slots): string {
  if (releaselevel === undefined) return 'X.Y.Z';
  const number = serial === undefined ? '' : '.N';
  return `X.Y.Z, X.Y.Z-alpha${number} or X.Y.Z-beta${number}`;
}
