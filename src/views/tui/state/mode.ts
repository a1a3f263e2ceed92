/** Which screen is on, and what the keys mean now. Both follow from the model: nothing switches screens. */
import type {Question} from '../../../release/events.ts';
import {type Phase, phases} from '../../../release/words.ts';
import {reasonAsked} from './drafts.ts';
import {isAsking, lookOf, offersOf, typedVersion} from './form.ts';
import type {Model} from './model.ts';

export type Screen =
  | 'environment'
  | 'version'
  | 'components'
  | 'starting'
  | 'preflight'
  | 'work'
  | 'review'
  | 'confirm'
  | 'board'
  | 'finished';

/** What keys are looked up under: a screen, a field on it, or what lies over it. */
export type Mode =
  | Screen
  | 'version field'
  | 'components filter'
  | 'changes search'
  | 'reason'
  | 'leaving'
  | 'interrupt'
  | 'help'
  | 'login'
  | 'log'
  | 'log search'
  | 'by hand';

export function modeOf(model: Model): Mode {
  if (model.forcing !== undefined) return 'interrupt';
  if (model.leaving) return 'leaving';
  if (model.help) return 'help';
  return modeBelow(model);
}

/** The mode without the questions and the page that lie over everything: what the help page is about. */
export function modeBelow(model: Model): Mode {
  const mode = modeWithoutLogin(model);
  // Who is typing something else goes on with that: no letter of it may end up in another field.
  return model.logins.length > 0 && !typing.has(mode) ? 'login' : mode;
}

const typing: ReadonlySet<Mode> = new Set<Mode>(['confirm', 'reason', 'changes search', 'log search']);

function modeWithoutLogin(model: Model): Mode {
  if (model.log !== undefined) return model.log.typing ? 'log search' : 'log';
  if (model.byHand !== undefined) return 'by hand';
  const screen = screenOf(model);
  if (screen === 'version') return isTypingVersion(model) ? 'version field' : screen;
  if (screen === 'components') return model.form?.filtering ? 'components filter' : screen;
  if (screen === 'review') return model.review.typing ? 'changes search' : screen;
  if (screen === 'board' && reasonAsked(model) !== undefined) return 'reason';
  return screen;
}

function isTypingVersion({form, cursor}: Model): boolean {
  if (form === undefined) return false;
  return offersOf(lookOf(form)).length === 0 || cursor.versions === typedVersion;
}

export function screenOf(model: Model): Screen {
  const {form, run, asks} = model;
  if (isAsking(form)) return form.state.step === 'done' ? 'starting' : form.state.step;
  if (run.finished !== undefined) return 'finished';
  const [ask] = asks;
  if (ask !== undefined) return screenOfQuestion(ask, model);
  const phase = phaseReached(model);
  return phase === undefined ? 'starting' : screenOfPhase(phase);
}

function screenOfQuestion(question: Question, {drafting}: Model): Screen {
  switch (question.about) {
    case 'preflight':
      return 'preflight';
    case 'start':
      return 'work';
    case 'approval':
      return drafting === question.id ? 'confirm' : 'review';
    case 'failure':
    case 'unknown step':
      return screenOfPhase(question.job.phase);
  }
}

function screenOfPhase(phase: Phase): Screen {
  switch (phase) {
    case 'preflight':
      return 'preflight';
    case 'bump':
    case 'build':
    case 'push':
    case 'plan':
      return 'work';
    case 'confirm':
    case 'apply':
    case 'verify':
      return 'board';
  }
}

/** The furthest phase that anything has been heard of; undefined before the run started. */
export function phaseReached({run}: Model): Phase | undefined {
  if (run.started === undefined) return undefined;
  const isApproved = run.approval?.type === 'approval.given';
  // Until there is an approval, what the run does about it is planning: also again, or taking back what was edited.
  const begun = [...run.jobs.values()].map(({job}) => (job.phase === 'confirm' && !isApproved ? 'plan' : job.phase));
  const reached: readonly Phase[] = [...begun, isApproved ? 'confirm' : 'preflight'];
  return phases[Math.max(...reached.map(phase => phases.indexOf(phase)))];
}
