import {expect, onTestFinished, test} from 'vitest';
import {survey} from '../../../src/components/loaders/survey.ts';
import {startEmulator} from '../../../src/emulator/index.ts';
import {createAws} from '../../../src/tools/aws/index.ts';

/** An account with two rules, and a clock in the test's hands. */
async function account() {
  const {url, world, calls, close} = await startEmulator({});
  onTestFinished(close);
  for (const name of ['nightly', 'weekly']) world.createRule({name, ScheduleExpression: 'rate(1 day)'});
  const time = {now: 1_000_000};
  const aws = createAws({
    region: 'us-east-1',
    profile: undefined,
    login: undefined,
    env: {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'},
  });
  const looks = () => calls.filter(({action}) => action === 'ListRules').length;
  return {world, time, looks, look: () => survey({aws, clock: {now: () => time.now}})};
}

test('loaders that end within ten seconds share one look at what else the account starts; later ones look anew', async () => {
  const {world, time, looks, look} = await account();
  await Promise.all([look(), look()]);
  time.now += 9999;
  expect((await look()).rules).toHaveLength(2);
  expect(looks()).toBe(1);
  world.createRule({name: 'yearly', ScheduleExpression: 'rate(365 days)'});
  time.now += 1;
  expect((await look()).rules).toHaveLength(3);
  // A clock that was set back says nothing about how old it is.
  time.now -= 3_600_000;
  await look();
  expect(looks()).toBe(3);
});

test('rules of every event bus are looked at; whoever may not list the buses is told, and still sees the default one', async () => {
  const {world, time, look} = await account();
  world.createRule({name: 'on-upload', eventBus: 'uploads', EventPattern: '{"source":["uploads"]}'});
  expect((await look()).rules.map(({rule}) => [rule.bus, rule.name])).toEqual([
    ['default', 'nightly'],
    ['default', 'weekly'],
    ['uploads', 'on-upload'],
  ]);
  world.deny('events:ListEventBuses');
  time.now += 10_000;
  const seen = await look();
  expect(seen.rules).toHaveLength(2);
  expect(seen.unseen).toEqual([expect.stringMatching(/^event buses could not be looked at: not allowed/)]);
});

test('a look that was refused is tried again by the next one', async () => {
  const {world, looks, look} = await account();
  world.deny('events:ListRules');
  expect((await look()).unseen).toEqual([expect.stringMatching(/^rules could not be looked at: not allowed/)]);
  await look();
  expect(looks()).toBe(2);
});

test('one bus, rule, schedule or state machine that may not be looked at hides no other one', async () => {
  const {world, look} = await account();
  world.createRule({name: 'on-upload', eventBus: 'uploads', EventPattern: '{"source":["uploads"]}'});
  for (const action of ['ListRules', 'ListTargetsByRule', 'DescribeStateMachine'])
    world.fail({action, kind: {code: 'AccessDeniedException'}});
  for (const name of ['load', 'unload'])
    world.createStateMachine({name, roleArn: 'arn:aws:iam::000000000000:role/start', definition: '{}'});
  world.createRule({name: 'on-download', eventBus: 'uploads', EventPattern: '{"source":["uploads"]}'});
  const {rules, machines, unseen} = await look();
  expect([rules.length, machines.length]).toEqual([1, 1]);
  expect(unseen.toSorted()).toEqual([
    expect.stringMatching(/^1 of 2 event buses could not be looked at: not allowed to call events:ListRules/),
    expect.stringMatching(/^1 of 2 rules could not be looked at: not allowed to call events:ListTargetsByRule/),
    expect.stringMatching(/^1 of 2 state machines could not be looked at: not allowed to call states:DescribeStateMachine/),
  ]);
});
