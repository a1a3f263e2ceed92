import {expect, test, vi} from 'vitest';
import {approval, logBook, passCards, planOf, survey, tell, type Story} from './support/story.ts';
import {openTerminal, type TestTerminal} from './support/terminal.ts';

/** Every screen, by what leads to it. */
const screens: Readonly<Record<string, (story: Story, terminal: TestTerminal) => Promise<void> | void>> = {
  environment: (_story, {tui}) => void tui.choose({}, survey()),
  version: (_story, {tui}) => void tui.choose({environment: 'production'}, survey()),
  components: (_story, {tui}) => void tui.choose({environment: 'production', version: '1.13.1'}, survey()),
  preflight: story => {
    story.started(passCards);
    story.check('pass-core', 'preflight', {
      claim: 'a',
      text: 'the images are in the registry',
      status: 'failed',
      found: 'pass-core:1.14.0 and some more that take a long line to say are not there',
      next: 'push them, all of them, every single one of them, and then look again',
    });
    ask(story.ask({id: 'q', about: 'preflight', failed: ['a']}));
  },
  work: (story, {tui}) => {
    const logs = logBook();
    tui.watchLogs(logs);
    logs.write('pass-core.build', ...Array.from({length: 50}, (_, index) => `${index} `.repeat(60)));
    story.started(passCards);
    story.jobStarted('pass-core', 'build');
    story.progress('pass-core', 'build', 'a step with a long name that goes on', 3, 9);
  },
  start: story => {
    story.started(passCards);
    ask(
      story.ask({
        id: 'q',
        about: 'start',
        phase: 'push',
        work: passCards.map(({id}) => ({component: id, text: 'x '.repeat(80)})),
      }),
    );
  },
  review: story => {
    story.started(passCards);
    story.planned(passCards.map(({id}) => planOf(id, [{risk: 'outage', summary: 's '.repeat(60), flags: ['unlisted']}])));
    ask(story.ask(approval));
  },
  confirm: async (story, terminal) => {
    story.started(passCards);
    story.planned(passCards.map(({id}) => planOf(id, [{risk: 'outage', summary: 's '.repeat(60), flags: ['unlisted']}])));
    ask(story.ask(approval));
    await terminal.shows('What would change');
    await terminal.press('enter', 'a text that is far longer than the name of any environment that there is, really');
  },
  board: story => {
    story.started(passCards);
    story.approved();
    for (const {id} of passCards)
      story.failed(id, 'apply', {what: 'w '.repeat(90), means: 'm '.repeat(60), next: ['n '.repeat(60)]});
    const job = {component: 'deposit-services', phase: 'apply'} as const;
    ask(story.ask({id: 'q', about: 'failure', job, trouble: {what: 'w '.repeat(200)}, choices: ['retry', 'leave']}));
  },
  'every choice': story => failed(story),
  reason: async (story, terminal) => {
    failed(story);
    await terminal.shows('What now?');
    await terminal.press('s');
    await terminal.paste('r '.repeat(200));
  },
  'by hand': async (story, terminal) => {
    failed(story);
    await terminal.shows('What now?');
    await terminal.press('c');
  },
  login: (story, {tui}) => {
    story.started(passCards);
    story.jobStarted('pass-core', 'push', 'p '.repeat(90));
    ask(tui.askLogin(`${'registry.'.repeat(20)}example.edu`, new AbortController().signal));
  },
  interrupt: async (story, terminal) => {
    story.started(passCards);
    story.approved();
    const job = {component: 'pass-core', phase: 'apply'} as const;
    story.jobStarted(job.component, job.phase);
    const stopping = {means: 'm '.repeat(90), force: 'the state stays locked', costs: 'c '.repeat(90)};
    story.emit({type: 'job.progress', job, progress: {text: 'applying', stopping}});
    await terminal.shows('applying');
    await terminal.press('ctrl+c', 's', 'ctrl+c', 'i', 'the state');
  },
  'search in a plan': async (story, terminal) => {
    story.started(passCards);
    story.planned(passCards.map(({id}) => planOf(id, [{risk: 'outage', summary: 's '.repeat(60), flags: ['unlisted']}])));
    ask(story.ask(approval));
    await terminal.shows('What would change');
    await terminal.press('/');
    await terminal.paste('s '.repeat(20));
  },
  leaving: async (story, terminal) => {
    story.started(passCards);
    for (const {id} of passCards) story.jobStarted(id, 'apply');
    await terminal.shows('applying');
    await terminal.press('ctrl+c');
  },
  help: async (story, terminal) => {
    story.started(passCards);
    story.jobStarted('pass-core', 'apply');
    await terminal.shows('applying');
    await terminal.press('?');
  },
  finished: story => {
    story.started(passCards);
    story.emit({
      type: 'run.finished',
      outcome: 'unknown',
      exitCode: 7,
      text: 't '.repeat(100),
      touched: true,
      components: passCards.map(({id, kind}) => ({component: id, kind, to: '1.14.0', end: 'unknown', note: 'n '.repeat(60)})),
    });
  },
};

