/** Who may change an environment: the gate of a run, and the lock by hand. */
import {readdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, onTestFinished, test, vi} from 'vitest';
import {stringify} from 'yaml';
import {requireSharedStore} from '../../src/commands/application.ts';
import {type LockAction, type LockOptions, lockCommand} from '../../src/commands/lock.ts';
import {type EnvironmentGate, type GateOptions, createGate, ownerFor} from '../../src/commands/locking.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import {resumeCommand, resumeOf} from '../../src/commands/resume.ts';
import {unfinishedRun} from '../../src/commands/unfinished.ts';
import {parseConfig} from '../../src/config/load.ts';
import {fileCell} from '../../src/record/file-cell.ts';
import {fileStore} from '../../src/record/file-store.ts';
import {type Owner, lockSchema} from '../../src/record/lock-events.ts';
import {lookAtLock, takeLock} from '../../src/record/lock.ts';
import type {Store} from '../../src/record/store.ts';
import {DeployError} from '../../src/release/errors.ts';
import {type RunEvent, schemaVersion} from '../../src/release/events.ts';
import type {Json} from '../../src/release/json.ts';
import {folder} from '../record/support/places.ts';
import {passConfig, startPass} from '../support/pass.ts';
import {type Desk, deskAt, speed, unattended} from './support/desk.ts';

const environment = 'production';
const ann: Owner = {user: 'ann', host: 'elsewhere', pid: 7, work: 'release 2.0.0', since: '2026-01-15T12:00:00.000Z'};
const never = new AbortController().signal;

interface Place {
  readonly desk: Desk;
  readonly store: Store;
  /** A run of `version` as somebody's record has it. */
  run(
    version: string,
    events: readonly RunEvent[],
    by?: {user: string; host: string; pid?: number},
    config?: Json,
  ): Promise<string>;
  gate(options?: Partial<GateOptions>): EnvironmentGate;
  said(): readonly string[];
  lock(action: LockAction, options?: LockOptions): Promise<number>;
}

async function place(as: {user?: string; host?: string} = {}, root?: string): Promise<Place> {
  const cwd = root ?? (await folder());
  await writeFile(path.join(cwd, 'deploy-wizard.config.yaml'), stringify({...passConfig('http://pass.test'), store: 'records'}));
  const desk = deskAt({folder: cwd, env: {HOME: cwd}}, as);
  const store = fileStore(path.join(cwd, 'records'), desk.context.clock);
  const said: string[] = [];
  return {
    desk,
    store,
    said: () => said,
    run: async (version, events, by = {user: 'jo', host: 'laptop'}, config = null) => {
      const {run, writer} = await store.create(environment, version);
      const started: RunEvent = {
        type: 'run.started',
        schema: schemaVersion,
        run,
        application: 'pass',
        environment,
        version,
        components: [],
        unattended: true,
        by,
        tool: {version: '0', node: '24'},
        configPath: '/x.yaml',
        config,
        allow: [],
      };
      for (const event of [started, ...events]) await writer.append(event);
      await writer.close();
      return run;
    },
    gate: options => {
      const gate = createGate(desk.context, store, {
        environment,
        work: 'release 1.14.0',
        say: text => void said.push(text),
        ...options,
      });
      onTestFinished(() => gate.leave());
      return gate;
    },
    lock: (action, options) => lockCommand(desk.context, action, {env: environment, ...options}),
  };
}

const bumped: readonly RunEvent[] = [
  {type: 'intent', job: {component: 'core', phase: 'bump'}, step: 'version', request: null},
  {type: 'effect', job: {component: 'core', phase: 'bump'}, step: 'version', result: {is: 'done', value: null}},
];
const applying: readonly RunEvent[] = [
  {type: 'intent', job: {component: 'core', phase: 'apply'}, step: 'publish', request: null},
];
const applied: readonly RunEvent[] = [
  ...applying,
  {type: 'effect', job: {component: 'core', phase: 'apply'}, step: 'publish', result: {is: 'done', value: null}},
];
const ended: RunEvent = {
  type: 'run.finished',
  outcome: 'passed',
  exitCode: 0,
  text: '',
  components: [],
  touched: true,
  resumable: false,
};

/** How somebody is refused. */
async function refusal(work: Promise<unknown>): Promise<DeployError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeployError)) throw new Error(`not refused, but ${String(error)}`);
  return error;
}

