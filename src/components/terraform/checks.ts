/** What a Terraform component requires before, and what proves it after. */
import {access, readdir, realpath, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {Named} from '../../release/contract.ts';
import {toTrouble} from '../../release/errors.ts';
import {sha256} from '../../release/json.ts';
import type {Check, Claim} from '../../release/model.ts';
import {isDowngrade} from '../../release/version.ts';
import {readText} from '../../tools/files.ts';
import {parseImageName} from '../../tools/registry.ts';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import {editTfvars, parseTfvars} from '../tfvars.ts';
import {failed, passed, warned} from '../verdict.ts';
import {editVersion, findVersion} from '../version-file.ts';
import {type TerraformConfig, type TerraformPayload, pathsOf, referenceOf} from './config.ts';
import {readChanges} from './changes.ts';
import {openModule} from './planning.ts';

const subject = z.discriminatedUnion('is', [
  z.object({is: z.literal('terraform')}),
  z.object({is: z.literal('docker')}),
  z.object({is: z.literal('module')}),
  z.object({is: z.literal('version file'), version: z.string()}),
  z.object({is: z.literal('work tree'), version: z.string()}),
  z.object({is: z.literal('tag'), version: z.string()}),
  z.object({is: z.literal('git tag'), name: z.string(), reference: z.string(), version: z.string()}),
  z.object({is: z.literal('digest'), reference: z.string(), digest: z.string()}),
  z.object({is: z.literal('settled'), varFile: z.string(), addresses: z.array(z.string())}),
]);
type Subject = z.infer<typeof subject>;

export function terraformRequirements(component: Named<TerraformConfig>, version: string): readonly Claim[] {
  const {id, source} = component;
  const claims: readonly (readonly [id: string, text: string, subject: Subject, once?: 'once'])[] = [
    ['terraform', 'Terraform', {is: 'terraform'}],
    [`${id} module`, `${id}: Terraform module ${component.directory}`, {is: 'module'}],
    ...(source === undefined
      ? []
      : ([
          ['docker', 'Docker engine', {is: 'docker'}],
          [`${id} version file`, `${id}: version in ${source.version}`, {is: 'version file', version}, 'once'],
          [`${id} work tree`, `${id}: git`, {is: 'work tree', version}, 'once'],
          [`${id} tag`, `${id}: ${referenceOf(component, version)} in the registry`, {is: 'tag', version}, 'once'],
        ] as const)),
    ...(source?.git.tag === undefined
      ? []
      : ([
          [
            `${id} git tag`,
            `${id}: git tag ${source.git.tag}`,
            {is: 'git tag', name: source.git.tag, reference: referenceOf(component, version) ?? '', version},
            'once',
          ],
        ] as const)),
  ];
  return claims.map(([id, text, subject, once]) => ({id, text, subject, ...(once && {once: true})}));
}

export function terraformClaims(
  {id}: Named<TerraformConfig>,
  {image, varFile, addresses, workspace}: TerraformPayload,
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
  ];
}

/** The verdict on a claim of this file; undefined for any other claim. */
export function checkTerraform(component: Named<TerraformConfig>, claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = subject.safeParse(claim.subject);
  return data && verdict(component, claim, data, io);
}

async function verdict(component: Named<TerraformConfig>, claim: Claim, subject: Subject, io: Io): Promise<Check> {
  switch (subject.is) {
    case 'terraform':
      return passed(claim, await io.terraform.version());
    case 'docker': {
      const {client, server, buildkit} = await io.docker.version();
      return passed(claim, `client ${client}, engine ${server}${buildkit ? ', BuildKit' : ''}`);
    }
    case 'module':
      return checkModule(component, claim, io);
    case 'version file':
      return checkVersionFile(component, claim, subject.version, io);
    case 'work tree':
      return checkWorkTree(component, claim, subject.version, io);
    case 'git tag':
      return checkGitTag(claim, subject, io);
    case 'tag': {
      const reference = referenceOf(component, subject.version) ?? '';
      const digest = await io.registry.digest(parseImageName(reference), subject.version, io.signal);
      return digest === undefined
        ? passed(claim, 'the tag is free')
        : warned(claim, `there already (${shortDigest(digest)}): used if it is the same image, refused if not`);
    }
    case 'digest': {
      const name = parseImageName(subject.reference);
      const digest = await io.registry.digest(name, name.tag ?? 'latest', io.signal);
      if (digest === subject.digest) return passed(claim, shortDigest(digest));
      return failed(claim, digest === undefined ? 'the tag is gone' : `is ${digest} now, was ${subject.digest}`);
    }
    case 'settled':
      return checkSettled(component, claim, subject, io);
  }
}

