/** argv → command → exit code. The only place that touches `process`; commands are loaded when they are called. */
import {hostname, homedir, userInfo} from 'node:os';
import {fileURLToPath} from 'node:url';
import {Argument, Command, CommanderError, Help, Option} from 'commander';
import packageJson from '../package.json' with {type: 'json'};
import type {Context} from './commands/context.ts';
import type {Shell} from './commands/completion.ts';
import {
  allowOption,
  configOption,
  count,
  envOption,
  factor,
  gather,
  outputOption,
  reasonOption,
  releaseOptions,
  reportOption,
  timeoutOption,
  waitLockOption,
  yesOption,
} from './commands/options.ts';
import {exampleText} from './commands/examples.ts';
import type {LockAction} from './commands/lock.ts';
import type {Preset} from './config/presets.ts';
import {scenarioNames} from './emulator/scenarios.ts';
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
    // Made when it is asked for: that takes as long as a short command does.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    clock,
    tool: {version: packageJson.version, node: process.versions.node},
    supervisor: {node: process.execPath, script: fileURLToPath(new URL('supervisor.mjs', import.meta.url))},
    program: {node: process.execPath, script: fileURLToPath(new URL('../bin/deploy-wizard.js', import.meta.url))},
    // The whole group: whatever started this program in the foreground has to stop with it, or its shell would go on waiting.
    suspend: () => void process.kill(0, 'SIGTSTP'),
    onWindowChange: listener => {
      process.on('SIGWINCH', listener);
      return () => process.off('SIGWINCH', listener);
    },
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

// Whoever read along is gone (a closed pipe, a lost terminal): a release goes on all the same, and its record tells the rest.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Exit code of the command that was called. */
let exitCode: number = exitCodes.done;

const lockActions = ['status', 'acquire', 'release'] as const satisfies readonly LockAction[];

const program = new Command('deploy-wizard')
  .description('Takes a release from a version number to a verified deployment.')
  .version(packageJson.version)
  .exitOverride()
  .configureOutput({outputError: (text, write) => write(text.replace(/\n/, ' [DW217]\n'))})
  .showSuggestionAfterError()
  .allowExcessArguments(false)
  .helpCommand(true)
  .configureHelp({
    sortOptions: false,
    // That a switch is off, and a list empty, until it is given goes without saying.
    optionDescription: option => new Help().optionDescription(option).replace(/ \(default: (?:false|\[\])\)$/, ''),
  });

releaseOptions(program)
  // Without a command it is a release: what stands there and is none gets here.
  .usage('[options] [command]')
  .argument('[command]')
  .addOption(yesOption())
  .option('--dry-run', 'everything up to the approval, changing nothing (the same as `plan`)', false)
  .option('--approve <file>', 'with --yes: go on only with the plan that `plan --out` wrote there and somebody approved')
  .option('--approve-digest <digest>', 'what that file must be: sha256:…, as `plan --out` printed it')
  .addOption(waitLockOption())
  .addOption(timeoutOption())
  .action(async (unknown: string | undefined, options) => {
    if (unknown !== undefined) await refuseCommand(unknown);
    const {offerStart} = await import('./commands/start.ts');
    const started = await offerStart(context(), options);
    if (started === undefined) {
      const {releaseCommand} = await import('./commands/release.ts');
      exitCode = await releaseCommand(context(), options);
    } else exitCode = started;
  });

const plan = releaseOptions(program.command('plan').description('everything up to the approval, changing nothing'))
  .option('--out <file>', 'write what would change there, to be approved elsewhere (--approve)')
  .option('--detailed-exitcode', 'exit 2 when something would change, 1 for any error, 0 when nothing would', false)
  .addOption(timeoutOption())
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
  .addOption(waitLockOption())
  .addOption(timeoutOption())
  .action(async (run: string | undefined, _options, command: Command) => {
    const {resumeCommand} = await import('./commands/resume.ts');
    exitCode = await resumeCommand(context(), run, command.optsWithGlobals());
  });

program
  .command('rollback')
  .description('the way back: what was there after the last verified release, as a plan like any other')
  .option('--to <version>', 'the verified release to go back to (default: the last of another version)')
  .addOption(envOption())
  .option('-c, --component <id>', 'only this component (repeatable)', gather)
  .addOption(configOption())
  .addOption(yesOption())
  .addOption(allowOption())
  .option('--dry-run', 'only show what it would change', false)
  .addOption(outputOption())
  .addOption(waitLockOption())
  .addOption(timeoutOption())
  .addOption(reasonOption())
  .action(async (_options, command: Command) => {
    const {rollbackCommand} = await import('./commands/rollback.ts');
    exitCode = await rollbackCommand(context(), command.optsWithGlobals());
  });

