/** What somebody can do about a failure, on its row; and which flags would have answered. */
import {describe, expect, test} from 'vitest';
import type {FailureChoice, Question} from '../../../src/release/events.ts';
import type {Check, StepByHand, Trouble} from '../../../src/release/model.ts';
import {approval, passCards, planOf, type Story, tell} from './support/story.ts';
import {openTerminal, type TestTerminal} from './support/terminal.ts';

const job = {component: 'deposit-services', phase: 'verify'} as const;

const trouble: Trouble = {
  what: 'deposit-services cannot start',
  means: '1.13.2 still serves.',
  next: ['aws ecr describe-images --repository-name deposit-services', 'Push the image, then try again.'],
};

const all: readonly FailureChoice[] = ['wait', 'retry', 'rollback', 'rollback-all', 'skip', 'leave'];

/** On the board, where a component has failed. */
function failing(
  terminal: TestTerminal,
  choices = all,
  byHand?: readonly StepByHand[],
): {readonly story: Story; readonly answer: ReturnType<Story['ask']>} {
  const story = tell(terminal.tui, terminal.clock);
  story.started(passCards);
  story.emit({
    type: 'plan.ready',
    plan: {
      fingerprint: 'b41f77c2',
      components: [
        planOf('deposit-services', [
          {
            summary: 'ECS service deposit-services: deposit-services:41 → new revision',
            details: [
              {name: 'image', before: 'core:1.13.2', after: 'core:1.14.0'},
              {name: 'secret', before: 'hunter2', after: 'hunter3', sensitive: true},
            ],
          },
        ]),
      ],
      onFailure: 'rollback',
      back: [{component: 'deposit-services', revert: 'auto', version: '1.13.2', state: null}],
    },
  });
  story.approved();
  story.jobStarted('deposit-services', 'apply');
  story.emit({
    type: 'effect',
    job: {component: 'deposit-services', phase: 'apply'},
    step: 'register-revision',
    result: {is: 'done', value: null},
  });
  story.done('deposit-services', 'apply');
  story.jobStarted('deposit-services', 'verify');
  story.check('deposit-services', 'verify', {
    claim: 'rollout',
    text: 'it runs the new revision',
    status: 'failed',
    found: '2 stopped tasks',
    evidence: ['essential container core: CannotPullContainerError'],
    see: 'aws ecs describe-services --cluster pass --services deposit-services',
  });
  story.failed('deposit-services', 'verify', trouble);
  const answer = story.ask({
    id: 'q1',
    about: 'failure',
    job,
    trouble,
    choices: [...choices],
    ...(byHand && {byHand: [...byHand]}),
  });
  return {story, answer};
}

const keys: readonly (readonly [key: string, choice: FailureChoice])[] = [
  ['r', 'retry'],
  ['w', 'wait'],
  ['b', 'rollback'],
  ['B', 'rollback-all'],
  ['l', 'leave'],
];

test.each(keys)('%s answers %s', async (key, value) => {
  const terminal = openTerminal();
  const {answer} = failing(terminal);
  await terminal.shows('What now?');
  await terminal.press(key);
  await expect(answer).resolves.toEqual({value, by: 'operator'});
});

test('every choice can be read where there is little room, and none that is not on offer', async () => {
  const terminal = openTerminal({columns: 60, rows: 15});
  const {answer} = failing(terminal);
  answer.catch(() => {});
  await terminal.shows('c show the commands');
  for (const words of ['try again', 'go on waiting', 'take it back', 'take all back', 'let it through', 'leave it as it is'])
    expect(terminal.screen()).toContain(words);

  const other = openTerminal();
  failing(other, ['retry', 'leave']).answer.catch(() => {});
  await other.shows('r try again   l leave it as it is   c show the commands');
  await other.press('s', 'b', 'w');
  await other.shows('What now?');
});

test('the row opens to what was seen', async () => {
  const terminal = openTerminal({rows: 30});
  failing(terminal).answer.catch(() => {});
  await terminal.shows('What now?');
  expect(terminal.screen()).toContain('1.13.2 still serves.');
  expect(terminal.screen()).toContain('essential container core: CannotPullContainerError');
});

