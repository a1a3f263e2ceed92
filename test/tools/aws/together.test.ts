import {expect, test} from 'vitest';
import {together} from '../../../src/tools/aws/together.ts';

/** Questions whose answers come when the test says so. */
function slow(freshness?: Parameters<typeof together>[1]) {
  const asked: {readonly name: string; answer(text: string): void; fail(error: Error): void}[] = [];
  const {ask, changed} = together(
    ({name}: {readonly name: string}) =>
      new Promise<string>((answer, fail) => {
        asked.push({name, answer, fail});
      }),
    freshness,
  );
  return {asked, ask, changed};
}

test('the same question of the same moment is one call; another question, and a later one, is another', async () => {
  const {asked, ask} = slow();
  const both = Promise.all([ask({name: 'nightly'}), ask({name: 'nightly'})]);
  void ask({name: 'weekly'});
  expect(asked.map(({name}) => name)).toEqual(['nightly', 'weekly']);
  asked[0]?.answer('on revision 7');
  expect(await both).toEqual(['on revision 7', 'on revision 7']);
  void ask({name: 'nightly'});
  expect(asked).toHaveLength(3);
});

test('after a change nobody gets the answer to what was asked before it', async () => {
  const {asked, ask, changed} = slow();
  const before = ask({name: 'nightly'});
  changed();
  const after = ask({name: 'nightly'});
  asked[0]?.answer('on revision 7');
  await before;
  // The one before is over; the one after is still shared.
  const again = ask({name: 'nightly'});
  asked[1]?.answer('on revision 8');
  expect(await Promise.all([after, again])).toEqual(['on revision 8', 'on revision 8']);
  expect(asked).toHaveLength(2);
});

test('a failure is told to all who asked, and kept for nobody', async () => {
  const {asked, ask} = slow();
  const both = Promise.allSettled([ask({name: 'nightly'}), ask({name: 'nightly'})]);
  asked[0]?.fail(new Error('no answer'));
  expect((await both).map(({status}) => status)).toEqual(['rejected', 'rejected']);
  void ask({name: 'nightly'});
  expect(asked).toHaveLength(2);
});

test('an answer that may be a second old is told for a second, and anew when the clock was set back', async () => {
  let now = 5000;
  const {asked, ask} = slow({lasts: 1000, now: () => now});
  const first = ask({name: 'web:7'});
  asked[0]?.answer('with image 1.0');
  await first;
  now += 999;
  expect(await ask({name: 'web:7'})).toBe('with image 1.0');
  now += 1;
  void ask({name: 'web:7'});
  expect(asked).toHaveLength(2);
  asked[1]?.answer('with image 1.0');
  await ask({name: 'web:7'});
  now -= 60_000;
  void ask({name: 'web:7'});
  expect(asked).toHaveLength(3);
});
