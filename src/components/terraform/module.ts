/** A component's root module, ready to be planned. */
import path from 'node:path';
import {DeployError} from '../../release/errors.ts';
import {sha256} from '../../release/hash.ts';
import {type RootModule, type Terraform, createTerraform} from '../../tools/terraform/terraform.ts';
import type {Io} from '../io.ts';
import {type TerraformConfig, pathsOf} from './config.ts';
import {learnVariables} from './variable-files.ts';

/** Terraform with the environment that this component lets through. */
export function terraformOf({fromEnv}: TerraformConfig, io: Io): Terraform {
  return fromEnv.length === 0 ? io.terraform : createTerraform({env: io.env, keepVars: fromEnv});
}

export interface OpenedModule {
  readonly module: RootModule;
  /** What was done or found on the way, worth reading before somebody approves. */
  readonly notes: readonly string[];
}

/** The module, initialised where it was not, in the workspace that the config names. What its variables hide is hidden from now on. */
export async function openModule(component: TerraformConfig, io: Io): Promise<OpenedModule> {
  const {directory} = pathsOf(component, io);
  const terraform = terraformOf(component, io);
  await learnVariables(component, io);
  const notes: string[] = [];
  const plain: RootModule = {directory};
  let module = plain;
  if (!(await terraform.isInitialised(plain))) {
    // Whoever only looks leaves the directory as it is.
    module = io.readOnly
      ? {directory, dataDir: path.join(await io.scratch(), 'terraform-data', sha256(directory).slice(0, 12))}
      : plain;
    notes.push(
      `terraform init was run in ${component.directory}: it was not initialised${io.readOnly ? ' (in a folder aside)' : ''}`,
    );
    io.log(`terraform init in ${directory}`);
    await terraform.init(module, {}, {onLine: io.log, signal: io.signal});
  }
  const [selected, workspaces] = await Promise.all([terraform.workspace(module), terraform.workspaces(module)]);
  if (!workspaces.includes(component.workspace)) throw noWorkspace(component, directory, workspaces);
  notes.push(
    selected === component.workspace
      ? `workspace ${component.workspace}`
      : `workspace ${component.workspace}, although ${selected} is selected in ${component.directory}`,
  );
  // Named for every process of ours, whatever somebody selects in another window.
  return {module: {...module, workspace: component.workspace}, notes};
}

function noWorkspace({workspace}: TerraformConfig, directory: string, workspaces: readonly string[]): DeployError {
  return new DeployError(`there is no workspace ${workspace} in ${directory} (there are: ${workspaces.join(', ')})`, {
    means: 'The environment was not touched.',
    next: ['Correct `workspace:` in the config file, or make it: terraform workspace new'],
    final: true,
  });
}
