/**
 * Commands in this process that can be thrown away at any moment, as a kill by force does it: from then on nothing that the
 * process does comes through, to its records, to its lock, or to AWS; and nothing that AWS has answered comes back.
 */
import {type IncomingMessage, type ServerResponse, createServer, request as send} from 'node:http';
import {buffer} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';
import {openApplication} from '../../src/commands/application.ts';
import type {Context} from '../../src/commands/context.ts';
import type {Application} from '../../src/commands/application.ts';
import type {Cell} from '../../src/record/medium.ts';
import type {RecordWriter, Store} from '../../src/record/store.ts';
import type {Clock} from '../../src/release/contract.ts';
import {StoppedError} from '../../src/release/errors.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {deskAt} from '../commands/support/desk.ts';
import type {Finished, Workplace} from './pass.ts';

/**
 * Where a process ends. Steps are named `component/step`; calls and lines are counted from 0. A call is one to the endpoint; what
 * else a step does is begun after its intent, and done before its effect is written.
 */
export type Crash =
  | {readonly at: 'before intent' | 'after intent' | 'before call' | 'after call' | 'before effect'; readonly step: string}
  | {readonly at: 'before call' | 'after call'; readonly call: number}
  | {readonly beforeLine: number};

// ── time ─────────────────────────────────────────────────────────────────────────────────────────────

/** Time that passes when everybody waits: to the next alarm, as soon as no call is on its way. */
export interface IdleTime {
  now(): number;
  /** Sets the clock of the machine, which may jump back; the endpoint has its own. */
  jump(ms: number): void;
  /** The machine's. */
  clockOf(life: Life): Clock;
  /** A call is on its way until what this gives is called. */
  busy(): () => void;
}

/** How much faster than outside time passes at most: what else there is to do (files, the event loop) takes none of it. */
const fastest = 60;
/** In so small steps, in milliseconds outside: whoever goes to sleep meanwhile is not slept over. */
const stride = 2;

export function idleTime(start: number): IdleTime {
  let now = start;
  let jumped = 0;
  const calls = new Set<symbol>();
  let passing = false;
  const sleepers = new Set<{readonly until: number; wake(): void}>();

  const pass = async (): Promise<void> => {
    if (passing) return;
    passing = true;
    while (calls.size === 0 && sleepers.size > 0) {
      const left = Math.min(...[...sleepers].map(({until}) => until)) - now;
      const step = Math.max(0, Math.min(left, stride * fastest));
      await sleep(step / fastest);
      if (calls.size > 0) break;
      now += step;
      for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake();
    }
    passing = false;
  };

  return {
    now: () => now,
    jump: ms => void (jumped += ms),
    busy: () => {
      const call = Symbol('call');
      calls.add(call);
      return () => {
        calls.delete(call);
        void pass();
      };
    },
    clockOf: life => ({
      now: () => now + jumped,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const leave = () => {
            sleepers.delete(sleeper);
            signal.removeEventListener('abort', stopped);
          };
          const stopped = () => {
            leave();
            reject(new StoppedError('stopped while waiting'));
          };
          const sleeper = {
            until: now + ms,
            wake: () => {
              leave();
              resolve();
            },
          };
          if (life.over()) return;
          if (signal.aborted) return stopped();
          signal.addEventListener('abort', stopped, {once: true});
          sleepers.add(sleeper);
          life.atEnd(leave);
          void pass();
        }),
    }),
  };
}

/** Time as it is. */
export function realTime(life: Life): Clock {
  return {
    now: Date.now,
    sleep: (ms, signal) =>
      life.live(() =>
        sleep(ms, undefined, {signal}).catch(() => {
          throw new StoppedError('stopped while waiting');
        }),
      ),
  };
}

// ── lives ────────────────────────────────────────────────────────────────────────────────────────────

export interface Life {
  over(): boolean;
  end(): void;
  atEnd(what: () => void): void;
  readonly gone: Promise<void>;
  /** What the process waits for comes to it only while it lives. */
  live<T>(work: () => Promise<T>): Promise<T>;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

function startLife(): Life {
  let over = false;
  const {promise: gone, resolve} = Promise.withResolvers<void>();
  const last: (() => void)[] = [];
  return {
    over: () => over,
    end: () => {
      if (over) return;
      over = true;
      last.forEach(what => what());
      resolve();
    },
    atEnd: what => void last.push(what),
    gone,
    live: async work => {
      if (over) return never();
      const settled = await work().then(
        value => ({value}),
        (error: unknown) => ({error}),
      );
      if (over) return never();
      if ('error' in settled) throw settled.error;
      return settled.value;
    },
  };
}

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
      if (isAt(`before ${event.type}`, name)) life.end();
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

// ── its ways to the world ────────────────────────────────────────────────────────────────────────────

/** What only looks, by the name of the action or by the path of it. */
const looking = /^(?:Describe|List|Get|BatchGet|Filter|Simulate)/i;

function actionOf({headers, method, url = '/'}: IncomingMessage, body: Buffer): string {
  const {'x-amz-target': target} = headers;
  if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
  const form = new URLSearchParams(body.toString('latin1')).get('Action');
  if (form !== null) return form;
  return method === 'GET' || method === 'HEAD' ? 'Get' : url.slice(url.lastIndexOf('/') + 1);
}

/** Sends a request on, and waits for the whole of its answer. */
async function exchange(url: URL, {method, headers}: Pick<IncomingMessage, 'method' | 'headers'>, body: Buffer) {
  const {promise, resolve, reject} = Promise.withResolvers<IncomingMessage>();
  send(url, {method, headers, agent: false}, resolve).on('error', reject).end(body);
  const answer = await promise;
  const {connection: _connection, 'transfer-encoding': _encoding, ...rest} = answer.headers;
  return {status: answer.statusCode ?? 500, headers: rest, body: await buffer(answer)};
}

interface Gateway {
  readonly url: string;
  close(): void;
}

/** Between one process and the endpoint. */
async function gateway(
  endpoint: string,
  {life, time, call}: {readonly life: Life; readonly time: IdleTime; readonly call: () => () => void},
): Promise<Gateway> {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (life.over()) return;
    const done = time.busy();
    life.atEnd(done);
    const body = await buffer(request);
    const answered = looking.test(actionOf(request, body)) ? () => undefined : call();
    if (life.over()) return;
    const {method, url, headers} = request;
    try {
      const answer = await exchange(new URL(url ?? '/', endpoint), {method, headers}, body);
      answered();
      if (!life.over()) response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch {
      // The endpoint has cut it off.
      answered();
      if (!life.over()) request.socket.resetAndDestroy();
    }
    done();
  };
  const server = createServer((request, response) => void handle(request, response));
  const {promise, resolve} = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
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
