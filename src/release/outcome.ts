/** How a run ended: one honest word, an exit code, and a sentence. */
import type {Command, JobIo} from './contract.ts';
import type {EventOf} from './events.ts';
import {DeployError, type ExitCode, exitCodes, toTrouble} from './errors.ts';
import {hasOpenChange} from './history.ts';
import type {ComponentEnd, Plan} from './model.ts';
import {type Outcome, isNoop} from './words.ts';
import {isChange} from './policy.ts';
import {type Run, hasTouched} from './run.ts';

/** The ends with which a component is where it should be, as far as anybody can tell. */
export const there: ReadonlySet<ComponentEnd['end']> = new Set(['verified', 'unchanged', 'not proven', 'waived']);

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
  ['waived', 'passed', exitCodes.done],
  ['verified', 'passed', exitCodes.done],
  ['unchanged', 'nothing to do', exitCodes.done],
];

/** What ended a run that never came to its apply, by exit code. */
const earlyOutcomes: ReadonlyMap<ExitCode, Outcome> = new Map([
  [exitCodes.refused, 'refused'],
  [exitCodes.locked, 'refused'],
  [exitCodes.unknown, 'unknown'],
  [exitCodes.interrupted, 'interrupted'],
]);

/** A limit that ran out is what whoever set it would have sent. */
const stopCodes: Readonly<Record<Command['by'], ExitCode>> = {
  operator: exitCodes.interrupted,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  'time limit': exitCodes.terminated,
};

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
      text: touched
        ? 'detached: what runs goes on; `deploy-wizard resume` looks at it again'
        : 'detached: the environment was not touched, what was prepared stays; `deploy-wizard resume` goes on',
    };
  }
  if (stopped !== undefined) {
    const text = `stopped by ${stopped.by}: ${standing(ends, touched)}`;
    return {...common, outcome: 'interrupted', exitCode: stopCodes[stopped.by], text};
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
  const honest = outcome === 'passed' && run.waived ? 'passed with waivers' : outcome;
  const locked = ends.filter(({end}) => end === 'failed').every(({component}) => run.locked.has(component));
  return {
    ...common,
    outcome: honest,
    exitCode: outcome === 'failed' && run.locked.size > 0 && locked ? exitCodes.locked : exitCode,
    text: standing(ends, touched || !plan?.components.every(isNoop)),
  };
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
  const moved = ends.some(({end}) => end === 'verified' || end === 'not proven' || end === 'waived');
  return moved && ends.some(({end}) => end === 'rolled back') && !ends.some(({end}) => end === 'unknown');
}

/** Where the components stand, in one line. */
function standing(ends: readonly ComponentEnd[], touched: boolean): string {
  if (!touched) return 'the environment was not touched';
  // It was gone on with, and ended before it came to its apply again.
  if (ends.length === 0) return 'what it had changed before stays as it is, and nothing was changed since';
  const arrived = ends.filter(({end}) => there.has(end)).map(({component}) => component);
  const version = ends[0]?.to ?? '';
  const count = `${arrived.length} of ${ends.length} components on ${version}`;
  if (arrived.length === ends.length) return count;
  // Whoever reads only this line has to know which ones have moved already.
  const others = [...new Set(ends.map(({end}) => end))]
    .filter(word => !there.has(word))
    .map(word => `${word}: ${ends.flatMap(({component, end}) => (end === word ? [component] : [])).join(', ')}`);
  return [`${count}${arrived.length === 0 ? '' : ` (${arrived.join(', ')})`}`, ...others].join('; ');
}
