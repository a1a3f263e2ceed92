/**
 * Terraform, one process a call. Nothing here asks, colours, migrates or upgrades. Applying is not here: it must outlive the wizard
 * (runner.ts); `applyCommand` says what to run.
 */
import {chmod, mkdir, open, readFile, rm} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import * as z from 'zod';
import {exec, type Environment, type ExecResult} from '../exec.ts';
import {readDiagnostics, terraformError, TerraformError, undeclaredVariables, wantsInit} from './diagnosis.ts';
import {terraformEnvironment} from './environment.ts';
import {planJson, type PlanJson} from './plan-json.ts';
import {collectStateSecrets, stateJson} from './state-secrets.ts';
import {readMessage, type Diagnostic, type TerraformMessage} from './stream.ts';

/** Where Terraform works. */
export interface RootModule {
  readonly directory: string;
  /** Instead of `.terraform` (TF_DATA_DIR): leaves the directory as it is. Which workspace is selected stands in there as well. */
  readonly dataDir?: string | undefined;
  /**
   * For this process only, whatever is selected in the directory: nobody can select another one in between. It must exist (ask
   * `workspaces`): Terraform makes a new and empty one of any name that it does not know.
   */
  readonly workspace?: string | undefined;
}

interface Sinks {
  readonly onMessage?: (message: TerraformMessage) => void;
  /** Every line as printed. May hold secrets. */
  readonly onLine?: (raw: string) => void;
  /** Interrupts Terraform once. */
  readonly signal?: AbortSignal;
}

interface InitOptions {
  /** Takes providers from this folder only, laid out as `.terraform/providers` is: needs no network and no second copy. */
  readonly pluginDir?: string;
}

export interface PlanOptions {
  /** Wins over every other variable file. */
  readonly varFile?: string | undefined;
  /** Where the plan is written, 0600. As secret as the state. */
  readonly out: string;
  readonly lock: boolean;
  readonly lockTimeoutSeconds: number;
  readonly refresh?: boolean;
}

interface Planned {
  /** 2: there is something to do, be it only a move, an output or something to forget. */
  readonly exitCode: 0 | 2;
  /** Warnings. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Workspaces {
  readonly names: readonly string[];
  /** Undefined where that is none of them: somebody has deleted it. */
  readonly selected: string | undefined;
}

/** Which state it is, and which edition of it. */
export interface State {
  readonly lineage: string;
  readonly serial: number;
  /** The literals that it marks as sensitive. */
  readonly secrets: readonly string[];
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Environment;
}

export interface Terraform {
  /** The names of environment variables that Terraform does not get. */
  readonly dropped: readonly string[];
  /** `1.11.4`: the one that runs in a directory, where a version manager chooses by that. Throws MissingToolError. */
  version(directory: string): Promise<string>;
  /** Whether a plan needs no `init` first. Reads the state, without its lock. */
  isInitialised(module: RootModule): Promise<boolean>;
  /** With a `dataDir` the dependency lock file is left alone. Never migrates state, never upgrades. */
  init(module: RootModule, options?: InitOptions, sinks?: Sinks): Promise<void>;
  /** The workspaces that there are, and the one that is selected in the directory. */
  workspaces(module: RootModule): Promise<Workspaces>;
  /**
   * Plans into `out`. Throws a TerraformError in the operator's words, as StateLockedError or NotInitialisedError where it is one;
   * then there is no plan file. A variable file that sets what the module does not declare is an error too.
   */
  plan(module: RootModule, options: PlanOptions, sinks?: Sinks): Promise<Planned>;
  /** What a plan file holds, secrets included. In memory only. */
  show(module: RootModule, planFile: string): Promise<PlanJson>;
  /** Undefined before the first apply. */
  state(module: RootModule): Promise<State | undefined>;
  /**
   * Applies exactly the plan in the file. Its output is read by stream.ts and apply.ts. `varFile`: only for ephemeral variables, which
   * no plan holds and which an apply must be told once more (measured on 1.11.4).
   */
  applyCommand(module: RootModule, planFile: string, lockTimeoutSeconds: number, varFile?: string): Command;
}

