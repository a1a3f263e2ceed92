/** The interactive view: one Ink application from the first question to the end of the run. */
import {render} from 'ink';
import type {Command} from '../../release/contract.ts';
import type {Answer} from '../../release/events.ts';
import type {Frontend} from '../frontend.ts';
import {App} from './app.tsx';
import {runForm} from './choosing.ts';
import {type Action, emptyModel, type Model, update} from './state/model.ts';
import {createStore, type Store} from './store.ts';
import {showsUnicode} from './text/glyphs.ts';
import {needsReading} from './text/words.ts';

export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: {now(): number};
}

/** Somebody who pressed a key this recently does not have to be called. */
const attentive = 3000;

/** A question that `ask` waits with. */
interface Asking {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Takes over the terminal until `close`. Both streams have to be terminals: who decides that, decides it before
 * (facts/ink.md fact 1). When drawing fails, the terminal is given back, and whoever asks or closes hears why.
 */
export function startTui({stdin, stdout, env, clock}: Terminal): Frontend {
  const store = createStore<Model, Action>(update, emptyModel);
  const asking = new Map<string, Asking>();
  const commands: Command[] = [];
  let listener: ((command: Command) => void) | undefined;
  let lastKeyAt = -Infinity;

  const act = (action: Action): void => {
    lastKeyAt = clock.now();
    store.dispatch(action);
    if (action.do === 'answer') asking.get(action.id)?.resolve({value: action.value, by: 'operator'});
    if (action.do === 'command') command({do: action.command, by: 'operator'});
  };
  const command = (given: Command): void => {
    if (listener === undefined) commands.push(given);
    else listener(given);
  };

  const isReader = env['INK_SCREEN_READER'] === 'true';
  const app = render(<App store={store} act={act} now={() => clock.now()} ascii={!showsUnicode(env)} />, {
    stdin,
    stdout,
    interactive: true,
    alternateScreen: !isReader,
    isScreenReaderEnabled: isReader,
    exitOnCtrlC: false,
    incrementalRendering: true,
    patchConsole: false,
    maxFps: 30,
  });
  const exited = app.waitUntilExit();
  exited.catch((error: unknown) => {
    for (const {reject} of asking.values()) reject(error);
  });

  return {
    choose: (flags, survey) => Promise.race([runForm(store, flags, survey), exited.then(() => undefined)]),

    operator: {
      async ask(question, signal) {
        signal.throwIfAborted();
        const {promise, resolve, reject} = Promise.withResolvers<Answer>();
        const withdraw = (): void => reject(signal.reason);
        signal.addEventListener('abort', withdraw, {once: true});
        asking.set(question.id, {resolve, reject});
        store.dispatch({do: 'asked', question});
        if (clock.now() - lastKeyAt > attentive) stdout.write('\u0007');
        try {
          return await promise;
        } finally {
          signal.removeEventListener('abort', withdraw);
          asking.delete(question.id);
          store.dispatch({do: 'withdrawn', id: question.id});
        }
      },
    },

    onCommand(added) {
      listener = added;
      for (const given of commands.splice(0)) added(given);
    },

    show: event => store.feed({do: 'event', event}),

    watchLogs: logs => store.dispatch({do: 'logs', logs}),

    async close() {
      store.flush();
      if (needsReading(store.shown().run.finished?.outcome)) await Promise.race([whenLeft(store), exited]);
      app.unmount();
      await exited;
    },
  };
}

/** Resolves when the operator has read the end. */
function whenLeft({shown, subscribe}: Store<Model, Action>): Promise<void> {
  return new Promise(resolve => {
    const check = (): void => {
      if (!shown().left) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = subscribe(check);
    check();
  });
}