async function checkModule(component: Named<TerraformConfig>, claim: Claim, io: Io): Promise<Check> {
  const {directory, varFile} = pathsOf(component, io);
  const files = await readdir(directory).catch(() => []);
  if (!files.some(file => /\.tf(?:\.json)?$/.test(file))) {
    return failed(claim, `there are no *.tf files in ${directory}`, {
      next: `Correct components.${component.id}.directory in the config file.`,
    });
  }
  const {text} = await readText(varFile);
  parseTfvars(text, varFile);
  editTfvars(text, varFile, component.set);
  // What is loaded after the tfvars file would win over what the release sets there.
  const winning = files.filter(file => /\.auto\.tfvars(?:\.json)?$/.test(file) && path.join(directory, file) !== varFile);
  for (const file of winning) {
    const {text: other} = await readText(path.join(directory, file));
    const set = Object.keys(component.set).filter(name => parseTfvars(other, file).has(name));
    if (set.length > 0) {
      return failed(claim, `${file} sets ${set.join(', ')} too: whoever runs terraform by hand gets that value`, {
        next: `Take ${set.join(', ')} out of ${file}.`,
      });
    }
  }
  await rehearse(component, text, io);
  return passed(claim, `workspace ${component.workspace}`);
}

/**
 * Plans once aside, without the lock and without asking providers what is there: what Terraform would refuse once the image is built
 * and pushed, it refuses now. Left out where nothing is initialised yet (providers would be fetched twice), and where the plan itself
 * comes next.
 */
async function rehearse(component: Named<TerraformConfig>, tfvars: string, io: Io): Promise<void> {
  const {directory, varFile} = pathsOf(component, io);
  if (io.readOnly || !(await io.terraform.isInitialised({directory}))) return;
  const module = await openModule(component, io);
  const out = path.join(await io.scratch(), `${component.id}-preflight.tfplan`);
  const copy = path.join(await io.scratch(), `${component.id}-preflight.tfvars${varFile.endsWith('.json') ? '.json' : ''}`);
  try {
    await writeFile(copy, editTfvars(tfvars, varFile, component.set), {mode: 0o600});
    await io.terraform.plan(
      module,
      {varFile: copy, out, lock: false, lockTimeoutSeconds: 0, refresh: false},
      {signal: io.signal},
    );
  } finally {
    await rm(out, {force: true});
    await rm(copy, {force: true});
  }
}

async function checkVersionFile(component: Named<TerraformConfig>, claim: Claim, version: string, io: Io): Promise<Check> {
  const {versionFile} = pathsOf(component, io);
  const {text} = await readText(versionFile);
  const {version: now} = findVersion({path: versionFile, text});
  editVersion({path: versionFile, text}, version);
  if (isDowngrade(now, version) && !io.allows('downgrade', component.id)) {
    const found = `it says ${now}, which is newer than ${version}`;
    if (io.attended) return warned(claim, `${found}: the plan asks for the environment’s name`);
    return failed(claim, found, {
      next: `Give a newer version, or go back with --allow downgrade:${component.id}`,
    });
  }
  return passed(claim, now === version ? `says ${version} already` : `${now} → ${version}`);
}

