/**
 * The form before a release: environment, version, components. A pure reducer over a table of steps:
 * flags answer first, a person answers the rest, going back loses nothing.
 */
import {isDowngrade, versionProblem} from './version.ts';

export const formSteps = ['environment', 'version', 'components'] as const;
export type FormStep = (typeof formSteps)[number];

/** What flags have answered already; each step with an answer here is not asked. */
export interface FormAnswers {
  readonly environment?: string;
  readonly version?: string;
  readonly components?: readonly string[];
}

/** The finished form. */
export interface Choice {
  readonly environment: string;
  readonly version: string;
  readonly components: readonly string[];
}

export interface FormState {
  readonly step: FormStep | 'done';
  readonly answers: FormAnswers;
  /** Steps that flags answered: shown as done, never asked, skipped on the way back. */
  readonly given: ReadonlySet<FormStep>;
}

export type FormAction =
  | {readonly do: 'answer'; readonly step: 'environment'; readonly value: string}
  | {readonly do: 'answer'; readonly step: 'version'; readonly value: string}
  | {readonly do: 'answer'; readonly step: 'components'; readonly value: readonly string[]}
  | {readonly do: 'back'};

export function startForm(flags: FormAnswers): FormState {
  const given = new Set(formSteps.filter(step => flags[step] !== undefined));
  return {answers: flags, given, step: firstOpen(flags)};
}

export function reduceForm(state: FormState, action: FormAction): FormState {
  if (action.do === 'back') {
    const here = state.step === 'done' ? formSteps.length : formSteps.indexOf(state.step);
    const back = formSteps.slice(0, here).findLast(step => !state.given.has(step));
    return back === undefined ? state : {...state, step: back};
  }
  const answers: FormAnswers = {...state.answers, [action.step]: action.value};
  const next = formSteps.slice(formSteps.indexOf(action.step) + 1).find(step => !state.given.has(step));
  return {...state, answers, step: next ?? firstOpen(answers)};
}

/** The choice of a finished form; undefined while something is open. */
export function chosen(state: FormState): Choice | undefined {
  const {environment, version, components} = state.answers;
  if (state.step !== 'done' || environment === undefined || version === undefined || components === undefined) return undefined;
  return {environment, version, components};
}

function firstOpen(answers: FormAnswers): FormState['step'] {
  return formSteps.find(step => answers[step] === undefined) ?? 'done';
}

/** What is known of an environment when the operator chooses. */
export interface EnvironmentCard {
  readonly name: string;
  readonly account?: string;
  readonly region?: string;
  /** From the record: the last release that ended there. */
  readonly last?: {readonly version: string; readonly outcome: string; readonly at: string; readonly by: string};
}

/** What one component runs now, as observed in the world. */
export interface ComponentCard {
  readonly id: string;
  readonly kind: string;
  readonly needs: readonly string[];
  /** Undefined while nothing is there, or where the state names no version. */
  readonly version?: string;
  /** What its source says, where it has one. */
  readonly source?: string;
  /** Why it could not be looked at: what happened, and what to do. */
  readonly problem?: {readonly what: string; readonly next?: readonly string[]};
}

/** Read access to the world for the form. Nothing here changes anything. */
export interface Survey {
  readonly application: string;
  readonly environments: readonly EnvironmentCard[];
  /**
   * What each component of the environment runs now. Never rejects: problems are on the cards. `found` may be called
   * with each card as soon as it is known; the promise has all of them in the order of the configuration.
   */
  look(environment: string, signal: AbortSignal, found?: (card: ComponentCard) => void): Promise<readonly ComponentCard[]>;
  /** Versions worth offering there, best first, each with the words that say why. */
  suggest(environment: string, cards: readonly ComponentCard[]): readonly VersionSuggestion[];
}

export interface VersionSuggestion {
  readonly version: string;
  /** `patch`, `minor`, `what is deployed`… */
  readonly text: string;
}

/** What a version would mean for an environment, in words for the line under the field; `problem` blocks it. */
export function judgeVersion(text: string, cards: readonly ComponentCard[]): {readonly problem?: string; readonly note?: string} {
  const problem = versionProblem(text);
  if (problem !== undefined) return {problem};
  const deployed = cards.flatMap(card => (card.version === undefined ? [] : [card.version]));
  if (deployed.length > 0 && deployed.every(version => version === text)) return {note: 'what is deployed: nothing to do'};
  const newer = cards.filter(card => isDowngrade(card.version, text));
  if (newer.length > 0)
    return {note: `a downgrade for ${newer.map(card => card.id).join(', ')}: asks for the environment's name`};
  return {};
}
