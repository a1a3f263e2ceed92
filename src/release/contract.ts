/**
 * The contracts of design section 6. A component kind says six things about its components; the engine
 * does the rest. `Io` is what kinds reach the world through: the engine only hands it on.
 */
import type * as z from 'zod';
import {DeployError} from './errors.ts';
import {hidden, type Json} from './json.ts';
import {canonical} from './hash.ts';
import type {Answer, EventOf, Progress, Question, RunEvent} from './events.ts';
import type {AnyComponentPlan, Check, Claim, ComponentPlan, Job, Trouble} from './model.ts';
import type {Phase, Revert} from './words.ts';

/** What the engine gives to every job: where its words go, and when to stop. */
export interface JobIo {
  /** One line of the job's log. May hold anything; it is redacted and cleaned on its way. */
  log(line: string): void;
  /** How far the job is. Sampled, never recorded. */
  progress(progress: Progress): void;
  /** Aborted when somebody asks to stop. For waits and for processes; never for a call that changes AWS. */
  readonly signal: AbortSignal;
  /** Who asked to stop, once the signal is aborted: what runs on its own is interrupted, or left running. */
  stopCommand(): Command | undefined;
  readonly clock: Clock;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many milliseconds; rejects with a StoppedError when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What a release wants of a component. */
export interface ReleaseTarget {
  readonly is: 'release';
  readonly version: string;
}
/** The way back: a state that was observed or recorded. */
export interface StateTarget<S> {
  readonly is: 'state';
  readonly version: string;
  readonly state: S;
}
export type Target<S> = ReleaseTarget | StateTarget<S>;

/** What is there now. `version` is absent where the state names none (a tag such as `latest`). */
export interface Observed<S> {
  readonly version: string | undefined;
  readonly state: S;
  /** Where it is in between, because a change was begun and did not come to its end: what was there before, which a way back leads to. */
  readonly before?: {readonly version: string | undefined; readonly state: S};
  /** The version that the component's source says, where it has one: may be ahead of what is there. */
  readonly source?: string;
  /** Whether that was released already, as far as the registry and git tell, in words. Only where it is ahead. */
  readonly sourceNote?: string;
  /** Repository → digest of the images that are there. The same image has the same digest in every environment. */
  readonly digests?: Readonly<Record<string, string>>;
}

/** The results of a component's steps so far, by step id. */
export type Results = ReadonlyMap<string, Json>;

export const noResults: Results = new Map();

/** What looking says about a step whose answer is missing. `failed`: it happened, and did not work out. */
export type Settled<R> = {readonly done: R} | {readonly failed: DeployError} | 'absent' | 'unknown';

/** What a person would type to do a step themselves. */
export interface ByHand {
  /** What the commands do not say: what a file of theirs holds, what has to be looked at. Alone where no command does it. */
  readonly note?: string;
  /** Commands of the real tools in order, one item an argument. `<…>` in one stands for what is not known yet, or is no command's to hold. */
  readonly commands: readonly (readonly string[])[];
}

/**
 * The smallest effect on the world inside a job.
 *
 * `request` is made first and recorded as the intent; `perform` and `settle` see nothing but that request,
 * so that a later process can tell from the record alone whether the step happened. `undo` takes back what
 * `perform` did, if it is still ours: used when a release is refused.
 */
export interface StepSpec<Q, R, Io> {
  readonly id: string;
  readonly phase: Phase;
  /** What it does, in one line. */
  readonly title: string;
  readonly requestSchema: z.ZodType<Q>;
  readonly resultSchema: z.ZodType<R>;
  /** May look at the world, must not touch it. */
  request(io: Io, results: Results): Promise<Q>;
  /** Throws LostAnswerError when it cannot know whether it happened. */
  perform(io: Io, request: Q): Promise<R>;
  settle(io: Io, request: Q): Promise<Settled<R>>;
  undo?(io: Io, request: Q, result: R): Promise<void>;
  /** The result where looking cannot tell and a person says that it happened. Absent: nobody can say so. */
  assume?(request: Q): R;
  /** What the result says, in one line, for people. */
  tell(result: R): string;
  /**
   * How a person does it where the release cannot go on. Pure: it comes of the component, its plan and the results so far, and looks
   * at nothing; of `io` it reads where the environment is (region, profile) and what the settings are. It holds no secret.
   */
  byHand(io: Io, results: Results): ByHand;
}

/** A step with its types hidden: requests and results are JSON, checked when they are read. */
export interface Step<Io> {
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  request(io: Io, results: Results): Promise<Json>;
  perform(io: Io, request: Json): Promise<Json>;
  settle(io: Io, request: Json): Promise<Settled<Json>>;
  readonly assume: ((request: Json) => Json) | undefined;
  readonly undo: ((io: Io, request: Json, result: Json) => Promise<void> | undefined) | undefined;
  tell(result: Json): string;
  byHand(io: Io, results: Results): ByHand;
}

export function step<Q extends Json, R extends Json, Io>(spec: StepSpec<Q, R, Io>): Step<Io> {
  return {
    id: spec.id,
    phase: spec.phase,
    title: spec.title,
    request: (io, results) => spec.request(io, results),
    perform: (io, request) => spec.perform(io, spec.requestSchema.parse(request)),
    settle: (io, request) => spec.settle(io, spec.requestSchema.parse(request)),
    assume: spec.assume && (request => spec.assume?.(spec.requestSchema.parse(request)) ?? null),
    undo:
      spec.undo && ((io, request, result) => spec.undo?.(io, spec.requestSchema.parse(request), spec.resultSchema.parse(result))),
    tell: result => spec.tell(spec.resultSchema.parse(result)),
    byHand: (io, results) => spec.byHand(io, results),
  };
}

/** Every component's config has at least this. */
export interface ComponentConfig {
  readonly kind: string;
  readonly needs?: readonly string[] | undefined;
  readonly revert?: Revert | undefined;
}

/**
 * A kind of component. `state` and `payload` are read back from disk, hence their schemas.
 * Nothing but a step's `perform` and `undo` may change anything anywhere.
 */
export interface ComponentKind<C extends ComponentConfig, S, P, Io> {
  readonly kind: C['kind'];
  /** Whether a failed component is taken back by policy alone, where the config does not say. */
  readonly revert: Revert;
  readonly config: z.ZodType<C>;
  readonly state: z.ZodType<S>;
  readonly payload: z.ZodType<P>;
  /** What must be true before anything is done. */
  requirements(component: Named<C>, target: Target<S>): readonly Claim[];
  /** What is there now; undefined where there is nothing. */
  observe(component: Named<C>, io: Io): Promise<Observed<S> | undefined>;
  /** The steps before a plan, in order: bump, build, push. None where they led to what is there already. */
  prepare(component: Named<C>, target: Target<S>, io: Io): Promise<readonly Step<Io>[]>;
  /** What would change. Writes nothing outside the run's scratch folder; needs no prepare to have run. */
  plan(component: Named<C>, target: Target<S>, io: Io, prepared: Results): Promise<ComponentPlan<P>>;
  /** What has changed since the plan was made, in words; undefined when it still holds. */
  recheck(component: Named<C>, plan: ComponentPlan<P>, io: Io): Promise<string | undefined>;
  /** The steps of an approved plan, in order. */
  steps(component: Named<C>, plan: ComponentPlan<P>): readonly Step<Io>[];
  /** What must be true after it. */
  claims(component: Named<C>, plan: ComponentPlan<P>, results: Results): readonly Claim[];
  /** The steps once the claims are proved (`git push`). They belong to the phase `verify`. */
  finish?(component: Named<C>, plan: ComponentPlan<P>, results: Results): readonly Step<Io>[];
  check(component: Named<C>, claim: Claim, io: Io): Promise<Check>;
}

/** A component's config with its id. */
export type Named<C> = C & {readonly id: string};

/** A component bound to its kind, with the kind's types hidden. */
export interface Component<Io> {
  readonly id: string;
  readonly kind: string;
  readonly needs: readonly string[];
  readonly revert: Revert;
  requirements(target: Target<Json>): readonly Claim[];
  observe(io: Io): Promise<Observed<Json> | undefined>;
  prepare(target: Target<Json>, io: Io): Promise<readonly Step<Io>[]>;
  plan(target: Target<Json>, io: Io, prepared: Results): Promise<AnyComponentPlan>;
  recheck(plan: AnyComponentPlan, io: Io): Promise<string | undefined>;
  steps(plan: AnyComponentPlan): readonly Step<Io>[];
  claims(plan: AnyComponentPlan, results: Results): readonly Claim[];
  finish(plan: AnyComponentPlan, results: Results): readonly Step<Io>[];
  check(claim: Claim, io: Io): Promise<Check>;
}

/** Binds a config to its kind. Throws a ZodError when the config is not the kind's. */
export function bind<C extends ComponentConfig, S extends Json, P extends Json, Io>(
  kind: ComponentKind<C, S, P, Io>,
  id: string,
  config: unknown,
): Component<Io> {
  const component: Named<C> = {...kind.config.parse(config), id};
  const typed = (target: Target<Json>): Target<S> =>
    target.is === 'release' ? target : {...target, state: kind.state.parse(target.state)};
  const planned = (plan: AnyComponentPlan): ComponentPlan<P> => ({...plan, payload: kind.payload.parse(plan.payload)});
  return {
    id,
    kind: component.kind,
    needs: component.needs ?? [],
    revert: component.revert ?? kind.revert,
    requirements: target => kind.requirements(component, typed(target)),
    observe: io => kind.observe(component, io),
    prepare: (target, io) => kind.prepare(component, typed(target), io),
    plan: async (target, io, prepared) => kind.plan(component, known(id, typed(target)), io, prepared),
    recheck: (plan, io) => kind.recheck(component, planned(plan), io),
    steps: plan => kind.steps(component, planned(plan)),
    claims: (plan, results) => kind.claims(component, planned(plan), results),
    finish: (plan, results) => kind.finish?.(component, planned(plan), results) ?? [],
    check: (claim, io) => kind.check(component, claim, io),
  };
}

/** Throws for a state of the records that a secret was part of: it would be replaced by what stands in its place there. */
function known<S>(component: string, target: Target<S>): Target<S> {
  if (target.is === 'release' || !canonical(target.state).includes(hidden)) return target;
  throw new DeployError(
    `what ${component} was on ${target.version} is not known: a secret is part of it, and no record holds one`,
    {
      means: 'The environment was left as it is.',
      next: ['Release another version instead.'],
      final: true,
    },
  );
}

/** Something that a release as a whole needs: promotion, an item of the checklist, a tag in another repository. */
export interface Gate<Io> {
  readonly claim: Claim;
  check(io: Io): Promise<Check>;
  /** The name with which `--override <name> --reason <text>` lets it through; absent: nobody can. */
  readonly override?: string;
}

/** What people can ask of a running release at any time. `interrupt`: what is stopping already is to end at once, whatever that costs. */
export interface Command {
  readonly do: 'stop' | 'detach' | 'interrupt';
  /** What asked: a key, a signal, or the limit that a run was given. Picks the exit code. */
  readonly by: 'operator' | 'SIGINT' | 'SIGTERM' | 'time limit';
}

/**
 * The one port through which the engine meets people. The TUI answers from keys, the line view from
 * prompts, `--yes` from flags and policy. Several questions may be open at once.
 */
export interface Operator {
  ask(question: Question, signal: AbortSignal): Promise<Answer>;
}

/** The one switch that asks a run to stop. The first command counts; later ones change nothing, but for an interrupt of what is stopping. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Aborted when somebody who has stopped the run asks for a second interrupt. */
  readonly forced: AbortSignal;
  /** Aborted when a run that its time limit has stopped has not ended since: what runs on its own is left running. */
  readonly left: AbortSignal;
  command(): Command | undefined;
  request(command: Command): void;
}

