/** The way back, in this process, on PASS: to what the records say was verified, not to "one before". */
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {parse, stringify} from 'yaml';
import {adoptCommand} from '../../src/commands/adopt.ts';
import {auditCommand} from '../../src/commands/audit.ts';
import {logCommand} from '../../src/commands/log.ts';
import {type RollbackOptions, rollbackCommand} from '../../src/commands/rollback.ts';
import {baselineOf} from '../../src/commands/rollback/baseline.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import {statusCommand} from '../../src/commands/status.ts';
import {fileStore} from '../../src/record/file-store.ts';
import {takeLock} from '../../src/record/lock.ts';
import {UsageError} from '../../src/release/errors.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {replay} from '../../src/release/history.ts';
import type {ComponentEnd} from '../../src/release/model.ts';
import type {Outcome} from '../../src/release/words.ts';
import type {StatusCell} from '../../src/views/status.ts';
import {
  type Pass,
  type PassConfig,
  loaders,
  released,
  repositories,
  services,
  standing,
  startPass as start,
} from '../support/pass.ts';
import {type Desk, deskAt, speed, unattended} from './support/desk.ts';

const startPass = () => start({speed});
/** Runs sort by time: everybody here looks at the same clock. */
const {clock} = deskAt({folder: '/', env: {}}).context;
const desk = (pass: Pass) => deskAt(pass, {clock});
const newer = '1.15.0';
/** All but the trigger: what it makes happen cannot be taken back by anybody. */
const ours = [...services.map(({id}) => id), ...loaders.map(({id}) => id)];

const options = (more: Partial<RollbackOptions> = {}): RollbackOptions => ({
  env: 'production',
  yes: true,
  dryRun: false,
  allow: [],
  output: 'auto',
  maxParallel: 4,
  component: ours,
  ...more,
});

/** Releases in order, each to all that is ours. */
async function releases(pass: Pass, ...versions: readonly string[]): Promise<void> {
  for (const version of versions) {
    for (const repository of repositories) pass.world.putImage(repository, version);
    expect(await releaseCommand(desk(pass).context, unattended({release: version, component: ours}))).toBe(0);
  }
}

const ann = {user: 'ann', host: 'elsewhere', pid: 7, work: 'release 2.0.0', since: '2026-01-15T12:00:00.000Z'};

function startOf(run: string, version: string): Extract<RunEvent, {type: 'run.started'}> {
  return {
    type: 'run.started',
    schema: 1,
    run,
    application: 'pass',
    environment: 'production',
    version,
    components: [],
    unattended: true,
    by: {user: 'jo', host: 'laptop'},
    tool: {version: '0', node: '24'},
    configPath: '/x',
    config: null,
    allow: [],
  };
}

