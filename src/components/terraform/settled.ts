/** Whether Terraform has anything left to do: the proof of a release, and what tells how an apply ended that nobody saw. */
import {access, rm} from 'node:fs/promises';
import path from 'node:path';
import type {Named} from '../../release/contract.ts';
import {DeployError, StoppedError, inOneLine, toTrouble} from '../../release/errors.ts';
import {sha256} from '../../release/hash.ts';
import type {Change, Check, Claim} from '../../release/model.ts';
import {showCommand} from '../../tools/exec.ts';
import type {Io} from '../io.ts';
import {failed, passed, warned} from '../verdict.ts';
import {collectSecrets, failedChecks, readChanges} from './changes.ts';
import {type TerraformConfig, pathsOf} from './config.ts';
import {openModule, terraformOf} from './module.ts';

/** What was planned: with which values, and for what. */
export interface Planned {
  readonly varFile: string;
  /** None: the plan was about nothing that has an address (outputs, moves). */
  readonly addresses: readonly string[];
}

interface LeftToDo {
  /** At the planned addresses. */
  readonly left: readonly Change[];
  /** How many changes there are at others. */
  readonly elsewhere: number;
  /** `check` blocks of the module that fail. */
  readonly failing: readonly string[];
}

/** Plans once more, without a lock and aside. Throws where that cannot be done. */
export async function leftToDo(component: Named<TerraformConfig>, {varFile, addresses}: Planned, io: Io): Promise<LeftToDo> {
  const readable = await access(varFile).then(
    () => true,
    () => false,
  );
  if (!readable) throw new DeployError(`${varFile} is gone`);
  const terraform = terraformOf(component, io);
  const {module} = await openModule(component, io);
  const out = path.join(await io.scratch(), `${component.id}-settled-${sha256(varFile).slice(0, 8)}.tfplan`);
  try {
    await terraform.plan(module, {varFile, out, lock: false, lockTimeoutSeconds: 0}, {signal: io.signal});
    const plan = await terraform.show(module, out);
    for (const secret of collectSecrets(plan)) io.learnSecret(secret);
    const {changes} = readChanges(plan);
    const left = changes.filter(({id}) => addresses.length === 0 || addresses.includes(id));
    return {left, elsewhere: changes.length - left.length, failing: failedChecks(plan)};
  } finally {
    await rm(out, {force: true});
  }
}

/** Nothing may be left to do where the release worked. */
export async function checkSettled(component: Named<TerraformConfig>, claim: Claim, planned: Planned, io: Io): Promise<Check> {
  const see = seePlan(component, planned, io);
  try {
    const {left, elsewhere, failing} = await leftToDo(component, planned, io);
    if (left.length > 0) return {...failed(claim, left.map(({summary}) => summary).join('; ')), see};
    const found = elsewhere === 0 ? 'no changes' : `no changes where it was released (${elsewhere} elsewhere)`;
    return {...(failing.length === 0 ? passed(claim, found) : warned(claim, `${found}, but ${failing.join('; ')}`)), see};
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    const {what, next} = toTrouble(error);
    return {...failed(claim, `it cannot be planned: ${what}`, {...(next && {next: inOneLine(next)})}), see};
  }
}

/** The same by hand: in the workspace of the component, whichever is selected. */
function seePlan(component: Named<TerraformConfig>, {varFile}: Planned, io: Io): string {
  const plan = ['terraform', `-chdir=${pathsOf(component, io).directory}`, 'plan', '-lock=false', '-detailed-exitcode'];
  return showCommand(['env', `TF_WORKSPACE=${component.workspace}`, ...plan, `-var-file=${varFile}`]);
}
