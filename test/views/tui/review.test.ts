/** Reading a plan that is longer than the screen: folding, filter, search, what it takes down, the way back. */
import {expect, test} from 'vitest';
import {approval, cookbookCards, passCards, planOf, tell} from './support/story.ts';
import {openTerminal, type TestTerminal} from './support/terminal.ts';

const image = (tag: string) =>
  `333333333333.dkr.ecr.us-east-1.amazonaws.com/deposit-services/deposit-services-core-under-a-long-name:${tag}`;

const outage = {
  id: 'aws_instance.default',
  risk: 'outage',
  summary: 'aws_instance.default is destroyed and then created anew',
  details: [
    {name: 'user_data', before: 'run 0.7.1', after: 'run 0.7.2'},
    {name: 'outage', before: null, after: '~2 m 0 s, last 3: 1 m 50 s, 2 m 4 s, 2 m 0 s'},
  ],
} as const;

const records = Array.from({length: 6}, (_, index) => ({
  id: `record ${index}`,
  risk: 'update' as const,
  summary: `aws_route53_record.name[${index}] is updated in place`,
  details: [
    {name: 'ttl', before: '60', after: '300'},
    {name: 'target', before: `10.0.0.${index}`, after: `10.0.1.${index}`},
  ],
}));

async function reviewing(terminal: TestTerminal): Promise<void> {
  const story = tell(terminal.tui, terminal.clock);
  story.started([...passCards, ...cookbookCards], '1.14.0');
  const service = planOf('service', [...records, {...outage, details: [...outage.details]}]);
  story.emit({
    type: 'plan.ready',
    plan: {
      fingerprint: 'b41f77c2',
      onFailure: 'leave',
      components: [
        {
          ...planOf('deposit-services', [{details: [{name: 'core image', before: image('1.13.2'), after: image('1.14.0')}]}]),
          kind: 'ecs-service',
        },
        {...service, notes: ['goes down: aws_instance.default; ~2 m 0 s, last 3: 1 m 50 s, 2 m 4 s, 2 m 0 s']},
      ],
      back: [
        {component: 'deposit-services', revert: 'auto', version: '1.13.2', state: null},
        {component: 'service', revert: 'ask', version: '0.7.1', state: null},
      ],
    },
  });
  story.ask(approval).catch(() => {});
  await terminal.shows('What would change');
}

test('what goes down, for how long, and the way back stand in the plan and in its total', async () => {
  const terminal = openTerminal({columns: 100, rows: 40});
  await reviewing(terminal);
  expect(terminal.screen()).toContain('7 update, 1 outage (~2 m 0 s)');
  expect(terminal.screen()).toContain('way back: to 1.13.2');
  await terminal.press('down');
  await terminal.shows('goes down: aws_instance.default; ~2 m 0 s');
  await terminal.shows('way back: to 0.7.1, when somebody says so (revert: ask)');
});

test('of many changes those that are not grave are folded; space unfolds one, e all', async () => {
  const terminal = openTerminal({columns: 100, rows: 40});
  await reviewing(terminal);
  await terminal.press('down');
  await terminal.shows('▾ outage');
  expect(terminal.screen()).toMatch(/user_data +run 0\.7\.1 → run 0\.7\.2/);
  expect(terminal.screen()).toContain('▸ update   aws_route53_record.name[0] is updated in place');
  expect(terminal.screen()).not.toContain('60 → 300');
  await terminal.press('tab', 'down', 'space');
  await terminal.shows('▾ update   aws_route53_record.name[0]');
  expect(terminal.screen()).toContain('10.0.0.0 → 10.0.1.0');
  expect(terminal.screen()).not.toContain('10.0.0.1 → 10.0.1.1');
  await terminal.press('space');
  await terminal.hides('10.0.0.0 → 10.0.1.0');
  await terminal.send('\u001B[C');
  await terminal.shows('10.0.0.0 → 10.0.1.0');
  await terminal.press('e');
  await terminal.hides('run 0.7.1');
  await terminal.press('e');
  await terminal.shows('10.0.0.5 → 10.0.1.5');
});

test('a change that is unfolded at the lower edge comes into sight', async () => {
  const terminal = openTerminal();
  await reviewing(terminal);
  await terminal.press('down', 'tab', 'down', 'down', 'down', 'space');
  await terminal.shows('10.0.0.2 → 10.0.1.2');
  await terminal.press('G');
  await terminal.shows('way back: to 0.7.1');
  await terminal.press('g');
  await terminal.shows('▾ outage');
});

test('f shows one risk at a time, worst first, and then everything again', async () => {
  const terminal = openTerminal({columns: 100, rows: 40});
  await reviewing(terminal);
  expect(terminal.screen()).toContain('f filter');
  await terminal.press('f');
  await terminal.shows(/What would change +only outage/);
  expect(terminal.screen()).not.toContain('deposit-services');
  expect(terminal.screen()).not.toContain('aws_route53_record');
  expect(terminal.screen()).toContain('aws_instance.default is destroyed');
  await terminal.press('f');
  await terminal.shows('only update');
  await terminal.shows('▸ deposit-services');
  await terminal.press('f');
  await terminal.shows('7 update, 1 outage');
});

test('what is looked for is found in every component, folded or not; escape ends that and nothing else', async () => {
  const terminal = openTerminal();
  await reviewing(terminal);
  await terminal.press('/', '10.0.1.');
  await terminal.shows('"10.0.1." 1 of 6');
  await terminal.shows('/10.0.1.▏');
  await terminal.shows('▸ service');
  await terminal.shows('10.0.0.0 → 10.0.1.0');
  await terminal.press('enter', 'n', 'n');
  await terminal.shows('3 of 6');
  await terminal.shows('10.0.0.2 → 10.0.1.2');
  await terminal.press('N', 'N', 'N');
  await terminal.shows('6 of 6');
  await terminal.shows('10.0.0.5 → 10.0.1.5');
  await terminal.press('escape');
  await terminal.shows('7 update, 1 outage');
  await terminal.press('/', 'nowhere');
  await terminal.shows('nothing found');
  await terminal.press('escape', 'enter');
  await terminal.shows('Type production');
});

test('the name of an image that is longer than its column keeps its tag', async () => {
  const terminal = openTerminal({columns: 80, rows: 24});
  await reviewing(terminal);
  await terminal.shows(/- \S*…\S*:1\.13\.2\n/);
  expect(terminal.screen()).toMatch(/\+ \S*…\S*:1\.14\.0\n/);
});

test('the summary of what is approved can be scrolled where it is longer than its room', async () => {
  const terminal = openTerminal({columns: 60, rows: 16});
  await reviewing(terminal);
  await terminal.press('enter', 'prod');
  await terminal.shows('pgup pgdn');
  expect(terminal.screen()).not.toContain('in CI this takes');
  await terminal.press(...Array.from({length: 8}, () => 'pagedown'));
  await terminal.shows('in CI this takes');
  await terminal.shows('prod▏');
});
