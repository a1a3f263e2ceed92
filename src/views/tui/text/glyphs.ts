/**
 * Every sign on the screen. All are one column wide in string-width 8 and in the terminals we know (facts/ink.md 1.18):
 * no emoji, no VS16. Where a terminal may not show them, each has a stand-in of the same width, put in when it is drawn.
 */
export const glyphs = {
  done: '✔',
  failed: '✖',
  here: '●',
  open: '○',
  nothing: '─',
  warned: '!',
  asked: '?',
  pointer: '▸',
  arrow: '→',
  dot: '·',
  caret: '▏',
  rule: '─',
  divider: '│',
  full: '█',
  empty: '░',
  ellipsis: '…',
  up: '↑',
  down: '↓',
} as const;

const spinnerFrames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;

export function spinner(frame: number): string {
  return spinnerFrames[frame % spinnerFrames.length] ?? glyphs.here;
}

const standIns = new Map<string, string>([
  [glyphs.done, '+'],
  [glyphs.failed, 'x'],
  [glyphs.here, '*'],
  [glyphs.open, 'o'],
  [glyphs.nothing, '-'],
  [glyphs.pointer, '>'],
  [glyphs.arrow, '>'],
  [glyphs.dot, '-'],
  [glyphs.caret, '_'],
  [glyphs.divider, '|'],
  [glyphs.full, '#'],
  [glyphs.empty, '.'],
  [glyphs.ellipsis, '~'],
  [glyphs.up, '^'],
  [glyphs.down, 'v'],
  ...spinnerFrames.map((frame, index) => [frame, '|/-\\'.charAt(index % 4)] as const),
]);

const replaceable = new RegExp(`[${[...standIns.keys()].join('')}]`, 'gu');

/** The text with our signs replaced by ASCII, column for column. What others wrote in other scripts stays. */
export function toAscii(text: string): string {
  return text.replaceAll(replaceable, sign => standIns.get(sign) ?? sign);
}

/** The rules of is-unicode-supported, which reads `process`; and the locale, where one is set. */
export function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['TERM'] === 'linux' || env['TERM'] === 'dumb') return false;
  if (env['OS'] === 'Windows_NT') {
    const terminals = ['vscode', 'Terminus-Sublime'];
    return Boolean(env['WT_SESSION']) || terminals.includes(env['TERM_PROGRAM'] ?? '') || env['TERM'] === 'xterm-256color';
  }
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return locale === '' || /utf-?8/i.test(locale);
}
