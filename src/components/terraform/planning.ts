/** The Terraform plan of a component: made with an edited copy of the tfvars file, so that planning changes nothing. */
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Change, ComponentPlan, Unbuilt} from '../../release/model.ts';
import type {Flag} from '../../release/words.ts';
import type {Named, Results, StateTarget, Target} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import {fingerprint, sha256} from '../../release/hash.ts';
import {isDowngrade} from '../../release/version.ts';
import type {PlanJson} from '../../tools/terraform/plan-json.ts';
import type {RootModule} from '../../tools/terraform/terraform.ts';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import type {TfvarsSettings} from '../tfvars.ts';
import {accountNow, stateNow} from './binding.ts';
import {collectSecrets, planIdentity, planProblems, readChanges} from './changes.ts';
import {type TerraformConfig, type TerraformPayload, type TerraformState, pathsOf, referenceOf} from './config.ts';
import {forecastNotes, withForecast} from './forecast.ts';
import {openModule, terraformOf} from './module.ts';
import {inBetween} from './observing.ts';
import {pushedDigest} from './pushed.ts';
import {type EditedTfvars, editOf, plannedValues, shownSetting, versionIn} from './set-values.ts';
import {committed, pushed, steps} from './source.ts';
import {statedVersion} from './source/version-files.ts';
import {moduleFolders, noteSources} from './sources.ts';
import {hasEphemeral} from './variable-files.ts';

export async function planTerraform(
  component: Named<TerraformConfig>,
  target: Target<TerraformState>,
  io: Io,
  prepared: Results,
): Promise<ComponentPlan<TerraformPayload>> {
  const {directory, varFile} = pathsOf(component, io);
  const {version} = target;
  const set = target.is === 'release' ? component.set : valuesThen(component, target);
  const terraform = terraformOf(component, io);
  const {module, notes: opened} = await openModule(component, io);
  // Before the plan: should it change in between, that is found before the apply.
  const state = await stateNow(component, module, io);
  const edit = await editOf(varFile, set);
  const files = filesOf(component, target, varFile, await io.scratch());
  await writeFile(files.tfvars, edit.text, {mode: 0o600});
  const plan = await makePlan(component, module, files, io);
  const problems = planProblems(plan, plannedValues(set));
  if (problems.length > 0) {
    throw new DeployError(`the plan cannot be approved: ${problems.join('; ')}`, {
      means: 'The environment was not touched.',
      final: true,
    });
  }

  const {changes: planned, notes} = readChanges(plan, {allowChanges: component.allowChanges});
  const changes = planned.length > 0 ? planned : await fileChanges(component, edit, io);
  const named = versionIn(edit.before, component.set, io.version);
  const between = await inBetween(component, io);
  const image = await imageFor(component, target, io, prepared);
  const downgrade: readonly Flag[] = target.is === 'release' && isDowngrade(named, version) ? ['downgrade'] : [];
  const unusual: readonly Flag[] = [...downgrade, ...(image?.overwrote ? (['overwrite-tag'] as const) : [])];
  const payload: TerraformPayload = {
    directory,
    workspace: component.workspace,
    varFile,
    varFileSha256: edit.sha256,
    edit: edit.sha256 === edit.file.after ? null : edit.file,
    planFile: files.plan,
    planSha256: sha256(await readFile(files.plan)),
    applyVarFile: (await hasEphemeral(directory)) ? files.tfvars : null,
    sources: await noteSources(moduleFolders(directory, plan.configuration?.root_module), files.manifest, io.records),
    terraform: plan.terraform_version,
    state,
    account: await accountNow(io),
    addresses: planned.map(({id}) => id),
    image: image && {reference: image.reference, digest: image.digest ?? null},
    verify: component.verify ? answering(component.verify, io.version, version, limitOf(component, io)) : null,
    back: target.is === 'state',
  };
  const past = io.lastDowntimes;
  const identity = {
    terraform: planIdentity(plan),
    workspace: component.workspace,
    // Where the checkout stands is no part of what is done.
    edit: payload.edit && {...payload.edit, path: component.tfvars},
  };
  const source = image && (await sourceOf(component, image, io, prepared));
  return {
    component: component.id,
    kind: component.kind,
    // What the file says is there, unless an earlier change of it did not come to its end.
    ...(named !== undefined && between === undefined && {from: named}),
    to: version,
    changes: withForecast(changes, past).map((change, index) =>
      index === 0 ? {...change, flags: [...change.flags, ...unusual]} : change,
    ),
    notes: [
      ...Object.entries(set).flatMap(([name, value]) => {
        const [before, after] = [edit.before[name], shownSetting(value)].map(one =>
          one === undefined ? one : shownSetting(one),
        );
        return before === after ? [] : [`${component.tfvars}: ${name} = ${before ?? '(not set)'} → ${after}`];
      }),
      ...(between ? [`what is there is in between: the release of ${between.version} did not come to its end`] : []),
      ...(image
        ? [`image ${image.reference} ${image.digest === undefined ? '(digest known after build)' : shortDigest(image.digest)}`]
        : []),
      ...forecastNotes(changes, past, {probed: component.verify !== undefined, limit: limitOf(component, io)}),
      ...notes,
      ...(target.is === 'state' ? await filesAfterwards(component, io) : []),
      ...opened,
      ...(terraform.dropped.length === 0 ? [] : [`not passed to Terraform: ${terraform.dropped.join(', ')}`]),
    ],
    fingerprint: fingerprint({...identity, image: image?.digest ?? null}),
    ...(source && {unbuilt: {...source, fingerprint: fingerprint({...identity, image: source})}}),
    payload,
  };
}

