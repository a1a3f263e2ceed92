/**
 * The crash harness: at every moment of a whole release the process is thrown away, the record is read back, and the run is gone
 * on with. Whatever the moment, the world must end as if nothing had happened, with every effect exactly once.
 */
import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {replay} from '../../src/release/history.ts';
import {type CrashPoint, type Going, type Thing, endState, testRelease} from '../support/world.ts';

/** Two that are built from source, one of them in two steps; two that only deploy; needs across both. */
const things = {
  core: {prepares: ['bump', 'build', 'push'], steps: ['register', 'update'], requires: ['session'], takes: 3000, within: 60_000},
  service: {needs: ['core'], steps: ['edit', 'apply', 'commit']},
  loader: {prepares: ['bump', 'push'], needs: ['core'], takes: 5000, within: 60_000},
  other: {},
} satisfies Record<string, Thing>;

const moments = ['before intent', 'before call', 'after call'] as const;

/** Goes on until a process gets to the end. */
async function goToTheEnd(release: ReturnType<typeof testRelease>, options: Going = {}) {
  for (let process = 1; process <= 20; process++) {
    const gone = await release.go(options);
    if (gone.finish !== undefined) return gone;
  }
  throw new Error('it never came to an end');
}

const undisturbed = testRelease(things);
const whole = await undisturbed.go();
const steps = whole.events.flatMap(event => (event.type === 'intent' ? [`${event.job.component}/${event.step}`] : []));
const lines = whole.events.length;

test('the undisturbed release does every step once', () => {
  expect(whole.finish).toMatchObject({outcome: 'passed'});
  expect(steps).toHaveLength(12);
  expect(undisturbed.world.effects.toSorted()).toEqual(steps.toSorted());
});

describe.each(moments)('thrown away %s', at => {
  test.each(steps)('of %s: the next process brings it to the same end', async step => {
    const release = testRelease(things);
    const crash: CrashPoint = {at, step};
    expect((await release.go({crash})).finish).toBeUndefined();
    const gone = await goToTheEnd(release);

    expect(gone.finish).toEqual(whole.finish);
    expect(endState(release.world)).toEqual(endState(undisturbed.world));
    expect(release.record().problems).toEqual([]);
    const history = replay(release.record().events);
    expect([...history.done.keys()].sort()).toEqual([...replay(undisturbed.record().events).done.keys()].sort());
    expect(history.open.size).toBe(0);
    // Found by looking, not done again.
    const adopted = gone.events.flatMap(event =>
      event.type === 'effect' && event.adopted && event.result.is === 'done' ? [`${event.job.component}/${event.step}`] : [],
    );
    if (at === 'after call') expect(adopted).toContain(step);
    else expect(adopted).not.toContain(step);
  });
});

test('thrown away before any line of its record', async () => {
  for (let beforeLine = 0; beforeLine < lines; beforeLine++) {
    const release = testRelease(things);
    expect((await release.go({crash: {beforeLine}})).finish).toBeUndefined();
    const gone = await goToTheEnd(release);
    expect(gone.finish, `before line ${beforeLine}`).toEqual(whole.finish);
    expect(endState(release.world), `before line ${beforeLine}`).toEqual(endState(undisturbed.world));
    expect(release.record().problems).toEqual([]);
  }
});

test('thrown away again and again, wherever it is', {timeout: 60_000}, async () => {
  const point: fc.Arbitrary<CrashPoint> = fc.oneof(
    fc.record({at: fc.constantFrom(...moments), step: fc.constantFrom(...steps)}),
    fc.record({beforeLine: fc.nat({max: 2 * lines})}),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(point, {minLength: 2, maxLength: 6}),
      fc.integer({min: 1, max: 4}),
      async (crashes, maxParallel) => {
        const release = testRelease(things);
        for (const crash of crashes) if ((await release.go({crash, maxParallel})).finish !== undefined) break;
        if (replay(release.record().events).finished === undefined) await goToTheEnd(release, {maxParallel});
        expect(replay(release.record().events).finished).toMatchObject({...whole.finish});
        expect(endState(release.world)).toEqual(endState(undisturbed.world));
      },
    ),
    {numRuns: 100},
  );
});

describe('a plan that is declined', () => {
  const decline: Going = {answers: question => (question.about === 'approval' ? 'no' : undefined)};
  const declined = testRelease(things);

  test('thrown away before any line of it: the next process leaves the files as they were', async () => {
    const files = new Map(declined.world.files);
    const {events, finish} = await declined.go(decline);
    expect(finish).toMatchObject({outcome: 'refused', exitCode: 3});
    expect(events.some(event => event.type === 'intent' && event.undo)).toBe(true);
    for (let beforeLine = 0; beforeLine < events.length; beforeLine++) {
      const release = testRelease(things);
      expect((await release.go({...decline, crash: {beforeLine}})).finish).toBeUndefined();
      const gone = await goToTheEnd(release, decline);
      expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
      expect(release.world.files).toEqual(files);
      expect(release.world.effects.filter(effect => !/bump|build|push/.test(effect))).toEqual([]);
    }
  });

  test.each(['core/bump undone', 'loader/bump undone'])('thrown away around %s', async step => {
    for (const at of ['before call', 'after call'] as const) {
      const release = testRelease(things);
      const files = new Map(release.world.files);
      expect((await release.go({...decline, crash: {at, step}})).finish).toBeUndefined();
      expect((await goToTheEnd(release, decline)).finish).toMatchObject({outcome: 'refused'});
      expect(release.world.files).toEqual(files);
    }
  });

  test('thrown away while it is taken back, and approved then: it goes out as if nothing had happened', async () => {
    const release = testRelease(things);
    await release.go({...decline, crash: {at: 'after call', step: 'core/bump undone'}});
    expect((await goToTheEnd(release)).finish).toMatchObject({outcome: 'passed'});
    expect([...release.world.files.values()]).toEqual(['1.14.0', '1.14.0']);
  });
});

describe('a message that nobody can look for', () => {
  const message = {core: {blind: true, steps: ['publish']}, service: {needs: ['core']}} satisfies Record<string, Thing>;

  test.each(['before call', 'after call'] as const)('thrown away %s: it is asked about, and never sent by itself', async at => {
    const release = testRelease(message);
    await release.go({crash: {at, step: 'core/publish'}});
    const sent = [...release.world.effects];
    const left = await release.go();
    expect(left.asked.map(({about}) => about)).toEqual(['unknown step']);
    expect(left.finish).toMatchObject({outcome: 'unknown', exitCode: 7, touched: true});
    expect(release.world.effects).toEqual(sent);

    // Somebody has found out that it did not come through.
    const again = await release.go({answers: question => (question.about === 'unknown step' ? 'again' : undefined)});
    expect(again.finish).toMatchObject({outcome: 'passed'});
    expect(release.world.effects).toEqual([...sent, 'core/publish', 'service/change']);
  });

  test('thrown away before its intent: it was not sent, and is sent without asking', async () => {
    const release = testRelease(message);
    await release.go({crash: {at: 'before intent', step: 'core/publish'}});
    const gone = await release.go();
    expect(gone.asked).toEqual([]);
    expect(release.world.effects).toEqual(['core/publish', 'service/change']);
  });
});
