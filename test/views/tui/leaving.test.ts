import {expect, test} from 'vitest';
import type {Command} from '../../../src/release/contract.ts';
import type {Phase} from '../../../src/release/words.ts';
import {approval, cookbookCards, passCards, planOf, survey, tell} from './support/story.ts';
import {openTerminal, type TestTerminal} from './support/terminal.ts';

function listen(terminal: TestTerminal): Command[] {
  const commands: Command[] = [];
  terminal.tui.onCommand(command => commands.push(command));
  return commands;
}

test('Ctrl-C while a release runs asks, says what stopping means, and going on is the default', async () => {
  const terminal = openTerminal();
  const commands = listen(terminal);
  const story = tell(terminal.tui, terminal.clock);
  story.started(cookbookCards, '0.7.2');
  story.approved();
  story.jobStarted('service', 'apply');
  await terminal.shows('applying');
  for (const goOn of ['enter', 'escape']) {
    await terminal.press('ctrl+c');
    await terminal.shows('? Stop this release? To go on is the default.');
    expect(terminal.screen()).toMatch(/service {2}Terraform is interrupted once .*\n.*what is destroyed stays destroyed\./);
    expect(terminal.screen()).toContain('enter go on   s stop   d detach and leave it running');
    // A second one keeps asking.
    await terminal.press('ctrl+c');
    await terminal.shows('? Stop this release?');
    await terminal.press(goOn);
    await terminal.hides('Stop this release?');
  }
  expect(commands).toEqual([]);
});

test('before the apply nothing goes on by itself, and detaching does not say so', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(cookbookCards, '0.7.2');
  story.jobStarted('service', 'build');
  await terminal.shows('building');
  await terminal.press('ctrl+c');
  await terminal.shows('d detach, to go on later');
});

test.each([
  ['s', 'stop', 'stopping…'],
  ['d', 'detach', 'detaching…'],
] as const)('%s asks the run to %s, and the rail says so until it has ended', async (key, command, word) => {
  const terminal = openTerminal();
  const commands = listen(terminal);
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.approved();
  story.jobStarted('pass-core', 'apply');
  await terminal.shows('applying');
  await terminal.press('ctrl+c', key);
  await terminal.shows(word);
  expect(commands).toEqual([{do: command, by: 'operator'}]);
  expect(terminal.screen()).not.toContain('Stop this release?');
  await terminal.press('ctrl+c');
  await terminal.shows(`It is ${word.replace('…', '')} already.`);
  await terminal.press('s', 'enter');
  await terminal.hides('already.');
  expect(commands).toHaveLength(1);
  story.finished('refused', 130, 'stopped');
  await terminal.hides(word);
});

const interrupting = {
  means: 'The old aws_instance.default is destroyed, the new one is not created: stopping leaves it down.',
  force: 'the state stays locked',
  costs: 'Terraform exits at once, and the state stays locked: `terraform force-unlock <id>`.',
};

/** Terraform applies, and says what stopping would leave now. */
async function applying(terminal: TestTerminal) {
  const story = tell(terminal.tui, terminal.clock);
  story.started(cookbookCards, '0.7.2');
  story.approved();
  story.jobStarted('service', 'apply');
  const job = {component: 'service', phase: 'apply'} as const;
  story.emit({type: 'job.progress', job, progress: {text: 'aws_instance.default: Creating...', stopping: interrupting}});
  await terminal.shows('applying');
  return story;
}

test('what stopping would leave at this moment is said first', async () => {
  const terminal = openTerminal({columns: 140});
  await applying(terminal);
  await terminal.press('ctrl+c');
  await terminal.shows(
    /service {2}The old aws_instance\.default is destroyed, the new one is not created: stopping leaves it down\./,
  );
  expect(terminal.screen()).not.toContain('interrupt it again');
});

