/** What a component that is built from source requires before: builder, login, version files, work tree, tags, a remote to push to. */
import {realpath} from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import type {Named} from '../../../release/contract.ts';
import {toTrouble} from '../../../release/errors.ts';
import type {Check, Claim} from '../../../release/model.ts';
import {isDowngrade} from '../../../release/version.ts';
import {readText} from '../../../tools/files.ts';
import {parseImageName} from '../../../tools/registry.ts';
import {shortDigest} from '../../images.ts';
import type {Io} from '../../io.ts';
import {editTfvars} from '../../tfvars.ts';
import {failed, passed, warned} from '../../verdict.ts';
import {editVersion} from '../../version-file.ts';
import {type Source, type TerraformConfig, pathsOf, referenceOf} from '../config.ts';
import {recordsInContext} from './context.ts';
import {withLogin} from './login.ts';
import {isIncreased, releasedInWords, releasedVersions} from './released.ts';
import {isThere, readVersionFiles, versionFileNames} from './version-files.ts';

const subject = z.discriminatedUnion('is', [
  z.object({is: z.literal('builder')}),
  z.object({is: z.literal('registry'), version: z.string()}),
  z.object({is: z.literal('version files'), version: z.string()}),
  z.object({is: z.literal('source tree'), version: z.string()}),
  z.object({is: z.literal('image tag'), version: z.string()}),
  z.object({is: z.literal('release tag'), name: z.string(), version: z.string()}),
  z.object({is: z.literal('remote')}),
]);
type Subject = z.infer<typeof subject>;

export function sourceRequirements(component: Named<TerraformConfig>, version: string): readonly Claim[] {
  const {id, source} = component;
  if (source === undefined) return [];
  const {git, build} = source;
  const {registry} = parseImageName(build.image);
  const claims: readonly (readonly [id: string, text: string, subject: Subject, once?: 'once'])[] = [
    [
      build.secrets ? `${id} builder` : 'docker',
      build.secrets ? `${id}: Docker engine with BuildKit` : 'Docker engine',
      {is: 'builder'},
    ],
    [`${id} registry`, `${id}: login at ${registry}`, {is: 'registry', version}],
    [`${id} version file`, `${id}: version in ${versionFileNames(source)}`, {is: 'version files', version}, 'once'],
    [`${id} work tree`, `${id}: git`, {is: 'source tree', version}, 'once'],
    [`${id} tag`, `${id}: ${referenceOf(component, version)} in the registry`, {is: 'image tag', version}, 'once'],
    ...(git.tag === undefined
      ? []
      : ([[`${id} git tag`, `${id}: git tag ${git.tag}`, {is: 'release tag', name: git.tag, version}, 'once']] as const)),
    ...(git.push ? ([[`${id} git push`, `${id}: git push`, {is: 'remote'}, 'once']] as const) : []),
  ];
  return claims.map(([id, text, subject, once]) => ({id, text, subject, ...(once && {once: true})}));
}

/** The verdict on a claim of this file; undefined for any other claim. */
export function checkSource(component: Named<TerraformConfig>, claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = subject.safeParse(claim.subject);
  const {source} = component;
  return data && source && verdict({...component, source}, claim, data, io);
}

type Built = Named<TerraformConfig> & {readonly source: Source};

function verdict(component: Built, claim: Claim, subject: Subject, io: Io): Promise<Check> {
  switch (subject.is) {
    case 'builder':
      return checkBuilder(component, claim, io);
    case 'registry':
      return checkLogin(component, claim, subject.version, io);
    case 'version files':
      return checkVersionFiles(component, claim, subject.version, io);
    case 'source tree':
      return checkWorkTree(component, claim, subject.version, io);
    case 'image tag':
      return checkImageTag(component, claim, subject.version, io);
    case 'release tag':
      return checkGitTag(component, claim, subject, io);
    case 'remote':
      return checkRemote(component, claim, io);
  }
}

