/**
 * Infrastructure by Terraform, optionally with an image built from source: the cookbook. Bump, build and
 * push prepare; the plan uses an edited copy of the tfvars file; what is applied is the saved plan.
 */
import type {ComponentKind} from '../release/contract.ts';
import type {Check} from '../release/model.ts';
import {isDowngrade} from '../release/version.ts';
import {readText} from '../tools/files.ts';
import {checkShared, sessionClaim} from './aws/requirements.ts';
import {checkHttp} from './http-claim.ts';
import type {Io} from './io.ts';
import {applySteps, tagStepId, tfvarsCommit} from './terraform/applying.ts';
import {checkTerraform, terraformClaims, terraformRequirements} from './terraform/checks.ts';
import {
  type TerraformConfig,
  type TerraformPayload,
  type TerraformState,
  pathsOf,
  terraformConfig,
  terraformPayload,
  terraformState,
} from './terraform/config.ts';
import {changedSincePlanned} from './terraform/binding.ts';
import {observeTerraform} from './terraform/observing.ts';
import {planTerraform} from './terraform/planning.ts';
import {pushedDigest} from './terraform/pushed.ts';
import {currentValues, versionIn} from './terraform/set-values.ts';
import {checkSource, sourceRequirements} from './terraform/source/checks.ts';
import {gitPushSteps} from './terraform/source/git-push.ts';
import {prepareSteps, steps as prepared} from './terraform/source.ts';

/**
 * Whether the image that a release needs is there and is not to be made anew: of the version that the tfvars
 * file names, or of an older one (what would be built today is not what was released then).
 */
async function isPrepared(component: TerraformConfig, version: string, io: Io): Promise<boolean> {
  const {varFile} = pathsOf(component, io);
  const now = currentValues((await readText(varFile)).text, varFile, component.set);
  const names = Object.entries(component.set);
  const deployed = names.length > 0 && names.every(([name, value]) => now[name] === value);
  const back = isDowngrade(versionIn(now, component.set, io.version), version);
  return (deployed || back) && (await pushedDigest(component, version, io)) !== undefined;
}

export const terraform: ComponentKind<TerraformConfig, TerraformState, TerraformPayload, Io> = {
  kind: 'terraform',
  revert: 'ask',
  config: terraformConfig,
  state: terraformState,
  payload: terraformPayload,

  requirements: (component, target) => [
    sessionClaim(false),
    ...terraformRequirements(component, target),
    // Nothing is built for a way back.
    ...(target.is === 'release' ? sourceRequirements(component, target.version) : []),
  ],

  observe: observeTerraform,

  prepare: async (component, target, io) => {
    // The way back has its image already; so has a version that was released before.
    if (target.is === 'state' || component.source === undefined) return [];
    return (await isPrepared(component, target.version, io)) ? [] : prepareSteps(component, component.source, target.version);
  },

  plan: planTerraform,

  recheck: (component, {payload}, io) => changedSincePlanned(component, payload, io),

  steps: (component, {payload, to}) => applySteps(component, payload, to),

  claims: (component, {payload}) => terraformClaims(component, payload),

  finish: (component, _plan, results) =>
    gitPushSteps(component, results, {commits: [tfvarsCommit, prepared.commit], tag: tagStepId}),

  check: async (component, claim, io) => {
    const http = await checkHttp(claim, io);
    const check =
      (http && (await measured(http, io))) ??
      (await checkShared(claim, io)) ??
      (await checkSource(component, claim, io)) ??
      (await checkTerraform(component, claim, io));
    if (check === undefined) throw new Error(`terraform cannot check ${claim.id}`);
    return check;
  },
};

/** With how long it was down until now; what answers rightly is down no more. */
async function measured(check: Check, {meter}: Io): Promise<Check> {
  if (check.status === 'passed') await meter.finish();
  const downtime = meter.read();
  return downtime === undefined ? check : {...check, downtime};
}
