/** What every event says, in lines: for CI, for terminals without a TUI, and for screen readers. */
import type {EventOf, Question, TimedEvent} from '../release/events.ts';
import type {AnyComponentPlan, Job, Plan} from '../release/model.ts';
import {type OnFailure, isNoop, riskOf, wholeRelease} from '../release/words.ts';
import {checkMark, duration, linesFor, marks, shortFingerprint, totals, versions} from './words.ts';

/** Returns the lines of one event: usually one, none for what is not worth reading. `inColumn`: the component stands before them. */
export function linesView(
  env: Readonly<Record<string, string | undefined>>,
  planOnly: boolean,
  {inColumn = false}: {readonly inColumn?: boolean} = {},
): (event: TimedEvent) => readonly string[] {
  const glyphs = marks(env);
  const name = ({component, phase}: Job) => (inColumn || component === wholeRelease ? phase : `${component} ${phase}`);
  const begun = new Map<string, number>();

  const hookMark = (status: EventOf<'hook'>['status']) =>
    ({started: glyphs.going, succeeded: glyphs.good, failed: glyphs.bad, warned: glyphs.warning})[status];
  const took = (job: Job, at: string) => duration(Date.parse(at) - (begun.get(key(job)) ?? Date.parse(at)));
  const lines = (event: TimedEvent): readonly string[] => {
    switch (event.type) {
      case 'run.started':
        return [`${event.application} ${event.version} → ${event.environment}   run ${event.run}`];
      case 'run.resumed':
        return ['resumed', ...configChangedLines(event.configChanged)];
      case 'question.asked':
        return asked(event.question, name);
      case 'question.answered':
        return event.answer.because === undefined
          ? []
          : [`  ${event.answer.value === '' ? 'no' : event.answer.value} (${event.answer.because})`];
      case 'job.started':
        begun.set(key(event.job), Date.parse(event.at));
        return event.job.phase === 'confirm' && event.text === undefined
          ? []
          : [`${glyphs.going} ${name(event.job)}${event.text === undefined ? '' : `: ${event.text}`}`];
      case 'job.progress':
        return [];
      case 'job.succeeded':
        return [`${glyphs.good} ${name(event.job)}: ${event.text} (${took(event.job, event.at)})`];
      case 'job.failed':
        // The refusal has said it.
        if (event.job.phase === 'confirm') return [];
        return [
          `${glyphs.bad} ${name(event.job)}: ${event.trouble.what} (${took(event.job, event.at)})`,
          ...[event.trouble.means ?? [], event.trouble.next ?? []].flat().map(line => `    ${line}`),
        ];
      case 'job.skipped':
        return [`${glyphs.open} ${name(event.job)}: ${event.text}`];
      case 'plan.ready':
        // A plan that is all that was asked for is the result: it goes where results go.
        return planOnly ? [] : planLines(event.plan);
      case 'approval.given':
        return [
          `${glyphs.good} approved by ${event.by}${event.covers.length === 0 ? '' : ` (${event.covers.join(', ')})`}, plan ${shortFingerprint(event.fingerprint)}`,
        ];
      case 'approval.refused':
        return [`${glyphs.bad} refused: ${event.because}`];
      case 'waived':
        return [`${glyphs.open} let through by ${event.by}: ${event.what} (${event.reason})`];
      case 'back.planned':
        return [
          `${glyphs.going} ${inColumn ? '' : `${event.plan.component} `}is taken back to ${event.plan.to}:`,
          ...[...event.plan.changes.map(({summary}) => summary), ...event.plan.notes].map(line => `    ${line}`),
        ];
      case 'hook':
        return [`${hookMark(event.status)} hook ${event.hook}: ${event.text}`];
      case 'observed':
      case 'ticked':
        return [];
      case 'intent':
        return event.undo ? [`  ${name(event.job)}: taking back ${event.step}`] : [];
      case 'effect':
        return event.adopted && event.result.is === 'done' ? [`  ${name(event.job)}: ${event.step} had happened already`] : [];
      case 'check': {
        const {status, text, found, evidence = [], next} = event.check;
        const more = status === 'failed' || status === 'warned' ? [...evidence, ...(next === undefined ? [] : [next])] : [];
        const subject = inColumn || event.job.component === wholeRelease ? text : `${event.job.component}: ${text}`;
        return [`  ${checkMark(glyphs, status)} ${subject}: ${found}`, ...more.map(line => `      ${line}`)];
      }
      case 'run.finished':
        return [];
    }
  };
  return event => lines(event).flatMap(linesFor(env));
}

/** A run goes on with the settings that were approved, whatever the file says by now. */
export function configChangedLines(changed: readonly string[] = []): readonly string[] {
  if (changed.length === 0) return [];
  return [
    'The config file has changed since this run began; it goes on with the one of then:',
    ...changed.map(line => `    ${line}`),
  ];
}

function key({component, phase}: Job): string {
  return `${component}.${phase}`;
}

function asked(question: Question, name: (job: Job) => string): readonly string[] {
  switch (question.about) {
    case 'start':
      return [`? start ${question.phase}: ${question.work.map(({component, text}) => `${component}: ${text}`).join('; ')}`];
    case 'approval':
      return [
        `? approve plan ${shortFingerprint(question.fingerprint)}${question.again ? ' (the world has changed since it was last asked)' : ''}`,
        ...(question.differences ?? []).map(line => `    ${line}`),
      ];
    case 'preflight':
      return [
        `? ${question.failed.length === 1 ? 'a requirement is' : `${question.failed.length} requirements are`} not met: try again`,
      ];
    case 'failure':
      return [`? ${name(question.job)} failed: ${question.choices.join(' or ')}`];
    case 'unknown step':
      return [`? ${question.text}`];
  }
}

/** The plan as text: every component, every change, old → new. */
export function planLines(plan: Plan): readonly string[] {
  return [
    '',
    `Plan ${shortFingerprint(plan.fingerprint)}: ${totals(plan)}`,
    ...plan.components.flatMap(componentLines),
    ...wayBackLines(plan),
    '',
  ];
}

const ifItFails: Readonly<Record<OnFailure, string>> = {
  leave: 'it is left as it is',
  rollback: 'it is taken back',
  'rollback-all': 'all that have moved are taken back',
};

/** What the approval covers besides: what happens to a component that fails, and what it would go back to. */
function wayBackLines({back = [], onFailure = 'leave', onCancel}: Plan): readonly string[] {
  if (back.length === 0) return [];
  const words = {auto: '', ask: ', when somebody says so', never: ''};
  const ways = back.map(({component, version = 'what is there', revert}) =>
    revert === 'never' ? `${component} stays` : `${component} to ${version}${words[revert]}`,
  );
  return [
    `  If one fails, ${ifItFails[onFailure]} (--yes) or you decide. The way back: ${ways.join('; ')}`,
    ...(onCancel === undefined
      ? []
      : ['  If it is stopped, what has moved is sent back, and nobody waits for it (onCancel: rollback)']),
  ];
}

function componentLines(plan: AnyComponentPlan): readonly string[] {
  return [
    `  ${plan.component}   ${versions(plan)}   ${isNoop(plan) ? 'nothing to do' : riskOf(plan)}`,
    ...plan.changes.flatMap(({risk, summary, flags, details}) => [
      `    ${risk}: ${summary}${flags.length === 0 ? '' : `   [${flags.join(', ')}]`}`,
      ...details.map(({name, before, after}) => `      ${name}: ${before === null ? '' : `${before} → `}${after ?? '(none)'}`),
    ]),
    ...plan.notes.map(note => `    ${note}`),
  ];
}
