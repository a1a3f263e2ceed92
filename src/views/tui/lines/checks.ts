import {type Check, wholeRelease} from '../../../release/model.ts';
import type {JobState, RunState} from '../../../release/reducer.ts';
import type {Moment, Scene} from '../scene.ts';
import {componentName} from '../state/rows.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, cell, dim, gap, type Line, paragraph, span, widest} from '../text/line.ts';
import {checkMark} from './states.ts';

interface Found {
  readonly who: string;
  readonly check: Check;
}

function preflightJobs(run: RunState): readonly JobState[] {
  return [...run.jobs.values()].filter(({job}) => job.phase === 'preflight');
}

/** How the checks stand, in words: `14 of 17, 1 failed`. */
export function checkCounts(run: RunState): string {
  const checks = preflightJobs(run).flatMap(job => job.checks);
  const settled = checks.filter(({status}) => status !== 'pending').length;
  const failed = checks.filter(({status}) => status === 'failed').length;
  return `${settled} of ${checks.length}${failed > 0 ? `, ${failed} failed` : ''}`;
}

/**
 * All requirements, as they come in; those that are not met first once that is a question.
 *
 *     ✔ release            credentials are of the configured account    333333333333 as release-manager
 *     ✖ notification       no other deployment is in flight
 *         another deployment is in flight: 1.13.3, 1 of 2 tasks running
 *         next: wait for it, or stop it in ECS, then look again
 *     ⠋ grant-loader       looking…
 */
export function checkLines({model, width, moment}: Scene): readonly Line[] {
  const jobs = preflightJobs(model.run);
  const found = jobs.flatMap(({job, checks}) => checks.map(check => ({who: componentName(job.component), check})));
  const isAsked = model.asks[0]?.about === 'preflight';
  const ordered = isAsked ? [...found.filter(isUnmet), ...found.filter(entry => !isUnmet(entry))] : found;
  const names = nameWidth(jobs);
  const silent = jobs.filter(job => job.status === 'running' && job.checks.length === 0);
  const indent = names + 2;
  // What must be true matters more than what was found, where it is true.
  const claims = widest(
    found.filter(entry => isQuiet(entry)).map(({check}) => check.text),
    Math.floor((width - indent) * 0.55),
  );
  return [
    ...ordered.flatMap(entry =>
      isQuiet(entry) ? [quietCheck(entry, names, claims, moment)] : loudCheck(entry, names, width, moment),
    ),
    ...silent.map(({job}) => [
      checkMark('pending', moment),
      cell(componentName(job.component), names, dim),
      span(`looking${glyphs.ellipsis}`, dim),
    ]),
  ];
}

/** Where all checks are the release's as a whole, nobody has to be named. */
function nameWidth(jobs: readonly JobState[]): number {
  const names = jobs.map(({job}) => componentName(job.component));
  return jobs.every(({job}) => job.component === wholeRelease) ? 0 : 2 + widest(names, 22);
}

function isUnmet({check}: Found): boolean {
  return check.status === 'failed' || check.status === 'open';
}

/** Nothing to be done about it: one line is enough. */
function isQuiet({check}: Found): boolean {
  return check.status === 'passed' || check.status === 'pending';
}

function quietCheck({who, check}: Found, names: number, claims: number, moment: Moment): Line {
  const head = [checkMark(check.status, moment), cell(who, names, check.status === 'passed' ? dim : {})];
  return [...head, cell(check.text, claims), gap(2), span(check.found, dim)];
}

function loudCheck({who, check}: Found, names: number, width: number, moment: Moment): readonly Line[] {
  return [
    ...paragraph(check.text, width, {}, [checkMark(check.status, moment), cell(who, names)]),
    ...paragraph(check.found, width, {colour: check.status === 'failed' ? 'red' : 'yellow'}, [gap(4)]),
    ...afterCheck(check, width, 4),
  ];
}

/** The checks of one job, under its row: what is true, what is still waited for, what is not. */
export function jobChecks(checks: readonly Check[], width: number, moment: Moment): readonly Line[] {
  return checks.flatMap(check => {
    const says = check.found === '' ? check.text : `${check.text}: ${check.found}`;
    const style = check.status === 'failed' ? ({colour: 'red'} as const) : {};
    return [...paragraph(says, width, style, [checkMark(check.status, moment)]), ...afterCheck(check, width, 2)];
  });
}

function afterCheck({evidence, next}: Check, width: number, indent: number): readonly Line[] {
  return [
    ...(evidence ?? []).flatMap(row => paragraph(row, width, dim, [gap(indent)])),
    ...(next === undefined ? [] : paragraph(next, width, {}, [gap(indent), span('next: ', accent)])),
  ];
}
