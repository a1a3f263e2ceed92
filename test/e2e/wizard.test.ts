/** The wizard as somebody works with it: the real program in a pseudo-terminal, by keys alone. */
import {readFile, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {clientsFor} from '../emulator/story.ts';
import {type Cookbook, type CookbookOptions, cookbook, expectNothingLeft, expectReleased} from '../support/cookbook.ts';
import {type Pass, type PassOptions, before, everythingOn, released, repositories, standing, startPass} from '../support/pass.ts';
import {type RunRecord, eventsOf, runs, until} from '../support/program.ts';
import {requires} from '../support/requires.ts';
import {type WizardOptions, type WizardTerminal, openWizard} from '../support/wizard-terminal.ts';

const sizes = [
  {columns: 80, rows: 24},
  {columns: 120, rows: 40},
] as const;

type Look = Partial<Pick<WizardOptions, 'columns' | 'rows' | 'env' | 'fromShell'>>;

// ── PASS ─────────────────────────────────────────────────────────────────────────────────────────────

/** With staging before production, so that somebody has to choose; the application behind the topic waits for `redeploy`. */
async function startSlowPass(options: PassOptions = {}): Promise<Pass & {redeploy(): void}> {
  const pass = await startPass({
    speed: 10,
    redeploys: false,
    ...options,
    config: config => {
      config.environments = {staging: {...config.environments['production']}, ...config.environments};
      options.config?.(config);
    },
  });
  return {...pass, redeploy: () => void (pass.application.version = released)};
}

function open({folder, env}: Pass, args: readonly string[] = [], look: Look = {}): WizardTerminal {
  return openWizard(args, {cwd: folder, ...look, env: {...env, ...look.env}});
}

const chosen = ['--env', 'production', '--release', released, ...componentsOf('pass-core', 'deposit-services', 'grant-loader')];

function componentsOf(...ids: readonly string[]): readonly string[] {
  return ids.flatMap(id => ['--component', id]);
}

async function confirm(wizard: WizardTerminal, text: string): Promise<void> {
  await wizard.waitFor('What would change');
  wizard.press('enter');
  await wizard.waitFor(`Type ${text} to release it`);
  wizard.press(text);
  await wizard.waitFor('enter releases to production');
  wizard.press('enter');
}

async function expectPassed(pass: Pass): Promise<RunRecord> {
  const {ecs, events} = clientsFor(pass.url);
  expect(await standing({ecs, events})).toEqual(everythingOn(2));
  expect(pass.messages()).toHaveLength(1);
  const record = await pass.record();
  expect(record.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'passed', exitCode: 0});
  expect(eventsOf(record, 'approval.given')).toMatchObject([{by: 'operator'}]);
  return record;
}

