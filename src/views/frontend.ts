/** How a release meets people: one interface, chosen once at the start (TUI, lines with prompts, unattended). */
import type {Command, Operator} from '../release/contract.ts';
import type {TimedEvent} from '../release/events.ts';
import type {Choice, FormAnswers, Survey} from '../release/form.ts';
import type {RunState} from '../release/reducer.ts';

/** Sampled access to what jobs write, outside the events (facts/ink.md 1.6): the newest lines of each job. */
export interface LogTap {
  /** Raised by one with every line of any job: compare it to know whether to draw again. */
  readonly version: number;
  /** The newest lines of one job (at most `count`, oldest first), cleaned and redacted. Empty for an unknown job. */
  tail(jobId: string, count: number): readonly string[];
  /** When the lines of such a tail were written, in milliseconds since the epoch. */
  times(jobId: string, count: number): readonly number[];
  /** How many lines the job has written in all. */
  total(jobId: string): number;
  /** Where the whole log is on disk; undefined when nothing is written (`plan`). */
  path(jobId: string): string | undefined;
}

/** How a release stands while it runs. */
export interface Running {
  readonly run: RunState;
  /** Whether it is stopping already. */
  readonly stopping: boolean;
}

export interface Frontend {
  /** Asks what the flags left open. Undefined when the operator gave up before anything was started. */
  choose(flags: FormAnswers, survey: Survey): Promise<Choice | undefined>;
  readonly operator: Operator;
  /**
   * Asks for a registry's user and password, the password unseen. Undefined where nobody is there, or nothing was given. The
   * answer goes to whoever asked and nowhere else: it is no event.
   */
  askLogin(host: string, signal: AbortSignal): Promise<{readonly username: string; readonly password: string} | undefined>;
  /**
   * Ctrl-C on a terminal without a wizard: asks what is meant, with what it would mean at this moment. Undefined: it goes on. Absent:
   * nobody can be asked, and Ctrl-C means to stop.
   */
  readonly askToStop?: (now: () => Running, signal: AbortSignal) => Promise<Command | undefined>;
  /** What the operator asks for while it runs. Called at most once, before the first event. */
  onCommand(listener: (command: Command) => void): void;
  /** Every event of the run, in order; also those of a resumed run's past (`past`: draw, do not announce). */
  show(event: TimedEvent, past?: boolean): void;
  watchLogs(logs: LogTap): void;
  /** One line that is no event: a signal was heard. A view that shows it by other means ignores it. */
  notice(text: string): void;
  /** Gives the terminal back. Whatever was drawn in place is gone then, or left as plain text. */
  close(): Promise<void>;
}
