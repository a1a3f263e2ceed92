/**
 * A made-up world for the engine: things whose steps write to maps and nothing else, a clock that passes when everybody waits,
 * faults on demand, and processes that can be thrown away at any moment. Events go through a real chain, as a record has it.
 */
import pLimit from 'p-limit';
import {z} from 'zod';
import {type ReadRecord, emptyHead, seal} from '../../src/record/chain.ts';
import {
  type Around,
  type Clock,
  type ComponentKind,
  type JobIo,
  type Step,
  type Stop,
  bind,
  createStop,
  step,
} from '../../src/release/contract.ts';
import {release} from '../../src/release/engine.ts';
import {DeployError, LostAnswerError, StoppedError} from '../../src/release/errors.ts';
import {type Question, type RunEvent, schemaVersion} from '../../src/release/events.ts';
import {noHistory, replay} from '../../src/release/history.ts';
import {fingerprint} from '../../src/release/hash.ts';
import {type Check, type Claim, flag, risk} from '../../src/release/model.ts';
import {preparing, reverts} from '../../src/release/words.ts';
import type {Finish} from '../../src/release/outcome.ts';
import type {Allowance} from '../../src/release/policy.ts';
import type {Order} from '../../src/release/run.ts';
import {type Approved, unattended} from '../../src/release/unattended.ts';
import {readChain} from './read-chain.ts';

// ── time ─────────────────────────────────────────────────────────────────────────────────────────────

export interface FakeClock extends Clock {
  pass(ms: number): void;
}

/** Passes by itself, to the next alarm, as soon as nobody has anything else to do. */
export function fakeClock(start = Date.UTC(2026, 0, 15, 12)): FakeClock {
  let now = start;
  const sleepers = new Set<{readonly until: number; wake(): void}>();
  const passOn = () => {
    const next = Math.min(...[...sleepers].map(({until}) => until));
    now = Math.max(now, next);
    for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake();
  };
  return {
    now: () => now,
    pass: ms => void (now += ms),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const stopped = () => {
          sleepers.delete(sleeper);
          reject(new StoppedError('stopped while waiting'));
        };
        const wake = () => {
          sleepers.delete(sleeper);
          signal.removeEventListener('abort', stopped);
          resolve();
        };
        const sleeper = {until: now + ms, wake};
        if (signal.aborted) return stopped();
        signal.addEventListener('abort', stopped, {once: true});
        sleepers.add(sleeper);
        setImmediate(() => sleepers.has(sleeper) && passOn());
      }),
  };
}

// ── the world ────────────────────────────────────────────────────────────────────────────────────────

/** What goes wrong with one call. `effect` is what the call does to the world. */
export type Fault = (effect: () => void) => void | Promise<void>;

export const fails: Fault = () => {
  throw new DeployError('it was refused', {next: ['ask somebody']});
};
export const failsHalfWay: Fault = effect => {
  effect();
  throw new DeployError('it broke in the middle');
};
export const losesRequest: Fault = () => {
  throw new LostAnswerError('connection reset');
};
export const losesAnswer: Fault = effect => {
  effect();
  throw new LostAnswerError('connection reset');
};

export interface World {
  readonly clock: FakeClock;
  /** What the version file of a thing says. */
  readonly files: Map<string, string>;
  readonly images: Set<string>;
  readonly registry: Set<string>;
  /** What runs, and since when. */
  readonly running: Map<string, {readonly version: string; readonly since: number}>;
  /** Everything that was done to it, oldest first: `thing/step`. */
  readonly effects: string[];
  /** By `thing/step`: what happens to its next calls; by `thing/step settled`, to the next looks whether it happened. */
  readonly faults: Map<string, Fault[]>;
  /** By requirement: what looking at it says next; the last one stays. `passed` where nothing is said. */
  readonly requirements: Map<string, Check['status'][]>;
  /** By thing, requirement or proof: what looking at it says, whatever the truth is, or throws. */
  readonly verdicts: Map<string, Omit<Check, 'claim' | 'text'> | Error>;
  /** By thing: why its plan does not hold any more; planning again clears it. */
  readonly stale: Map<string, string>;
  /** Every claim that was looked at, by id. */
  readonly looks: string[];
}

function createWorld(clock: FakeClock): World {
  return {
    clock,
    files: new Map(),
    images: new Set(),
    registry: new Set(),
    running: new Map(),
    effects: [],
    faults: new Map(),
    requirements: new Map(),
    verdicts: new Map(),
    stale: new Map(),
    looks: [],
  };
}

/** What must be the same however a release came to its end. Effects in any order: components go side by side. */
export function endState(world: World): unknown {
  return {
    files: Object.fromEntries(world.files),
    images: [...world.images].sort(),
    registry: [...world.registry].sort(),
    running: Object.fromEntries([...world.running].map(([thing, {version}]) => [thing, version])),
    effects: world.effects.toSorted(),
  };
}

