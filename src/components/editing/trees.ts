/**
 * A small reader for languages that consist of tokens, brackets and lines: Python, TOML, HCL and JSON each give a table of
 * rules and get back logical lines of token trees. Comments and the insides of strings are out of the way from then on, which
 * is what a regular expression over lines can never promise.
 */
import {contentStart, type Range, type Source} from './source.ts';

type TokenKind = 'name' | 'number' | 'string' | 'mark';

/** A token, or a bracketed group of them; `kind` of a group is its opening bracket, and its range includes both brackets. */
export interface Tree extends Range {
  readonly kind: TokenKind | '(' | '[' | '{';
  /** The tree as it is written in the source. */
  readonly text: string;
  /** What stands between the brackets; empty for a token. */
  readonly children: readonly Tree[];
}

/** Where the token that starts at `at` ends; undefined when none of its kind starts there. */
type Match = (source: Source, at: number) => number | undefined;

/** What a match becomes: a token, nothing (`blank`), the end of a line unless inside brackets (`newline`), or an error. */
type Rule = {readonly match: Match} & ({readonly kind: TokenKind | 'blank' | 'newline'} | {readonly refuse: string});

/** The rules of a language; the first that matches decides. */
export type Rules = readonly Rule[];

const CLOSING = {'(': ')', '[': ']', '{': '}'} as const;
type Opening = keyof typeof CLOSING;

const isOpening = (text: string): text is Opening => Object.hasOwn(CLOSING, text);
const isClosing = (text: string): boolean => Object.values<string>(CLOSING).includes(text);

/** Where a sticky expression that matches at `at` ends. */
export function endOf(expression: RegExp, text: string, at: number): number | undefined {
  expression.lastIndex = at;
  return expression.test(text) ? expression.lastIndex : undefined;
}

/** A match by an expression, which must be sticky. */
export const matching =
  (expression: RegExp): Match =>
  (source, at) =>
    endOf(expression, source.text, at);

/** A stretch that one rule matched. */
interface Token extends Range {
  readonly kind: TokenKind | 'blank' | 'newline';
  readonly text: string;
}

/** What starts at `at`, blanks and newlines included. Throws where no rule of the language allows anything. */
export function readToken(source: Source, rules: Rules, at: number): Token {
  for (const rule of rules) {
    const end = rule.match(source, at);
    if (end === undefined) continue;
    if ('refuse' in rule) throw source.error(at, rule.refuse);
    return {kind: rule.kind, text: source.text.slice(at, end), start: at, end};
  }
  const character = String.fromCodePoint(source.text.codePointAt(at) ?? 0);
  throw source.error(at, `the character ${JSON.stringify(character)} is not expected here`);
}

/**
 * The logical lines of a text: a newline inside brackets ends none, and a line that holds no token is left out.
 *
 * Throws where a token cannot be read, a bracket closes nothing, or a bracket is never closed.
 */
export function readLines(source: Source, rules: Rules): readonly (readonly Tree[])[] {
  const lines: Tree[][] = [[]];
  const open: {readonly bracket: Opening; readonly start: number; readonly children: Tree[]}[] = [];
  const put = (tree: Tree): unknown => (open.at(-1)?.children ?? lines.at(-1))?.push(tree);

  for (let at = contentStart(source.text); at < source.text.length;) {
    const {kind, text, start, end} = readToken(source, rules, at);
    at = end;
    if (kind === 'newline') {
      if (open.length === 0) lines.push([]);
    } else if (kind === 'mark' && isOpening(text)) {
      open.push({bracket: text, start, children: []});
    } else if (kind === 'mark' && isClosing(text)) {
      const group = open.pop();
      if (group === undefined || CLOSING[group.bracket] !== text) throw source.error(start, `this ${text} closes nothing`);
      put({kind: group.bracket, text: source.text.slice(group.start, end), start: group.start, end, children: group.children});
    } else if (kind !== 'blank') {
      put({kind, text, start, end, children: []});
    }
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined) throw source.error(unclosed.start, `this ${unclosed.bracket} is never closed`);
  return lines.filter(line => line.length > 0);
}

/** Whether a tree is this punctuation. */
export const isMark = (tree: Tree | undefined, text: string): boolean => tree?.kind === 'mark' && tree.text === text;

/** Whether a tree is this name. */
export const isName = (tree: Tree | undefined, text: string): boolean => tree?.kind === 'name' && tree.text === text;

/** The runs between the marks: n marks make n + 1 runs, and any of them may be empty. */
export function splitBy(trees: readonly Tree[], mark: string): readonly (readonly Tree[])[] {
  const runs: Tree[][] = [[]];
  for (const tree of trees) {
    if (isMark(tree, mark)) runs.push([]);
    else runs.at(-1)?.push(tree);
  }
  return runs;
}