test('it is let through with a reason, and with none it is not; going back loses nothing', async () => {
  const terminal = openTerminal();
  const {answer} = failing(terminal);
  await terminal.shows('What now?');
  await terminal.press('s');
  await terminal.shows('Why is deposit-services let through?');
  expect(terminal.screen()).not.toContain('enter let it through');
  await terminal.press('enter', 'space', 'enter');
  await terminal.shows('Why is deposit-services let through?');
  // Letters are text here, and no choices.
  await terminal.press('behind bl');
  await terminal.press('escape');
  await terminal.shows('What now?');
  await terminal.press('s');
  await terminal.shows('behind bl▏');
  await terminal.paste('ue/green\n');
  await terminal.shows('behind blue/green▏');
  await terminal.press('enter');
  await expect(answer).resolves.toEqual({value: 'skip', by: 'operator', because: 'behind blue/green'});
  await terminal.hides('let through?');
});

test('the commands by which a person goes on can be read, scrolled and copied', async () => {
  const terminal = openTerminal();
  failing(terminal).answer.catch(() => {});
  await terminal.shows('What now?');
  await terminal.press('c');
  await terminal.shows('deposit-services by hand');
  expect(terminal.screen()).toContain('aws ecr describe-images --repository-name deposit-services');
  expect(terminal.screen()).toContain('aws ecs describe-services --cluster pass');
  expect(terminal.screen()).toMatch(/What is done\n {3}register-revision/);
  await terminal.press('G');
  await terminal.shows('deploy-wizard rollback --env production');
  await terminal.press('y');
  await terminal.shows('copied');
  const text = copied(terminal);
  expect(text).toMatch(/^ {2}aws ecs describe-services --cluster pass --services deposit-services$/m);
  expect(text).toContain('image: core:1.13.2 → core:1.14.0');
  expect(text).not.toContain('hunter');
  await terminal.press('escape');
  await terminal.shows('What now?');
});

/** What stands in the clipboard. */
function copied(terminal: TestTerminal): string {
  // oxlint-disable-next-line no-control-regex -- OSC 52 is what is looked for
  const [, text = ''] = /\u001B\]52;c;([A-Za-z0-9+/=]+)\u0007/.exec(terminal.written()) ?? [];
  return Buffer.from(text, 'base64').toString();
}

test('the commands that would do what is left are there to be pasted: quoted, without secrets, nothing in them runs by itself', async () => {
  const terminal = openTerminal({columns: 100, rows: 30});
  const move = ['aws', 'ecs', 'update-service', '--cluster', 'main', '--service', 'web'];
  failing(terminal, all, [
    {
      step: 'register',
      title: 'register a revision\nrm -rf ~',
      note: 'with image core:1.14.0',
      commands: [['aws', 'ecs', 'register-task-definition', '--cli-input-json', 'file://<web:1, edited>']],
    },
    {
      step: 'move',
      title: 'move it',
      commands: [move, ['echo', "it's", '$(rm x)', '*', '~', '{a,b}', 'a  b', '•••', 'x\u001B[2J', '']],
    },
  ]).answer.catch(() => {});
  await terminal.shows('What now?');
  await terminal.press('c');
  await terminal.shows('What is left, in commands');
  expect(terminal.screen()).toContain("aws ecs register-task-definition --cli-input-json 'file://<web:1, edited>'");
  await terminal.press('y');
  await terminal.shows('copied');
  expect(copied(terminal)).toContain(
    [
      'What is left, in commands',
      '  # register a revision rm -rf ~',
      '  # with image core:1.14.0',
      "  aws ecs register-task-definition --cli-input-json 'file://<web:1, edited>'",
      '  # move it',
      `  ${move.join(' ')}`,
      String.raw`  echo 'it'\''s' '$(rm x)' '*' '~' '{a,b}' 'a  b' '<hidden>' '<a value that no screen shows>' ''`,
    ].join('\n'),
  );
});

