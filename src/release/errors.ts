import type {Code} from './codes.ts';
import type {Trouble} from './model.ts';

/** Exit codes, design section 7. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  locked: 4,
  auditFailed: 5,
  rolledBack: 6,
  unknown: 7,
  superseded: 8,
  stopped: 9,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/**
 * An error that somebody can act on. The class picks the exit code; `means` says what it means for the
 * environment, `next` what to do, one command or sentence an entry.
 */
export class DeployError extends Error {
  /** The code of what has none of its own. */
  static readonly usual: Code = 'DW100';
  readonly code: Code;
  readonly exitCode: ExitCode = exitCodes.failed;
  readonly means: string | undefined;
  next: readonly string[];
  /** Trying the same once more cannot help: it takes a new plan, or other input. */
  final: boolean;

  constructor(
    what: string,
    more: {code?: Code; means?: string; next?: readonly string[]; final?: boolean; cause?: unknown} = {},
  ) {
    super(what, more.cause === undefined ? undefined : {cause: more.cause});
    this.name = new.target.name;
    this.code = more.code ?? new.target.usual;
    this.means = more.means;
    this.next = more.next ?? [];
    this.final = more.final ?? false;
  }

  /** The same error, of something that cannot be tried again. */
  asFinal(): this {
    this.final = true;
    return this;
  }

  /** The same error with one more thing to do. */
  also(next: string): this {
    this.next = [...this.next, next];
    return this;
  }
}

/** The command line or the config file is wrong: nothing was started. */
export class UsageError extends DeployError {
  static override readonly usual = 'DW200';
  override readonly exitCode = exitCodes.usage;
}

/** An answer or an approval is missing, or policy forbids. */
export class RefusedError extends DeployError {
  static override readonly usual = 'DW300';
  override readonly exitCode = exitCodes.refused;
}

/**
 * A call whose answer was lost (connection reset, 5xx, time-out): it may or may not have happened.
 * Only the step's `settle` can tell; it is never simply sent again.
 */
export class LostAnswerError extends DeployError {
  static override readonly usual = 'DW700';
  override readonly exitCode = exitCodes.unknown;
}

/** Work that ended because somebody asked it to stop. */
export class StoppedError extends DeployError {
  static override readonly usual = 'DW900';
  override readonly exitCode = exitCodes.interrupted;
}

/** Work that was stopped before it had any effect: while a call waited for its turn, say. */
export class UnsentError extends StoppedError {}

/** What to do next, in one line. A command, which has no full stop, stays apart from what follows it: somebody copies it. */
export function inOneLine(next: readonly string[]): string {
  return next.map((step, index) => (index === next.length - 1 ? step : `${step}${/[.!?]$/.test(step) ? ' ' : ' · '}`)).join('');
}

/** Any thrown value, as somebody should read it. A value that is no DeployError is a defect of ours or of a library. */
export function toTrouble(error: unknown): Trouble {
  if (error instanceof DeployError) {
    const {message: what, means, next, code} = error;
    return {
      what,
      ...(means && {means}),
      ...(next.length > 0 && {next: [...next]}),
      ...(code !== DeployError.usual && {code}),
    };
  }
  return {what: error instanceof Error ? error.message : String(error)};
}
