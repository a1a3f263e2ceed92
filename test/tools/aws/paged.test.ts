import {expect, test} from 'vitest';
import {paged} from '../../../src/tools/aws/paged.ts';

/** A listing whose pages name these as their next ones. */
const listing = (...tokens: readonly (string | undefined)[]) => {
  let asked = 0;
  const all = paged({
    ask: () => Promise.resolve(tokens[asked++] ?? tokens.at(-1)),
    items: () => [asked],
    next: token => token,
  });
  return {all, asked: () => asked};
};

test('an empty token is none: there is no other page', async () => {
  const {all} = listing('second', '');
  expect(await all).toEqual({found: [1, 2], more: false});
});

test('pages without end are not asked for without end', async () => {
  const {all, asked} = listing('second', 'second');
  await expect(all).rejects.toThrow('AWS answers with the same page again and again');
  expect(asked()).toBe(2);
});