program
  .command('audit')
  .description('the checklist of a release: what its record claims against what is there now')
  .argument('[version]', 'the release (default: the newest)')
  .addOption(envOption())
  .addOption(configOption())
  .addOption(new Option('--format <format>', 'how to write it').choices(['text', 'markdown', 'json', 'junit']).default('text'))
  .action(async (version: string | undefined, _options, command: Command) => {
    const {auditCommand} = await import('./commands/audit.ts');
    exitCode = await auditCommand(context(), version, command.optsWithGlobals());
  });

program
  .command('tick')
  .description('a manual item of the checklist is done: who, when, and where the evidence is')
  .argument('<item>', 'its id in `checklist:`')
  .addOption(envOption())
  .option('-r, --release <version>', 'the version (default: the newest release there)')
  .option('--note <text>', 'what was done')
  .option('--link <url>', 'where the evidence is')
  .addOption(configOption())
  .action(async (item: string, _options, command: Command) => {
    const {tickCommand} = await import('./commands/tick.ts');
    exitCode = await tickCommand(context(), item, command.optsWithGlobals());
  });

program
  .command('status')
  .description('what runs where, since when and by whom, as the records say')
  .addOption(envOption())
  .option('--live', 'look at the environments too, and say what differs', false)
  .addOption(reportOption())
  .addOption(configOption())
  .action(async (_options, command: Command) => {
    const {statusCommand} = await import('./commands/status.ts');
    exitCode = await statusCommand(context(), command.optsWithGlobals());
  });

program
  .command('log')
  .description('the runs of an environment, newest first')
  .addOption(envOption())
  .option('-n, --number <n>', 'how many', count, 20)
  .addOption(reportOption())
  .addOption(configOption())
  .action(async (_options, command: Command) => {
    const {logCommand} = await import('./commands/log.ts');
    exitCode = await logCommand(context(), command.optsWithGlobals());
  });

program
  .command('adopt')
  .description('what runs in an environment now becomes its baseline, attested by you; changes nothing')
  .addOption(envOption())
  .option('-r, --release <version>', 'the version that it counts as (default: the one that all components are on)')
  .option('-y, --yes', 'no questions: --reason stands for your word', false)
  .addOption(reasonOption())
  .addOption(configOption())
  .action(async (_options, command: Command) => {
    const {adoptCommand} = await import('./commands/adopt.ts');
    exitCode = await adoptCommand(context(), command.optsWithGlobals());
  });

program
  .command('lock')
  .description('the lock of an environment: who has it; freezing it; giving back what somebody left')
  .addArgument(new Argument('[action]').choices(lockActions).default('status'))
  .addOption(envOption())
  .addOption(configOption())
  .addOption(reasonOption())
  .action(async (action: LockAction, _options, command: Command) => {
    const {lockCommand} = await import('./commands/lock.ts');
    exitCode = await lockCommand(context(), action, command.optsWithGlobals());
  });

program
  .command('store')
  .description('the records as a whole: copies them from one store to another, verified')
  .addArgument(new Argument('<action>').choices(['migrate']))
  .option('--from <store>', 'a folder, or s3://bucket/prefix')
  .option('--to <store>', 'a folder, or s3://bucket/prefix')
  .action(async (_action: string, _options, command: Command) => {
    const {storeCommand} = await import('./commands/store.ts');
    exitCode = await storeCommand(context(), command.optsWithGlobals());
  });

program
  .command('doctor')
  .description('whether a release could begin: tools, credentials, permissions, records, config; with the fix for each')
  .addOption(envOption())
  .option('--iam', 'print the IAM policy that this config file needs, and look at nothing', false)
  .addOption(reportOption())
  .addOption(configOption())
  .action(async (_options, command: Command) => {
    const {doctorCommand} = await import('./commands/doctor.ts');
    exitCode = await doctorCommand(context(), command.optsWithGlobals());
  });

program
  .command('init')
  .description('writes a config file from what the repository and the AWS account show, and a few questions')
  .addOption(
    new Option('--preset <name>', 'start from an example instead').choices(['pass', 'cookbook'] satisfies readonly Preset[]),
  )
  .option('-y, --yes', 'no questions: takes the usual answers', false)
  .addOption(new Option('--config <file>', 'where to write it (default: deploy-wizard.config.yaml, here)'))
  .action(async (_options, command: Command) => {
    const {initCommand} = await import('./commands/init.ts');
    exitCode = await initCommand(context(), command.optsWithGlobals());
  });

program
  .command('completion')
  .description('a script with which a shell completes commands, options, environments, components and versions')
  .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish'] satisfies readonly Shell[]))
  .action(async (shell: Shell) => {
    const {completionScripts} = await import('./commands/completion.ts');
    process.stdout.write(completionScripts[shell]);
  });

program
  .command('complete', {hidden: true})
  .argument('[words...]')
  .action(async (words: readonly string[]) => {
    const {completeCommand} = await import('./commands/complete.ts');
    await completeCommand(context(), program, (command, option) => isMeant(command.name(), option.attributeName()), words);
  });

