/** What the stream of an apply says: how far it is, and in the end what became of it. Pure. Facts 1.3 to 1.6. */
import {DeployError, LostAnswerError, StoppedError} from '../../release/errors.ts';
import {StalePlanError, StateLockedError, terraformError, TerraformError} from './diagnosis.ts';
import type {Ended} from './runner.ts';
import type {Diagnostic, MessageOf, TerraformMessage} from './stream.ts';

/** One thing done to one object. A replacement is two: a `delete` and a `create`, in either order. */
interface Operation {
  readonly address: string;
  /** `create`, `update`, `delete`, … */
  readonly action: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly elapsedSeconds: number;
}

interface ApplySummary {
  readonly add: number;
  readonly change: number;
  /** Destroyed. */
  readonly remove: number;
}

/** What was read so far. */
export interface ApplyProgress {
  /** Address and action, as in the plan. */
  readonly planned: readonly {readonly address: string; readonly action: string}[];
  /** In the order in which they were started. */
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
  /** Only an apply that went through to its end has one. */
  readonly summary: ApplySummary | undefined;
  /** How many interrupts Terraform has noticed. */
  readonly interrupts: 0 | 1 | 2;
}

export const nothingRead: ApplyProgress = {planned: [], operations: [], diagnostics: [], summary: undefined, interrupts: 0};

/** The progress after one more message. */
export function readOn(progress: ApplyProgress, message: TerraformMessage): ApplyProgress {
  if (message.type === 'planned_change') {
    return {...progress, planned: [...progress.planned, {address: message.address, action: message.action}]};
  }
  if (message.type === 'diagnostic') return {...progress, diagnostics: [...progress.diagnostics, message.diagnostic]};
  if (message.type === 'change_summary' && message.operation === 'apply') return {...progress, summary: message};
  if (message.type === 'log') return {...progress, interrupts: interruptsAfter(progress.interrupts, message.text)};
  return isApplying(message) ? {...progress, operations: operate(progress.operations, message)} : progress;
}

/** How many of how many operations are done, for a bar. */
export function countOperations({planned, operations}: ApplyProgress): {readonly done: number; readonly total: number} {
  const expected = planned.reduce((sum, {action}) => sum + (operationsOf[action] ?? 1), 0);
  return {done: operations.filter(({state}) => state === 'done').length, total: Math.max(expected, operations.length)};
}

/** What of the plan shows up as how many operations. */
const operationsOf: Readonly<Record<string, number | undefined>> = {replace: 2, move: 0, noop: 0, remove: 0};

type ApplyMessage = MessageOf<'apply_start' | 'apply_progress' | 'apply_complete' | 'apply_errored'>;

const states = {apply_start: 'running', apply_progress: 'running', apply_complete: 'done', apply_errored: 'failed'} as const;

function isApplying(message: TerraformMessage): message is ApplyMessage {
  return message.type in states;
}

/** A resource may have several objects (deposed ones): an end belongs to the first of its operations that still runs. */
function operate(
  operations: readonly Operation[],
  {type, address, action, elapsedSeconds = 0}: ApplyMessage,
): readonly Operation[] {
  const operation: Operation = {address, action, state: states[type], elapsedSeconds};
  const index = operations.findIndex(other => other.address === address && other.action === action && other.state === 'running');
  return type === 'apply_start' || index < 0 ? [...operations, operation] : operations.with(index, operation);
}

/** The only trace of an interrupt is a text for people. */
function interruptsAfter(before: 0 | 1 | 2, text: string): 0 | 1 | 2 {
  if (/^\s*Two interrupts received/.test(text)) return 2;
  return before === 0 && /^\s*Interrupt received/.test(text) ? 1 : before;
}

/** `state not saved`: the world is changed, and the state knows nothing of it. `lost`: nobody knows. */
type ApplyOutcome = 'applied' | 'failed' | 'interrupted' | 'stale' | 'locked' | 'state not saved' | 'lost';

