/** What a run came to, as plain text that stays in the scrollback and can be copied. */
import {jobId} from '../release/words.ts';
import type {RunState} from '../release/reducer.ts';
import {configChangedLines} from './lines.ts';
import {withLinks} from './links.ts';
import {downtimeWords, duration, endMark, linesFor, marks, versions} from './words.ts';

export interface SummaryOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the record is and the hash of its last line; undefined where none was written. */
  readonly record?: {readonly folder: string; readonly hash: string};
  /** The commands that fit what happened: repeat it, resume it, check it. */
  readonly commands: readonly {readonly label: string; readonly command: string}[];
  /** Items of the checklist that nobody has ticked for this version, each with the command that does. */
  readonly openItems?: readonly {readonly id: string; readonly text: string; readonly command: string}[];
  /** Whether the terminal shows links. */
  readonly links?: boolean;
}

/** Lines without a final line feed. Empty for a run that has not finished. */
export function summary(state: RunState, options: SummaryOptions): readonly string[] {
  const {started, finished} = state;
  if (started === undefined || finished === undefined) return [];
  const glyphs = marks(options.env);
  const inAll = duration(Date.parse(finished.at) - Date.parse(started.at));
  const good = finished.exitCode === 0;
  const word = good ? finished.outcome : finished.outcome.toUpperCase();
  const widest = Math.max(0, ...finished.components.map(({component}) => component.length));
  const widestVersion = Math.max(0, ...finished.components.map(end => versions(end).length));
  const preflight = [...state.jobs.values()].flatMap(({job, checks}) =>
    job.phase === 'preflight' ? checks.filter(({status}) => status === 'failed') : [],
  );
  const body = [
    ...preflight.flatMap(({text, found, next}) => [
      `  ${glyphs.bad} ${text}: ${found}`,
      ...(next === undefined ? [] : [`      ${next}`]),
    ]),
    ...finished.components.flatMap(end => [
      `  ${endMark(glyphs, end.end)} ${end.component.padEnd(widest)}   ${versions(end).padEnd(widestVersion)}   ${end.end}: ${end.note}${took(state, end.component)}`,
      ...digestLines(state, end.component),
      ...(end.downtime ? [`      ${downtimeWords(end.downtime)}  (a sign a probe: = as before, x down, + new)`] : []),
    ]),
    ...state.waivers.map(({what, by, reason}) => `  ${glyphs.warning} let through by ${by}: ${what} (${reason})`),
    ...[...state.jobs.values()].flatMap(({status, trouble, job}) =>
      status === 'failed' && trouble && job.phase !== 'preflight' && job.phase !== 'confirm'
        ? [
            '',
            `  ${job.component === '*' ? '' : `${job.component} `}${job.phase}: ${trouble.what}`,
            ...(trouble.means === undefined ? [] : [`      ${trouble.means}`]),
            ...(trouble.next ?? []).map(line => `      ${line}`),
          ]
        : [],
    ),
    ...(state.configChanged === undefined ? [] : ['', ...configChangedLines(state.configChanged)]),
  ];
  return [
    '',
    `${started.application} ${started.version} → ${started.environment}: ${word} in ${inAll}, ${finished.text}`,
    '',
    ...body.slice(body[0] === '' ? 1 : 0),
    ...(body.length > 0 ? [''] : []),
    // On a line of its own, whole: kept elsewhere, it proves that the record is the one that was written.
    ...(options.record ? [`Record   ${options.record.folder}`, `Head     ${options.record.hash}`] : []),
    ...options.commands.map(({label, command}) => `${label.padEnd(8)} ${command}`),
    ...(options.openItems ?? []).flatMap(({id, text, command}) => [`Open     ${id}: ${text}`, `         ${command}`]),
  ]
    .flatMap(linesFor(options.env))
    .map(line => (options.links ? withLinks(line) : line));
}

/** ` (41 s)`: from the first thing done to it to the last one seen of it; nothing for what took no time. */
function took({jobs}: RunState, component: string): string {
  const own = (['apply', 'verify'] as const).flatMap(phase => jobs.get(jobId({component, phase})) ?? []);
  const begun = own.map(({startedAt}) => Date.parse(startedAt));
  const ended = own.map(({startedAt, endedAt}) => Date.parse(endedAt ?? startedAt));
  const ms = Math.max(...ended) - Math.min(...begun);
  return own.length === 0 || !(ms >= 1000) ? '' : ` (${duration(ms)})`;
}

/** What runs there now, whole, so that it can be compared; and what the plan had seen there before. */
function digestLines({observed, plan}: RunState, component: string): readonly string[] {
  const details = plan?.components.find(part => part.component === component)?.changes.flatMap(change => change.details) ?? [];
  return Object.entries(observed.get(component)?.digests ?? {}).map(([image, digest]) => {
    const planned = details.find(
      ({after}) => after !== null && after.startsWith('sha256:') && digest.startsWith(after.replace(/…$/, '')),
    );
    const before = planned?.before ?? null;
    return `      ${image.slice(image.lastIndexOf('/') + 1)}  ${before === null || before === planned?.after ? '' : `${before} → `}${digest}`;
  });
}
