/** What the form's screens show: the pure form of the core, what is known of the world, and what is half typed. */
import type {
  ComponentCard,
  EnvironmentCard,
  FormAction,
  FormAnswers,
  FormState,
  KnownVersion,
  VersionSuggestion,
} from '../../../release/form.ts';
import {judgeVersion, reduceForm, startForm} from '../../../release/form.ts';

/** What looking at an environment has found so far. */
export interface Look {
  readonly cards: readonly ComponentCard[];
  readonly done: boolean;
  readonly suggestions: readonly VersionSuggestion[];
  /** Versions that exist, as far as they were found; and whether all places have been asked. */
  readonly versions: readonly KnownVersion[];
  readonly searched: boolean;
}

/** The id of the row below the suggestions, where a version is typed. */
export const typedVersion = '';

export interface Form {
  readonly state: FormState;
  readonly application: string;
  readonly environments: readonly EnvironmentCard[];
  /** How often it was asked to look at the environments. */
  readonly rounds: number;
  readonly presets: Readonly<Record<string, readonly string[]>>;
  /** By environment; kept, so that going back and forth does not look again. */
  readonly looks: ReadonlyMap<string, Look>;
  /** What stands in the version field. */
  readonly typed: string;
  /** Components that do not go along. All others do, also those that are found later. */
  readonly without: ReadonlySet<string>;
  /** Only components whose line holds this are shown; empty: all. */
  readonly filter: string;
  /** The filter is being typed. */
  readonly filtering: boolean;
  /** The operator left before anything was started. */
  readonly gaveUp: boolean;
}

export type FormUiAction =
  | {
      readonly do: 'open';
      readonly flags: FormAnswers;
      readonly application: string;
      readonly environments: readonly EnvironmentCard[];
      readonly presets?: Form['presets'];
    }
  /** More is known of an environment. */
  | {readonly do: 'known'; readonly card: EnvironmentCard}
  /** What is known of the environments is asked for anew. */
  | {readonly do: 'ask again'}
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
  | {
      readonly do: 'versions';
      readonly environment: string;
      /** Absent: as they are. */
      readonly versions?: readonly KnownVersion[];
      readonly searched: boolean;
    }
  /** What was seen is forgotten: it will be looked at again. */
  | {readonly do: 'forget'; readonly environment: string}
  | {readonly do: 'type'; readonly text: string}
  | {readonly do: 'leave out'; readonly without: ReadonlySet<string>}
  | {readonly do: 'filter'; readonly filter: string; readonly filtering: boolean};

/** The next state of the form. Before it is opened there is none to change. */
export function updateForm(form: Form | undefined, action: FormUiAction): Form | undefined {
  if (action.do === 'open') {
    const {application, environments, presets = {}} = action;
    return {
      state: startForm(action.flags),
      application,
      environments,
      rounds: 1,
      presets,
      looks: new Map(),
      typed: '',
      without: new Set(),
      filter: '',
      filtering: false,
      gaveUp: false,
    };
  }
  if (form === undefined) return undefined;
  const see = (environment: string, look: Look): Form => ({...form, looks: new Map(form.looks).set(environment, look)});
  switch (action.do) {
    case 'step':
      return {...form, state: reduceForm(form.state, action.step)};
    case 'give up':
      return {...form, gaveUp: true};
    case 'known':
      return {
        ...form,
        environments: form.environments.map(card => (card.name === action.card.name ? {...card, ...action.card} : card)),
      };
    case 'ask again':
      return {...form, rounds: form.rounds + 1, environments: form.environments.map(unasked)};
    case 'look':
      return see(action.environment, notLooked);
    case 'found': {
      const before = form.looks.get(action.environment) ?? notLooked;
      const others = before.cards.filter(card => card.id !== action.card.id);
      return before.done ? form : see(action.environment, {...before, cards: [...others, action.card]});
    }
    case 'looked':
      return see(action.environment, {
        ...(form.looks.get(action.environment) ?? notLooked),
        cards: action.cards,
        done: true,
        suggestions: action.suggestions,
      });
    case 'versions': {
      const before = form.looks.get(action.environment) ?? notLooked;
      return see(action.environment, {...before, versions: action.versions ?? before.versions, searched: action.searched});
    }
    case 'forget':
      return {...form, looks: new Map([...form.looks].filter(([environment]) => environment !== action.environment))};
    case 'type':
      return {...form, typed: action.text};
    case 'leave out':
      return {...form, without: action.without};
    case 'filter':
      return {...form, filter: action.filter, filtering: action.filtering};
  }
}

const notLooked: Look = {cards: [], done: false, suggestions: [], versions: [], searched: false};

/** What may have changed meanwhile is not known any more; the rest stays until it is known anew. */
function unasked({identity: _identity, unreachable: _unreachable, ...card}: EnvironmentCard): EnvironmentCard {
  return card;
}

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

/** A version that can be chosen from the list: why it is offered, and what is known of it. */
interface Offer {
  readonly version: string;
  readonly text?: string;
  readonly known?: KnownVersion;
}

/** What is suggested; below it, and only once that is there, what else was found: no row moves under the cursor. */
export function offersOf({suggestions, versions, done}: Look): readonly Offer[] {
  const knownAs = (version: string) => versions.find(known => known.version === version);
  const suggested = suggestions.map(({version, text}): Offer => {
    const known = knownAs(version);
    return {version, text, ...(known && {known})};
  });
  const others = versions.filter(({version}) => suggestions.every(suggestion => suggestion.version !== version));
  return [...suggested, ...(done ? others.map(known => ({version: known.version, known})) : [])];
}

/** A component in the list, under the first one that it waits for. `branch`: what draws that. */
export interface Arranged {
  readonly card: ComponentCard;
  readonly branch: readonly ('last' | 'more' | 'none')[];
}

/** The components as a tree of what they need, as far as the filter lets them through. */
export function arranged(form: Form): readonly Arranged[] {
  const {cards} = lookOf(form);
  const wanted = form.filter.toLowerCase();
  const shown = cards.filter(({id, kind}) => `${id} ${kind}`.toLowerCase().includes(wanted));
  const parentOf = ({id, needs}: ComponentCard) => needs.find(need => need !== id && shown.some(other => other.id === need));
  const under = (parent: string | undefined, above: Arranged['branch'], seen: ReadonlySet<string>): readonly Arranged[] => {
    const children = shown.filter(card => parentOf(card) === parent && !seen.has(card.id));
    return children.flatMap((card, index) => {
      const isLast = index === children.length - 1;
      const branch = parent === undefined ? [] : [...above, isLast ? ('last' as const) : ('more' as const)];
      const below = branch.map(part => (part === 'last' ? ('none' as const) : part));
      return [{card, branch}, ...under(card.id, below, new Set(seen).add(card.id))];
    });
  };
  return under(undefined, [], new Set());
}

/** The preset that the components now are; undefined where they are none. */
export function presetOf(form: Form): string | undefined {
  const chosen = new Set(goingAlong(form).map(({id}) => id));
  return Object.entries(form.presets).find(([, ids]) => ids.length === chosen.size && ids.every(id => chosen.has(id)))?.[0];
}

/** Whether more may become known of the environment that was chosen. */
export function isLooking(form: Form): boolean {
  const {done, searched} = lookOf(form);
  return !done || !searched;
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