/** The values of then. What was not set then would stay as it is now. */
function valuesThen(component: TerraformConfig, {version, state: {set}}: StateTarget<TerraformState>): TfvarsSettings {
  const unset = Object.keys(component.set).filter(name => !Object.hasOwn(set, name));
  if (unset.length === 0) return set;
  throw new DeployError(
    `${component.tfvars} did not set ${unset.join(', ')} when ${version} was there: there is no value to go back to`,
    {
      means: 'The environment was left as it is.',
      next: [`Take ${unset.join(', ')} out of ${component.tfvars} by hand, or release another version.`],
      final: true,
    },
  );
}

/** Where a plan and what belongs to it are kept: aside, for us alone, and only as long as the run may go on. */
interface PlanFiles {
  readonly plan: string;
  /** The edited copy of the tfvars file. */
  readonly tfvars: string;
  readonly manifest: string;
}

function filesOf({id}: Named<TerraformConfig>, {is}: Target<TerraformState>, varFile: string, scratch: string): PlanFiles {
  // The way back is planned while the plan of the way there may still be looked at.
  const name = path.join(scratch, is === 'state' ? `${id}-back` : id);
  return {
    plan: `${name}.tfplan`,
    tfvars: `${name}.tfvars${varFile.endsWith('.json') ? '.json' : ''}`,
    manifest: `${name}.sources.json`,
  };
}

async function makePlan(component: TerraformConfig, module: RootModule, files: PlanFiles, io: Io): Promise<PlanJson> {
  const terraform = terraformOf(component, io);
  const said: string[] = [];
  await terraform.plan(
    module,
    {varFile: files.tfvars, out: files.plan, lock: !io.readOnly, lockTimeoutSeconds: component.lockTimeout / 1000},
    {
      onMessage: message => {
        if (message.type === 'refresh_start') io.progress({text: `looking at ${message.address}`});
        if (message.type === 'planned_change') io.progress({text: `${message.action} ${message.address}`});
        said.push(message.text);
      },
      signal: io.signal,
    },
  );
  const plan = await terraform.show(module, files.plan);
  // Before a word of it is written anywhere.
  for (const secret of collectSecrets(plan)) io.learnSecret(secret);
  said.forEach(io.log);
  return plan;
}

interface PlannedImage {
  readonly reference: string;
  /** Undefined before it is built. */
  readonly digest: string | undefined;
  /** This release has built it, or found it built from the same source. */
  readonly ours: boolean;
  readonly overwrote: boolean;
}

