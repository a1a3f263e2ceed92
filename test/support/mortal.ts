/**
 * Commands in this process that can be thrown away at any moment, as a kill by force does it: from then on nothing that the
 * process does comes through, to its records, to its lock, or to AWS; and nothing that AWS has answered comes back.
 */
import {openApplication} from '../../src/commands/application.ts';
import type {Context} from '../../src/commands/context.ts';
import type {Application} from '../../src/commands/application.ts';
import type {Cell} from '../../src/record/medium.ts';
import type {RecordWriter, Store} from '../../src/record/store.ts';
import type {Clock} from '../../src/release/contract.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {deskAt} from '../commands/support/desk.ts';
import {gateway} from './mortal/gateway.ts';
import {type Life, startLife} from './mortal/life.ts';
import type {IdleTime} from './mortal/time.ts';
import type {Finished, Workplace} from './pass.ts';

/**
 * Where a process ends. Steps are named `component/step`; calls and lines are counted from 0. A call is one to the endpoint; what
 * else a step does is begun after its intent, and done before its effect is written.
 */
export type Crash =
  | {readonly at: 'before intent' | 'after intent' | 'before call' | 'after call' | 'before effect'; readonly step: string}
  | {readonly at: 'before call' | 'after call'; readonly call: number}
  | {readonly beforeLine: number};

/** What decides when a life ends: it hears of every line before it is written, and of every call that means to change something. */
function fate(life: Life, crash: Crash | undefined) {
  let lines = 0;
  let calls = 0;
  /** The step whose call comes next: with one component at a time there is one. */
  let step: string | undefined;
  const hits = (at: 'before call' | 'after call', call: number, of: string | undefined): boolean => {
    if (crash === undefined || !('at' in crash) || crash.at !== at) return false;
    return 'call' in crash ? crash.call === call : crash.step === of;
  };
  const isAt = (at: Extract<Crash, {readonly step: string}>['at'], name: string) =>
    crash !== undefined && 'step' in crash && crash.at === at && crash.step === name;
  return {
    /** Gives what to call when the line is written. */
    line: (event: RunEvent): (() => void) => {
      if (crash !== undefined && 'beforeLine' in crash && crash.beforeLine === lines) life.end();
      lines += 1;
      if (event.type !== 'intent' && event.type !== 'effect') return () => undefined;
      const name = `${event.job.component}/${event.step}`;
      // That looking has found nothing done is said before it is done.
      const isMeant = event.type === 'intent' || event.result.is === 'done';
      if (isMeant && isAt(`before ${event.type}`, name)) life.end();
      if (event.type === 'effect') return () => undefined;
      step = name;
      return () => {
        if (isAt('after intent', name)) life.end();
      };
    },
    /** Gives what to call when the call is answered. */
    call: (): (() => void) => {
      const [number, of] = [calls++, step];
      if (hits('before call', number, of)) life.end();
      return () => {
        if (hits('after call', number, of)) life.end();
      };
    },
  };
}

function mortalStore(store: Store, life: Life, line: (event: RunEvent) => () => void): Store {
  const mortalWriter = (writer: RecordWriter): RecordWriter => {
    life.atEnd(() => void writer.close());
    return {
      ...writer,
      append: event => {
        const written = line(event);
        return life.live(async () => {
          const recorded = await writer.append(event);
          written();
          return recorded;
        });
      },
    };
  };
  const mortalCell = (cell: Cell): Cell => ({
    ...cell,
    read: () => life.live(() => cell.read()),
    swap: (text, was) => life.live(() => cell.swap(text, was)),
  });
  return {
    ...store,
    create: (environment, version) =>
      life.live(async () => {
        const {run, writer} = await store.create(environment, version);
        return {run, writer: mortalWriter(writer)};
      }),
    resume: (environment, run) =>
      life.live(async () => {
        const {record, writer} = await store.resume(environment, run);
        return {record, writer: mortalWriter(writer)};
      }),
    lock: environment => mortalCell(store.lock(environment)),
    logLock: (environment, event) => life.live(() => store.logLock(environment, event)),
  };
}

// ── processes ────────────────────────────────────────────────────────────────────────────────────────

/** What became of a process. */
export interface Gone {
  /** Undefined: it was thrown away. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine {
  /** Runs a command as a process of its own; `crash`: it may not come to its end. Rejects with what the command throws. */
  run(command: (context: Context, application: Application) => Promise<number>, crash?: Crash): Promise<Gone>;
}

/** Above what any system gives: no process here has it. */
let pid = 2 ** 30;

/** What a machine's processes have around them. */
export interface Surroundings {
  clockOf(life: Life): Clock;
  /** What AWS is to them, in whose time they live. */
  readonly endpoint?: {readonly url: string; readonly time: IdleTime};
  readonly context?: Partial<Context>;
}

/** A machine with a working directory. */
export function machine(
  {folder, env}: Pick<Workplace, 'folder' | 'env'>,
  {clockOf, endpoint, context}: Surroundings,
  finished: Finished,
): Machine {
  return {
    run: async (command, crash) => {
      const life = startLife();
      const {line, call} = fate(life, crash);
      const way = endpoint && (await gateway(endpoint.url, {life, time: endpoint.time, call}));
      if (way) finished(way.close);
      const desk = deskAt(
        {folder, env: {...env, ...(way && {AWS_ENDPOINT_URL: way.url})}},
        {clock: clockOf(life), pid: ++pid, ...context},
      );
      const application = await openApplication(desk.context, undefined);
      const mortal = {...application, store: mortalStore(application.store, life, line)};
      const exitCode = await Promise.race([command(desk.context, mortal), life.gone.then(() => undefined)]);
      if (exitCode !== undefined) way?.close();
      return {exitCode, stdout: desk.stdout(), stderr: desk.stderr()};
    },
  };
}