export function createStop(): Stop {
  const controller = new AbortController();
  const forced = new AbortController();
  const left = new AbortController();
  let first: Command | undefined;
  return {
    signal: controller.signal,
    forced: forced.signal,
    left: left.signal,
    command: () => first,
    request: command => {
      if (command.do === 'interrupt') {
        // A second one is what follows a first one.
        if (first?.do === 'stop') forced.abort();
        return;
      }
      if (first !== undefined && command.do === 'detach' && command.by === 'time limit') return left.abort();
      first ??= command;
      controller.abort();
    },
  };
}

/** Where events go: the record first, then every view. Resolves when the event is safely recorded. */
export type Emit = (event: RunEvent) => Promise<void>;

/** Where a run is when it lets somebody else have their say: around a phase of the release as a whole, or at its end. */
export type Moment =
  | {readonly when: 'before'; readonly phase: Phase}
  | {readonly when: 'after'; readonly phase: Phase; readonly trouble?: Trouble}
  | {readonly when: 'failure'; readonly finish: Omit<EventOf<'run.finished'>, 'type'>};

/**
 * What is done at such a moment, awaited. Rejects where that stands in the way: the phase is not begun, or the run has failed.
 * At the end of a failed run nothing stands in anybody's way.
 */
export type Around = (moment: Moment, signal: AbortSignal) => Promise<void>;

/** Makes the Io of one job. */
export type IoFor<Io extends JobIo> = (job: Job, stop: Stop) => Io;
