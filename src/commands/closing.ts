/** What is left to do when a run has ended: its plan files go, its summary is printed, whoever is there is asked for the checklist. */
import {rm} from 'node:fs/promises';
import {exitCodes, toTrouble} from '../release/errors.ts';
import type {Item} from '../release/checklist.ts';
import type {RunState} from '../release/reducer.ts';
import type {Finish} from '../release/outcome.ts';
import type {RecordWriter} from '../record/store.ts';
import {isChange} from '../release/policy.ts';
import {planLines} from '../views/lines.ts';
import {supportsLinks} from '../views/links.ts';
import {summary} from '../views/summary.ts';
import {lineFor} from '../views/words.ts';
import {showCommand} from '../tools/exec.ts';
import type {Application} from './application.ts';
import {writeApproval} from './approval-file.ts';
import {tellCi} from './ci.ts';
import type {Context} from './context.ts';
import {nextCommands} from './next-commands.ts';
import {policyOf} from './policy.ts';
import {scratchRoot} from './scratch.ts';
import {offerTicks, openItems} from './ticking.ts';
import type {Work} from './work.ts';

/** A run that has come to its end. */
export interface EndedRun {
  readonly work: Work;
  readonly state: RunState;
  readonly finish: Finish;
  /** Undefined for a plan: it leaves none. */
  readonly record: {readonly run: string; readonly writer: RecordWriter} | undefined;
  /** Where its plan files are. */
  readonly scratch: string;
}

/** Returns the exit code: that of the run, whatever becomes of what is done after it. */
export async function closeRun(context: Context, application: Application, ended: EndedRun): Promise<number> {
  const {work, state, finish, record, scratch} = ended;
  const {choice, options} = work;
  const {environment, version} = choice;
  await afterwards(context, 'Plan files are left behind', () =>
    record ? removeScratch(context, application, environment, record.run, finish) : rm(scratch, {recursive: true, force: true}),
  );
  const approvalDigest =
    options.dryRun && options.out !== undefined && finish.exitCode === exitCodes.done && state.plan
      ? await writeApproval(context, application, {file: options.out, environment, version, plan: state.plan})
      : undefined;
  // The way back waits for nothing; and what came to nothing asks for nothing.
  const asks = !options.dryRun && !work.states && (finish.touched || finish.exitCode === exitCodes.done);
  const open = asks
    ? await afterwards(context, 'What is open of the checklist is not known', () => openItems(application, choice))
    : undefined;
  const items = open ?? [];
  await printSummary(context, application, ended, {approvalDigest, openItems: items});
  const head = record?.writer.head();
  await tellCi(context, application, {...choice, run: record?.run, head, state, finish, approvalDigest});
  if (!options.yes && finish.exitCode === exitCodes.done)
    await afterwards(context, 'An item could not be ticked', () => offerTicks(context, application, choice, items));
  if (!options.dryRun || !options.detailedExitcode) return finish.exitCode;
  if (finish.exitCode !== exitCodes.done) return exitCodes.failed;
  return state.plan && isChange(state.plan) ? changesPlanned : exitCodes.done;
}

/** As `terraform plan -detailed-exitcode` has it. */
const changesPlanned = 2;

/** The run has its end: what does not work out after it is said, and is none of it. */
async function afterwards<T>({env, stderr}: Context, what: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    stderr.write(`${lineFor(env)(`${what}: ${toTrouble(error).what}`)}\n`);
    return undefined;
  }
}

/**
 * Plan files hold secrets in clear: kept only as long as somebody may go on with them, which ends with the next run that has
 * changed the environment.
 */
async function removeScratch(
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

/** What is known once it has ended. */
interface Closing {
  /** What somebody still has to do by hand for this version. */
  readonly openItems: readonly Item[];
  /** SHA-256 of the file that `plan --out` wrote. */
  readonly approvalDigest: string | undefined;
}

async function printSummary(
  context: Context,
  application: Application,
  {work, state, finish, record}: EndedRun,
  {openItems, approvalDigest}: Closing,
): Promise<void> {
  const {loaded} = application;
  const {choice, options} = work;
  const commands = nextCommands({
    choice,
    all: Object.keys(loaded.config.components),
    config: options.config,
    allow: options.allow,
    override: options.override ?? [],
    reason: options.reason,
    planOnly: options.dryRun,
    unattended: options.yes,
    rollback: work.states !== undefined,
    plan: state.plan,
    policy: [...work.allowances, ...policyOf(loaded, choice.environment)],
    finish,
    ...(options.out !== undefined && approvalDigest !== undefined && {approval: {file: options.out, digest: approvalDigest}}),
    approve: options.approve,
  });
  const plan = options.dryRun && state.plan ? planLines(state.plan).map(lineFor(context.env)) : [];
  // stdout belongs to the events there.
  const stream = options.output === 'json' ? context.stderr : context.stdout;
  const lines = summary(state, {
    env: context.env,
    ...(record && {record: {folder: record.writer.place, hash: record.writer.head().hash}}),
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
