/**
 * An audit as JSON, for programs:
 *
 *     {schema: 1, application, version?, environment,
 *      release?: {run, kind: 'release' | 'rollback' | 'adopt', by, began, ended, reason?, head: {length, hash}},
 *      reliable, superseded?: {version, run, at}, audited: {at, by}, passed, verdict,
 *      groups: [{id, title, checks: [{id, status: 'passed' | 'failed' | 'warned' | 'open', expected, seen, at, evidence?, next?, see?}]}]}
 *
 * Times are ISO 8601. `see` is the command or call with which anybody can look for themselves.
 */
import {type AuditReport, verdictOf} from '../audit.ts';
import {jsonText} from '../ndjson.ts';

export function auditJson(report: AuditReport): string {
  const {at, auditor, groups, ...rest} = report;
  const {passed, text} = verdictOf(report);
  const shown = {
    schema: 1,
    ...rest,
    audited: {at, by: auditor},
    passed,
    verdict: text,
    groups: groups.map(({id, title, checks}) => ({
      id,
      title,
      checks: checks.map(({claim, status, text: expected, found, at: seenAt, evidence, next, see}) => ({
        id: claim,
        status,
        expected,
        seen: found,
        at: seenAt,
        ...(evidence && evidence.length > 0 && {evidence}),
        ...(next !== undefined && {next}),
        ...(see !== undefined && {see}),
      })),
    })),
  };
  return `${jsonText(shown)}\n`;
}
