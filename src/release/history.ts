/** What a recorded run has come to: what a process that goes on with it must know. Pure. */
import type {Answer, EventOf, RunEvent} from './events.ts';
import type {Json} from './json.ts';
import type {AnyComponentPlan, Job, Plan} from './model.ts';

export interface OpenIntent {
  readonly job: Job;
  readonly step: string;
  readonly request: Json;
  /** Somebody has looked at it since, and could not tell. */
  readonly doubtful?: true;
}

export interface DoneStep {
  readonly job: Job;
  readonly step: string;
  readonly request: Json;
  readonly result: Json;
}

export interface History {
  readonly started?: EventOf<'run.started'>;
  /** The newest plan, approved or not. */
  readonly plan?: Plan;
  /** The plan that was approved, as long as nothing newer was planned. */
  readonly approved?: {readonly plan: Plan; readonly approval: EventOf<'approval.given'>};
  /** By step key, in the order in which they were done; undone ones are not here. */
  readonly done: ReadonlyMap<string, DoneStep>;
  /** By step key: intents without an effect. */
  readonly open: ReadonlyMap<string, OpenIntent>;
  /** By step key: intents whose effect was a failure. How far they came, nobody knows. */
  readonly failed: ReadonlyMap<string, OpenIntent>;
  /** By component: how a failed one is taken back, once that was begun. */
  readonly back: ReadonlyMap<string, AnyComponentPlan>;
  /** Who decided that all that have moved are taken back. */
  readonly allBack?: Answer['by'];
  /** By component: what was there when it had arrived. */
  readonly observed: ReadonlyMap<string, EventOf<'observed'>>;
  /** Checks that somebody let through, in order. */
  readonly waived: readonly EventOf<'waived'>[];
  /** By item of the checklist. */
  readonly ticked: ReadonlyMap<string, EventOf<'ticked'>>;
  readonly finished?: EventOf<'run.finished'>;
}

/** Steps are named within their component. */
export function stepKey(component: string, step: string): string {
  return `${component}/${step}`;
}

export const noHistory: History = {
  done: new Map(),
  open: new Map(),
  failed: new Map(),
  back: new Map(),
  observed: new Map(),
  waived: [],
  ticked: new Map(),
};

export function replay(events: Iterable<RunEvent>): History {
  const done = new Map<string, DoneStep>();
  const open = new Map<string, OpenIntent>();
  const failed = new Map<string, OpenIntent>();
  const back = new Map<string, AnyComponentPlan>();
  const observed = new Map<string, EventOf<'observed'>>();
  const waived: EventOf<'waived'>[] = [];
  const ticked = new Map<string, EventOf<'ticked'>>();
  let allBack: Answer['by'] | undefined;
  let started: EventOf<'run.started'> | undefined;
  let plan: Plan | undefined;
  let approved: History['approved'];
  let finished: EventOf<'run.finished'> | undefined;
  for (const event of events) {
    switch (event.type) {
      case 'run.started':
        started = event;
        break;
      case 'run.resumed':
        finished = undefined;
        break;
      case 'plan.ready':
        if (plan !== undefined && plan.fingerprint !== event.plan.fingerprint) forgetApplied(done);
        plan = event.plan;
        // The same changes planned anew: the approval was for them.
        approved = approved?.approval.fingerprint === plan.fingerprint ? {plan, approval: approved.approval} : undefined;
        break;
      case 'approval.given':
        approved = plan && plan.fingerprint === event.fingerprint ? {plan, approval: event} : undefined;
        break;
      case 'approval.refused':
        approved = undefined;
        break;
      case 'intent':
        // An undo that was begun leaves the step's effect in doubt: it is settled like any other.
        open.set(stepKey(event.job.component, event.step), {job: event.job, step: event.step, request: event.request});
        if (!event.undo) break;
        done.delete(stepKey(event.job.component, event.step));
        // What the plan rested on is taken back.
        approved = undefined;
        break;
      case 'effect': {
        const key = stepKey(event.job.component, event.step);
        const intent = open.get(key);
        if (event.result.is === 'unknown') {
          if (intent) open.set(key, {...intent, doubtful: true});
          break;
        }
        open.delete(key);
        if (event.undo || event.result.is !== 'done') done.delete(key);
        else if (intent) {
          const {job, step, request} = intent;
          done.set(key, {job, step, request, result: event.result.value});
          failed.delete(key);
        }
        if (!event.undo && event.result.is === 'failed' && intent) {
          failed.set(key, intent);
        }
        break;
      }
      case 'back.planned':
        back.set(event.plan.component, event.plan);
        break;
      case 'observed':
        observed.set(event.component, event);
        break;
      case 'run.finished':
        finished = event;
        break;
      case 'question.answered':
        if (event.answer.value === 'rollback-all') allBack = event.answer.by;
        break;
      case 'question.asked':
      case 'job.started':
      case 'job.progress':
      case 'job.succeeded':
      case 'job.failed':
      case 'job.skipped':
      case 'check':
      case 'hook':
        break;
      case 'waived':
        waived.push(event);
        break;
      case 'ticked':
        ticked.set(event.item, event);
        break;
    }
  }
  return {
    done,
    open,
    failed,
    back,
    observed,
    waived,
    ticked,
    ...(allBack && {allBack}),
    ...(started && {started}),
    ...(plan && {plan}),
    ...(approved && {approved}),
    ...(finished && {finished}),
  };
}

/**
 * The approved plan that a later process may go on with: none where a change of it did not work out; then it
 * plans anew, and asks again.
 */
export function standingPlan({approved, failed, back, allBack}: History): Plan | undefined {
  // The way back that was begun is the plan's own.
  if (back.size > 0 || allBack !== undefined) return approved?.plan;
  return [...failed.values()].some(({job}) => job.phase === 'apply') ? undefined : approved?.plan;
}

/** Whether a change of the environment was begun of which nobody knows yet what became. */
export function hasOpenChange({open}: Pick<History, 'open'>): boolean {
  return [...open.values()].some(({job}) => job.phase === 'apply');
}

/** What was done under another plan says nothing of this one: its steps are performed anew, and adopt what fits. */
export function forgetApplied(done: Map<string, DoneStep>): void {
  for (const [key, {job}] of done) if (job.phase === 'apply') done.delete(key);
}

/** A component's results so far, by step id. */
export function resultsOf(done: ReadonlyMap<string, DoneStep>, component: string): ReadonlyMap<string, Json> {
  return new Map([...done.values()].filter(({job}) => job.component === component).map(({step, result}) => [step, result]));
}
