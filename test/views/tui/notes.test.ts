/** What is said to whoever looks, and asks nothing: hooks, and words of the program besides the events. */
import {expect, test} from 'vitest';
import type {EventOf} from '../../../src/release/events.ts';
import {approval, passCards, planOf, tell} from './support/story.ts';
import {openTerminal} from './support/terminal.ts';

const hook = (status: EventOf<'hook'>['status'], text: string) =>
  ({type: 'hook', hook: 'before apply', phase: 'apply', status, text}) as const;

test('a hook is seen while it runs; what did not work out of it stays, and is printed at the end', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(passCards);
  story.approved();
  story.emit(hook('started', './announce.sh --channel releases'));
  clock.at += 12_000;
  await terminal.shows(/\S hook before apply {2}\.\/announce\.sh --channel releases +00:12/);
  story.emit(hook('warned', 'it ended with 1'));
  await terminal.hides('announce.sh');
  await terminal.shows('! hook before apply: it ended with 1');
  story.finished('passed', 0, 'all components on 1.14.0');
  await tui.close();
  expect(terminal.isOnMainScreen()).toBe(true);
  await terminal.shows('hook before apply: it ended with 1');
});

test('what the program says besides is above what is asked, whatever is asked; and is printed once at the end', async () => {
  const {tui, clock, ...terminal} = openTerminal({columns: 60, rows: 15});
  const story = tell(tui, clock);
  story.started(passCards);
  story.planned([planOf('pass-core', [{}])]);
  const lost = 'The lock of production was taken by somebody else, and nobody knows what they do: nothing new is started.';
  tui.notice(lost);
  tui.notice(lost);
  await terminal.shows('! The lock of production');
  const answer = story.ask(approval).catch(() => undefined);
  await terminal.shows('What would change');
  await terminal.shows('! The lock of production');
  await terminal.press('ctrl+c');
  await terminal.shows('Stop this release?');
  expect(terminal.screen()).toMatch(/! The lock of production.* …\n ─+\n \? Stop/);
  expect(terminal.screen()).toContain('enter go on   s stop');
  story.finished('refused', 3, 'refused');
  await tui.close();
  await answer;
  await terminal.shows('nothing new is started.');
  expect(terminal.screen().split('The lock of production')).toHaveLength(2);
});

test('a config that has changed since is said when a run is resumed; hooks of its past are not', async () => {
  const {tui, clock, ...terminal} = openTerminal({columns: 100});
  const story = tell(tui, clock);
  const at = new Date(clock.now()).toISOString();
  story.started(passCards);
  tui.show({...hook('started', './announce.sh'), at}, true);
  tui.show({...hook('warned', 'it ended with 1'), at}, true);
  const {user, host} = {user: 'jo', host: 'laptop'};
  story.emit({type: 'run.resumed', by: {user, host}, configChanged: ['components.pass-core.topic: pass-deploy → other']});
  await terminal.shows('! The config file has changed since this run began; it goes on with the one of then:');
  await terminal.shows('components.pass-core.topic: pass-deploy → other');
  expect(terminal.screen()).not.toMatch(/hook|announce/);
});

test('read aloud, it is a line of its own', async () => {
  const {tui, clock, ...terminal} = openTerminal({env: {INK_SCREEN_READER: 'true'}, before: ''});
  const story = tell(tui, clock);
  story.started(passCards);
  tui.notice('notify: nobody was told: it answers 503');
  await terminal.shows('notify: nobody was told: it answers 503');
  await terminal.shows('ctrl+c stop');
  await tui.close();
  // What was said stays, once; keys that nobody hears any more do not.
  await terminal.hides('ctrl+c stop');
  expect(terminal.screen().split('nobody was told')).toHaveLength(2);
});
