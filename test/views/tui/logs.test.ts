/** The log of one job over the whole screen: search, long lines, times, its path. */
import {expect, test} from 'vitest';
import {logBook, passCards, tell} from './support/story.ts';
import {openTerminal, type TestTerminal} from './support/terminal.ts';

async function logOf(terminal: TestTerminal, lines: readonly string[]): Promise<ReturnType<typeof logBook>> {
  const story = tell(terminal.tui, terminal.clock);
  const logs = logBook();
  terminal.tui.watchLogs(logs);
  story.started(passCards);
  story.approved();
  story.jobStarted('pass-core', 'apply');
  logs.write('pass-core.apply', ...lines);
  await terminal.shows('▸ pass-core');
  await terminal.press('o');
  await terminal.shows('following');
  return logs;
}

const many = Array.from({length: 200}, (_, index) => (index % 50 === 0 ? `Error number ${index}` : `line ${index} end`));

test('what is looked for is found, capitals or not, and goes round at the ends', async () => {
  const terminal = openTerminal();
  const logs = await logOf(terminal, many);
  await terminal.press('/', 'ERROR', 'enter');
  await terminal.shows('"ERROR" 1 of 4');
  expect(terminal.screen()).toMatch(/ esc end the search +n N next, previous .*ctrl\+c stop/);
  await terminal.shows('Error number 0');
  await terminal.press('n');
  await terminal.shows('2 of 4');
  await terminal.shows('Error number 50');
  // What arrives meanwhile moves nothing.
  const before = terminal.rows()[5];
  logs.write('pass-core.apply', 'one more line');
  await terminal.press('N', 'n');
  await terminal.shows('2 of 4');
  expect(terminal.rows()[5]).toBe(before);
  await terminal.press('N', 'N');
  await terminal.shows('4 of 4');
  await terminal.shows('Error number 150');
  // The first escape ends the search, the second one closes the log.
  await terminal.press('escape');
  await terminal.hides('4 of 4');
  await terminal.press('G');
  await terminal.shows('one more line');
  await terminal.press('/', 'nowhere', 'enter');
  await terminal.shows('nothing found');
  await terminal.press('escape', 'escape');
  await terminal.shows('▸ pass-core');
});

test('in the field of a search letters are text', async () => {
  const terminal = openTerminal();
  await logOf(terminal, ['a quick word', 'another']);
  await terminal.press('/', 'qwt');
  await terminal.shows('/qwt▏');
  await terminal.press('escape');
  await terminal.shows('following');
});

test('a long line is cut, or wrapped at a key; the newest stays at the end', async () => {
  const terminal = openTerminal();
  await logOf(terminal, [...many, `${'word '.repeat(40)}the very end`]);
  expect(terminal.screen()).not.toContain('the very end');
  await terminal.press('w');
  await terminal.shows('the very end');
  expect(terminal.screen()).toContain('line 199 end');
  await terminal.press('w');
  await terminal.hides('the very end');
});

test('times stand before the lines at a key, also in the next log', async () => {
  const terminal = openTerminal();
  await logOf(terminal, ['first', 'second']);
  expect(terminal.screen()).not.toContain('21:14:01 second');
  await terminal.press('t');
  await terminal.shows('21:14:01 second');
  expect(terminal.screen()).toContain('21:14:00 first');
  await terminal.press('escape', 'o');
  await terminal.shows('21:14:01 second');
});

test.each([80, 100, 160])('the way out is shown at %i columns', async columns => {
  const terminal = openTerminal({columns});
  await logOf(terminal, many);
  expect(terminal.screen()).toMatch(/ esc close .*\? help +ctrl\+c stop/);
});

test('its path is put into the clipboard', async () => {
  const terminal = openTerminal();
  await logOf(terminal, ['first']);
  await terminal.press('y');
  await terminal.shows('path copied');
  expect(terminal.written()).toContain(`\u001B]52;c;${Buffer.from('/var/log/pass-core.apply.log').toString('base64')}\u0007`);
});