describe.for(sizes)('PASS at $columns × $rows', size => {
  test.for(['arrows', 'typing'] as const)('is released by keys alone, its version chosen by %s', async by => {
    const pass = await startSlowPass();
    const wizard = open(pass, [], size);

    await wizard.waitFor('Where does this release go?');
    await wizard.waitFor(/▸ staging/);
    wizard.press('down');
    await wizard.waitFor(/▸ production/);
    wizard.press('enter');

    await wizard.waitFor('Which version?');
    await wizard.waitFor(/▸ 1\.13\.3/);
    expect(wizard.screen()).toContain(before);
    wizard.press(by === 'arrows' ? 'down' : released);
    await wizard.waitFor(by === 'arrows' ? /▸ 1\.14\.0/ : /▸ other +1\.14\.0/);
    wizard.press('enter');

    await wizard.waitFor('6 of 6 chosen');
    wizard.press('down');
    await wizard.waitFor(/▸ \[x\] . deposit-services/);
    wizard.press('space');
    await wizard.waitFor('5 of 6 chosen');
    await wizard.waitFor(/▸ \[ \] . deposit-services/);
    wizard.press('space');
    await wizard.waitFor('6 of 6 chosen');
    wizard.press('enter');

    // Preflight has nothing to ask, and there is nothing to build: the next stop is the plan.
    await wizard.waitFor('What would change');
    expect(wizard.screen()).toContain('✔ preflight');
    expect(wizard.screen()).toMatch(/▸ pass-core +trigger/);
    for (const [component, change] of [
      ['deposit-services', 'deposit-services:1'],
      ['notification-services', 'notification-services:1'],
      ['grant-loader', 'grant-nightly'],
    ] as const) {
      wizard.press('down');
      // A long name is cut at 80 columns.
      await wizard.waitFor(new RegExp(`▸ ${component.slice(0, 16)}\\S* +update`));
      await wizard.waitFor(change);
    }

    wizard.press('enter');
    await wizard.waitFor('Type yes to release it');
    wizard.press('ye');
    await wizard.waitFor('enter with "ye" declines');
    wizard.press('escape');
    await wizard.waitFor('What would change');
    await wizard.waitFor(/▸ grant-loader/);
    wizard.press('enter');
    await wizard.waitFor('enter with "ye" declines');
    expect(pass.changes()).toEqual([]);
    wizard.press('s');
    await wizard.waitFor('enter releases to production');
    wizard.press('enter');

    await wizard.waitFor(/pass-core +\S verifying/);
    await wizard.waitFor(/deposit-services +○ waiting +for pass-core/);
    pass.redeploy();
    await wizard.waitFor(/pass-core +✔ verified/);

    expect(await wizard.exited).toMatchObject({exitCode: 0});
    const record = await expectPassed(pass);
    expect(wizard.isOnMainScreen()).toBe(true);
    const summary = wizard.scrollback();
    expect(summary).toMatch(/^pass 1\.14\.0 → production: passed in .*, 6 of 6 components on 1\.14\.0$/m);
    expect(summary).toMatch(/✔ nihms-loader .*verified/);
    expect(summary).toContain(`Record   ${record.folder}`);
    expect(summary).toMatch(/^Check +deploy-wizard audit 1\.14\.0 --env production$/m);
  });
});

// ── the cookbook ─────────────────────────────────────────────────────────────────────────────────────

async function project(options?: CookbookOptions): Promise<Cookbook> {
  const made = await cookbook(options);
  onTestFinished(() => made.remove());
  return made;
}

function openCookbook({repository, env}: Cookbook, args: readonly string[] = [], look: Look = {}): WizardTerminal {
  return openWizard(args, {cwd: repository, env, ...look});
}

const patch = ['--env', 'production', '--bump', 'patch', '--component', 'service'] as const;

/** Up to the review of the plan. */
async function prepare(wizard: WizardTerminal): Promise<void> {
  for (const phase of ['bump', 'build', 'push']) {
    await wizard.waitFor(`Start ${phase}?`);
    wizard.press('enter');
  }
  await wizard.waitFor('What would change');
}

/** Up to the moment when Terraform waits for the new instance. */
async function applyHeld(app: Cookbook, look?: Look): Promise<WizardTerminal> {
  await app.hold();
  const wizard = openCookbook(app, patch, look);
  await prepare(wizard);
  await confirm(wizard, 'production');
  await until(app.isHeld, 'the new instance');
  await wizard.waitFor(/service +\S applying/);
  return wizard;
}

/** What the world was, but for the tag that was pushed. */
async function expectUndone(app: Cookbook, before: Awaited<ReturnType<Cookbook['world']>>): Promise<void> {
  const after = await app.world();
  const {'0.7.2': _pushed, ...registry} = after.registry;
  expect({...after, registry}).toEqual(before);
  expect(await app.starts()).toEqual(['0.7.1']);
}

