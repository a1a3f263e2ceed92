import {expect, test} from 'vitest';
import {type Budget, createBudget} from '../../src/tools/pacing.ts';
import {virtualTime} from '../support/virtual-time.ts';

/** Sends so many calls as fast as it may; says when each was sent, in milliseconds. */
function sending(budget: Budget, calls: number, now: () => number): readonly number[] {
  const sent: number[] = [];
  for (let call = 0; call < calls; call++) void budget.turn().then(() => sent.push(now()));
  return sent;
}

test('a burst goes out at once, and what is more waits its turn, below what AWS allows', async () => {
  const time = virtualTime();
  const sent = sending(createBudget({burst: 20, perSecond: 5}, time), 40, time.now);
  await time.pass(0);
  expect(sent).toHaveLength(16);
  await time.pass(1000);
  expect(sent).toHaveLength(20);
  await time.pass(60_000);
  expect(sent).toHaveLength(40);
  // In any second after the burst no more than AWS's own rate.
  const most = Math.max(...sent.slice(16).map(from => sent.filter(at => at >= from && at < from + 1000).length));
  expect(most).toBeLessThanOrEqual(5);
});

test('calls that were throttled make the next ones rarer, until all goes well again', async () => {
  const time = virtualTime();
  const budget = createBudget({burst: 2, perSecond: 10}, time);
  await budget.turn();
  const paces: number[] = [];
  const measure = async () => {
    const sent = sending(budget, 4, time.now);
    await time.pass(60_000);
    paces.push((sent.at(-1) ?? 0) - (sent[0] ?? 0));
  };
  await measure();
  budget.went(true);
  budget.went(true);
  await measure();
  for (let call = 0; call < 30; call++) budget.went(false);
  await measure();
  expect(paces[1]).toBeGreaterThan(3 * (paces[0] ?? 0));
  expect(paces[2]).toBeLessThanOrEqual(paces[0] ?? 0);
});

test('a clock that is set back holds nobody up for long', async () => {
  let now = 10_000_000;
  const waits: number[] = [];
  const budget = createBudget({burst: 2, perSecond: 10}, {now: () => now, sleep: ms => Promise.resolve(void waits.push(ms))});
  await budget.turn();
  now -= 3_600_000;
  await budget.turn();
  expect(Math.max(0, ...waits)).toBeLessThanOrEqual(60_000);
});