// ── processes ────────────────────────────────────────────────────────────────────────────────────────

/** Moments at which a process can be thrown away: around every call of every step, and before any line of its record. */
export type Moment = 'before intent' | 'before call' | 'after call';
export type CrashPoint = {readonly at: Moment; readonly step: string} | {readonly beforeLine: number};

class CrashError extends Error {}

/** A process of this world: once it is dead, nothing that it does comes through. */
interface Process {
  reach(moment: Moment, step: string): void;
  write(lines: number): void;
}

function startProcess(crash: CrashPoint | undefined): Process {
  let dead = false;
  const live = (dies: boolean) => {
    dead ||= dies;
    if (dead) throw new CrashError('the process is gone');
  };
  return {
    reach: (moment, step) => live(crash !== undefined && 'at' in crash && crash.at === moment && crash.step === step),
    write: lines => live(crash !== undefined && 'beforeLine' in crash && crash.beforeLine === lines),
  };
}

export interface WorldIo extends JobIo {
  readonly process: Process;
}

// ── things ───────────────────────────────────────────────────────────────────────────────────────────

const thingConfig = z.strictObject({
  kind: z.literal('thing').default('thing'),
  needs: z.array(z.string()).optional(),
  revert: z.enum(reverts).optional(),
  /** What the way back would do, where that is not what the way there does. */
  backRisk: risk.optional(),
  /** Requirements by id: equal ones of several things are one. */
  requires: z.array(z.string()).default([]),
  prepares: z.array(z.enum(preparing)).default([]),
  steps: z.array(z.string()).default(['change']),
  risk: risk.default('update'),
  flags: z.array(flag).default([]),
  /** Milliseconds from the last step until it runs, and how long that is waited for. */
  takes: z.number().default(0),
  within: z.number().optional(),
  late: z.enum(['failed', 'unknown']).optional(),
  verify: z.boolean().default(true),
  /** More that must be true after it, by id: it is, unless a verdict says otherwise. */
  proofs: z.array(z.string()).default([]),
  /** Nobody can look whether a step of it happened. */
  blind: z.boolean().default(false),
  /** Somebody who knows may say that a step of it happened. */
  known: z.boolean().default(false),
});
type ThingConfig = z.infer<typeof thingConfig>;
export type Thing = z.input<typeof thingConfig>;

/** `back`: towards what was there before. */
const thingPayload = z.object({before: z.string().nullable(), to: z.string(), back: z.boolean()});
const moved = z.object({from: z.string().nullable(), to: z.string()});
type Moved = z.infer<typeof moved>;