test('a second interrupt takes the words that say what it costs; no key alone, and no second Ctrl-C', async () => {
  const terminal = openTerminal({columns: 140});
  const commands = listen(terminal);
  const story = await applying(terminal);
  await terminal.press('ctrl+c', 'i');
  await terminal.shows('Stop this release?');
  await terminal.press('s');
  await terminal.shows('stopping…');
  await terminal.press('ctrl+c');
  await terminal.shows('i interrupt it again…');
  await terminal.press('i');
  await terminal.shows('terraform force-unlock <id>');
  await terminal.shows('Type: the state stays locked');
  await terminal.press('the state', 'enter', 'ctrl+c');
  await terminal.shows('It is stopping already.');
  await terminal.press('i', 'the state stays locked');
  await terminal.shows('enter interrupt it again');
  expect(commands).toEqual([{do: 'stop', by: 'operator'}]);
  await terminal.press('enter');
  await terminal.shows('interrupted twice, ending…');
  expect(commands).toEqual([
    {do: 'stop', by: 'operator'},
    {do: 'interrupt', by: 'operator'},
  ]);
  story.finished('refused', 130, 'stopped');
});

test('where nothing would hear it, no second interrupt is offered', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.approved();
  story.jobStarted('pass-core', 'apply');
  await terminal.shows('applying');
  await terminal.press('ctrl+c', 's');
  await terminal.shows('stopping…');
  await terminal.press('ctrl+c', 'i');
  await terminal.shows('It is stopping already.');
  expect(terminal.screen()).not.toContain('interrupt it again');
});

test('a command that is given before anybody listens is not lost', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  await terminal.shows('Checking');
  await terminal.press('ctrl+c', 's');
  await terminal.shows('stopping…');
  expect(listen(terminal)).toEqual([{do: 'stop', by: 'operator'}]);
});

const meanings: readonly (readonly [Phase, string])[] = [
  ['preflight', 'Looking ends. Nothing has been changed.'],
  ['bump', 'it is undone with the release'],
  ['build', 'Nothing has left this machine.'],
  ['push', 'Layers that have arrived stay in the registry'],
  ['plan', 'Planning ends. Nothing has been changed.'],
  ['apply', 'A message that is published is out'],
  ['verify', 'whether it works is not proven'],
];

test.each(meanings)('Ctrl-C during %s says: %s', async (phase, words) => {
  const terminal = openTerminal({columns: 120, rows: 30});
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.jobStarted('pass-core', phase);
  await terminal.shows(`● ${phase}`);
  await terminal.press('ctrl+c');
  await terminal.shows(words);
});

test('Ctrl-C at a question keeps the question; what was typed is there afterwards', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.planned([planOf('pass-core', [{}])]);
  const answer = story.ask(approval);
  await terminal.shows('What would change');
  await terminal.press('enter', 'prod', 'ctrl+c');
  await terminal.shows('Nothing is running, and no environment has been touched.');
  // Keys of the question below do nothing while it is asked.
  await terminal.press('uction', 'enter');
  await terminal.shows('▸ prod▏');
  await terminal.press('uction', 'enter');
  await expect(answer).resolves.toMatchObject({value: 'production'});
});

test('a question that is withdrawn leaves the screen', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  const abort = new AbortController();
  const answer = story.ask({id: 'q1', about: 'preflight', failed: ['a']}, abort.signal);
  await terminal.shows('1 requirement is not met');
  abort.abort(new Error('stopped'));
  await expect(answer).rejects.toThrow('stopped');
  await terminal.hides('1 requirement is not met');
  await expect(story.ask({id: 'q2', about: 'preflight', failed: ['a']}, abort.signal)).rejects.toThrow('stopped');
});

test('a question rings once, unless somebody has just pressed a key', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  const first = story.ask({id: 'q1', about: 'preflight', failed: ['a']});
  await terminal.shows('not met');
  expect(terminal.bells()).toBe(1);
  await terminal.press('r');
  await first;
  terminal.clock.at += 500;
  void story.ask({id: 'q2', about: 'preflight', failed: ['a', 'b']}).catch(() => {});
  await terminal.shows('2 requirements');
  expect(terminal.bells()).toBe(1);
  terminal.clock.at += 10_000;
  void story.ask({id: 'q3', about: 'preflight', failed: ['a']}).catch(() => {});
  await expect.poll(() => terminal.bells()).toBe(2);
  // Who has not come back was called already.
  terminal.clock.at += 10_000;
  void story.ask({id: 'q4', about: 'preflight', failed: ['a', 'b', 'c']}).catch(() => {});
  terminal.tui.askLogin('registry.example.edu', new AbortController().signal).catch(() => {});
  await terminal.shows('registry.example.edu asks');
  expect(terminal.bells()).toBe(2);
});

