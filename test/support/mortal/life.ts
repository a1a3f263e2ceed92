/** How long a process in this process lives. */

export interface Life {
  over(): boolean;
  end(): void;
  atEnd(what: () => void): void;
  readonly gone: Promise<void>;
  /** What the process waits for comes to it only while it lives. */
  live<T>(work: () => Promise<T>): Promise<T>;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export function startLife(): Life {
  let over = false;
  const {promise: gone, resolve} = Promise.withResolvers<void>();
  const last: (() => void)[] = [];
  return {
    over: () => over,
    end: () => {
      if (over) return;
      over = true;
      last.forEach(what => what());
      resolve();
    },
    atEnd: what => void last.push(what),
    gone,
    live: async work => {
      if (over) return never();
      const settled = await work().then(
        value => ({value}),
        (error: unknown) => ({error}),
      );
      if (over) return never();
      if ('error' in settled) throw settled.error;
      return settled.value;
    },
  };
}