export interface TerraformOptions {
  readonly env: Environment;
  /** Input variables that may be set through the environment, without `TF_VAR_`. */
  readonly keepVars?: readonly string[];
  readonly file?: string;
}

/** `terraform version -json` */
const versions = z.object({terraform_version: z.string()});

/** A big plan is tens of megabytes. */
const maxJson = 512 * 1024 * 1024;

export function createTerraform({env: given, keepVars = [], file = 'terraform'}: TerraformOptions): Terraform {
  const {env: clean, dropped} = terraformEnvironment(given, keepVars);

  const command = ({directory, dataDir, workspace}: RootModule, args: readonly string[]): Command => ({
    file,
    args,
    cwd: directory,
    env: {
      ...clean,
      ...(dataDir !== undefined && {TF_DATA_DIR: resolve(directory, dataDir)}),
      ...(workspace !== undefined && {TF_WORKSPACE: workspace}),
    },
  });

  /** Runs a command and keeps its output in memory. */
  const run = ({file, args, ...options}: Command): Promise<ExecResult> => exec(file, args, {...options, maxBuffer: maxJson});

  /** As `run`; an exit code but 0 is an error. Only stderr is quoted: stdout may be a whole state. */
  const read = async (wanted: Command): Promise<string> => {
    const {exitCode, stdout, stderr, truncated} = await run(wanted);
    const name = ['terraform', ...wanted.args.filter(arg => /^[a-z]+$/.test(arg))].join(' ');
    if (exitCode !== 0) throw terraformError(name, readDiagnostics(stderr));
    if (truncated) throw new TerraformError(`\`${name}\` printed more than ${maxJson / 1024 / 1024} MiB.`, []);
    return stdout;
  };

  /** Runs a command that reports with `-json`, handing on what it says. */
  const stream = async ({file, args, ...options}: Command, {onMessage, onLine, signal}: Sinks) => {
    const diagnostics: Diagnostic[] = [];
    const plain: string[] = [];
    const {exitCode} = await exec(file, args, {
      ...options,
      maxBuffer: 0,
      stopSignal: 'SIGINT',
      ...(signal && {signal}),
      onLine(raw, from) {
        onLine?.(raw);
        const message = from === 'stdout' ? readMessage(raw) : ({type: 'text', text: raw} as const);
        onMessage?.(message);
        if (message.type === 'diagnostic') diagnostics.push(message.diagnostic);
        if (message.type === 'text') plain.push(raw);
      },
    });
    // Before it has read its arguments Terraform speaks plain text, whatever it was asked for.
    return {exitCode, diagnostics: [...diagnostics, ...readDiagnostics(plain.join('\n'))]};
  };

  return {
    dropped,

    async version(directory) {
      const said = await exec(file, ['version', '-json'], {env: clean, cwd: directory});
      if (said.exitCode !== 0) throw terraformError('terraform version', readDiagnostics(said.stderr));
      return parse(said.stdout, versions, 'terraform version').terraform_version;
    },

    async isInitialised(module) {
      // Starts no provider. `providers` finds a backend, a module or a package that is missing or has changed, but not a provider
      // that was never chosen: that is the lock file's to say. Other errors are for the plan to tell.
      const {exitCode, stdout, stderr} = await run(command(module, ['providers', '-no-color']));
      if (exitCode !== 0) return !readDiagnostics(stderr).some(wantsInit);
      const chosen = await lockedProviders(module);
      const names = Array.from(stdout.matchAll(/provider\[(?<name>[^\]]+)\]/g), ({groups}) => groups?.['name'] ?? '');
      return names.every(name => chosen.has(name) || name.startsWith('terraform.io/builtin/'));
    },

    async init(module, {pluginDir} = {}, {onLine, signal} = {}) {
      const args = [
        'init',
        '-input=false',
        '-no-color',
        ...(module.dataDir === undefined ? [] : ['-lockfile=readonly']),
        ...(pluginDir === undefined ? [] : [`-plugin-dir=${resolve(module.directory, pluginDir)}`]),
      ];
      const {file, ...rest} = command(module, args);
      const {exitCode, stderr} = await exec(file, args, {
        ...rest,
        stopSignal: 'SIGINT',
        ...(signal && {signal}),
        ...(onLine && {onLine}),
      });
      if (exitCode !== 0) throw terraformError('terraform init', readDiagnostics(stderr));
    },

    async workspaces({directory, dataDir}) {
      const listing = command({directory, dataDir}, ['workspace', 'list', '-no-color']);
      const {exitCode, stdout, stderr} = await run(listing);
      // The `http` backend has one, and says so in plain words only (measured on 1.11.4).
      if (exitCode !== 0 && /^workspaces not supported$/m.test(stderr)) return {names: ['default'], selected: 'default'};
      if (exitCode !== 0) throw terraformError('terraform workspace list', readDiagnostics(stderr));
      const listed = stdout.split('\n').flatMap(line => /^[* ] \S+$/.exec(line.trimEnd())?.[0] ?? []);
      return {names: listed.map(line => line.slice(2)), selected: listed.find(line => line.startsWith('*'))?.slice(2)};
    },

    async plan(module, {varFile, out, lock, lockTimeoutSeconds, refresh = true}, sinks = {}) {
      const planFile = resolve(module.directory, out);
      await makePrivate(planFile);
      try {
        const {exitCode, diagnostics} = await stream(
          command(module, [
            'plan',
            '-input=false',
            '-json',
            '-detailed-exitcode',
            lock ? `-lock-timeout=${lockTimeoutSeconds}s` : '-lock=false',
            ...(refresh ? [] : ['-refresh=false']),
            ...(varFile === undefined ? [] : [`-var-file=${resolve(module.directory, varFile)}`]),
            `-out=${planFile}`,
          ]),
          sinks,
        );
        if (exitCode !== 0 && exitCode !== 2) throw terraformError('terraform plan', diagnostics);
        const undeclared = undeclaredVariables(diagnostics);
        if (undeclared) throw undeclared;
        return {exitCode, diagnostics};
      } catch (error) {
        // Terraform writes a file for an errored plan as well (facts 1.2): nobody may take it for a good one.
        await rm(planFile, {force: true});
        throw error;
      }
    },

    async show(module, planFile) {
      const shown = await read(command(module, ['show', '-no-color', '-json', resolve(module.directory, planFile)]));
      return parse(shown, planJson, 'terraform show');
    },

    async state(module) {
      const pulled = await read(command(module, ['state', 'pull', '-no-color']));
      if (pulled.trim() === '') return undefined;
      // Where there is none yet, some backends make one up that has no lineage.
      const state = parse(pulled, stateJson, 'terraform state pull');
      const {lineage, serial} = state;
      return lineage === '' ? undefined : {lineage, serial, secrets: collectStateSecrets(state)};
    },

    applyCommand(module, planFile, lockTimeoutSeconds, varFile) {
      return command(module, [
        'apply',
        '-input=false',
        '-json',
        `-lock-timeout=${lockTimeoutSeconds}s`,
        ...(varFile === undefined ? [] : [`-var-file=${resolve(module.directory, varFile)}`]),
        resolve(module.directory, planFile),
      ]);
    },
  };
}

/** What `terraform init` has chosen: it writes a block for each provider into the dependency lock file. Where none can be read, nothing. */
async function lockedProviders({directory}: RootModule): Promise<ReadonlySet<string>> {
  const text = await readFile(join(directory, '.terraform.lock.hcl'), 'utf8').catch(() => '');
  return new Set(Array.from(text.matchAll(/^\s*provider\s+"(?<name>[^"]+)"/gm), ({groups}) => groups?.['name'] ?? ''));
}

/** Makes an empty file for Terraform to write into: it keeps the mode, and at no moment can others read it. */
async function makePrivate(planFile: string): Promise<void> {
  await mkdir(dirname(planFile), {recursive: true, mode: 0o700});
  await rm(planFile, {force: true});
  const file = await open(planFile, 'wx', 0o600);
  await file.close();
  // A default ACL of the folder may have added to it.
  await chmod(planFile, 0o600);
}

/** Neither the text nor the cause is in the error: both may quote secrets. */
function parse<T>(text: string, schema: z.ZodType<T>, name: string): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join('.');
  throw new TerraformError(`\`${name}\` printed something else than expected${where ? ` (at ${where})` : ''}.`, []);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