describe('rollback', {timeout: 60_000}, () => {
  test('goes back to the revisions of the last verified release, registers none, and is proved', async () => {
    const pass = await startPass();
    await releases(pass, released);
    const then = await standing(pass);
    await releases(pass, newer);
    const newest = await standing(pass);
    expect(newest.services).not.toEqual(then.services);

    const table = desk(pass);
    expect(await rollbackCommand(table.context, options())).toBe(0);
    expect(table.stdout()).toContain(`pass ${released} → production: passed`);
    expect(await standing(pass)).toEqual({...then, revisions: newest.revisions});

    const audited = desk(pass);
    const proved = await auditCommand(audited.context, released, {env: 'production'});
    expect(proved, audited.stdout()).toBe(0);
    expect(audited.stdout()).toMatch(/\nrollback by jo on laptop, /);

    const shown = desk(pass);
    await statusCommand(shown.context, {env: 'production', live: true, output: 'json'});
    const {environments}: {environments: {components: StatusCell[]}[]} = JSON.parse(shown.stdout());
    const core = environments[0]?.components.filter(({id}) => ours.some(own => own === id)) ?? [];
    expect(core.map(({version, kind, end}) => ({version, kind, end}))).toEqual(
      ours.map(() => ({version: released, kind: 'rollback', end: 'verified'})),
    );
    expect(core.flatMap(({live}) => live?.drift ?? [])).toEqual([]);
    const log = desk(pass);
    await logCommand(log.context, {env: 'production', number: 1, output: 'auto'});
    expect(log.stdout()).toMatch(new RegExp(`^✔ .* ${released} +rollback +passed`));
  });

  test('and every other run names the one before it: one that was taken away is missed by all who read the records', async () => {
    const pass = await startPass();
    const component = ['grant-loader'];
    expect(await adoptCommand(desk(pass).context, {env: 'production', yes: true, reason: 'as it runs'})).toBe(0);
    expect(await releaseCommand(desk(pass).context, unattended({component}))).toBe(0);
    expect(await rollbackCommand(desk(pass).context, options({component}))).toBe(0);
    const store = fileStore(pass.records.root, clock);
    const [back = '', there = '', adopted = ''] = await store.runs('production');
    const after = async (run: string) => {
      const [started] = (await store.read('production', run)).events;
      return started?.type === 'run.started' ? started.after : undefined;
    };
    expect(await after(adopted)).toBeUndefined();
    for (const [run, before] of [
      [there, adopted],
      [back, there],
    ] as const)
      expect(await after(run)).toEqual({run: before, head: (await store.read('production', before)).head});

    await rm(join(pass.records.root, 'production', there), {recursive: true});
    const gone = `run ${there}: its record is gone: it was there when run ${back} began`;
    const said = async (command: (context: Desk['context']) => Promise<number>) => {
      const table = desk(pass);
      return {exitCode: await command(table.context), stdout: table.stdout()};
    };
    expect(await said(context => auditCommand(context, undefined, {env: 'production'}))).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining(`✖ the records of the other runs that count are intact: ${gone}`),
    });
    expect((await said(context => statusCommand(context, {live: false, output: 'auto'}))).stdout).toContain(`✖ ${gone}`);
    const {stdout} = await said(context => logCommand(context, {env: 'production', number: 9, output: 'auto'}));
    expect(stdout).toMatch(new RegExp(`^✔ .*rollback[^]*\n✖ +${there}\n +its record is gone[^]*\n✔ .*adopt`));
    await expect(rollbackCommand(desk(pass).context, options({component}))).rejects.toThrow(
      `what production was cannot be told: ${gone}`,
    );
  });

  test('to a version that was never verified there is refused, and names those that were', async () => {
    const pass = await startPass();
    await releases(pass, released);
    await expect(rollbackCommand(desk(pass).context, options({to: '0.1.0'}))).rejects.toThrow(UsageError);
    await expect(rollbackCommand(desk(pass).context, options({to: '0.1.0'}))).rejects.toMatchObject({
      next: expect.arrayContaining([`Verified there: ${released}`]),
    });
  });

  test('with no record to go by says how to make one', async () => {
    const pass = await startPass();
    await expect(rollbackCommand(desk(pass).context, options())).rejects.toMatchObject({
      next: expect.arrayContaining([expect.stringContaining('deploy-wizard adopt --env production')]),
    });
  });
});