/** What moves a cursor, clears, rings, and pretends; then the end of a line. */
const hostile = String.raw`printf 'evil\033[2J\033[H\033[?1049l\033]0;pwned\007\033[31mred\u202egnp\n'`;

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('The cookbook', () => {
  test.for(sizes)('is released by keys alone at $columns × $rows', async size => {
    const app = await project({starting: hostile});
    const before = await app.world();
    const wizard = openCookbook(app, [], size);

    await wizard.waitFor(/▸ production/);
    wizard.press('enter');
    await wizard.waitFor(/▸ 0\.7\.2/);
    wizard.press('enter');
    await wizard.waitFor('1 of 1 chosen');
    wizard.press('enter');

    await wizard.waitFor('Start bump?');
    expect(wizard.screen()).toContain('dmsa/__init__.py');
    expect(await app.world()).toEqual(before);
    wizard.press('enter');
    await wizard.waitFor('Start build?');
    expect(wizard.screen()).toMatch(/service +✔ bumped/);
    wizard.press('enter');
    await wizard.waitFor('Start push?');
    expect((await app.world()).registry).toEqual(before.registry);
    wizard.press('enter');

    await wizard.waitFor('What would change');
    await wizard.waitFor(/▸ service +outage/);
    await wizard.waitFor(/outage +terraform_data\.instance/);
    expect((await app.world()).environment).toEqual(before.environment);
    wizard.press('enter');
    await wizard.waitFor('Type production to release it');
    expect(wizard.screen()).toMatch(/1 outage +service: terraform_data\.instance/);
    await app.hold();
    wizard.press('production');
    await wizard.waitFor('enter releases to production');
    wizard.press('enter');

    await until(app.isHeld, 'the new instance');
    await wizard.waitFor(/service +\S applying/);
    // What a child prints is drawn as text.
    await wizard.waitFor('evil');
    expect(wizard.isOnMainScreen()).toBe(false);
    await app.letGo();

    expect(await wizard.exited).toMatchObject({exitCode: 0});
    expect(wizard.printed()).not.toMatch(/pwned|\u202E/);
    await expectReleased(app, {version: '0.7.2', before});
    const summary = wizard.scrollback();
    expect(summary).toMatch(/^data-models-sqlalchemy 0\.7\.2 → production: passed in/m);
    expect(summary).toMatch(/^Record /m);
    expect(summary).toMatch(/^Again +deploy-wizard --yes --env production --release 0\.7\.2 --allow outage:service$/m);
  });

  test('asks at Ctrl-C while Terraform applies: Enter goes on, s interrupts it once', async () => {
    const app = await project();
    const wizard = await applyHeld(app);
    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    expect(wizard.screen().replaceAll(/\s+/g, ' ')).toContain('what is destroyed stays destroyed');
    wizard.press('enter');
    await wizard.waitUntilGone('Stop this release?');
    expect(await app.isHeld()).toBe(true);

    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    // A second Ctrl-C is no answer.
    wizard.press('ctrl+c');
    wizard.press('s');
    expect(await wizard.exited).toMatchObject({exitCode: 130});

    const record = await app.record();
    const finished = record.events.at(-1);
    expect(finished).toMatchObject({type: 'run.finished', outcome: 'interrupted', exitCode: 130, touched: true});
    expect(finished).toMatchObject({components: [{component: 'service', end: 'unknown', to: '0.7.2'}]});
    expect(wizard.scrollback()).toMatch(/INTERRUPTED in .* 0 of 1 components on 0\.7\.2/);
    expect(wizard.scrollback()).toMatch(/^Go on +deploy-wizard resume --env production$/m);
    const logs = await logsOf(record);
    expect(logs).toMatch(/interrupt/i);
    expect(logs).not.toContain('Two interrupts');
    expect(await app.starts()).toEqual(['0.7.1', '0.7.2']);
    // The state is saved, and not locked: a colleague can plan at once.
    expect(await app.terraform('plan', '-input=false', '-no-color')).toContain('Plan:');
  });

  test('goes on after Ctrl-C and Enter', async () => {
    const app = await project();
    const before = await app.world();
    const wizard = await applyHeld(app);
    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    wizard.press('enter');
    await wizard.waitUntilGone('Stop this release?');
    await app.letGo();
    expect(await wizard.exited).toMatchObject({exitCode: 0});
    await expectReleased(app, {version: '0.7.2', before});
  });

  test.for(['detached', 'closed with its window'] as const)(
    'goes on without a wizard that was %s; resume finishes it',
    async how => {
      const app = await project();
      const before = await app.world();
      const wizard = await applyHeld(app);
      if (how === 'detached') {
        wizard.press('ctrl+c');
        await wizard.waitFor('detach');
        wizard.press('d');
        expect(await wizard.exited).toMatchObject({exitCode: 7});
        expect(wizard.scrollback()).toMatch(/^Go on +deploy-wizard resume --env production$/m);
      } else {
        wizard.hangUp();
        await until(() => !isAlive(wizard.pid), 'the end of the wizard');
      }
      expect(await app.isHeld()).toBe(true);

      const again = openCookbook(app, ['resume', '--env', 'production']);
      await again.waitFor(/service +\S applying/);
      await app.letGo();
      expect(await again.exited).toMatchObject({exitCode: 0});
      await expectReleased(app, {version: '0.7.2', before});
    },
  );

  test.for(['prod', ''])('declined with %j it leaves the repository as it was', async text => {
    const app = await project();
    const before = await app.world();
    const wizard = openCookbook(app, patch);
    await prepare(wizard);
    expect((await app.world()).files).not.toEqual(before.files);
    wizard.press('enter');
    await wizard.waitFor('Type production to release it');
    if (text !== '') {
      wizard.press(text);
      await wizard.waitFor(`enter with "${text}" declines`);
    }
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 3});
    await expectUndone(app, before);
    await expectNothingLeft(app);
    expect(wizard.scrollback()).toMatch(/REFUSED in .*The environment was not touched/);
    expect((await app.record()).events.at(-1)).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
  });

  test('asks the same on plain lines', async () => {
    const app = await project();
    const before = await app.world();
    const prompts = openCookbook(app, ['--no-tui', ...patch]);
    for (const phase of ['bump', 'build', 'push']) {
      await prompts.waitFor(new RegExp(`Start ${phase}\\?[^]*❯ start ${phase}`));
      prompts.press('enter');
    }
    await prompts.waitFor('Type production to release');
    expect(prompts.scrollback()).toMatch(/outage: terraform_data\.instance/);
    prompts.press('production');
    await prompts.waitFor(/declines.* production/);
    prompts.press('enter');
    expect(await prompts.exited).toMatchObject({exitCode: 0});
    await expectReleased(app, {version: '0.7.2', before});
  });

  test.for(['Enter', 'the end of the input', 'the wrong name'] as const)('%s is a no on plain lines', async how => {
    const app = await project();
    const before = await app.world();
    const prompts = openCookbook(app, ['--no-tui', ...patch]);
    for (const phase of ['bump', 'build', 'push']) {
      await prompts.waitFor(new RegExp(`Start ${phase}\\?[^]*❯ start ${phase}`));
      prompts.press('enter');
    }
    await prompts.waitFor('Type production to release');
    if (how === 'the end of the input') prompts.press('ctrl+d');
    else {
      if (how === 'the wrong name') prompts.press('Production');
      prompts.press('enter');
    }
    expect(await prompts.exited).toMatchObject({exitCode: 3});
    await expectUndone(app, before);
  });

  test('interrupts Terraform once at Ctrl-C between two questions on plain lines', async () => {
    const app = await project();
    await app.hold();
    const prompts = openCookbook(app, ['--yes', '--env', 'production', '--bump', 'patch', '--allow', 'outage']);
    await until(app.isHeld, 'the new instance');
    prompts.press('ctrl+c');
    expect(await prompts.exited).toMatchObject({exitCode: 130});
    const record = await app.record();
    expect(record.events.at(-1)).toMatchObject({outcome: 'interrupted', exitCode: 130, touched: true});
    expect(await logsOf(record)).not.toContain('Two interrupts');
  });

  test('stopped by Ctrl-C at a question it leaves everything as it was', async () => {
    const app = await project();
    const before = await app.world();
    const wizard = openCookbook(app, patch);
    await wizard.waitFor('Start bump?');
    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    wizard.press('escape');
    await wizard.waitUntilGone('Stop this release?');
    wizard.press('enter');
    await wizard.waitFor('Start build?');
    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    wizard.press('s');
    expect(await wizard.exited).toMatchObject({exitCode: 130});
    await expectUndone(app, before);
    expect((await app.record()).events.at(-1)).toMatchObject({outcome: 'interrupted', exitCode: 130, touched: false});
  });
});

