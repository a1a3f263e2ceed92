import {expect, test, vi} from 'vitest';
import type {Trouble} from '../../../src/release/model.ts';
import {approval, cookbookCards, logBook, passCards, planOf, tell} from './support/story.ts';
import {openTerminal} from './support/terminal.ts';

test('preflight: checks stream in; what is not met is said with the next step; r looks again', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(passCards);
  story.jobStarted('*', 'preflight');
  await terminal.shows('● preflight');
  await terminal.shows('looking…');
  story.check('*', 'preflight', {
    claim: 'aws session',
    text: 'the account is the configured one',
    status: 'passed',
    found: '333333333333',
  });
  story.check('*', 'preflight', {claim: 'deposit-services service', text: 'no other deployment is in flight', status: 'pending'});
  await terminal.shows(/account {4}✔ the account is the conf/);
  expect(terminal.screen()).toContain('1 of 2');
  story.check('*', 'preflight', {
    claim: 'deposit-services service',
    text: 'no other deployment is in flight',
    status: 'failed',
    found: '1.13.3 started 21:10',
    next: 'Wait for it, then look again.',
  });
  const answer = story.ask({id: 'q1', about: 'preflight', failed: ['no other deployment is in flight']});
  await terminal.shows('? 1 requirement is not met. Nothing has been changed.');
  expect(terminal.screen()).toContain('r look again   q stop here');
  // What is not met comes first now.
  expect(terminal.screen()).toMatch(
    /services {3}✖ no other.*\n +found +1\.13\.3 started 21:10\n +means .*\n +next +Wait for it.*\n account {4}✔/,
  );
  await terminal.press('r');
  await expect(answer).resolves.toEqual({value: 'retry', by: 'operator'});
  await terminal.hides('not met');
});

test('preflight can end the release', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(passCards);
  const answer = story.ask({id: 'q1', about: 'preflight', failed: ['a', 'b']});
  await terminal.shows('2 requirements are not met');
  await terminal.press('q');
  await expect(answer).resolves.toEqual({value: 'stop', by: 'operator'});
});

test('each preparing phase is started by the operator, and shows progress and log', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  const logs = logBook();
  tui.watchLogs(logs);
  story.started(cookbookCards, '0.7.2');
  story.jobStarted('service', 'bump');
  story.done('service', 'bump', '0.7.1 → 0.7.2 in dmsa/__init__.py');
  const answer = story.ask({
    id: 'q1',
    about: 'start',
    phase: 'build',
    work: [{component: 'service', text: 'docker build dbhi/data-models-sqlalchemy:0.7.2 from .'}],
  });
  await terminal.shows('? Start build? It works on this machine only.');
  expect(terminal.screen()).toContain('✔ bump  ● build  ○ push');
  expect(terminal.screen()).toContain('What build does');
  expect(terminal.screen()).toContain('docker build dbhi/data-models-sqlalchemy:0.7.2 from .');
  expect(terminal.screen()).toContain('enter start build   q stop here');
  await terminal.press('enter');
  await expect(answer).resolves.toEqual({value: 'go', by: 'operator'});

  story.jobStarted('service', 'build');
  story.progress('service', 'build', 'COPY . /app', 3, 9);
  logs.write('service.build', ...Array.from({length: 40}, (_, index) => `line ${index + 1}`));
  await terminal.shows(/▸ service {2}. building {4}███░░░░░░░ 3\/9 {4}COPY \. \/app/);
  await terminal.shows('│ line 40');
  expect(terminal.screen()).not.toContain('│ line 20');
  logs.write('service.build', 'the newest');
  await terminal.shows('│ the newest');
  clock.at += 30_000;
  story.progress('service', 'build', 'RUN make', 6, 9);
  await terminal.shows(/▸ service {2}. building {4}███████░░░ 6\/9 {4}12\/min {4}RUN make +00:30/);
  clock.at += 54_000;
  story.done('service', 'build', 'sha256:71be…0d');
  await terminal.shows(/✔ built .* sha256:71be…0d .* 01:24/);
});

