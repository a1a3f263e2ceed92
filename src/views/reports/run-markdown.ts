/** What a run came to, or what a plan would change, as Markdown: the summary of a CI job. */
import type {AnyComponentPlan, ComponentEnd, Plan} from '../../release/model.ts';
import {isNoop, riskOf} from '../../release/words.ts';
import type {RunState} from '../../release/reducer.ts';
import {endMark, marks, totals, versions} from '../words.ts';
import {code, inline} from './markdown.ts';

const glyphs = marks({});

/** Empty for a run that has not ended. */
export function runMarkdown({started, finished, jobs, plan}: RunState, planOnly: boolean): string {
  if (started === undefined || finished === undefined) return '';
  const title = `${started.application} ${started.version} → ${started.environment}`;
  const troubles = [...jobs.values()].flatMap(({status, trouble, job}) =>
    status === 'failed' && trouble && job.phase !== 'confirm'
      ? [{name: job.component === '*' ? job.phase : `${job.component} ${job.phase}`, trouble}]
      : [],
  );
  const lines = [
    `# ${inline(title)}: ${planOnly ? 'plan' : finished.outcome}`,
    '',
    inline(finished.text),
    ...(planOnly && plan ? planLines(plan) : []),
    ...(finished.components.length === 0 ? [] : ['', '| component | version | end | |', '|---|---|---|---|']),
    ...finished.components.map(endRow),
    ...troubles.flatMap(({name, trouble: {what, means, next = []}}) => [
      '',
      `**${inline(name)}**: ${inline(what)}`,
      ...[...(means === undefined ? [] : [means]), ...next].map(line => `- ${inline(line)}`),
    ]),
    ...(planOnly ? [] : ['', `run ${code(started.run)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function endRow(end: ComponentEnd): string {
  return `| ${inline(end.component)} | ${inline(versions(end))} | ${endMark(glyphs, end.end)} ${end.end} | ${inline(end.note)} |`;
}

function planLines(plan: Plan): readonly string[] {
  return ['', `**${inline(totals(plan))}**`, ...plan.components.flatMap(componentLines)];
}

function componentLines(part: AnyComponentPlan): readonly string[] {
  return [
    '',
    `## ${inline(part.component)}: ${inline(versions(part))}, ${isNoop(part) ? 'nothing to do' : riskOf(part)}`,
    '',
    ...part.changes.flatMap(({risk, summary, flags, details}) => [
      `- ${risk}: ${inline(summary)}${flags.length === 0 ? '' : ` (${flags.join(', ')})`}`,
      ...details.map(
        ({name, before, after}) =>
          `  - ${inline(name)}: ${before === null ? '' : `${inline(before)} → `}${inline(after ?? '(none)')}`,
      ),
    ]),
    ...part.notes.map(note => `- ${inline(note)}`),
  ];
}