async function logsOf({folder}: RunRecord): Promise<string> {
  const names = await readdir(join(folder, 'logs'));
  return (await Promise.all(names.map(name => readFile(join(folder, 'logs', name), 'utf8')))).join('\n');
}

// ── leaving ──────────────────────────────────────────────────────────────────────────────────────────

describe('Before anything is started', () => {
  const steps: readonly (readonly [where: string, go: (wizard: WizardTerminal) => Promise<void>])[] = [
    ['the environment', wizard => wizard.waitFor(/▸ staging/)],
    [
      'the version',
      async wizard => {
        await steps[0]?.[1](wizard);
        wizard.press('enter');
        await wizard.waitFor(/▸ 1\.13\.3/);
      },
    ],
    [
      'a version that is half typed',
      async wizard => {
        await steps[1]?.[1](wizard);
        wizard.press('1.');
        await wizard.waitFor(/▸ other +1\./);
      },
    ],
    [
      'the components',
      async wizard => {
        await steps[1]?.[1](wizard);
        wizard.press('enter');
        await wizard.waitFor('6 of 6 chosen');
      },
    ],
  ];

  test('Ctrl-C right behind other keys is heard', async () => {
    const wizard = open(await startSlowPass(), ['--env', 'production']);
    await wizard.waitFor(/▸ 1\.13\.3/);
    wizard.press('1.14\u0003');
    expect(await wizard.exited).toMatchObject({exitCode: 130});
  });

  test.for(steps)('Ctrl-C at %s leaves with 130', async ([, go]) => {
    const pass = await startSlowPass();
    const wizard = open(pass);
    await go(wizard);
    wizard.press('ctrl+c');
    expect(await wizard.exited).toMatchObject({exitCode: 130});
    expect(wizard.scrollback()).toContain('Nothing was started.');
    expect(await runs(pass.records)).toEqual([]);
    expect(pass.changes()).toEqual([]);
  });
});

