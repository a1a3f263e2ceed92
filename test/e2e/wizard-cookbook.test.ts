/** The cookbook in the wizard: the real program in a pseudo-terminal, by keys alone, on real Docker and Terraform. */
import {readFile, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {type Cookbook, expectNothingLeft, expectReleased, project} from '../support/cookbook.ts';
import {type RunRecord, until} from '../support/program.ts';
import {requires} from '../support/requires.ts';
import {type Look, confirm, isAlive} from '../support/wizard-pass.ts';
import {type WizardTerminal, openWizard} from '../support/wizard-terminal.ts';

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
  test('is released by keys alone, Ctrl-C and Enter among them', async () => {
    const app = await project({starting: hostile});
    const before = await app.world();
    const wizard = openCookbook(app, []);

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
    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    wizard.press('enter');
    await wizard.waitUntilGone('Stop this release?');
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

  test('goes on without a wizard that was detached, or closed with its window; resume finishes it', async () => {
    const app = await project();
    const before = await app.world();
    const detached = await applyHeld(app);
    detached.press('ctrl+c');
    await detached.waitFor('detach');
    detached.press('d');
    expect(await detached.exited).toMatchObject({exitCode: 7});
    expect(detached.scrollback()).toMatch(/^Go on +deploy-wizard resume --env production$/m);
    expect(await app.isHeld()).toBe(true);

    const closed = openCookbook(app, ['resume', '--env', 'production']);
    await closed.waitFor(/service +\S applying/);
    closed.hangUp();
    await until(() => !isAlive(closed.pid), 'the end of the wizard');
    expect(await app.isHeld()).toBe(true);

    const again = openCookbook(app, ['resume', '--env', 'production']);
    await again.waitFor(/service +\S applying/);
    await app.letGo();
    expect(await again.exited).toMatchObject({exitCode: 0});
    await expectReleased(app, {version: '0.7.2', before});
  });

  test('declined with half of its name it leaves the repository as it was', async () => {
    const app = await project();
    const before = await app.world();
    const wizard = openCookbook(app, patch);
    await prepare(wizard);
    expect((await app.world()).files).not.toEqual(before.files);
    wizard.press('enter');
    await wizard.waitFor('Type production to release it');
    wizard.press('prod');
    await wizard.waitFor('enter with "prod" declines');
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 3});
    await expectUndone(app, before);
    await expectNothingLeft(app);
    expect(wizard.scrollback()).toMatch(/REFUSED in .*The environment was not touched/);
    expect((await app.record()).events.at(-1)).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
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
    wizard.press('enter');
    await wizard.waitFor('Start push?');
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
