/** What the records say of an environment before anybody chooses it: where it stands, who is at work there, what was left. */
import {judgePromotion} from '../../release/checklist.ts';
import {toTrouble} from '../../release/errors.ts';
import type {EnvironmentCard, GateNote, LockNote} from '../../release/form.ts';
import {settled, standings} from '../../release/standing.ts';
import {compareVersions} from '../../release/version.ts';
import {lastRelease} from '../../record/last-release.ts';
import {lookAtLock, ownerOf} from '../../record/lock.ts';
import type {Store} from '../../record/store.ts';
import type {Requirement} from '../../config/schema.ts';
import type {Application} from '../application.ts';
import type {Context} from '../context.ts';
import {readPast} from '../promotion.ts';
import {readTraces} from '../records.ts';
import {unfinishedRun} from '../unfinished.ts';

type Here = Pick<Context, 'host' | 'pid' | 'clock'>;
type Recalled = Pick<EnvironmentCard, 'last' | 'runs' | 'gates' | 'lock' | 'unfinished' | 'unread'>;

/** Never rejects: what cannot be read is left out, and the first reason is given. */
export async function recall({loaded, store}: Application, here: Here, environment: string): Promise<Recalled> {
  const records = readOnce(store);
  const {requires = []} = loaded.config.environments[environment] ?? {};
  let unread: string | undefined;
  const orElse = async <T>(looking: Promise<T>): Promise<T | undefined> =>
    looking.catch((error: unknown) => {
      unread ??= toTrouble(error).what;
      return undefined;
    });
  const [last, runs, gates, lock, unfinished] = await Promise.all([
    orElse(lastRelease(records, environment)),
    orElse(runsOf(records, environment, Object.keys(loaded.config.components))),
    orElse(Promise.all(requires.map(requirement => gateOf({loaded, store: records}, requirement, here.clock.now())))),
    orElse(lockOf(records, environment, here.host)),
    orElse(unfinishedRun(records, environment, here)),
  ]);
  return {
    ...(last && {last: {version: last.version, outcome: last.outcome, at: last.at, by: last.by}}),
    ...(runs && runs.length > 0 && {runs}),
    ...(gates && gates.length > 0 && {gates}),
    ...(lock && {lock}),
    ...(unfinished && {unfinished: unfinished.left}),
    ...(unread !== undefined && {unread}),
  };
}

/** Several questions are asked of the same few records: each is read once. */
function readOnce(store: Store): Store {
  const read = new Map<string, ReturnType<Store['read']>>();
  return {
    ...store,
    read: (environment, run) => {
      const key = `${environment}/${run}`;
      const reading = read.get(key) ?? store.read(environment, run);
      read.set(key, reading);
      return reading;
    },
  };
}

async function runsOf(store: Store, environment: string, ids: readonly string[]): Promise<NonNullable<Recalled['runs']>> {
  const {traces} = await readTraces(store, environment, so => {
    const known = standings(so);
    return ids.every(id => known.has(id));
  });
  const standing = standings(traces);
  return ids.flatMap(component => {
    const found = standing.get(component);
    if (found?.version === undefined) return found === undefined ? [] : [{component}];
    return [{component, ...(settled.has(found.end) ? {version: found.version} : {tried: found.version})}];
  });
}

/** The newest version that the other environment has, and whether its records would let it through. Digests are compared in preflight. */
async function gateOf(application: Application, requirement: Requirement, now: number): Promise<GateNote> {
  const {env} = requirement;
  const runs = await runsOf(application.store, env, Object.keys(application.loaded.config.components));
  const version = runs.flatMap(({version, tried}) => version ?? tried ?? []).toSorted((a, b) => compareVersions(b, a) ?? 0)[0];
  if (version === undefined) return {env, open: false, found: 'nothing was released there'};
  return judgedBy(application, requirement, version, now);
}

/** Whether the records of an environment that is required would let a version through. */
export async function judgedBy(
  {loaded, store}: Application,
  requirement: Requirement,
  version: string,
  now: number,
): Promise<GateNote> {
  const {env} = requirement;
  const components = Object.keys(loaded.config.components);
  const past = await readPast(store, env, {version, components}, loaded.config.checklist);
  const digests = new Map(components.map(component => [component, new Map<string, undefined>()] as const));
  const {reasons, since} = judgePromotion(requirement, {version, digests}, past, now);
  const [reason] = reasons;
  return {
    env,
    version,
    open: reason === undefined,
    ...(since !== undefined && {since}),
    ...(reason && {found: reason.found}),
  };
}

async function lockOf(store: Store, environment: string, host: string): Promise<LockNote | undefined> {
  const standing = await lookAtLock(store.lock(environment), host);
  if (standing.is === 'free' || standing.is === 'expired') return undefined;
  const owner = ownerOf(standing);
  if (owner === undefined) return {is: 'unreadable'};
  const {user, since, work, reason} = owner;
  return {is: standing.is, who: `${user} on ${owner.host}`, since, work, ...(reason !== undefined && {reason})};
}
