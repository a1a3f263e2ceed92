/** The rows of the run's tables, read off the reduced events. */
import type {Question} from '../../../release/events.ts';
import {jobId, type Phase, phases, wholeRelease} from '../../../release/words.ts';
import type {JobState, RunState} from '../../../release/reducer.ts';
import {glyphs} from '../text/glyphs.ts';
import {phaseWord} from '../text/words.ts';
import type {Model} from './model.ts';

/** What a row's glyph says. `asked`: somebody has to say what it is. */
/** `back`: what was there before is there again. */
export type RowState = 'waiting' | 'running' | 'done' | 'back' | 'failed' | 'skipped' | 'asked';

export interface Row {
  readonly id: string;
  readonly name: string;
  readonly is: RowState;
  /** The state as a word; a glyph never stands alone. */
  readonly word: string;
  /** The last thing worth knowing. */
  readonly text: string;
  /** The job whose log, checks and trouble are the row's. */
  readonly job: JobState | undefined;
  readonly startedAt: string | undefined;
  /** Absent while its time goes on. */
  readonly endedAt: string | undefined;
  /** The question that waits for the operator here. */
  readonly ask: Question | undefined;
}

/** The phases whose jobs the work screen lists. */
const workPhases: readonly Phase[] = ['bump', 'build', 'push', 'plan'];

export function componentName(component: string): string {
  return component === wholeRelease ? 'release' : component;
}

/** One row a job of bump, build, push and plan, in that order. */
export function workRows(model: Model): readonly Row[] {
  const jobs = [...model.run.jobs.values()].filter(({job}) => workPhases.includes(job.phase));
  jobs.sort((a, b) => phases.indexOf(a.job.phase) - phases.indexOf(b.job.phase));
  return jobs.map(job => ({
    id: jobId(job.job),
    name: componentName(job.job.component),
    ...stateOfJob(job, askAbout(model.asks, job)),
    job,
    startedAt: job.startedAt,
    endedAt: job.endedAt,
  }));
}

/** One row a component: where its apply and its verify stand. */
export function boardRows(model: Model): readonly Row[] {
  const {run, asks} = model;
  return (run.started?.components ?? []).map(({id, needs}) => {
    const apply = run.jobs.get(jobId({component: id, phase: 'apply'}));
    const verify = run.jobs.get(jobId({component: id, phase: 'verify'}));
    // Where nothing had to be done, the apply says why; there is nothing to say about its proof.
    const job = apply?.status === 'skipped' || isLater(apply, verify) ? apply : (verify ?? apply);
    const row = {id, name: id, job, startedAt: apply?.startedAt ?? verify?.startedAt};
    if (job === undefined) {
      const until = needs.filter(need => !isVerified(run, need));
      const text = until.length > 0 ? `for ${until.join(', ')}` : '';
      return {...row, is: 'waiting', word: 'waiting', text, endedAt: undefined, ask: undefined};
    }
    const back = run.back.get(id);
    if (back !== undefined) return {...row, ...stateOfBack(job, back), endedAt: job.endedAt, ask: askAbout(asks, job)};
    const goesOn = job.status === 'succeeded' && job.job.phase === 'apply' && run.finished === undefined;
    if (goesOn) return {...row, is: 'running', word: 'applied', text: job.text, endedAt: undefined, ask: undefined};
    return {...row, ...stateOfJob(job, askAbout(asks, job)), endedAt: job.endedAt};
  });
}

/** Whether a component is applied anew: another attempt, or its way back. */
function isLater(apply: JobState | undefined, verify: JobState | undefined): boolean {
  if (apply === undefined || verify === undefined) return false;
  return apply.status === 'running' || (verify.startedAt !== '' && apply.startedAt > verify.startedAt);
}

/** A component that is taken back: its jobs are those of the way back since that was planned. */
function stateOfBack(job: JobState, {to, at}: {readonly to: string; readonly at: string}): Pick<Row, 'is' | 'word' | 'text'> {
  const isBegun = job.startedAt >= at;
  const text = `${glyphs.back} ${to}${job.text === '' || !isBegun ? '' : `  ${job.text}`}`;
  if (!isBegun) return {is: 'running', word: 'going back', text};
  if (job.status === 'failed') return {is: 'failed', word: 'not back', text};
  const isBack = job.status === 'succeeded' && job.job.phase === 'verify';
  return isBack ? {is: 'back', word: 'taken back', text} : {is: 'running', word: 'going back', text};
}

function isVerified(run: RunState, component: string): boolean {
  const isSkipped = run.jobs.get(jobId({component, phase: 'apply'}))?.status === 'skipped';
  const proof = run.jobs.get(jobId({component, phase: 'verify'}))?.status;
  return isSkipped || proof === 'succeeded' || proof === 'skipped';
}

function askAbout(asks: readonly Question[], {job}: JobState): Question | undefined {
  return asks.find(ask => 'job' in ask && jobId(ask.job) === jobId(job));
}

function stateOfJob(job: JobState, ask: Question | undefined): Pick<Row, 'is' | 'word' | 'text' | 'ask'> {
  if (ask?.about === 'unknown step') return {is: 'asked', word: 'not known', text: ask.text, ask};
  switch (job.status) {
    case 'running':
      return {is: 'running', word: phaseWord(job.job.phase, 'running'), text: job.text || pendingText(job), ask};
    case 'succeeded':
      return {is: 'done', word: phaseWord(job.job.phase, 'done'), text: job.text, ask};
    case 'failed':
      return {is: 'failed', word: 'failed', text: job.text, ask};
    case 'skipped':
      return {is: 'skipped', word: 'skipped', text: job.text, ask};
  }
}

/** Where a job says nothing of itself: what it still waits for. */
function pendingText({checks}: JobState): string {
  const pending = checks.findLast(({status}) => status === 'pending');
  return pending === undefined ? '' : pending.found || pending.text;
}
