/** The operator that nobody is: `--yes` answers from flags and policy, and never asks. */
import type {Operator} from './contract.ts';
import type {Answer, Question, RunEvent} from './events.ts';
import type {Plan} from './model.ts';
import {type Allowance, policyAnswer} from './policy.ts';

export interface Unattended {
  readonly operator: Operator;
  /** It approves the plan that it was shown last. */
  show(event: RunEvent): void;
}

export function unattended(allowances: readonly Allowance[]): Unattended {
  let plan: Plan | undefined;
  const answer = (question: Question): Answer => {
    switch (question.about) {
      case 'start':
        return {value: 'go', by: 'flag', because: '--yes'};
      case 'approval':
        if (plan?.fingerprint !== question.fingerprint) return {value: '', by: 'policy', because: 'this plan was never shown'};
        return policyAnswer(plan, allowances, question.expect);
      case 'preflight':
        return {value: 'stop', by: 'policy', because: '--yes never tries again by itself'};
      case 'failure':
        return {value: 'leave', by: 'policy', because: 'onFailure: leave'};
      case 'unknown step':
        return allowances.some(
          ({what, component}) => what === 'republish' && (component ?? question.job.component) === question.job.component,
        )
          ? {value: 'again', by: 'flag', because: '--allow republish'}
          : {value: 'leave', by: 'policy', because: 'a second attempt takes --allow republish'};
    }
  };
  return {
    operator: {ask: question => Promise.resolve(answer(question))},
    show: event => {
      if (event.type === 'plan.ready') plan = event.plan;
    },
  };
}
