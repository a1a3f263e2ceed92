/** argv → command → exit code. The only place that touches `process`; commands are loaded when they are called. */
import {hostname, homedir, userInfo} from 'node:os';
import {fileURLToPath} from 'node:url';
import {Command, CommanderError, InvalidArgumentError, Option} from 'commander';
import packageJson from '../package.json' with {type: 'json'};
import type {Context} from './commands/context.ts';
import type {Clock} from './release/contract.ts';
import {DeployError, StoppedError, exitCodes} from './release/errors.ts';

const clock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stopped = () => {
        clearTimeout(timer);
        reject(new StoppedError('stopped while waiting'));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stopped);
        resolve();
      }, ms);
      if (signal.aborted) stopped();
      else signal.addEventListener('abort', stopped, {once: true});
    }),
};

/** A container may run as a user whom its system does not know. */
function orElse(ask: () => string, otherwise: string): string {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

function context(): Context {
  return {
    env: process.env,
    cwd: process.cwd(),
    home: orElse(homedir, '/'),
    user: process.env['USER'] ?? orElse(() => userInfo().username, `uid ${process.getuid?.() ?? '?'}`),
    host: hostname(),
    pid: process.pid,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    clock,
    tool: {version: packageJson.version, node: process.versions.node},
    supervisor: {node: process.execPath, script: fileURLToPath(new URL('supervisor.mjs', import.meta.url))},
    program: {node: process.execPath, script: fileURLToPath(new URL('../bin/deploy-wizard.js', import.meta.url))},
    onSignal: listener => {
      const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(signal => {
        const handler = () => listener(signal);
        process.on(signal, handler);
        return () => process.off(signal, handler);
      });
      return () => handlers.forEach(off => off());
    },
  };
}

/** Repeatable options gather their values. */
function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function count(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1 || number > 1000) throw new InvalidArgumentError('a whole number from 1 to 1000.');
  return number;
}

function factor(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= 1000)) throw new InvalidArgumentError('a number above 0, up to 1000.');
  return number;
}

const configOption = () => new Option('--config <file>', 'the config file (default: deploy-wizard.config.yaml, here or above)');
const envOption = () => new Option('-e, --env <name>', 'the environment');
const outputOption = () =>
  new Option('--output <view>', 'how to show it').choices(['auto', 'tui', 'lines', 'json']).default('auto');

const yesOption = () => new Option('-y, --yes', 'no questions: approves what policy and --allow let through').default(false);
const allowOption = () =>
  new Option('--allow <what>', 'let a risk or a flag through: outage, downgrade:<component>, … (repeatable)')
    .argParser(gather)
    .default([]);

/** What a release may be asked, whether it is carried out or only planned. */
function releaseOptions(command: Command): Command {
  return command
    .addOption(envOption())
    .option('-r, --release <version>', 'the version')
    .addOption(new Option('--bump <part>', 'count the deployed version up').choices(['major', 'minor', 'patch', 'prerelease']))
    .option('-c, --component <id>', 'only this component (repeatable)', gather)
    .addOption(configOption())
    .addOption(outputOption())
    .option('--no-tui', 'plain lines and prompts instead of the wizard')
    .option('--max-parallel <n>', 'how many components work at once', count, 4)
    .addOption(allowOption())
    .option('--reason <text>', 'why, for the record');
}

// Whoever read along is gone (a closed pipe, a lost terminal): a release goes on all the same, and its record tells the rest.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Exit code of the command that was called. */
let exitCode: number = exitCodes.done;

const program = new Command('deploy-wizard')
  .description('Takes a release from a version number to a verified deployment.')
  .version(packageJson.version)
  .exitOverride()
  .showSuggestionAfterError()
  .allowExcessArguments(false)
  .helpCommand(true)
  .configureHelp({sortOptions: false});

releaseOptions(program)
  // Without a command it is a release: what stands there and is none gets here.
  .usage('[options] [command]')
  .argument('[command]')
  .addOption(yesOption())
  .option('--dry-run', 'everything up to the approval, changing nothing (the same as `plan`)', false)
  .addHelpText(
    'after',
    `
Examples:
  deploy-wizard                                              the wizard
  deploy-wizard --yes --env staging --release 1.14.0         the same without questions, for CI
  deploy-wizard plan --env production --release 1.14.0       what would change
  deploy-wizard audit 1.14.0 --env production                is it there, and is it what was released?
  deploy-wizard demo                                         a whole release on this machine`,
  )
  .action(async (unknown: string | undefined, options) => {
    if (unknown !== undefined) await refuseCommand(unknown);
    const {releaseCommand} = await import('./commands/release.ts');
    exitCode = await releaseCommand(context(), options);
  });

