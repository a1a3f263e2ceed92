/** All that the screen is drawn from, and all that can happen to it. Pure: what has to be done about it, `index.tsx` does. */
import type {Command} from '../../../release/contract.ts';
import type {EventOf, Question, TimedEvent} from '../../../release/events.ts';
import {emptyRun, reduce, type RunState} from '../../../release/reducer.ts';
import type {LogTap} from '../../frontend.ts';
import {type Form, type FormUiAction, typedVersion, updateForm} from './form.ts';
import type {LogPane} from './log.ts';
import {type Login, type LoginAction, updateLogins} from './login.ts';
import {type Review, plainReview} from './review.ts';

/** Lists with a selected row. */
export type ListName = 'environments' | 'versions' | 'components' | 'jobs' | 'changes' | 'resources' | 'board';

/** How to finish a component by hand, over the screen. */
export interface ByHand {
  readonly component: string;
  readonly copied: boolean;
}

export interface Model {
  readonly form: Form | undefined;
  readonly run: RunState;
  /** Questions that wait for this operator, oldest first. Those of a replayed past are not among them. */
  readonly asks: readonly Question[];
  /** Sampled by views when they draw, never reduced. */
  readonly logs: LogTap | undefined;
  /** The row that was chosen, by its id: a list that grows or a terminal that shrinks does not move it. */
  readonly cursor: Readonly<Partial<Record<ListName, string>>>;
  /** The list whose text has the arrows, after `tab`. */
  readonly reading: ListName | undefined;
  /** How far the text called `of` is scrolled. Any other text stands at its top. */
  readonly scroll: {readonly of: string; readonly top: number};
  /** By question: what is typed to answer it (the approval of a plan, a reason). Kept while the operator looks elsewhere. */
  readonly drafts: ReadonlyMap<string, string>;
  /** The question whose field is open. */
  readonly drafting: string | undefined;
  /** Registries that ask for a login, oldest first. */
  readonly logins: readonly Login[];
  readonly review: Review;
  readonly help: boolean;
  readonly log: LogPane | undefined;
  /** Lines of logs that are longer than the screen are wrapped; and have their times before them. */
  readonly logLook: {readonly wrap: boolean; readonly times: boolean};
  readonly byHand: ByHand | undefined;
  /** Ctrl-C asked what to do. */
  readonly leaving: boolean;
  /** What is typed so far to interrupt a second time; absent where nobody does. */
  readonly forcing: string | undefined;
  /** What was asked of the run. */
  readonly commanded: Command['do'] | undefined;
  /** Hooks that run now. */
  readonly hooks: readonly (EventOf<'hook'> & {readonly at: string})[];
  /** What was said besides the events, oldest first. */
  readonly notices: readonly string[];
  /** The end was read. */
  readonly left: boolean;
  /** For screen readers: every change so far, a line each. Undefined for everybody else. */
  readonly said: readonly string[] | undefined;
}

export type Action =
  | {readonly do: 'form'; readonly action: FormUiAction}
  | {readonly do: 'event'; readonly event: TimedEvent}
  | {readonly do: 'logs'; readonly logs: LogTap}
  | {readonly do: 'said'; readonly lines: readonly string[]}
  | {readonly do: 'noticed'; readonly text: string}
  | {readonly do: 'asked'; readonly question: Question}
  | {readonly do: 'withdrawn'; readonly id: string}
  | {readonly do: 'answer'; readonly id: string; readonly value: string; readonly because?: string}
  | {readonly do: 'command'; readonly command: Command['do']}
  | LoginAction
  | {readonly do: 'select'; readonly list: ListName; readonly row: string}
  | {readonly do: 'read'; readonly list: ListName | undefined}
  | {readonly do: 'scroll'; readonly of: string; readonly top: number}
  | {readonly do: 'draft'; readonly question: string; readonly text?: string; readonly open: boolean}
  | {readonly do: 'review'; readonly review: Partial<Review>}
  | {readonly do: 'help'; readonly open: boolean}
  | {readonly do: 'log'; readonly log: LogPane | undefined}
  | {readonly do: 'log look'; readonly look: Partial<Model['logLook']>}
  | {readonly do: 'by hand'; readonly component: string | undefined}
  /** Puts a text into the clipboard of whoever sits at the terminal. */
  | {readonly do: 'copy'; readonly text: string}
  | {readonly do: 'leaving'; readonly open: boolean}
  | {readonly do: 'force'; readonly word: string | undefined}
  /** Gives the terminal back until the shell's `fg`. */
  | {readonly do: 'suspend'}
  | {readonly do: 'leave'}
  | {readonly do: 'all'; readonly actions: readonly Action[]};

