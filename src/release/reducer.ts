/** What every view draws: a pure reduction of a run's events. */
import type {AnyComponentPlan, Check, ComponentEnd, Job, Plan, Trouble} from './model.ts';
import {type Outcome, jobId} from './words.ts';
import type {Answer, EventOf, Progress, Question, TimedEvent} from './events.ts';

export interface JobState {
  readonly job: Job;
  readonly status: 'running' | 'succeeded' | 'failed' | 'skipped';
  readonly startedAt: string;
  readonly endedAt?: string;
  /** The last line worth showing: how far it is, how it ended, why it was skipped. */
  readonly text: string;
  readonly progress?: Progress;
  readonly trouble?: Trouble;
  /** Newest last; a claim that is looked at again replaces its older check. */
  readonly checks: readonly Check[];
}

export interface RunState {
  readonly started?: EventOf<'run.started'> & {readonly at: string};
  /** In the order in which they started. */
  readonly jobs: ReadonlyMap<string, JobState>;
  /** Open ones, oldest first. */
  readonly questions: readonly Question[];
  readonly answers: ReadonlyMap<string, Answer>;
  readonly plan?: Plan;
  readonly approval?: EventOf<'approval.given'> | EventOf<'approval.refused'>;
  /** Checks that somebody let through, in order. */
  readonly waivers: readonly EventOf<'waived'>[];
  /** The checks with which a component failed last, by component: its job forgets them when it is taken back. */
  readonly failures: ReadonlyMap<string, readonly Check[]>;
  /** What taking a failed component back changes, by component, and when that was planned. */
  readonly back: ReadonlyMap<string, AnyComponentPlan & {readonly at: string}>;
  /** What was there when a component had arrived, by component. */
  readonly observed: ReadonlyMap<string, EventOf<'observed'>>;
  /** How the config file differs by now from the one that the run began with, and goes on with. */
  readonly configChanged?: readonly string[];
  /** Steps that are done and were not undone, in order. */
  readonly steps: readonly {readonly component: string; readonly step: string}[];
  readonly finished?: {
    readonly at: string;
    readonly outcome: Outcome;
    readonly exitCode: number;
    readonly text: string;
    readonly components: readonly ComponentEnd[];
    readonly touched: boolean;
  };
}

export const emptyRun: RunState = {
  jobs: new Map(),
  questions: [],
  answers: new Map(),
  waivers: [],
  failures: new Map(),
  back: new Map(),
  observed: new Map(),
  steps: [],
};

/** The next state of a run. Never throws: an event that fits no state (a cut record) changes what it can. */
export function reduce(state: RunState, event: TimedEvent): RunState {
  switch (event.type) {
    case 'run.started':
      return {...state, started: event};
    case 'run.resumed': {
      // Whatever ran or was asked belonged to a process that is gone.
      const {finished: _, configChanged: _changed, ...rest} = state;
      const {configChanged} = event;
      const jobs = new Map([...state.jobs].filter(([, {status}]) => status !== 'running'));
      return {...rest, ...(configChanged && {configChanged}), questions: [], jobs};
    }
    case 'question.asked':
      return {...state, questions: [...state.questions, event.question]};
    case 'question.answered':
      return {
        ...state,
        questions: state.questions.filter(question => question.id !== event.id),
        answers: new Map(state.answers).set(event.id, event.answer),
      };
    case 'job.started':
      // Anew: nothing of an earlier attempt (its trouble, its end) is true of this one.
      return withJob(state, event.job, {startedAt: event.at, text: event.text ?? ''}, true);
    case 'job.progress':
      return withJob(state, event.job, {text: event.progress.text, progress: event.progress});
    case 'job.succeeded':
      return withJob(state, event.job, {status: 'succeeded', endedAt: event.at, text: event.text});
    case 'job.failed': {
      const failed = (state.jobs.get(jobId(event.job))?.checks ?? []).filter(({status}) => status === 'failed');
      const failures = new Map(state.failures);
      if (failed.length > 0) failures.set(event.job.component, failed);
      const patch = {status: 'failed', endedAt: event.at, text: event.trouble.what, trouble: event.trouble} as const;
      return withJob({...state, failures}, event.job, patch);
    }
    case 'job.skipped':
      return withJob(state, event.job, {status: 'skipped', startedAt: event.at, endedAt: event.at, text: event.text});
    case 'check': {
      const before = state.jobs.get(jobId(event.job))?.checks ?? [];
      const known = before.some(({claim}) => claim === event.check.claim);
      const checks = known
        ? before.map(check => (check.claim === event.check.claim ? event.check : check))
        : [...before, event.check];
      return withJob(state, event.job, {checks});
    }
    case 'plan.ready': {
      const {approval: _, ...rest} = state;
      return {...rest, plan: event.plan};
    }
    case 'approval.given':
    case 'approval.refused':
      return {...state, approval: event};
    case 'waived':
      return {...state, waivers: [...state.waivers, event]};
    case 'back.planned':
      return {...state, back: new Map(state.back).set(event.plan.component, {...event.plan, at: event.at})};
    case 'observed':
      return {...state, observed: new Map(state.observed).set(event.component, event)};
    case 'effect': {
      if (event.result.is !== 'done') return state;
      const {component} = event.job;
      const others = state.steps.filter(one => one.component !== component || one.step !== event.step);
      return {...state, steps: event.undo ? others : [...others, {component, step: event.step}]};
    }
    case 'intent':
    case 'ticked':
    case 'hook':
      return state;
    case 'run.finished':
      return {...state, questions: [], finished: event};
  }
}

function withJob(state: RunState, job: Job, patch: Partial<JobState>, anew = false): RunState {
  const id = jobId(job);
  const begun: JobState = {job, status: 'running', startedAt: '', text: '', checks: []};
  const before = anew ? begun : (state.jobs.get(id) ?? begun);
  return {...state, jobs: new Map(state.jobs).set(id, {...before, ...patch})};
}