async function checkBuilder({source: {build}}: Built, claim: Claim, io: Io): Promise<Check> {
  const {client, server, buildkit} = await io.docker.version();
  const found = `client ${client}, engine ${server}${buildkit ? ', BuildKit' : ''}`;
  if (build.secrets === undefined) return passed(claim, found);
  if (!buildkit) {
    return failed(claim, `${found}: the legacy builder knows no secrets`, {
      next: 'Install the buildx plug-in (https://docs.docker.com/go/buildx/), and do not set DOCKER_BUILDKIT=0.',
    });
  }
  for (const [id, secret] of Object.entries(build.secrets)) {
    const there = 'env' in secret ? io.env[secret.env] : (await isThere(path.resolve(io.folder, secret.file))) || undefined;
    const where = 'env' in secret ? `the environment variable ${secret.env}` : `the file ${secret.file}`;
    if (there === undefined) return failed(claim, `there is no ${where.replace(/^the /, '')}, which holds the secret ${id}`);
  }
  return passed(claim, found);
}

/** Asks the registry something harmless: then whoever has to log in does it before anything is built. */
async function checkLogin({source: {build}}: Built, claim: Claim, version: string, io: Io): Promise<Check> {
  const name = parseImageName(build.image);
  const named = (await io.image(build.image, version)).uri;
  if (parseImageName(named).registry !== name.registry) {
    return failed(
      claim,
      `docker would push ${build.image} to ${name.registry}, and not to the registry of that name in the config`,
      {
        next: `Write the whole name: image: ${named.slice(0, -version.length - 1)}`,
      },
    );
  }
  await digestOf(build, version, io);
  const known = await io.registry.credentials(name.registry);
  if (known !== undefined) return passed(claim, known.aside ? `as ${known.username}` : 'as docker is logged in');
  // It lets anybody look; whether it lets anybody push shows when it is pushed to.
  if (name.registry !== 'docker.io') return passed(claim, 'it lets anybody look: no login was needed so far');
  return warned(claim, 'docker is not logged in there, and it lets nobody push without');
}

const digestOf = (build: Source['build'], version: string, io: Io): Promise<string | undefined> => {
  const name = parseImageName(build.image);
  return withLogin(io, name.registry, build.login, () => io.registry.digest(name, version, io.signal));
};

async function checkVersionFiles(component: Built, claim: Claim, version: string, io: Io): Promise<Check> {
  const {source} = component;
  const files = await readVersionFiles(source, io);
  for (const file of files) editVersion(file, version);
  const now = files[0]?.version ?? version;
  if (isDowngrade(now, version) && !io.allows('downgrade', component.id)) {
    const found = `it says ${now}, which is newer than ${version}`;
    if (io.attended) return warned(claim, `${found}: the plan asks for the environment’s name`);
    return failed(claim, found, {
      next: `Give a newer version, or go back with --allow downgrade:${component.id}`,
    });
  }
  const released = await releasedVersions(component, source, io);
  const words = releasedInWords(released);
  const increased = isIncreased(now, released);
  if (now === version)
    return passed(claim, `says ${version} already${increased ? ', increased before and kept' : ''} (${words})`);
  if (!increased) return passed(claim, `${now} → ${version} (${words})`);
  return warned(claim, `${now} → ${version}, but ${now} was increased already and never released (${words})`, {
    next: `To keep it: --release ${now}`,
  });
}

async function checkWorkTree(component: Built, claim: Claim, version: string, io: Io): Promise<Check> {
  const {git} = component.source;
  const {context} = pathsOf(component, io);
  const records = await recordsInContext(component, component.source, io);
  if (records !== undefined) {
    return failed(
      claim,
      `the records (${records}) are in the build context: the image would hold them, and no build be the same`,
      {
        next: `Add ${records} to .dockerignore, or take \`store:\` out of the config file: by default records are elsewhere.`,
      },
    );
  }
  const root = await io.git.root(context);
  if (root === undefined) {
    return git.commit
      ? failed(claim, `${context} is not in a git repository`, {
          next: 'Set `source.git.commit: false` in the config file, or put it under git.',
        })
      : warned(claim, 'no git repository: the image will not say which commit it was built from');
  }
  const {commit, branch} = await io.git.head(root);
  if (git.commit && branch === undefined)
    return failed(claim, 'HEAD is detached: there is no branch to commit on', {next: 'Check out a branch.'});
  if (git.commit && (await io.git.identity(root)) === undefined) {
    return failed(claim, 'git does not know who commits', {next: 'git config user.name "…" and git config user.email "…"'});
  }

  const changed = (await io.git.status(root)).map(({path}) => path);
  const edits = await ownEdits(component, version, root, io);
  for (const [file, edit] of edits) {
    if (!changed.includes(file)) continue;
    // An earlier attempt at the same release may have left its own edit behind: it is committed with this one.
    const before = await io.git.contentAt(root, commit, file);
    const now = await readText(path.join(root, file));
    if (before === undefined || edit(before) !== now.text) {
      return failed(claim, `${file} has changes that are not committed`, {next: `Commit or take them back: git diff ${file}`});
    }
  }
  const others = changed.filter(file => !edits.has(file) && !isOurs(path.join(root, file), component, io));
  if (others.length === 0) return passed(claim, `${branch ?? 'HEAD'} at ${commit.slice(0, 12)}, clean`);
  const found = `${others.length === 1 ? 'a file is' : `${others.length} files are`} not committed (${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''})`;
  if (git.allowDirty) return warned(claim, `${found}: the image’s revision label will end in -dirty`);
  return failed(claim, `${found}: an image built now would be of no commit`, {
    next: 'Commit, stash or ignore them; or allow it with `source.git.allowDirty: true` in the config file.',
  });
}

