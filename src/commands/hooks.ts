/** The config's `hooks`: commands that run around the phases of a release, with what is going on as JSON on standard input. */
import type {Hook} from '../config/hooks.ts';
import type {Around, Emit, Moment} from '../release/contract.ts';
import {DeployError, StoppedError, toTrouble} from '../release/errors.ts';
import type {EventOf} from '../release/events.ts';
import {type Phase, jobId, riskOf, wholeRelease} from '../release/words.ts';
import type {RunState} from '../release/reducer.ts';
import type {Redaction} from '../record/redact.ts';
import {type Environment, showCommand} from '../tools/exec.ts';
import {runHook} from '../tools/hooks.ts';

export interface HooksOptions {
  readonly hooks: readonly Hook[];
  /** The folder of the config file. */
  readonly folder: string;
  /** The run so far. */
  readonly state: () => RunState;
  readonly emit: Emit;
  readonly redaction: Redaction;
  /** One line into a job's log, which redacts it. */
  readonly log: (jobId: string, line: string) => void;
  /** Where that log is; undefined when nothing is written. */
  readonly logPath: (jobId: string) => string | undefined;
}

/** `env`: what tools are given, complete. Undefined where the config has no hooks. */
export function createHooks(env: Environment, options: HooksOptions): Around | undefined {
  const {hooks} = options;
  if (hooks.length === 0) return undefined;
  return async (moment, signal) => {
    const due = hooks.filter(hook => isDue(hook, moment));
    for (const [index, hook] of due.entries()) {
      const name = due.length === 1 ? nameOf(moment) : `${nameOf(moment)} ${index + 1}`;
      await runOne({name, hook, moment, signal, env}, options);
    }
  };
}

function isDue(hook: Hook, moment: Moment): boolean {
  if ('before' in hook) return moment.when === 'before' && hook.before === moment.phase;
  if ('after' in hook) {
    const failed = 'on' in hook;
    return moment.when === 'after' && hook.after === moment.phase && failed === (moment.trouble !== undefined);
  }
  return moment.when === 'failure';
}

const nameOf = (moment: Moment): string => (moment.when === 'failure' ? 'on failure' : `${moment.when} ${moment.phase}`);

interface One {
  readonly name: string;
  readonly hook: Hook;
  readonly moment: Moment;
  readonly signal: AbortSignal;
  readonly env: Environment;
}

async function runOne({name, hook, moment, signal, env}: One, options: HooksOptions): Promise<void> {
  const {emit, state, redaction, log, logPath, folder} = options;
  const phase = moment.when === 'failure' ? lastPhase(state()) : moment.phase;
  const job = jobId({component: wholeRelease, phase});
  const say = (status: EventOf<'hook'>['status'], text: string) => emit({type: 'hook', hook: name, phase, status, text});
  await say('started', showCommand(hook.run));
  try {
    await runHook(hook.run, {
      cwd: folder,
      env: {...env, ...variables(name, phase, moment, state())},
      input: `${JSON.stringify(redaction.deep(eventFor(name, phase, moment, state())))}\n`,
      limitMs: hook.within,
      signal,
      onLine: line => log(job, line),
    });
  } catch (error) {
    const {what} = toTrouble(error);
    const blocks = 'failure' in hook && hook.failure === 'block';
    await say(blocks ? 'failed' : 'warned', what);
    if (error instanceof StoppedError) throw error;
    if (!blocks) return;
    const place = logPath(job);
    throw new DeployError(`hook ${name}: ${what}`, {
      code: 'DW124',
      means: moment.when === 'before' ? `${phase} was not begun.` : `${phase} itself was done.`,
      next: place === undefined ? [] : [`What it said: ${place}`],
      cause: error,
    });
  }
  await say('succeeded', 'done');
}

/** The phase in which the run was, as far as it came. */
function lastPhase({jobs}: RunState): Phase {
  return [...jobs.values()].at(-1)?.job.phase ?? 'preflight';
}

/** The contract with hooks, docs/hooks.md: what they are told by environment variables. */
function variables(name: string, phase: Phase, moment: Moment, {started}: RunState): Readonly<Record<string, string>> {
  return {
    DEPLOY_WIZARD_HOOK: name,
    DEPLOY_WIZARD_PHASE: phase,
    ...(started && {
      DEPLOY_WIZARD_APPLICATION: started.application,
      DEPLOY_WIZARD_ENVIRONMENT: started.environment,
      DEPLOY_WIZARD_VERSION: started.version,
      DEPLOY_WIZARD_RUN: started.run,
      DEPLOY_WIZARD_KIND: started.kind ?? 'release',
      DEPLOY_WIZARD_COMPONENTS: started.components.map(({id}) => id).join(' '),
    }),
    ...(moment.when === 'failure' && {DEPLOY_WIZARD_OUTCOME: moment.finish.outcome}),
  };
}

/** The same and more, on standard input. */
function eventFor(name: string, phase: Phase, moment: Moment, {started, plan}: RunState) {
  return {
    schema: 1,
    hook: name,
    when: moment.when,
    phase,
    ...(started && {
      application: started.application,
      environment: started.environment,
      version: started.version,
      run: started.run,
      kind: started.kind ?? 'release',
      by: {user: started.by.user, host: started.by.host},
      components: started.components.map(({id, kind}) => ({id, kind})),
    }),
    ...(plan && {
      plan: {
        fingerprint: plan.fingerprint,
        components: plan.components.map(part => ({
          component: part.component,
          ...(part.from !== undefined && {from: part.from}),
          to: part.to,
          risk: riskOf(part),
          changes: part.changes.map(({id, risk, summary, flags}) => ({id, risk, summary, flags})),
        })),
      },
    }),
    ...(moment.when === 'after' && moment.trouble && {trouble: moment.trouble}),
    ...(moment.when === 'failure' && {
      outcome: moment.finish.outcome,
      exitCode: moment.finish.exitCode,
      text: moment.finish.text,
      ends: moment.finish.components.map(({component, end, note}) => ({component, end, note})),
    }),
  };
}
