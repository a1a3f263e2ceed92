/** The demo on a machine that has nothing but Node: how AWS behaves is a name. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {runProgram} from '../support/program.ts';
import {confirm} from '../support/wizard-pass.ts';
import {openWizard} from '../support/wizard-terminal.ts';

/** A folder of its own, and nothing on the PATH but Node. */
async function bare() {
  const folder = await mkdtemp(join(tmpdir(), 'dw-demo-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  return {cwd: folder, env: {PATH: dirname(process.execPath), HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8'}};
}

async function demo(...options: readonly string[]) {
  return runProgram(['demo', ...options], await bare());
}

test('the whole of PASS is released, rolled out in realistic steps, in less than a minute', {timeout: 60_000}, async () => {
  const {exitCode, stdout} = await demo('--yes');
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toMatch(/pass 1\.14\.0 → production: passed in .*6 of 6 components on 1\.14\.0/);
  for (const loader of [
    'state machine grant-load starts jhu-grant-loader:2',
    'schedule journal starts pass-journal-loader:2',
    'rule nihms-weekly starts pass-nihms-loader:2',
  ])
    expect(stdout).toContain(`✔ ${loader}`);
  expect(stdout).toContain('Everything is as the record says');
  expect(stdout).not.toContain('data-models-sqlalchemy');
  expect(stdout).toContain(
    "Left out: the cookbook's release (build, push, Terraform). It takes git, Terraform and a Docker engine",
  );
});

test('the same in the wizard, by keys alone, and in less than a minute, too', {timeout: 60_000}, async () => {
  const wizard = openWizard(['demo', '--scenario', 'healthy'], {...(await bare()), columns: 100, rows: 30});
  await wizard.waitFor(/▸ production/);
  wizard.press('enter');
  await wizard.waitFor('Which version?');
  await wizard.waitFor(/▸ 1\.13\.3/);
  wizard.press('down');
  await wizard.waitFor(/▸ 1\.14\.0/);
  wizard.press('enter');
  await wizard.waitFor('6 of 6 chosen');
  wizard.press('enter');
  await confirm(wizard, 'yes');
  await wizard.waitFor('acceptance: Acceptance tests run against the tag. Say what was done');
  wizard.press('enter');
  expect(await wizard.exited).toMatchObject({exitCode: 0});
  expect(wizard.scrollback()).toMatch(/^pass 1\.14\.0 → production: passed in .*, 6 of 6 components on 1\.14\.0$/m);
  expect(wizard.scrollback()).toContain('Everything is as the record says');
});

test('the failure path: an image that cannot be pulled ends the wait with its reason, and the way on is named', async () => {
  const {exitCode, stdout} = await demo('--yes', '--scenario', 'cannot-pull');
  expect(exitCode, stdout).toBe(1);
  expect(stdout).toContain('Scenario: cannot-pull.');
  expect(stdout).toMatch(/deposit-services verify: .*CannotPullContainerError: .*deposit-services-core:1\.14\.0: not found/);
  expect(stdout).toMatch(/FAILED in .*4 of 6 components on 1\.14\.0 .*failed: .*deposit-services/);
  expect(stdout).toContain('Back     deploy-wizard rollback --env production');
});

test('a lost answer to the message leaves the release unknown, and nothing behind it is started', async () => {
  const {exitCode, stdout} = await demo('--yes', '--speed', '20', '--scenario', 'lost-answer');
  expect(exitCode, stdout).toBe(7);
  expect(stdout).toMatch(/UNKNOWN in .*unknown: pass-core; not started: deposit-services/);
});

test('who asks for another scenario is told which there are', async () => {
  const {exitCode, stderr} = await demo('--scenario', 'earthquake');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Allowed choices are healthy, cannot-pull, crash-loop, out-of-memory, unhealthy');
});
