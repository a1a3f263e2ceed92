/** What was chosen, carried out: the way into the environment first, then the run. */
import type {Choice} from '../release/form.ts';
import {noHistory} from '../release/history.ts';
import type {Allowance} from '../release/policy.ts';
import {lastRelease} from '../record/last-release.ts';
import type {Frontend} from '../views/frontend.ts';
import {type Application, requireSharedStore} from './application.ts';
import type {ReadApproval} from './approval-file.ts';
import {carryOut} from './carry-out.ts';
import type {Context} from './context.ts';
import {gatesFor} from './gates.ts';
import {createGate} from './locking.ts';
import type {ReleaseOptions} from './release.ts';
import {unprovenSteps, warnOfUnfinished} from './unfinished.ts';

/** Returns the exit code. */
export async function carryOutChoice(
  context: Context,
  application: Application,
  frontend: Frontend,
  {
    choice,
    allowances,
    options,
    approval,
  }: {
    readonly choice: Choice;
    readonly allowances: readonly Allowance[];
    readonly options: ReleaseOptions;
    readonly approval: ReadApproval | undefined;
  },
): Promise<number> {
  const {environment, version} = choice;
  requireSharedStore(context, application, environment);
  await approval?.admit(application, choice);
  const last = await lastRelease(application.store, environment);
  const unproven = await unprovenSteps(application.store, environment, choice);
  const say = (text: string) => frontend.notice(text);
  if (options.dryRun) await warnOfUnfinished(context, application.store, environment, say);
  const work = `release ${version}`;
  const gate = options.dryRun
    ? undefined
    : createGate(context, application.store, {environment, work, reason: options.reason, wait: options.waitLock, say});
  await gate?.look(version);
  try {
    return await carryOut(context, application, frontend, {
      choice,
      allowances,
      options,
      last,
      history: noHistory,
      unproven,
      gates: gatesFor(context, application, choice),
      ...(gate && {gate}),
    });
  } finally {
    await gate?.leave();
  }
}
