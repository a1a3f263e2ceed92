/** What the form's screens show: the pure form of the core, what is known of the world, and what is half typed. */
import type {
  ComponentCard,
  EnvironmentCard,
  FormAction,
  FormAnswers,
  FormState,
  VersionSuggestion,
} from '../../../release/form.ts';
import {judgeVersion, reduceForm, startForm} from '../../../release/form.ts';

/** What looking at an environment has found so far. */
export interface Look {
  readonly cards: readonly ComponentCard[];
  readonly done: boolean;
  readonly suggestions: readonly VersionSuggestion[];
}

/** The id of the row below the suggestions, where a version is typed. */
export const typedVersion = '';

export interface Form {
  readonly state: FormState;
  readonly application: string;
  readonly environments: readonly EnvironmentCard[];
  /** By environment; kept, so that going back and forth does not look again. */
  readonly looks: ReadonlyMap<string, Look>;
  /** What stands in the version field. */
  readonly typed: string;
  /** Components that do not go along. All others do, also those that are found later. */
  readonly without: ReadonlySet<string>;
  /** The operator left before anything was started. */
  readonly gaveUp: boolean;
}

export type FormUiAction =
  | {
      readonly do: 'open';
      readonly flags: FormAnswers;
      readonly application: string;
      readonly environments: readonly EnvironmentCard[];
    }
  | {readonly do: 'step'; readonly step: FormAction}
  | {readonly do: 'give up'}
  | {readonly do: 'look'; readonly environment: string}
  | {readonly do: 'found'; readonly environment: string; readonly card: ComponentCard}
  | {
      readonly do: 'looked';
      readonly environment: string;
      readonly cards: readonly ComponentCard[];
      readonly suggestions: readonly VersionSuggestion[];
    }
  /** What was seen is forgotten: it will be looked at again. */
  | {readonly do: 'forget'; readonly environment: string}
  | {readonly do: 'type'; readonly text: string}
  | {readonly do: 'leave out'; readonly without: ReadonlySet<string>};

/** The next state of the form. Before it is opened there is none to change. */
export function updateForm(form: Form | undefined, action: FormUiAction): Form | undefined {
  if (action.do === 'open') {
    const {application, environments} = action;
    const state = startForm(action.flags);
    return {state, application, environments, looks: new Map(), typed: '', without: new Set(), gaveUp: false};
  }
  if (form === undefined) return undefined;
  const see = (environment: string, look: Look): Form => ({...form, looks: new Map(form.looks).set(environment, look)});
  switch (action.do) {
    case 'step':
      return {...form, state: reduceForm(form.state, action.step)};
    case 'give up':
      return {...form, gaveUp: true};
    case 'look':
      return see(action.environment, notLooked);
    case 'found': {
      const before = form.looks.get(action.environment) ?? notLooked;
      const others = before.cards.filter(card => card.id !== action.card.id);
      return before.done ? form : see(action.environment, {...before, cards: [...others, action.card]});
    }
    case 'looked':
      return see(action.environment, {cards: action.cards, done: true, suggestions: action.suggestions});
    case 'forget':
      return {...form, looks: new Map([...form.looks].filter(([environment]) => environment !== action.environment))};
    case 'type':
      return {...form, typed: action.text};
    case 'leave out':
      return {...form, without: action.without};
  }
}

const notLooked: Look = {cards: [], done: false, suggestions: []};

/** Whether the form still asks something. */
export function isAsking(form: Form | undefined): form is Form {
  return form !== undefined && form.state.step !== 'done' && !form.gaveUp;
}

export function canGoBack(form: Form): boolean {
  return reduceForm(form.state, {do: 'back'}) !== form.state;
}

/** What is known of the environment that was chosen. */
export function lookOf(form: Form): Look {
  return form.looks.get(form.state.answers.environment ?? '') ?? notLooked;
}

/** The components that go along: all that were found, less those left out. */
export function goingAlong(form: Form): readonly ComponentCard[] {
  const {components} = form.state.answers;
  const {cards} = lookOf(form);
  if (form.state.given.has('components')) return cards.filter(card => components?.includes(card.id));
  return cards.filter(card => !form.without.has(card.id));
}

/** What choosing a version would mean. An empty field has no problem yet, but cannot be chosen either. */
interface Judgement {
  readonly problem?: string;
  readonly note?: string;
  readonly ready: boolean;
}

export function judge(form: Form, version: string): Judgement {
  const look = lookOf(form);
  if (version === '') return {ready: false};
  const cards = form.state.given.has('components') ? goingAlong(form) : look.cards;
  const judgement = judgeVersion(version, cards);
  return {...judgement, ready: look.done && judgement.problem === undefined};
}

/** Components that do not go along although one that does needs them. */
export function missingNeeds(form: Form): readonly string[] {
  const needs = goingAlong(form).flatMap(card => card.needs.filter(need => form.without.has(need)));
  return [...new Set(needs)];
}