export interface ApplyResult extends ApplyProgress {
  readonly outcome: ApplyOutcome;
  readonly completed: readonly Operation[];
  /** Each error with the address that it is about, where it is about one. */
  readonly errored: readonly Diagnostic[];
  /** Destroyed to be replaced, and not there again: what they did is not done now. */
  readonly missing: readonly string[];
  /** The error to end with; undefined when it was applied. */
  readonly error: DeployError | undefined;
}

/** Reads a whole stream. */
export function readApply(messages: Iterable<TerraformMessage>, end: Ended): ApplyResult {
  let progress = nothingRead;
  for (const message of messages) progress = readOn(progress, message);
  return concludeApply(progress, end);
}

/** What became of it, given how Terraform ended. */
export function concludeApply(progress: ApplyProgress, end: Ended): ApplyResult {
  const completed = progress.operations.filter(({state}) => state === 'done');
  // Printed after every failure in the middle; says nothing.
  const errored = progress.diagnostics.filter(({severity, summary}) => severity === 'error' && summary !== 'execution halted');
  const outcome = outcomeOf(progress, errored, end);
  const result = {...progress, outcome, completed, errored, missing: missingFrom(progress)};
  return {...result, error: outcome === 'applied' ? undefined : errors[outcome](result, end)};
}

function outcomeOf({summary, interrupts, operations}: ApplyProgress, errored: readonly Diagnostic[], end: Ended): ApplyOutcome {
  // It dies of an interrupt only before it listens for one, and then it has not begun.
  if (end.is === 'ended' && end.signal === 'SIGINT' && operations.length === 0) return 'interrupted';
  if (end.is === 'lost' || end.signal !== null) return 'lost';
  // Neither is enough: an exit code without the summary may come from something that is not Terraform.
  if (end.exitCode === 0) return summary ? 'applied' : 'lost';
  if (errored.some(error => /^Failed to (?:save|persist) state/.test(error.summary))) return 'state not saved';
  if (interrupts > 0) return 'interrupted';
  const error = terraformError('terraform apply', errored);
  if (error instanceof StalePlanError) return 'stale';
  return error instanceof StateLockedError ? 'locked' : 'failed';
}

/**
 * What was to be replaced, was destroyed, and was not created. Where an object left by an earlier replacement goes as well, one
 * `delete` more is expected before the resource itself is gone.
 */
function missingFrom({planned, operations}: ApplyProgress): readonly string[] {
  const done = operations.filter(({state}) => state === 'done');
  const count = (list: readonly Pick<Operation, 'address' | 'action'>[], address: string, action: string) =>
    list.filter(other => other.address === address && other.action === action).length;
  return planned
    .filter(({action}) => action === 'replace')
    .map(({address}) => address)
    .filter(
      address => count(done, address, 'delete') > count(planned, address, 'delete') && count(done, address, 'create') === 0,
    );
}

/** What stopping it now would leave: interrupted once, Terraform stops after what it is working on. */
export function ifInterrupted(progress: ApplyProgress): string {
  const {planned, operations} = progress;
  const running = operations.filter(({state}) => state === 'running');
  const isRunning = (address: string, action: string) =>
    running.some(operation => operation.address === address && operation.action === action);
  const missing = missingFrom(progress);
  const making = missing.filter(address => isRunning(address, 'create'));
  const notBegun = missing.filter(address => !making.includes(address));
  const going = planned
    .filter(({address, action}) => action === 'replace' && isRunning(address, 'delete'))
    .map(({address}) => address)
    .filter(address => !missing.includes(address));
  const others = running.filter(({address}) => ![...making, ...going].includes(address));
  return [
    notBegun.length > 0 && `The old ${notBegun.join(', ')} is destroyed, the new one is not created: stopping leaves it down.`,
    making.length > 0 &&
      `The old ${making.join(', ')} is destroyed, the new one is being created: if that is cut off, stopping leaves it down.`,
    going.length > 0 && `${going.join(', ')} is being destroyed: stopping leaves it down, the new one is not created any more.`,
    others.length > 0 && `Terraform finishes ${tell(others)}, and begins nothing more.`,
    operations.length === 0 && 'Terraform has not changed anything yet.',
    operations.length > 0 && running.length + missing.length === 0 && 'What is done stays; Terraform begins nothing more.',
  ]
    .filter(Boolean)
    .join(' ');
}

