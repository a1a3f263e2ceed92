/** A command of the user's, which may do anything, and may not end. */
import {DeployError, StoppedError} from '../release/errors.ts';
import {type Environment, TimeoutError, exec, showCommand} from './exec.ts';

export interface HookOptions {
  readonly cwd: string;
  readonly env: Environment;
  /** Standard input. */
  readonly input: string;
  /** Then it is asked to end; a little later it is left to itself. Milliseconds. */
  readonly limitMs: number;
  /** How long one that was asked to end is waited for, in milliseconds. */
  readonly graceMs?: number;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** How long one that was asked to end is waited for: GitHub gives a cancelled job ten seconds in all. */
const usualGrace = 2000;

/**
 * Runs it to its end, or gives it up. Throws a DeployError for any exit code but 0, for one that does not end in time or cannot
 * be started, and a StoppedError when the signal is aborted. Nothing is ever killed by force: one that does not listen is left.
 */
export async function runHook([file = '', ...args]: readonly string[], options: HookOptions): Promise<void> {
  const {limitMs, graceMs = usualGrace, signal, onLine, ...rest} = options;
  const command = showCommand([file, ...args]);
  const ended = exec(file, args, {...rest, signal, timeoutMs: limitMs, onLine, maxBuffer: 0});
  const {promise: givenUp, resolve: giveUp} = Promise.withResolvers<'given up'>();
  let grace: NodeJS.Timeout | undefined;
  const askedToEnd = () => {
    grace ??= setTimeout(() => giveUp('given up'), graceMs);
  };
  const limit = setTimeout(askedToEnd, limitMs);
  signal.addEventListener('abort', askedToEnd, {once: true});
  try {
    const end = await Promise.race([ended, givenUp]);
    if (end === 'given up') {
      ended.catch(() => undefined);
      const left = `\`${command}\` does not end though it was asked to: it is left to itself`;
      throw signal.aborted ? new StoppedError(left) : new TimeoutError(left);
    }
    if (end.exitCode !== 0) throw new DeployError(`\`${command}\` ended with exit code ${end.exitCode}`);
  } finally {
    clearTimeout(limit);
    clearTimeout(grace);
    signal.removeEventListener('abort', askedToEnd);
  }
}
