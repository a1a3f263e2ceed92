/** What a run came to, as plain text that stays in the scrollback and can be copied. */
import type {RunState} from '../release/reducer.ts';
import {duration, endMark, linesFor, marks, versions} from './words.ts';

export interface SummaryOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the record is and the hash of its last line; undefined where none was written. */
  readonly record?: {readonly folder: string; readonly hash: string};
  /** The commands that fit what happened: repeat it, resume it, check it. */
  readonly commands: readonly {readonly label: string; readonly command: string}[];
}

/** Lines without a final line feed. Empty for a run that has not finished. */
export function summary(state: RunState, options: SummaryOptions): readonly string[] {
  const {started, finished} = state;
  if (started === undefined || finished === undefined) return [];
  const glyphs = marks(options.env);
  const took = duration(Date.parse(finished.at) - Date.parse(started.at));
  const good = finished.exitCode === 0;
  const word = good ? finished.outcome : finished.outcome.toUpperCase();
  const widest = Math.max(0, ...finished.components.map(({component}) => component.length));
  const widestVersion = Math.max(0, ...finished.components.map(end => versions(end).length));
  const preflight = [...state.jobs.values()].flatMap(({job, checks}) =>
    job.phase === 'preflight' ? checks.filter(({status}) => status === 'failed') : [],
  );
  return [
    '',
    `${started.application} ${started.version} → ${started.environment}: ${word} in ${took}, ${finished.text}`,
    '',
    ...preflight.flatMap(({text, found, next}) => [
      `  ${glyphs.bad} ${text}: ${found}`,
      ...(next === undefined ? [] : [`      ${next}`]),
    ]),
    ...finished.components.map(
      end =>
        `  ${endMark(glyphs, end.end)} ${end.component.padEnd(widest)}   ${versions(end).padEnd(widestVersion)}   ${end.end}: ${end.note}`,
    ),
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
    ...(finished.components.length > 0 || preflight.length > 0 ? [''] : []),
    ...(options.record ? [`Record   ${options.record.folder}   head ${options.record.hash.slice(0, 16)}`] : []),
    ...options.commands.map(({label, command}) => `${label.padEnd(8)} ${command}`),
  ].flatMap(linesFor(options.env));
}