program
  .command('schema')
  .description('the JSON Schema of the config file, for editors')
  .option('--events', 'that of the events that --output json writes', false)
  .action(async ({events}: {readonly events: boolean}) => {
    const schema = events
      ? (await import('./release/event-schema.ts')).eventJsonSchema()
      : (await import('./config/schema.ts')).configJsonSchema();
    process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  });

program
  .command('demo')
  .description('a whole release on this machine, with an AWS endpoint of its own')
  .addOption(yesOption())
  .option('--speed <factor>', 'how much faster than AWS its time runs', factor, 4)
  .addOption(new Option('--scenario <name>', 'how AWS behaves').choices(scenarioNames))
  .action(async (_options, command: Command) => {
    const {demoCommand} = await import('./commands/demo/index.ts');
    exitCode = await demoCommand(context(), command.optsWithGlobals());
  });

for (const command of [program, ...program.commands])
  command.addHelpText('after', () => exampleText(command === program ? '' : command.name()));

/** The release's own options are known everywhere; where they mean nothing, nobody may believe that they did something. */
const meant: Readonly<Record<string, readonly string[]>> = {
  // It takes no lock, and waits for none.
  plan: [...plan.options.map(option => option.attributeName()), 'yes', 'dryRun'],
  rollback: [
    'env',
    'component',
    'config',
    'yes',
    'allow',
    'dryRun',
    'output',
    'tui',
    'reason',
    'maxParallel',
    'waitLock',
    'timeout',
  ],
  resume: ['env', 'config', 'yes', 'allow', 'output', 'tui', 'maxParallel', 'waitLock', 'timeout'],
  audit: ['env', 'config'],
  tick: ['env', 'config', 'release'],
  status: ['env', 'config', 'output'],
  log: ['env', 'config', 'output'],
  adopt: ['env', 'config', 'release', 'yes', 'reason'],
  lock: ['env', 'config', 'reason'],
  store: [],
  doctor: ['env', 'config', 'output'],
  init: ['preset', 'yes', 'config'],
  completion: [],
  schema: [],
  demo: ['yes'],
};
function isMeant(command: string, option: string): boolean {
  return meant[command]?.includes(option) ?? true;
}
program.hook('preAction', (_program, command) => {
  const stray = program.options.find(option => {
    const name = option.attributeName();
    return program.getOptionValueSource(name) === 'cli' && !isMeant(command.name(), name);
  });
  if (stray) program.error(`error: ${command.name()} has no option '${stray.long ?? stray.flags}'`);
});

// Should nothing be left to wait for before a command is done, that is no success.
process.exitCode = exitCodes.failed;

try {
  // Of a command that there is not, Commander would show the help of all.
  const [asked, about] = process.argv.slice(2);
  if (asked === 'help' && about !== undefined && /^(?!help$)[a-z]/i.test(about) && !isCommand(about)) await refuseCommand(about);
  await program.parseAsync();
} catch (error) {
  const code = await report(error);
  // There, 2 says that something would change: an error must not look like it.
  exitCode = code !== exitCodes.done && plan.opts()['detailedExitcode'] === true ? exitCodes.failed : code;
}
process.exitCode = exitCode;
// A connection that somebody else keeps open is no reason to stay.
setTimeout(() => process.exit(), 3000).unref();

function isCommand(name: string): boolean {
  return program.commands.some(command => command.name() === name);
}

/** Says that there is no such command, and which one may have been meant. */
async function refuseCommand(unknown: string): Promise<never> {
  const {nearest} = await import('./config/nearest.ts');
  const meant = nearest(
    unknown,
    program.commands.map(command => command.name()),
  );
  const next = meant === undefined ? '`deploy-wizard --help` lists them; a release takes no command' : `Did you mean ${meant}?`;
  return program.error(`error: unknown command '${unknown}'\n(${next})`);
}

/** Says what went wrong, what it means and what to do; returns the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has said it already; help and version are no errors.
  if (error instanceof CommanderError)
    return error.exitCode === 0 || error.code === 'commander.help' ? exitCodes.done : exitCodes.usage;
  const {lineFor} = await import('./views/words.ts');
  const say = (...lines: readonly string[]) =>
    process.stderr.write(`${lines.flatMap(line => line.split('\n').map(lineFor(process.env))).join('\n')}\n`);
  if (error instanceof DeployError) {
    const [what = '', ...more] = error.message.split('\n');
    say(
      `${what} [${error.code}]`,
      ...more,
      ...(error.means === undefined ? [] : [error.means]),
      ...error.next.map(line => `  ${line}`),
    );
    const {annotationsOf} = await import('./commands/annotations.ts');
    for (const line of annotationsOf(process.env, error)) process.stderr.write(`${line}\n`);
    return error.exitCode;
  }
  say(`This is a defect of deploy-wizard [DW101]: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return exitCodes.failed;
}
