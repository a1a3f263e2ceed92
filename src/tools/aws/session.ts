/**
 * How AWS is called: when the budget of the call allows it, with reads that retry, and writes that are sent once. The SDK's own
 * retries sent Publish and RegisterTaskDefinition three times after a 500 or a reset (facts/aws.md,
 * "Retries and doubled effects"): a write whose answer is lost is a LostAnswerError, and its step settles it.
 */
import {LostAnswerError, StoppedError, UnsentError} from '../../release/errors.ts';
import {type Timer, ownTime} from '../pacing.ts';
import {type Action, type Budgets, createBudgets} from './budgets.ts';
import type {AwsOptions} from './clients.ts';
import {errorName, inBrief, inWords, isAboutCredentials, isAnswerLost, isOutOfTime, isThrottled} from './errors.ts';

/** What every answer of the SDK holds. */
interface Answer {
  readonly $metadata: {readonly attempts?: number | undefined};
}

/** Calls of one account and region, in its turn each. Errors come in the operator's words. */
export interface Session {
  readonly options: AwsOptions;
  /** What paces the calls. */
  readonly timer: Timer;
  /** One call that changes nothing, with the SDK's retries. */
  read<T extends Answer>(action: Action, call: () => Promise<T>): Promise<T>;
  /**
   * One call that changes something, sent exactly once, unless AWS says that it did nothing because it was asked too often.
   * Whoever is stopped (`sleep` throws) while it waits for its turn has sent nothing. Throws a LostAnswerError when nobody can
   * tell whether it happened.
   */
  write<T>(action: Action, call: () => Promise<T>, sleep: (ms: number) => Promise<void>): Promise<T>;
}

/** The parts of a session that outlive it. */
interface Kept {
  /** What was asked before, by an earlier session too, counts. */
  readonly budgets?: Budgets;
  /** Called when AWS does not take the credentials: the next client looks for them anew. */
  readonly renew?: () => void;
}

export function createSession(options: AwsOptions, {budgets, renew}: Kept = {}): Session {
  const timer = options.timer ?? ownTime;
  const budgetOf = budgets ?? createBudgets(timer);

  const told = (action: Action, error: unknown) => {
    if (isAboutCredentials(error)) renew?.();
    return inWords(options, action, error);
  };

  return {
    options,
    timer,
    read: async (action, call) => {
      const budget = budgetOf(action);
      await budget.turn();
      try {
        const answer = await withinLimit(call());
        budget.went(wasHeldUp(answer));
        return answer;
      } catch (error) {
        budget.went(isThrottled(error) || isAnswerLost(error));
        throw told(action, error);
      }
    },
    write: async (action, call, sleep) => {
      const budget = budgetOf(action);
      // Between two attempts, too, nothing has happened.
      const wait = async (ms: number) => {
        try {
          await sleep(ms);
        } catch (error) {
          throw error instanceof StoppedError ? new UnsentError('stopped before it was sent', {cause: error}) : error;
        }
      };
      let outOfTime = false;
      for (let attempt = 0; ; attempt++) {
        await budget.turn(wait);
        try {
          const answer = await withinLimit(call());
          budget.went(false);
          return answer;
        } catch (error) {
          const throttled = isThrottled(error);
          budget.went(throttled || isAnswerLost(error));
          // Refused for its date, so nothing has happened; the SDK has set its clock by the answer.
          if (isOutOfTime(error) && !outOfTime) {
            outOfTime = true;
            continue;
          }
          const pause = backoff[attempt];
          if (throttled && pause !== undefined) {
            await wait(pause);
            continue;
          }
          if (isAnswerLost(error)) {
            throw lost(action, inBrief(error), error);
          }
          throw told(action, error);
        }
      }
    },
  };
}

function lost(action: Action, why: string, cause?: unknown): LostAnswerError {
  return new LostAnswerError(`the answer to ${action} was lost (${why})`, {means: 'It may or may not have happened.', cause});
}

/** What names what a write has made. An answer without it is not AWS's: whether the call ever got there, nobody knows. */
export function named(action: Action, name: string | undefined): string {
  if (name) return name;
  throw lost(action, 'what came says nothing');
}

/** AWS had to be asked more than once. */
export function wasHeldUp({$metadata}: Answer): boolean {
  return ($metadata.attempts ?? 1) > 1;
}

/** Milliseconds between the attempts of a throttled write; the buckets refill 1 to 5 a second (facts/aws.md). */
const backoff = [500, 1000, 2000, 4000, 8000, 8000];

/** One call with all its attempts, until the last byte of its answer. Milliseconds. */
const limit = 45_000;

async function withinLimit<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${limit / 1000} s`);
      error.name = 'TimeoutError';
      reject(error);
    }, limit);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a call finds; undefined where AWS answers with an error that says that there is none. */
export async function ifThere<T>(call: Promise<T>, ...absent: readonly string[]): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (absent.includes(errorName(error))) return undefined;
    throw error;
  }
}

/** Makes a value once, when it is first asked for; what could not be made is tried again. */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
