/** Where the components of an environment stand, as its records say. Pure. */
import type {EventOf, TimedEvent} from './events.ts';
import {type History, replay} from './history.ts';
import type {Json} from './json.ts';
import type {ComponentEnd} from './model.ts';
import type {Outcome} from './words.ts';

/** One run as its record has it. */
export interface RecordedRun {
  readonly run: string;
  readonly history: History;
  /** When it started and when it last said anything. ISO 8601. */
  readonly began: string;
  readonly ended: string;
  /** Ticks that were made while it went on. */
  readonly ticks: readonly Tick[];
}

/** Undefined for a record that does not say what run it is of. */
export function recordedRun(run: string, events: readonly TimedEvent[]): RecordedRun | undefined {
  const [first] = events;
  if (first?.type !== 'run.started') return undefined;
  const ended = events.findLast(({type}) => type === 'run.finished') ?? events.at(-1);
  return {run, history: replay(events), began: first.at, ended: ended?.at ?? first.at, ticks: ticksIn(events, first.version)};
}

/** That an item of the checklist was done, for one version in one environment. `at`: ISO 8601. */
export interface Tick extends Pick<EventOf<'ticked'>, 'item' | 'by' | 'note' | 'link'> {
  readonly at: string;
  readonly version: string;
}

/** The ticks of a record; `version` is what those are about that do not say it themselves. */
export function ticksIn(events: readonly TimedEvent[], version: string | undefined): readonly Tick[] {
  return events.flatMap(event => {
    const about = event.type === 'ticked' ? (event.version ?? version) : undefined;
    if (event.type !== 'ticked' || about === undefined) return [];
    const {at, item, by, note, link} = event;
    return [{at, item, by, version: about, ...(note !== undefined && {note}), ...(link !== undefined && {link})}];
  });
}

/** Outcomes after which an environment is on the version of the run, as far as anybody can tell. */
export const arrivedOutcomes: ReadonlySet<Outcome> = new Set([
  'passed',
  'passed with waivers',
  'triggered, not proven',
  'nothing to do',
]);

export type RunKind = 'release' | 'rollback' | 'adopt';

export function kindOf({history: {started}}: Pick<RecordedRun, 'history'>): RunKind {
  return started?.kind ?? 'release';
}

/** What one run says of where one component stands. */
export interface Trace {
  readonly run: string;
  readonly kind: RunKind;
  readonly began: string;
  readonly at: string;
  readonly by: string;
  readonly component: string;
  /** The version that it is on, or that was tried; undefined where nothing tells. */
  readonly version: string | undefined;
  readonly end: ComponentEnd['end'];
  readonly note: string;
  /** It was taken back: the version that it is on again, where the run knew it. */
  readonly back?: string;
  /** What was there when it had arrived. */
  readonly state?: Json;
  /** Repository → digest. */
  readonly digests: Readonly<Record<string, string>>;
  /** What somebody let through of it, or of the release as a whole. */
  readonly waived: readonly {readonly what: string; readonly reason: string; readonly by: string}[];
}

/** Ends that say where a component is, whether the run changed it or not. */
export const arrived: ReadonlySet<ComponentEnd['end']> = new Set(['verified', 'unchanged', 'not proven', 'waived']);

/** Ends after which a component stands somewhere, and not in between: where it was going, or where it was before. */
export const settled: ReadonlySet<ComponentEnd['end']> = new Set([...arrived, 'rolled back']);

/** What a run says of each component that it changed, or found as it should be. */
export function tracesOf(recorded: RecordedRun): readonly Trace[] {
  const {run, history, began, ended} = recorded;
  const {started, finished} = history;
  if (started === undefined) return [];
  return started.components.flatMap(({id}): readonly Trace[] => {
    const end = finished?.components.find(({component}) => component === id);
    const touched = isTouched(history, id);
    const word = end?.end ?? 'unknown';
    if (end === undefined ? !touched : !arrived.has(word) && !touched) return [];
    const observed = arrived.has(word) ? history.observed.get(id) : undefined;
    return [
      {
        run,
        kind: kindOf(recorded),
        began,
        at: ended,
        by: started.by.user,
        component: id,
        version: observed?.version ?? end?.to ?? started.states?.[id]?.version ?? started.version,
        end: word,
        note: end?.note ?? 'the run never ended',
        ...(end?.end === 'rolled back' && end.from !== undefined && {back: end.from}),
        ...(observed && {state: observed.state}),
        digests: {...plannedDigests(history, id), ...normalised(observed?.digests ?? {})},
        waived: history.waived.filter(({job}) => job.component === id || job.component === '*'),
      },
    ];
  });
}

