/** The wizard's questions where there is no wizard: on plain lines, in a pseudo-terminal. */
import {describe, expect, test} from 'vitest';
import {released} from '../support/pass.ts';
import {runs} from '../support/program.ts';
import {chosen, expectPassed, open, startSlowPass} from '../support/wizard-pass.ts';
import type {WizardTerminal} from '../support/wizard-terminal.ts';

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
