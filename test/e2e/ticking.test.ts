/** Items of the checklist, ticked where the release ends: in the wizard, and on plain lines. */
import {expect, test} from 'vitest';
import {auditCommand} from '../../src/commands/audit.ts';
import {deskAt} from '../commands/support/desk.ts';
import {environment, released, startPass} from '../support/pass.ts';
import {openWizard} from '../support/wizard-terminal.ts';

const checklist = [
  {id: 'acceptance', when: 'after', text: 'Acceptance tests run'},
  {id: 'announced', when: 'after', text: 'The team was told'},
];

test.for([
  ['the wizard', []],
  ['plain lines', ['--no-tui']],
] as const)('in %s: what was done is ticked, Enter leaves an item open, and the audit says who', async ([where, args]) => {
  const pass = await startPass({config: config => void Object.assign(config, {checklist})});
  const {folder: cwd, env} = pass;
  const chosen = ['--env', environment, '--release', released, '--component', 'grant-loader'];
  const wizard = openWizard([...chosen, ...args], {cwd, env, columns: 120, rows: 40});
  if (where === 'the wizard') {
    await wizard.waitFor('What would change');
    wizard.press('enter');
  }
  await wizard.waitFor(/Type yes to release/);
  wizard.press('yes');
  await wizard.waitFor(where === 'the wizard' ? `enter releases to ${environment}` : /anything else declines yes/);
  wizard.press('enter');
  await wizard.waitFor(/acceptance: Acceptance tests run\. Say what was done, or Enter/);
  wizard.press('the whole script');
  await wizard.waitFor(/the whole script/);
  wizard.press('enter');
  await wizard.waitFor(/announced: The team was told\. Say what was done/);
  wizard.press('enter');
  expect(await wizard.exited).toMatchObject({exitCode: 0});

  const desk = deskAt(pass);
  expect(await auditCommand(desk.context, released, {env: environment})).toBe(0);
  const stdout = desk.stdout();
  expect(stdout).toMatch(/✔ Acceptance tests run \(after the release\): ticked by \S+ on \S+, \S+: the whole script/);
  expect(stdout).toContain('○ The team was told (after the release): it is not ticked');
});
