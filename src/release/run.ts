/** What the parts of a running release share. */
import {StoppedError} from './errors.ts';
import type {
  Around,
  Component,
  Emit,
  Gate,
  IoFor,
  JobIo,
  Operator,
  ReleaseTarget,
  StateTarget,
  Stop,
  Target,
} from './contract.ts';
import type {Answer, Question} from './events.ts';
import type {DoneStep, History, OpenIntent} from './history.ts';
import type {Json} from './json.ts';
import type {AnyComponentPlan, Job, Trouble} from './model.ts';
import type {OnFailure, Phase} from './words.ts';

/** What is released where: fixed before the run starts. */
export interface Order<Io extends JobIo> {
  readonly environment: string;
  readonly target: ReleaseTarget;
  /** A rollback: what each component goes back to. */
  readonly states?: ReadonlyMap<string, StateTarget<Json>>;
  /** What the release as a whole needs, beside what its components require. */
  readonly gates?: readonly Gate<Io>[];
  /** Gates that somebody lets through, by name. */
  readonly overrides?: readonly {readonly name: string; readonly reason: string; readonly by: string}[];
  /** What is done when a component fails and nobody is there to ask. The approval foresees it. */
  readonly onFailure?: OnFailure;
  /** What is done with what has begun when the run is stopped. */
  readonly onCancel?: 'leave' | 'rollback';
  readonly components: readonly Component<Io>[];
  /** `plan` and `--dry-run`: everything up to confirm, touching nothing. */
  readonly planOnly: boolean;
  /** What an earlier process of the same run has left. */
  readonly history: History;
}

/** How the engine reaches everything else. */
export interface Ports<Io extends JobIo> {
  readonly emit: Emit;
  readonly operator: Operator;
  readonly ioFor: IoFor<Io>;
  /** Called once, before the environment is planned for a change: takes it for this run alone, or throws. */
  readonly enter?: (signal: AbortSignal) => Promise<void>;
  /** Whoever has their say around the phases. */
  readonly around?: Around;
  /** Bounds how many components work at once. */
  readonly limit: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A question as the engine makes it: its id is the run's business. */
export type Asking = Question extends infer Q ? (Q extends Question ? Omit<Q, 'id'> : never) : never;

/** A release while it runs: the order, the ports, and the little state that changes. */
export interface Run<Io extends JobIo> extends Order<Io>, Ports<Io> {
  /** Steps that are done, by step key; grows as the run goes on. */
  readonly done: Map<string, DoneStep>;
  /** Intents without an effect, by step key: an earlier process left them, or an answer is missing. Shrinks as they are settled. */
  readonly open: Map<string, OpenIntent>;
  /** Intents that failed, by step key. How far they came, nobody knows. */
  readonly failed: Map<string, OpenIntent>;
  /** By component: how a failed one is taken back, once that was begun. */
  readonly back: Map<string, AnyComponentPlan>;
  /** Whether somebody has let a check through. */
  waived: boolean;
  /** Why nothing new is begun any more. */
  halted: string | undefined;
  /** Who decided that all that have moved are taken back. */
  allBack: Answer['by'] | undefined;
  /** Components that stopped at somebody else's lock, before anything of them was changed. */
  readonly locked: Set<string>;
  /** What was taken back at the end, one line each. */
  readonly undone: string[];
  /** Why the first apply that failed did. */
  applyTrouble: Trouble | undefined;
  /** Phases that were announced to whoever has their say before them; and those whose end was. */
  readonly begun: Map<Phase, Promise<void>>;
  readonly ended: Set<Phase>;
  readonly stop: Stop;
  ask(asking: Asking): Promise<Answer>;
  io(job: Job): Io;
}

export function startRun<Io extends JobIo>(order: Order<Io>, ports: Ports<Io>, stop: Stop): Run<Io> {
  let asked = 0;
  return {
    ...order,
    ...ports,
    done: new Map(order.history.done),
    open: new Map(order.history.open),
    failed: new Map(order.history.failed),
    back: new Map(order.history.back),
    waived: order.history.waived.length > 0,
    halted: undefined,
    allBack: order.history.allBack,
    locked: new Set(),
    undone: [],
    applyTrouble: undefined,
    begun: new Map(),
    ended: new Set(),
    stop,
    io: job => ports.ioFor(job, stop),
    ask: async asking => {
      throwIfStopped(stop);
      asked += 1;
      const question: Question = {...asking, id: `q${asked}`};
      await ports.emit({type: 'question.asked', question});
      const answer = await ports.operator.ask(question, stop.signal).catch((error: unknown) => {
        // However a view puts it: a question that a stop has ended is a stop.
        throwIfStopped(stop);
        throw error;
      });
      await ports.emit({type: 'question.answered', id: question.id, answer});
      return answer;
    },
  };
}

/** Where a component is to go: the release's version, or what it goes back to. */
export function targetOf<Io extends JobIo>({target, states}: Run<Io>, component: string): Target<Json> {
  return states?.get(component) ?? target;
}

/** Nothing new is started once somebody has asked to stop. */
export function throwIfStopped(stop: Stop): void {
  if (stop.signal.aborted) throw new StoppedError('stopped on request');
}

/** Whether an environment may be another than before: by this component, or by any. */
export function hasTouched<Io extends JobIo>({done, open, failed}: Run<Io>, component?: string): boolean {
  return [...done.values(), ...open.values(), ...failed.values()].some(
    ({job}) => job.phase === 'apply' && (component === undefined || job.component === component),
  );
}
