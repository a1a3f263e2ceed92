/** The wizard where things go wrong, and where somebody does something else meanwhile: the real program in a pseudo-terminal. */
import {describe, expect, test} from 'vitest';
import {behave} from '../../src/emulator/scenarios.ts';
import {clientsFor} from '../emulator/story.ts';
import {type Pass, type PassOptions, before, cluster, released, standing, startPass} from '../support/pass.ts';
import {eventsOf, until} from '../support/program.ts';
import {type WizardOptions, type WizardTerminal, openWizard} from '../support/wizard-terminal.ts';

type Look = Partial<Pick<WizardOptions, 'columns' | 'rows' | 'env' | 'fromShell'>>;

const chosen = ['--env', 'production', '--release', released, '--component', 'deposit-services'];

function open({folder, env}: Pass, args: readonly string[] = chosen, look: Look = {}): WizardTerminal {
  return openWizard(args, {cwd: folder, ...look, env: {...env, ...look.env}});
}

async function confirm(wizard: WizardTerminal): Promise<void> {
  await wizard.waitFor('What would change');
  wizard.press('enter');
  await wizard.waitFor('Type yes to release it');
  wizard.press('yes');
  await wizard.waitFor('enter releases to production');
  wizard.press('enter');
}

/** On the board, where the image of a service cannot be pulled. */
async function failing(
  look: Look = {},
  options: PassOptions = {},
  args: readonly string[] = chosen,
): Promise<{readonly pass: Pass; readonly wizard: WizardTerminal}> {
  const pass = await startPass({speed: 40, scenario: 'cannot-pull', ...options});
  const wizard = open(pass, args, look);
  await confirm(wizard);
  await wizard.waitFor('What now?');
  return {pass, wizard};
}

describe('A service whose image cannot be pulled', () => {
  test('is let through with a reason, which stays in the record and in the summary', async () => {
    // Once ECS has taken it back there is nothing to let through.
    const circuitBreaker = {enable: false, rollback: false};
    const {pass, wizard} = await failing({columns: 100, rows: 30}, {scenario: {...behave('cannot-pull'), circuitBreaker}});
    expect(wizard.screen()).toContain('CannotPullContainerError');
    wizard.press('c');
    await wizard.waitFor('deposit-services by hand');
    await wizard.waitFor('nothing: every step was taken');
    wizard.press('y');
    await wizard.waitFor('copied');
    wizard.press('escape');
    await wizard.waitFor('What now?');
    wizard.press('s');
    await wizard.waitFor('Why is deposit-services let through?');
    wizard.press('enter');
    wizard.press('known to ');
    await wizard.waitFor('known to ▏');
    wizard.press('escape');
    await wizard.waitFor('What now?');
    wizard.press('s');
    await wizard.waitFor('known to ▏');
    wizard.press('be so');
    await wizard.waitFor('known to be so▏');
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 0});
    const record = await pass.record();
    const by = expect.stringMatching(/^[^@\s]+@\S+$/);
    expect(eventsOf(record, 'waived')).toMatchObject([{reason: 'known to be so', by}]);
    expect(record.events.at(-1)).toMatchObject({outcome: 'passed with waivers', exitCode: 0});
    expect(wizard.scrollback()).toMatch(/let through by [^@\s]+@\S+: .*\(known to be so\)/);
    const {stdout} = await pass.run('audit', '--env', 'production');
    expect(stdout).toMatch(/⚠ deposit-services: nothing was let through: .*; let through by [^@\s]+@\S+: known to be so/);
  });

  test('is taken back at a key, and says so while it is; at another one, with all others', async () => {
    // Nothing of ECS's own takes it back before somebody does.
    const circuitBreaker = {enable: false, rollback: false};
    const both = [...chosen, '--component', 'notification-services'];
    const {pass, wizard} = await failing({}, {scenario: {...behave('cannot-pull'), circuitBreaker}}, both);
    await wizard.waitFor(/notification-services +✖ failed/);
    await wizard.waitFor(/▸ deposit-services +✖ failed/);
    await wizard.waitFor('b take it back');
    wizard.press('b');
    await wizard.waitFor(new RegExp(`deposit-services +\\S going back +← ${before.replaceAll('.', '\\.')}`));
    wizard.press('n');
    await wizard.waitFor('? notification-services');
    await wizard.waitFor('B take all back');
    wizard.press('B');
    await wizard.waitFor('enter leave', 90_000);
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 6});
    expect((await pass.record()).events.at(-1)).toMatchObject({outcome: 'rolled back', exitCode: 6});
    expect(wizard.scrollback()).toMatch(/ROLLED BACK/);
  });

  test('is waited for at a key, although it looks hopeless, until somebody else has had enough of it', async () => {
    const circuitBreaker = {enable: false, rollback: false};
    const {pass, wizard} = await failing({}, {scenario: {...behave('cannot-pull'), circuitBreaker}});
    await wizard.waitFor('w go on waiting');
    wizard.press('w');
    await wizard.waitFor(/deposit-services +\S verifying/);
    pass.world.updateService({cluster, service: 'deposit-services', taskDefinition: 'deposit-services:1'});
    await wizard.waitFor(/another deployment took\s+over/);
    await wizard.waitFor('l leave it as it is');
    wizard.press('l');
    await wizard.waitFor('enter leave');
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 8});
    const record = await pass.record();
    expect(eventsOf(record, 'question.answered').map(({answer}) => answer.value)).toEqual(['yes', 'wait', 'leave']);
    expect(record.events.at(-1)).toMatchObject({outcome: 'superseded'});
  });

  test('is looked at once more at a key, and left as it is at another; nothing is done twice', async () => {
    const {pass, wizard} = await failing();
    const changes = pass.changes().length;
    const runs = async () => (await standing(clientsFor(pass.url))).services['deposit-services'];
    await until(async () => (await runs()) === 'deposit-services:1', 'ECS to take it back by itself');
    wizard.press('r');
    const asked = async () =>
      eventsOf(await pass.record(), 'question.asked').filter(({question}) => question.about === 'failure');
    await until(async () => (await asked()).length === 2, 'the same question once more');
    await wizard.waitFor('What now?');
    wizard.press('l');
    await wizard.waitFor('enter leave');
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 6});
    expect(pass.changes()).toHaveLength(changes);
    expect(wizard.scrollback()).toMatch(
      /^Again +deploy-wizard --env production --release 1\.14\.0 --component deposit-services$\n^In CI +deploy-wizard --yes --env production --release 1\.14\.0 --component deposit-services$/m,
    );
  });
});

