/** What signals mean for a run; Ctrl-C is one, where no view has the keyboard. */
import type {Stop} from '../release/contract.ts';
import type {RunState} from '../release/reducer.ts';
import type {Frontend} from '../views/frontend.ts';
import {whatStoppingMeans} from '../views/tui/state/stopping.ts';
import type {Context} from './context.ts';

/**
 * Turns signals into commands, until it is told to end. Where a person can be asked, Ctrl-C asks what is meant; elsewhere the first SIGINT
 * or SIGTERM stops the run, and says what that means at this moment. Nothing is ever interrupted a second time unasked.
 */
export function heedSignals(
  context: Pick<Context, 'onSignal'>,
  frontend: Pick<Frontend, 'askToStop' | 'notice'>,
  stop: Stop,
  now: () => RunState,
): () => void {
  const over = new AbortController();
  let asking = false;
  const ask = async (askToStop: NonNullable<Frontend['askToStop']>): Promise<void> => {
    // Leaning on the keys is one question.
    if (asking) return;
    asking = true;
    try {
      const command = await askToStop(() => ({run: now(), stopping: stop.command() !== undefined}), over.signal);
      if (command !== undefined) stop.request(command);
    } catch {
      // Ctrl-C at that very question has been taken for an answer.
    } finally {
      asking = false;
    }
  };
  const quiet = context.onSignal(signal => {
    const {askToStop} = frontend;
    // Where another question has the keyboard, the signal was sent by somebody else.
    if (signal === 'SIGINT' && askToStop && now().questions.length === 0) return void ask(askToStop);
    const running = [...now().jobs.values()].filter(({status}) => status === 'running');
    // A terminal that is gone is nobody's wish to stop what is being changed.
    const leaves = signal === 'SIGHUP' && running.some(({job}) => job.phase === 'apply');
    if (stop.command() !== undefined) frontend.notice('Stopping already: what cannot be cut off is waited for.');
    else {
      frontend.notice(`${signal}: nothing new is started.`);
      if (running.length > 0 && !leaves) for (const {who, what} of whatStoppingMeans(now())) frontend.notice(`${who}: ${what}`);
    }
    stop.request({do: leaves ? 'detach' : 'stop', by: signal === 'SIGHUP' ? 'SIGTERM' : signal});
  });
  return () => {
    quiet();
    over.abort();
  };
}
