/** What the lock of an environment does, wherever it is kept. */
import {afterEach, beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import type {Owner} from '../../src/record/lock-events.ts';
import {EnvironmentLockedError, type HeldLock, type Taking, asOwner, lookAtLock, takeLock} from '../../src/record/lock.ts';
import type {Cell} from '../../src/record/medium.ts';
import {DeployError} from '../../src/release/errors.ts';
import {type Place, environment} from './support/places.ts';

/** Somebody on another machine: whether they are still there, their lease says. */
export const ann: Owner = {user: 'ann', host: 'elsewhere', pid: 7, work: 'release 1.14.0', since: '2026-01-15T12:00:00.000Z'};
/** This very process. */
export const jo = asOwner({
  user: 'jo',
  host: 'laptop',
  pid: process.pid,
  work: 'release 1.15.0',
  since: '2026-01-15T12:01:00.000Z',
});

/** A lease that has ended before it began, and that nobody renews. */
const over = {lease: -1000, beat: 3_600_000};

const take = (cell: Cell, who: Owner, more: Omit<Taking, 'environment'> = {}) => takeLock(cell, who, {environment, ...more});

/** Given back when the test is over: nothing renews it for ever. */
async function holds(cell: Cell, who: Owner, more: Omit<Taking, 'environment'> = {}): Promise<HeldLock> {
  const lock = await take(cell, who, more);
  onTestFinished(() => lock.release());
  return lock;
}

export function lockSuite(newPlace: () => Promise<Place>): void {
  const newCell = async () => (await (await newPlace()).open()).cell(environment);

  describe('the lock of an environment', () => {
    test('is held by one, and given back', async () => {
      const cell = await newCell();
      expect(await lookAtLock(cell, jo.host)).toEqual({is: 'free'});
      const lock = await take(cell, ann);
      expect(await lookAtLock(cell, jo.host)).toEqual({is: 'held', owner: ann});
      await expect(take(cell, jo)).rejects.toThrow(EnvironmentLockedError);
      await lock.release();
      expect(await lookAtLock(cell, jo.host)).toEqual({is: 'free'});
      await (await take(cell, jo)).release();
    });

    test('says who has it, since when and for what; exit 4', async () => {
      const cell = await newCell();
      await holds(cell, {...ann, identity: 'arn:aws:iam::333333333333:user/ann', reason: 'the fair'});
      await expect(take(cell, jo)).rejects.toMatchObject({
        exitCode: 4,
        message:
          'production is locked by ann on elsewhere (process 7, arn:aws:iam::333333333333:user/ann) since 2026-01-15T12:00:00.000Z, for release 1.14.0: the fair',
        means: 'The environment was not touched.',
        next: [
          'Wait for it to end, or let it be waited for: --wait-lock 10m',
          'If it is gone for good: deploy-wizard lock release --env production --reason <text>',
        ],
      });
    });

    test.each(['free', 'expired'])('that is %s goes to exactly one of eight who come at once', async how => {
      const place = await newPlace();
      const cells = await Promise.all(Array.from({length: 8}, async () => (await place.open()).cell(environment)));
      const before = await take((await place.open()).cell(environment), ann, {timing: over});
      if (how === 'free') await before.release();
      const all = await Promise.allSettled(cells.map(cell => take(cell, jo)));
      expect(all.map(({status}) => status).sort()).toEqual(['fulfilled', ...Array.from({length: 7}, () => 'rejected')]);
      for (const one of all) {
        if (one.status === 'fulfilled') await one.value.release();
        else expect(one.reason).toBeInstanceOf(EnvironmentLockedError);
      }
    });

    test('whose lease has expired is taken over, and says from whom', async () => {
      const cell = await newCell();
      await holds(cell, ann, {timing: over});
      expect(await lookAtLock(cell, jo.host)).toEqual({is: 'expired', owner: ann});
      const lock = await holds(cell, jo);
      expect(lock.from).toEqual(ann);
      expect(await lookAtLock(cell, ann.host)).toEqual({is: 'held', owner: jo});
    });

    test('is not given back by whoever has lost it', async () => {
      const cell = await newCell();
      const lost = await take(cell, ann, {timing: over});
      await holds(cell, jo);
      await lost.release();
      expect(await lookAtLock(cell, ann.host)).toEqual({is: 'held', owner: jo});
    });

    test("that nobody can read is somebody's", async () => {
      const cell = await newCell();
      await cell.swap('not json', undefined);
      await expect(take(cell, jo)).rejects.toThrow('production is locked by somebody; who it is cannot be read');
    });

    test('frozen stays, without a lease, and says why', async () => {
      const cell = await newCell();
      const lock = await take(cell, {...ann, reason: 'the fair'}, {timing: over});
      await lock.freeze();
      expect(await lookAtLock(cell, jo.host)).toMatchObject({is: 'frozen', owner: {user: 'ann'}});
      await expect(take(cell, jo)).rejects.toMatchObject({
        exitCode: 4,
        message: 'production is frozen by ann on elsewhere (process 7) since 2026-01-15T12:00:00.000Z: the fair',
      });
    });

    test('taken by force can be put back as it was; its owner goes on renewing it', async () => {
      const cell = await newCell();
      const lock = await holds(cell, ann);
      const forced = await take(cell, jo, {may: () => true});
      expect(forced.from).toEqual(ann);
      await forced.putBack();
      expect(await lookAtLock(cell, jo.host)).toEqual({is: 'held', owner: ann});
      await lock.release();
      expect(await lookAtLock(cell, jo.host)).toEqual({is: 'free'});
    });
  });

  describe('a lease', () => {
    beforeEach(() => {
      vi.useFakeTimers({toFake: ['setInterval', 'clearInterval', 'performance']});
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    test('is renewed every 15 seconds while its owner is at work, and no longer', async () => {
      const cell = await newCell();
      const lock = await take(cell, ann);
      const versions = new Set([(await cell.read())?.version]);
      for (let beat = 1; beat <= 3; beat++) {
        vi.advanceTimersByTime(15_000);
        await expect.poll(async () => versions.has((await cell.read())?.version)).toBe(false);
        versions.add((await cell.read())?.version);
      }
      await lock.release();
      expect(vi.getTimerCount()).toBe(0);
    });

    test('that somebody else has by now is lost: its owner is told once, with who has it', async () => {
      const cell = await newCell();
      const onLost = vi.fn<(error: DeployError) => void>();
      await take(cell, ann, {onLost});
      await holds(cell, jo, {may: () => true});
      vi.advanceTimersByTime(15_000);
      await expect.poll(() => onLost.mock.calls.length).toBe(1);
      const [error] = onLost.mock.calls[0] ?? [];
      expect(error).toMatchObject({
        exitCode: 4,
        message: `the lock of production is lost: jo on laptop (process ${process.pid}) has it`,
        means: 'Somebody else may be at work there. Nothing new is started.',
      });
      // Only the new owner's timer is left.
      expect(vi.getTimerCount()).toBe(1);
    });

    test('whose renewal is never answered is lost when its lease ends, and told once', async () => {
      const cell = await newCell();
      let answer: (() => void) | undefined;
      let silent = false;
      const slow: Cell = {
        ...cell,
        read: async () => {
          if (silent) await new Promise<void>(resolve => (answer = resolve));
          return cell.read();
        },
      };
      const onLost = vi.fn<(error: DeployError) => void>();
      const lock = await take(slow, ann, {onLost});
      silent = true;
      for (let beat = 1; beat <= 3; beat++) await vi.advanceTimersByTimeAsync(15_000);
      expect(onLost).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(15_000);
      expect(onLost.mock.calls[0]?.[0]).toMatchObject({
        message: 'the lock of production is lost: it could not be renewed (no answer yet)',
      });
      silent = false;
      answer?.();
      await lock.release();
      expect(onLost).toHaveBeenCalledOnce();
    });

    test('a freeze of which somebody else has the lock by now is none', async () => {
      const cell = await newCell();
      const mine = await take(cell, ann);
      await holds(cell, jo, {may: () => true});
      await expect(mine.freeze()).rejects.toThrow('production is not frozen: somebody else has taken the lock meanwhile');
      expect(await lookAtLock(cell, jo.host)).toMatchObject({is: 'held', owner: {user: 'jo'}});
    });

    test('that cannot be renewed is kept until it would have ended, and lost then', async () => {
      const cell = await newCell();
      let there = true;
      const failing: Cell = {
        ...cell,
        read: () => (there ? cell.read() : Promise.reject(new DeployError('nobody answers'))),
      };
      const onLost = vi.fn<(error: DeployError) => void>();
      await take(failing, ann, {onLost});
      there = false;
      for (let beat = 1; beat <= 3; beat++) await vi.advanceTimersByTimeAsync(15_000);
      expect(onLost).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(15_000);
      expect(onLost.mock.calls[0]?.[0]).toMatchObject({
        message: 'the lock of production is lost: it could not be renewed (nobody answers)',
      });
    });
  });
}