test('of several builds, the log of the selected one stands below', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  const logs = logBook();
  tui.watchLogs(logs);
  story.started(passCards);
  for (const id of ['pass-core', 'deposit-services']) {
    story.jobStarted(id, 'build');
    logs.write(`${id}.build`, `what ${id} says`);
  }
  await terminal.shows('▸ pass-core');
  await terminal.shows('│ what pass-core says');
  await terminal.press('down');
  await terminal.shows('▸ deposit-services');
  await terminal.shows('│ what deposit-services says');
  expect(terminal.screen()).not.toContain('what pass-core says');
});

test('the plan: changes old → new, risks, flags; sensitive values are hidden', async () => {
  const {tui, clock, ...terminal} = openTerminal({columns: 100, rows: 30});
  const story = tell(tui, clock);
  story.started(cookbookCards, '0.7.2');
  story.planned([
    planOf('service', [
      {
        risk: 'update',
        summary: 'aws_route53_record.name is updated in place',
        details: [{name: 'ttl', before: '60', after: '300'}],
      },
      {
        risk: 'outage',
        summary: 'aws_instance.default is destroyed, then created',
        flags: ['unlisted'],
        details: [
          {name: 'password', before: 'hunter2', after: 'hunter3', sensitive: true},
          {name: 'public_ip', before: '10.0.0.1', after: null},
        ],
      },
    ]),
    {...planOf('journal-loader', []), notes: ['Nothing is forced.']},
  ]);
  void story.ask(approval).catch(() => {});
  await terminal.shows('What would change');
  const screen = terminal.screen();
  expect(screen).toContain('1 update, 1 outage');
  expect(screen).toMatch(/▸ service .* outage!/);
  expect(screen).toMatch(/journal-loader {2}nothing/);
  expect(screen.indexOf('aws_instance')).toBeLessThan(screen.indexOf('aws_route53'));
  expect(screen).toContain("unlisted: not in the component's allowChanges");
  expect(screen).toMatch(/ttl {2}60 → 300/);
  expect(screen).toMatch(/public_ip {2}10\.0\.0\.1 → none/);
  expect(screen).toMatch(/password {3}hidden \(sensitive\)/);
  expect(screen).not.toContain('hunter');
  await terminal.press('down');
  await terminal.shows('Nothing is forced.');
  expect(terminal.screen()).toContain('Nothing to do.');
});

test('a long plan is scrolled in its pane, and its list keeps its row', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(cookbookCards);
  const changes = Array.from({length: 30}, (_, index) => ({summary: `resource number ${index + 1} changes`}));
  story.planned([planOf('a', changes), planOf('b', changes)]);
  void story.ask(approval).catch(() => {});
  await terminal.shows('resource number 1 changes');
  expect(terminal.screen()).toMatch(/↓ \d+ more/);
  await terminal.press('down');
  await terminal.shows('▸ b');
  await terminal.press('tab', 'G');
  await terminal.shows('resource number 30 changes');
  expect(terminal.screen()).toMatch(/↑ \d+ more/);
  await terminal.press('g', 'down', 'tab', 'up');
  await terminal.shows('▸ a');
  await terminal.shows('resource number 1 changes');
  await terminal.press('pagedown', 'pagedown');
  await terminal.hides('resource number 1 changes');
});

test('approval: the text typed is the answer, and the screen says what Enter would mean', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(cookbookCards);
  story.planned([planOf('service', [{risk: 'outage', summary: 'the instance is replaced'}])]);
  const answer = story.ask(approval);
  await terminal.shows('enter go on to confirm');
  await terminal.press('enter');
  await terminal.shows('Release pass 1.14.0 to production?');
  expect(terminal.screen()).toMatch(/1 outage +service: the instance is replaced/);
  expect(terminal.screen()).toMatch(/plan +b41f 77c2/);
  expect(terminal.screen()).toContain('enter with nothing typed declines the release and ends it');
  await terminal.press('prod');
  await terminal.shows('enter with "prod" declines the release and ends it');
  // Back to the plan, and nothing is lost.
  await terminal.press('escape');
  await terminal.shows('What would change');
  await terminal.press('enter');
  await terminal.shows('▸ prod▏');
  await terminal.press('uction');
  await terminal.shows('enter releases to production');
  expect(terminal.screen()).toContain('enter release ');
  await terminal.press('enter');
  await expect(answer).resolves.toEqual({value: 'production', by: 'operator'});
});

