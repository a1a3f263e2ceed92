import type {Check, Trouble} from '../../../release/model.ts';
import type {Moment} from '../scene.ts';
import type {Row} from '../state/rows.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, blank, bold, dim, gap, type Line, paragraph, span} from '../text/line.ts';
import {checkWords, jobChecks} from './checks.ts';

/**
 * What is known of a row beyond its one line: trouble, checks, evidence. The log follows below.
 *
 *     notification-services · apply
 *     CannotPullContainerError: …/pass-notification-service:1.14.0: not found
 *     1.13.2 still serves: 2 of 2 running.
 *       next: push the image, then try again
 */
export function rowDetails(row: Row, width: number, moment: Moment): readonly Line[] {
  const {job} = row;
  if (job === undefined) return [[span(row.name, bold)], ...paragraph(`${row.word} ${row.text}`, width, dim)];
  const trouble = job.status === 'failed' ? job.trouble : undefined;
  return [
    [span(row.name, bold), span(` ${glyphs.dot} ${job.job.phase}`, dim)],
    ...(trouble === undefined ? paragraph(row.text, width, dim).slice(0, 3) : troubleLines(trouble, job.checks, width)),
    ...(job.checks.length > 0 ? [blank, ...jobChecks(job.checks, width, moment)] : []),
  ];
}

/** What the checks below say by themselves is not said twice. */
function troubleLines({what, means, next = []}: Trouble, checks: readonly Check[], width: number): readonly Line[] {
  const unsaid = checks.reduce((text, check) => text.replace(checkWords(check), ''), what);
  const steps = next.filter(step => !checks.some(check => check.next === step));
  return [
    ...(/[^;\s]/.test(unsaid) ? paragraph(what, width, {colour: 'red'}) : []),
    ...(means === undefined ? [] : paragraph(means, width)),
    ...steps.flatMap(step => paragraph(step, width, {}, [gap(2), span('next: ', accent)])),
  ];
}
