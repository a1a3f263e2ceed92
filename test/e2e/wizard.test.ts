/** The wizard as somebody works with it: the real program in a pseudo-terminal, by keys alone. */
import {describe, expect, test} from 'vitest';
import {type Pass, before, released, repositories} from '../support/pass.ts';
import {eventsOf, runs, until} from '../support/program.ts';
import {type Look, chosen, componentsOf, confirm, expectPassed, isAlive, open, startSlowPass} from '../support/wizard-pass.ts';
import {type WizardTerminal} from '../support/wizard-terminal.ts';

describe('PASS', () => {
  // At 100 × 30, its version chosen by arrows: the demo's (demo.test.ts).
  test('is released by keys alone at 80 × 24, its version typed', async () => {
    const pass = await startSlowPass();
    const wizard = open(pass, [], {columns: 80, rows: 24, fromShell: true});

    await wizard.waitFor('Where does this release go?');
    await wizard.waitFor(/▸ staging/);
    wizard.press('down');
    await wizard.waitFor(/▸ production/);
    wizard.press('enter');

    await wizard.waitFor('Which version?');
    await wizard.waitFor(/▸ 1\.13\.3/);
    expect(wizard.screen()).toContain(before);
    wizard.press(released);
    await wizard.waitFor(/▸ other +1\.14\.0/);
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
// ── leaving ──────────────────────────────────────────────────────────────────────────────────────────

describe('Before anything is started', () => {
  // On each of the form's screens: test/views/tui/form.test.ts.
  const steps: readonly (readonly [where: string, go: (wizard: WizardTerminal) => Promise<void>])[] = [
    ['the first question', wizard => wizard.waitFor(/▸ staging/)],
    [
      'the last one',
      async wizard => {
        await steps[0]?.[1](wizard);
        wizard.press('enter');
        await wizard.waitFor(/▸ 1\.13\.3/);
        wizard.press('enter');
        await wizard.waitFor('6 of 6 chosen');
      },
    ],
  ];

  test('Ctrl-C right behind a version that is half typed is heard', async () => {
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

  test('stops at Ctrl-C, when somebody says so', async () => {
    const pass = await startSlowPass();
    const wizard = await onBoard(pass, {fromShell: true});
    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    wizard.press('s');
    expect(await wizard.exited).toMatchObject({exitCode: 130});
  });

  test('gives the terminal back at SIGTERM, and leaves with 143', async () => {
    const pass = await startSlowPass();
    const wizard = await onBoard(pass, {fromShell: true});
    const [started] = eventsOf(await pass.record(), 'run.started');
    process.kill(started?.by.pid ?? 0, 'SIGTERM');
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
    expect(pass.messages()).toHaveLength(1);
    if (how === 'closed') return;
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
    // From here on nothing but clocks and spinners moves.
    await wizard.waitFor(`waiting for ${released}`);
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
    // A change of size may be answered by more than one frame; a ghost would outlive them all.
    await expect.poll(() => still(wizard), {timeout: 20_000}).toEqual(frame);
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

/** Ctrl-C at a question asks, and a second one asks still; whoever goes on has lost nothing. */
async function keepsOn(wizard: WizardTerminal, meaning: string): Promise<void> {
  wizard.press('ctrl+c');
  await wizard.waitFor('Stop this release?');
  await wizard.waitFor(meaning);
  wizard.press('ctrl+c');
  wizard.press('enter');
  await wizard.waitUntilGone('Stop this release?');
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
    await keepsOn(wizard, 'Nothing has been approved.');
    await wizard.waitFor('What would change');
    wizard.press('enter');
    await wizard.waitFor('Type production to release it');
    wizard.press('yes');
    await wizard.waitFor('enter with "yes" declines');
    await keepsOn(wizard, 'Nothing has been approved.');
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
    await keepsOn(wizard, 'Looking ends. Nothing has been changed.');
    await wizard.waitFor('1 requirement is not met');
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
    const wizard = open(pass, ['--env', 'production', '--release', released, ...componentsOf('pass-core', 'grant-loader')], {
      env,
    });
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
