/** What `--yes` would answer to a question, and with which flags: so that whoever answers it learns the command of CI. */
import type {Question} from '../../../release/events.ts';
import type {Plan} from '../../../release/model.ts';
import {flagsFor, missingAllowances} from '../../../release/policy.ts';
import type {RunState} from '../../../release/reducer.ts';
import {allowancesOf} from '../state/settings.ts';

/** One line; undefined where no flag has anything to do with it. */
export function flagWords(question: Question, run: RunState): string | undefined {
  switch (question.about) {
    case 'start':
      return '--yes starts it without asking';
    case 'preflight': {
      const gate = overridable(run);
      return gate === undefined
        ? '--yes ends here: it never looks a second time'
        : `--yes ends here; --override ${gate} --reason <text> lets it through`;
    }
    case 'approval':
      return run.plan && approvalFlags(run.plan, run);
    case 'failure':
      return failureFlags(run.plan, question.job.component);
    case 'unknown step':
      return question.happened
        ? `--yes leaves it open; with --allow republish:${question.job.component} it is done once more`
        : '--yes leaves it open: it does nothing twice';
  }
}

/** `--yes --allow outage:service` */
function approvalFlags(plan: Plan, {started}: RunState): string | undefined {
  if (started === undefined) return undefined;
  const flags = flagsFor(missingAllowances(plan, allowancesOf(started)));
  return ['--yes', ...(flags === '' ? [] : [flags])].join(' ');
}

function failureFlags({back = [], onFailure = 'leave'}: Pick<Plan, 'back' | 'onFailure'> = {}, component: string): string {
  const may = back.some(way => way.revert === 'auto' && (onFailure === 'rollback-all' || way.component === component));
  if (onFailure === 'leave' || !may) return `--yes leaves it as it is (onFailure: ${onFailure})`;
  return `--yes takes ${onFailure === 'rollback' ? 'it' : 'all that have moved'} back (onFailure: ${onFailure})`;
}

/** The gate that is not met and that somebody may let through. */
function overridable({jobs}: RunState): string | undefined {
  const failed = [...jobs.values()]
    .filter(({job}) => job.phase === 'preflight')
    .flatMap(({checks}) => checks.filter(({status}) => status === 'failed').map(({claim}) => claim.split(' ')[0]));
  return failed.find(name => name === 'promotion' || name === 'checklist');
}