test('where every step is done, it says that nothing but the proof is missing', async () => {
  const terminal = openTerminal();
  failing(terminal, all, []).answer.catch(() => {});
  await terminal.shows('What now?');
  await terminal.press('c');
  await terminal.shows(/What is left, in commands\n +nothing: every step was taken; what is missing is the proof/);
});

describe('a component that is taken back', () => {
  test('says to what, and how far it is', async () => {
    const terminal = openTerminal({columns: 100});
    const {story, answer} = failing(terminal);
    await terminal.shows('What now?');
    await terminal.press('b');
    await answer;
    terminal.clock.at += 1000;
    story.emit({type: 'back.planned', plan: {...planOf('deposit-services', [{}]), from: '1.14.0', to: '1.13.2'}});
    await terminal.shows(/deposit-services {2}\S going back {2}← 1\.13\.2 +\d/);
    story.jobStarted('deposit-services', 'apply', 'moving the service');
    await terminal.shows(/deposit-services {2}\S going back {2}← 1\.13\.2 {2}moving the service/);
    story.done('deposit-services', 'apply');
    story.jobStarted('deposit-services', 'verify');
    await terminal.shows(/deposit-services {2}\S going back/);
    story.done('deposit-services', 'verify', 'back on 1.13.2');
    await terminal.shows(/deposit-services {2}← taken back {2}← 1\.13\.2 {2}back on 1\.13\.2/);
  });
});

describe('progress of real things', () => {
  test('is counted in what it is made of, where there is room', async () => {
    const terminal = openTerminal({columns: 140});
    const story = tell(terminal.tui, terminal.clock);
    story.started(passCards);
    story.approved();
    story.jobStarted('deposit-services', 'verify');
    story.emit({type: 'job.progress', job, progress: {text: 'task 7d1f is healthy', done: 2, total: 3, unit: 'tasks'}});
    await terminal.shows(/███████░░░ 2\/3 tasks +task 7d1f is healthy/);
    await terminal.resize(80, 24);
    await terminal.shows(/███████░░░ 2\/3 +task 7d1f is heal…/);
  });

  test('what is sent has its rate in megabytes a second', async () => {
    const terminal = openTerminal();
    const story = tell(terminal.tui, terminal.clock);
    story.started(passCards);
    story.jobStarted('pass-core', 'push');
    terminal.clock.at += 12_000;
    const pushing = {component: 'pass-core', phase: 'push'} as const;
    story.emit({type: 'job.progress', job: pushing, progress: {text: 'pass-core:1.14.0', done: 30, total: 96, unit: 'MB'}});
    await terminal.shows(/pushing +███░░░░░░░ 30\/96 +2\.5 MB\/s +pass-core:.* +00:12/);
  });

  test('a downtime is a bar of probes, from the old version to the new one', async () => {
    const terminal = openTerminal({columns: 100});
    const story = tell(terminal.tui, terminal.clock);
    story.started(passCards);
    story.approved();
    story.jobStarted('deposit-services', 'verify');
    const downtime: Check['downtime'] = {ms: 42_000, probes: '==xxx++'};
    story.check('deposit-services', 'verify', {claim: 'http', text: 'it answers', status: 'pending', found: '503', downtime});
    await terminal.shows('down 42 s  ==xxx++   = old  x no answer  + new');
  });
});