const held = async (at: Place, who: Owner, lease = 60_000) => {
  const lock = await takeLock(at.store.lock(environment), who, {environment, timing: {lease, beat: 3_600_000}});
  onTestFinished(() => lock.release());
  return lock;
};

describe('the way into an environment', () => {
  test('is open to one run, and to the next when that has left', async () => {
    const at = await place();
    const [first, second] = [at.gate(), at.gate()];
    await first.enter('run 1', {signal: never});
    await first.enter('run 1', {signal: never});
    expect((await refusal(second.enter('run 2', {signal: never}))).exitCode).toBe(4);
    expect((await refusal(second.look('1.14.0'))).exitCode).toBe(4);
    await first.leave();
    await second.look('1.14.0');
    await second.enter('run 2', {signal: never});
  });

  test('tells others who is in: run, AWS identity and reason', async () => {
    const at = await place();
    await at.gate({reason: 'the fair'}).enter('run 1', {signal: never, identity: 'arn:aws:iam::1:user/jo'});
    await at.lock('status');
    expect(at.desk.stdout()).toMatch(
      /^production: locked by jo on laptop \(process \d+, arn:aws:iam::1:user\/jo\) since \S+, for release 1\.14\.0: the fair\n$/,
    );
  });

  test('is waited for by resume too: what its owner wrote moves no cursor', async () => {
    const at = await place();
    const killed = await at.run('1.14.0', applying);
    await held(at, {...ann, reason: '\u001b[2Jgone'});
    const options = {env: environment, yes: true, output: 'auto', tui: true, maxParallel: 4, allow: [], waitLock: 1} as const;
    expect(await refusal(resumeCommand(at.desk.context, killed, options))).toMatchObject({exitCode: 4});
    expect(at.desk.stderr()).toMatch(/^Waiting: production is locked by ann .*: gone\n$/);
  });

  test('can be waited for, with a limit; who is in is said once', async () => {
    const at = await place();
    const lock = await held(at, ann);
    const clock = {...at.desk.context.clock, sleep: vi.fn(() => Promise.resolve())};
    const options = {environment, work: 'release 1.14.0', say: vi.fn(), wait: 9000};
    const late = createGate({...at.desk.context, clock}, at.store, options);
    expect((await refusal(late.enter('run 2', {signal: never}))).message).toMatch(/^production is locked by ann/);
    expect(clock.sleep.mock.calls.map(([ms]: readonly unknown[]) => ms)).toEqual([2000, 2000, 2000, 2000, 1000]);
    expect(options.say.mock.calls).toEqual([[expect.stringMatching(/^Waiting: production is locked by ann/)]]);

    clock.sleep.mockImplementationOnce(() => lock.release());
    const patient = createGate({...at.desk.context, clock}, at.store, options);
    await patient.look('1.14.0');
    await patient.enter('run 3', {signal: never});
    await patient.leave();
  });

  test('of a run whose lease has expired is taken over, said, and written down', async () => {
    const at = await place();
    await held(at, ann, -1000);
    await at.gate().enter('run 2', {signal: never});
    expect(at.said()).toEqual([
      'The lock of ann on elsewhere (process 7) was taken over: it is gone, or has not renewed it in time.',
    ]);
    const log = await at.store.lockLog(environment);
    expect(log.problems).toEqual([]);
    expect(log.events).toMatchObject([{type: 'lock.taken over', by: {user: 'jo', run: 'run 2'}, of: {user: 'ann'}}]);
  });

  test('stays shut behind a run that was killed in the middle of a change, but for that run', async () => {
    const at = await place();
    const killed = await at.run('1.14.0', applying);
    await held(at, ann, -1000);
    const refused = await refusal(at.gate().enter('another', {signal: never}));
    expect(refused).toMatchObject({
      exitCode: 4,
      message: `run ${killed} (1.14.0) was interrupted in the middle of core: publish`,
      next: ['Go on with that run first: deploy-wizard resume --env production'],
    });
    // And whoever is refused does not keep it.
    await at.gate().enter(killed, {signal: never});
  });

  test('stays shut behind a run that was detached from what it had begun; not behind a doubt that nobody can end', async () => {
    const at = await place();
    const detached: RunEvent = {...ended, outcome: 'unknown', exitCode: 7, resumable: true};
    const left = await at.run('1.14.0', [...applying, detached]);
    await expect(at.gate().look('1.14.0')).rejects.toThrow(`run ${left} (1.14.0) was interrupted in the middle of core: publish`);
    const refused = await refusal(at.gate().enter('another', {signal: never}));
    expect(refused).toMatchObject({exitCode: 4, means: expect.stringContaining('it may still be going on')});

    const nobodyKnows: RunEvent = {
      job: {component: 'core', phase: 'apply'},
      step: 'publish',
      type: 'effect',
      result: {is: 'unknown', trouble: {what: 'it may be out'}},
    };
    await at.run('1.14.0', [...applying, nobodyKnows, detached]);
    await at.gate().enter('another', {signal: never});
  });

  test('whoever is in and loses it is told: at once, when it is lost before anybody listens', async () => {
    vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
    onTestFinished(() => void vi.useRealTimers());
    const at = await place();
    const gate = at.gate();
    const lost: string[] = [];
    await gate.enter('run 1', {signal: never});
    const thief = await takeLock(at.store.lock(environment), ann, {environment, may: () => true});
    vi.advanceTimersByTime(15_000);
    await expect
      .poll(async () => {
        await gate.enter('run 1', {signal: never, onLost: error => void lost.push(error.message)});
        return lost;
      })
      .toContain('the lock of production is lost: ann on elsewhere (process 7) has it');
    await thief.release();
  });
});

