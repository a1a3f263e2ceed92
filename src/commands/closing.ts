/** What is left to do when a run has ended: its plan files go, and its summary is printed. */
import {rm} from 'node:fs/promises';
import type {Item} from '../release/checklist.ts';
import type {RunState} from '../release/reducer.ts';
import type {Finish} from '../release/outcome.ts';
import type {Allowance} from '../release/policy.ts';
import type {Choice} from '../release/form.ts';
import {planLines} from '../views/lines.ts';
import {supportsLinks} from '../views/links.ts';
import {summary} from '../views/summary.ts';
import {lineFor} from '../views/words.ts';
import {showCommand} from '../tools/exec.ts';
import type {Application} from './application.ts';
import type {RunOptions} from './carry-out.ts';
import type {Context} from './context.ts';
import {nextCommands} from './next-commands.ts';
import {scratchRoot} from './scratch.ts';

/**
 * Plan files hold secrets in clear: kept only as long as somebody may go on with them, which ends with the next run that has
 * changed the environment.
 */
export async function removeScratch(
  context: Context,
  {loaded, store}: Application,
  environment: string,
  run: string,
  finish: Finish,
): Promise<void> {
  // Names of runs sort by time: a later one is somebody else's.
  const older = finish.touched ? (await store.runs(environment)).filter(other => other < run) : [];
  for (const one of finish.resumable ? older : [run, ...older]) {
    const folder = scratchRoot(context, {application: loaded.config.application, environment, run: one});
    await rm(folder, {recursive: true, force: true});
  }
}

export interface Closing {
  readonly choice: Choice;
  readonly options: RunOptions;
  /** What flags and the environment's policy let through. */
  readonly policy: readonly Allowance[];
  readonly rollback: boolean;
  readonly finish: Finish;
  readonly record: {readonly folder: string; readonly hash: string} | undefined;
  /** What somebody still has to do by hand for this version. */
  readonly openItems: readonly Item[];
  /** SHA-256 of the file that `plan --out` wrote. */
  readonly approvalDigest: string | undefined;
}

export async function printSummary(context: Context, application: Application, state: RunState, closing: Closing): Promise<void> {
  const {loaded} = application;
  const {choice, options, policy, rollback, finish, record, approvalDigest, openItems} = closing;
  const commands = nextCommands({
    choice,
    all: Object.keys(loaded.config.components),
    config: options.config,
    allow: options.allow,
    override: options.override ?? [],
    reason: options.reason,
    planOnly: options.dryRun,
    unattended: options.yes,
    rollback,
    plan: state.plan,
    policy,
    finish,
    ...(options.out !== undefined && approvalDigest !== undefined && {approval: {file: options.out, digest: approvalDigest}}),
    approve: options.approve,
  });
  const plan = options.dryRun && state.plan ? planLines(state.plan).map(lineFor(context.env)) : [];
  // stdout belongs to the events there.
  const stream = options.output === 'json' ? context.stderr : context.stdout;
  const lines = summary(state, {
    env: context.env,
    ...(record && {record}),
    commands,
    openItems: openItems.map(({id, text}) => ({
      id,
      text,
      command: showCommand(['deploy-wizard', 'tick', id, '--env', choice.environment, '--release', choice.version]),
    })),
    links: stream.isTTY && supportsLinks(context.env),
  });
  const unbuilt = approvalDigest === undefined ? [] : unbuiltLines(state).map(lineFor(context.env));
  stream.write(`${[...plan, ...unbuilt, ...lines].join('\n')}\n`);
}

/** What an approval can name only by its source. */
function unbuiltLines({plan}: RunState): readonly string[] {
  return (plan?.components ?? []).flatMap(({component, unbuilt}) =>
    unbuilt === undefined
      ? []
      : [`${component}: the approval is for ${unbuilt.image} built on commit ${unbuilt.commit}; its digest is known after build`],
  );
}
