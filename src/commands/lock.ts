/** The environment's lock by hand: who has it, freezing it, and giving back what somebody has left. */
import {UsageError, exitCodes} from '../release/errors.ts';
import {type LockEvent, type Owner, lockSchema} from '../record/lock-events.ts';
import {type HeldLock, type LockStanding, inWords, isOpen, lookAtLock, ownerOf, takeLock} from '../record/lock.ts';
import type {Store} from '../record/store.ts';
import {lineFor} from '../views/words.ts';
import {openApplication} from './application.ts';
import type {Context} from './context.ts';
import {environmentOf} from './environments.ts';
import {ownerFor} from './locking.ts';
import {unfinishedRun} from './unfinished.ts';
import {placeOf} from './places.ts';

export type LockAction = 'status' | 'acquire' | 'release';

export interface LockOptions {
  readonly config?: string;
  readonly env?: string;
  readonly reason?: string;
}

/** A lock in the hands of one command. */
interface Hand {
  readonly store: Store;
  readonly environment: string;
  readonly me: Owner;
  readonly reason: string | undefined;
  say(line: string): void;
}

export async function lockCommand(context: Context, action: LockAction, options: LockOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const {loaded, store} = application;
  const reason = options.reason?.trim() || undefined;
  const plain = lineFor(context.env);
  const hand = (environment: string): Hand => ({
    store,
    environment,
    reason,
    me: ownerFor(context, {work: `lock ${action}`, reason}),
    say: line => void context.stdout.write(`${plain(line)}\n`),
  });
  if (action === 'status') {
    if (options.env !== undefined) placeOf(loaded, options.env, {});
    for (const environment of options.env === undefined ? Object.keys(loaded.config.environments) : [options.env]) {
      await tell(hand(environment), context);
    }
    return exitCodes.done;
  }
  const environment = environmentOf(application, options.env, 'Nothing was changed.');
  await changes[action](hand(environment));
  return exitCodes.done;
}

const changes: Readonly<Record<Exclude<LockAction, 'status'>, (hand: Hand) => Promise<void>>> = {acquire: freeze, release};

async function tell({store, environment, me, say}: Hand, context: Context): Promise<void> {
  const standing = await lookAtLock(store.lock(environment), me.host);
  const owner = ownerOf(standing);
  const who = owner && `${inWords(owner)} since ${owner.since}`;
  const why = owner?.reason === undefined ? '' : `: ${owner.reason}`;
  const words = {
    free: 'free',
    held: `locked by ${who}, for ${owner?.work}${why}`,
    expired: `free: ${who}, for ${owner?.work}, is gone or has not renewed its lock in time`,
    frozen: `frozen by ${who}${why}`,
    unreadable: 'locked by somebody; who it is cannot be read',
  } as const;
  say(`${environment}: ${words[standing.is]}`);
  const unfinished = await unfinishedRun(store, environment, context);
  if (unfinished) say(`  ${unfinished.left}. To go on with it: deploy-wizard resume --env ${environment}`);
}

/** Nobody deploys there any more, until it is released by hand. */
async function freeze({store, environment, me, reason, say}: Hand): Promise<void> {
  if (reason === undefined) {
    throw new UsageError('lock acquire needs --reason <text>: everybody who is refused reads it', {
      code: 'DW214',
      means: 'Nothing was changed.',
    });
  }
  const lock = await takeLock(store.lock(environment), me, {environment});
  await recorded(store, environment, lock, {type: 'lock.frozen', schema: lockSchema, by: me});
  await lock.freeze();
  say(`${environment} is frozen: nobody deploys there until \`deploy-wizard lock release --env ${environment}\``);
}

/** Gives back what a person took; what somebody else has only with a reason. */
async function release({store, environment, me, reason, say}: Hand): Promise<void> {
  const cell = store.lock(environment);
  const standing = await lookAtLock(cell, me.host);
  if (standing.is === 'free') {
    say(`${environment} is not locked.`);
    return;
  }
  if (reason === undefined && !isOwn(standing, me)) {
    const owner = ownerOf(standing);
    throw new UsageError(
      `${environment} is locked by ${owner ? inWords(owner) : 'somebody'}: to release it give --reason <text>`,
      {
        means: 'Nothing was changed.',
      },
    );
  }
  const lock = await takeLock(cell, me, {environment, may: now => reason !== undefined || isOwn(now, me)});
  const of = lock.from;
  await recorded(store, environment, lock, {type: 'lock.released', schema: lockSchema, by: me, ...(of && {of})});
  await lock.release();
  say(`The lock of ${environment}${of === undefined ? '' : `, of ${inWords(of)},`} was released.`);
}

/** What somebody may give back without a word: their own freeze, and what anybody could take. */
function isOwn(standing: LockStanding, me: Owner): boolean {
  const owner = ownerOf(standing);
  return isOpen(standing) || (standing.is === 'frozen' && owner?.user === me.user && owner.host === me.host);
}

/** What cannot be recorded does not happen. */
async function recorded(store: Store, environment: string, lock: HeldLock, event: LockEvent): Promise<void> {
  try {
    await store.logLock(environment, event);
  } catch (error) {
    await lock.putBack();
    throw error;
  }
}
