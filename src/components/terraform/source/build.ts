/** The image: built with labels that say what it is, or found ready, built from the same source in the same way. */
import path from 'node:path';
import * as z from 'zod';
import {type Step, step} from '../../../release/contract.ts';
import {DeployError} from '../../../release/errors.ts';
import {fingerprint} from '../../../release/hash.ts';
import {readText} from '../../../tools/files.ts';
import type {BuildSecret} from '../../../tools/docker.ts';
import {shortDigest} from '../../images.ts';
import type {Io} from '../../io.ts';
import {type Source, type TerraformConfig, pathsOf} from '../config.ts';
import {loginAside} from './login.ts';
import {type WorkTree, uncommitted, uncommittedInWords, workTreeAt} from './work-tree.ts';

export const revisionLabel = 'org.opencontainers.image.revision';

const label = {
  version: 'org.opencontainers.image.version',
  revision: revisionLabel,
  source: 'org.opencontainers.image.source',
  created: 'org.opencontainers.image.created',
  /** Hash of the settings that the image was built with: the same commit built otherwise is another image. */
  settings: 'deploy-wizard.build-settings',
} as const;

const buildRequest = z.object({
  context: z.string(),
  reference: z.string(),
  labels: z.record(z.string(), z.string()),
  /** The commit that the context is, byte for byte; null outside of git or with changes that no commit has. */
  revision: z.string().nullable(),
  root: z.string().nullable(),
});

export const built = z.object({id: z.string(), reused: z.boolean()});

export function buildStep(id: string, component: TerraformConfig, source: Source, version: string): Step<Io> {
  const {build} = source;
  const reference = `${build.image}:${version}`;
  return step({
    id,
    phase: 'build',
    title: `docker build -t ${reference}`,
    requestSchema: buildRequest,
    resultSchema: built,
    request: async io => {
      const {context} = pathsOf(component, io);
      const root = (await io.git.root(context)) ?? null;
      const tree = root === null ? null : await workTreeAt(root, io);
      const dirty = tree === null || tree.changes.length > 0;
      if (tree !== null && source.git.commit && !source.git.allowDirty)
        await refuseStrangers(component, source, version, tree, io);
      const url = root === null ? undefined : await io.git.remoteUrl(root);
      const created = dirty ? new Date(io.clock.now()).toISOString() : await io.git.commitTime(tree.root, tree.commit);
      const labels = {
        [label.version]: version,
        ...(tree && {[label.revision]: dirty ? `${tree.commit}-dirty` : tree.commit}),
        ...(url && {[label.source]: url}),
        // Of the commit, not of the clock: the same source makes the same image.
        [label.created]: created,
        [label.settings]: settingsOf(source),
      };
      return {context, reference, labels, revision: dirty ? null : tree.commit, root};
    },
    perform: async (io, request) => {
      const there = await sameImage(io, request);
      if (there !== undefined) {
        io.log(`${reference} is there already, built from the same source.`);
        return {id: there, reused: true};
      }
      const {id: printed} = await io.docker.build(
        {
          context: request.context,
          scratch: await io.scratch(),
          reference,
          labels: request.labels,
          ...(build.dockerfile && {dockerfile: build.dockerfile}),
          ...(build.args && {buildArgs: build.args}),
          ...(build.platform && {platform: build.platform}),
          ...(build.target && {target: build.target}),
          ...(build.secrets && {secrets: await secretsOf(build.secrets, io)}),
        },
        {onLine: io.log, onStep: (done, total, text) => io.progress({text, done, total, unit: 'steps'}), signal: io.signal},
        // What it is built on may be where it is pushed to.
        await loginAside(io, reference),
      );
      // With containerd's image store the engine calls it otherwise than the build does.
      return {id: (await io.docker.inspect(reference))?.id ?? printed, reused: false};
    },
    // Building once more does no harm: what is there from the same source is used, the rest is built.
    settle: async () => 'absent',
    tell: ({id, reused}) => `${reference} ${reused ? 'reused' : 'built'}, ${shortDigest(id)}`,
    byHand: io => {
      const {context} = pathsOf(component, io);
      const options = [
        ...(build.dockerfile === undefined ? [] : ['--file', path.resolve(context, build.dockerfile)]),
        ...Object.entries(build.args ?? {}).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
        ...(build.platform === undefined ? [] : ['--platform', build.platform]),
        ...(build.target === undefined ? [] : ['--target', build.target]),
        ...Object.entries(build.secrets ?? {}).flatMap(([name, secret]) => [
          '--secret',
          'env' in secret ? `id=${name},env=${secret.env}` : `id=${name},src=${path.resolve(io.folder, secret.file)}`,
        ]),
      ];
      return {commands: [['docker', 'build', '--tag', reference, ...options, context]]};
    },
  });
}

/** Looked at once more: a hook of the commit, or somebody at work, may have changed files since the release began. */
async function refuseStrangers(
  component: TerraformConfig,
  source: Source,
  version: string,
  tree: WorkTree,
  io: Io,
): Promise<void> {
  const {edited, others} = await uncommitted(component, source, version, tree, io);
  const strangers = [...(edited === undefined ? [] : [edited]), ...others];
  if (strangers.length === 0) return;
  throw new DeployError(`${uncommittedInWords(strangers)} since the release began: an image built now would be of no commit`, {
    means: 'Nothing was built.',
    next: ['Commit, stash or ignore them, and run the release again.'],
  });
}

/** Of secrets only where they come from: what they hold must not be guessed from a label. */
function settingsOf({build: {dockerfile, args, platform, target, secrets}}: Source): string {
  return fingerprint([dockerfile, args, platform, target, secrets]).slice(0, 16);
}

/** Where docker finds them; what they hold is learnt first, for a build may print it. */
async function secretsOf(
  secrets: NonNullable<Source['build']['secrets']>,
  io: Io,
): Promise<Readonly<Record<string, BuildSecret>>> {
  const found = Object.entries(secrets).map(async ([id, secret]) => {
    if ('env' in secret) {
      io.learnSecret(io.env[secret.env] ?? '');
      return [id, secret] as const;
    }
    const file = path.resolve(io.folder, secret.file);
    io.learnSecret((await readText(file)).text);
    return [id, {file}] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** The id of a local image that was built from the same source in the same way; undefined where there is none. */
async function sameImage(io: Io, {reference, labels, revision, root}: z.infer<typeof buildRequest>): Promise<string | undefined> {
  if (revision === null || root === null) return undefined;
  const there = await io.docker.inspect(reference);
  const before = there?.labels[label.revision];
  if (there === undefined || before === undefined || there.labels[label.settings] !== labels[label.settings]) return undefined;
  // A release that was refused took its commit back; the same files committed again are the same source.
  const same = before === revision || (await io.git.treeOf(root, before)) === (await io.git.treeOf(root, revision));
  return same ? there.id : undefined;
}
