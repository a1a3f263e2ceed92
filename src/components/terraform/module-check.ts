/** What a module must be before a release is begun: what Terraform would refuse once the image is built and pushed, is refused now. */
import {readdir, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Named} from '../../release/contract.ts';
import type {Check, Claim} from '../../release/model.ts';
import {readText} from '../../tools/files.ts';
import type {Io} from '../io.ts';
import {type TfvarsSettings, editTfvars, parseTfvars} from '../tfvars.ts';
import {failed, passed} from '../verdict.ts';
import {type TerraformConfig, pathsOf} from './config.ts';
import {openInitialised, terraformOf} from './module.ts';
import {variableProblem} from './variable-files.ts';

/** `set`: the values that will be set. */
export async function checkModule(component: Named<TerraformConfig>, claim: Claim, set: TfvarsSettings, io: Io): Promise<Check> {
  const {directory, varFile} = pathsOf(component, io);
  const files = await readdir(directory).catch((): string[] => []);
  if (!files.some(file => /\.tf(?:\.json)?$/.test(file))) {
    return failed(claim, `there are no *.tf files in ${directory}`, {
      next: `Correct components.${component.id}.directory in the config file.`,
    });
  }
  if (files.includes('errored.tfstate')) {
    return failed(
      claim,
      'errored.tfstate is there: an earlier apply could not save the state, which does not know what was made',
      {
        next: `In ${directory}: terraform state push errored.tfstate, and delete the file when that has worked.`,
      },
    );
  }
  const {text} = await readText(varFile);
  parseTfvars(text, varFile);
  const edited = editTfvars(text, varFile, set);
  const problem = await variableProblem(component, io);
  if (problem) return failed(claim, problem.found, {next: problem.next});
  await rehearse(component, edited, io);
  return passed(claim, `workspace ${component.workspace}`);
}

/**
 * Plans once aside, without the lock and without asking providers what is there. Left out where nothing is initialised yet (providers
 * would be fetched twice), and where the plan itself comes next.
 */
async function rehearse(component: Named<TerraformConfig>, tfvars: string, io: Io): Promise<void> {
  const {varFile} = pathsOf(component, io);
  const opened = io.readOnly ? undefined : await openInitialised(component, io);
  if (opened === undefined) return;
  const out = path.join(await io.scratch(), `${component.id}-preflight.tfplan`);
  const copy = path.join(await io.scratch(), `${component.id}-preflight.tfvars${varFile.endsWith('.json') ? '.json' : ''}`);
  try {
    await writeFile(copy, tfvars, {mode: 0o600});
    await terraformOf(component, io).plan(
      opened.module,
      {varFile: copy, out, lock: false, lockTimeoutSeconds: 0, refresh: false},
      {signal: io.signal},
    );
  } finally {
    await rm(out, {force: true});
    await rm(copy, {force: true});
  }
}
