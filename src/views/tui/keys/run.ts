/** Keys while a release runs, and at its end. */
import type {Question} from '../../../release/events.ts';
import {jobId} from '../../../release/words.ts';
import {scrollableOf} from '../lines/panes.ts';
import type {Scene} from '../scene.ts';
import {approvalAsked, confirmationOf, reasonAsked, reasonOf} from '../state/drafts.ts';
import {questionHere, selectedRow} from '../state/lists.ts';
import {openedLog} from '../state/log.ts';
import {screenOf} from '../state/mode.ts';
import type {Action, Model} from '../state/model.ts';
import {type Act, type Binding, keys, type ModeKeys} from './binding.ts';
import {listAndText, pages, paging, scrolling} from './moving.ts';

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

/** A key that does something about a question of one kind, where the question offers it: it answers with a value, unless told otherwise. */
function choice<A extends Question['about']>(
  about: A,
  key: string,
  value: string | ((question: About<A>) => Action),
  does: string | ((question: About<A>) => string),
  isOffered: (question: About<A>) => boolean = () => true,
): Binding {
  const here = ({model}: Scene): About<A> | undefined => {
    const question = currentQuestion(model);
    return question !== undefined && isAbout(question, about) && isOffered(question) ? question : undefined;
  };
  const answer: Act = scene => {
    const question = here(scene);
    if (question === undefined) return undefined;
    return typeof value === 'string' ? {do: 'answer', id: question.id, value} : value(question);
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
  choice('failure', 'w', 'wait', 'go on waiting', question => question.choices.includes('wait')),
  choice('failure', 'b', 'rollback', 'take it back', question => question.choices.includes('rollback')),
  choice('failure', 'B', 'rollback-all', 'take all back', question => question.choices.includes('rollback-all')),
  choice(
    'failure',
    's',
    ({id}) => ({do: 'draft', question: id, open: true}),
    'let it through…',
    question => question.choices.includes('skip'),
  ),
  choice('failure', 'l', 'leave', 'leave it as it is', question => question.choices.includes('leave')),
  choice('failure', 'c', ({job}) => ({do: 'by hand', component: job.component}), 'show the commands'),
  choice('unknown step', 'a', 'look', 'look again'),
  choice('unknown step', 'd', 'again', 'it did not happen: do it'),
  choice('unknown step', 'h', 'happened', 'it did happen', question => question.happened === true),
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
      return job && {do: 'log', log: openedLog(jobId(job.job))};
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

/** The draft of a question, changed, opened or closed. */
function draft(
  find: (model: Model) => Question | undefined,
  {open, text}: {readonly open: boolean; readonly text?: string},
): Act {
  return ({model}) => {
    const question = find(model);
    return question && {do: 'draft', question: question.id, open, ...(text !== undefined && {text})};
  };
}

export const preflightKeys: ModeKeys = {bindings: [...preflightChoices, scrolling, paging]};

export const workKeys: ModeKeys = {bindings: [...jobChoices, ...listAndText('jobs'), openLog, nextQuestion]};

export const boardKeys: ModeKeys = {bindings: [...jobChoices, ...listAndText('board'), openLog, nextQuestion]};

/** Goes on from the plan to its approval. */
export const toConfirm: Binding = {
  keys: {enter: draft(approvalAsked, {open: true})},
  label: 'enter',
  does: 'go on to confirm',
  place: 'bar',
};

export const confirmKeys: ModeKeys = {
  bindings: [
    {
      keys: {
        enter: ({model}) => {
          const question = approvalAsked(model);
          return question && {do: 'answer', id: question.id, value: confirmationOf(model)};
        },
      },
      label: 'enter',
      does: ({model}) => (confirmationOf(model) === approvalAsked(model)?.expect ? 'release' : 'decline'),
      place: 'bar',
    },
    {keys: {escape: draft(approvalAsked, {open: false})}, label: 'esc', does: 'back to the plan', place: 'bar'},
    {...pages, when: scene => scrollableOf(scene).lines.length > scrollableOf(scene).height},
  ],
  field: {
    text: ({model}) => confirmationOf(model),
    set: (scene, text) => draft(approvalAsked, {open: true, text})(scene),
  },
};

/** The reason why a failure is let through. Without one it is not. */
export const reasonKeys: ModeKeys = {
  bindings: [
    {
      keys: {
        enter: ({model}) => {
          const because = reasonOf(model).trim();
          const question = reasonAsked(model);
          return question && because !== '' ? {do: 'answer', id: question.id, value: 'skip', because} : undefined;
        },
      },
      label: 'enter',
      does: 'let it through',
      place: 'bar',
      when: ({model}) => reasonOf(model).trim() !== '',
    },
    {keys: {escape: draft(reasonAsked, {open: false})}, label: 'esc', does: 'back to the choices', place: 'bar'},
  ],
  field: {
    text: ({model}) => reasonOf(model),
    set: (scene, text) => draft(reasonAsked, {open: true, text})(scene),
    longest: 500,
  },
};

export const finishedKeys: ModeKeys = {
  bindings: [
    {keys: keys(['enter', 'escape', 'q'], () => ({do: 'leave'})), label: 'enter', does: 'leave', place: 'bar'},
    scrolling,
    paging,
  ],
};