describe('rollback of an environment that was released to twice', {timeout: 60_000}, () => {
  let pass: Pass;
  const cleanings: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    pass = await start({speed}, clean => void cleanings.push(clean));
    await releases(pass, released, newer);
  }, 60_000);
  afterAll(async () => {
    for (const clean of cleanings.toReversed()) await clean();
  });

  test('shows what it would change, and changes nothing, when it is only planned', async () => {
    const changes = pass.changes().length;
    const table = desk(pass);
    expect(await rollbackCommand(table.context, options({dryRun: true}))).toBe(0);
    expect(table.stdout()).toContain(`${newer} → ${released}`);
    expect(pass.changes()).toHaveLength(changes);
  });

  test('leaves what the config file does not have any more, or has as something else, and says so', async () => {
    const file = join(pass.folder, 'deploy-wizard.config.yaml');
    const before = await readFile(file, 'utf8');
    onTestFinished(() => writeFile(file, before));
    const config: PassConfig = parse(before);
    const {['nihms-loader']: _gone, ...components} = config.components;
    const now = {...components, 'grant-loader': {kind: 'terraform', directory: 'ci', set: {image_tag: '${version}'}}};
    await writeFile(file, stringify({...config, components: now}));
    const table = desk(pass);
    const {component: _all, ...everything} = options({dryRun: true, to: released});
    expect(await rollbackCommand(table.context, everything), table.stderr()).toBe(0);
    expect(table.stderr().split('\n').slice(0, 3)).toEqual([
      'Left as it is: no record says what pass-core was in production on 1.14.0',
      'Left as it is: grant-loader was of the kind ecs-scheduled-task then, and is of the kind terraform now',
      'Left as it is: nihms-loader was there then, and is not in the config file any more',
    ]);
    await expect(rollbackCommand(desk(pass).context, options({component: ['grant-loader']}))).rejects.toMatchObject({
      exitCode: 2,
    });
  });

  test('a record that somebody changed is nothing to go by: only a version that is named is gone back to', async () => {
    const {run, folder} = await pass.record();
    const file = join(folder, 'record.ndjson');
    const before = await readFile(file, 'utf8');
    onTestFinished(() => writeFile(file, before));
    await writeFile(file, before.replace('"user":"jo"', '"user":"mo"'));
    await expect(rollbackCommand(desk(pass).context, options())).rejects.toThrow(
      `what production was cannot be told: run ${run}: it was changed by somebody`,
    );
    const table = desk(pass);
    expect(await rollbackCommand(table.context, options({dryRun: true, to: released}))).toBe(0);
    expect(table.stderr()).toContain(`Not counted, run ${run}: it was changed by somebody`);
    expect(table.stdout()).toContain(`${newer} → ${released}`);
  });

  test('at a terminal it is a plan like any other: shown, and declined by anything but the name of the environment', async () => {
    const then = await standing(pass);
    for (const [typed, exitCode] of [
      ['yes', 3],
      ['production', 0],
    ] as const) {
      const table = desk(pass);
      table.context.stderr.on('data', chunk => {
        if (String(chunk).includes('Type production')) setImmediate(() => table.context.stdin.push(`${typed}\n`));
      });
      expect(await rollbackCommand(table.context, options({yes: false, tui: false})), table.stderr()).toBe(exitCode);
      expect(table.stderr()).toContain(`${newer} → ${released}`);
      if (exitCode === 3) expect(await standing(pass)).toEqual(then);
    }
    expect((await standing(pass)).services).not.toEqual(then.services);
  });

  test('waits behind whoever is at work there, and behind a run that was killed in the middle: what to do is said', async () => {
    const store = fileStore(pass.records.root, clock);
    const lock = await takeLock(store.lock('production'), ann, {environment: 'production'});
    await expect(rollbackCommand(desk(pass).context, options({to: newer}))).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringContaining('production is locked by ann on elsewhere'),
    });
    await lock.release();

    const {run, writer} = await store.create('production', '1.16.0');
    const job = {component: 'deposit-services', phase: 'apply'} as const;
    await writer.append(startOf(run, '1.16.0'));
    await writer.append({type: 'intent', job, step: 'register', request: null});
    await writer.close();
    await expect(rollbackCommand(desk(pass).context, options({to: newer}))).rejects.toMatchObject({
      exitCode: 4,
      message: `run ${run} (1.16.0) was interrupted in the middle of deposit-services: register`,
      next: ['Go on with that run first: deploy-wizard resume --env production'],
    });

    // One that came to an end of its own, and may still be gone on with: it is said, and the way back is open.
    const {writer: again} = await store.resume('production', run);
    await again.append({
      type: 'run.finished',
      outcome: 'unknown',
      exitCode: 7,
      text: '',
      components: [],
      touched: true,
      resumable: true,
    });
    await again.close();
    const table = desk(pass);
    expect(await rollbackCommand(table.context, options({dryRun: true, to: newer}))).toBe(0);
    expect(table.stderr()).toContain(
      'was interrupted in the middle of deposit-services: register, and can still be gone on with: deploy-wizard resume --env production',
    );
  });
});

