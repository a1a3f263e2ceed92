/** The Terraform plan of a component: made with an edited copy of the tfvars file, so that planning changes nothing. */
import {createHash} from 'node:crypto';
import {readFile, readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Change, ComponentPlan, Flag} from '../../release/model.ts';
import type {Named, Results} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import {fingerprint, sha256} from '../../release/json.ts';
import {isDowngrade} from '../../release/version.ts';
import {readText} from '../../tools/files.ts';
import {parseImageName} from '../../tools/registry.ts';
import type {RootModule} from '../../tools/terraform/terraform.ts';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import {editTfvars, parseTfvars} from '../tfvars.ts';
import {collectSecrets, planIdentity, planProblems, readChanges} from './changes.ts';
import {type TerraformConfig, type TerraformPayload, type TfvarsEdit, pathsOf, referenceOf} from './config.ts';
import {pushed, steps} from './source.ts';

export async function planTerraform(
  component: Named<TerraformConfig>,
  version: string,
  set: Readonly<Record<string, string>>,
  io: Io,
  prepared: Results,
): Promise<ComponentPlan<TerraformPayload>> {
  const {directory, varFile} = pathsOf(component, io);
  const scratch = await io.scratch();
  const edit = await editOf(varFile, set);
  const copy = path.join(scratch, `${component.id}.tfvars${varFile.endsWith('.json') ? '.json' : ''}`);
  await writeFile(copy, edit.text, {mode: 0o600});

  const module = await openModule(component, io);
  const planFile = path.join(scratch, `${component.id}.tfplan`);
  const said: string[] = [];
  await io.terraform.plan(
    module,
    {varFile: copy, out: planFile, lock: !io.readOnly, lockTimeoutSeconds: component.lockTimeout / 1000},
    {
      onMessage: message => {
        if (message.type === 'refresh_start' || message.type === 'planned_change') io.progress({text: message.text});
        said.push(message.text);
      },
      signal: io.signal,
    },
  );
  const plan = await io.terraform.show(module, planFile);
  // Before a word of it is written anywhere.
  for (const secret of collectSecrets(plan)) io.learnSecret(secret);
  said.forEach(io.log);
  const problems = planProblems(plan, set);
  if (problems.length > 0) {
    throw new DeployError(`the plan cannot be approved: ${problems.join('; ')}`, {
      means: 'The environment was not touched.',
      final: true,
    });
  }

  const {changes: planned, notes} = readChanges(plan, {allowChanges: component.allowChanges});
  const changes = planned.length > 0 ? planned : await fileChanges(component, edit, io);
  const from = versionIn(edit.before, set, io.version);
  const downgrade: readonly Flag[] = isDowngrade(from, version) ? ['downgrade'] : [];
  const reference = referenceOf(component, version);
  const push = pushed.safeParse(prepared.get(steps.push)).data;
  const unusual: readonly Flag[] = [...downgrade, ...(push?.overwrote ? (['overwrite-tag'] as const) : [])];
  const digest = push?.digest ?? (await pushedDigest(component, version, io));
  const payload: TerraformPayload = {
    directory,
    workspace: component.workspace,
    varFile,
    edit: edit.sha256 === edit.file.after ? null : edit.file,
    planFile,
    planSha256: sha256(await readFile(planFile)),
    sources: await hashSources(directory, io.records),
    terraform: await io.terraform.version(),
    addresses: planned.map(({id}) => id),
    image: reference === undefined ? null : {reference, digest: digest ?? null},
  };
  return {
    component: component.id,
    kind: component.kind,
    ...(from !== undefined && {from}),
    to: version,
    changes: changes.map((change, index) => (index === 0 ? {...change, flags: [...change.flags, ...unusual]} : change)),
    notes: [
      ...Object.entries(set).flatMap(([name, value]) => {
        const before = edit.before[name];
        return before === value ? [] : [`${component.tfvars}: ${name} = ${before ?? '(not set)'} → ${value}`];
      }),
      ...(reference === undefined
        ? []
        : [`image ${reference} ${digest === undefined ? '(digest known after build)' : shortDigest(digest)}`]),
      ...notes,
      ...(io.terraform.dropped.length === 0 ? [] : [`not passed to Terraform: ${io.terraform.dropped.join(', ')}`]),
    ],
    fingerprint: fingerprint({
      terraform: planIdentity(plan),
      workspace: component.workspace,
      edit: payload.edit,
      image: digest ?? null,
    }),
    payload,
  };
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

/** The digest that the registry holds for a version; undefined where the tag is not there, or nothing is built. */
export async function pushedDigest(component: TerraformConfig, version: string, io: Io): Promise<string | undefined> {
  const reference = referenceOf(component, version);
  return reference === undefined ? undefined : io.registry.digest(parseImageName(reference), version, io.signal);
}

/** The module, ready to plan: initialised where it was not, in the workspace that the config names. */
export async function openModule(component: TerraformConfig, io: Io): Promise<RootModule> {
  const {directory} = pathsOf(component, io);
  const plain: RootModule = {directory};
  let module = plain;
  if (!(await io.terraform.isInitialised(plain))) {
    // Whoever only looks leaves the directory as it is.
    module = io.readOnly
      ? {directory, dataDir: path.join(await io.scratch(), 'terraform-data', sha256(directory).slice(0, 12))}
      : plain;
    io.log(`terraform init in ${directory}: it was not initialised${io.readOnly ? ' (in a folder aside)' : ''}`);
    await io.terraform.init(module, {}, {onLine: io.log, signal: io.signal});
  }
  const workspaces = await io.terraform.workspaces(module);
  if (!workspaces.includes(component.workspace)) {
    throw new DeployError(`there is no workspace ${component.workspace} in ${directory} (there are: ${workspaces.join(', ')})`, {
      means: 'The environment was not touched.',
      next: ['Correct `workspace:` in the config file, or make it: terraform workspace new'],
      final: true,
    });
  }
  // Named for every process of ours, whatever somebody selects in another window.
  return {...module, workspace: component.workspace};
}

interface EditedTfvars {
  readonly text: string;
  /** Of the file as it is. */
  readonly sha256: string;
  readonly file: TfvarsEdit;
  /** What the set variables are now; without those that are not plain strings. */
  readonly before: Readonly<Record<string, string>>;
}

async function editOf(varFile: string, set: Readonly<Record<string, string>>): Promise<EditedTfvars> {
  const {text, sha256: before} = await readText(varFile);
  const edited = editTfvars(text, varFile, set);
  return {
    text: edited,
    sha256: before,
    file: {path: varFile, before, after: sha256(edited), set},
    before: currentValues(text, varFile, set),
  };
}

/** What the variables that a release sets are now. */
export function currentValues(
  text: string,
  varFile: string,
  set: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const now = parseTfvars(text, varFile);
  return Object.fromEntries(
    Object.keys(set).flatMap(name => {
      const value = now.get(name);
      const shown = value?.string ?? value?.raw;
      return shown === undefined ? [] : [[name, shown] as const];
    }),
  );
}

/**
 * The version that the variables name now: `set` says which of them hold the version `bound`, and what
 * stands around it (`v0.7.2`, `repository:0.7.2`).
 */
export function versionIn(
  now: Readonly<Record<string, string>>,
  set: Readonly<Record<string, string>>,
  bound: string,
): string | undefined {
  for (const [name, value] of Object.entries(set)) {
    const at = value.indexOf(bound);
    const current = now[name];
    if (at === -1 || current === undefined) continue;
    const [before, after] = [value.slice(0, at), value.slice(at + bound.length)];
    if (current.startsWith(before) && current.endsWith(after) && current.length > before.length + after.length) {
      return current.slice(before.length, current.length - after.length);
    }
  }
  return undefined;
}

/** What Terraform itself changes; variable files, whose values are in the plan; and what no module is made of. */
const unwatched =
  /^(?:\.terraform|terraform\.tfstate\.d|.*\.tfstate(?:\..*)?|\.terraform\.tfstate\.lock\.info|.*\.tfvars(?:\.json)?|\.git|node_modules)$/;

/** One hash over every file of the module's folder but `aside` (the records): what was planned is what was there. */
export async function hashSources(directory: string, aside: string): Promise<string> {
  const hash = createHash('sha256');
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, {withFileTypes: true});
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = path.join(folder, entry.name);
      if (unwatched.test(entry.name) || file === aside) continue;
      if (entry.isDirectory()) await walk(file);
      else if (entry.isFile())
        hash
          .update(`${path.relative(directory, file)}\0`)
          .update(await readFile(file))
          .update('\0');
    }
  };
  await walk(directory);
  return hash.digest('hex');
}
