/** Making the lines of an audit. */
import type {AuditGroup, AuditLine} from '../../views/audit.ts';
import type {Check} from '../../release/model.ts';

type More = Pick<Check, 'evidence' | 'next'>;

/** A line before it has its time. `see`: the command with which anybody sees it for themselves. */
export type Line = Check & {readonly status: AuditLine['status']; readonly see: string};

/** Makes lines of one subject: `id`, what must be true, and what shows it. */
export function line(
  id: string,
  text: string,
  see: string,
): Readonly<Record<AuditLine['status'], (found: string, more?: More) => Line>> {
  const as =
    (status: AuditLine['status']) =>
    (found: string, more: More = {}) => ({claim: id, text, status, found, see, ...more});
  return {passed: as('passed'), failed: as('failed'), warned: as('warned'), open: as('open')};
}

/** What a kind has seen, as a line: what is not there yet was promised to be there, and now is all that an audit knows. */
export function lineOf({status, ...check}: Check & {readonly see: string}): Line {
  return {...check, status: status === 'pending' ? 'failed' : status};
}

/** A group whose lines were seen now; undefined where there are none. */
export function group(id: string, title: string, lines: readonly Line[], now: () => number): AuditGroup | undefined {
  const at = new Date(now()).toISOString();
  return lines.length === 0 ? undefined : {id, title, checks: lines.map(one => ({...one, at}))};
}
