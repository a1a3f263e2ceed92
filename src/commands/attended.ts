/** Whether somebody is there who could answer. */
import {RefusedError} from '../release/errors.ts';
import type {Context} from './context.ts';

/** As CI services say so: with anything but a word for no. */
export function inCi({env}: Pick<Context, 'env'>): boolean {
  const ci = env['CI'] ?? env['CONTINUOUS_INTEGRATION'];
  return ci !== undefined && !['', '0', 'false'].includes(ci.toLowerCase());
}

/**
 * In a job without a terminal nobody answers, and its standard input is no answer: a pipe that never ends, or (GitLab) the lines of
 * the script that come next. Throws a RefusedError before anything is read.
 */
export function requireSomebody(context: Pick<Context, 'env' | 'stdin'>, means: string, next: string): void {
  if (context.stdin.isTTY || !inCi(context)) return;
  throw new RefusedError('nobody is there to ask: this is a CI job without a terminal', {code: 'DW301', means, next: [next]});
}