describe('what there is to go back to', () => {
  const all = ['a', 'b'];
  /** A run that moved some components to a version, and how it ended. */
  function run(
    version: string,
    outcome: Outcome,
    states: Readonly<Record<string, string>>,
    {touched = true, kind}: {readonly touched?: boolean; readonly kind?: 'rollback' | 'adopt'} = {},
  ) {
    const ends = Object.keys(states).map((component): ComponentEnd => ({
      component,
      kind: 'thing',
      to: version,
      end: 'verified',
      note: '',
    }));
    const events: readonly RunEvent[] = [
      {
        ...startOf(version, version),
        ...(kind && {kind}),
        components: ends.map(({component, kind}) => ({id: component, kind, needs: []})),
      },
      ...Object.entries(states).map(([component, state]): RunEvent => ({type: 'observed', component, version, state})),
      {type: 'run.finished', outcome, exitCode: 0, text: '', components: ends, touched},
    ];
    return {run: version, history: replay(events)};
  }
  const statesOf = (found: ReturnType<typeof baselineOf>) =>
    found && {version: found.version, ...Object.fromEntries([...found.states].map(([id, {state}]) => [id, state]))};

  test('is the verified release before the one that is there', () => {
    const runs = [run('3', 'passed', {a: 'a3'}), run('2', 'passed', {a: 'a2'}), run('1', 'passed', {a: 'a1'})];
    expect(statesOf(baselineOf(runs, all))).toEqual({version: '2', a: 'a2'});
  });

  test('is not a release that failed, and not one that never changed anything', () => {
    const runs = [
      run('4', 'failed', {}),
      run('3', 'failed', {a: 'a3'}),
      run('2', 'refused', {}, {touched: false}),
      run('1', 'passed', {a: 'a1'}),
    ];
    expect(statesOf(baselineOf(runs, all))).toEqual({version: '1', a: 'a1'});
  });

  test('has what a partial release left alone from the release before it', () => {
    const runs = [run('3', 'passed', {a: 'a3', b: 'b3'}), run('2', 'passed', {a: 'a2'}), run('1', 'passed', {a: 'a1', b: 'b1'})];
    expect(statesOf(baselineOf(runs, all))).toEqual({version: '2', a: 'a2', b: 'b1'});
  });

  test('can be named', () => {
    const runs = [run('3', 'passed', {a: 'a3'}), run('2', 'passed', {a: 'a2'}), run('1', 'passed', {a: 'a1'})];
    expect(statesOf(baselineOf(runs, all, '1'))).toEqual({version: '1', a: 'a1'});
    expect(baselineOf(runs, all, '0')).toBeUndefined();
  });

  test('is never what a rollback has left: going back twice goes further back', () => {
    const rolledBack = [
      run('2', 'passed', {a: 'a2'}, {kind: 'rollback'}),
      run('3', 'passed', {a: 'a3'}),
      run('2', 'passed', {a: 'a2'}),
      run('1', 'passed', {a: 'a1'}),
    ];
    expect(statesOf(baselineOf(rolledBack, all))).toEqual({version: '1', a: 'a1'});
    const twice = [run('1', 'passed', {a: 'a1'}, {kind: 'rollback'}), ...rolledBack];
    expect(baselineOf(twice, all)).toBeUndefined();
    expect(statesOf(baselineOf(twice, all, '3'))).toEqual({version: '3', a: 'a3'});
  });

  test('is where a rollback was going that did not bring everything there', () => {
    const [third, second, first] = [
      run('3', 'passed', {a: 'a3', b: 'b3'}),
      run('2', 'passed', {a: 'a2', b: 'b2'}),
      run('1', 'passed', {a: 'a1', b: 'b1'}),
    ];
    const half = run('2', 'failed', {a: 'a2'}, {kind: 'rollback'});
    expect(statesOf(baselineOf([half, third, second, first], all))).toMatchObject({version: '2', b: 'b2'});
    const alone = run('2', 'passed', {a: 'a2'}, {kind: 'rollback'});
    expect(statesOf(baselineOf([alone, third, second, first], all))).toMatchObject({version: '2', b: 'b2'});
    // What was asked for has arrived: once more goes further.
    expect(statesOf(baselineOf([alone, third, second, first], ['a']))).toMatchObject({version: '1', a: 'a1'});
    const rest = run('2', 'passed', {b: 'b2'}, {kind: 'rollback'});
    expect(statesOf(baselineOf([rest, half, third, second, first], all))).toMatchObject({version: '1'});
  });

  test('is what is there below what somebody adopted, whatever came between', () => {
    const runs = [
      run('3', 'passed', {a: 'a3'}, {kind: 'adopt', touched: false}),
      run('2', 'failed', {}),
      run('1', 'passed', {a: 'a1'}),
    ];
    expect(statesOf(baselineOf(runs, all))).toEqual({version: '1', a: 'a1'});
    expect(baselineOf(runs.slice(0, 1), all)).toBeUndefined();
  });

  test('is a release whose message nobody could prove, as far as the rest of it was verified', () => {
    const runs = [run('2', 'passed', {a: 'a2'}), run('1', 'triggered, not proven', {a: 'a1'})];
    expect(statesOf(baselineOf(runs, all))).toEqual({version: '1', a: 'a1'});
  });

  test('is the same after a re-release of what is there', () => {
    const runs = [run('3', 'passed', {a: 'a3'}), run('3', 'failed', {}), run('2', 'passed', {a: 'a2'})];
    expect(statesOf(baselineOf(runs, all))).toEqual({version: '2', a: 'a2'});
  });
});