function thingKind(world: World): ComponentKind<ThingConfig, {version: string}, z.infer<typeof thingPayload>, WorldIo> {
  /** One call of a step: the fault that is due, or its effect. */
  const call = async (io: WorldIo, name: string, effect: () => void): Promise<void> => {
    io.process.reach('before call', name);
    const happen = () => {
      effect();
      world.effects.push(name);
    };
    const fault = world.faults.get(name)?.shift();
    await (fault ? fault(happen) : happen());
    io.process.reach('after call', name);
  };
  const thingStep = (
    spec: Pick<Step<WorldIo>, 'id' | 'phase'> & {
      readonly name: string;
      readonly request: () => Moved;
      readonly effect: (moved: Moved) => void;
      readonly settle: (moved: Moved) => boolean | 'unknown';
      readonly undo?: (moved: Moved) => void;
      readonly known?: boolean;
    },
  ): Step<WorldIo> => {
    const {id, phase, name, effect, settle, undo, known} = spec;
    return step({
      id,
      phase,
      title: `${id} it`,
      requestSchema: moved,
      resultSchema: moved,
      request: async (io: WorldIo) => {
        io.process.reach('before intent', name);
        return spec.request();
      },
      perform: async (io, request) => {
        await call(io, name, () => effect(request));
        return request;
      },
      settle: async (io, request) => {
        io.process.reach('before call', `${name} settled`);
        await world.faults.get(`${name} settled`)?.shift()?.(() => undefined);
        const happened = settle(request);
        return happened === 'unknown' ? 'unknown' : happened ? {done: request} : 'absent';
      },
      ...(undo && {undo: (io: WorldIo, request: Moved) => call(io, `${name} undone`, () => undo(request))}),
      ...(known && {assume: (request: Moved) => request}),
      tell: ({to}) => `${id} ${to}`,
      byHand: () => ({commands: [['make', name]]}),
    });
  };
  const setFile = (id: string, version: string | null) =>
    version === null ? world.files.delete(id) : world.files.set(id, version);

  const prepareStep = (id: string, version: string, phase: (typeof preparing)[number]): Step<WorldIo> => {
    const name = `${id}/${phase}`;
    const place = phase === 'build' ? world.images : world.registry;
    const image = `${id}:${version}`;
    return phase === 'bump'
      ? thingStep({
          id: phase,
          phase,
          name,
          request: () => ({from: world.files.get(id) ?? null, to: version}),
          effect: ({to}) => world.files.set(id, to),
          settle: ({to}) => world.files.get(id) === to,
          undo: ({from, to}) => {
            if (world.files.get(id) !== to) throw new DeployError(`the version file of ${id} was changed by somebody else`);
            setFile(id, from);
          },
        })
      : thingStep({
          id: phase,
          phase,
          name,
          request: () => ({from: null, to: image}),
          effect: ({to}) => place.add(to),
          settle: ({to}) => place.has(to),
        });
  };

  return {
    kind: 'thing',
    revert: 'auto',
    config: thingConfig,
    state: z.object({version: z.string()}),
    payload: thingPayload,
    requirements: ({requires}) => requires.map(id => ({id, text: `${id} is there`, subject: {is: 'requirement', id}})),
    observe: async ({id}) => {
      const version = world.running.get(id)?.version;
      return version === undefined ? undefined : {version, state: {version}};
    },
    prepare: async ({id, prepares}, {version}) =>
      preparing.filter(phase => prepares.includes(phase)).map(phase => prepareStep(id, version, phase)),
    plan: async ({id, kind, risk: there, backRisk, flags}, {version, is}) => {
      const back = is === 'state';
      const risk = (back ? backRisk : undefined) ?? there;
      world.stale.delete(id);
      const before = world.running.get(id)?.version ?? null;
      const payload = {before, to: version, back};
      return {
        component: id,
        kind,
        ...(before !== null && {from: before}),
        to: version,
        changes: before === version ? [] : [{id, risk, summary: `${id} becomes ${version}`, details: [], flags}],
        notes: [],
        fingerprint: fingerprint({before, to: version}),
        payload,
      };
    },
    recheck: async ({id}, {payload}) => {
      const now = world.running.get(id)?.version ?? null;
      return world.stale.get(id) ?? (now === payload.before ? undefined : `${id} runs ${now} now`);
    },
    steps: ({id, steps, blind, known}, {payload: {before, to, back}}) =>
      steps.map((name, index) =>
        thingStep({
          id: name,
          phase: 'apply',
          name: `${id}/${back ? 'back.' : ''}${name}`,
          known,
          request: () => ({from: before, to}),
          effect: ({to}) => {
            if (index === steps.length - 1) world.running.set(id, {version: to, since: world.clock.now()});
          },
          settle: () => (blind ? 'unknown' : world.effects.includes(`${id}/${back ? 'back.' : ''}${name}`)),
        }),
      ),
    claims: ({id, verify, proofs, within, late}, {to}) => {
      const more = {...(within !== undefined && {within}), ...(late && {late})};
      return [
        ...(verify ? [{id: `${id} runs`, text: `${id} runs ${to}`, subject: {is: 'runs', version: to}, ...more}] : []),
        ...proofs.map(proof => ({id: proof, text: `${proof} of ${id}`, subject: {is: 'proof'}})),
      ];
    },
    check: async ({id, takes}, claim, io) => {
      io.process.reach('before call', `${claim.id} looked at`);
      world.looks.push(claim.id);
      return {claim: claim.id, text: claim.text, ...verdict(world, {id, takes}, claim)};
    },
  };
}

function verdict(world: World, {id, takes}: {id: string; takes: number}, claim: Claim): Omit<Check, 'claim' | 'text'> {
  const subject = z.object({is: z.string(), version: z.string().optional()}).parse(claim.subject);
  const said = world.verdicts.get(subject.is === 'runs' ? id : claim.id);
  if (said instanceof Error) throw said;
  if (said) return said;
  if (subject.is === 'requirement') {
    const answers = world.requirements.get(claim.id) ?? ['passed'];
    const status = (answers.length > 1 ? answers.shift() : answers[0]) ?? 'passed';
    return {status, found: status === 'passed' ? 'it is' : 'it is not', ...(status !== 'passed' && {next: `get ${claim.id}`})};
  }
  if (subject.is === 'proof') return {status: 'passed', found: 'it is so'};
  const now = world.running.get(id);
  if (now === undefined || now.version !== subject.version)
    return {status: 'failed', found: `it runs ${now?.version ?? 'nothing'}`};
  return world.clock.now() >= now.since + takes
    ? {status: 'passed', found: `runs ${now.version}`}
    : {status: 'pending', found: 'not yet'};
}

// ── releases ─────────────────────────────────────────────────────────────────────────────────────────

/** What a person says; undefined agrees. */
type Said = string | {readonly value: string; readonly because: string} | undefined;
export type Answers = (question: Question, stop: Stop) => Said | Promise<Said>;

