/** From what Terraform says to errors that somebody can act on: what happened, what it means, what to do next. */
import type {Code} from '../../release/codes.ts';
import {DeployError, exitCodes} from '../../release/errors.ts';
import {lockHolder, tellLock, type LockHolder} from './lock.ts';
import type {Diagnostic} from './stream.ts';

interface More {
  readonly means?: string;
  readonly next?: readonly string[];
  readonly final?: boolean;
}

/** Terraform ended with an error. Its words may hold secrets, like everything that it prints. */
export class TerraformError extends DeployError {
  static override readonly usual: Code = 'DW130';
  /** All that Terraform said, warnings too. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(what: string, diagnostics: readonly Diagnostic[], more: More = {}) {
    super(what, more);
    this.diagnostics = diagnostics;
  }
}

/** Somebody holds the lock of the state. */
export class StateLockedError extends TerraformError {
  static override readonly usual = 'DW401';
  override readonly exitCode = exitCodes.locked;
  readonly holder: LockHolder;

  constructor(holder: LockHolder, diagnostics: readonly Diagnostic[]) {
    super(tellLock(holder), diagnostics, {
      means: 'Another Terraform works on this state, or one was killed and left its lock. Nothing was changed.',
      next: [
        'Wait until it is done, and try again.',
        `Only if that Terraform is gone for certain, in the folder of the module: \`terraform force-unlock ${holder.id}\``,
      ],
    });
    this.holder = holder;
  }
}

/** The state is not what it was when the plan was made: the plan can never be applied any more. */
export class StalePlanError extends TerraformError {
  static override readonly usual = 'DW131';
}

/** `terraform init` has to be run (again) in this directory. */
export class NotInitialisedError extends TerraformError {
  static override readonly usual = 'DW132';
}

interface Known {
  readonly summary: RegExp;
  /** `these` are the diagnostics with that summary; `all` goes into the error. */
  readonly error: (these: readonly Diagnostic[], all: readonly Diagnostic[]) => TerraformError | undefined;
}

/** Errors with words of our own. The first that fits and has something to say is taken. */
const knownErrors: readonly Known[] = [
  {
    summary: /^Error acquiring the state lock/,
    error([lock], all) {
      const holder = lock && lockHolder(lock);
      return holder && new StateLockedError(holder, all);
    },
  },
  {
    summary: /^Saved plan (?:is stale|does not match the given state)/,
    error: (_, all) =>
      new StalePlanError('The plan is out of date: the state was changed after the plan was made.', all, {
        means: 'Nothing was changed. This plan can never be applied any more.',
        next: ['Plan again, and look at what is different now.'],
        final: true,
      }),
  },
  {
    summary: /^No value for required variable/,
    error: (these, all) =>
      new TerraformError(`No value for ${variables(these, /input variable "(?<name>[^"]+)"/)}.`, all, {
        means:
          'Terraform made no plan. Variables from the environment (TF_VAR_…) are only passed on where the config names them.',
        next: ['Set it in the variable file, or name it in the config so that it is taken from the environment.'],
      }),
  },
  {
    // A warning in Terraform: with a misspelt name it goes on with the old value (facts 1.8).
    summary: /^Values? for undeclared variables?/,
    error: (these, all) =>
      new TerraformError(
        `A variable file sets ${variables(these, /variable named "(?<name>[^"]+)"/)}, which the module does not declare.`,
        all,
        {
          means: 'With a misspelt name Terraform would keep the old value and deploy it. Nothing was changed.',
          next: [`Correct the name${inFiles(these)}, or declare the variable in the module.`],
        },
      ),
  },
  {
    summary: /^Unsupported Terraform Core version/,
    error([version], all) {
      const wants = /required_version\s*=\s*"(?<wants>[^"]+)"/.exec(version?.code ?? '')?.groups?.['wants'];
      const has = /Terraform version (?<has>\d[\w.-]*\w)/.exec(version?.detail ?? '')?.groups?.['has'];
      return new TerraformError(
        `The module wants ${wants ? `Terraform ${wants}` : 'another Terraform'}${has ? `, and this is ${has}` : ''}.`,
        all,
        {
          means: 'Nothing was changed.',
          next: ['Install a Terraform that fits, or put its folder first in PATH.'],
        },
      );
    },
  },
  {
    summary: /^Backend configuration changed/,
    error: (_, all) =>
      new NotInitialisedError('The backend in the configuration is not the one that this directory was initialised with.', all, {
        means: 'Whether the state moves along is for a person to decide. Nothing was changed.',
        next: [
          'Run `terraform init -migrate-state` (moves the state) or `terraform init -reconfigure` (leaves it) in that directory.',
        ],
      }),
  },
  {
    summary: /^Provider dependency changes detected/,
    error: (_, all) =>
      new NotInitialisedError('The dependency lock file does not have all providers that the module asks for.', all, {
        means: 'This command must not write it. Nothing was changed.',
        next: ['Run `terraform init` in that directory, and commit .terraform.lock.hcl.'],
      }),
  },
  {
    summary: /^Instance cannot be destroyed/,
    error: (these, all) =>
      new TerraformError(`The plan would destroy ${protectedResource(these)}, which \`prevent_destroy\` protects.`, all, {
        means: 'Terraform made no plan. Nothing was changed.',
        next: ['Find out which attribute forces the replacement; remove the protection only if the object may go.'],
      }),
  },
];

