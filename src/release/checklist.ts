/** The checklist of a release: manual items, and whether a version may be promoted. Pure: records in, reasons out. */
import {type Tick, type Trace, arrivalOf} from './standing.ts';
import {isDowngrade} from './version.ts';

/** An item of `checklist:` in the config file. */
export interface Item {
  readonly id: string;
  readonly when: 'before' | 'after';
  readonly text: string;
}

/** The newest tick of an item; undefined where it is open. */
export function tickOf(item: string, ticks: readonly Tick[]): Tick | undefined {
  return ticks.filter(tick => tick.item === item).toSorted((a, b) => (a.at < b.at ? 1 : -1))[0];
}

/** `jo on laptop, 2026-11-21T21:14:03Z: went through the script (https://…)`. */
export function tellTick({by, at, note, link}: Tick): string {
  const what = [note, link && `(${link})`].filter(Boolean).join(' ');
  return `ticked by ${by.user} on ${by.host}, ${at}${what === '' ? '' : `: ${what}`}`;
}

// ── promotion ────────────────────────────────────────────────────────────────────────────────────────

/** An entry of `requires:`. `for` in milliseconds. */
export interface Requirement {
  readonly env: string;
  readonly ticks: readonly string[];
  readonly for?: number | undefined;
}

/** What wants to be promoted. */
export interface Promoted {
  readonly version: string;
  /** Component → repository → digest of the image that is used here; undefined where the image is not here. */
  readonly digests: ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;
}

/** Why it may not be, and what to do about it. */
export interface Reason {
  readonly found: string;
  readonly next?: string;
}

export interface Promotion {
  /** Empty: it may. */
  readonly reasons: readonly Reason[];
  /** The runs that it rests on, and since when all of it has been there. */
  readonly runs: readonly string[];
  readonly since: string | undefined;
}

/** What the records of the required environment say. */
export interface Past {
  /** Of every component, newest first. */
  readonly traces: readonly Trace[];
  /** Ticks of this version there. */
  readonly ticks: readonly Tick[];
  /** Items of the checklist that are ticked before a release: those may be older than it. */
  readonly before: ReadonlySet<string>;
  /** Runs whose records cannot be relied on, by name: what they did there, nobody can tell. */
  readonly unread?: readonly string[];
}

/**
 * Whether a version may be promoted from an environment: every component verified there, with the same images, nothing let
 * through, not taken back since, the items ticked, and there for long enough. `now` in milliseconds.
 */
export function judgePromotion(requirement: Requirement, promoted: Promoted, past: Past, now: number): Promotion {
  const {env} = requirement;
  const found = [...promoted.digests].map(([component, digests]) =>
    judge(component, digests, promoted.version, past.traces, env),
  );
  const reasons = merged(found.flatMap(({reason}) => reason ?? []));
  const stays = found.flatMap(({stay}) => stay ?? []);
  const since = stays
    .map(stay => stay.since)
    .toSorted()
    .at(-1);
  const began = stays
    .map(stay => stay.began)
    .toSorted()
    .at(-1);
  const complete = reasons.length === 0 && since !== undefined;
  const ticked = requirement.ticks.flatMap(item => judgeTick(item, requirement, promoted.version, past, began) ?? []);
  const soaked = complete ? judgeSoak(requirement, promoted.version, stays, since, now) : undefined;
  return {
    reasons: [...reasons, ...hiddenSince(stays, past.unread ?? [], env), ...ticked, ...(soaked ? [soaked] : [])],
    runs: [...new Set(stays.map(({run}) => run))],
    since,
  };
}

/** Whatever came after the runs that it rests on may have taken it back. Names of runs sort by their order. */
function hiddenSince(stays: readonly Stay[], unread: readonly string[], env: string): readonly Reason[] {
  const hidden = unread.filter(run => stays.some(stay => stay.run < run));
  if (hidden.length === 0) return [];
  const found = `whether it was taken back since cannot be told: the record of run ${hidden.join(', ')} cannot be relied on`;
  return [{found, next: `Look at that record: deploy-wizard log --env ${env}`}];
}

interface Stay {
  readonly run: string;
  readonly began: string;
  readonly since: string;
  /** When another version took its place. */
  readonly left: Trace | undefined;
}

interface Judged {
  readonly stay?: Stay;
  readonly reason?: {readonly component: string; readonly found: string; readonly next?: string};
}