describe('A running release', () => {
  /** On the board, where pass-core waits for the application behind the topic. */
  async function onBoard(pass: Pass, look?: Look): Promise<WizardTerminal> {
    const wizard = open(pass, chosen, look);
    await confirm(wizard, 'yes');
    await wizard.waitFor(/pass-core +\S verifying/);
    return wizard;
  }

  test('leaves the terminal as the shell had it', async () => {
    const pass = await startSlowPass();
    const wizard = await onBoard(pass, {fromShell: true});
    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    wizard.press('s');
    expect(await wizard.exited).toMatchObject({exitCode: 130});
    const settings = wizard.scrollback().split(/[\s;]+/);
    expect(settings).toEqual(expect.arrayContaining(['isig', 'icanon', 'echo', 'icrnl', 'opost', 'onlcr']));
  });

  test('gives the terminal back at SIGTERM, and leaves with 143', async () => {
    const pass = await startSlowPass();
    const wizard = await onBoard(pass);
    wizard.kill('SIGTERM');
    expect(await wizard.exited).toMatchObject({exitCode: 143});
    expect(wizard.scrollback()).toContain('INTERRUPTED');
    expect((await pass.record()).events.at(-1)).toMatchObject({outcome: 'interrupted', exitCode: 143, touched: true});
  });

  test.for(['SIGHUP', 'closed'] as const)('does not outlive its terminal: %s', async how => {
    const pass = await startSlowPass();
    const wizard = await onBoard(pass);
    if (how === 'closed') wizard.hangUp();
    else wizard.kill('SIGHUP');
    await until(() => !isAlive(wizard.pid), 'its end', 20_000);
    // What was done is on record: somebody can go on.
    pass.redeploy();
    const again = open(pass, ['resume', '--env', 'production']);
    expect(await again.exited).toMatchObject({exitCode: 0});
    expect(pass.messages()).toHaveLength(1);
  });

  test('is drawn without ghosts in terminals of any size, and keeps what was selected', async () => {
    const pass = await startSlowPass();
    const wizard = await onBoard(pass);
    wizard.press('down');
    await wizard.waitFor(/▸ deposit-services/);
    await wizard.waitFor(/for pass-core/);
    const frame = still(wizard);
    for (const [columns, rows] of [
      [200, 60],
      [60, 15],
      [40, 10],
      [120, 40],
      [79, 23],
      [61, 50],
      [200, 15],
    ] as const) {
      await wizard.resize(columns, rows);
      await wizard.waitFor(columns === 40 ? 'needs 60x15, has 40x10' : '▸ deposit-services');
    }
    await wizard.storm([
      [40, 10],
      [200, 60],
      [70, 20],
      [132, 43],
      [20, 5],
      [100, 30],
      [80, 24],
    ]);
    await wizard.waitFor('▸ deposit-services');
    await wizard.waitFor(/for pass-core/);
    expect(still(wizard)).toEqual(frame);
    pass.redeploy();
    expect(await wizard.exited).toMatchObject({exitCode: 0});
  });

  /** The screen without what moves by itself. */
  function still(wizard: WizardTerminal): readonly string[] {
    return wizard
      .screen()
      .split('\n')
      .map(row => row.replaceAll(/\d\d:\d\d/g, 'mm:ss').replaceAll(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, '*'));
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

// ── wrong input ──────────────────────────────────────────────────────────────────────────────────────

describe('Wrong input', () => {
  test('is named while it is typed; what a version would mean is said before it is chosen', async () => {
    const pass = await startSlowPass();
    const wizard = open(pass, ['--env', 'production', ...componentsOf('pass-core')]);
    await wizard.waitFor(/▸ 1\.13\.3/);
    wizard.press('1.14/0');
    await wizard.waitFor(/▸ other +1\.14\/0/);
    await wizard.waitFor('✖');
    wizard.press('enter');
    wizard.press('?');
    await wizard.waitFor('1.14/0?');
    wizard.press('ctrl+u');
    await wizard.waitUntilGone('✖');
    wizard.press(before);
    await wizard.waitFor('nothing to do');
    wizard.press('ctrl+u');
    await wizard.waitUntilGone('nothing to do');
    wizard.press('1.13.1');
    await wizard.waitFor(/a downgrade for pass-core: asks for the environment's name/);
    expect(wizard.screen()).toContain('● version');
    wizard.press('ctrl+c');
    expect(await wizard.exited).toMatchObject({exitCode: 130});
  });

  test('a lower version takes the name of the environment', async () => {
    const pass = await startSlowPass();
    for (const repository of repositories) pass.world.putImage(repository, '1.13.1');
    const wizard = open(pass, ['--env', 'production', '--release', '1.13.1', ...componentsOf('grant-loader')]);
    await wizard.waitFor('What would change');
    await wizard.waitFor('downgrade');
    wizard.press('enter');
    await wizard.waitFor('Type production to release it');
    wizard.press('yes');
    await wizard.waitFor('enter with "yes" declines');
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 3});
    expect(pass.changes()).toEqual([]);
  });

  test('an image that is missing is asked about, and looked for again', async () => {
    const pass = await startSlowPass();
    const wizard = open(pass, ['--env', 'production', '--release', '1.15.0', ...componentsOf('grant-loader')]);
    await wizard.waitFor('1 requirement is not met');
    await wizard.waitFor('jhu-grant-loader');
    pass.world.putImage('jhu-grant-loader', '1.15.0');
    wizard.press('r');
    await confirm(wizard, 'yes');
    expect(await wizard.exited).toMatchObject({exitCode: 0});
  });

  test('what is missing on plain lines is named, and asked for', async () => {
    const pass = await startSlowPass();
    const prompts = open(pass, ['--no-tui', '--env', 'production', ...componentsOf('grant-loader')]);
    await prompts.waitFor('Which version?');
    prompts.press('1.14/0');
    await prompts.waitFor('1.14/0');
    prompts.press('enter');
    await prompts.waitFor(/not a version|is no version|Docker tag/i);
    prompts.press('ctrl+u');
    await prompts.waitUntilGone('1.14/0');
    prompts.press('1.15.0');
    await prompts.waitFor('1.15.0');
    prompts.press('enter');
    await prompts.waitFor('Requirements are not met.');
    pass.world.putImage('jhu-grant-loader', '1.15.0');
    prompts.press('enter');
    await prompts.waitFor('Type yes to release');
    prompts.press('enter');
    expect(await prompts.exited).toMatchObject({exitCode: 3});
  });
});

// ── terminals ────────────────────────────────────────────────────────────────────────────────────────

describe('A terminal', () => {
  async function release(pass: Awaited<ReturnType<typeof startSlowPass>>, env: Readonly<Record<string, string>>) {
    const wizard = open(pass, chosen, {env});
    await confirm(wizard, 'yes');
    await wizard.waitFor(/pass-core .*verifying/);
    pass.redeploy();
    expect(await wizard.exited).toMatchObject({exitCode: 0});
    return wizard;
  }

  test('with NO_COLOR gets no colours', async () => {
    const wizard = await release(await startSlowPass(), {NO_COLOR: '1'});
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    expect(wizard.printed()).not.toMatch(/\u001B\[(?:\d+;)*(?:3\d|4\d|9\d|10\d)(?:;\d+)*m/);
  });

  test('of the Linux console gets ASCII alone', async () => {
    const wizard = await release(await startSlowPass(), {LANG: 'C', TERM: 'linux'});
    const beyond = wizard.printed().match(/.{0,30}[\u0080-\u{10FFFF}].{0,30}/gu) ?? [];
    expect(beyond).toEqual([]);
  });

  test('is not moved by names from a config file and from the environment', async () => {
    const evil = 'evil\u001B[2J\u001B[H\u001B[?1049l\u001B]0;pwned\u0007\u202E日本';
    const pass = await startSlowPass({
      config: config => {
        Object.assign(config.components['deposit-services'] ?? {}, {service: evil});
        Object.assign(config.components['grant-loader'] ?? {}, {family: evil});
      },
    });
    const wizard = open(pass, chosen, {env: {USER: evil}});
    await wizard.waitFor('Not everything is as it must be');
    await wizard.waitFor('evil');
    expect(wizard.isOnMainScreen()).toBe(false);
    wizard.press('q');
    await wizard.waitFor('enter leave');
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 1});
    expect(wizard.printed()).not.toMatch(/pwned|\u202E/);
    expect(wizard.scrollback()).toContain('evil');
  });
});

// ── questions on plain lines ─────────────────────────────────────────────────────────────────────────

describe('Without the wizard', () => {
  async function answerForm(prompts: WizardTerminal): Promise<void> {
    await prompts.waitFor('Where does this release go?');
    prompts.press('down');
    await prompts.waitFor(/❯ production/);
    prompts.press('enter');
    await prompts.waitFor('Which version?');
    await prompts.waitFor(/deposit-services .*1\.13\.2/);
    prompts.press(released);
    await prompts.waitFor(/Which version\? .*1\.14\.0/);
    prompts.press('enter');
    await prompts.waitFor('What goes along?');
    prompts.press('enter');
  }

  test('the same is asked line by line, and released', async () => {
    const pass = await startSlowPass({redeploys: true});
    const prompts = open(pass, ['--no-tui']);
    await answerForm(prompts);
    await prompts.waitFor('Type yes to release');
    prompts.press('yes');
    await prompts.waitFor(/declines.* yes/);
    expect(pass.changes()).toEqual([]);
    prompts.press('enter');
    expect(await prompts.exited).toMatchObject({exitCode: 0});
    await expectPassed(pass);
    expect(prompts.scrollback()).toMatch(/^pass 1\.14\.0 → production: passed in .*, 6 of 6 components on 1\.14\.0$/m);
    expect(prompts.frames()).toBe(0);
  });

  test('Enter at the confirmation is a no', async () => {
    const pass = await startSlowPass();
    const prompts = open(pass, ['--no-tui', ...chosen]);
    await prompts.waitFor('Type yes to release');
    prompts.press('enter');
    expect(await prompts.exited).toMatchObject({exitCode: 3});
    expect(pass.changes()).toEqual([]);
    expect((await pass.record()).events.at(-1)).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
  });

  test.for([
    ['the environment', [], 'Where does this release go?'],
    ['the version', ['--env', 'production'], 'Which version?'],
    ['the components', ['--env', 'production', '--release', released], 'What goes along?'],
    ['the confirmation', chosen, 'Type yes to release'],
  ] as const)('Ctrl-C at %s leaves with 130', async ([, args, question]) => {
    const pass = await startSlowPass();
    const prompts = open(pass, ['--no-tui', ...args]);
    await prompts.waitFor(question);
    prompts.press('ctrl+c');
    expect(await prompts.exited).toMatchObject({exitCode: 130});
    expect(pass.changes()).toEqual([]);
  });

  test('CI on a terminal gets no wizard, and does not hang', async () => {
    const pass = await startSlowPass();
    const prompts = open(pass, ['--env', 'production'], {env: {CI: 'true'}});
    await prompts.waitFor('Which version?');
    expect(prompts.frames()).toBe(0);
    prompts.press('ctrl+c');
    expect(await prompts.exited).toMatchObject({exitCode: 130});
    expect(await runs(pass.records)).toEqual([]);
  });
});
