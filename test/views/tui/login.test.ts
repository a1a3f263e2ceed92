/** A registry asks who somebody is, while other things go on. */
import {expect, test} from 'vitest';
import {approval, cookbookCards, planOf, tell} from './support/story.ts';
import {openTerminal, type TestTerminal} from './support/terminal.ts';

function pushing(terminal: TestTerminal, signal = new AbortController().signal) {
  const story = tell(terminal.tui, terminal.clock);
  story.started(cookbookCards, '0.7.2');
  story.jobStarted('service', 'push');
  return {story, login: terminal.tui.askLogin('registry.example.edu', signal)};
}

test('user and password are typed; the password is on no screen', async () => {
  const terminal = openTerminal();
  const {story, login} = pushing(terminal);
  await terminal.shows('? registry.example.edu asks who you are.');
  // Other things go on above it.
  story.progress('service', 'push', '3 of 7 layers', 3, 7);
  await terminal.shows('3/7');
  // Nothing typed, nothing given.
  await terminal.press('enter');
  await terminal.shows('▸ user       ▏');
  await terminal.press('jo', 'tab');
  await terminal.shows(/▸ password +▏/);
  await terminal.press('shh-not', 'up');
  await terminal.shows('▸ user       jo▏');
  await terminal.press('e', 'enter');
  await terminal.shows(/ {3}user {7}joe\n ▸ password +typed, not shown/);
  await terminal.paste('-a-word\n');
  await terminal.press('enter');
  await expect(login).resolves.toEqual({username: 'joe', password: 'shh-not-a-word'});
  await terminal.hides('asks who you are');
  expect(terminal.written()).not.toMatch(/shh|a-word/);
});

test('escape gives nothing', async () => {
  const terminal = openTerminal();
  const {login} = pushing(terminal);
  await terminal.shows('esc give nothing');
  await terminal.press('jo', 'escape');
  await expect(login).resolves.toBeUndefined();
});

test('a stop takes the question away', async () => {
  const terminal = openTerminal();
  const abort = new AbortController();
  const {login} = pushing(terminal, abort.signal);
  await terminal.shows('asks who you are');
  await terminal.press('ctrl+c');
  await terminal.shows('Stop this release?');
  await terminal.press('enter');
  await terminal.shows('asks who you are');
  abort.abort();
  await expect(login).resolves.toBeUndefined();
  await terminal.hides('asks who you are');
  await expect(terminal.tui.askLogin('registry.example.edu', abort.signal)).resolves.toBeUndefined();
});

test('two registries ask one after the other', async () => {
  const terminal = openTerminal();
  const {login} = pushing(terminal);
  const second = terminal.tui.askLogin('other.example.edu', new AbortController().signal);
  await terminal.shows('registry.example.edu asks');
  await terminal.press('escape');
  await login;
  await terminal.shows('other.example.edu asks');
  await terminal.press('jo', 'enter', 'pw', 'enter');
  await expect(second).resolves.toEqual({username: 'jo', password: 'pw'});
});

test('whoever types something else goes on with that', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(cookbookCards, '0.7.2');
  story.planned([planOf('service', [{risk: 'outage', summary: 'the instance is replaced'}])]);
  const answer = story.ask(approval);
  await terminal.shows('What would change');
  await terminal.press('enter', 'prod');
  const login = terminal.tui.askLogin('registry.example.edu', new AbortController().signal);
  await terminal.press('uction', 'enter');
  await expect(answer).resolves.toMatchObject({value: 'production'});
  await terminal.shows('asks who you are');
  await terminal.press('escape');
  await expect(login).resolves.toBeUndefined();
});

test('after the view is gone nobody waits for a login', async () => {
  const terminal = openTerminal();
  const {login} = pushing(terminal);
  login.catch(() => {});
  await terminal.shows('asks who you are');
  await terminal.tui.close();
  await expect(login).rejects.toThrow('The view is closed');
});
