/**
 * Which colours a terminal is sent. Its own green, cyan and yellow are made for a dark background, and cannot be read on a
 * light one; and no terminal says reliably which it has. So where there are 256 colours, ours are of a middle brightness, which
 * stands out against black and white alike; where there are 16, they are the terminal's own.
 */
import type {Colour} from './line.ts';

export type Palette = Readonly<Record<Colour, string>>;

/** Numbers of the 256 colours; their values and contrasts are in test/views/tui/palette.test.ts. */
export const middle: Palette = {cyan: 'ansi256(31)', green: 'ansi256(28)', yellow: 'ansi256(130)', red: 'ansi256(160)'};

export const sixteen: Palette = {cyan: 'cyan', green: 'green', yellow: 'yellow', red: 'red'};

/** By the same signs as chalk, which sends them. */
export function paletteFor(env: Readonly<Record<string, string | undefined>>): Palette {
  const {FORCE_COLOR: forced, COLORTERM: colours = '', TERM: terminal = ''} = env;
  if (forced !== undefined && /^[123]$/.test(forced)) return forced === '1' ? sixteen : middle;
  return /truecolor|24bit/.test(colours) || /-(?:256(?:color)?|direct|kitty|ghostty)$/.test(terminal) ? middle : sixteen;
}
