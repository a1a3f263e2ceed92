/** Questions that are answered by typing, and what is typed for them so far. */
import type {Question} from '../../../release/events.ts';
import type {Model} from './model.ts';

type Asked = Pick<Model, 'asks' | 'drafting' | 'drafts'>;

export function approvalAsked({asks}: Asked): Extract<Question, {about: 'approval'}> | undefined {
  return asks.find(question => question.about === 'approval');
}

/** What has been typed to approve the plan that is asked about now; nothing for a new one. */
export function confirmationOf(model: Asked): string {
  return model.drafts.get(approvalAsked(model)?.id ?? '') ?? '';
}

/** The failure for which a reason is being typed, to let it through. */
export function reasonAsked({asks, drafting}: Asked): Extract<Question, {about: 'failure'}> | undefined {
  const question = asks.find(({id}) => id === drafting);
  return question?.about === 'failure' ? question : undefined;
}

export function reasonOf(model: Asked): string {
  return model.drafts.get(reasonAsked(model)?.id ?? '') ?? '';
}
