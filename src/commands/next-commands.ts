/** The commands that a summary ends with: go on, do the same again without questions, check it. */
import {exitCodes} from '../release/errors.ts';
import type {Choice} from '../release/form.ts';
import type {Finish} from '../release/outcome.ts';
import {type Allowance, missingAllowances} from '../release/policy.ts';
import type {Plan} from '../release/model.ts';
import {showCommand} from '../tools/exec.ts';

export interface Ended {
  readonly choice: Choice;
  /** All components of the config: what is left out when all are meant. */
  readonly all: readonly string[];
  readonly config: string | undefined;
  readonly allow: readonly string[];
  /** Gates that were let through, and why. */
  readonly override: readonly string[];
  readonly reason: string | undefined;
  readonly planOnly: boolean;
  readonly unattended: boolean;
  /** It was a way back. */
  readonly rollback: boolean;
  readonly plan: Plan | undefined;
  /** What the environment's policy lets through by itself. */
  readonly policy: readonly Allowance[];
  readonly finish: Finish;
  /** The file that `plan --out` wrote. */
  readonly approval?: {readonly file: string; readonly digest: string} | undefined;
  /** The file with which the run was approved elsewhere: another attempt takes another approval. */
  readonly approve?: string | undefined;
}

export function nextCommands(ended: Ended): readonly {readonly label: string; readonly command: string}[] {
  const {choice, finish, planOnly} = ended;
  const arrived = finish.exitCode === exitCodes.done;
  const where = [...(ended.config === undefined ? [] : ['--config', ended.config]), '--env', choice.environment];
  const command = (...args: readonly string[]) => showCommand(['deploy-wizard', ...args]);
  const what = ended.rollback
    ? ['rollback', ...where, '--to', choice.version, ...componentFlags(ended)]
    : [...where, '--release', choice.version, ...componentFlags(ended)];
  const asked = command(...what, ...(ended.rollback ? [] : overrideFlags(ended)));
  const again = ended.rollback
    ? command(...what, '--yes', ...allowFlags(ended))
    : ended.approve !== undefined
      ? command('plan', ...what, '--out', ended.approve)
      : command('--yes', ...what, ...allowFlags(ended), ...overrideFlags(ended));
  if (ended.approval) {
    const {file, digest} = ended.approval;
    const approved = ['--yes', ...what, '--approve', file, '--approve-digest', digest, ...overrideFlags(ended)];
    return [
      {label: 'Approve', command: `${file} ${digest}`},
      {label: 'Release', command: command(...approved)},
    ];
  }
  // Who said no is not told how to leave the question out.
  const attendedAgain = [
    {label: 'Again', command: asked},
    ...(finish.outcome === 'refused' ? [] : [{label: 'In CI', command: again}]),
  ];
  if (planOnly) return arrived ? [{label: 'Release', command: again}] : [];
  return [
    ...(finish.resumable ? [{label: 'Go on', command: command('resume', ...where)}] : []),
    // What may still be going on is gone on with, not started a second time; and what a person has to read is asked again: a no, or
    // the plan after a failure, which is another one. The same without questions is there to be learnt.
    ...(finish.resumable ? [] : arrived || ended.unattended ? [{label: 'Again', command: again}] : attendedAgain),
    ...(finish.touched && finish.outcome === 'failed' && !ended.rollback
      ? [{label: 'Back', command: command('rollback', ...where)}]
      : []),
    ...(finish.touched || arrived ? [{label: 'Check', command: command('audit', choice.version, ...where)}] : []),
  ];
}

/** Only those that are not there yet, where some are. */
function componentFlags({choice, all, finish}: Ended): readonly string[] {
  const there = new Set(
    finish.components.flatMap(({component, end}) => (['verified', 'unchanged', 'not proven'].includes(end) ? [component] : [])),
  );
  const left = choice.components.filter(id => !there.has(id));
  const meant = left.length === 0 ? choice.components : left;
  return meant.length === all.length ? [] : meant.flatMap(id => ['--component', id]);
}

/** Whoever lets a gate through says why, each time. */
function overrideFlags({override, reason}: Ended): readonly string[] {
  return override.length === 0 ? [] : [...override.flatMap(name => ['--override', name]), '--reason', reason ?? ''];
}

/** What was let through, and what the plan needs besides: what a person approved by typing. */
function allowFlags({allow, plan, policy, rollback}: Ended): readonly string[] {
  const missing = plan === undefined ? [] : missingAllowances(plan, policy);
  const all = new Set([...allow, ...missing.map(({what, component}) => `${what}:${component}`)]);
  // The command itself says it.
  if (rollback) all.delete('downgrade');
  return [...all].flatMap(one => ['--allow', one]);
}
