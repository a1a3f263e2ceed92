/**
 * The state that the screen shows, outside React (facts/ink.md 1.6): keys publish at once, a stream of events at most
 * every `pace` milliseconds, however many there are.
 */
export interface Store<S, A> {
  /** What is on the screen. Keys act on this, not on what may have happened since it was drawn. */
  readonly shown: () => S;
  /** Reduces and publishes. */
  readonly dispatch: (action: A) => void;
  /** Reduces; publishes together with what else arrives within the pace. */
  readonly feed: (action: A) => void;
  /** Publishes what has been fed. */
  readonly flush: () => void;
  /** Calls back after every publication; returns what ends that. */
  readonly subscribe: (listener: () => void) => () => void;
}

export function createStore<S, A>(reduce: (state: S, action: A) => S, initial: S, pace = 66): Store<S, A> {
  let state = initial;
  let shown = initial;
  let timer: NodeJS.Timeout | undefined;
  const listeners = new Set<() => void>();

  const publish = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (shown === state) return;
    shown = state;
    for (const listener of listeners) listener();
  };

  return {
    shown: () => shown,
    dispatch(action) {
      state = reduce(state, action);
      publish();
    },
    feed(action) {
      state = reduce(state, action);
      timer ??= setTimeout(publish, pace);
    },
    flush: publish,
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
