/**
 * `__version_info__`, the version in parts: a dictionary as data-models-sqlalchemy has it, or a tuple in the order of
 * `sys.version_info`. Both come down to the same five parts.
 *
 * `1.2.0` is releaselevel `final`, whatever the serial says; `1.2.0-beta.2` is releaselevel `beta`, serial 2. In the dictionary of
 * data-models-sqlalchemy the serial is a variable, filled from BUILD_NUM at run time: then it is nobody's to edit, and a prerelease is
 * `1.2.0-beta`, without a number.
 *
 * PASS's labels are levels too: `1.2.0-RC2` is releaselevel `candidate` (or `rc`), serial 2, and `1.2.0-SNAPSHOT` is `dev` (or
 * `snapshot`), whatever the serial says. Code that reads the level may know no others than it names: data-models-sqlalchemy asserts that
 * it is alpha, beta or final. So a level other than those is written only where the file says its word somewhere, and, in a tuple,
 * `candidate`, which sys.version_info has.
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

/** The label of a version, and the words by which a releaselevel says it, the usual one first. */
const LABELS: readonly {readonly label: string; readonly words: readonly string[]; readonly numbered: boolean}[] = [
  {label: 'alpha', words: ['alpha'], numbered: true},
  {label: 'beta', words: ['beta'], numbered: true},
  {label: 'RC', words: ['candidate', 'rc'], numbered: true},
  {label: 'SNAPSHOT', words: ['dev', 'snapshot'], numbered: false},
];

/**
 * The site of `{'major': 1, 'minor': 2, 'micro': 3, …}`; keys that are no part of a version are left out. `words`: every string of the
 * file.
 */
export function dictionarySite(source: Source, dictionary: Tree, words: ReadonlySet<string>): Site {
  const statements = splitItems(dictionary).flatMap(item => readEntry(source, dictionary, item) ?? []);
  const again = statements.find(({part}, index) => statements.slice(0, index).some(earlier => earlier.part === part));
  if (again !== undefined) throw source.error(again.at, `${again.part} is in the dictionary __version_info__ twice`);
  return partsSite(source, 'python __version_info__', dictionary, statements, new Set([...words, 'alpha', 'beta']));
}

function readEntry(source: Source, dictionary: Tree, [key, colon, ...value]: readonly Tree[]): Statement | undefined {
  const name = insideQuotes(key);
  if (key === undefined || name === undefined || !isMark(colon, ':')) {
    throw source.error(key?.start ?? dictionary.start, "expected 'key': value in the dictionary __version_info__");
  }
  const part = PARTS.find(known => known === source.text.slice(name.start, name.end));
  return part && {part, value, at: key.start};
}

/** The site of `(1, 2, 3)` or `(1, 2, 3, 'final', 0)`. `words`: every string of the file. */
export function tupleSite(source: Source, tuple: Tree, words: ReadonlySet<string>): Site {
  const items = splitItems(tuple);
  const statements = PARTS.flatMap((part, index) => {
    const value = items[index];
    return value === undefined ? [] : [{part, value, at: tuple.start}];
  });
  if (items.length <= PARTS.length) {
    const known = new Set([...words, 'alpha', 'beta', 'candidate']);
    return partsSite(source, 'python __version_info__ tuple', tuple, statements, known);
  }
  throw source.error(tuple.start, `expected at most (${PARTS.join(', ')}) in the tuple __version_info__`);
}

/** What stands between commas; the last comma may be followed by nothing. */
const splitItems = (group: Tree): readonly (readonly Tree[])[] => splitBy(group.children, ',').filter(item => item.length > 0);

function partsSite(
  source: Source,
  format: string,
  whole: Tree,
  statements: readonly Statement[],
  words: ReadonlySet<string>,
): Site {
  const slots: Slots = Object.fromEntries(statements.map(statement => [statement.part, readSlot(source, statement)]));
  const missing = REQUIRED.filter(part => slots[part] === undefined);
  if (!isComplete(slots)) throw source.error(whole.start, `__version_info__ lacks ${missing.join(', ')}`);
  return {
    format,
    version: versionOf(slots),
    ranges: Object.values(slots).flatMap(slot => (slot === undefined ? [] : [{start: slot.start, end: slot.end}])),
    edits: version => editSlots(slots, version, words),
    expresses: describe(slots, words),
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
  const known = LABELS.find(({words}) => words.includes(releaselevel.text));
  return `${release}-${labelOf(known?.label ?? releaselevel.text, known?.numbered === false ? undefined : serial?.text)}`;
}

/** `beta.2`, and as PASS has it `RC2`. */
const labelOf = (label: string, number = ''): string => `${label}${number === '' || label === 'RC' ? '' : '.'}${number}`;

/** Groups are named after the parts, except `label`. */
const EXPRESSIBLE =
  /^(?<major>\d+)\.(?<minor>\d+)\.(?<micro>\d+)(?:-(?:(?<label>alpha|beta|SNAPSHOT)(?:\.(?<serial>\d+))?|(?<candidate>RC)(?<number>\d+)?))?$/;

function editSlots(slots: Slots, version: string, words: ReadonlySet<string>): readonly Edit[] | undefined {
  const {major, minor, micro, label, candidate, serial, number} = EXPRESSIBLE.exec(version)?.groups ?? {};
  if (major === undefined) return undefined;
  const level = levelOf(slots, label ?? candidate, serial ?? number, words);
  if (level === undefined) return undefined;

  const texts: Partial<Record<Part, string | undefined>> = {major, minor, micro, releaselevel: level, serial: serial ?? number};
  return PARTS.flatMap(part => {
    const [slot, replacement] = [slots[part], texts[part]];
    return slot !== undefined && replacement !== undefined ? [{start: slot.start, end: slot.end, replacement}] : [];
  });
}

/** The releaselevel that says a label; undefined where the file cannot say it, or not with (or without) that number. */
function levelOf(
  {releaselevel, serial}: Slots,
  label: string | undefined,
  number: string | undefined,
  words: ReadonlySet<string>,
): string | undefined {
  if (label === undefined) return 'final';
  const wanted = LABELS.find(known => known.label === label);
  if (wanted === undefined || releaselevel === undefined) return undefined;
  const fits = wanted.numbered ? (number !== undefined) === (serial !== undefined) : number === undefined;
  if (!fits) return undefined;
  return [releaselevel.text, ...wanted.words].find(word => wanted.words.includes(word) && words.has(word));
}

function describe({releaselevel, serial}: Slots, words: ReadonlySet<string>): string {
  if (releaselevel === undefined) return 'X.Y.Z';
  const known = LABELS.filter(label => label.words.some(word => words.has(word)));
  const labels = known.map(({label, numbered}) => `X.Y.Z-${labelOf(label, numbered && serial !== undefined ? 'N' : undefined)}`);
  return ['X.Y.Z', ...labels].join(', ').replace(/, ([^,]*)$/, ' or $1');
}
