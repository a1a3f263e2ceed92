/**
 * The built program as somebody sees it: in a pseudo-terminal, whose output goes through a terminal emulator. Every frame is
 * checked as it is drawn: see `faults`.
 */
import {type IPty, spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';
import {expect, onTestFinished} from 'vitest';
import {type ProgramEnv, compiled, launcher} from './program.ts';

/** Below this the wizard asks for more room. */
const smallest = {columns: 60, rows: 15};

const limitMs = 60_000;

/** What keys send. */
const sequences: Readonly<Record<string, string>> = {
  enter: '\r',
  escape: '\u001B',
  tab: '\t',
  space: ' ',
  up: '\u001B[A',
  down: '\u001B[B',
  'ctrl+c': '\u0003',
  'ctrl+d': '\u0004',
  'ctrl+u': '\u0015',
  'ctrl+z': '\u001A',
};

/** What a shell with job control does, as far as a test can wait for it. */
const suspending =
  'set -m; "$@"; code=$?; while test $code = 148; do stty -a; echo "suspended"; read word; fg; code=$?; done; stty -a; exit $code';

/** A terminal in which a shell works: lines are edited, what is typed is shown, Ctrl-C is a signal. As `stty -a` says it. */
const cooked = ['isig', 'icanon', 'echo', 'icrnl', 'opost', 'onlcr'];

export interface WizardOptions {
  readonly cwd: string;
  /** Complete: nothing is inherited. TERM is `xterm-256color` unless told. */
  readonly env: ProgramEnv;
  readonly columns?: number;
  readonly rows?: number;
  /**
   * Started by a shell, which then says how the terminal is set (`stty -a`): it must be as before. With job control it does so after Ctrl-Z as well, and
   * goes on with the program when it is told `fg`.
   */
  readonly fromShell?: boolean | 'with job control';
}

export interface Left {
  /** As a shell has it: 128 + the signal's number for a process that a signal ended. */
  readonly exitCode: number;
  readonly signal: number | undefined;
}

export interface WizardTerminal {
  readonly pid: number;
  readonly exited: Promise<Left>;
  /** The rows of the screen, without the spaces at their ends. */
  screen(): string;
  /** Everything on the main screen, from the first line that scrolled away to the last one; wrapped lines are whole. */
  scrollback(): string;
  /** Everything that was printed, control sequences included. */
  printed(): string;
  isOnMainScreen(): boolean;
  /** Waits until the screen (the main one: with its scrollback) holds the text. */
  waitFor(text: string | RegExp, limit?: number): Promise<void>;
  waitUntilGone(text: string | RegExp): Promise<void>;
  /** A key by its name; anything else is typed, at once. Wait for what it does before the next one. */
  press(key: string): void;
  /** Makes the terminal another size; resolves when the screen has been drawn in it. */
  resize(columns: number, rows: number): Promise<void>;
  /** Another size, and another, with no time to draw; resolves when the screen has been drawn in the last one. */
  storm(sizes: readonly (readonly [columns: number, rows: number])[]): Promise<void>;
  kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): void;
  /** Closes the window: the program's terminal is gone. */
  hangUp(): void;
  /** Frames on the alternate screen that were completed so far. */
  frames(): number;
  /** What was drawn where it must not be: a wrapped line, a used last row, a screen that has scrolled, a lost top. */
  readonly faults: readonly string[];
}

