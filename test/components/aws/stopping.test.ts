/** Waiting for AWS: whoever waits is told why, and a stop ends it. */
import {expect, test} from 'vitest';
import {waiting} from '../../../src/components/aws/waiting.ts';
import {StoppedError} from '../../../src/release/errors.ts';
import {serve} from '../../tools/server.ts';
import {standingClock} from '../support/world.ts';
import {bench} from '../loaders/support.ts';

test('a wait that somebody notices is told in the log and while it lasts; a short one is not', async () => {
  const log: string[] = [];
  const shown: string[] = [];
  const wait = waiting({
    clock: standingClock(0),
    signal: new AbortController().signal,
    log: line => void log.push(line),
    progress: ({text}) => void shown.push(text),
  });
  await wait(2999);
  expect(log).toEqual([]);
  await wait(41_500);
  expect(log).toEqual(['waits 42 s for its turn: AWS takes only so many of these calls a second']);
  expect(shown).toEqual(log);
});

test('a stop ends what only looks, although AWS has not answered yet; and nothing is looked at after it', async () => {
  const {promise: asked, resolve} = Promise.withResolvers<void>();
  await using server = await serve(() => resolve());
  const settings = {
    kind: 'ecs-scheduled-task',
    family: 'loader',
    images: {loader: 'ecr/loader'},
    targets: [{rule: 'nightly'}],
  } as const;
  const {component, io} = bench(server.url, settings);
  const stop = new AbortController();
  const stopped = {...io, signal: stop.signal};
  const target = {is: 'release', version: '1.14.0'} as const;
  const claims = component.requirements(target);
  const looks = [...claims.map(claim => component.check(claim, stopped)), component.plan(target, stopped, new Map())];
  await asked;
  stop.abort();
  const ends = await Promise.allSettled(looks);
  expect(ends.map(end => end.status === 'rejected' && end.reason instanceof StoppedError)).toEqual(looks.map(() => true));
  const calls = server.requests.length;
  await expect(component.plan(target, stopped, new Map())).rejects.toThrow(StoppedError);
  expect(server.requests).toHaveLength(calls);
});