const plan = releaseOptions(program.command('plan').description('everything up to the approval, changing nothing'))
  .option('--detailed-exitcode', 'exit 2 when something would change, 1 for any error, 0 when nothing would', false)
  .action(async (_options, command: Command) => {
    const {releaseCommand} = await import('./commands/release.ts');
    exitCode = await releaseCommand(context(), {...command.optsWithGlobals(), yes: true, dryRun: true});
  });

program
  .command('resume')
  .description('goes on with an interrupted run')
  .argument('[run]', 'the run (default: the newest that was interrupted)')
  .addOption(envOption())
  .addOption(configOption())
  .addOption(yesOption())
  .addOption(allowOption())
  .addOption(outputOption())
  .action(async (run: string | undefined, _options, command: Command) => {
    const {resumeCommand} = await import('./commands/resume.ts');
    exitCode = await resumeCommand(context(), run, command.optsWithGlobals());
  });

program
  .command('audit')
  .description('the checklist of a release: what its record claims against what is there now')
  .argument('[version]', 'the release (default: the newest)')
  .addOption(envOption())
  .addOption(configOption())
  .action(async (version: string | undefined, _options, command: Command) => {
    const {auditCommand} = await import('./commands/audit.ts');
    exitCode = await auditCommand(context(), version, command.optsWithGlobals());
  });

program
  .command('schema')
  .description('the JSON Schema of the config file, for editors')
  .action(async () => {
    const {configJsonSchema} = await import('./config/schema.ts');
    process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  });

program
  .command('demo')
  .description('a whole release on this machine, with an AWS endpoint of its own')
  .addOption(yesOption())
  .option('--speed <factor>', 'how much faster than AWS its time runs', factor, 4)
  .action(async (_options, command: Command) => {
    const {demoCommand} = await import('./commands/demo/index.ts');
    exitCode = await demoCommand(context(), command.optsWithGlobals());
  });

/** The release's own options are known everywhere; where they mean nothing, nobody may believe that they did something. */
const meant: Readonly<Record<string, readonly string[]>> = {
  resume: ['env', 'config', 'yes', 'allow', 'output', 'tui', 'maxParallel'],
  audit: ['env', 'config'],
  schema: [],
  demo: ['yes'],
};
program.hook('preAction', (_program, command) => {
  const allowed = meant[command.name()];
  const stray =
    allowed &&
    program.options.find(option => {
      const name = option.attributeName();
      return program.getOptionValueSource(name) === 'cli' && !allowed.includes(name);
    });
  if (stray) program.error(`error: ${command.name()} has no option '${stray.long ?? stray.flags}'`);
});

// Should nothing be left to wait for before a command is done, that is no success.
process.exitCode = exitCodes.failed;
// Whoever reads may go away (`| head`): a release goes on without an audience.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  const code = await report(error);
  // There, 2 says that something would change: an error must not look like it.
  exitCode = code !== exitCodes.done && plan.opts()['detailedExitcode'] === true ? exitCodes.failed : code;
}
process.exitCode = exitCode;
// A connection that somebody else keeps open is no reason to stay.
setTimeout(() => process.exit(), 3000).unref();

/** Says that there is no such command, and which one may have been meant. */
async function refuseCommand(unknown: string): Promise<never> {
  // The default export: of a CommonJS module, a chunk of the bundle has no other.
  const {
    default: {closest, distance},
  } = await import('fastest-levenshtein');
  const nearest = closest(
    unknown,
    program.commands.map(command => command.name()),
  );
  const near = distance(unknown, nearest) <= Math.max(2, Math.floor(nearest.length / 3));
  return program.error(`error: unknown command '${unknown}'${near ? `\n(Did you mean ${nearest}?)` : ''}`);
}

/** Says what went wrong, what it means and what to do; returns the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has said it already; help and version are no errors.
  if (error instanceof CommanderError)
    return error.exitCode === 0 || error.code === 'commander.help' ? exitCodes.done : exitCodes.usage;
  const {clean} = await import('./views/text.ts');
  const say = (...lines: readonly string[]) =>
    process.stderr.write(`${lines.flatMap(line => line.split('\n').map(clean)).join('\n')}\n`);
  if (error instanceof DeployError) {
    say(error.message, ...(error.means === undefined ? [] : [error.means]), ...error.next.map(line => `  ${line}`));
    return error.exitCode;
  }
  say(`This is a defect of deploy-wizard: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return exitCodes.failed;
}