/** The error that these diagnostics are. `command` is what ended with it (`terraform plan`). */
export function terraformError(command: string, diagnostics: readonly Diagnostic[]): TerraformError {
  for (const {summary, error} of knownErrors) {
    const these = diagnostics.filter(said => summary.test(said.summary));
    const found = these.length > 0 ? error(these, diagnostics) : undefined;
    if (found) return found;
  }
  const errors = diagnostics.filter(({severity}) => severity === 'error');
  const [first, ...others] = errors;
  if (!first) return new TerraformError(`\`${command}\` failed, and did not say why.`, diagnostics);
  const what = [`\`${command}\` failed: ${headline(first)}`, ...tellingLines(first.detail)].join('\n');
  const unread = others.slice(0, 4).map(other => `Also: ${headline(other)}`);
  if (others.length > unread.length) unread.push(`Also ${others.length - unread.length} more.`);
  const message = [what, ...unread].join('\n');
  return wantsInit(first)
    ? new NotInitialisedError(message, diagnostics, {next: ['Run `terraform init` in that directory.']})
    : new TerraformError(message, diagnostics);
}

/**
 * Whether Terraform says that `init` has to be run first. It names the command (the text may be wrapped), but for missing providers
 * under TF_IN_AUTOMATION, where only the summary tells (measured on 1.11.4).
 */
export function wantsInit({summary, detail}: Diagnostic): boolean {
  return /\bterraform\s+init\b/.test(`${summary}\n${detail}`) || summary === 'Required plugins are not installed';
}

/** Variables that a file sets and that the module does not declare: an error for us, a warning in Terraform. */
export function undeclaredVariables(diagnostics: readonly Diagnostic[]): TerraformError | undefined {
  const undeclared = diagnostics.filter(({summary}) => /^Values? for undeclared variables?/.test(summary));
  return undeclared.length > 0 ? terraformError('terraform plan', undeclared) : undefined;
}

/** `Invalid reference (aws_instance.web, main.tf:12)` */
function headline({summary, address, where}: Pick<Diagnostic, 'summary' | 'address' | 'where'>): string {
  const place = [address, where].filter(part => part !== undefined).join(', ');
  return place === '' ? summary : `${summary} (${place})`;
}

/** How many lines of a long detail are shown of its start, and of its end. */
const [leading, trailing] = [3, 4];

/** The lines that say something. Of many, the first ones, and the last ones: a provisioner's own words stand behind its whole command. */
function tellingLines(detail: string): string[] {
  const lines = detail.split('\n').map(line => line.trimEnd());
  const said = lines.filter(line => line !== '');
  return said.length > leading + trailing + 1 ? [...said.slice(0, leading), '…', ...said.slice(-trailing)] : said;
}

function variables(these: readonly Diagnostic[], named: RegExp): string {
  const names = [...new Set(these.flatMap(({detail}) => named.exec(detail)?.groups?.['name'] ?? []))];
  // Terraform names two, and counts the others: "2 other variable(s) defined without being declared".
  const uncounted = these.map(({detail}) => /(?<count>\d+) other variable/.exec(detail)?.groups?.['count']).find(Boolean);
  const list = names.map(name => `\`${name}\``).join(', ') || 'a variable';
  return uncounted ? `${list} and ${uncounted} more` : list;
}

function inFiles(these: readonly Diagnostic[]): string {
  const files = [...new Set(these.flatMap(({detail}) => /in file "(?<file>[^"]+)"/.exec(detail)?.groups?.['file'] ?? []))];
  return files.length > 0 ? ` in ${files.join(' and ')}` : '';
}

function protectedResource(these: readonly Diagnostic[]): string {
  const named = these.flatMap(
    ({address, detail}) => address ?? /^Resource (?<address>\S+) has/.exec(detail)?.groups?.['address'] ?? [],
  );
  return [...new Set(named)].join(' and ') || 'a resource';
}

/**
 * The diagnostics in the text of a command that has no `-json` (`init`, `workspace list`, `state pull`), printed with `-no-color`:
 *
 *     Error: Summary, which may be
 *     wrapped
 *
 *       on main.tf line 2, in terraform:
 *        2:   required_version = ">= 9"
 *
 *     Detail.
 */
export function readDiagnostics(text: string): Diagnostic[] {
  const blocks = text.split(/^(?=(?:Error|Warning): )/m).filter(block => /^(?:Error|Warning): /.test(block));
  return blocks.map(block => {
    const [head = '', ...paragraphs] = block.trim().split(/\n{2,}/);
    const [source, ...detail] = /^ {2}on \S/.test(paragraphs[0] ?? '') ? paragraphs : ['', ...paragraphs];
    const at = /^ {2}on (?<file>.+) line (?<line>\d+)/.exec(source ?? '')?.groups;
    return {
      severity: head.startsWith('Error') ? 'error' : 'warning',
      summary: head.replace(/^\w+: /, '').replaceAll('\n', ' '),
      detail: detail.join('\n\n'),
      where: at && `${at['file']}:${at['line']}`,
      code:
        source
          ?.split('\n')
          .slice(1)
          .map(line => line.replace(/^\s*\d+:/, ''))
          .join('\n') || undefined,
    };
  });
}