describe('a question that --yes would answer names the flag', () => {
  const started = (terminal: TestTerminal, kind?: 'rollback'): Story => {
    const story = tell(terminal.tui, terminal.clock);
    story.emit({
      type: 'run.started',
      schema: 1,
      run: 'r1',
      application: 'pass',
      environment: 'production',
      version: '1.14.0',
      components: passCards.map(({id, kind, needs}) => ({id, kind, needs: [...needs]})),
      unattended: false,
      ...(kind && {kind}),
      by: {user: 'jo', host: 'laptop'},
      tool: {version: '0.1.0', node: '24.0.0'},
      configPath: '/etc/deploy-wizard.config.yaml',
      config: {
        environments: {
          production: {aws: {accountId: '333333333333', region: 'us-east-1'}, policy: {allow: ['update', 'trigger']}},
        },
      },
      allow: ['outage:other'],
    });
    return story;
  };

  const questions: readonly (readonly [about: string, question: Question, words: string])[] = [
    [
      'start',
      {id: 'q', about: 'start', phase: 'build', work: [{component: 'pass-core', text: 'docker build'}]},
      '--yes starts it without asking',
    ],
    ['preflight', {id: 'q', about: 'preflight', failed: ['a']}, '--yes ends here: it never looks a second time'],
    ['failure', {id: 'q', about: 'failure', job, trouble, choices: ['leave']}, '--yes leaves it as it is (onFailure: leave)'],
    [
      'unknown message',
      {
        id: 'q',
        about: 'unknown step',
        job: {component: 'pass-core', phase: 'apply'},
        step: 's',
        text: 'a message',
        happened: true,
      },
      '--allow republish:pass-core',
    ],
    [
      'unknown step',
      {id: 'q', about: 'unknown step', job: {component: 'pass-core', phase: 'apply'}, step: 's', text: 'an apply'},
      '--yes leaves it open: it does nothing twice',
    ],
  ];

  test.each(questions)('%s', async (_about, question, words) => {
    const terminal = openTerminal();
    const story = started(terminal);
    if ('job' in question) {
      story.approved();
      story.jobStarted(question.job.component, question.job.phase);
      story.failed(question.job.component, question.job.phase, trouble);
    }
    story.ask(question).catch(() => {});
    await terminal.shows(words);
  });

  test('a gate: how it is let through', async () => {
    const terminal = openTerminal();
    const story = started(terminal);
    story.check('*', 'preflight', {claim: 'promotion staging', text: 'verified in staging', status: 'failed', found: 'never'});
    story.ask({id: 'q', about: 'preflight', failed: ['verified in staging']}).catch(() => {});
    await terminal.shows('--override promotion --reason <text> lets it through');
  });

  test('what is taken back by policy', async () => {
    const terminal = openTerminal();
    failing(terminal).answer.catch(() => {});
    await terminal.shows('--yes takes it back (onFailure: rollback)');
  });

  test('the approval: what policy lets through, what CI would have to say, what happens if one fails', async () => {
    const terminal = openTerminal({columns: 100, rows: 30});
    const story = started(terminal);
    story.emit({
      type: 'plan.ready',
      plan: {
        fingerprint: 'b41f77c2',
        onFailure: 'leave',
        components: [
          planOf('pass-core', [{risk: 'trigger', summary: 'a message'}]),
          planOf('service', [{risk: 'outage', summary: 'aws_instance.default is destroyed, then created'}]),
        ],
        back: [
          {component: 'pass-core', revert: 'never', state: null},
          {component: 'service', revert: 'ask', version: '0.7.1', state: null},
        ],
      },
    });
    story.ask(approval).catch(() => {});
    await terminal.shows('What would change');
    await terminal.press('enter');
    await terminal.shows('Release pass 1.14.0 to production?');
    const screen = terminal.screen();
    expect(screen).toMatch(/where +production 333333333333 us-east-1/);
    expect(screen).toMatch(/by +jo@laptop/);
    expect(screen).toMatch(/if one fails +you are asked; with --yes it is left as it is \(onFailure: leave\)/);
    expect(screen).toMatch(/way back +pass-core stay as they are; service to 0\.7\.1, when somebody says so/);
    expect(screen).toMatch(/policy +--yes may approve update, trigger here; in CI this takes --yes\s+--allow\s+outage:service/);
  });

  test('the approval of a way back: it is called one', async () => {
    const terminal = openTerminal({columns: 100, rows: 30});
    const story = started(terminal, 'rollback');
    const components = [planOf('service', [{risk: 'update', summary: 'revision 1'}])];
    story.emit({type: 'plan.ready', plan: {fingerprint: 'b41f77c2', onFailure: 'leave', components}});
    story.ask(approval).catch(() => {});
    await terminal.shows('What would change');
    await terminal.press('enter');
    await terminal.shows('Take pass back to 1.14.0 in production?');
    expect(terminal.screen()).toMatch(/Type \S+ to take it back:/);
    expect(terminal.screen()).toContain('enter with nothing typed declines the way back and ends it');
  });
});
