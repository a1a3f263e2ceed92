/** Keys while a release runs, and at its end. */
import type {Question} from '../../../release/events.ts';
import {jobId} from '../../../release/model.ts';
import type {Scene} from '../scene.ts';
import {questionHere, selectedRow} from '../state/lists.ts';
import {screenOf} from '../state/mode.ts';
import type {Action, Confirmation, Model} from '../state/model.ts';
import {type Act, type Binding, keys, type ModeKeys} from './binding.ts';
import {listAndText, paging, scrolling} from './moving.ts';

/** The list whose selected row keys are about. */
function listHere(model: Model): 'jobs' | 'board' | undefined {
  const screen = screenOf(model);
  if (screen === 'work') return 'jobs';
  return screen === 'board' ? 'board' : undefined;
}

/** The question that keys answer on this screen. */
export function currentQuestion(model: Model): Question | undefined {
  return questionHere(model, listHere(model));
}

type About<A extends Question['about']> = Extract<Question, {about: A}>;

function isAbout<A extends Question['about']>(question: Question, about: A): question is About<A> {
  return question.about === about;
}

/** A key that answers a question of one kind, where the question offers that answer. */
function choice<A extends Question['about']>(
  about: A,
  key: string,
  value: string,
  does: string | ((question: About<A>) => string),
  isOffered: (question: About<A>) => boolean = () => true,
): Binding {
  const here = ({model}: Scene): About<A> | undefined => {
    const question = currentQuestion(model);
    return question !== undefined && isAbout(question, about) && isOffered(question) ? question : undefined;
  };
  const answer: Act = scene => {
    const question = here(scene);
    return question && {do: 'answer', id: question.id, value};
  };
  return {
    keys: {[key]: answer},
    label: key,
    does: scene => {
      const question = here(scene);
      if (typeof does === 'string') return does;
      return question === undefined ? '' : does(question);
    },
    place: 'choice',
    when: scene => here(scene) !== undefined,
  };
}

const preflightChoices: readonly Binding[] = [
  choice('preflight', 'r', 'retry', 'look again'),
  choice('preflight', 'q', 'stop', 'stop here'),
];

const jobChoices: readonly Binding[] = [
  choice('start', 'enter', 'go', question => `start ${question.phase}`),
  choice('start', 'q', 'stop', 'stop here'),
  choice('failure', 'r', 'retry', 'try again', question => question.choices.includes('retry')),
  choice('failure', 'l', 'leave', 'leave it as it is', question => question.choices.includes('leave')),
  choice('unknown step', 'a', 'look', 'look again'),
  choice('unknown step', 'd', 'again', 'it did not happen: do it'),
  choice('unknown step', 'l', 'leave', 'leave it open'),
];

/** To the next row that waits for an answer. */
const nextQuestion: Binding = {
  keys: {
    n: ({model}) => {
      const list = listHere(model);
      const here = currentQuestion(model);
      const asks = model.asks.filter(ask => 'job' in ask);
      const next = asks[(asks.findIndex(ask => ask.id === here?.id) + 1) % asks.length];
      if (list === undefined || next === undefined || !('job' in next)) return undefined;
      return {do: 'select', list, row: list === 'jobs' ? jobId(next.job) : next.job.component};
    },
  },
  label: 'n',
  does: 'next question',
  place: 'bar',
  when: ({model}) => model.asks.some(ask => 'job' in ask && ask.id !== currentQuestion(model)?.id),
};

const openLog: Binding = {
  keys: {
    o: ({model}) => {
      const list = listHere(model);
      const job = list && selectedRow(model, list)?.job;
      return job && {do: 'log', log: {job: jobId(job.job)}};
    },
  },
  label: 'o',
  does: 'log',
  place: 'bar',
  when: ({model}) => {
    const list = listHere(model);
    return list !== undefined && selectedRow(model, list)?.job !== undefined;
  },
};

function approval(model: Model): About<'approval'> | undefined {
  return model.asks.find(question => isAbout(question, 'approval'));
}

/** What has been typed for the plan that is asked about now; nothing for a new one. */
export function confirmationOf(model: Model): Confirmation | undefined {
  const question = approval(model);
  if (question === undefined) return undefined;
  return model.confirmation?.question === question.id ? model.confirmation : {question: question.id, open: false, typed: ''};
}

function onConfirmation(change: (confirmation: Confirmation) => Confirmation): (model: Model) => Action | undefined {
  return model => {
    const confirmation = confirmationOf(model);
    return confirmation && {do: 'confirm', confirmation: change(confirmation)};
  };
}

const openConfirmation = onConfirmation(confirmation => ({...confirmation, open: true}));
const closeConfirmation = onConfirmation(confirmation => ({...confirmation, open: false}));

export const preflightKeys: ModeKeys = {bindings: [...preflightChoices, scrolling, paging]};

export const workKeys: ModeKeys = {bindings: [...jobChoices, ...listAndText('jobs'), openLog, nextQuestion]};

export const boardKeys: ModeKeys = {bindings: [...jobChoices, ...listAndText('board'), openLog, nextQuestion]};

export const reviewKeys: ModeKeys = {
  bindings: [
    {keys: {enter: ({model}) => openConfirmation(model)}, label: 'enter', does: 'go on to confirm', place: 'bar'},
    ...listAndText('changes'),
  ],
};

export const confirmKeys: ModeKeys = {
  bindings: [
    {
      keys: {
        enter: ({model}) => {
          const question = approval(model);
          return question && {do: 'answer', id: question.id, value: confirmationOf(model)?.typed ?? ''};
        },
      },
      label: 'enter',
      does: ({model}) => (confirmationOf(model)?.typed === approval(model)?.expect ? 'release' : 'decline'),
      place: 'bar',
    },
    {keys: {escape: ({model}) => closeConfirmation(model)}, label: 'esc', does: 'back to the plan', place: 'bar'},
  ],
  field: {
    text: ({model}) => confirmationOf(model)?.typed ?? '',
    set: ({model}, typed) => onConfirmation(confirmation => ({...confirmation, typed}))(model),
  },
};

export const finishedKeys: ModeKeys = {
  bindings: [
    {keys: keys(['enter', 'escape', 'q'], () => ({do: 'leave'})), label: 'enter', does: 'leave', place: 'bar'},
    scrolling,
    paging,
  ],
};