/** The image that the plan leads to. Nothing is built for a way back: what was there before has to be there still, unchanged. */
async function imageFor(
  component: TerraformConfig,
  target: Target<TerraformState>,
  io: Io,
  prepared: Results,
): Promise<PlannedImage | null> {
  const reference = referenceOf(component, target.version);
  if (reference === undefined) return null;
  const push = pushed.safeParse(prepared.get(steps.push)).data;
  const digest = push?.digest ?? (await pushedDigest(component, target.version, io));
  if (target.is === 'state') refuseOtherImage(reference, digest, target.state.digest);
  return {reference, digest, ours: push !== undefined, overwrote: push?.overwrote ?? false};
}

/**
 * An image that this release builds, by its tag and the commit that it is built on: what an approval can name before there is a
 * digest. Undefined for one that was there already, and where no commit says what is built.
 */
async function sourceOf(
  component: TerraformConfig,
  {reference, digest, ours}: PlannedImage,
  io: Io,
  prepared: Results,
): Promise<Omit<Unbuilt, 'fingerprint'> | undefined> {
  if (digest !== undefined && !ours) return undefined;
  const root = await io.git.root(pathsOf(component, io).context);
  if (root === undefined || component.source?.git.allowDirty) return undefined;
  // Of a run that goes on, an earlier process has made it.
  const bump = committed.safeParse(prepared.get(steps.commit)).data;
  const made = new Set([...io.madeCommits, ...(bump?.made ? [bump.commit] : [])]);
  let commit: string | undefined = (await io.git.head(root)).commit;
  while (commit !== undefined && made.has(commit)) commit = await io.git.parent(root, commit);
  return commit === undefined ? undefined : {image: reference, commit};
}

function refuseOtherImage(reference: string, now: string | undefined, then: string | null): void {
  if (now !== undefined && (then === null || now === then)) return;
  const found = now === undefined ? 'is not in the registry any more' : `is ${shortDigest(now)} in the registry now`;
  throw new DeployError(
    `${reference} ${found}${then === null ? '' : `, and was ${shortDigest(then)}`}: there is nothing to go back to`,
    {
      means: 'The environment was left as it is.',
      next: ['Push the image of then under its tag again, or release another version.'],
      final: true,
    },
  );
}

/** What answers once the plan is applied: the settings name the version that they were bound with. */
function answering(
  {http, expect, within}: NonNullable<TerraformConfig['verify']>,
  bound: string,
  version: string,
  limit: number | undefined,
): TerraformPayload['verify'] {
  return {http, within, expect: expect?.replaceAll(bound, version) ?? null, maxDowntime: limit ?? null};
}

/** How long it may be down: by its own settings and by the environment's policy, whichever is shorter. In milliseconds. */
function limitOf({verify}: TerraformConfig, {place}: Io): number | undefined {
  const limits = [verify?.maxDowntime, place.maxDowntime].filter(limit => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** What the repository holds after a way back: one file goes back, the others stay. */
async function filesAfterwards(component: TerraformConfig, io: Io): Promise<readonly string[]> {
  const source = component.source && (await statedVersion(component.source, io));
  const committed = component.source?.git.commit ? ' (committed)' : '';
  return [
    `afterwards ${component.tfvars} says what it said before${committed}${source === undefined ? '' : `; the source goes on saying ${source}`}`,
  ];
}

/**
 * What is left to do where Terraform has nothing to change: the file still says something else (no resource depends on it), or an
 * earlier attempt could not commit it.
 */
async function fileChanges(component: TerraformConfig, edit: EditedTfvars, io: Io): Promise<readonly Change[]> {
  const {path: file, before, after} = edit.file;
  const words = before === after ? ((await isUncommitted(component, file, io)) ? 'is committed' : undefined) : 'is edited';
  if (words === undefined) return [];
  const summary = `${component.tfvars} ${words}; Terraform itself has nothing to change`;
  return [{id: component.tfvars, risk: 'update', summary, details: [], flags: []}];
}

async function isUncommitted({source}: TerraformConfig, file: string, io: Io): Promise<boolean> {
  const root = source?.git.commit ? await io.git.root(file) : undefined;
  if (root === undefined) return false;
  const relative = path.relative(root, file);
  return !(await io.git.isIgnored(root, relative)) && (await io.git.status(root, [relative])).length > 0;
}
