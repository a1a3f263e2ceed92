/** What an audit comes to, and its plain text: groups of lines, each with what was expected, seen, when, and how to see it. */
import type {Check} from '../release/model.ts';
import type {RunKind} from '../release/standing.ts';
import {checkMark, lineFor, marks} from './words.ts';

/**
 * One line. `text` is what must be true, `found` what was seen; `warned` was let through, with who and why; `open` could not be
 * looked at, or is nobody's claim any more. What is not there yet was promised to be there: an audit has no `pending`.
 */
export type AuditLine = Check & {
  readonly status: Exclude<Check['status'], 'pending'>;
  /** When it was seen: ISO 8601. */
  readonly at: string;
};

export interface AuditGroup {
  /** Stable: `record`, `preconditions`, `component:pass-core`… */
  readonly id: string;
  readonly title: string;
  readonly checks: readonly AuditLine[];
}

/** The run that is audited. */
export interface AuditedRelease {
  readonly run: string;
  readonly kind: RunKind;
  /** Who released it, when it began and ended, and why. */
  readonly by: string;
  readonly began: string;
  readonly ended: string;
  readonly reason?: string;
  /** The head of the record: its number of lines, and the hash that anybody may keep elsewhere. */
  readonly head: {readonly length: number; readonly hash: string};
}

export interface AuditReport {
  readonly application: string;
  /** Undefined where none was named and none is recorded. */
  readonly version: string | undefined;
  readonly environment: string;
  /** Undefined: no such release is recorded. */
  readonly release: AuditedRelease | undefined;
  /** When it was audited, and by whom. */
  readonly at: string;
  readonly auditor: string;
  /** False: the record was changed, and nothing that follows from it can be relied on. */
  readonly reliable: boolean;
  /** The release that took the place of all of this one. */
  readonly superseded?: {readonly version: string; readonly run: string; readonly at: string};
  readonly groups: readonly AuditGroup[];
}

/** `pass 1.14.0 → production`. */
export function titleOf({application, version, environment}: AuditReport): string {
  return `${application}${version === undefined ? '' : ` ${version}`} → ${environment}`;
}

/** What an audit comes to, in one sentence. */
export function verdictOf(report: AuditReport): {readonly passed: boolean; readonly text: string} {
  const all = report.groups.flatMap(({checks}) => checks);
  const count = (status: AuditLine['status']) => all.filter(check => check.status === status).length;
  const [failed, waived, open] = [count('failed'), count('warned'), count('open')];
  const more = [...(waived === 0 ? [] : [`${waived} let through`]), ...(open === 0 ? [] : [`${open} open`])].join(', ');
  const rest = more === '' ? '' : ` (${more})`;
  const after =
    report.superseded && `Superseded by ${report.superseded.version} (run ${report.superseded.run}, ${report.superseded.at}).`;
  if (failed > 0)
    return {passed: false, text: `${failed} ${failed === 1 ? 'check' : 'checks'} failed${rest}.${after ? ` ${after}` : ''}`};
  return {
    passed: true,
    text: after
      ? `${after} What of it can be looked at is as the record says${rest}.`
      : `Everything is as the record says${rest}.`,
  };
}

export const unreliable = 'The record was changed: nothing that follows can be relied on.';

type Env = Readonly<Record<string, string | undefined>>;

/** The whole report. */
export function auditText(env: Env, report: AuditReport): readonly string[] {
  const plain = lineFor(env);
  const {release, at} = report;
  return [
    plain(`${titleOf(report)}, audited ${at}`),
    ...(release === undefined
      ? []
      : [
          plain(
            `${release.kind} by ${release.by}, ${release.began}, run ${release.run}${release.reason === undefined ? '' : `: ${release.reason}`}`,
          ),
        ]),
    ...(report.reliable ? [] : [unreliable]),
    ...auditLines(env, report.groups),
    '',
    plain(verdictOf(report).text),
    ...(release === undefined ? [] : [`head ${release.head.hash} (${release.head.length} lines)`]),
  ];
}

/** The groups alone. */
export function auditLines(env: Env, groups: readonly Pick<AuditGroup, 'title' | 'checks'>[]): readonly string[] {
  const glyphs = marks(env);
  const plain = lineFor(env);
  return groups.flatMap(({title, checks}) => [
    '',
    plain(title),
    ...checks.flatMap(({status, text, found, evidence = [], next, see, at}) => [
      `  ${checkMark(glyphs, status)} ${plain(text)}: ${plain(found)}`,
      ...(status === 'failed' ? [...evidence, ...(next === undefined ? [] : [next])].map(line => `      ${plain(line)}`) : []),
      ...(status === 'open' && next !== undefined ? [`      ${plain(next)}`] : []),
      ...(see === undefined ? [] : [plain(`      ${at.slice(11, 19)} ${see}`)]),
    ]),
  ]);
}
