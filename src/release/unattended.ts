/** The operator that nobody is: `--yes` answers from flags and policy, and never asks. */
import type {Operator} from './contract.ts';
import type {Answer, FailureChoice, Question, RunEvent} from './events.ts';
import type {Plan} from './model.ts';
import {type Allowance, policyAnswer} from './policy.ts';

export interface Unattended {
  readonly operator: Operator;
  /** It approves the plan that it was shown last. */
  show(event: RunEvent): void;
}

/** A plan that a person has approved elsewhere. Where there is one, it alone goes on, and policy is not asked. */
export interface Approved {
  /** Who approved what, for the record. */
  readonly because: string;
  /** In what another plan is not the approved one, one line each. */
  mismatch(plan: Plan): Promise<readonly string[]>;
}

export function unattended(allowances: readonly Allowance[], approved?: Approved): Unattended {
  let plan: Plan | undefined;
  let environment = '';
  const onFailure = () => plan?.onFailure ?? 'leave';
  /** What policy says, as far as it is on offer and needs nobody's word: what says `revert: ask` is left to people. */
  const afterFailure = ({choices, job}: Extract<Question, {about: 'failure'}>): FailureChoice => {
    const auto = plan?.back?.filter(({revert}) => revert === 'auto') ?? [];
    const choice = onFailure();
    const possible = choice === 'rollback-all' ? auto.length > 0 : auto.some(({component}) => component === job.component);
    return possible && choices.includes(choice) ? choice : 'leave';
  };
  const approval = async (shown: Plan, expect: string): Promise<Answer> => {
    if (approved === undefined) return policyAnswer(shown, allowances, expect, environment);
    const {because} = approved;
    const mismatch = await approved.mismatch(shown);
    if (mismatch.length === 0) return {value: expect, by: 'flag', because};
    return {value: '', by: 'flag', because: [`the plan is not the one in ${because}:`, ...mismatch].join('\n')};
  };
  const answer = async (question: Question): Promise<Answer> => {
    switch (question.about) {
      case 'start':
        return {value: 'go', by: 'flag', because: '--yes'};
      case 'approval':
        if (plan?.fingerprint !== question.fingerprint) return {value: '', by: 'policy', because: 'this plan was never shown'};
        return approval(plan, question.expect);
      case 'preflight':
        return {value: 'stop', by: 'policy', because: '--yes never tries again by itself'};
      case 'failure':
        return {value: afterFailure(question), by: 'policy', because: `onFailure: ${onFailure()}`};
      case 'unknown step':
        // It is about messages, of which somebody else may know: any other step is looked at again.
        if (!question.happened) return {value: 'leave', by: 'policy', because: '--yes does nothing twice'};
        return allowances.some(
          ({what, component}) => what === 'republish' && (component ?? question.job.component) === question.job.component,
        )
          ? {value: 'again', by: 'flag', because: '--allow republish'}
          : {value: 'leave', by: 'policy', because: 'a second attempt takes --allow republish'};
    }
  };
  return {
    operator: {ask: answer},
    show: event => {
      if (event.type === 'run.started') ({environment} = event);
      if (event.type === 'plan.ready') plan = event.plan;
    },
  };
}
