import {expect, test} from 'vitest';
import type {ComponentCard, KnownVersion} from '../../../src/release/form.ts';
import {deferred, passCards, survey} from './support/story.ts';
import {openTerminal} from './support/terminal.ts';

test('an operator chooses environment, version and components', async () => {
  const terminal = openTerminal();
  const choice = terminal.tui.choose({}, survey());

  await terminal.shows('Where does this release go?');
  expect(terminal.screen()).toContain('● environment');
  expect(terminal.screen()).toMatch(/staging .* 1\.14\.0 {2}✖ failed 2 h ago by ci/);
  expect(terminal.screen()).toMatch(/production .* 1\.13\.2 {2}✔ passed 12 d ago by operator-2/);
  expect(terminal.screen()).toContain('no release on record');
  await terminal.press('j', 'down', 'enter');

  await terminal.shows('Which version?');
  await terminal.shows('✔ environment  ● version');
  await terminal.shows('▸ 1.14.0');
  expect(terminal.screen()).toContain('2 of 3 components would change');
  await terminal.press('enter');

  await terminal.shows('What goes along?');
  expect(terminal.screen()).toContain('pass 1.14.0 → production');
  expect(terminal.screen()).toContain('3 of 3 chosen');
  expect(terminal.screen()).toMatch(/\[x\] ├ deposit-services {2}ECS service {5}1\.13\.2 → 1\.14\.0 {2}after pass-core/);
  expect(terminal.screen()).toMatch(/\[x\] └ journal-loader .* 1\.14\.0 +already there/);
  await terminal.press('G', 'space', 'enter');

  await expect(choice).resolves.toEqual({
    environment: 'production',
    version: '1.14.0',
    components: ['pass-core', 'deposit-services'],
  });
});

test('what the flags have answered is not asked', async () => {
  const terminal = openTerminal();
  const choice = terminal.tui.choose({environment: 'production', components: ['pass-core']}, survey());
  await terminal.shows('Which version?');
  await terminal.shows('▸ 1.14.0');
  expect(terminal.screen()).toContain('✔ environment  ● version  ✔ components');
  expect(terminal.screen()).toContain('1 of 1 component would change');
  expect(terminal.screen()).not.toContain('esc back');
  await terminal.press('escape', 'down', 'enter');
  await expect(choice).resolves.toEqual({environment: 'production', version: '1.13.3', components: ['pass-core']});
});

test('going back loses nothing, and does not look again', async () => {
  const looks: string[] = [];
  const terminal = openTerminal();
  const world = survey();
  const choice = terminal.tui.choose(
    {},
    survey(passCards, {
      look: (environment, signal, found) => {
        looks.push(environment);
        return world.look(environment, signal, found);
      },
    }),
  );
  await terminal.shows('Where does');
  await terminal.press('3', 'enter');
  await terminal.shows('▸ 1.14.0');
  await terminal.press('2.0.0', 'enter');
  await terminal.shows('What goes along?');
  await terminal.press('j', 'space', 'escape');
  await terminal.shows('▸ other   2.0.0');
  await terminal.press('escape');
  await terminal.shows('▸ production');
  await terminal.press('enter', 'enter');
  await terminal.shows('[ ] ├ deposit-services');
  expect(terminal.screen()).toContain('2 of 3 chosen');
  await terminal.press('enter');
  await expect(choice).resolves.toEqual({
    environment: 'production',
    version: '2.0.0',
    components: ['pass-core', 'journal-loader'],
  });
  expect(looks).toEqual(['production']);
});

test('what runs there streams in while it is looked at', async () => {
  const all = deferred<readonly ComponentCard[]>();
  let found: ((card: ComponentCard) => void) | undefined;
  const terminal = openTerminal();
  const choice = terminal.tui.choose(
    {environment: 'production'},
    survey(passCards, {
      look: (_environment, _signal, callback) => {
        found = callback;
        return all.promise;
      },
    }),
  );
  await terminal.shows('looking at what runs there…');
  found?.({id: 'pass-core', kind: 'sns-trigger', needs: [], version: '1.13.2'});
  await terminal.shows(/pass-core {2}SNS trigger {5}1\.13\.2/);
  expect(terminal.screen()).not.toContain('deposit-services');

  // A version can be typed meanwhile, but not chosen before it is known what it would mean.
  await terminal.press('1.13.1', 'enter');
  await terminal.shows('▸ other  1.13.1');
  all.resolve(passCards);
  await terminal.shows('a downgrade for pass-core, deposit-services, journal-loader');
  expect(terminal.screen()).toContain('▸ other');
  await terminal.press('enter');
  await terminal.shows('What goes along?');
  await terminal.press('enter');
  await expect(choice).resolves.toMatchObject({version: '1.13.1'});
});