test('a release that loses its lock begins nothing new, and says who has it', {timeout: 60_000}, async () => {
  vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
  onTestFinished(() => void vi.useRealTimers());
  const pass = await startPass({speed, redeploys: false});
  const desk = deskAt(pass);
  const running = releaseCommand(desk.context, unattended());
  await expect.poll(() => pass.messages(), {timeout: 20_000}).toHaveLength(1);
  const cell = fileCell(path.join(pass.records.root, environment));
  await takeLock(cell, ann, {environment, may: () => true});
  vi.advanceTimersByTime(15_000);
  expect(await running).toBe(143);
  expect(desk.stdout() + desk.stderr()).toContain(
    'the lock of production is lost: ann on elsewhere (process 7) has it: nothing new is started.',
  );
  expect(pass.messages()).toHaveLength(1);
  expect(await lookAtLock(cell, 'elsewhere')).toMatchObject({is: 'held', owner: {user: 'ann'}});
});

test('the lock is held while somebody reads the plan: whoever comes then is refused', {timeout: 60_000}, async () => {
  const pass = await startPass({speed});
  const [desk, second] = [deskAt(pass), deskAt(pass)];
  const component = ['grant-loader'];
  const asked = new Promise<void>(resolve => {
    desk.context.stderr.on('data', chunk => String(chunk).includes('Type yes') && resolve());
  });
  const reading = releaseCommand(desk.context, unattended({yes: false, tui: false, component}));
  await asked;
  expect(await refusal(releaseCommand(second.context, unattended({component})))).toMatchObject({
    exitCode: 4,
    message: expect.stringMatching(
      /^production is locked by jo on laptop \(process \d+, arn:\S+\) since \S+, for release 1\.14\.0$/,
    ),
  });
  desk.context.stdin.push('no\n');
  expect(await reading).toBe(3);
  expect(pass.changes()).toEqual([]);
  expect(await lookAtLock(fileCell(path.join(pass.records.root, environment)), 'laptop')).toEqual({is: 'free'});

  // Nor does --yes ever break a freeze, however long it waits.
  expect(await lockCommand(deskAt(pass).context, 'acquire', {env: environment, reason: 'the fair'})).toBe(0);
  const waiting = deskAt(pass);
  expect(await releaseCommand(waiting.context, unattended({component, waitLock: 1}))).toBe(4);
  expect(waiting.stdout()).toMatch(/production is frozen by jo on laptop .*: the fair/);
  expect(pass.changes()).toEqual([]);
});