/** What a release itself edits: by path from the root, what becomes of the text. */
async function ownEdits(
  component: Built,
  version: string,
  root: string,
  io: Io,
): Promise<ReadonlyMap<string, (text: string) => string>> {
  const {varFile} = pathsOf(component, io);
  const files = await readVersionFiles(component.source, io);
  const relative = async (file: string) => path.relative(root, await realpath(file).catch(() => file));
  return new Map<string, (text: string) => string>([
    ...(await Promise.all(
      files.map(async ({path: file, patterns}) => {
        const edit = (text: string) => editVersion({path: file, text, patterns}, version);
        return [await relative(file), edit] as const;
      }),
    )),
    [await relative(varFile), text => editTfvars(text, varFile, component.set)],
  ]);
}

/** What running the wizard leaves there itself: its records, and what `terraform init` locks. */
function isOurs(file: string, component: TerraformConfig, io: Io): boolean {
  const {directory} = pathsOf(component, io);
  return file === path.join(directory, '.terraform.lock.hcl') || !path.relative(io.records, file).startsWith('..');
}

async function checkImageTag({source: {build}}: Built, claim: Claim, version: string, io: Io): Promise<Check> {
  const digest = await digestOf(build, version, io);
  return digest === undefined
    ? passed(claim, 'the tag is free')
    : warned(claim, `there already (${shortDigest(digest)}): used if it is the same image, refused if not`);
}

/** A git tag that is there belongs to a release that was made: then its image is there too. */
async function checkGitTag(
  {source: {build}}: Built,
  claim: Claim,
  {name, version}: Extract<Subject, {is: 'release tag'}>,
  io: Io,
): Promise<Check> {
  const root = await io.git.root(io.folder);
  const commit = root === undefined ? undefined : await io.git.tagCommit(root, name);
  if (commit === undefined) return passed(claim, 'is free');
  const at = `is there already, at ${commit.slice(0, 12)}`;
  return (await digestOf(build, version, io)) === undefined
    ? failed(claim, `${at}, and there is no image of it`, {
        next: `Release another version, or delete the tag: git tag --delete ${name}`,
      })
    : passed(claim, `${at}, and so is its image`);
}

/** Rehearses the push of what is there now: a remote that has more, or takes nothing from us, shows before anything is done. */
async function checkRemote(component: Built, claim: Claim, io: Io): Promise<Check> {
  const root = await io.git.root(pathsOf(component, io).context);
  const {branch, commit} = root === undefined ? {branch: undefined, commit: ''} : await io.git.head(root);
  if (root === undefined || branch === undefined)
    return failed(claim, 'there is no branch to push', {next: 'Check out a branch.'});
  const upstream = await io.git.upstream(root, branch);
  if (upstream === undefined)
    return failed(claim, 'the repository has no remote', {next: 'Add one: git remote add origin <address>'});
  try {
    await io.git.push(root, upstream.remote, [{from: commit, to: upstream.reference}], 'rehearse');
  } catch (error) {
    const {what, next} = toTrouble(error);
    return failed(claim, what, {...(next && {next: next.join(' ')})});
  }
  return passed(claim, `to ${upstream.reference.replace('refs/heads/', '')} of ${upstream.remote}, once the release is verified`);
}
