import {expect, test} from 'vitest';
import {approval, logBook, planOf, survey, tell} from './support/story.ts';
import {openTerminal} from './support/terminal.ts';

const escape = '\u001B';
/** What children, AWS and config files may send: each of these would do harm if it reached the terminal as it is. */
const hostile = [
  `${escape}[2J${escape}[H cleared`,
  `${escape}]0;title\u0007 titled`,
  `${escape}]8;;https://evil.example${escape}\\link${escape}]8;;${escape}\\`,
  `${escape}[?1049l left`,
  'first\nsecond\r\nthird\rover',
  'a\tb\u0000\u0008\u007Fc',
  'c1 \u009B2J \u0085 next',
  'bidi \u202Egnp.exe\u202C \u2066x\u2069',
  '漢字'.repeat(60),
  'e\u0301'.repeat(150),
  '👩‍👩‍👧‍👦 family ⚠️ warn ✔️ done',
  'lone \uD800 surrogate',
  'x'.repeat(5000),
];

test.each(hostile)('%j stays within its columns everywhere', async text => {
  const {tui, clock, ...terminal} = openTerminal({columns: 80, rows: 30});
  const story = tell(tui, clock);
  const logs = logBook();
  tui.watchLogs(logs);
  const cards = [
    {id: text, kind: text, needs: [text], version: text},
    {id: 'calm', kind: 'terraform', needs: []},
  ];

  // The form.
  const choice = tui.choose(
    {},
    {...survey(cards), application: text, environments: [{name: text, account: text, region: text}, {name: 'calm'}]},
  );
  await terminal.shows('Where does');
  await terminal.press('enter');
  await terminal.shows('Which version?');
  await terminal.shows('calm');
  await terminal.paste(text);
  await terminal.press('ctrl+u', '1.14.0', 'enter');
  await terminal.shows('What goes along?');
  await terminal.press('enter');
  await choice;

  // The run.
  story.started(cards);
  story.check('calm', 'preflight', {claim: 'a', text, status: 'failed', found: text, evidence: [text, text], next: text});
  const preflight = story.ask({id: 'q1', about: 'preflight', failed: [text]});
  await terminal.shows('1 requirement is not met');
  await terminal.press('r');
  await preflight;
  story.jobStarted('calm', 'build', text);
  story.progress('calm', 'build', text, 1, 2);
  logs.write('calm.build', text, 'after it');
  await terminal.shows('│ after it');
  await terminal.press('o');
  await terminal.shows('following');
  await terminal.press('escape');
  story.planned([
    {...planOf(text, [{summary: text, details: [{name: text, before: text, after: text}]}]), notes: [text], to: text},
  ]);
  const answer = story.ask({...approval, expect: text});
  await terminal.shows('What would change');
  await terminal.press('enter');
  await terminal.shows('declines the release');
  await terminal.paste(text);
  await terminal.press('enter');
  await answer;
  story.approved();
  story.failed(text, 'apply', {what: text, means: text, next: [text]});
  story.check(text, 'apply', {claim: 'b', text, status: 'open', found: text});
  const job = {component: text, phase: 'apply'} as const;
  story.ask({id: 'q3', about: 'unknown step', job, step: text, text}).catch(() => {});
  await terminal.shows('Looking cannot tell');
  story.finished('failed', 1, text);
  await terminal.shows('enter leave');
  expect(terminal.written()).not.toContain('evil.example\u001B');
  expect(terminal.isOnMainScreen()).toBe(false);
});

test('wide characters do not move columns', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  const names = ['漢字漢字', 'ascii', 'naïve'];
  story.started(names.map(id => ({id, kind: 'ecs-service', needs: []})));
  story.approved();
  for (const id of names) story.jobStarted(id, 'apply', '進捗'.repeat(40));
  await terminal.shows('漢字漢字');
  clock.at += 1000;
  for (const id of names) story.done(id, 'apply', '進捗'.repeat(40));
  for (const id of names) story.done(id, 'verify', '進捗'.repeat(40));
  await terminal.shows('✔ verified');
  // The emulator gives wide characters two cells, of which the second is empty: so texts are compared by their ends.
  const rows = terminal.rows().filter(row => row.includes('verified'));
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row).toMatch(/00:01$/);
});

