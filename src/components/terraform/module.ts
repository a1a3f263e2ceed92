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
  return (await openInitialised(component, io)) ?? initialise(component, io);
}

/** The same as it is; undefined where it is not initialised. */
export async function openInitialised(component: TerraformConfig, io: Io): Promise<OpenedModule | undefined> {
  await learnVariables(component, io);
  const {directory} = pathsOf(component, io);
  return (await terraformOf(component, io).isInitialised({directory})) ? inWorkspace(component, {directory}, io) : undefined;
}

async function initialise(component: TerraformConfig, io: Io): Promise<OpenedModule> {
  const {directory} = pathsOf(component, io);
  // Whoever only looks leaves the directory as it is.
  const module = io.readOnly
    ? {directory, dataDir: path.join(await io.scratch(), 'terraform-data', sha256(directory).slice(0, 12))}
    : {directory};
  io.log(`terraform init in ${directory}`);
  await terraformOf(component, io).init(module, {}, {onLine: io.log, signal: io.signal});
  const opened = await inWorkspace(component, module, io);
  const done = `terraform init was run in ${component.directory}: it was not initialised${io.readOnly ? ' (in a folder aside)' : ''}`;
  return {...opened, notes: [done, ...opened.notes]};
}

async function inWorkspace(component: TerraformConfig, module: RootModule, io: Io): Promise<OpenedModule> {
  const {workspace} = component;
  const {names, selected} = await terraformOf(component, io).workspaces(module);
  if (!names.includes(workspace)) throw noWorkspace(component, module.directory, names);
  const although =
    selected === workspace ? '' : `, although ${selected ?? 'one that is gone'} is selected in ${component.directory}`;
  // Named for every process of ours, whatever somebody selects in another window.
  return {module: {...module, workspace}, notes: [`workspace ${workspace}${although}`]};
}

function noWorkspace({workspace}: TerraformConfig, directory: string, workspaces: readonly string[]): DeployError {
  return new DeployError(`there is no workspace ${workspace} in ${directory} (there are: ${workspaces.join(', ')})`, {
    means: 'The environment was not touched.',
    next: ['Correct `workspace:` in the config file, or make it: terraform workspace new'],
    final: true,
  });
}
