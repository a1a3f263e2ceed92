/** What an approval of a Terraform plan is bound to, looked at once more: every difference in words. */
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {sha256} from '../../release/hash.ts';
import {readText} from '../../tools/files.ts';
import {parseImageName} from '../../tools/registry.ts';
import type {RootModule} from '../../tools/terraform/terraform.ts';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import type {StateIdentity, TerraformConfig, TerraformPayload} from './config.ts';
import {terraformOf} from './module.ts';
import {changedSources} from './sources.ts';

/** The account whose credentials are used at this moment; null where the config says nothing of AWS. */
export async function accountNow(io: Io): Promise<string | null> {
  return io.place.usesAws ? (await io.aws.sts.identityNow()).account : null;
}

/** The state as it is. What it hides is hidden from now on. */
export async function stateNow(component: TerraformConfig, module: RootModule, io: Io): Promise<StateIdentity | null> {
  const state = await terraformOf(component, io).state(module);
  state?.secrets.forEach(io.learnSecret);
  return state === undefined ? null : {lineage: state.lineage, serial: state.serial};
}

/** What is not as it was when the plan was made; undefined when everything is. */
export async function changedSincePlanned(
  component: TerraformConfig,
  payload: TerraformPayload,
  io: Io,
): Promise<string | undefined> {
  const plan = await changedPlanFile(payload);
  // Without its file a plan is to be made anew whatever else is true.
  if (plan !== undefined) return plan;
  const found = await Promise.all([
    changedTfvars(payload),
    changedSources(payload.sources, io.records),
    changedTerraform(component, payload, io),
    changedWorkspace(component, payload, io),
    changedAccount(payload, io),
    changedImage(payload, io),
  ]);
  const changes = found.filter(change => change !== undefined);
  return changes.length === 0 ? undefined : changes.join('; ');
}

type Change = Promise<string | undefined>;

async function changedPlanFile({planFile, planSha256}: TerraformPayload): Change {
  const bytes = await readFile(planFile).catch(() => undefined);
  if (bytes === undefined) return 'the saved plan is gone';
  return sha256(bytes) === planSha256 ? undefined : 'the saved plan is not the one that was made: somebody has changed its file';
}

async function changedTfvars({varFile, varFileSha256}: TerraformPayload): Change {
  return (await readText(varFile)).sha256 === varFileSha256 ? undefined : `${path.basename(varFile)} has changed`;
}

async function changedTerraform(component: TerraformConfig, {directory, terraform}: TerraformPayload, io: Io): Change {
  const now = await terraformOf(component, io).version(directory);
  return now === terraform ? undefined : `Terraform is ${now} now, and was ${terraform}`;
}

async function changedWorkspace(component: TerraformConfig, {directory, workspace, state}: TerraformPayload, io: Io): Change {
  // A plan that was made with a data folder aside is never applied.
  const module = {directory};
  // Asked first: Terraform makes a new and empty one of a name that it does not know. `default` can neither be made nor deleted.
  const {names} = workspace === 'default' ? {names: [workspace]} : await terraformOf(component, io).workspaces(module);
  if (!names.includes(workspace)) return `the workspace ${workspace} is gone`;
  return changedState(state, await stateNow(component, {...module, workspace}, io));
}

/** Terraform tells nothing of a plan that does not fit but that it is stale, and only once it is applied. */
function changedState(before: StateIdentity | null, now: StateIdentity | null): string | undefined {
  if (before === null && now === null) return undefined;
  if (before === null) return 'there is a Terraform state now, and there was none';
  if (now === null) return 'the Terraform state is gone';
  if (before.lineage !== now.lineage) return `the Terraform state is another one (lineage ${now.lineage}, not ${before.lineage})`;
  return before.serial === now.serial
    ? undefined
    : `the Terraform state was changed by somebody else (serial ${now.serial}, was ${before.serial})`;
}

async function changedAccount({account}: TerraformPayload, io: Io): Change {
  const now = await accountNow(io);
  return now === account ? undefined : `the credentials are for account ${now ?? 'none'} now, and were for ${account ?? 'none'}`;
}

async function changedImage({image}: TerraformPayload, io: Io): Change {
  // One that is not built yet is in no plan that is applied.
  if (image === null || image.digest === null) return undefined;
  const name = parseImageName(image.reference);
  const now = await io.registry.digest(name, name.tag ?? 'latest', io.signal);
  if (now === image.digest) return undefined;
  return `${image.reference} is ${now === undefined ? 'gone from the registry' : `${shortDigest(now)} in the registry now`}, and was ${shortDigest(image.digest)}`;
}
