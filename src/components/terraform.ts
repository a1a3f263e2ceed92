/**
 * Infrastructure by Terraform, optionally with an image built from source: the cookbook. Bump, build and
 * push prepare; the plan uses an edited copy of the tfvars file; what is applied is the saved plan.
 */
import {readFile} from 'node:fs/promises';
import type {ComponentKind} from '../release/contract.ts';
import {sha256} from '../release/json.ts';
import {isDowngrade} from '../release/version.ts';
import {readText} from '../tools/files.ts';
import {checkShared, sessionClaim} from './aws/requirements.ts';
import {checkHttp, httpClaim} from './http-claim.ts';
import type {Io} from './io.ts';
import {applySteps} from './terraform/applying.ts';
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
import {currentValues, hashSources, planTerraform, pushedDigest, versionIn} from './terraform/planning.ts';
import {prepareSteps} from './terraform/source.ts';
import {findVersion} from './version-file.ts';

export {terraformConfig};

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
  config: terraformConfig,
  state: terraformState,
  payload: terraformPayload,

  requirements: (component, target) => [sessionClaim(false), ...terraformRequirements(component, target.version)],

  observe: async (component, io) => {
    const {varFile, versionFile} = pathsOf(component, io);
    const {text} = await readText(varFile);
    const set = currentValues(text, varFile, component.set);
    const source = component.source && findVersion({path: versionFile, text: (await readText(versionFile)).text}).version;
    return {version: versionIn(set, component.set, io.version), state: {set}, ...(source !== undefined && {source})};
  },

  prepare: async (component, target, io) => {
    // The way back has its image already; so has a version that was released before.
    if (target.is === 'state' || component.source === undefined) return [];
    return (await isPrepared(component, target.version, io)) ? [] : prepareSteps(component, component.source, target.version);
  },

  plan: (component, target, io, prepared) =>
    planTerraform(component, target.version, target.is === 'release' ? component.set : target.state.set, io, prepared),

  recheck: async (_component, {payload}, io) => {
    const planFile = await readFile(payload.planFile).catch(() => undefined);
    if (planFile === undefined) return 'the saved plan is gone';
    if (sha256(planFile) !== payload.planSha256) return 'the saved plan is not the one that was made';
    if (payload.edit && (await readText(payload.varFile)).sha256 !== payload.edit.before) return `${payload.varFile} has changed`;
    if ((await hashSources(payload.directory, io.records)) !== payload.sources)
      return `the files of ${payload.directory} have changed`;
    return (await io.terraform.version()) === payload.terraform ? undefined : 'Terraform itself is another version';
  },

  steps: (component, {payload, to}) => applySteps(component, payload, to),

  claims: (component, {payload}) => [
    ...terraformClaims(component, payload),
    ...(component.verify ? [httpClaim(component.id, component.verify)] : []),
  ],

  check: async (component, claim, io) => {
    const check = (await checkShared(claim, io)) ?? (await checkHttp(claim, io)) ?? (await checkTerraform(component, claim, io));
    if (check === undefined) throw new Error(`terraform cannot check ${claim.id}`);
    return check;
  },
};