function judge(
  component: string,
  digests: ReadonlyMap<string, string | undefined>,
  version: string,
  traces: readonly Trace[],
  env: string,
): Judged {
  const release = `deploy-wizard --env ${env} --release ${version}`;
  const no = (found: string, next: string = `Release it there first: ${release}`): Judged => ({reason: {component, found, next}});
  const all = traces.filter(trace => trace.component === component);
  const index = all.findIndex(trace => trace.version === version && trace.end !== 'rolled back');
  const tried = all.find(trace => trace.version === version);
  const here = all[index];
  if (here === undefined) {
    return tried === undefined
      ? no(`${version} was never released to ${env}`)
      : no(`${version} was taken back in ${env} (run ${tried.run}, ${tried.at})`);
  }
  const newer = all.slice(0, index);
  const back = newer.find(
    ({kind, version: to, end}) =>
      (kind === 'rollback' && to !== version) || (to === version && end === 'rolled back') || isDowngrade(version, to ?? version),
  );
  if (back !== undefined)
    return no(`${env} was taken back from ${version} to ${back.version} since (run ${back.run}, ${back.at})`);
  const [waiver] = here.waived;
  if (waiver !== undefined)
    return no(
      `in ${env} ${waiver.by} let through: ${waiver.what} (${waiver.reason})`,
      `Release it there without a waiver: ${release}`,
    );
  if (here.end !== 'verified' && here.end !== 'unchanged')
    return no(`its release to ${env} ended ${here.end} (run ${here.run}): ${here.note}`);
  const other = [...digests].find(([repository, digest]) => digest === undefined || here.digests[repository] !== digest);
  if (other !== undefined) return no(...otherImage(other, here, version, env));
  const arrival = arrivalOf(all.slice(index));
  const left = newer.findLast(trace => trace.version !== version && trace.end !== 'rolled back');
  return {stay: {run: here.run, began: arrival.began, since: arrival.at, left}};
}

function otherImage(
  [repository, digest]: readonly [string, string | undefined],
  here: Trace,
  version: string,
  env: string,
): readonly [string, string] {
  const there = here.digests[repository];
  const image = `${repository}:${version}`;
  if (digest === undefined)
    return [
      `${image} is not in the registry here`,
      `Push the image that ${env} runs${there === undefined ? '' : ` (${there})`}.`,
    ];
  return there === undefined
    ? [
        `the record of ${env} does not say which image ${image} was (run ${here.run})`,
        `Release it there once more: deploy-wizard --env ${env} --release ${version}`,
      ]
    : [
        `${image} is another image here than in ${env}: ${digest}, not ${there}`,
        `Push the image that ${env} runs, or release this one there first.`,
      ];
}

function judgeTick(
  item: string,
  {env}: Requirement,
  version: string,
  {ticks, before}: Past,
  began: string | undefined,
): Reason | undefined {
  const tick = tickOf(item, ticks);
  const next = `deploy-wizard tick ${item} --env ${env} --release ${version}`;
  if (tick === undefined) return {found: `${item} is not ticked in ${env}`, next};
  // What somebody looked at then was not yet what is to be promoted now.
  if (!before.has(item) && began !== undefined && tick.at < began) {
    return {found: `${item} was ticked in ${env} before this was there (${tick.at})`, next};
  }
  return undefined;
}

function judgeSoak(
  {env, for: wanted = 0}: Requirement,
  version: string,
  stays: readonly Stay[],
  since: string,
  now: number,
): Reason | undefined {
  const left = stays
    .flatMap(stay => stay.left ?? [])
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .at(0);
  const until = left === undefined ? now : Math.min(now, Date.parse(left.at));
  const stayed = Math.max(0, until - Date.parse(since));
  if (stayed >= wanted) return undefined;
  if (left === undefined) {
    return {
      found: `it has been in ${env} for ${timeInWords(stayed)}, it takes ${timeInWords(wanted)}`,
      next: `It is open in ${timeInWords(wanted - stayed)}.`,
    };
  }
  return {
    found: `it was in ${env} for ${timeInWords(stayed)} only, until ${left.version} came (run ${left.run}); it takes ${timeInWords(wanted)}`,
    next: `Release it there again: deploy-wizard --env ${env} --release ${version}`,
  };
}

/** Components with one reason in common are named in one line. */
function merged(all: readonly {readonly component: string; readonly found: string; readonly next?: string}[]): readonly Reason[] {
  return [...Map.groupBy(all, ({found, next}) => `${found}\0${next}`).values()].flatMap(same => {
    const [first] = same;
    const names = same.map(({component}) => component).join(', ');
    return first === undefined ? [] : [{found: `${names}: ${first.found}`, ...(first.next !== undefined && {next: first.next})}];
  });
}

/** `3 h 12 min`, `2 d 4 h`, `41 s`; rounded up, so that whoever comes back then finds it open. */
export function timeInWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const two = (big: number, unit: string, small: number, smaller: string) =>
    `${big} ${unit}${small === 0 ? '' : ` ${small} ${smaller}`}`;
  return hours < 48 ? two(hours, 'h', minutes % 60, 'min') : two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}