test('ASCII, where a terminal may not show more', async () => {
  const {tui, clock, ...terminal} = openTerminal({env: {TERM: 'linux'}});
  const story = tell(tui, clock);
  story.started([{id: 'service', kind: 'terraform', needs: []}]);
  story.done('service', 'preflight');
  story.approved();
  story.jobStarted('service', 'apply');
  story.progress('service', 'apply', 'creating', 1, 2);
  await terminal.shows(/> service {2}. applying {4}#####\.\.\.\.\. 1\/2 {4}creating/);
  await terminal.press('ctrl+c');
  await terminal.shows('? Stop this release?');
  // eslint-disable-next-line no-control-regex -- that is the question here
  expect(terminal.screen()).toMatch(/^[\x00-\x7f]*$/);
});

test('for screen readers: the main screen, no boxes, nothing that spins', async () => {
  const {tui, clock, ...terminal} = openTerminal({env: {INK_SCREEN_READER: 'true'}, rows: 40});
  const story = tell(tui, clock);
  story.started([{id: 'service', kind: 'terraform', needs: []}]);
  story.planned([planOf('service', [{risk: 'outage', summary: 'the instance is replaced'}])]);
  const answer = story.ask(approval);
  await terminal.shows('the instance is replaced');
  expect(terminal.isOnMainScreen()).toBe(true);
  expect(terminal.screen()).not.toContain('│');
  await terminal.press('enter', 'production');
  await terminal.shows('enter releases to production');
  await terminal.press('enter');
  await expect(answer).resolves.toMatchObject({value: 'production'});
});

test('for screen readers: every change is one line that stays; what has to be answered stands below, in words', async () => {
  const {tui, clock, ...terminal} = openTerminal({env: {INK_SCREEN_READER: 'true'}, rows: 60, columns: 100, before: ''});
  const story = tell(tui, clock);
  const job = {component: 'service', phase: 'apply'} as const;
  story.started([{id: 'service', kind: 'terraform', needs: []}]);
  story.approved();
  story.jobStarted('service', 'apply');
  story.progress('service', 'apply', 'creating', 1, 2);
  story.failed('service', 'apply', {what: 'it was refused', next: ['ask somebody']});
  const answer = story.ask({
    id: 'q',
    about: 'failure',
    job,
    trouble: {what: 'it was refused'},
    choices: ['retry', 'skip', 'leave'],
  });
  await terminal.shows('What now?');
  const screen = terminal.screen();
  expect(screen.match(/service apply: it was refused/g)).toHaveLength(1);
  expect(screen).toContain('pass 1.14.0 → production   run r1');
  expect(screen).toContain('r try again  s let it through');
  expect(screen).not.toMatch(/[█░│─▸▏⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏✖]{2,}|elapsed/);
  await terminal.press('s', 'because');
  await terminal.shows('> because');
  await terminal.press('enter');
  await expect(answer).resolves.toMatchObject({value: 'skip', because: 'because'});
  story.jobStarted('service', 'apply');
  story.progress('service', 'apply', 'creating once more', 1, 2);
  story.done('service', 'apply', 'applied');
  await terminal.shows('service apply: applied');
  // What moves by itself is not drawn.
  expect(terminal.written()).not.toContain('creating');
  expect(terminal.screen().match(/service apply: it was refused/g)).toHaveLength(1);
  const login = tui.askLogin('registry.example.edu', new AbortController().signal);
  await terminal.shows('registry.example.edu asks who you are');
  await terminal.press('escape');
  await login;
});

test('a view that cannot draw gives the terminal back and says why', async () => {
  const terminal = openTerminal();
  const broken = survey();
  // Not what the types allow: a defect of ours, for example.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that is the point
  const environments = [{name: null as unknown as string}];
  await expect(terminal.tui.choose({}, {...broken, environments})).rejects.toThrow();
  await expect(terminal.tui.close()).rejects.toThrow();
  await expect.poll(() => terminal.isOnMainScreen()).toBe(true);
  expect(terminal.isRaw()).toBe(false);
  expect(terminal.written()).toContain('\u001B[23;0t');
  // What Ink draws of an error on the alternate screen is none of our frames; it goes with that screen.
  terminal.faults.length = 0;
});
