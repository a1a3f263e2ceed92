/** A program in a pseudo-terminal, seen through a terminal emulator: when something stands on its screen. */
import {spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

export interface Screen {
  /** Presses a key; resolves with the milliseconds until the screen `holds`. */
  press(key: string, holds: (rows: readonly string[]) => boolean): Promise<number>;
  /** Resolves with the milliseconds since the start of the program. */
  until(holds: (rows: readonly string[]) => boolean): Promise<number>;
  readonly exited: Promise<void>;
  kill(): void;
}

/** Nothing that is measured here takes longer. Milliseconds. */
const limit = 20_000;

export function openScreen(
  args: readonly string[],
  size: {readonly columns: number; readonly rows: number},
  {cwd, env}: {readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>>},
): Screen {
  const emulator = new xterm.Terminal({cols: size.columns, rows: size.rows, allowProposedApi: true});
  const watchers = new Set<() => void>();
  const begun = performance.now();
  const pty = spawn(process.execPath, [...args], {
    name: 'xterm-256color',
    cols: size.columns,
    rows: size.rows,
    cwd,
    env: {...env},
  });
  pty.onData(data => emulator.write(data, () => watchers.forEach(watcher => watcher())));
  const {promise: exited, resolve} = Promise.withResolvers<void>();
  pty.onExit(() => resolve());

  const rows = (): readonly string[] =>
    Array.from({length: emulator.rows}, (_, index) => emulator.buffer.active.getLine(index)?.translateToString(true) ?? '');
  const since = (start: number, holds: (rows: readonly string[]) => boolean): Promise<number> => {
    const {promise, resolve, reject} = Promise.withResolvers<number>();
    const timer = setTimeout(() => reject(new Error(`waited in vain; the screen shows:\n${rows().join('\n')}`)), limit);
    const look = (): void => {
      if (holds(rows())) resolve(performance.now() - start);
    };
    watchers.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      watchers.delete(look);
    });
  };
  return {
    press: (key, holds) => {
      const start = performance.now();
      pty.write(key);
      return since(start, holds);
    },
    until: holds => since(begun, holds),
    exited,
    kill: () => pty.kill('SIGKILL'),
  };
}
