/** The wizard at work on PASS, and what a person does with it there: set-up of the tests that drive it in a pseudo-terminal. */
import {expect} from 'vitest';
import {clientsFor} from '../emulator/story.ts';
import {type Pass, type PassOptions, everythingOn, released, standing, startPass} from './pass.ts';
import {type RunRecord, eventsOf} from './program.ts';
import {type WizardOptions, type WizardTerminal, openWizard} from './wizard-terminal.ts';

export type Look = Partial<Pick<WizardOptions, 'columns' | 'rows' | 'env' | 'fromShell'>>;

/** With staging before production, so that somebody has to choose; the application behind the topic waits for `redeploy`. */
export async function startSlowPass(options: PassOptions = {}): Promise<Pass & {redeploy(): void}> {
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

export function open({folder, env}: Pass, args: readonly string[] = [], look: Look = {}): WizardTerminal {
  return openWizard(args, {cwd: folder, ...look, env: {...env, ...look.env}});
}

export const chosen = [
  '--env',
  'production',
  '--release',
  released,
  ...componentsOf('pass-core', 'deposit-services', 'grant-loader'),
];

export function componentsOf(...ids: readonly string[]): readonly string[] {
  return ids.flatMap(id => ['--component', id]);
}

export async function confirm(wizard: WizardTerminal, text: string): Promise<void> {
  await wizard.waitFor('What would change');
  wizard.press('enter');
  await wizard.waitFor(`Type ${text} to release it`);
  wizard.press(text);
  await wizard.waitFor('enter releases to production');
  wizard.press('enter');
}

export async function expectPassed(pass: Pass): Promise<RunRecord> {
  const {ecs, events} = clientsFor(pass.url);
  expect(await standing({ecs, events})).toEqual(everythingOn(2));
  expect(pass.messages()).toHaveLength(1);
  const record = await pass.record();
  expect(record.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'passed', exitCode: 0});
  expect(eventsOf(record, 'approval.given')).toMatchObject([{by: 'operator'}]);
  return record;
}
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