type Unfinished = Omit<ApplyResult, 'error'>;

const planAgain = 'Plan again: a plan can be applied once. What is left to do is what the new plan shows.';

const errors: Readonly<Record<Exclude<ApplyOutcome, 'applied'>, (result: Unfinished, end: Ended) => DeployError>> = {
  failed(result, end) {
    const said = terraformError('terraform apply', result.errored);
    const message = end.is === 'ended' && end.error ? `\`terraform apply\` could not be started: ${end.error}` : said.message;
    return new TerraformError(message, result.diagnostics, {means: standing(result), next: [planAgain], final: true});
  },

  stale: ({errored}) => terraformError('terraform apply', errored),
  locked: ({errored}) => terraformError('terraform apply', errored),

  interrupted: result =>
    new StoppedError(
      result.interrupts === 2
        ? 'Terraform was interrupted twice, and exited at once.'
        : 'Terraform was interrupted, and stopped.',
      result.interrupts === 2
        ? {
            means: [
              standing(result),
              'What was being made just then may be missing from the state, and the state is probably still locked.',
            ].join(' '),
            next: [
              'Look whether the state is locked: a plan says so, with the id that `terraform force-unlock` wants.',
              planAgain,
            ],
          }
        : {
            means: [standing(result), ...(result.operations.length > 0 ? ['The state is saved.'] : [])].join(' '),
            next: [planAgain],
          },
    ),

  'state not saved': result =>
    new TerraformError('Terraform could not save the state.', result.diagnostics, {
      means: [standing(result), 'The state knows nothing of it: the next plan would do it once more.'].join(' '),
      next: [
        'Do not plan or apply before the state is saved.',
        'Terraform has left it in the module: run `terraform state push errored.tfstate` there, and delete that file when it is done.',
      ],
      final: true,
    }),

  lost: (result, end) =>
    new LostAnswerError(lostWords(end), {
      means: result.summary
        ? 'Before that, it had said that everything was applied.'
        : [standing(result), 'What it was doing just then may be done, half done, or missing from the state.'].join(' '),
      next: ['Look whether that Terraform still runs, and whether the state is locked.', planAgain],
      final: true,
    }),
};

function lostWords(end: Ended): string {
  if (end.is === 'lost') return 'Nobody saw how the apply ended: it or its supervisor was killed, or the machine went down.';
  return end.signal === null
    ? 'Terraform ended without saying that it has applied the plan.'
    : `Terraform was killed (${end.signal}) during the apply.`;
}

/** How things stand after an apply that did not go through. */
function standing({completed, operations, missing}: Unfinished): string {
  if (operations.length === 0) return 'Nothing was changed.';
  const failed = operations.filter(({state}) => state === 'failed');
  const running = operations.filter(({state}) => state === 'running');
  return [
    missing.length > 0 && `Destroyed, and not created anew: ${missing.join(', ')}. What that did is down.`,
    completed.length > 0 ? `Done: ${tell(completed)}.` : 'No change was completed.',
    failed.length > 0 && `Failed on the way: ${tell(failed)}.`,
    running.length > 0 && `Not heard of again: ${tell(running)}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** How many are named. */
const mostNamed = 8;

function tell(operations: readonly Operation[]): string {
  const named = operations.slice(0, mostNamed).map(({action, address}) => `${action} ${address}`);
  return operations.length > mostNamed ? `${named.join(', ')} and ${operations.length - mostNamed} more` : named.join(', ');
}
