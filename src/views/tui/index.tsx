/** The interactive view: one Ink application from the first question to the end of the run. */
import {render} from 'ink';
import type {ReactNode} from 'react';
import type {Command} from '../../release/contract.ts';
import type {Answer} from '../../release/events.ts';
import type {Frontend} from '../frontend.ts';
import {linesView} from '../lines.ts';
import {linesFor} from '../words.ts';
import {App, type GiveTerminal} from './app.tsx';
import {runForm} from './choosing.ts';
import {redraw} from './redraw.ts';
import type {Size} from './scene.ts';
import {type Action, emptyModel, type Model, update} from './state/model.ts';
import {createStore, type Store} from './store.ts';
import {showsUnicode} from './text/glyphs.ts';
import {paletteFor} from './text/palette.ts';
import {needsReading} from './text/words.ts';
import {createTitle, titleOf} from './title.ts';

export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: {now(): number};
  /** Stops this process until the shell goes on with it. */
  readonly suspend: () => void;
  /** Calls the listener whenever the window was changed, also where its size is in the end what it was. */
  onWindowChange(listener: () => void): () => void;
}

type GivenLogin = NonNullable<Awaited<ReturnType<Frontend['askLogin']>>>;

/** Somebody who pressed a key this recently does not have to be called. */
const attentive = 3000;

/**
 * Takes over the terminal until `close`. Both streams have to be terminals: who decides that, decides it before
 * (facts/ink.md fact 1). When drawing fails, the terminal is given back, and whoever asks or closes hears why.
 */