test('a pasted approval does not submit itself, line end or not', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(cookbookCards);
  story.planned([planOf('service', [{}])]);
  const answer = story.ask(approval);
  await terminal.shows('What would change');
  await terminal.press('enter');
  await terminal.shows('Type production');
  await terminal.paste('production\r\n');
  await terminal.shows('▸ production▏');
  await terminal.press('ctrl+u');
  // The same from a terminal without bracketed paste, and type-ahead from the screen before.
  await terminal.send('production\r');
  await terminal.shows('enter releases to production');
  await terminal.press('escape');
  await terminal.shows('What would change');
  await terminal.send('\rx\r');
  await terminal.shows('enter with "productionx" declines');
  await terminal.press('backspace', 'enter');
  await expect(answer).resolves.toMatchObject({value: 'production'});
});

test('anything but the exact text is handed over as it was typed: the engine takes it for a no', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(cookbookCards);
  story.planned([planOf('service', [{}])]);
  const answer = story.ask(approval);
  await terminal.shows('What would change');
  await terminal.press('enter', 'Production', 'enter');
  await expect(answer).resolves.toEqual({value: 'Production', by: 'operator'});
});

test('a plan that is asked about again starts with an empty field and says that it is new', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(cookbookCards);
  story.planned([planOf('service', [{}])]);
  const first = story.ask(approval);
  await terminal.shows('What would change');
  await terminal.press('enter', 'production', 'enter');
  await first;
  story.planned([planOf('service', [{summary: 'something else'}])]);
  const changed = {again: true, because: 'main.tf has changed', differences: ['service: one destroy more']};
  void story.ask({...approval, id: 'q-again', ...changed}).catch(() => {});
  await terminal.shows('The world has changed since: this is a new plan');
  await terminal.shows('planned again, because main.tf has changed');
  await terminal.shows(/│ one destroy more/);
  await terminal.press('enter');
  await terminal.shows('enter with nothing typed');
});

const trouble: Trouble = {
  what: 'CannotPullContainerError: not found',
  means: '1.13.2 still serves.',
  next: ['Push the image, then try again.'],
};

test('the board: one row a component, glyph and word, bar and elapsed; what it waits for', async () => {
  const {tui, clock, ...terminal} = openTerminal({columns: 100, rows: 30});
  const story = tell(tui, clock);
  story.started(passCards);
  story.approved();
  await terminal.shows(/deposit-services {2}○ waiting {5}for pass-core/);
  story.jobStarted('pass-core', 'apply', 'publishing');
  await terminal.shows(/▸ pass-core .* applying {4}publishing/);
  clock.at += 41_000;
  story.done('pass-core', 'apply', 'message 4711');
  await terminal.shows(/applied {5}message 4711/);
  story.jobStarted('pass-core', 'verify');
  story.check('pass-core', 'verify', {claim: 'http', text: '/version answers 1.14.0', status: 'pending', found: '200 1.13.2'});
  await terminal.shows('/version answers 1.14.0: 200 1.13.2');
  story.check('pass-core', 'verify', {claim: 'http', text: '/version answers 1.14.0', status: 'passed', found: '200 1.14.0'});
  story.done('pass-core', 'verify', '/version answers 1.14.0');
  story.jobStarted('deposit-services', 'apply');
  story.progress('deposit-services', 'apply', '1 of 2 running', 1, 2);
  story.skipped('journal-loader', 'apply', 'already there');
  await terminal.shows(/pass-core +✔ verified {4}\/version answers 1\.14\.0 +00:41/);
  await terminal.shows(/▸ deposit-services .* applying {4}█████░░░░░ 1\/2 {4}1 of 2 running/);
  expect(terminal.screen()).toMatch(/journal-loader {4}─ skipped {5}already there/);
  expect(terminal.screen()).toContain('elapsed 00:41');
});

