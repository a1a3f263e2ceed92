/** `deploy-wizard` where there is no config file: somebody at a terminal is offered a way to begin. */
import {askWhich} from '../views/init-prompts.ts';
import {configFile} from './application.ts';
import type {Context} from './context.ts';
import {exitCodes} from '../release/errors.ts';

interface StartOptions {
  readonly config?: string;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** The exit code of what was chosen; undefined where there is nothing to offer, or nobody to offer it to. */
export async function offerStart(context: Context, {config, yes, dryRun}: StartOptions): Promise<number | undefined> {
  const attended = !yes && !dryRun && context.stdin.isTTY && context.stderr.isTTY;
  if (!attended || config !== undefined || (await configFile(context, config)) !== undefined) return undefined;
  const choice = await askWhich(
    'There is no deploy-wizard.config.yaml here. What now?',
    [
      {value: 'init', name: 'write one: from what is found here, and a few questions (deploy-wizard init)'},
      {value: 'demo', name: 'see a whole release on this machine first (deploy-wizard demo)'},
      {value: 'nothing', name: 'nothing'},
    ] as const,
    {input: context.stdin, output: context.stderr},
  );
  switch (choice) {
    case 'init':
      return (await import('./init.ts')).initCommand(context, {yes: false});
    case 'demo':
      return (await import('./demo/index.ts')).demoCommand(context, {yes: false, speed: 4});
    case 'nothing':
    case undefined:
      context.stderr.write('Nothing was started.\n');
      return exitCodes.usage;
  }
}