/** Whether a run did anything to the environment for a component, or may have. */
function isTouched({done, open, failed}: History, component: string): boolean {
  return [...done.values(), ...open.values(), ...failed.values()].some(
    ({job}) => job.phase === 'apply' && job.component === component,
  );
}

/** A component where it is now. `since` is when it came to be there, over all runs that found it so. */
export interface Standing extends Trace {
  readonly since: string;
  /** Who brought it there. */
  readonly bringer: string;
}

/**
 * Where each component stands, of traces newest first. What was taken back is where it was before: that is what an older run says
 * of it, or, where none does, or somebody else had moved it since, the run itself.
 */
export function standings(traces: readonly Trace[]): ReadonlyMap<string, Standing> {
  const standing = new Map<string, Standing>();
  for (const [component, all] of Map.groupBy(traces, trace => trace.component)) {
    const telling = all.filter(({end}) => end !== 'rolled back');
    const [newest] = telling;
    const [last] = all;
    if (last?.back !== undefined && last.back !== newest?.version) {
      const {state: _state, ...trace} = last;
      standing.set(component, {...trace, version: last.back, digests: {}, since: last.at, bringer: last.by});
      continue;
    }
    if (newest === undefined) continue;
    const first = arrivalOf(telling);
    standing.set(component, {...newest, since: first.at, bringer: first.by});
  }
  return standing;
}

/** The run that brought a component where the newest of its traces finds it. */
export function arrivalOf(traces: readonly Trace[]): Trace {
  const [newest, ...older] = traces;
  if (newest === undefined) throw new Error('nothing arrives without a trace');
  let first = newest;
  for (const trace of older) {
    if (trace.version !== newest.version || !arrived.has(trace.end) || !sameDigests(trace, newest)) break;
    first = trace;
  }
  return first;
}

function sameDigests(a: Trace, b: Trace): boolean {
  return Object.entries(a.digests).every(([name, digest]) => (b.digests[name] ?? digest) === digest);
}

// ── digests ──────────────────────────────────────────────────────────────────────────────────────────

/** `pass-core` of `333333333333.dkr.ecr.us-east-1.amazonaws.com/pass-core:1.14.0`: the same in every environment. */
export function repositoryOf(image: string): string {
  const [name = ''] = image.split('@');
  const untagged = name.replace(/:[^/:]*$/, '');
  const [host = '', ...rest] = untagged.split('/');
  return rest.length > 0 && (/[.:]/.test(host) || host === 'localhost') ? rest.join('/') : untagged;
}

function normalised(digests: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(digests).map(([image, digest]) => [repositoryOf(image), digest]));
}

/** As the kinds write an image into what they plan: by one of these names, with its digest. */
function plannedImage(value: object): readonly [image: string, digest: string] | undefined {
  const fields = new Map<string, unknown>(Object.entries(value));
  const image = ['image', 'uri', 'reference'].map(name => fields.get(name)).find(name => typeof name === 'string');
  const digest = fields.get('digest');
  return image !== undefined && typeof digest === 'string' ? [image, digest] : undefined;
}

/** The images that a component was planned with: what is out of sight afterwards (behind a message) was there then. */
function plannedDigests({plan}: History, component: string): Readonly<Record<string, string>> {
  const payload = plan?.components.find(part => part.component === component)?.payload;
  const found: (readonly [string, string])[] = [];
  const walk = (value: Json | undefined): void => {
    if (typeof value !== 'object' || value === null) return;
    const image = plannedImage(value);
    if (image) found.push(image);
    else Object.values(value).forEach(walk);
  };
  walk(payload);
  return normalised(Object.fromEntries(found));
}
