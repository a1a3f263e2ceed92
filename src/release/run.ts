/** What the parts of a running release share. */
import {StoppedError} from './errors.ts';
import type {Component, Emit, IoFor, JobIo, Operator, ReleaseTarget, Stop} from './contract.ts';
import type {Answer, Question} from './events.ts';
import type {DoneStep, History, OpenIntent} from './history.ts';
import type {Job} from './model.ts';

/** What is released where: fixed before the run starts. */
export interface Order<Io extends JobIo> {
  readonly environment: string;
  readonly target: ReleaseTarget;
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
  /** What was taken back at the end, one line each. */
  readonly undone: string[];
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
    undone: [],
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