test('a failure is a choice on its row; several wait for one another', async () => {
  const {tui, clock, ...terminal} = openTerminal({columns: 100, rows: 30});
  const story = tell(tui, clock);
  story.started(passCards);
  story.approved();
  for (const component of ['pass-core', 'deposit-services', 'journal-loader']) story.jobStarted(component, 'apply');
  await terminal.shows('▸ pass-core');
  story.failed('deposit-services', 'apply', trouble);
  const choices = ['retry', 'leave'] as const;
  const first = story.ask({
    id: 'q1',
    about: 'failure',
    job: {component: 'deposit-services', phase: 'apply'},
    trouble,
    choices: [...choices],
  });
  await terminal.shows(/▸ deposit-services {2}✖ failed/);
  await terminal.shows('? deposit-services · apply failed. What now?');
  expect(terminal.screen()).toContain('r try again   l leave it as it is');
  expect(terminal.screen()).toContain('1.13.2 still serves.');
  expect(terminal.screen()).toContain('next: Push the image, then try again.');

  // The second one does not take the screen away.
  story.failed('journal-loader', 'apply', {what: 'AccessDenied'});
  const second = story.ask({
    id: 'q2',
    about: 'failure',
    job: {component: 'journal-loader', phase: 'apply'},
    trouble: {what: 'AccessDenied'},
    choices: ['leave'],
  });
  await terminal.shows(/journal-loader {4}✖ failed/);
  await terminal.shows('n next question');
  expect(terminal.screen()).toContain('? deposit-services · apply failed');
  await terminal.press('n');
  await terminal.shows('? journal-loader · apply failed');
  expect(terminal.screen()).not.toContain('r try again');
  await terminal.press('r', 'up', 'up');
  await terminal.shows('▸ pass-core');
  expect(terminal.screen()).toContain('deposit-services waits for an answer.');
  // Keys of a question do nothing on a row that does not ask.
  await terminal.press('r', 'l', 'n');
  await terminal.shows('? deposit-services · apply failed');
  await terminal.press('r');
  await expect(first).resolves.toEqual({value: 'retry', by: 'operator'});
  // The next attempt starts anew: its time, and nothing of the trouble before.
  clock.at += 60_000;
  story.jobStarted('deposit-services', 'apply', 'once more');
  await terminal.shows(/▸ deposit-services .* applying {4}once more +00:00/);
  expect(terminal.screen()).not.toContain('1.13.2 still serves.');
  await terminal.press('n', 'l');
  await expect(second).resolves.toEqual({value: 'leave', by: 'operator'});
});

test.each([
  ['a', 'look'],
  ['d', 'again'],
  ['l', 'leave'],
])('a step of which nobody knows whether it happened: %s answers %s', async (key, value) => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(passCards);
  story.approved();
  story.jobStarted('pass-core', 'apply');
  const answer = story.ask({
    id: 'q1',
    about: 'unknown step',
    job: {component: 'pass-core', phase: 'apply'},
    step: 'publish',
    text: 'a message to pass-deploy',
  });
  await terminal.shows(/pass-core .* \? not known/);
  expect(terminal.screen()).toContain('? Looking cannot tell whether this happened: a message to pass-deploy');
  await terminal.press(key);
  await expect(answer).resolves.toEqual({value, by: 'operator'});
});

test('the log pane follows, scrolls, pauses, follows again', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  const logs = logBook();
  tui.watchLogs(logs);
  story.started(passCards);
  story.approved();
  story.jobStarted('pass-core', 'apply');
  logs.write('pass-core.apply', ...Array.from({length: 100}, (_, index) => `line ${index + 1} end`));
  await terminal.shows('│ line 100 end');
  await terminal.press('o');
  await terminal.shows('following');
  expect(terminal.screen()).toContain('pass-core · apply  /var/log/pass-core.apply.log');
  expect(terminal.screen()).toContain('line 100 end');
  await terminal.press('pageup');
  await terminal.shows(/paused: \d+ newer lines, G follows/);
  expect(terminal.screen()).not.toContain('line 100 end');
  const before = terminal.rows()[5];
  logs.write('pass-core.apply', 'line 101 end');
  await terminal.shows('paused: 17 newer lines');
  expect(terminal.rows()[5]).toBe(before);
  await terminal.press('g');
  await terminal.shows('line 1 end');
  await terminal.press('up', 'k');
  await terminal.shows('line 1 end');
  await terminal.press('G');
  await terminal.shows('line 101 end');
  logs.write('pass-core.apply', 'line 102 end');
  await terminal.shows('line 102 end');
  await terminal.press('escape');
  await terminal.shows('▸ pass-core');
});

