/**
 * The line view of a run, for CI and for terminals without a TUI: when, which component, what. Nothing is drawn in place; while
 * nothing else is said, a heartbeat says what is at work.
 */
import type {Question, RunEvent, TimedEvent} from '../release/events.ts';
import type {Job, Trouble} from '../release/model.ts';
import {type Phase, jobId, wholeRelease} from '../release/words.ts';
import {linesView} from './lines.ts';
import type {Sections} from './sections.ts';
import {duration, lineFor, linesFor} from './words.ts';

export interface LineViewOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A plan is all that was asked for: it is the result, and stands where results go. */
  readonly planOnly: boolean;
  /** What folds, where the log can. */
  readonly sections?: Sections | undefined;
  /** A failure as the CI service shows it beside the log: one line, printed as it is. */
  readonly annotate?: ((job: Job, trouble: Trouble) => string) | undefined;
}

export interface LineView {
  /** All lines of one event: written in one piece, they stay together. `past`: it happened in an earlier process. */
  show(event: TimedEvent, past?: boolean): readonly string[];
  /** A line that is no event. `at`: milliseconds since the epoch. */
  notice(text: string, at: number): readonly string[];
  /** What is at work, and for how long; nothing where nothing is, or where a question waits for its answer. */
  beat(at: number): readonly string[];
  /** What is still open when the log ends. */
  end(at: number): readonly string[];
}

/** Something that is going on. `at`: since when. */
interface Going {
  readonly name: string;
  readonly at: number;
  readonly text: string;
}

/** Of more, only how many. */
const named = 5;
/** Components with longer names push their own lines to the right. */
const widestColumn = 24;

export function lineView({env, planOnly, sections, annotate}: LineViewOptions): LineView {
  const lines = linesView(env, planOnly, {inColumn: true});
  const plain = lineFor(env);
  const going = new Map<string, Going>();
  const questions = new Set<Question['id']>();
  let section: string | undefined;
  let width = 0;

  const stamp = (at: number, component: string, line: string): string =>
    line === '' ? '' : `${new Date(at).toISOString().slice(11, 19)}Z ${component.padEnd(width)}${width === 0 ? '' : ' '}${line}`;

  const moveTo = (title: string | undefined, at: number): readonly string[] => {
    if (sections === undefined || title === section) return [];
    const closing = section === undefined ? [] : [sections.close(section, at)];
    section = title;
    return title === undefined ? closing : [...closing, sections.open(title, at)];
  };

  const follow = (event: TimedEvent, at: number): void => {
    const {type} = event;
    if (type === 'run.started') width = Math.min(widestColumn, Math.max(0, ...event.components.map(({id}) => id.length)));
    if (type === 'question.asked') questions.add(event.question.id);
    if (type === 'question.answered') questions.delete(event.id);
    if (type === 'job.started') going.set(jobId(event.job), {name: nameOf(event.job), at, text: ''});
    if (type === 'job.succeeded' || type === 'job.failed' || type === 'job.skipped') going.delete(jobId(event.job));
    if (type === 'hook' && event.status === 'started') going.set(event.hook, {name: `hook ${event.hook}`, at, text: ''});
    if (type === 'hook' && event.status !== 'started') going.delete(event.hook);
    const known = type === 'job.progress' ? going.get(jobId(event.job)) : undefined;
    if (type === 'job.progress' && known) going.set(jobId(event.job), {...known, text: event.progress.text});
  };

  return {
    show: (event, past = false) => {
      const at = Date.parse(event.at);
      follow(event, at);
      const said = lines(event).map(line => stamp(at, componentOf(event), line));
      const failed = event.type === 'job.failed' && annotate && !past ? [annotate(event.job, event.trouble)] : [];
      return [...(isTurn(event) ? moveTo(stageOf(event), at) : []), ...said, ...failed];
    },
    notice: (text, at) => linesFor(env)(text).map(line => stamp(at, '', line)),
    beat: at => {
      if (going.size === 0 || questions.size > 0) return [];
      const all = [...going.values()].map(
        ({name, at: since, text}) => `${name} (${duration(at - since)}${text === '' ? '' : `: ${text}`})`,
      );
      const more = all.length > named ? [`and ${all.length - named} more`] : [];
      return [stamp(at, '', plain(`at work: ${[...all.slice(0, named), ...more].join(', ')}`))];
    },
    end: at => moveTo(undefined, at),
  };
}

const nameOf = ({component, phase}: Job): string => (component === wholeRelease ? phase : `${component} ${phase}`);

function componentOf(event: RunEvent): string {
  const id = 'job' in event ? event.job.component : event.type === 'back.planned' ? event.plan.component : wholeRelease;
  return id === wholeRelease ? '' : id;
}

/** Components go their own ways through apply and verify: the two are one stage. */
const stages: Readonly<Record<Phase, string | undefined>> = {
  preflight: 'preflight',
  bump: 'bump',
  build: 'build',
  push: 'push',
  plan: 'plan',
  confirm: undefined,
  apply: 'apply and verify',
  verify: 'apply and verify',
};

/** Whether one section ends here, and another may begin. Plans, approvals and ends are not to be folded away. */
function isTurn(event: RunEvent): boolean {
  const {type} = event;
  if (type === 'question.asked') return event.question.about === 'start';
  return type === 'job.started' || type === 'job.skipped' || type === 'plan.ready' || type === 'run.finished';
}

/** Undefined for what stands for itself. */
function stageOf(event: RunEvent): string | undefined {
  return event.type === 'job.started' || event.type === 'job.skipped' ? stages[event.job.phase] : undefined;
}