async function checkWorkTree(component: Named<TerraformConfig>, claim: Claim, version: string, io: Io): Promise<Check> {
  const {context, versionFile, varFile} = pathsOf(component, io);
  const commits = component.source?.git.commit ?? false;
  const root = await io.git.root(context);
  if (root === undefined) {
    return commits
      ? failed(claim, `${context} is not in a git repository`, {
          next: 'Set `source.git.commit: false` in the config file, or put it under git.',
        })
      : warned(claim, 'no git repository: the image will not say which commit it was built from');
  }
  const {commit, branch} = await io.git.head(root);
  if (commits && branch === undefined)
    return failed(claim, 'HEAD is detached: there is no branch to commit on', {next: 'Check out a branch.'});
  if (commits && (await io.git.identity(root)) === undefined) {
    return failed(claim, 'git does not know who commits', {next: 'git config user.name "…" and git config user.email "…"'});
  }
  const changed = (await io.git.status(root)).map(({path}) => path);
  const ours = [
    {
      file: path.relative(root, await realpath(versionFile).catch(() => versionFile)),
      edit: (text: string) => editVersion({path: versionFile, text}, version),
    },
    {
      file: path.relative(root, await realpath(varFile).catch(() => varFile)),
      edit: (text: string) => editTfvars(text, varFile, component.set),
    },
  ].filter(({file}) => changed.includes(file));
  for (const {file, edit} of ours) {
    // An earlier attempt at the same release may have left its own edit behind: it is committed with this one.
    const before = await io.git.contentAt(root, commit, file);
    const now = await readText(path.join(root, file));
    if (before === undefined || edit(before) !== now.text) {
      return failed(claim, `${file} has changes that are not committed`, {next: `Commit or take them back: git diff ${file}`});
    }
  }
  const left = ours.map(({file}) => file);
  const others = changed.filter(file => !left.includes(file));
  if (others.length > 0)
    return warned(
      claim,
      `${others.length} other files are not committed (${others.slice(0, 3).join(', ')}): the image’s revision label will end in -dirty`,
    );
  return passed(claim, `${branch ?? 'HEAD'} at ${commit.slice(0, 12)}, clean`);
}

/** A git tag that is there belongs to a release that was made: then its image is there too. */
async function checkGitTag(claim: Claim, {name, reference, version}: Extract<Subject, {is: 'git tag'}>, io: Io): Promise<Check> {
  const root = await io.git.root(io.folder);
  const commit = root === undefined ? undefined : await io.git.tagCommit(root, name);
  if (commit === undefined) return passed(claim, 'is free');
  const at = `is there already, at ${commit.slice(0, 12)}`;
  const digest = await io.registry.digest(parseImageName(reference), version, io.signal);
  return digest === undefined
    ? failed(claim, `${at}, and there is no image of it`, {
        next: `Release another version, or delete the tag: git tag --delete ${name}`,
      })
    : passed(claim, `${at}, and so is its image`);
}

/** Plans once more, without a lock and aside: nothing may be left to do where the release worked. */
async function checkSettled(
  component: Named<TerraformConfig>,
  claim: Claim,
  {varFile, addresses}: Extract<Subject, {is: 'settled'}>,
  io: Io,
): Promise<Check> {
  const module = await openModule(component, io);
  const out = path.join(await io.scratch(), `${component.id}-settled-${sha256(varFile).slice(0, 8)}.tfplan`);
  const readable = await access(varFile).then(
    () => true,
    () => false,
  );
  if (!readable) return failed(claim, `${varFile} is gone`);
  try {
    await io.terraform.plan(module, {varFile, out, lock: false, lockTimeoutSeconds: 0}, {signal: io.signal});
    const plan = await io.terraform.show(module, out);
    const {changes} = readChanges(plan);
    const left = changes.filter(({id}) => addresses.length === 0 || addresses.includes(id));
    const elsewhere = changes.length - left.length;
    if (left.length > 0) return failed(claim, left.map(({summary}) => summary).join('; '));
    return passed(claim, elsewhere === 0 ? 'no changes' : `no changes where it was released (${elsewhere} elsewhere)`);
  } catch (error) {
    const {what, next} = toTrouble(error);
    return failed(claim, `it cannot be planned: ${what}`, {...(next && {next: next.join(' ')})});
  }
}
