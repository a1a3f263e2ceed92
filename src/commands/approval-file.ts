/** Approval elsewhere: `plan --out` writes what would change, `--yes --approve` goes on only where that is still so. */
import {randomBytes} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import path from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type {LoadedConfig} from '../config/load.ts';
import {type ApprovalFile, approvalFile, approvalOf, otherFacts, planMismatch} from '../release/approval.ts';
import {DeployError, RefusedError, UsageError, toTrouble} from '../release/errors.ts';
import {sha256} from '../release/hash.ts';
import type {Plan} from '../release/model.ts';
import type {Allowance} from '../release/policy.ts';
import type {Approved} from '../release/unattended.ts';
import type {Store} from '../record/store.ts';
import type {Application} from './application.ts';
import type {Context} from './context.ts';
import {readRuns} from './records.ts';

export interface ApprovalOptions {
  /** The file of an approval that was given elsewhere. */
  readonly approve?: string;
  /** What its bytes must be: `sha256:…`, as `plan --out` printed it. */
  readonly approveDigest?: string;
}

/** Writes what a plan would change, readable for its owner alone. Returns the SHA-256 of its bytes, `sha256:…`. */
export async function writeApproval(
  context: Context,
  {loaded}: Application,
  {file, environment, version, plan}: {file: string; environment: string; version: string; plan: Plan},
): Promise<string> {
  const approval = await approvalOf(plan, {
    application: loaded.config.application,
    environment,
    version,
    ...policyOf(loaded, environment),
    at: new Date(context.clock.now()).toISOString(),
    by: `${context.user}@${context.host}`,
    tool: context.tool.version,
    salt: randomBytes(16).toString('hex'),
  });
  const text = `${JSON.stringify(approval, null, 2)}\n`;
  await writeFileAtomic(path.resolve(context.cwd, file), text, {mode: 0o600}).catch((error: unknown) => {
    throw new DeployError(`${file} could not be written: ${toTrouble(error).what}`, {
      means: 'Nothing was changed.',
      cause: error,
    });
  });
  return `sha256:${sha256(text)}`;
}

export interface ReadApproval {
  readonly file: ApprovalFile;
  readonly approved: Approved;
  /** The flags that the approved changes carry: what was approved is allowed. */
  readonly allowances: readonly Allowance[];
  /** Throws a RefusedError where what is to be released is not what was approved, or the approval was used already. */
  admit(application: Application, what: {readonly environment: string; readonly version: string}): Promise<void>;
}

/** A pipe or a terminal may never end: what is approved is a file. */
async function readWhole(file: string): Promise<Buffer> {
  if (!(await stat(file)).isFile()) throw new Error('it is no file');
  return readFile(file);
}

const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Throws a UsageError for a file that is none, and a RefusedError for another one than the digest names. */
export async function readApproval(context: Context, options: ApprovalOptions): Promise<ReadApproval | undefined> {
  const {approve, approveDigest} = options;
  if (approve === undefined) {
    if (approveDigest === undefined) return undefined;
    throw new UsageError('--approve-digest says what a file must be: give the file too, with --approve <file>', nothingStarted);
  }
  if (approveDigest !== undefined && !digestForm.test(approveDigest))
    throw new UsageError(`--approve-digest ${approveDigest}: it is sha256: and 64 hexadecimal digits`, nothingStarted);
  const text = await readWhole(path.resolve(context.cwd, approve)).catch((error: unknown) => {
    throw new UsageError(`--approve ${approve}: it cannot be read: ${toTrouble(error).what}`, {...nothingStarted, cause: error});
  });
  const digest = `sha256:${sha256(text)}`;
  if (approveDigest !== undefined && digest !== approveDigest) {
    throw new RefusedError(`--approve ${approve}: it is ${digest}, and ${approveDigest} was approved`, {
      code: 'DW305',
      ...nothingStarted,
      next: ['Use the file whose digest was approved, or plan and approve anew.'],
    });
  }
  const file = parse(approve, text.toString('utf8'));
  return {
    file,
    approved: {
      because: `${path.basename(approve)} ${digest}, planned by ${file.by} at ${file.at}`,
      mismatch: async plan => {
        const lines = await planMismatch(file, plan);
        const other = lines.length > 0 && file.tool !== context.tool.version;
        return other ? [...lines, `it was planned by deploy-wizard ${file.tool}, and this is ${context.tool.version}`] : lines;
      },
    },
    allowances: file.components.flatMap(({component, changes}) =>
      changes.flatMap(({flags}) => flags.map(what => ({what, component}))),
    ),
    admit: async ({loaded, store}, {environment, version}) => {
      const now = {application: loaded.config.application, environment, version, ...policyOf(loaded, environment)};
      const other = otherFacts(file, now);
      if (other.length > 0) {
        throw new RefusedError([`--approve ${approve}: it is the approval of something else`, ...other].join('\n'), {
          code: 'DW305',
          ...nothingStarted,
          next: ['Plan and approve this: deploy-wizard plan --out <file>'],
        });
      }
      const used = await usedBy(store, environment, version, digest);
      if (used === undefined) return;
      throw new RefusedError(`--approve ${approve}: run ${used} has used it already`, {
        code: 'DW305',
        ...nothingStarted,
        next: ['An approval is for one change of the environment. Plan and approve anew: deploy-wizard plan --out <file>'],
      });
    },
  };
}

/** What is done when something fails, or the run is stopped. */
function policyOf({config}: LoadedConfig, environment: string): Pick<ApprovalFile, 'onFailure' | 'onCancel'> {
  const {onFailure = 'leave', onCancel = 'leave'} = config.environments[environment] ?? {};
  return {onFailure, onCancel};
}

const nothingStarted = {means: 'Nothing was started.'} as const;

function parse(name: string, text: string): ApprovalFile {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--approve ${name}: it is no JSON: ${toTrouble(error).what}`, {...nothingStarted, cause: error});
  }
  const {data, error} = approvalFile.safeParse(content);
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  throw new UsageError(`--approve ${name}: it is no approval: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`, {
    ...nothingStarted,
    next: ['Write one with: deploy-wizard plan --out <file>'],
  });
}

/** The run of this version that has changed the environment with this approval; undefined where none has. */
async function usedBy(store: Store, environment: string, version: string, digest: string): Promise<string | undefined> {
  // However old: a clock that was put back must not make an approval a new one.
  for await (const {run, record} of readRuns(store, environment, version)) {
    const {events = []} = record ?? {};
    const approved = events.some(event => event.type === 'approval.given' && event.because?.includes(digest));
    if (approved && events.some(event => event.type === 'intent' && event.job.phase === 'apply')) return run;
  }
  return undefined;
}
