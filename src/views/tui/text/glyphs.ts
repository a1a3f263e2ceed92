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
  opened: '▾',
  back: '←',
  arrow: '→',
  dot: '·',
  caret: '▏',
  rule: '─',
  divider: '│',
  branch: '├',
  lastBranch: '└',
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
  [glyphs.opened, 'v'],
  [glyphs.back, '<'],
  [glyphs.arrow, '>'],
  [glyphs.dot, '-'],
  [glyphs.caret, '_'],
  [glyphs.divider, '|'],
  [glyphs.branch, '|'],
  [glyphs.lastBranch, '`'],
  [glyphs.full, '#'],
  [glyphs.empty, '.'],
  [glyphs.ellipsis, '~'],
  [glyphs.up, '^'],
  [glyphs.down, 'v'],
  ...spinnerFrames.map((frame, index) => [frame, '|/-\\'.charAt(index % 4)] as const),
]);

const replaceable = new RegExp(`[${[...standIns.keys()].join('')}]`, 'gu');

const words = new Map<string, string>([
  [glyphs.done, 'ok'],
  [glyphs.failed, 'failed:'],
  [glyphs.here, 'here:'],
  [glyphs.open, 'to come:'],
  [glyphs.pointer, '>'],
  [glyphs.arrow, 'to'],
  [glyphs.back, 'back to'],
  [glyphs.dot, ','],
  [glyphs.ellipsis, '...'],
  ...[
    glyphs.nothing,
    glyphs.opened,
    glyphs.caret,
    glyphs.divider,
    glyphs.full,
    glyphs.empty,
    glyphs.up,
    glyphs.down,
    ...spinnerFrames,
  ].map(sign => [sign, ''] as const),
]);

const spoken = new RegExp(`[${[...words.keys()].join('')}]`, 'gu');

/** The text as somebody reads it aloud: our signs as words, or left out where they only draw. Its columns are gone. */
export function toWords(text: string): string {
  return text
    .replaceAll(`${glyphs.up}${glyphs.down}`, 'arrows')
    .replaceAll(spoken, sign => words.get(sign) ?? sign)
    .replaceAll(/ {2,}/g, '  ')
    .trimEnd();
}

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