export interface Going {
  readonly answers?: Answers;
  readonly maxParallel?: number;
  readonly planOnly?: boolean;
  readonly crash?: CrashPoint;
  readonly stop?: Stop;
  /** Called with every event before it is recorded; what it throws is a record that cannot be written. */
  readonly onEvent?: (event: RunEvent, stop: Stop) => void;
}

export interface Gone {
  /** Undefined for a process that was thrown away. */
  readonly finish: Finish | undefined;
  /** What this process said. */
  readonly events: readonly RunEvent[];
  readonly asked: readonly Question[];
}

/** One run of a release, in as many processes as it takes. */
export interface TestRelease {
  readonly world: World;
  /** Starts it, or goes on with it where an earlier process left a record. */
  go(options?: Going): Promise<Gone>;
  /** As it would be read back from the record. */
  record(): ReadRecord;
}

const environment = 'production';
export const before = '1.13.2';
export const version = '1.14.0';

/** What an environment brings with it. */
export type Circumstances = Pick<Order<WorldIo>, 'gates' | 'overrides' | 'onFailure' | 'onCancel'> & {
  /** Called when the environment is to be this run's alone. */
  readonly enter?: () => Promise<void>;
  /** Who has their say around the phases. */
  readonly around?: Around;
  /** Nobody is there: policy answers, and lets this through. */
  readonly unattended?: readonly Allowance[];
  /** What was approved elsewhere: then policy is not asked. */
  readonly approved?: Approved;
};

/** A release of `version` to things that run `before`. */
export function testRelease(things: Readonly<Record<string, Thing>>, circumstances: Circumstances = {}): TestRelease {
  const world = createWorld(fakeClock());
  for (const [id, {prepares = []}] of Object.entries(things)) {
    world.running.set(id, {version: before, since: 0});
    if (prepares.includes('bump')) world.files.set(id, before);
  }
  const kind = thingKind(world);
  const components = Object.entries(things).map(([id, thing]) => bind(kind, id, thing));
  const lines: string[] = [];
  let head = emptyHead;
  const record = () => readChain(Buffer.from(lines.join('')), head);

  const go = async (options: Going = {}): Promise<Gone> => {
    const {answers, maxParallel = 4, planOnly = false, crash, stop = createStop(), onEvent} = options;
    const process = startProcess(crash);
    const nobody = circumstances.unattended && unattended(circumstances.unattended, circumstances.approved);
    const events: RunEvent[] = [];
    const asked: Question[] = [];
    const emit = async (event: RunEvent): Promise<void> => {
      process.write(lines.length);
      onEvent?.(event, stop);
      const sealed = seal(event, new Date(world.clock.now()).toISOString(), head);
      head = sealed.head;
      lines.push(`${sealed.line}\n`);
      events.push(event);
      nobody?.show(event);
    };
    const resumed = lines.length > 0;
    const history = resumed ? replay(record().events) : noHistory;
    const by = {user: 'jo', host: 'laptop'};
    try {
      await emit(
        resumed
          ? {type: 'run.resumed', by}
          : {
              type: 'run.started',
              schema: schemaVersion,
              run: 'r1',
              application: 'things',
              environment,
              version,
              components: components.map(({id, kind, needs}) => ({id, kind, needs: [...needs]})),
              unattended: false,
              by,
              tool: {version: '0.0.0', node: '24.0.0'},
              configPath: '/things/deploy-wizard.config.yaml',
              config: null,
              allow: [],
            },
      );
      const finish = await release(
        {environment, target: {is: 'release', version}, components, planOnly, history, ...circumstances},
        {
          emit,
          operator: {
            ask: async (question, signal) => {
              process.write(-1);
              asked.push(question);
              if (nobody) return nobody.operator.ask(question, signal);
              const said = (await answers?.(question, stop)) ?? agree(question);
              if (signal.aborted) throw new StoppedError('stopped while a question was open');
              return typeof said === 'string' ? {value: said, by: 'operator'} : {...said, by: 'operator'};
            },
          },
          ioFor: (_job, stop) => ({
            log: () => undefined,
            progress: () => undefined,
            signal: stop.signal,
            stopCommand: () => stop.command(),
            clock: world.clock,
            process,
          }),
          limit: pLimit(maxParallel),
          ...(circumstances.enter && {enter: circumstances.enter}),
          ...(circumstances.around && {around: circumstances.around}),
        },
        stop,
      );
      return {finish, events, asked};
    } catch (error) {
      if (error instanceof CrashError) return {finish: undefined, events, asked};
      throw error;
    }
  };
  return {world, go, record};
}

/** Goes on with everything that can be gone on with. */
function agree(question: Question): string {
  switch (question.about) {
    case 'start':
      return 'go';
    case 'approval':
      return question.expect;
    case 'preflight':
      return 'stop';
    case 'failure':
    case 'unknown step':
      return 'leave';
  }
}