describe('what a run has left', () => {
  const here = {host: 'laptop', pid: process.pid};
  const left = async (at: Place, but?: string) => (await unfinishedRun(at.store, environment, here, but))?.run;

  test('is a change in the middle, however many have only prepared since', async () => {
    const at = await place();
    const killed = await at.run('1.14.0', applying);
    await at.run('1.15.0', bumped);
    await at.run('1.16.0', [{...ended, outcome: 'refused', touched: false}]);
    expect(await left(at)).toBe(killed);
  });

  test('is what resume goes on with when none is named, not what has only prepared since', async () => {
    const at = await place();
    const loaded = parseConfig(stringify(passConfig('http://pass.test')), '/x.yaml', {});
    const [by, config] = [{user: 'jo', host: 'laptop'}, loaded.source];
    const killed = await at.run('1.14.0', applying, by, config);
    await at.run('1.15.0', [...bumped, {...ended, outcome: 'interrupted', touched: false, resumable: true}], by, config);
    const options = {env: environment, yes: true, output: 'auto', tui: true, maxParallel: 4, allow: []} as const;
    await resumeOf(at.desk.context, {loaded, store: at.store}, undefined, options);
    expect((await at.store.read(environment, killed)).events.map(({type}) => type)).toContain('run.resumed');
  });

  test('is nothing of a run that is in the middle of its change: it has the lock', async () => {
    const at = await place();
    const run = await at.run('1.14.0', applying);
    await held(at, {...ann, run});
    expect(await left(at)).toBeUndefined();
    // Whoever may wait is not turned away before.
    await at.gate({wait: 60_000}).look('1.15.0');
  });

  test('is nothing once somebody has changed the environment since', async () => {
    const at = await place();
    await at.run('1.14.0', applying);
    await at.run('1.15.0', [...applied, ended]);
    expect(await left(at)).toBeUndefined();
  });

  test('is an edit here, of a process that is gone; not one that another machine has, or that is at work', async () => {
    const at = await place();
    const gone = await at.run('1.14.0', bumped);
    expect(await left(at)).toBe(gone);
    expect((await refusal(at.gate().look('1.15.0'))).message).toMatch(/was interrupted after core: version/);
    // The same version is released again: what is edited is what it would edit.
    await at.gate().look('1.14.0');
    await at.run('1.15.0', bumped, {user: 'ann', host: 'elsewhere'});
    await at.run('1.16.0', bumped, {user: 'jo', host: 'laptop', pid: process.ppid});
    expect(await left(at)).toBe(gone);
    expect(await left(at, gone)).toBeUndefined();
  });
});

describe('the lock by hand', () => {
  test('a freeze keeps everybody out until it is released, and says who and why', async () => {
    const at = await place();
    expect(await at.lock('acquire', {reason: 'the fair'})).toBe(0);
    for (const work of [
      () => at.gate().look('1.14.0'),
      () => at.gate().enter('run 1', {signal: never}),
      () => at.lock('acquire', {reason: 'me too'}),
    ]) {
      expect(await refusal(work())).toMatchObject({
        exitCode: 4,
        message: expect.stringMatching(/^production is frozen by jo on laptop .*: the fair$/),
      });
    }
    await at.lock('status');
    expect(at.desk.stdout()).toMatch(/production: frozen by jo on laptop .*: the fair\n$/);
    // Their own they give back without a word.
    await at.lock('release');
    await at.gate().look('1.14.0');
    expect((await at.store.lockLog(environment)).events).toMatchObject([
      {type: 'lock.frozen', by: {user: 'jo', reason: 'the fair'}},
      {type: 'lock.released', by: {user: 'jo'}, of: {user: 'jo', reason: 'the fair'}},
    ]);
  });

  test('a freeze needs a reason', async () => {
    const at = await place();
    expect(await refusal(at.lock('acquire', {reason: ' '}))).toMatchObject({exitCode: 2});
    await at.gate().look('1.14.0');
  });

  test("another's is released with a reason only, and that is written down", async () => {
    const at = await place();
    const lock = await held(at, ann);
    expect(await refusal(at.lock('release'))).toMatchObject({
      exitCode: 2,
      message: 'production is locked by ann on elsewhere (process 7): to release it give --reason <text>',
    });
    expect(await at.lock('release', {reason: 'the runner was lost'})).toBe(0);
    await at.gate().look('1.14.0');
    expect(await at.store.lockLog(environment)).toMatchObject({
      problems: [],
      events: [
        {type: 'lock.released', by: {user: 'jo', reason: 'the runner was lost'}, of: {user: 'ann', work: 'release 2.0.0'}},
      ],
    });
    await lock.release();
    await at.gate().look('1.14.0');
  });

  test("somebody else's freeze, too", async () => {
    const root = await folder();
    const [jo, kim] = [await place({}, root), await place({user: 'kim'}, root)];
    await jo.lock('acquire', {reason: 'the fair'});
    expect((await refusal(kim.lock('release'))).exitCode).toBe(2);
    await kim.lock('release', {reason: 'the fair is over'});
    await jo.gate().look('1.14.0');
  });

  test('what cannot be written down is not released', async () => {
    const at = await place();
    await held(at, ann);
    await at.store.logLock(environment, {type: 'lock.frozen', schema: lockSchema, by: ann});
    const records = path.join(at.desk.context.cwd, 'records', environment);
    await rm(path.join(records, '.locks', 'record.ndjson'));
    await expect(at.lock('release', {reason: 'why not'})).rejects.toThrow(/the log of the lock of production was changed/);
    await at.lock('status');
    expect(at.desk.stdout()).toContain('production: locked by ann on elsewhere');
  });

  test('status says it of every environment, and writes nothing', async () => {
    const at = await place();
    await lockCommand(at.desk.context, 'status', {});
    expect(at.desk.stdout()).toBe('production: free\n');
    expect(await readdir(at.desk.context.cwd)).toEqual(['deploy-wizard.config.yaml']);
  });

  test('releasing what is free says so', async () => {
    const at = await place();
    expect(await at.lock('release')).toBe(0);
    expect(at.desk.stdout()).toBe('production is not locked.\n');
  });
});

