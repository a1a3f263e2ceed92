/** The questions before a release, in the real program on a pseudo-terminal: while its size changes, and in its colours. */
import {expect, test} from 'vitest';
import {type Pass, released, startPass} from '../support/pass.ts';
import {type WizardOptions, openWizard} from '../support/wizard-terminal.ts';

/** PASS in two environments, of which one is of another account; with sets of components that go together. */
async function start(): Promise<Pass> {
  return startPass({
    config: config => {
      const production = {...config.environments['production'], requires: [{env: 'staging'}]};
      const aws = {accountId: '444444444444', region: 'us-east-1', login: ['chopaws', '--profile', 'staging']};
      config.environments = {staging: {...config.environments['production'], aws}, production};
      config['presets'] = {services: ['pass-core', 'deposit-services']};
    },
  });
}

const open = ({folder, env}: Pass, more: Partial<WizardOptions> = {}) =>
  openWizard([], {cwd: folder, ...more, env: {...env, ...more.env}});

const sizes = [
  [60, 15],
  [200, 50],
  [80, 24],
  [61, 40],
  [120, 16],
  [100, 30],
] as const;

test('the form keeps what is selected and typed in a storm of sizes, and leaves no ghosts', async () => {
  const pass = await start();
  const wizard = open(pass, {columns: 100, rows: 30});
  await wizard.waitFor(/staging .*✖ credentials +Run: chopaws --profile staging/);
  wizard.press('2');
  await wizard.waitFor(/▸ production/);
  await wizard.waitFor('gate         ○ staging: nothing was released there');
  await wizard.storm(sizes);
  await wizard.waitFor(/▸ production/);
  wizard.press('enter');

  await wizard.waitFor(new RegExp(`${released} +minor · 7 of 7 images, pushed .* · ○ staging: not ready`));
  wizard.press(released);
  await wizard.waitFor(/▸ other +1\.14\.0/);
  await wizard.storm(sizes);
  await wizard.waitFor(/▸ other +1\.14\.0/);
  wizard.press('enter');

  await wizard.waitFor('6 of 6 chosen');
  wizard.press('p');
  await wizard.waitFor('preset services · 2 of 6 chosen');
  wizard.press('/');
  await wizard.waitFor('/ ▏');
  wizard.press('loader');
  await wizard.waitFor('/ loader▏');
  await wizard.waitUntilGone('deposit-services');
  await wizard.storm(sizes);
  await wizard.waitFor('/ loader▏');
  wizard.press('enter');
  // What comes right behind it would be taken for a line that was pasted.
  await wizard.waitFor('space toggle');
  wizard.press('a');
  await wizard.waitFor('5 of 6 chosen');
  wizard.press('escape');
  await wizard.waitFor(/\[ \] . notification-services/);
  wizard.press('ctrl+c');
  expect(await wizard.exited).toMatchObject({exitCode: 130});
  expect(wizard.scrollback()).toContain('Nothing was started.');
  expect(pass.changes()).toEqual([]);
});

test('a defect of ours ends it with what it was, and with the terminal given back', async () => {
  const defect = `process.on('SIGUSR2', () => { throw new Error('a defect') })`;
  const wizard = open(await start(), {env: {NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(defect)}`}});
  await wizard.waitFor(/▸ staging/);
  process.kill(wizard.pid, 'SIGUSR2');
  expect(await wizard.exited).toMatchObject({exitCode: 1});
  expect(wizard.isOnMainScreen()).toBe(true);
  expect(wizard.scrollback()).toContain('Error: a defect');
});

test('has the colours that a terminal can show, and of 256 those that can be read on any background', async () => {
  const pass = await start();
  for (const [env, colour] of [
    [{TERM: 'xterm-256color'}, '\u001B[38;5;31m'],
    [{TERM: 'xterm'}, '\u001B[36m'],
    [{TERM: 'xterm-256color', FORCE_COLOR: '1'}, '\u001B[36m'],
  ] as const) {
    const wizard = open(pass, {env});
    await wizard.waitFor(/▸ staging/);
    expect(wizard.printed()).toContain(colour);
    wizard.press('ctrl+c');
    await wizard.exited;
    // Bright colours vanish on a light background.
    // eslint-disable-next-line no-control-regex -- that is the question here
    expect(wizard.printed()).not.toMatch(/\u001B\[(?:9[0-7]|1;3[37])m/);
  }
});
