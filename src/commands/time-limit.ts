/** `--timeout`: how long a run may take as a whole. Whatever it waits for, it does not wait for ever. */
import type {Clock, Command} from '../release/contract.ts';
import {duration} from '../views/words.ts';

/** How long what cannot be cut off (a Terraform that was interrupted) is waited for, before it is left to end on its own. */
const grace = 5 * 60_000;

export interface TimeLimit {
  /** The run has ended. */
  end(): void;
}

/** After `limit` milliseconds the run is stopped, as a SIGTERM would. Undefined: it takes as long as it takes. */
export function startTimeLimit(
  clock: Clock,
  limit: number | undefined,
  {request, notice}: {readonly request: (command: Command) => void; readonly notice: (text: string) => void},
): TimeLimit {
  const ended = new AbortController();
  const watch = async (limit: number): Promise<void> => {
    await clock.sleep(limit, ended.signal);
    notice(`The time limit of ${duration(limit)} (--timeout) is over: nothing new is started.`);
    request({do: 'stop', by: 'time limit'});
    await clock.sleep(grace, ended.signal);
    notice(`What runs on its own is left to itself, ${duration(grace)} after the time limit.`);
    request({do: 'detach', by: 'time limit'});
  };
  if (limit !== undefined) watch(limit).catch(() => undefined);
  return {end: () => ended.abort()};
}
