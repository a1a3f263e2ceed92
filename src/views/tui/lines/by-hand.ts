/** How a person goes on by hand where a release cannot: what is done, what is not, the commands. For the screen and for the clipboard. */
import {hidden} from '../../../release/json.ts';
import type {StepByHand} from '../../../release/model.ts';
import type {RunState} from '../../../release/reducer.ts';
import {jobId} from '../../../release/words.ts';
import {clean} from '../../text.ts';
import type {Model} from '../state/model.ts';
import {blank, bold, dim, gap, type Line, line, paragraph} from '../text/line.ts';

const left = 'What is left, in commands';

interface Part {
  readonly title: string;
  readonly rows: readonly string[];
}

/** As a shell takes it. What a screen cannot show as it is, and what is hidden, is for the person to fill in. */
function typed(command: readonly string[]): string {
  return command
    .map(argument => {
      const shown = clean(argument) === argument ? argument.replaceAll(hidden, '<hidden>') : '<a value that no screen shows>';
      return /^[\w@%+=:,./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", String.raw`'\''`)}'`;
    })
    .join(' ');
}

/** What a shell skips, and what it does: all of it can be pasted. */
function stepRows({title, note, commands}: StepByHand): readonly string[] {
  return [`# ${title}`, ...(note === undefined ? [] : [`# ${note}`]), ...commands.map(typed)];
}

/** The steps that are left; undefined where nobody was asked about them. */
function leftRows(run: RunState, component: string): readonly string[] {
  const question = run.questions.findLast(one => one.about === 'failure' && one.job.component === component);
  const steps = question?.about === 'failure' ? question.byHand : undefined;
  if (steps === undefined) return [];
  return steps.length === 0 ? ['nothing: every step was taken; what is missing is the proof'] : steps.flatMap(stepRows);
}

function partsOf(run: RunState, component: string): readonly Part[] {
  const jobs = (['apply', 'verify'] as const).flatMap(phase => run.jobs.get(jobId({component, phase})) ?? []);
  const failed = jobs.findLast(({status}) => status === 'failed');
  const checks = jobs.flatMap(job => job.checks).filter(({status}) => status !== 'passed');
  const plan = run.back.get(component) ?? run.plan?.components.find(part => part.component === component);
  const where = run.started === undefined ? [] : ['--env', run.started.environment];
  const ours = (...args: readonly string[]) => ['deploy-wizard', ...args, ...where].join(' ');
  return [
    {title: 'What to do', rows: [...new Set([...(failed?.trouble?.next ?? []), ...checks.flatMap(({next}) => next ?? [])])]},
    {title: left, rows: leftRows(run, component)},
    {title: 'Look for yourself', rows: [...new Set(jobs.flatMap(job => job.checks.flatMap(({see}) => see ?? [])))]},
    {title: 'What is done', rows: run.steps.filter(step => step.component === component).map(({step}) => step)},
    {
      title: 'What the plan wants',
      rows: (plan?.changes ?? [])
        .filter(({risk}) => risk !== 'none')
        .flatMap(({summary, details}) => [
          summary,
          ...details
            .filter(({sensitive, before, after}) => sensitive !== true && before !== after)
            .map(({name, before, after}) => `  ${name}: ${before === null ? '' : `${before} → `}${after ?? 'none'}`),
        ]),
    },
    {
      title: 'Afterwards',
      rows: [ours('resume'), ours('rollback'), ours('audit', ...(run.started === undefined ? [] : [run.started.version]))],
    },
  ].filter(({rows}) => rows.length > 0);
}

/**
 *     What to do
 *       Push the image, then try again.
 *
 *     What is left, in commands
 *       # move service deposit-services to it
 *       aws ecs update-service --cluster pass --service deposit-services --task-definition deposit-services:42
 *
 *     What is done
 *       register
 */
export function byHandLines({run}: Model, component: string, width: number): readonly Line[] {
  return partsOf(run, component).flatMap(({title, rows}) => [
    line(title, bold),
    ...rows.flatMap(row => paragraph(row, width, title === 'What is done' ? dim : {}, [gap(2)])),
    blank,
  ]);
}

/** The same as plain text: whole lines, as they are pasted. */
export function byHandText({run}: Model, component: string): string {
  return partsOf(run, component)
    .map(({title, rows}) => [title, ...rows.map(row => `  ${clean(row)}`)].join('\n'))
    .join('\n\n');
}
