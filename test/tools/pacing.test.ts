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

test('calls that were held up make the next ones rarer, four times at most; each that goes well halves that again', async () => {
  const time = virtualTime();
  const budget = createBudget({burst: 2, perSecond: 10}, time);
  await budget.turn();
  const pace = async () => {
    const sent = sending(budget, 4, time.now);
    await time.pass(60_000);
    return (sent.at(-1) ?? 0) - (sent[1] ?? 0);
  };
  const usual = await pace();
  for (let call = 0; call < 10; call++) budget.went(true);
  expect((await pace()) / usual).toBeCloseTo(4);
  budget.went(false);
  expect((await pace()) / usual).toBeCloseTo(2);
  budget.went(false);
  expect((await pace()) / usual).toBeCloseTo(1);
  budget.went(false);
  expect((await pace()) / usual).toBeCloseTo(1);
});

test('whoever gives up waiting leaves the turn to those who come after', async () => {
  const time = virtualTime();
  const budget = createBudget({burst: 2, perSecond: 1}, time);
  await budget.turn();
  const givenUp = Array.from({length: 20}, () => budget.turn(() => Promise.reject(new Error('stopped'))));
  await Promise.allSettled(givenUp);
  const sent = sending(budget, 1, time.now);
  await time.pass(3000);
  expect(sent).toHaveLength(1);
});

test('a clock that is set back holds nobody up for longer than one that is not', async () => {
  let now = 10_000_000;
  const waits: number[] = [];
  const budget = createBudget({burst: 2, perSecond: 10}, {now: () => now, sleep: ms => Promise.resolve(void waits.push(ms))});
  await budget.turn();
  now -= 3_600_000;
  await budget.turn();
  await budget.turn();
  // Eight a second.
  expect(Math.max(0, ...waits)).toBeLessThanOrEqual(2 * 125);
});

test('what cannot be waited for is not: a timer has milliseconds', async () => {
  const waits: number[] = [];
  const budget = createBudget({burst: 5000, perSecond: 5000}, {now: () => 0, sleep: ms => Promise.resolve(void waits.push(ms))});
  for (let call = 0; call < 4010; call++) await budget.turn();
  expect(waits.length).toBeGreaterThan(0);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1);
});
