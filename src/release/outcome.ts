/** How a run ended: one honest word, an exit code, and a sentence. */
import type {JobIo} from './contract.ts';
import type {EventOf} from './events.ts';
import {DeployError, type ExitCode, exitCodes, toTrouble} from './errors.ts';
import {hasOpenChange} from './history.ts';
import {type ComponentEnd, type Outcome, type Plan, isNoop} from './model.ts';
import {isChange} from './policy.ts';
import {type Run, hasTouched} from './run.ts';

/** The ends with which a component is where it should be, as far as anybody can tell. */
export const there: ReadonlySet<ComponentEnd['end']> = new Set(['verified', 'unchanged', 'not proven']);

export type Finish = Omit<EventOf<'run.finished'>, 'type'> & {readonly exitCode: ExitCode};

/** The first row whose end some component has is what the run came to. What is not known comes first: somebody has to look. */
const verdicts: readonly (readonly [ComponentEnd['end'], Outcome, ExitCode])[] = [
  ['unknown', 'unknown', exitCodes.unknown],
  ['failed', 'failed', exitCodes.failed],
  ['superseded', 'superseded', exitCodes.superseded],
  ['stopped', 'stopped', exitCodes.stopped],
  ['rolled back', 'rolled back', exitCodes.rolledBack],
  ['not started', 'failed', exitCodes.failed],
  ['not proven', 'triggered, not proven', exitCodes.done],
  ['verified', 'passed', exitCodes.done],
  ['unchanged', 'nothing to do', exitCodes.done],
];

/** What ended a run that never came to its apply, by exit code. */
const earlyOutcomes: ReadonlyMap<ExitCode, Outcome> = new Map([
  [exitCodes.refused, 'refused'],
  [exitCodes.unknown, 'unknown'],
  [exitCodes.interrupted, 'interrupted'],
]);

export function conclude<Io extends JobIo>(end: {
  readonly run: Run<Io>;
  readonly plan?: Plan;
  readonly ends: readonly ComponentEnd[];
  readonly error?: unknown;
}): Finish {
  const {run, plan, ends} = end;
  const touched = hasTouched(run);
  // Asked to stop when there was nothing left to do: it has arrived all the same.
  const arrived = end.error === undefined && ends.every(({end}) => there.has(end));
  const stopped = arrived ? undefined : run.stop.command();
  const common = {components: [...ends], touched, resumable: isResumable(run, stopped !== undefined, end)};
  if (stopped?.do === 'detach') {
    return {
      ...common,
      outcome: 'unknown',
      exitCode: exitCodes.unknown,
      text: 'detached: what runs goes on; `deploy-wizard resume` looks at it again',
    };
  }
  if (stopped !== undefined) {
    const exitCode = stopped.by === 'SIGTERM' ? exitCodes.terminated : exitCodes.interrupted;
    return {...common, outcome: 'interrupted', exitCode, text: `stopped by ${stopped.by}: ${standing(ends, touched)}`};
  }
  if (end.error !== undefined) {
    const {error} = end;
    const exitCode = error instanceof DeployError ? error.exitCode : exitCodes.failed;
    const {what, means = touched ? undefined : 'The environment was not touched.'} = toTrouble(error);
    const text = means === undefined ? what : `${what.replace(/\.$/, '')}. ${means}`;
    const back = run.undone.length === 0 ? '' : ` Taken back: ${run.undone.join('; ')}.`;
    return {...common, outcome: earlyOutcomes.get(exitCode) ?? 'failed', exitCode, text: `${text}${back}`};
  }
  if (run.planOnly) {
    const changes = plan !== undefined && isChange(plan);
    return {
      ...common,
      outcome: 'passed',
      exitCode: exitCodes.done,
      text: changes ? 'this is what would change' : 'nothing would change',
    };
  }
  if (isSplit(ends)) return {...common, outcome: 'failed', exitCode: exitCodes.failed, text: standing(ends, touched)};
  const [, outcome, exitCode] = verdicts.find(([word]) => ends.some(({end}) => end === word)) ?? [
    'unchanged',
    'nothing to do',
    exitCodes.done,
  ];
  return {...common, outcome, exitCode, text: standing(ends, touched || !plan?.components.every(isNoop))};
}

/** Whether a later process has something to go on with: a stop, an answer that is missing, something that still goes on. */
function isResumable<Io extends JobIo>(
  run: Run<Io>,
  stopped: boolean,
  {ends, error}: {readonly ends: readonly ComponentEnd[]; readonly error?: unknown},
): boolean {
  const heldUp = error instanceof DeployError && error.exitCode === exitCodes.unknown;
  return !run.planOnly && (stopped || heldUp || hasOpenChange(run) || ends.some(({end}) => end === 'unknown'));
}

/** ECS took some back while others are on the new version: that is not "back on the old one". */
function isSplit(ends: readonly ComponentEnd[]): boolean {
  const moved = ends.some(({end}) => end === 'verified' || end === 'not proven');
  return moved && ends.some(({end}) => end === 'rolled back') && !ends.some(({end}) => end === 'unknown');
}

/** Where the components stand, in one line. */
function standing(ends: readonly ComponentEnd[], touched: boolean): string {
  if (ends.length === 0 || !touched) return 'the environment was not touched';
  const arrived = ends.filter(({end}) => there.has(end)).length;
  const version = ends[0]?.to ?? '';
  return `${arrived} of ${ends.length} components on ${version}`;
}
