import {describe, expect, test} from 'vitest';
import {shared} from '../../../src/tools/aws/shared.ts';
import {virtualTime} from '../../support/virtual-time.ts';

interface Seen {
  readonly name: string;
  readonly at: number;
}

/** Looks names up, ten a call; each answer says when it was asked for. `behave` may refuse a call or say that it was throttled. */
function watched(behave: (call: number) => 'throttled' | 'refused' | undefined = () => undefined) {
  const time = virtualTime();
  const calls: {readonly at: number; readonly names: readonly string[]}[] = [];
  const poller = shared<Seen>(
    10,
    (_group, names) => {
      calls.push({at: time.now(), names});
      const said = behave(calls.length);
      if (said === 'refused') return Promise.reject(new Error('Rate exceeded'));
      const at = time.now();
      return Promise.resolve({found: names.map(name => ({name, at})), throttled: said === 'throttled'});
    },
    time,
  );
  /** Somebody who looks again a second after each answer, as the engine does. */
  const follow = (name: string, from = 0): Seen[] => {
    const answers: Seen[] = [];
    const go = async () => {
      await time.sleep(from);
      for (;;) {
        const seen = await poller.look('main', name).catch(() => undefined);
        if (seen) answers.push(seen);
        await time.sleep(1000);
      }
    };
    void go();
    return answers;
  };
  return {time, calls, poller, follow};
}

const names = Array.from({length: 60}, (_, index) => `service-${index}`);

describe('sixty services that are watched', () => {
  test.each([
    ['in step', () => 0],
    ['each from another moment on', (index: number) => index * 173],
  ])('%s cost six calls a second', async (_how, from) => {
    const {time, calls, follow} = watched();
    names.forEach((name, index) => follow(name, from(index)));
    await time.pass(20_000);
    const before = calls.length;
    for (let second = 0; second < 10; second++) {
      const so = calls.length;
      await time.pass(1000);
      expect(calls.length - so).toBeLessThanOrEqual(7);
    }
    expect(calls.length - before).toBeGreaterThanOrEqual(54);
  });

  test('are each seen at least every 1.5 s', async () => {
    const {time, follow} = watched();
    const all = names.map((name, index) => follow(name, index * 173));
    await time.pass(30_000);
    for (const answers of all) {
      const late = answers.slice(1).map(({at}, index) => at - (answers[index]?.at ?? 0));
      expect(Math.max(...late)).toBeLessThanOrEqual(1500);
    }
  });
});

test('looks of one tick get the very same answer', async () => {
  const {time, poller} = watched();
  const looks = Promise.all([poller.look('main', 'web'), poller.look('main', 'web')]);
  await time.pass(1);
  const [one, other] = await looks;
  expect(one).toBe(other);
  await time.pass(300);
  expect(await poller.look('main', 'web')).toBe(one);
});

test('what we have changed ourselves is looked at anew', async () => {
  const {time, poller} = watched();
  const first = poller.look('main', 'web');
  await time.pass(1);
  await first;
  await time.pass(100);
  poller.forget('main', 'web');
  const again = poller.look('main', 'web');
  await time.pass(1);
  expect((await again)?.at).toBe(101);
});

test('while AWS throttles, the pace gets slower, and comes back afterwards', async () => {
  let throttled = true;
  const {time, calls, follow} = watched(() => (throttled ? 'throttled' : undefined));
  follow('web');
  await time.pass(60_000);
  const slow = calls.length;
  expect(slow).toBeLessThanOrEqual(8);
  throttled = false;
  await time.pass(120_000);
  const so = calls.length;
  await time.pass(10_000);
  expect(calls.length - so).toBeGreaterThanOrEqual(9);
});

test('a call that fails is tried again with the next tick, by whoever still looks', async () => {
  const {time, calls, follow} = watched(call => (call === 2 ? 'refused' : undefined));
  const answers = follow('web');
  await time.pass(6000);
  expect(calls.length).toBeGreaterThanOrEqual(3);
  expect(answers.at(-1)?.at).toBeGreaterThan(2000);
});

test('what nobody looks at any more is watched no more', async () => {
  const {time, calls, poller, follow} = watched();
  void poller.look('main', 'left');
  follow('web');
  await time.pass(20_000);
  expect(calls.at(-1)?.names).toEqual(['web']);
});
