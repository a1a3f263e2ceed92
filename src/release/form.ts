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

/** What somebody sees of something that went wrong: what it is, and what to do. */
interface Problem {
  readonly what: string;
  readonly next?: readonly string[];
}

/** Whether another environment lets a version through, as its records say. */
export interface GateNote {
  /** The environment that must have verified it. */
  readonly env: string;
  /** Which version this is about; undefined where nothing was ever released there. */
  readonly version?: string;
  readonly open: boolean;
  /** Since when it has been there, where it is open. ISO 8601. */
  readonly since?: string;
  /** Why it is shut. */
  readonly found?: string;
}

/** Who keeps others out of an environment. */
export interface LockNote {
  readonly is: 'held' | 'frozen' | 'unreadable';
  /** `jo on laptop`. */
  readonly who?: string;
  /** ISO 8601. */
  readonly since?: string;
  /** What for. */
  readonly work?: string;
  readonly reason?: string;
}

/** What is known of an environment when the operator chooses. What is absent is not known (yet), or is not so. */
export interface EnvironmentCard {
  readonly name: string;
  readonly account?: string;
  readonly region?: string;
  /** From the record: the last release that ended there. */
  readonly last?: {readonly version: string; readonly outcome: string; readonly at: string; readonly by: string};
  /** Where its components stand, as the records say; in the order of the configuration. `tried`: a version that nothing proves to be there. */
  readonly runs?: readonly {readonly component: string; readonly version?: string; readonly tried?: string}[];
  /** Of what this environment requires: the version that is there. */
  readonly gates?: readonly GateNote[];
  readonly lock?: LockNote;
  /** A run that was interrupted and can be gone on with, in words. */
  readonly unfinished?: string;
  /** Its records cannot be read. */
  readonly unread?: string;
  /** As whom it is reached: `333333333333 as release-manager`. */
  readonly identity?: string;
  /** Why it cannot be reached: no credentials, or those of another account. */
  readonly unreachable?: Problem;
}

/** What one component runs now, as observed in the world. */
export interface ComponentCard {
  readonly id: string;
  readonly kind: string;
  readonly needs: readonly string[];
  /** Undefined while nothing is there, or where the state names no version. */
  readonly version?: string;
  /** A change was begun and never came to its end: what is there is neither the one nor the other. */
  readonly isBetween?: boolean;
  /** What its source says, where it has one. */
  readonly source?: string;
  /** Whether that was released already, in words. */
  readonly sourceNote?: string;
  /** Why it could not be looked at: what happened, and what to do. */
  readonly problem?: Problem;
}

/** A version that was found in registries, or as a git tag. */
export interface KnownVersion {
  readonly version: string;
  /** In how many of the release's image repositories it is a tag, as far as they have answered. */
  readonly images: {readonly have: number; readonly of: number};
  /** When the newest of them was pushed, where the registry tells. ISO 8601. */
  readonly pushedAt?: string;
  /** When it was tagged in git. ISO 8601. */
  readonly taggedAt?: string;
  /** What the environments say that this one requires. */
  readonly gates: readonly GateNote[];
}

/** Read access to the world for the form. Nothing here changes anything, and nothing rejects: problems are in what is found. */
export interface Survey {
  readonly application: string;
  /** As the config file has them. */
  readonly environments: readonly EnvironmentCard[];
  /** Components that often go together, by name. */
  readonly presets: Readonly<Record<string, readonly string[]>>;
  /** What the records say of an environment. */
  recall(environment: string): Promise<EnvironmentCard>;
  /** Whether it can be reached with the credentials that are there. */
  reach(environment: string, signal: AbortSignal): Promise<Pick<EnvironmentCard, 'identity' | 'unreachable'>>;
  /**
   * What each component of the environment runs now. `found` may be called with each card as soon as it is known; the promise
   * has all of them in the order of the configuration.
   */
  look(environment: string, signal: AbortSignal, found?: (card: ComponentCard) => void): Promise<readonly ComponentCard[]>;
  /** Versions worth offering there, best first, each with the words that say why. */
  suggest(environment: string, cards: readonly ComponentCard[]): readonly VersionSuggestion[];
  /** Versions that exist, newest first: all that are known so far, again and again until the promise resolves. */
  versions(environment: string, signal: AbortSignal, found: (versions: readonly KnownVersion[]) => void): Promise<void>;
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
