/** What a Terraform component requires before, and what proves it after. */
import * as z from 'zod';
import type {Named, StateTarget, Target} from '../../release/contract.ts';
import type {Check, Claim} from '../../release/model.ts';
import {parseImageName} from '../../tools/registry.ts';
import {inWords} from '../downtime.ts';
import {httpClaim} from '../http-claim.ts';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import {failed, open, passed, pending} from '../verdict.ts';
import {type TerraformConfig, type TerraformPayload, type TerraformState, pathsOf, referenceOf, settings} from './config.ts';
import {isThere} from './source/version-files.ts';
import {checkModule} from './module-check.ts';
import {checkSettled} from './settled.ts';

const subject = z.discriminatedUnion('is', [
  z.object({is: z.literal('terraform')}),
  z.object({is: z.literal('module'), set: settings}),
  z.object({is: z.literal('image of then'), reference: z.string(), digest: z.string().nullable()}),
  z.object({is: z.literal('committer')}),
  z.object({is: z.literal('digest'), reference: z.string(), digest: z.string()}),
  z.object({is: z.literal('downtime'), limit: z.number()}),
  z.object({is: z.literal('settled'), varFile: z.string(), addresses: z.array(z.string())}),
]);
type Subject = z.infer<typeof subject>;

type Requirement = readonly [id: string, text: string, subject: Subject, once?: 'once'];

export function terraformRequirements(component: Named<TerraformConfig>, target: Target<TerraformState>): readonly Claim[] {
  const set = target.is === 'release' ? component.set : target.state.set;
  const claims: readonly Requirement[] = [
    ['terraform', 'Terraform', {is: 'terraform'}],
    [`${component.id} module`, `${component.id}: Terraform module ${component.directory}`, {is: 'module', set}],
    ...(target.is === 'release' ? [] : toGoBack(component, target)),
  ];
  return claims.map(([id, text, subject, once]) => ({id, text, subject, ...(once && {once: true})}));
}

/** Nothing is built for a way back: its image has to be there still. */
function toGoBack(
  {id, source, ...component}: Named<TerraformConfig>,
  {version, state}: StateTarget<TerraformState>,
): readonly Requirement[] {
  if (source === undefined) return [];
  const reference = referenceOf({...component, source}, version) ?? '';
  return [
    [`${id} image`, `${id}: ${reference} in the registry`, {is: 'image of then', reference, digest: state.digest}],
    ...(source.git.commit ? ([[`${id} committer`, `${id}: git`, {is: 'committer'}, 'once']] as const) : []),
  ];
}

export function terraformClaims(
  {id}: Named<TerraformConfig>,
  {image, varFile, addresses, workspace, verify}: TerraformPayload,
): readonly Claim[] {
  return [
    ...(image?.digest
      ? [
          {
            id: `${id} digest`,
            text: `${image.reference} in the registry`,
            subject: {is: 'digest', reference: image.reference, digest: image.digest},
          },
        ]
      : []),
    {
      id: `${id} settled`,
      text: `Terraform has nothing left to do (workspace ${workspace})`,
      subject: {is: 'settled', varFile, addresses},
    },
    ...(verify ? [httpClaim(id, {...verify, expect: verify.expect ?? undefined})] : []),
    // Where nothing is changed, nothing goes down.
    ...(verify && verify.maxDowntime !== null && addresses.length > 0
      ? [
          {
            id: `${id} downtime`,
            text: `${id} is down for at most ${inWords(verify.maxDowntime)}`,
            subject: {is: 'downtime', limit: verify.maxDowntime},
            within: verify.within,
            late: 'unknown' as const,
          },
        ]
      : []),
  ];
}

/** The verdict on a claim of this file; undefined for any other claim. */
export function checkTerraform(component: Named<TerraformConfig>, claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = subject.safeParse(claim.subject);
  return data && verdict(component, claim, data, io);
}

async function verdict(component: Named<TerraformConfig>, claim: Claim, subject: Subject, io: Io): Promise<Check> {
  switch (subject.is) {
    case 'terraform': {
      const {directory} = pathsOf(component, io);
      // A directory that is missing is said where the module is looked at.
      return passed(claim, await io.terraform.version((await isThere(directory)) ? directory : io.folder));
    }
    case 'module':
      return checkModule(component, claim, subject.set, io);
    case 'digest': {
      const name = parseImageName(subject.reference);
      const digest = await io.registry.digest(name, name.tag ?? 'latest', io.signal);
      if (digest === subject.digest) return passed(claim, shortDigest(digest));
      return failed(claim, digest === undefined ? 'the tag is gone' : `is ${digest} now, was ${subject.digest}`);
    }
    case 'image of then':
      return checkImage(claim, subject, io);
    case 'committer':
      return checkCommitter(component, claim, io);
    case 'downtime':
      return checkDowntime(claim, subject.limit, io);
    case 'settled':
      return checkSettled(component, claim, subject, io);
  }
}

/** Whether the image of an earlier release is there still, and the same. */
async function checkImage(claim: Claim, {reference, digest}: Extract<Subject, {is: 'image of then'}>, io: Io): Promise<Check> {
  const name = parseImageName(reference);
  const now = await io.registry.digest(name, name.tag ?? 'latest', io.signal);
  if (now !== undefined && (digest === null || now === digest)) return passed(claim, shortDigest(now));
  const found =
    now === undefined
      ? 'the tag is gone'
      : `is ${shortDigest(now)} now, and was ${shortDigest(digest ?? '')} when it was deployed`;
  return failed(claim, found, {next: 'Push the image of then under its tag again, or release another version.'});
}

/** Whether the tfvars file can be committed once it is edited. */
async function checkCommitter(component: TerraformConfig, claim: Claim, io: Io): Promise<Check> {
  const {varFile} = pathsOf(component, io);
  const root = await io.git.root(varFile);
  if (root === undefined)
    return failed(claim, `${varFile} is not in a git repository`, {next: 'Set `source.git.commit: false` in the config file.'});
  const {branch} = await io.git.head(root);
  if (branch === undefined)
    return failed(claim, 'HEAD is detached: there is no branch to commit on', {next: 'Check out a branch.'});
  if ((await io.git.identity(root)) === undefined)
    return failed(claim, 'git does not know who commits', {next: 'git config user.name "…" and git config user.email "…"'});
  return passed(claim, branch);
}

/** How long it was down, from the first probe before the apply to the first answer of the new version. */
async function checkDowntime(claim: Claim, limit: number, io: Io): Promise<Check> {
  const {meter} = io;
  const seen = meter.read();
  if (seen === undefined) return open(claim, 'it was not measured by this process');
  const down = seen.ms === 0 ? 'it was never down' : `it was down for ${inWords(seen.ms)}`;
  if (seen.ms > limit) {
    return failed(claim, `${down}, which is longer than ${inWords(limit)}`, {
      next: 'The new version answers, and going back would be one more outage: see to it before the next release.',
    });
  }
  return meter.running ? pending(claim, `${down} so far`) : passed(claim, down);
}
