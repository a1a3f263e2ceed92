/**
 * A terminal for tests: the two streams that Ink wants, and behind them a terminal emulator, so that tests read the
 * *screen*. Every frame is checked as it is drawn: see `faults`.
 */
import {EventEmitter} from 'node:events';
import xterm from '@xterm/headless';
import {expect, onTestFinished} from 'vitest';
import type {Frontend} from '../../../../src/views/frontend.ts';
import {startTui} from '../../../../src/views/tui/index.tsx';

export const smallest = {columns: 60, rows: 15};

/** What keys send. */
const sequences: Readonly<Record<string, string>> = {
  enter: '\r',
  escape: '\u001B',
  tab: '\t',
  up: '\u001B[A',
  down: '\u001B[B',
  pageup: '\u001B[5~',
  pagedown: '\u001B[6~',
  home: '\u001B[H',
  end: '\u001B[F',
  backspace: '\u007F',
  'ctrl+c': '\u0003',
  'ctrl+r': '\u0012',
  'ctrl+u': '\u0015',
  'ctrl+w': '\u0017',
  'ctrl+z': '\u001A',
  space: ' ',
};

export interface TestTerminal {
  readonly tui: Frontend;
  readonly clock: {at: number; now(): number};
  /** The rows of the screen, without the spaces at their ends. */
  rows(): string[];
  screen(): string;
  /** Waits until the screen holds the text; until it does not any more. */
  shows(text: string | RegExp): Promise<void>;
  hides(text: string | RegExp): Promise<void>;
  /** Presses keys by name; anything that is no name is typed, character by character. */
  press(...keys: readonly string[]): Promise<void>;
  /** Sends text at once, as it is. */
  send(text: string): Promise<void>;
  paste(text: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** That size for a moment, and the one before again, before anybody could see it. */
  blink(columns: number, rows: number): Promise<void>;
  /** Everything that was drawn where it must not be: wrapped lines, a used last row, a rail that has scrolled away. */
  readonly faults: string[];
  readonly bells: () => number;
  readonly title: () => string;
  /** Everything that was written, as bytes. */
  readonly written: () => string;
  readonly isRaw: () => boolean;
  readonly isOnMainScreen: () => boolean;
}

interface Options {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on the main screen before. */
  readonly before?: string;
  /** What happens at Ctrl-Z. */
  readonly suspend?: () => void;
}

export function openTerminal(options: Options = {}): TestTerminal {
  const {columns = 80, rows = 24, env = {}, before = '$ deploy-wizard\r\n^C', suspend = () => {}} = options;
  const emulator = new xterm.Terminal({cols: columns, rows, allowProposedApi: true, convertEol: true});
  emulator.write(before);
  const faults: string[] = [];
  let bells = 0;
  let isRaw = false;
  let written = '';
  let drawn: Promise<void> = Promise.resolve();
  emulator.onBell(() => {
    bells += 1;
  });
  let title = '';
  emulator.onTitleChange(text => {
    title = text;
  });

  const row = (index: number): string => emulator.buffer.active.getLine(index)?.translateToString(true) ?? '';
  const allRows = (): string[] => Array.from({length: emulator.rows}, (_, index) => row(index));
  const isOnMainScreen = (): boolean => emulator.buffer.active.type === 'normal';

  const check = (): void => {
    if (isOnMainScreen()) return;
    const last = allRows().at(-1) ?? '';
    if (last !== '') faults.push(`the last row is used at ${emulator.cols}x${emulator.rows}: ${last}`);
    for (let index = 0; index < emulator.rows; index += 1) {
      if (emulator.buffer.active.getLine(index)?.isWrapped) faults.push(`row ${index} is wrapped: ${row(index)}`);
    }
    const isRoomy = emulator.cols >= smallest.columns && emulator.rows >= smallest.rows;
    if (isRoomy && allRows().some(text => text !== '') && !row(0).startsWith(' deploy-wizard')) faults.push(`no rail: ${row(0)}`);
  };

  class Stdout extends EventEmitter {
    readonly isTTY = true;
    columns = columns;
    rows = rows;
    write(text: string, done?: () => void): boolean {
      written += text;
      drawn = new Promise(resolve => {
        emulator.write(text, () => {
          check();
          done?.();
          resolve();
        });
      });
      return true;
    }
  }

  class Stdin extends EventEmitter {
    readonly isTTY = true;
    private data: string | null = null;
    push(text: string): void {
      this.data = text;
      this.emit('readable');
    }
    read(): string | null {
      const {data} = this;
      this.data = null;
      return data;
    }
    setRawMode(on: boolean): void {
      isRaw = on;
    }
    setEncoding(): void {}
    ref(): void {}
    unref(): void {}
  }

  const stdout = new Stdout();
  const stdin = new Stdin();
  let onWindowChange = (): void => {};
  const clock = {at: Date.parse('2026-11-21T21:14:00Z'), now: () => clock.at};
  const tui = startTui({
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what Ink uses of a terminal's stream
    stdin: stdin as unknown as NodeJS.ReadStream,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what Ink uses of a terminal's stream
    stdout: stdout as unknown as NodeJS.WriteStream,
    env,
    clock,
    suspend,
    onWindowChange: listener => {
      onWindowChange = listener;
      return () => {};
    },
  });
  onTestFinished(async () => {
    // The first one may wait until somebody has read the end; the second one does not.
    await Promise.allSettled([tui.close(), tui.close()]);
    expect(faults).toEqual([]);
    // Terminals disagree on how wide what has it is (facts of string-width 8); whoever sent it.
    expect(written).not.toContain('\uFE0F');
  });

  const screen = (): string => allRows().join('\n');
  const has = (text: string | RegExp): boolean => (typeof text === 'string' ? screen().includes(text) : text.test(screen()));
  const see = async (text: string | RegExp, wanted: boolean): Promise<void> => {
    await expect.poll(() => (has(text) === wanted ? '' : screen()), {timeout: 3000, interval: 5}).toBe('');
  };
  // Effects of the last commit, such as a key handler's, have run after a turn of the event loop.
  const settle = async (): Promise<void> => {
    await new Promise(resolve => setImmediate(resolve));
    await drawn;
  };
  const send = async (text: string): Promise<void> => {
    await settle();
    stdin.push(text);
    await settle();
  };

  return {
    tui,
    clock,
    rows: allRows,
    screen,
    shows: text => see(text, true),
    hides: text => see(text, false),
    send,
    async press(...keys) {
      for (const key of keys) {
        const sequence = sequences[key];
        if (sequence !== undefined) await send(sequence);
        else for (const character of key) await send(character);
        // Escape alone is only told from the start of a sequence by the time that passes.
        if (key === 'escape') await new Promise(resolve => setTimeout(resolve, 30));
      }
    },
    paste: text => send(`\u001B[200~${text}\u001B[201~`),
    async resize(columns, rows) {
      await settle();
      emulator.resize(columns, rows);
      Object.assign(stdout, {columns, rows});
      stdout.emit('resize');
      onWindowChange();
      await settle();
    },
    async blink(columns, rows) {
      await settle();
      const before = [emulator.cols, emulator.rows] as const;
      emulator.resize(columns, rows);
      emulator.resize(...before);
      onWindowChange();
      await settle();
    },
    faults,
    bells: () => bells,
    title: () => title,
    written: () => written,
    isRaw: () => isRaw,
    isOnMainScreen,
  };
}
