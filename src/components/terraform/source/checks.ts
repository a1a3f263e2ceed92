/** What a component that is built from source requires before: builder, login, version files, work tree, tags, a remote to push to. */
import path from 'node:path';
import * as z from 'zod';
import type {Named} from '../../../release/contract.ts';
import {inOneLine, toTrouble} from '../../../release/errors.ts';
import type {Check, Claim} from '../../../release/model.ts';
import {isDowngrade} from '../../../release/version.ts';
import {parseImageName} from '../../../tools/registry.ts';
import {shortDigest} from '../../images.ts';
import type {Io} from '../../io.ts';
import {failed, passed, warned} from '../../verdict.ts';
import {editVersion} from '../../version-file.ts';
import {type Source, type TerraformConfig, pathsOf, referenceOf} from '../config.ts';
import {recordsInContext} from './context.ts';
import {withLogin} from './login.ts';
import {isIncreased, releasedInWords, releasedVersions} from './released.ts';
import {isThere, readVersionFiles, versionFileNames} from './version-files.ts';
import {uncommitted, uncommittedInWords, workTreeAt} from './work-tree.ts';

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
  const released = await releasedVersions(component, source, io);
  const words = releasedInWords(released);
  // An older version is deployed from its own image: what would be built now is today's source by an old name.
  if (now !== version && isDowngrade(released.deployed, version) && (await digestOf(source.build, version, io)) === undefined) {
    return failed(claim, `${version} is older than what is deployed, and there is no image of it (${words})`, {
      next: `Give a newer version; or check out the source of ${version} on a branch, and release it from there.`,
    });
  }
  if (isDowngrade(now, version) && !io.allows('downgrade', component.id)) {
    const found = `it says ${now}, which is newer than ${version}`;
    if (io.attended) return warned(claim, `${found}: the plan asks for the environment’s name`);
    return failed(claim, found, {
      next: `Give a newer version, or go back with --allow downgrade:${component.id}`,
    });
  }
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
  const tree = await workTreeAt(root, io);
  const {commit, branch} = tree;
  if (git.commit && branch === undefined)
    return failed(claim, 'HEAD is detached: there is no branch to commit on', {next: 'Check out a branch.'});
  if (git.commit && (await io.git.identity(root)) === undefined) {
    return failed(claim, 'git does not know who commits', {next: 'git config user.name "…" and git config user.email "…"'});
  }

  const {edited, others} = await uncommitted(component, component.source, version, tree, io);
  if (edited !== undefined)
    return failed(claim, `${edited} has changes that are not committed`, {next: `Commit or take them back: git diff ${edited}`});
  if (others.length === 0) return passed(claim, `${branch ?? 'HEAD'} at ${commit.slice(0, 12)}, clean`);
  const found = uncommittedInWords(others);
  if (git.allowDirty) return warned(claim, `${found}: the image’s revision label will end in -dirty`);
  return failed(claim, `${found}: an image built now would be of no commit`, {
    next: 'Commit, stash or ignore them; or allow it with `source.git.allowDirty: true` in the config file.',
  });
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
  const {tag} = component.source.git;
  try {
    const there = tag && (await io.git.remoteReferences(root, upstream.remote, [`refs/tags/${tag}`]))[0];
    if (there && there !== (await io.git.tagObject(root, tag))) {
      return failed(claim, `${upstream.remote} has a tag ${tag} already, which is not the one here`, {
        next: `Release another version, or take theirs: git fetch ${upstream.remote} tag ${tag}`,
      });
    }
    await io.git.push(root, upstream.remote, [{from: commit, to: upstream.reference}], 'rehearse');
  } catch (error) {
    const {what, next} = toTrouble(error);
    return failed(claim, what, {...(next && {next: inOneLine(next)})});
  }
  return passed(claim, `to ${upstream.reference.replace('refs/heads/', '')} of ${upstream.remote}, once the release is verified`);
}
