/** How a call that changes something waits: until its turn has come, or once more after AWS was asked too often. */
import type {Io} from '../io.ts';

/** What of the world is needed to wait. Without a job there is nobody to tell. */
export type Waiting = Pick<Io, 'clock' | 'signal'> & Partial<Pick<Io, 'log' | 'progress'>>;

/** Whoever waits for so long is told why nothing moves. Milliseconds. */
const noticeable = 3000;

/** Ends when somebody asks to stop, with nothing sent. */
export function waiting({clock, log, progress, signal}: Waiting): (ms: number) => Promise<void> {
  return ms => {
    if (ms >= noticeable) {
      const text = `waits ${Math.ceil(ms / 1000)} s for its turn: AWS takes only so many of these calls a second`;
      log?.(text);
      progress?.({text});
    }
    return clock.sleep(ms, signal);
  };
}