test('a component that cannot be looked at says why and what to do; it can be looked at again', async () => {
  let looks = 0;
  const terminal = openTerminal();
  void terminal.tui.choose(
    {environment: 'production'},
    survey(passCards, {
      look: () => {
        looks += 1;
        const problem = {what: 'no credentials', next: ['run: chopaws --profile prod']};
        return Promise.resolve(looks === 1 ? [{id: 'pass-core', kind: 'sns-trigger', needs: [], problem}] : passCards);
      },
    }),
  );
  await terminal.shows('✖ no credentials');
  await terminal.shows('next: run: chopaws --profile prod');
  await terminal.press('r');
  await terminal.hides('no credentials');
  await terminal.shows('deposit-services');
  // The same while a version is typed.
  await terminal.press('1', 'ctrl+r');
  await expect.poll(() => looks).toBe(3);
});

test('an environment that is left while it is looked at is not looked at any longer', async () => {
  const signals: AbortSignal[] = [];
  const terminal = openTerminal();
  const choice = terminal.tui.choose(
    {},
    survey(passCards, {
      look: (_environment, signal) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    }),
  );
  await terminal.shows('Where does');
  await terminal.press('1', 'enter');
  await terminal.shows('Which version?');
  await terminal.press('escape', '2', 'enter');
  await terminal.shows('pass → staging');
  await expect.poll(() => signals.map(signal => signal.aborted)).toEqual([true, false]);
  await terminal.press('ctrl+c');
  await expect(choice).resolves.toBeUndefined();
  expect(signals.map(signal => signal.aborted)).toEqual([true, true]);
});

test('a version is judged as it is typed', async () => {
  const terminal = openTerminal();
  void terminal.tui.choose({environment: 'production'}, survey());
  await terminal.shows('▸ 1.14.0');
  await terminal.press('1.x');
  await terminal.shows('✖ "1.x" is not a version');
  await terminal.press('enter');
  expect(terminal.screen()).toContain('Which version?');
  await terminal.press('backspace', '13.0');
  await terminal.shows('! a downgrade for pass-core, deposit-services, journal-loader');
  await terminal.press('ctrl+u');
  await terminal.shows('such as 1.14.0, 1.14.0-RC1');
  // Suggestions that go down are marked, too.
  expect(terminal.screen()).toMatch(/1\.13\.1 {2}the one before, downgrade/);
});

test('a pasted version loses its line end and does not submit itself', async () => {
  const terminal = openTerminal();
  void terminal.tui.choose({environment: 'production'}, survey());
  await terminal.shows('▸ 1.14.0');
  await terminal.paste('1.15.0\r\n');
  await terminal.shows('▸ other   1.15.0');
  // The same from a terminal without bracketed paste.
  await terminal.press('ctrl+u');
  await terminal.send('1.16.0\r');
  await terminal.shows('▸ other   1.16.0');
  expect(terminal.screen()).toContain('Which version?');
});

test('components: all, none, invert; nothing chosen cannot go on; missing needs are said', async () => {
  const terminal = openTerminal();
  const choice = terminal.tui.choose({environment: 'production', version: '1.14.0'}, survey());
  await terminal.shows('3 of 3 chosen');
  await terminal.press('n');
  await terminal.shows('0 of 3 chosen');
  await terminal.press('enter');
  await terminal.shows('Nothing is chosen: choose at least one.');
  await terminal.press('2', 'space');
  await terminal.shows('1 of 3 chosen');
  expect(terminal.screen()).toMatch(/\[x\] ├ deposit-services .* needs pass-core/);
  expect(terminal.screen()).toContain('pass-core is needed but not chosen');
  await terminal.press('i');
  await terminal.shows('2 of 3 chosen');
  expect(terminal.screen()).toMatch(/\[ \] ├ deposit-services/);
  await terminal.press('a');
  await terminal.shows('3 of 3 chosen');
  await terminal.press('enter');
  await expect(choice).resolves.toMatchObject({components: ['pass-core', 'deposit-services', 'journal-loader']});
});

