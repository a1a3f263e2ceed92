/** A release as an engine would tell it: real events, through the real reducer. */
import type {Answer, Question, RunEvent, TimedEvent} from '../../../../src/release/events.ts';
import type {ComponentCard, Survey} from '../../../../src/release/form.ts';
import type {AnyComponentPlan, Check, Trouble} from '../../../../src/release/model.ts';
import type {Phase} from '../../../../src/release/words.ts';
import type {Frontend, LogTap} from '../../../../src/views/frontend.ts';

export const passCards: readonly ComponentCard[] = [
  {id: 'pass-core', kind: 'sns-trigger', needs: [], version: '1.13.2'},
  {id: 'deposit-services', kind: 'ecs-service', needs: ['pass-core'], version: '1.13.2'},
  {id: 'journal-loader', kind: 'ecs-scheduled-task', needs: ['pass-core'], version: '1.14.0'},
];

export const cookbookCards: readonly ComponentCard[] = [{id: 'service', kind: 'terraform', needs: [], version: '0.7.1'}];

/** A survey of three environments, all of which run the same. */
export function survey(cards: readonly ComponentCard[] = passCards, more: Partial<Survey> = {}): Survey {
  return {
    application: 'pass',
    environments: [
      {name: 'development', account: '111111111111', region: 'us-east-1'},
      {
        name: 'staging',
        account: '222222222222',
        region: 'us-east-1',
        last: {version: '1.14.0', outcome: 'failed', at: '2026-11-21T19:14:00Z', by: 'ci'},
      },
      {
        name: 'production',
        account: '333333333333',
        region: 'us-east-1',
        last: {version: '1.13.2', outcome: 'passed', at: '2026-11-09T21:14:00Z', by: 'operator-2'},
      },
    ],
    presets: {},
    recall: name => Promise.resolve({name}),
    reach: () => Promise.resolve({}),
    versions: () => Promise.resolve(),
    look: (_environment, _signal, found) => {
      for (const card of cards) found?.(card);
      return Promise.resolve(cards);
    },
    suggest: () => [
      {version: '1.14.0', text: 'newest in staging'},
      {version: '1.13.3', text: 'patch'},
      {version: '1.13.1', text: 'the one before'},
    ],
    ...more,
  };
}

/** A promise with its handles, for surveys that take their time. */
export function deferred<T>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

export interface Story {
  emit(event: RunEvent): void;
  started(cards: readonly ComponentCard[], version?: string, environment?: string): void;
  jobStarted(component: string, phase: Phase, text?: string): void;
  progress(component: string, phase: Phase, text: string, done?: number, total?: number): void;
  done(component: string, phase: Phase, text?: string): void;
  skipped(component: string, phase: Phase, text: string): void;
  failed(component: string, phase: Phase, trouble: Trouble): void;
  check(component: string, phase: Phase, check: Partial<Check> & Pick<Check, 'claim' | 'text' | 'status'>): void;
  planned(plans: readonly AnyComponentPlan[]): void;
  approved(): void;
  finished(outcome: 'passed' | 'failed' | 'refused', exitCode: number, text: string): void;
  /** Asks as the engine does: the event, then the operator. */
  ask(question: Question, signal?: AbortSignal): Promise<Answer>;
}

export function tell(tui: Frontend, clock: {now(): number}): Story {
  const emit = (event: RunEvent): void => {
    const timed: TimedEvent = {...event, at: new Date(clock.now()).toISOString()};
    tui.show(timed);
  };
  return {
    emit,
    started: (cards, version = '1.14.0', environment = 'production') =>
      emit({
        type: 'run.started',
        schema: 1,
        run: 'r1',
        application: 'pass',
        environment,
        version,
        components: cards.map(({id, kind, needs}) => ({id, kind, needs: [...needs]})),
        unattended: false,
        by: {user: 'jo', host: 'laptop', identity: 'release-manager'},
        tool: {version: '0.1.0', node: '24.0.0'},
        configPath: '/etc/deploy-wizard.config.yaml',
        config: null,
        allow: [],
      }),
    jobStarted: (component, phase, text) =>
      emit({type: 'job.started', job: {component, phase}, ...(text !== undefined && {text})}),
    progress: (component, phase, text, done, total) =>
      emit({
        type: 'job.progress',
        job: {component, phase},
        progress: {text, ...(done !== undefined && {done}), ...(total !== undefined && {total})},
      }),
    done: (component, phase, text = '') => emit({type: 'job.succeeded', job: {component, phase}, text}),
    skipped: (component, phase, text) => emit({type: 'job.skipped', job: {component, phase}, text}),
    failed: (component, phase, trouble) => emit({type: 'job.failed', job: {component, phase}, trouble}),
    check: (component, phase, check) => emit({type: 'check', job: {component, phase}, check: {found: '', ...check}}),
    planned: plans => emit({type: 'plan.ready', plan: {fingerprint: 'b41f77c2', components: [...plans]}}),
    approved: () => emit({type: 'approval.given', fingerprint: 'b41f77c2', by: 'operator', covers: []}),
    finished: (outcome, exitCode, text) =>
      emit({type: 'run.finished', outcome, exitCode, text, components: [], touched: exitCode === 1}),
    ask(question, signal = new AbortController().signal) {
      emit({type: 'question.asked', question});
      return tui.operator.ask(question, signal);
    },
  };
}

export function planOf(component: string, changes: readonly Partial<AnyComponentPlan['changes'][number]>[]): AnyComponentPlan {
  return {
    component,
    kind: 'terraform',
    from: '1.13.2',
    to: '1.14.0',
    changes: changes.map((change, index) => ({
      id: `c${index}`,
      risk: 'update',
      summary: 'changes',
      details: [],
      flags: [],
      ...change,
    })),
    notes: [],
    fingerprint: 'f',
    payload: null,
  };
}

export const approval: Extract<Question, {about: 'approval'}> = {
  id: 'q-approval',
  about: 'approval',
  expect: 'production',
  fingerprint: 'b41f77c2',
  again: false,
};

/** A log that tests write. */
export function logBook(): LogTap & {write(job: string, ...lines: readonly string[]): void} {
  const logs = new Map<string, string[]>();
  let version = 0;
  return {
    get version() {
      return version;
    },
    write(job, ...lines) {
      version += lines.length;
      logs.set(job, [...(logs.get(job) ?? []), ...lines]);
    },
    tail: (job, count) => (count <= 0 ? [] : (logs.get(job) ?? []).slice(-count)),
    times: (job, count) =>
      (logs.get(job) ?? []).slice(-count).map((_, index) => Date.parse('2026-11-21T21:14:00Z') + index * 1000),
    total: job => logs.get(job)?.length ?? 0,
    path: job => `/var/log/${job}.log`,
  };
}