describe('A wizard that is put aside', () => {
  test('at Ctrl-Z gives the terminal back to the shell, and goes on where it was; what is open by hand is said at the end', async () => {
    const pass = await startPass({
      speed: 10,
      config: config => {
        config['checklist'] = [{id: 'acceptance', when: 'after', text: 'Acceptance tests run'}];
      },
    });
    const wizard = open(pass, chosen, {fromShell: 'with job control'});
    await wizard.waitFor('What would change');
    wizard.press('enter');
    await wizard.waitFor('Type yes to release it');
    wizard.press('ye');
    await wizard.waitFor('ye▏');
    wizard.press('ctrl+z');
    await wizard.waitFor(/^suspended$/m);
    expect(wizard.isOnMainScreen()).toBe(true);
    expect(wizard.scrollback().split(/[\s;]+/)).toEqual(expect.arrayContaining(['isig', 'icanon', 'echo', 'icrnl']));
    wizard.press('fg');
    wizard.press('enter');
    await wizard.waitFor('ye▏');
    expect(wizard.isOnMainScreen()).toBe(false);
    wizard.press('s');
    await wizard.waitFor('enter releases to production');
    wizard.press('enter');
    // It stays open.
    await wizard.waitFor('Say what was done, or Enter');
    wizard.press('enter');
    expect(await wizard.exited).toMatchObject({exitCode: 0});
    expect((await pass.record()).events.at(-1)).toMatchObject({outcome: 'passed'});
    expect(wizard.scrollback()).toMatch(
      /^Open +acceptance: Acceptance tests run\n +deploy-wizard tick acceptance --env production --release 1\.14\.0$/m,
    );
    expect(wizard.scrollback()).toMatch(/^ {6}deposit-services-core:1\.14\.0 {2}sha256:[0-9a-f]{12}… → sha256:[0-9a-f]{64}$/m);
  });
});

describe('For screen readers', () => {
  test('a whole release is questions in words, and one line a change', async () => {
    const pass = await startPass({speed: 40});
    const wizard = open(pass, [...chosen.slice(0, 4), '--component', 'grant-loader'], {env: {INK_SCREEN_READER: 'true'}});
    await confirm(wizard);
    expect(await wizard.exited).toMatchObject({exitCode: 0});
    expect(wizard.frames()).toBe(0);
    const told = wizard.scrollback();
    expect(told).not.toMatch(/[█░│▸▏⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
    expect(told.match(/✔ grant-loader apply: /g)).toHaveLength(1);
    expect(told).toMatch(/grant-loader .*1\.14\.0 .*verified/);
  });
});