test.each(['Where does', 'Which version?', 'What goes along?'])('Ctrl-C at "%s" gives up at once', async screen => {
  const terminal = openTerminal();
  const choice = terminal.tui.choose({}, survey());
  await terminal.shows('Where does');
  if (screen !== 'Where does') {
    await terminal.press('enter');
    await terminal.shows('▸ 1.14.0');
    if (screen !== 'Which version?') await terminal.press('enter');
  }
  await terminal.shows(screen);
  await terminal.press('ctrl+c');
  await expect(choice).resolves.toBeUndefined();
});

test('the help page lists the keys of the screen below, from the same table', async () => {
  const terminal = openTerminal();
  void terminal.tui.choose({environment: 'production', version: '1.14.0'}, survey());
  await terminal.shows('What goes along?');
  await terminal.press('?');
  await terminal.shows('Keys');
  for (const entry of [
    '↑↓          move, also k j',
    'space       toggle',
    'a           all',
    '1-9         go to that row',
    'ctrl+c      quit',
  ]) {
    expect(terminal.screen()).toContain(entry);
  }
  await terminal.press('escape');
  await terminal.shows('What goes along?');
});

test('the components are filtered by name; all, none and invert are about those that are shown', async () => {
  const terminal = openTerminal();
  const choice = terminal.tui.choose({environment: 'production', version: '1.14.0'}, survey());
  await terminal.shows('3 of 3 chosen');
  await terminal.press('/', 'load');
  await terminal.shows('/ load▏');
  await terminal.hides('deposit-services');
  await terminal.press('enter', 'i');
  await terminal.shows(/\[ \] journal-loader/);
  await terminal.shows('2 of 3 chosen');
  // Esc shows all again; only then it goes back.
  await terminal.press('escape');
  await terminal.shows('├ deposit-services');
  await terminal.press('enter');
  await expect(choice).resolves.toMatchObject({components: ['pass-core', 'deposit-services']});
});

test('p goes through the presets of the config file, and back to all', async () => {
  const terminal = openTerminal({columns: 100});
  const presets = {backend: ['pass-core', 'deposit-services'], loaders: ['journal-loader']};
  const choice = terminal.tui.choose({environment: 'production', version: '1.14.0'}, survey(passCards, {presets}));
  await terminal.shows('p preset');
  await terminal.press('p');
  await terminal.shows('preset backend · 2 of 3 chosen');
  await terminal.press('p');
  await terminal.shows('preset loaders · 1 of 3 chosen');
  await terminal.press('p');
  await terminal.shows('3 of 3 chosen');
  await terminal.press('p', 'enter');
  await expect(choice).resolves.toMatchObject({components: ['pass-core', 'deposit-services']});
});

test('versions that exist stream in while one is typed, and hold nothing up', async () => {
  const all = deferred<void>();
  let found: ((versions: readonly KnownVersion[]) => void) | undefined;
  const terminal = openTerminal();
  const choice = terminal.tui.choose(
    {environment: 'production', components: ['pass-core']},
    survey(passCards, {
      versions: (_environment, _signal, callback) => {
        found = callback;
        return all.promise;
      },
    }),
  );
  await terminal.shows('looking for tags…');
  await terminal.press('1.1');
  found?.([{version: '1.12.0', images: {have: 2, of: 3}, gates: []}]);
  await terminal.shows('1.12.0  2 of 3 images, downgrade');
  await terminal.press('5.0');
  await terminal.shows('▸ other   1.15.0');
  await terminal.press('enter');
  await expect(choice).resolves.toMatchObject({version: '1.15.0'});
  all.resolve();
});

test('what is known of the environments streams in, and is asked anew with r', async () => {
  let asked = 0;
  const terminal = openTerminal();
  const unreachable = {what: 'there are no AWS credentials', next: ['Run: chopaws --profile prod']};
  const choice = terminal.tui.choose(
    {},
    survey(passCards, {
      recall: name => Promise.resolve({name, runs: [{component: 'pass-core', version: '1.13.9'}]}),
      reach: name => {
        asked += 1;
        return Promise.resolve(name === 'production' && asked <= 3 ? {unreachable} : {identity: '333333333333 as jo'});
      },
    }),
  );
  await terminal.shows(/production +1\.13\.9 +✖ credentials {3}Run: chopaws --profile prod/);
  await terminal.press('3', 'r');
  await terminal.hides('chopaws');
  await terminal.shows('credentials  333333333333 as jo');
  await terminal.press('ctrl+c');
  await expect(choice).resolves.toBeUndefined();
});
