/** The options of the command line, and what may be given to them. */
import {type Command, InvalidArgumentError, Option} from 'commander';
import {durationRule, parseDuration} from '../release/duration.ts';

/** Repeatable options gather their values. */
export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 1000) throw new InvalidArgumentError('a whole number from 1 to 1000.');
  return number;
}

export function factor(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 1000)) throw new InvalidArgumentError('a number above 0, up to 1000.');
  return number;
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined) throw new InvalidArgumentError(`${durationRule}.`);
  return ms;
}

export const configOption = () =>
  new Option('--config <file>', 'the config file (default: deploy-wizard.config.yaml, here or above)');
export const envOption = () => new Option('-e, --env <name>', 'the environment');
export const outputOption = () =>
  new Option('--output <view>', 'how to show it').choices(['auto', 'tui', 'lines', 'json']).default('auto');

export const waitLockOption = () =>
  new Option('--wait-lock <duration>', 'wait so long for whoever is at work in the environment: 10m')
    .argParser(duration)
    .conflicts('dryRun');
export const timeoutOption = () =>
  new Option('--timeout <duration>', 'how long the run may take as a whole; then it is stopped as by SIGTERM: 45m').argParser(
    duration,
  );
/** What is read by people, or by programs. */
export const reportOption = () => new Option('--output <form>', 'how to write it').choices(['auto', 'json']).default('auto');

export const yesOption = () =>
  new Option('-y, --yes', 'no questions: approves what policy and --allow let through').default(false);
export const allowOption = () =>
  new Option('--allow <what>', 'let a risk or a flag through: outage, downgrade:<component>, … (repeatable)')
    .argParser(gather)
    .default([]);

export const reasonOption = () => new Option('--reason <text>', 'why, for the record');

/** What a release may be asked, whether it is carried out or only planned. */
export function releaseOptions(command: Command): Command {
  return command
    .addOption(envOption())
    .option('-r, --release <version>', 'the version')
    .addOption(new Option('--bump <part>', 'count the deployed version up').choices(['major', 'minor', 'patch', 'prerelease']))
    .option('-c, --component <id>', 'only this component (repeatable)', gather)
    .option('--preset <name>', 'only the components that the config file names together')
    .addOption(configOption())
    .addOption(outputOption())
    .option('--no-tui', 'plain lines and prompts instead of the wizard')
    .option('--max-parallel <n>', 'how many components work at once', count, 4)
    .addOption(allowOption())
    .addOption(reasonOption())
    .option(
      '--override <gate>',
      'let a shut gate through: promotion, checklist, repositories; needs --reason (repeatable)',
      gather,
      [],
    );
}