test('what a failed check says, and what to do about it, is said once', async () => {
  const {tui, clock, ...terminal} = openTerminal({columns: 120});
  const story = tell(tui, clock);
  story.started(passCards);
  story.approved();
  story.jobStarted('deposit-services', 'verify');
  const next = 'Push the image.';
  story.check('deposit-services', 'verify', {claim: 'a', text: 'it is steady', status: 'failed', found: 'cannot pull', next});
  story.check('deposit-services', 'verify', {claim: 'b', text: 'it answers', status: 'failed', found: '503'});
  story.failed('deposit-services', 'verify', {what: 'it is steady: cannot pull; it answers: 503', next: [next]});
  await terminal.shows('▸ deposit-services  ✖ failed');
  const [, details = ''] = terminal.screen().split('deposit-services · verify');
  expect(details.trimStart()).toMatch(/^✖ it is steady: cannot pull\n +next: Push the image\.\n ✖ it answers: 503\n/);
  story.failed('deposit-services', 'verify', {what: 'nobody looked', next: [next, 'Look.']});
  await terminal.shows(/· verify\n nobody looked\n +next: Look\.\n\n ✖ it is steady: cannot pull/);
});

test('a failed end stays until it was read; a good one closes at once', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const story = tell(tui, clock);
  story.started(passCards);
  story.emit({
    type: 'run.finished',
    outcome: 'failed',
    exitCode: 1,
    text: 'deposit-services does not run 1.14.0',
    touched: true,
    components: [
      {
        component: 'pass-core',
        kind: 'sns-trigger',
        from: '1.13.2',
        to: '1.14.0',
        end: 'verified',
        note: '/version answers 1.14.0',
      },
      {
        component: 'deposit-services',
        kind: 'ecs-service',
        from: '1.13.2',
        to: '1.14.0',
        end: 'failed',
        note: `CannotPullContainer: ${'not found; '.repeat(12)}`,
      },
    ],
  });
  const isClosed = vi.fn();
  const closed = tui.close().then(isClosed);
  await terminal.shows('✖ failed  deposit-services does not run 1.14.0');
  expect(terminal.screen()).toMatch(/✔ pass-core {9}verified {5}1\.13\.2 → 1\.14\.0 {2}\/version answers/);
  // What would be a tall column of words stands below.
  expect(terminal.screen()).toMatch(/✖ deposit-services {2}failed {7}1\.13\.2 → 1\.14\.0\n {5}CannotPullContainer: not found; /);
  expect(terminal.screen()).toContain('enter leave');
  expect(isClosed).not.toHaveBeenCalled();
  await terminal.press('enter');
  await closed;

  const good = openTerminal();
  const another = tell(good.tui, good.clock);
  another.started(passCards);
  another.finished('passed', 0, 'all verified');
  await good.tui.close();
});

test('a recorded past is drawn and not announced; nothing of it can be answered', async () => {
  const {tui, clock, ...terminal} = openTerminal();
  const at = new Date(clock.now()).toISOString();
  const job = {component: 'pass-core', phase: 'apply'} as const;
  tell(tui, clock).started(passCards);
  tui.show({type: 'approval.given', fingerprint: 'f', by: 'operator', covers: [], at}, true);
  tui.show({type: 'job.started', job, at}, true);
  tui.show({type: 'question.asked', question: {id: 'old', about: 'failure', job, trouble, choices: ['retry']}, at}, true);
  await terminal.shows('▸ pass-core');
  expect(terminal.screen()).not.toContain('What now?');
  expect(terminal.bells()).toBe(0);
});