describe('a promotion gate in CI', () => {
  const application = (requires: boolean, shared: boolean) => {
    const config = passConfig('http://pass.test');
    config.environments['production'] = {...config.environments['production'], ...(requires && {requires: [{env: 'staging'}]})};
    config.environments['staging'] = {...passConfig('http://staging.test').environments['production']};
    const store = {...fileStore('/nowhere', {now: () => 0}), shared};
    return {loaded: parseConfig(stringify(config), '/app/deploy-wizard.config.yaml', {}), store};
  };
  const check = (env: Record<string, string>, requires: boolean, shared: boolean) => () =>
    requireSharedStore({env}, application(requires, shared), 'production');

  test('needs a store that CI shares: exit 2, with what to do', async () => {
    const refused = await refusal(Promise.resolve().then(check({CI: 'true'}, true, false)));
    expect(refused).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/environments\.production\.requires needs a store that CI shares, and it is \/nowhere$/),
      next: ['Set `store: s3://bucket/prefix` in the config file.', expect.stringContaining('store migrate')],
    });
    expect(check({CI: 'true'}, true, true)).not.toThrow();
    expect(check({CI: 'true'}, false, false)).not.toThrow();
    for (const CI of ['', '0', 'false']) expect(check({CI}, true, false)).not.toThrow();
    expect(check({}, true, false)).not.toThrow();
  });

  test('needs it to go on with a release as well, and not for the way back, which needs no leave', async () => {
    const at = await place();
    const {loaded} = application(true, false);
    const interrupted = async (more: {kind?: 'rollback'; states?: Record<string, never>}) => {
      const {run, writer} = await at.store.create(environment, '1.14.0');
      await writer.append({
        type: 'run.started',
        schema: schemaVersion,
        run,
        application: 'pass',
        environment,
        version: '1.14.0',
        components: [],
        unattended: true,
        by: {user: 'ann', host: 'elsewhere'},
        tool: {version: '0', node: '24'},
        configPath: loaded.path,
        config: loaded.source,
        allow: [],
        ...more,
      });
      await writer.close();
      return run;
    };
    const context = {...at.desk.context, env: {...at.desk.context.env, CI: 'true'}};
    const resume = async (run: string) =>
      resumeOf(context, {loaded, store: at.store}, run, {
        env: environment,
        yes: true,
        output: 'auto',
        tui: true,
        maxParallel: 4,
        allow: [],
      });
    expect(await refusal(resume(await interrupted({})))).toMatchObject({exitCode: 2, code: 'DW211'});
    expect(await resume(await interrupted({kind: 'rollback', states: {}}))).toBe(0);
  });
});

test('an owner is this process, told from every later one', async () => {
  const {desk} = await place();
  expect(ownerFor(desk.context, {work: 'release 1.14.0', run: undefined})).toEqual({
    user: 'jo',
    host: 'laptop',
    pid: process.pid,
    work: 'release 1.14.0',
    since: expect.stringMatching(/Z$/),
    startTime: expect.any(String),
    pids: expect.any(String),
  });
});
