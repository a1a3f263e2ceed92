import {expect, test} from 'vitest';
import {type Action, createBudgets} from '../../../src/tools/aws/budgets.ts';
import {virtualTime} from '../../support/virtual-time.ts';

test('what AWS counts together has one budget, whatever else goes on', async () => {
  const time = virtualTime();
  const budgets = createBudgets(time);
  const together: readonly Action[] = [
    'events:DescribeRule',
    'events:ListTargetsByRule',
    'events:PutTargets',
    'events:ListRules',
  ];
  const sent: Action[] = [];
  const send = (action: Action) =>
    void budgets(action)
      .turn()
      .then(() => sent.push(action));
  for (let call = 0; call < 60; call++) send(together[call % together.length] ?? 'events:ListRules');
  send('scheduler:GetSchedule');
  await time.pass(0);
  expect(sent).toHaveLength(40 + 1);
  await time.pass(1000);
  expect(sent).toHaveLength(60 + 1);
});

test.each<[Action, number]>([
  ['sts:GetCallerIdentity', 480],
  ['ecr:GetAuthorizationToken', 400],
  ['ecr:BatchGetImage', 1600],
  ['s3:GetObject', 4400],
  ['s3:PutObject', 2800],
])('%s: %i at once, and as many a second', async (action, most) => {
  const time = virtualTime();
  const budget = createBudgets(time)(action);
  let sent = 0;
  for (let call = 0; call < 3 * most; call++) void budget.turn().then(() => (sent += 1));
  await time.pass(0);
  // What is less than a millisecond early counts as in time.
  expect(sent / most).toBeCloseTo(1, 2);
  await time.pass(500);
  expect(sent / most).toBeCloseTo(1.5, 2);
});