test('the window says where the release stands, and has its own title again at the end', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  expect(terminal.written()).toContain('\u001B[22;0t');
  story.started(passCards);
  story.approved();
  story.jobStarted('pass-core', 'apply');
  await expect.poll(() => terminal.title()).toBe('pass 1.14.0 → production: apply');
  const job = {component: 'pass-core', phase: 'apply'} as const;
  const answer = story.ask({id: 'q', about: 'unknown step', job, step: 'publish', text: 'a message\u0007 titled'});
  await expect.poll(() => terminal.title()).toBe('? pass 1.14.0 → production');
  await terminal.press('a');
  await answer;
  story.finished('passed', 0, 'all verified');
  await terminal.tui.close();
  expect(terminal.title()).toBe('✔ pass 1.14.0 → production: passed');
  expect(terminal.written().split('\u001B[22;0t')).toHaveLength(2);
  expect(terminal.written().split('\u001B[23;0t')).toHaveLength(2);
});

test('a console without windows gets no title', async () => {
  const terminal = openTerminal({env: {TERM: 'linux'}});
  tell(terminal.tui, terminal.clock).started(passCards);
  await terminal.shows('Checking');
  expect(terminal.written()).not.toContain('\u001B]2;');
  expect(terminal.written()).not.toContain('\u001B[22;0t');
});

test('Ctrl-Z gives the terminal back; whoever comes back finds everything where it was', async () => {
  const seen: object[] = [];
  const suspend = (): void => {
    seen.push({raw: terminal.isRaw(), title: terminal.written().endsWith('\u001B[23;0t'), paste: terminal.written()});
  };
  const terminal = openTerminal({suspend});
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.planned([planOf('pass-core', [{}])]);
  const answer = story.ask(approval);
  await terminal.shows('What would change');
  await terminal.press('enter', 'prod');
  await terminal.shows('prod▏');
  const before = terminal.screen();
  await terminal.press('ctrl+z');
  await terminal.shows('prod▏');
  expect(seen).toEqual([{raw: false, title: true, paste: expect.stringContaining('\u001B[?1049l')}]);
  expect(terminal.isRaw()).toBe(true);
  expect(terminal.isOnMainScreen()).toBe(false);
  expect(terminal.screen()).toBe(before);
  await terminal.press('uction', 'enter');
  await expect(answer).resolves.toMatchObject({value: 'production'});
});

test('the terminal is given back: main screen, cursor, cooked, no bracketed paste', async () => {
  const terminal = openTerminal();
  void terminal.tui.choose({}, survey());
  await terminal.shows('Where does');
  expect(terminal.isRaw()).toBe(true);
  expect(terminal.isOnMainScreen()).toBe(false);
  await terminal.tui.close();
  await expect.poll(() => terminal.isOnMainScreen()).toBe(true);
  expect(terminal.isRaw()).toBe(false);
  expect(terminal.written().lastIndexOf('\u001B[?25h')).toBeGreaterThan(terminal.written().lastIndexOf('\u001B[?25l'));
  expect(terminal.written().lastIndexOf('\u001B[?2004l')).toBeGreaterThan(terminal.written().lastIndexOf('\u001B[?2004h'));
  expect(terminal.screen().trim()).toBe('$ deploy-wizard\n^C');
});

test('after it was closed nobody waits for an answer for ever', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  const open = story.ask({id: 'q1', about: 'preflight', failed: ['a']});
  open.catch(() => {});
  await terminal.shows('not met');
  await terminal.tui.close();
  await expect(open).rejects.toThrow('The view is closed');
  await expect(story.ask({id: 'q2', about: 'preflight', failed: ['a']})).rejects.toThrow('The view is closed');
  await expect(terminal.tui.choose({}, survey())).resolves.toBeUndefined();
});
