/** The checks before a release, in groups: what was looked at, what was found, and what a failure means. */
import type {Check} from '../../../release/model.ts';
import {wholeRelease} from '../../../release/words.ts';
import type {JobState, RunState} from '../../../release/reducer.ts';
import type {Moment, Scene} from '../scene.ts';
import {componentName} from '../state/rows.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, cell, dim, gap, type Line, paragraph, span, type Style, widest} from '../text/line.ts';
import {checkMark} from './states.ts';

interface Group {
  readonly name: string;
  /** What it means for the release when one of them fails. */
  readonly means: string;
}

/** In the order in which they are shown. */
const groups = {
  account: {name: 'account', means: 'AWS would not answer, or not let the release do what it has to.'},
  gates: {name: 'gates', means: 'This version may not come here yet.'},
  tools: {name: 'tools', means: 'A tool that the release needs is not there, or will not do.'},
  source: {name: 'source', means: 'What would be built and pushed is not what should be released.'},
  images: {name: 'images', means: 'What is not in the registry cannot be started.'},
  services: {name: 'services', means: 'It cannot be released to as it stands.'},
  loaders: {name: 'loaders', means: 'It cannot be moved to another version as it stands.'},
  triggers: {name: 'triggers', means: 'The message would not do its work.'},
  terraform: {name: 'terraform', means: 'Terraform could not make its plan, or not this one.'},
  others: {name: 'others', means: 'The release cannot begin.'},
} satisfies Record<string, Group>;

/** By how the id of a requirement begins: those that are not of one component. */
const sharedGroups: readonly (readonly [RegExp, Group])[] = [
  [/^aws session$| permissions$/, groups.account],
  [/^(?:promotion|checklist|tag) /, groups.gates],
  [/^image /, groups.images],
  [/^(?:docker|terraform)$/, groups.tools],
  [/ (?:builder|registry|version file|work tree|tag|git push|committer|image)$/, groups.source],
];

const kindGroups: Readonly<Record<string, Group>> = {
  'ecs-service': groups.services,
  'ecs-scheduled-task': groups.loaders,
  'batch-job-definition': groups.loaders,
  'sns-trigger': groups.triggers,
  terraform: groups.terraform,
};

/** What lets a gate through, by how the id of its requirement begins. */
const overrides: Readonly<Record<string, string>> = {promotion: 'promotion', checklist: 'checklist', tag: 'repositories'};

function groupOf({claim}: Check, run: RunState): Group {
  const shared = sharedGroups.find(([pattern]) => pattern.test(claim));
  if (shared !== undefined) return shared[1];
  const component = run.started?.components.find(({id}) => claim === id || claim.startsWith(`${id} `));
  return kindGroups[component?.kind ?? ''] ?? groups.others;
}

function preflightJobs(run: RunState): readonly JobState[] {
  return [...run.jobs.values()].filter(({job}) => job.phase === 'preflight');
}

/** How the checks stand, in words: `14 of 17, 1 failed`. */
export function checkCounts(run: RunState): string {
  const jobs = preflightJobs(run);
  const checks = jobs.flatMap(job => job.checks);
  const settled = checks.filter(({status}) => status !== 'pending').length;
  const announced = jobs.reduce((sum, {progress, checks}) => sum + Math.max(progress?.total ?? 0, checks.length), 0);
  const count = (is: Check['status'], word: string): string => {
    const number = checks.filter(({status}) => status === is).length;
    return number > 0 ? `, ${number} ${word}` : '';
  };
  return `${settled} of ${announced}${count('failed', 'failed')}${count('open', 'not looked at')}`;
}

/** All requirements, as they come in, by group; where something is asked, the groups that hold it up first. */
export function checkLines({model, width, moment}: Scene): readonly Line[] {
  const {run, asks} = model;
  const jobs = preflightJobs(run);
  const checks = jobs.flatMap(job => job.checks);
  const isAsked = asks[0]?.about === 'preflight';
  const byGroup = Map.groupBy(checks, check => groupOf(check, run));
  const shown = Object.values(groups).flatMap(group => {
    const own = byGroup.get(group);
    return own === undefined ? [] : [{group, checks: own.toSorted((a, b) => Number(isUnmet(b)) - Number(isUnmet(a)))}];
  });
  const ordered = isAsked ? shown.toSorted((a, b) => Number(b.checks.some(isUnmet)) - Number(a.checks.some(isUnmet))) : shown;
  const names =
    2 +
    widest(
      Object.values(groups).map(({name}) => name),
      12,
    );
  // What must be true matters more than what was found, where it is true.
  const claims = widest(
    checks.filter(check => isQuiet(check)).map(({text}) => text),
    Math.floor((width - names) * 0.55),
  );
  const waived = new Set(run.waivers.map(({claim}) => claim));
  const lines = ordered.flatMap(({group, checks: own}) =>
    own.flatMap((check, index) => {
      const head = [cell(index === 0 ? group.name : '', names, dim), checkMark(check.status, moment)];
      if (isQuiet(check)) return [[...head, cell(check.text, claims), gap(2), span(check.found, dim)]];
      return loudCheck(check, group, head, waived.has(check.claim), {width, indent: names + 2});
    }),
  );
  return [...lines, ...stillLooking(jobs, names, moment)];
}

/** What is looked at and has not been told. */
function stillLooking(jobs: readonly JobState[], names: number, moment: Moment): readonly Line[] {
  return jobs.flatMap(({job, status, checks, progress}) => {
    // A check that is pending says so itself.
    if (checks.some(check => check.status === 'pending')) return [];
    const isDone = status !== 'running' || (progress?.done !== undefined && progress.done === progress.total);
    if (isDone && checks.length > 0) return [];
    const who = job.component === wholeRelease ? '' : `${componentName(job.component)}: `;
    return status === 'running' ? [[gap(names), checkMark('pending', moment), span(`${who}looking${glyphs.ellipsis}`, dim)]] : [];
  });
}

function isUnmet({status}: Check): boolean {
  return status === 'failed' || status === 'open';
}

/** Nothing to be done about it by itself: one line is enough. */
function isQuiet({status, next}: Check): boolean {
  return status === 'passed' || status === 'pending' || (status === 'open' && next === undefined);
}

/** Opened: what was found, what it means, what to do; and how a gate is let through. */
function loudCheck(
  check: Check,
  {means}: Group,
  head: Line,
  isWaived: boolean,
  {width, indent}: {readonly width: number; readonly indent: number},
): readonly Line[] {
  const {text, status, found, evidence = [], next, claim, see} = check;
  const row = (label: string, words: string, style: Style = {}) =>
    paragraph(words, width, style, [gap(indent), cell(label, labelWidth, label === 'next' ? accent : dim)]);
  const override = status === 'failed' ? overrides[claim.split(' ')[0] ?? ''] : undefined;
  return [
    ...paragraph(text, width, {}, head),
    ...row(isWaived ? 'waived' : 'found', found, {colour: status === 'failed' ? 'red' : 'yellow'}),
    ...evidence.flatMap(line => row('', line, dim)),
    ...(status === 'failed' ? row('means', means) : []),
    ...(next === undefined ? [] : row('next', next)),
    ...(override === undefined ? [] : row('or', `start again with --override ${override} --reason <text>`)),
    ...(see === undefined || status === 'warned' ? [] : row('look', see, dim)),
  ];
}

const labelWidth = 8;