/** Runs `deploy-wizard …args` in a terminal of 80 × 24 unless told. When the test ends, it must have been drawn without faults. */
export function openWizard(args: readonly string[], options: WizardOptions): WizardTerminal {
  const {cwd, env, columns = 80, rows = 24, fromShell = false} = options;
  const program = [process.execPath, launcher, ...args];
  const script = fromShell === 'with job control' ? suspending : '"$@"; code=$?; stty -a; exit $code';
  const [file = '', ...rest] = fromShell ? ['/bin/bash', '-c', script, 'bash', ...program] : program;
  const emulator = new xterm.Terminal({cols: columns, rows, allowProposedApi: true, scrollback: 5000});
  const pty: IPty = spawn(file, rest, {
    name: env['TERM'] ?? 'xterm-256color',
    cols: columns,
    rows,
    cwd,
    env: {...compiled, ...env, TERM: env['TERM'] ?? 'xterm-256color'},
  });

  const faults: string[] = [];
  const watchers = new Set<() => void>();
  let printed = '';
  let frames = 0;
  /** Something was drawn since the program went to the alternate screen. */
  let isDrawn = false;
  let left: Left | undefined;
  // After a change of size, until the program has drawn in the new one: what it had drawn before lies where it may.
  let settling: 'no' | 'until cleared' | 'until drawn' = 'no';

  const isOnMainScreen = (): boolean => emulator.buffer.active.type === 'normal';
  const linesOf = (buffer: typeof emulator.buffer.active, from: number): string[] =>
    Array.from({length: buffer.length - from}, (_, index) => buffer.getLine(from + index)?.translateToString(true) ?? '');
  const shownRows = (): string[] => linesOf(emulator.buffer.active, emulator.buffer.active.baseY);
  const screen = (): string => shownRows().join('\n');
  const scrollback = (): string => {
    const {normal} = emulator.buffer;
    return linesOf(normal, 0)
      .map((line, index) => (index > 0 && !normal.getLine(index)?.isWrapped ? `\n${line}` : line))
      .join('')
      .trimEnd();
  };

  const fault = (what: string): void => {
    if (settling === 'no' && faults.length < 20)
      faults.push(`${what} at ${emulator.cols}x${emulator.rows}, frame ${frames}:\n${screen()}`);
  };
  const isRoomy = (): boolean => emulator.cols >= smallest.columns && emulator.rows >= smallest.rows;
  const fits = (): boolean => {
    const all = shownRows();
    if (!isRoomy()) return (all[0] ?? '').includes(`has ${emulator.cols}x${emulator.rows}`);
    return (all[0] ?? '').startsWith(' deploy-wizard') && (all.at(-2) ?? '').includes('ctrl+c') && all.at(-1) === '';
  };
  const onFrame = (): void => {
    if (isOnMainScreen()) return;
    if (settling === 'until drawn' && fits()) settling = 'no';
    frames += 1;
    isDrawn = true;
    const all = shownRows();
    if (all.at(-1) !== '') fault('the last row is used');
    if (all.some((_, index) => emulator.buffer.active.getLine(index)?.isWrapped)) fault('a line is wrapped');
    const isEmpty = all.every(row => row === '');
    if (isRoomy() && !isEmpty && !(all[0] ?? '').startsWith(' deploy-wizard')) fault('the top is lost');
  };

  emulator.onScroll(() => {
    // The switch to the alternate screen counts as one, before anything is drawn.
    if (!isOnMainScreen() && isDrawn) fault('the screen has scrolled');
  });
  const modes = {alternate: false, cursor: true};
  const onMode = (params: (number | number[])[], on: boolean): boolean => {
    if (params.includes(1049)) {
      modes.alternate = on;
      isDrawn = false;
    }
    if (params.includes(25)) modes.cursor = on;
    // Ink ends a synchronized update with each frame.
    if (params.includes(2026) && !on) onFrame();
    return false;
  };
  emulator.parser.registerCsiHandler({prefix: '?', final: 'h'}, params => onMode(params, true));
  emulator.parser.registerCsiHandler({prefix: '?', final: 'l'}, params => onMode(params, false));
  emulator.parser.registerCsiHandler({final: 'J'}, params => {
    if (settling === 'until cleared' && params[0] === 2) settling = 'until drawn';
    return false;
  });

  const tell = (): void => {
    for (const watcher of watchers) watcher();
  };
  pty.onData(data => {
    printed += data;
    emulator.write(data, tell);
  });
  const {promise: exited, resolve: onExited} = Promise.withResolvers<Left>();
  pty.onExit(({exitCode, signal}) => {
    // What it has printed last may still be on its way through the emulator.
    emulator.write('', () => {
      left = {exitCode: signal ? 128 + signal : exitCode, signal: signal || undefined};
      onExited(left);
      tell();
    });
  });

  const until = (holds: () => boolean, what: () => string, limit = limitMs): Promise<void> => {
    const {promise, resolve, reject} = Promise.withResolvers<void>();
    const fail = (why: string): void =>
      reject(new Error(`${why} ${what()}. The terminal shows:\n${scrollback()}\n${'='.repeat(emulator.cols)}\n${screen()}`));
    const timer = setTimeout(() => fail(`Waited ${limit} ms in vain for`), limit);
    const look = (): void => {
      if (holds()) resolve();
      else if (left !== undefined) fail(`The program ended (${left.exitCode}) before`);
    };
    watchers.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      watchers.delete(look);
    });
  };
  const shows = (text: string | RegExp): boolean => {
    const where = isOnMainScreen() ? scrollback() : screen();
    return typeof text === 'string' ? where.includes(text) : text.test(where);
  };
  const change = (columns: number, rows: number): void => {
    settling = 'until cleared';
    emulator.resize(columns, rows);
    pty.resize(columns, rows);
  };
  const redrawn = (): Promise<void> =>
    until(
      () => settling === 'no',
      () => 'a frame in the new size',
    );

  onTestFinished(async () => {
    if (left === undefined) {
      try {
        process.kill(pty.pid, 'SIGKILL');
        await exited;
      } catch {
        // It has just ended by itself, or its terminal was closed.
      }
    }
    emulator.dispose();
    expect(faults).toEqual([]);
    expect(printed).not.toContain('\uFE0F');
  });

  const givenBack = exited.then(result => {
    expect(modes, 'the terminal is given back').toEqual({alternate: false, cursor: true});
    const titles = (operation: string) => printed.split(`\u001B[${operation};0t`).length;
    expect(titles('23'), 'the window has its own title again').toBe(titles('22'));
    expect(emulator.modes).toMatchObject({
      bracketedPasteMode: false,
      mouseTrackingMode: 'none',
      applicationCursorKeysMode: false,
      sendFocusMode: false,
      synchronizedOutputMode: false,
    });
    // What a shell says of it, once it is its own again.
    if (fromShell) expect(scrollback().split(/[\s;]+/)).toEqual(expect.arrayContaining(cooked));
    return result;
  });
  // Not every test waits for the end.
  givenBack.catch(() => {});

  return {
    pid: pty.pid,
    exited: givenBack,
    screen,
    scrollback,
    printed: () => printed,
    isOnMainScreen,
    waitFor: (text, limit) =>
      until(
        () => shows(text),
        () => `${String(text)} to be shown`,
        limit,
      ),
    waitUntilGone: text =>
      until(
        () => !shows(text),
        () => `${String(text)} to be gone`,
      ),
    press: key => pty.write(sequences[key] ?? key),
    resize(columns, rows) {
      change(columns, rows);
      return redrawn();
    },
    storm(sizes) {
      for (const [columns, rows] of sizes) change(columns, rows);
      return redrawn();
    },
    kill: signal => process.kill(pty.pid, signal),
    hangUp: () => {
      if (!('destroy' in pty) || typeof pty.destroy !== 'function') throw new Error('This node-pty cannot close its terminal.');
      pty.destroy();
    },
    frames: () => frames,
    faults,
  };
}
