/** All that the screen is drawn from, and all that can happen to it. Pure: what has to be done about it, `index.tsx` does. */
import type {Question, TimedEvent} from '../../../release/events.ts';
import {emptyRun, reduce, type RunState} from '../../../release/reducer.ts';
import type {LogTap} from '../../frontend.ts';
import {type Form, type FormUiAction, typedVersion, updateForm} from './form.ts';

/** Lists with a selected row. */
export type ListName = 'environments' | 'versions' | 'components' | 'jobs' | 'changes' | 'board';

/** The log of one job, full screen. `end` is the line after the last one shown; absent while following. */
export interface LogPane {
  readonly job: string;
  readonly end?: number;
}

/** The text typed to approve a plan. Kept while the operator goes back to read the plan. */
export interface Confirmation {
  readonly question: string;
  readonly open: boolean;
  readonly typed: string;
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
  readonly confirmation: Confirmation | undefined;
  readonly help: boolean;
  readonly log: LogPane | undefined;
  /** Ctrl-C asked what to do. */
  readonly leaving: boolean;
  /** What was asked of the run. */
  readonly commanded: 'stop' | 'detach' | undefined;
  /** The end was read. */
  readonly left: boolean;
}

export type Action =
  | {readonly do: 'form'; readonly action: FormUiAction}
  | {readonly do: 'event'; readonly event: TimedEvent}
  | {readonly do: 'logs'; readonly logs: LogTap}
  | {readonly do: 'asked'; readonly question: Question}
  | {readonly do: 'withdrawn'; readonly id: string}
  | {readonly do: 'answer'; readonly id: string; readonly value: string}
  | {readonly do: 'command'; readonly command: 'stop' | 'detach'}
  | {readonly do: 'select'; readonly list: ListName; readonly row: string}
  | {readonly do: 'read'; readonly list: ListName | undefined}
  | {readonly do: 'scroll'; readonly of: string; readonly top: number}
  | {readonly do: 'confirm'; readonly confirmation: Confirmation}
  | {readonly do: 'help'; readonly open: boolean}
  | {readonly do: 'log'; readonly log: LogPane | undefined}
  | {readonly do: 'leaving'; readonly open: boolean}
  | {readonly do: 'leave'};

export const emptyModel: Model = {
  form: undefined,
  run: emptyRun,
  asks: [],
  logs: undefined,
  cursor: {},
  reading: undefined,
  scroll: {of: '', top: 0},
  confirmation: undefined,
  help: false,
  log: undefined,
  leaving: false,
  commanded: undefined,
  left: false,
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
    case 'asked':
      return {...model, asks: [...model.asks, action.question], ...(model.asks.length === 0 && attention(model))};
    case 'withdrawn':
    case 'answer':
      return {...model, asks: model.asks.filter(question => question.id !== action.id)};
    case 'command':
      return {...model, commanded: action.command, leaving: false};
    case 'select':
      return {...model, cursor: {...model.cursor, [action.list]: action.row}};
    case 'read':
      return {...model, reading: action.list};
    case 'scroll':
      return {...model, scroll: {of: action.of, top: action.top}};
    case 'confirm':
      return {...model, confirmation: action.confirmation};
    case 'help':
      return {...model, help: action.open};
    case 'log':
      return {...model, log: action.log};
    case 'leaving':
      return {...model, leaving: action.open, help: false};
    case 'leave':
      return {...model, left: true};
  }
}

/** A first question moves the selection to what it is about; later ones wait until it is answered. */
function attention(model: Model): Pick<Model, 'cursor' | 'reading'> {
  const {jobs: _jobs, board: _board, changes: _changes, ...cursor} = model.cursor;
  return {cursor, reading: undefined};
}

function afterEvent(model: Model, event: TimedEvent): Model {
  if (event.type !== 'run.finished') return model;
  return {...model, asks: [], leaving: false, help: false, log: undefined};
}