/** A failure with every choice, on the board. */
function failed(story: Story): void {
  story.started(passCards);
  story.approved();
  const job = {component: 'deposit-services', phase: 'verify'} as const;
  const trouble = {what: 'w '.repeat(90), next: ['n '.repeat(60)]};
  story.jobStarted(job.component, job.phase);
  story.failed(job.component, job.phase, trouble);
  const choices = ['wait', 'retry', 'rollback', 'rollback-all', 'skip', 'leave'] as const;
  ask(story.ask({id: 'q', about: 'failure', job, trouble, choices: [...choices]}));
}

function ask(answer: Promise<unknown>): void {
  answer.catch(() => {});
}

const sizes = [
  [60, 15],
  [80, 24],
  [100, 30],
  [200, 50],
] as const;

// That no line is too wide and no frame too tall is asserted for every frame, in `openTerminal`.
test.each(Object.keys(screens).flatMap(name => sizes.map(([columns, rows]) => [name, columns, rows] as const)))(
  '%s fits into %i x %i',
  async (name, columns, rows) => {
    const terminal = openTerminal({columns, rows});
    await screens[name]?.(tell(terminal.tui, terminal.clock), terminal);
    await expect.poll(() => terminal.rows()[0]).toContain('pass');
    // The keys are the last line but one of them all.
    await expect.poll(() => terminal.rows().at(-2)).toMatch(/ctrl\+c|elapsed/);
  },
);

test('resizing at any moment keeps the selection and leaves no ghosts', async () => {
  const terminal = openTerminal({columns: 100, rows: 30});
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.approved();
  for (const {id} of passCards) story.jobStarted(id, 'apply', `text of ${id}`);
  await terminal.shows('▸ pass-core');
  await terminal.press('down');
  for (const {id} of passCards) story.done(id, 'apply', `text of ${id}`);
  for (const {id} of passCards) story.skipped(id, 'verify', `text of ${id}`);
  await terminal.shows(/▸ deposit-services {2}─ skipped/);
  const before = terminal.screen();
  for (const [columns, rows] of [
    [60, 15],
    [200, 50],
    [80, 24],
    [120, 16],
    [61, 40],
    [40, 10],
    [100, 31],
    [99, 15],
  ] as const) {
    await terminal.resize(columns, rows);
  }
  await terminal.resize(100, 30);
  await expect.poll(() => terminal.screen()).toBe(before);
});

test('a window that was small for a moment is drawn anew, although its size is what it was', async () => {
  const terminal = openTerminal({columns: 100, rows: 30});
  void terminal.tui.choose({environment: 'production'}, survey());
  await terminal.shows('▸ 1.14.0');
  await terminal.shows('What runs there now');
  const before = terminal.screen();
  await terminal.blink(60, 15);
  await expect.poll(() => terminal.screen()).toBe(before);
});

test('resizing while things move', async () => {
  const terminal = openTerminal({columns: 100, rows: 30});
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.approved();
  for (const {id} of passCards) story.jobStarted(id, 'apply');
  await terminal.shows('▸ pass-core');
  for (let round = 0; round < 40; round += 1) {
    story.progress('pass-core', 'apply', `round ${round}`, round, 40);
    await terminal.resize(60 + ((round * 37) % 90), 15 + ((round * 13) % 30));
  }
  await terminal.resize(80, 24);
  await terminal.shows('39/40');
  expect(terminal.rows().at(-2)).toContain('ctrl+c stop…');
});

test('below 60 x 15 one line says what is needed, keys wait, and the run goes on', async () => {
  const terminal = openTerminal();
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  const answered = vi.fn();
  const answer = story.ask({id: 'q', about: 'preflight', failed: ['a']});
  answer.then(answered, () => {});
  await terminal.shows('not met');
  await terminal.resize(59, 24);
  await terminal.shows('needs 60x15, has 59x24; a question waits; the run goes on');
  expect(terminal.rows().filter(row => row !== '')).toHaveLength(1);
  await terminal.press('r');
  expect(answered).not.toHaveBeenCalled();
  await terminal.resize(30, 5);
  await terminal.shows('needs 60x15, has 30x5; a ques…');
  await terminal.resize(60, 15);
  await terminal.shows('r look again');
  await terminal.press('r');
  await expect(answer).resolves.toMatchObject({value: 'retry'});
});
