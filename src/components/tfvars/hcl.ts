/**
 * The part of HCL that a tfvars file may use: attributes with literal values.
 *
 * The lexer exists to know what is *not* an attribute: `v = "9.9.9"` inside a comment, a heredoc or a nested map. Strings and heredocs
 * are templates, whose `${…}` and `%{…}` hold expressions with strings of their own, and those are followed to their end.
 */
import {contentStart, type Source} from '../editing/source.ts';
import {endOf, isMark, matching, readLines, readToken, type Rules, type Tree} from '../editing/trees.ts';
import type {Attribute, Entry, Language} from './language.ts';

const IDENTIFIER = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;

/** The tokens of HCL, in variable files as in modules. */
export const HCL_RULES: Rules = [
  {match: matching(/[ \t]+/y), kind: 'blank'},
  {match: matching(/(?:#|\/\/)[^\n]*/y), kind: 'blank'},
  {match: matching(/\/\*[^]*?\*\//y), kind: 'blank'},
  {match: matching(/\/\*/y), refuse: 'this comment never ends'},
  {match: matching(/\r?\n/y), kind: 'newline'},
  {match: endOfQuoted, kind: 'string'},
  {match: endOfHeredoc, kind: 'string'},
  {match: matching(/<</y), refuse: 'a heredoc starts with << or <<-, a name, and the end of the line'},
  {match: matching(/'/y), refuse: 'single quotes are not valid: use double quotes (") to enclose strings'},
  {match: matching(/;/y), refuse: 'the ";" character is not valid: use newlines to separate arguments'},
  {match: matching(IDENTIFIER), kind: 'name'},
  {match: matching(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y), kind: 'number'},
  {match: matching(/==|!=|<=|>=|=>|&&|\|\||\.\.\.|[-+*/%!<>=?:.,~()[\]{}]/y), kind: 'mark'},
];

/** Literal text of a quoted string; stops at its quote, its line's end, and where a template sequence starts. */
const QUOTED_TEXT = /(?:[^"\\$%\r\n]+|\\[^\r\n]|\$\$\{|%%\{|[$%](?!\{))*/y;
/** Literal text of a line of a heredoc, where neither quotes nor backslashes mean anything. */
const HEREDOC_TEXT = /(?:[^$%\n]+|\$\$\{|%%\{|[$%](?!\{))*/y;
const HEREDOC_OPENING = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy;

export const hcl: Language = {
  read: source => readLines(source, HCL_RULES).map(line => readAttribute(source, line)),
  encode: value =>
    `"${value.replace(/[\\"\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|[$%]\{/gu, special => ENCODED[special] ?? escapeCodePoint(special))}"`,
  append: (source, entries) => ({start: source.text.length, end: source.text.length, replacement: appendix(source, entries)}),
};

function readAttribute(source: Source, [name, equals, ...value]: readonly Tree[]): Attribute {
  if (name?.kind === 'string') throw source.error(name.start, 'argument names must not be quoted');
  if (name?.kind !== 'name') throw source.error(name?.start ?? 0, 'expected an argument name');
  if (!isMark(equals, '=')) throw source.error(equals?.start ?? name.end, `expected "=" behind the argument name ${name.text}`);

  const [first, last] = [value[0], value.at(-1)];
  if (first === undefined || last === undefined) throw source.error(equals?.end ?? name.end, 'expected a value on the same line');
  const surplus = value.find((tree, index) => !mayFollow(tree, value[index - 1]));
  if (surplus !== undefined) {
    throw source.error(surplus.start, 'expected the end of the line: every argument has lines of its own, without commas');
  }

  const string = value.length === 1 ? decode(source, first) : undefined;
  return {name: name.text, at: name.start, value: {start: first.start, end: last.end}, string};
}

/** Whether a tree can stand behind another in one expression: two operands need an operator between them, unless it is a call or an index. */
function mayFollow(tree: Tree, before: Tree | undefined): boolean {
  if (isMark(tree, '=') || isMark(tree, ',')) return false;
  const isOperator = tree.kind === 'mark' || tree.kind === '(' || tree.kind === '[';
  return isOperator || before === undefined || before.kind === 'mark';
}

function endOfQuoted(source: Source, at: number): number | undefined {
  if (source.text[at] !== '"') return undefined;
  const end = endOfText(source, QUOTED_TEXT, at + 1);
  if (source.text[end] === '"') return end + 1;
  throw source.error(at, 'this string does not end on its line: for more lines use \\n or a heredoc');
}

/** The end of a heredoc's closing marker. Terraform 1.11.4 wants a newline behind it, even at the end of the file. */
function endOfHeredoc(source: Source, at: number): number | undefined {
  HEREDOC_OPENING.lastIndex = at;
  const [opening, marker] = HEREDOC_OPENING.exec(source.text) ?? [];
  if (opening === undefined) return undefined;
  for (let start = at + opening.length; ;) {
    const newline = source.text.indexOf('\n', start);
    if (newline === -1) {
      throw source.error(at, `this heredoc never ends: expected a line with only ${marker}, and a newline behind it`);
    }
    const line = source.text.slice(start, newline);
    if (line.trim() === marker) return start + line.trimEnd().length;
    // Not `newline`: a template sequence may run over several lines, and what looks like the marker in there is none.
    start = endOfText(source, HEREDOC_TEXT, start) + 1;
  }
}

/** Where the text of a template ends, of which `literal` matches what is no template sequence. */
function endOfText(source: Source, literal: RegExp, at: number): number {
  let end = endOf(literal, source.text, at) ?? at;
  while (/^[$%]\{/.test(source.text.slice(end, end + 2))) {
    const behind = endOfSequence(source, end);
    end = endOf(literal, source.text, behind) ?? behind;
  }
  return end;
}

const NESTING: Readonly<Record<string, number>> = {'{': 1, '}': -1};

/** Where the `${…}` or `%{…}` that starts at `at` ends; it holds an expression, with strings and braces of its own. */
function endOfSequence(source: Source, at: number): number {
  let depth = 0;
  for (let here = at + 2; here < source.text.length;) {
    const token = readToken(source, HCL_RULES, here);
    here = token.end;
    depth += (token.kind === 'mark' && NESTING[token.text]) || 0;
    if (depth < 0) return here;
  }
  const opening = source.text.slice(at, at + 2);
  throw source.error(at, `this ${opening} is never closed: ${opening[0]}${opening} stands for the two characters themselves`);
}

/** What has a short form in a quoted string. */
const ENCODED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '${': '$${',
  '%{': '%%{',
};
const DECODED: ReadonlyMap<string, string> = new Map(Object.entries(ENCODED).map(([plain, written]) => [written, plain]));

/** Control and invisible characters are written as escapes, so that whoever reads the file sees them. */
function escapeCodePoint(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

const ESCAPE = /\$\$\{|%%\{|\\(?:u(?<short>[\da-fA-F]{4})|U(?<long>[\da-fA-F]{8})|[^])/g;

/** The text of a quoted string without template sequences; undefined for anything else. Throws at an escape that HCL does not have. */
function decode(source: Source, token: Tree): string | undefined {
  const isPlain = token.text.startsWith('"') && endOf(QUOTED_TEXT, source.text, token.start + 1) === token.end - 1;
  if (!isPlain) return undefined;
  return token.text
    .slice(1, -1)
    .replace(ESCAPE, (escape: string, short: string | undefined, long: string | undefined, offset: number) => {
      const decoded = DECODED.get(escape) ?? fromCodePoint(Number.parseInt(short ?? long ?? '', 16));
      if (decoded === undefined) throw source.error(token.start + 1 + offset, `${escape} is not a valid escape sequence`);
      return decoded;
    });
}

/** The character of a code point; undefined for what is none, and for surrogates, which Terraform refuses even in pairs. */
function fromCodePoint(code: number): string | undefined {
  const isCharacter = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : undefined;
}

/** New lines for the end of the file. A file without a newline at its end stays one. */
function appendix(source: Source, entries: readonly Entry[]): string {
  const unwritable = entries.find(([name]) => endOf(IDENTIFIER, name, 0) !== name.length);
  if (unwritable !== undefined) {
    throw source.error(source.text.length, `${JSON.stringify(unwritable[0])} is not a valid argument name`);
  }
  const content = source.text.slice(contentStart(source.text));
  const newline = /\r?\n/.exec(content)?.[0] ?? '\n';
  const lines = entries.map(([name, written]) => `${name} = ${written}`).join(newline);
  return content === '' || content.endsWith('\n') ? lines + newline : newline + lines;
}