export const emptyModel: Model = {
  form: undefined,
  run: emptyRun,
  asks: [],
  logs: undefined,
  cursor: {},
  reading: undefined,
  scroll: {of: '', top: 0},
  drafts: new Map(),
  drafting: undefined,
  logins: [],
  review: plainReview,
  help: false,
  log: undefined,
  logLook: {wrap: false, times: false},
  byHand: undefined,
  leaving: false,
  forcing: undefined,
  commanded: undefined,
  hooks: [],
  notices: [],
  left: false,
  said: undefined,
};

export function update(model: Model, action: Action): Model {
  switch (action.do) {
    case 'form': {
      // What is typed is what is meant: the field becomes the selected row.
      const cursor = action.action.do === 'type' ? {...model.cursor, versions: typedVersion} : model.cursor;
      return {...model, cursor, form: updateForm(model.form, action.action)};
    }
    case 'event':
      return afterEvent({...model, run: reduce(model.run, action.event)}, action.event);
    case 'logs':
      return {...model, logs: action.logs};
    case 'said':
      return {...model, said: [...(model.said ?? []), ...action.lines]};
    case 'noticed':
      return {...model, notices: [...model.notices, action.text]};
    case 'asked':
      return {...model, asks: [...model.asks, action.question], ...(model.asks.length === 0 && attention(model))};
    case 'withdrawn':
    case 'answer':
      return withoutQuestion(model, action.id);
    case 'command':
      return {...model, commanded: action.command, leaving: false, forcing: undefined};
    case 'login asked':
    case 'login typed':
    case 'login given':
      return {...model, logins: updateLogins(model.logins, action)};
    case 'select':
      return {...model, cursor: {...model.cursor, [action.list]: action.row}};
    case 'read':
      return {...model, reading: action.list};
    case 'scroll':
      return {...model, scroll: {of: action.of, top: action.top}};
    case 'draft': {
      const {question, text, open} = action;
      const drafts = text === undefined ? model.drafts : new Map(model.drafts).set(question, text);
      return {...model, drafts, drafting: open ? question : undefined};
    }
    case 'review':
      return {...model, review: {...model.review, ...action.review}};
    case 'help':
      return {...model, help: action.open};
    case 'log':
      return {...model, log: action.log};
    case 'log look':
      return {...model, logLook: {...model.logLook, ...action.look}};
    case 'by hand':
      return {...model, byHand: action.component === undefined ? undefined : {component: action.component, copied: false}};
    case 'copy':
      if (model.log !== undefined) return {...model, log: {...model.log, copied: true}};
      return model.byHand === undefined ? model : {...model, byHand: {...model.byHand, copied: true}};
    case 'leaving':
      return {...model, leaving: action.open, forcing: undefined, help: false};
    case 'force':
      return {...model, forcing: action.word};
    case 'suspend':
      return model;
    case 'leave':
      return {...model, left: true};
    case 'all':
      return action.actions.reduce(update, model);
  }
}

/** A question that is answered, or was withdrawn, with what was typed for it. */
function withoutQuestion(model: Model, id: string): Model {
  const drafts = new Map([...model.drafts].filter(([question]) => question !== id));
  const asks = model.asks.filter(question => question.id !== id);
  return {...model, asks, drafts, drafting: model.drafting === id ? undefined : model.drafting};
}

/** A first question moves the selection to what it is about; later ones wait until it is answered. */
function attention(model: Model): Pick<Model, 'cursor' | 'reading'> {
  const {jobs: _jobs, board: _board, changes: _changes, resources: _resources, ...cursor} = model.cursor;
  return {cursor, reading: undefined};
}

function afterEvent(model: Model, event: TimedEvent): Model {
  // Another plan is another text: nothing that was found or folded in the one before is in it.
  if (event.type === 'plan.ready') return {...model, review: plainReview};
  if (event.type === 'hook') return afterHook(model, event);
  if (event.type !== 'run.finished') return model;
  const over = {leaving: false, forcing: undefined, help: false, log: undefined, byHand: undefined};
  return {...model, ...over, asks: [], hooks: [], logins: [], drafts: new Map(), drafting: undefined};
}

/** A hook that failed is the failure of its phase; one that only warned is said nowhere else. */
function afterHook(model: Model, event: EventOf<'hook'> & {readonly at: string}): Model {
  const others = model.hooks.filter(({hook}) => hook !== event.hook);
  if (event.status === 'started') return {...model, hooks: [...others, event]};
  const notices = event.status === 'warned' ? [...model.notices, `hook ${event.hook}: ${event.text}`] : model.notices;
  return {...model, hooks: others, notices};
}
