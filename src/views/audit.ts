/** An audit as plain text: groups of checks, each with what was seen. */
import type {Check} from '../release/model.ts';
import {checkMark, lineFor, marks} from './words.ts';

export interface AuditGroup {
  readonly title: string;
  readonly checks: readonly Check[];
}

export function auditLines(env: Readonly<Record<string, string | undefined>>, groups: readonly AuditGroup[]): readonly string[] {
  const glyphs = marks(env);
  const plain = lineFor(env);
  return groups.flatMap(({title, checks}) => [
    '',
    plain(title),
    // What is not there yet was promised to be there: now is all that an audit knows.
    ...checks.flatMap(({status, text, found, evidence = [], next}) => {
      const bad = status === 'failed' || status === 'pending';
      return [
        `  ${checkMark(glyphs, bad ? 'failed' : status)} ${plain(text)}: ${plain(found)}`,
        ...(bad ? [...evidence, ...(next === undefined ? [] : [next])].map(line => `      ${plain(line)}`) : []),
      ];
    }),
  ]);
}