export function startTui({stdin, stdout, env, clock, suspend, onWindowChange}: Terminal): Frontend {
  const isReader = env['INK_SCREEN_READER'] === 'true';
  const ascii = !showsUnicode(env);
  const palette = paletteFor(env);
  const store = createStore<Model, Action>(update, {...emptyModel, said: isReader ? [] : undefined});
  const asking = new Map<string, (answer: Answer) => void>();
  const commands: Command[] = [];
  let listener: ((command: Command) => void) | undefined;
  const loggingIn = new Map<string, (login: GivenLogin | undefined) => void>();
  let lastKeyAt = -Infinity;
  let hasRung = false;

  const act = (action: Action, giveTerminal: GiveTerminal): void => {
    lastKeyAt = clock.now();
    hasRung = false;
    store.dispatch(action);
    if (action.do === 'answer') {
      const {id, value, because} = action;
      asking.get(id)?.({value, by: 'operator', ...(because !== undefined && {because})});
    }
    if (action.do === 'login given') loggingIn.get(action.id)?.(action.answer);
    if (action.do === 'command') command({do: action.command, by: 'operator'});
    if (action.do === 'copy') stdout.write(`\u001B]52;c;${Buffer.from(action.text).toString('base64')}\u0007`);
    if (action.do === 'suspend') void leaveFor(giveTerminal);
  };
  const command = (given: Command): void => {
    if (listener === undefined) commands.push(given);
    else listener(given);
  };

  /** Calls somebody who has looked away, once. */
  const ring = (): void => {
    if (hasRung || clock.now() - lastKeyAt <= attentive) return;
    hasRung = true;
    stdout.write('\u0007');
  };

  const title = createTitle(text => stdout.write(text), env, ascii);
  const showTitle = (): void => title.show(titleOf(store.shown()));
  /** Gives the terminal to the shell, until that goes on with this process. */
  const leaveFor = async (giveTerminal: GiveTerminal): Promise<void> => {
    await giveTerminal(async () => {
      title.restore();
      suspend();
      // Ink draws where the cursor is: on the alternate screen, but in the place that it has on the main one.
      if (!isReader) stdout.write('\u001B[?1049h\u001B[2J\u001B[H');
    });
    showTitle();
    if (!isReader) redraw(app, view(), stdout);
  };

  const view = (): ReactNode => (
    <App
      store={store}
      act={act}
      onGone={title.restore}
      now={() => clock.now()}
      ascii={ascii}
      palette={palette}
      size={sizeOf(stdout)}
    />
  );
  const saying = linesView(env, false);
  const plain = linesFor(env);
  const print = (text: string) => stdout.write(`${plain(text).join('\n')}\n`);
  // Before `render`: this has to come before Ink's own listener.
  let isRedrawn = false;
  const onResize = (): void => {
    isRedrawn = true;
    redraw(app, view(), stdout);
  };
  if (!isReader) stdout.on('resize', onResize);
  // A window that was small for a moment has lost lines, and Node tells nobody of a size that is what it was.
  const unwatched = onWindowChange(() => {
    if (!isRedrawn && !isReader) redraw(app, view(), stdout);
    isRedrawn = false;
  });
  // The first frame of the alternate screen is drawn like one after a resize: from its top left corner. Entering that
  // screen leaves the cursor where it was on the main one, and Ink would begin there.
  const app = render(isReader ? view() : null, {
    stdin,
    stdout,
    interactive: true,
    alternateScreen: !isReader,
    isScreenReaderEnabled: isReader,
    exitOnCtrlC: false,
    incrementalRendering: true,
    patchConsole: false,
    // What moves by itself is paced already; a key is not to wait for it.
    maxFps: 60,
  });
  // In the next turn: what comes first is known by then, and is drawn alone.
  const first = setImmediate(() => isReader || redraw(app, view(), stdout));
  const untitled = store.subscribe(showTitle);
  showTitle();
  const exited = app.waitUntilExit();
  // Where the very first frame cannot be drawn, nothing was there that could go.
  exited.catch(title.restore);
  // Nobody answers once the view is gone, whether it was closed or could not draw.
  const gone = exited.then(() => Promise.reject(new Error('The view is closed: nobody can answer here.')));
  gone.catch(() => {});
  let isClosing = false;
  let isClosed = false;
  let logins = 0;

  return {
    choose: (flags, survey) =>
      Promise.race([runForm(store, flags, survey, app.waitUntilRenderFlush), exited.then(() => undefined)]),

    operator: {
      async ask(question, signal) {
        signal.throwIfAborted();
        const {promise, resolve, reject} = Promise.withResolvers<Answer>();
        const withdraw = (): void => reject(signal.reason);
        signal.addEventListener('abort', withdraw, {once: true});
        asking.set(question.id, resolve);
        store.dispatch({do: 'asked', question});
        ring();
        try {
          return await Promise.race([promise, gone]);
        } finally {
          signal.removeEventListener('abort', withdraw);
          asking.delete(question.id);
          store.dispatch({do: 'withdrawn', id: question.id});
        }
      },
    },

    async askLogin(host, signal) {
      if (signal.aborted) return undefined;
      const id = `login ${(logins += 1)}`;
      const {promise, resolve} = Promise.withResolvers<GivenLogin | undefined>();
      const withdraw = (): void => resolve(undefined);
      signal.addEventListener('abort', withdraw, {once: true});
      loggingIn.set(id, resolve);
      store.dispatch({do: 'login asked', id, host});
      ring();
      try {
        return await Promise.race([promise, gone]);
      } finally {
        signal.removeEventListener('abort', withdraw);
        loggingIn.delete(id);
        store.dispatch({do: 'login given', id, answer: undefined});
      }
    },

    onCommand(added) {
      listener = added;
      for (const given of commands.splice(0)) added(given);
    },

    show(event, past = false) {
      // What a hook said then is over.
      if (past && event.type === 'hook') return;
      store.feed({do: 'event', event});
      if (isReader && !past) store.feed({do: 'said', lines: saying(event)});
    },

    notice(text) {
      if (isClosed) print(text);
      else if (isReader) store.feed({do: 'said', lines: plain(text)});
      else store.feed({do: 'noticed', text});
    },

    watchLogs: logs => store.dispatch({do: 'logs', logs}),

    async close() {
      store.flush();
      // A second call does not wait: whoever calls again has a reason to.
      const {run, commanded} = store.shown();
      const waits = !isClosing && commanded === undefined && needsReading(run.finished?.outcome);
      isClosing = true;
      if (waits) {
        ring();
        await Promise.race([whenLeft(store), exited]);
      }
      clearImmediate(first);
      stdout.off('resize', onResize);
      unwatched();
      untitled();
      // Keys that nobody hears any more are not left standing there. What is still to be drawn is drawn first: it would be taken away.
      if (isReader) {
        await app.waitUntilRenderFlush();
        app.clear();
      }
      app.unmount();
      await exited;
      store.flush();
      // What was said there is gone with that screen.
      if (!isClosed) new Set(store.shown().notices).forEach(text => print(text));
      isClosed = true;
    },
  };
}

function sizeOf({columns, rows}: NodeJS.WriteStream): Size {
  return {columns: columns || 80, rows: rows || 24};
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
