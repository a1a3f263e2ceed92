/** What a run came to, or what a plan would change, as Markdown: the summary of a CI job. */
import type {AnyComponentPlan, Check, ComponentEnd, Plan} from '../../release/model.ts';
import {isNoop, riskOf} from '../../release/words.ts';
import {there} from '../../release/outcome.ts';
import type {RunState} from '../../release/reducer.ts';
import {endMark, marks, totals, versions} from '../words.ts';
import {type Head, code, headLine, inline} from './markdown.ts';

const glyphs = marks({});

/** Empty for a run that has not ended. `head`: of its record; undefined for a plan, which has none. */
export function runMarkdown({started, finished, jobs, plan, failures}: RunState, head: Head | undefined): string {
  const planOnly = head === undefined;
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
    ...finished.components
      .filter(({end}) => !there.has(end))
      .flatMap(({component}) => seenOf(component, failures.get(component))),
    ...(head ? ['', headLine(started.run, head)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** What was seen of a component while it failed. Also where it was taken back since: nothing of it is there any more. */
function seenOf(component: string, checks: readonly Check[] = []): readonly string[] {
  const evidence = checks.flatMap(check => check.evidence ?? []);
  return evidence.length === 0
    ? []
    : ['', `**${inline(component)}**, while it failed:`, '', ...evidence.map(line => `- ${code(line)}`)];
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
