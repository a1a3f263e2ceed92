import {expect, test} from 'vitest';
import {batched} from '../../../src/tools/aws/batched.ts';

/** Looks up a name by making it loud; notes every call. */
function loud(most: number) {
  const calls: string[] = [];
  const look = batched<string>(most, (group, names) => {
    calls.push(`${group}: ${names.join(' ')}`);
    return Promise.resolve(names.map(name => (name === 'missing' ? undefined : name.toUpperCase())));
  });
  return {calls, look};
}

test('look-ups of the same moment go out together, each with its own answer', async () => {
  const {calls, look} = loud(10);
  expect(await Promise.all([look('pass', 'a'), look('pass', 'missing'), look('pass', 'b')])).toEqual(['A', undefined, 'B']);
  expect(calls).toEqual(['pass: a missing b']);
});

test('no call holds more than AWS takes', async () => {
  const {calls, look} = loud(2);
  expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map(name => look('pass', name)))).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(calls).toEqual(['pass: a b', 'pass: c d', 'pass: e']);
});

test('a name that several ask for is looked up once', async () => {
  const {calls, look} = loud(10);
  expect(await Promise.all([look('pass', 'a'), look('pass', 'a')])).toEqual(['A', 'A']);
  expect(calls).toEqual(['pass: a']);
});

test('what is in different clusters is asked for apart', async () => {
  const {calls, look} = loud(10);
  await Promise.all([look('pass', 'a'), look('staging', 'a')]);
  expect(calls).toEqual(['pass: a', 'staging: a']);
});

test('nothing is kept for the next moment', async () => {
  const {calls, look} = loud(10);
  await look('pass', 'a');
  await look('pass', 'a');
  expect(calls).toEqual(['pass: a', 'pass: a']);
});

test('a call that fails fails for those that it was for, and for nobody else', async () => {
  const look = batched<string>(1, (_group, [name = '']) =>
    name === 'bad' ? Promise.reject(new Error('throttled')) : Promise.resolve([name]),
  );
  const [bad, good] = await Promise.allSettled([look('pass', 'bad'), look('pass', 'good')]);
  expect(bad).toMatchObject({status: 'rejected', reason: {message: 'throttled'}});
  expect(good).toEqual({status: 'fulfilled', value: 'good'});
});
