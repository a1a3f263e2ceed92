/** Bump, commit, build, push: the steps before a plan. They touch the repository and the registry only. */
import {realpath} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import {type Step, step} from '../../release/contract.ts';
import {DeployError, RefusedError} from '../../release/errors.ts';
import {fingerprint, sha256} from '../../release/json.ts';
import {applyEdit, readText, revertEdit} from '../../tools/files.ts';
import {parseImageName} from '../../tools/registry.ts';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import {editVersion, findVersion} from '../version-file.ts';
import {type Source, type TerraformConfig, pathsOf} from './config.ts';

export const steps = {bump: 'bump', commit: 'commit', build: 'build', push: 'push'} as const;

export function prepareSteps(component: TerraformConfig, source: Source, version: string): readonly Step<Io>[] {
  return [
    bumpStep(component, source, version),
    ...(source.git.commit
      ? [
          commitStep({
            id: steps.commit,
            phase: 'bump',
            file: io => pathsOf(component, io).versionFile,
            message: `Bump version to ${version}`,
          }),
        ]
      : []),
    buildStep(component, source, version),
    pushStep(source, version),
  ];
}

// ── bump ─────────────────────────────────────────────────────────────────────────────────────────────

const bumpRequest = z.object({path: z.string(), from: z.string(), to: z.string(), before: z.string(), after: z.string()});

function bumpStep(component: TerraformConfig, source: Source, version: string): Step<Io> {
  return step({
    id: steps.bump,
    phase: 'bump',
    title: `set the version in ${source.version} to ${version}`,
    requestSchema: bumpRequest,
    resultSchema: z.object({from: z.string(), to: z.string()}),
    request: async (io: Io) => {
      const file = pathsOf(component, io).versionFile;
      const {text, sha256: before} = await readText(file);
      const after = sha256(editVersion({path: file, text}, version));
      return {path: file, from: findVersion({path: file, text}).version, to: version, before, after};
    },
    perform: async (_io, {path: file, from, to, before, after}) => {
      const {text} = await readText(file);
      await applyEdit({path: file, before, after, text: editVersion({path: file, text}, to)});
      return {from, to};
    },
    settle: async (_io, {path: file, from, to, before, after}) => {
      const {sha256: now} = await readText(file);
      if (now === after) return {done: {from, to}};
      return now === before ? 'absent' : 'unknown';
    },
    undo: async (_io, {path: file, from, before, after}) => {
      const {text} = await readText(file);
      const original = editVersion({path: file, text}, from);
      if (sha256(text) === before) return;
      if (sha256(original) !== before || !(await revertEdit({path: file, before, after, text}, original))) {
        throw new DeployError(`${file} was changed by somebody else in the meantime`, {means: 'It was left as it is.'});
      }
    },
    tell: ({from, to}) => (from === to ? `${source.version} says ${to} already` : `${source.version}: ${from} → ${to}`),
  });
}

// ── commit ───────────────────────────────────────────────────────────────────────────────────────────

const commitRequest = z.object({
  root: z.string(),
  file: z.string(),
  message: z.string(),
  /** HEAD before. */
  parent: z.string(),
  /** False where there is nothing to commit. */
  needed: z.boolean(),
});

export const committed = z.object({commit: z.string(), made: z.boolean()});

/** Commits one file as it is in the work tree, if it differs from HEAD. */
export function commitStep(what: {
  readonly id: string;
  readonly phase: 'bump' | 'apply';
  readonly file: (io: Io) => string;
  readonly message: string;
}): Step<Io> {
  return step({
    id: what.id,
    phase: what.phase,
    title: `commit it: ${what.message}`,
    requestSchema: commitRequest,
    resultSchema: committed,
    request: async io => {
      // An edit follows a link; so does what is committed.
      const absolute = await realpath(what.file(io));
      const root = await repositoryOf(io, absolute);
      const file = path.relative(root, absolute);
      const needed = !(await io.git.isIgnored(root, file)) && (await io.git.status(root, [file])).length > 0;
      return {root, file, message: what.message, parent: (await io.git.head(root)).commit, needed};
    },
    perform: async (io, {root, file, message, parent, needed}) =>
      needed ? {commit: await io.git.commit(root, [file], message), made: true} : {commit: parent, made: false},
    settle: async (io, {root, file, parent, needed}) => {
      if (!needed) return {done: {commit: parent, made: false}};
      const {commit} = await io.git.head(root);
      if (commit === parent) return 'absent';
      const ours = (await io.git.parent(root, commit)) === parent && (await io.git.status(root, [file])).length === 0;
      return ours ? {done: {commit, made: true}} : 'unknown';
    },
    undo: async (io, {root, file}, {commit, made}) => {
      if (made && !(await io.git.uncommit(root, commit, [file]))) {
        throw new DeployError(`commit ${commit.slice(0, 12)} is not the newest any more, or was pushed`, {
          means: 'It was left as it is.',
        });
      }
    },
    tell: ({commit, made}) => (made ? `committed as ${commit.slice(0, 12)} (not pushed)` : 'nothing to commit'),
  });
}

async function repositoryOf(io: Io, file: string): Promise<string> {
  const root = await io.git.root(path.dirname(file));
  if (root !== undefined) return root;
  throw new DeployError(`${file} is not in a git repository`, {
    next: ['Set `source.git.commit: false` in the config file, or put it under git.'],
  });
}

// ── build ────────────────────────────────────────────────────────────────────────────────────────────

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

function buildStep(component: TerraformConfig, source: Source, version: string): Step<Io> {
  const {build} = source;
  const reference = `${build.image}:${version}`;
  return step({
    id: steps.build,
    phase: 'build',
    title: `docker build -t ${reference}`,
    requestSchema: buildRequest,
    resultSchema: built,
    request: async io => {
      const {context} = pathsOf(component, io);
      const root = (await io.git.root(context)) ?? null;
      const head = root === null ? null : await io.git.head(root);
      const dirty = root === null || (await io.git.status(root)).length > 0;
      const url = root === null ? undefined : await io.git.remoteUrl(root);
      const created =
        root !== null && head !== null && !dirty
          ? await io.git.commitTime(root, head.commit)
          : new Date(io.clock.now()).toISOString();
      const labels = {
        [label.version]: version,
        ...(head && {[label.revision]: dirty ? `${head.commit}-dirty` : head.commit}),
        ...(url && {[label.source]: url}),
        // Of the commit, not of the clock: the same source makes the same image.
        [label.created]: created,
        [label.settings]: fingerprint([build.dockerfile, build.args, build.platform, build.target]).slice(0, 16),
      };
      return {context, reference, labels, revision: dirty ? null : (head?.commit ?? null), root};
    },
    perform: async (io, request) => {
      const there = await sameImage(io, request);
      if (there !== undefined) {
        io.log(`${reference} is there already, built from the same source.`);
        return {id: there, reused: true};
      }
      const {id} = await io.docker.build(
        {
          context: request.context,
          reference,
          labels: request.labels,
          ...(build.dockerfile && {dockerfile: build.dockerfile}),
          ...(build.args && {buildArgs: build.args}),
          ...(build.platform && {platform: build.platform}),
          ...(build.target && {target: build.target}),
        },
        {onLine: io.log, onStep: (done, total, text) => io.progress({text, done, total, unit: 'steps'}), signal: io.signal},
      );
      return {id, reused: false};
    },
    // Building once more does no harm: what is there from the same source is used, the rest is built.
    settle: async () => 'absent',
    tell: ({id, reused}) => `${reference} ${reused ? 'reused' : 'built'}, ${shortDigest(id)}`,
  });
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

// ── push ─────────────────────────────────────────────────────────────────────────────────────────────

const pushRequest = z.object({reference: z.string(), id: z.string()});
export const pushed = z.object({
  digest: z.string(),
  pushed: z.boolean(),
  /** The tag named another image before. */
  overwrote: z.boolean().default(false),
});

function pushStep(source: Source, version: string): Step<Io> {
  const reference = `${source.build.image}:${version}`;
  return step({
    id: steps.push,
    phase: 'push',
    title: `docker push ${reference}`,
    requestSchema: pushRequest,
    resultSchema: pushed,
    request: async (_io: Io, results) => ({reference, id: built.parse(results.get(steps.build)).id}),
    perform: async (io, {id}) => {
      const name = parseImageName(reference);
      const before = await io.registry.digest(name, version);
      if (before !== undefined) {
        if (await isPushed(io, reference, version, id)) return {digest: before, pushed: false, overwrote: false};
        if (!io.allows('overwrite-tag', io.component)) throw overwrites(reference, before);
      }
      const said = await io.docker.push(reference, {
        onLine: io.log,
        onProgress: (done, total, text) => io.progress({text, done, total, unit: 'layers'}),
        signal: io.signal,
      });
      const digest = await io.registry.digest(name, version);
      if (digest === undefined)
        throw new DeployError(`${reference} was pushed, and the registry does not have it`, {
          means: 'The environment was not touched.',
        });
      if (said.digest !== undefined && said.digest !== digest) {
        throw new DeployError(
          `${reference} is ${digest} in the registry, and ${said.digest} was pushed: somebody else pushed the same tag`,
          {
            means: 'The environment was not touched.',
            final: true,
          },
        );
      }
      return {digest, pushed: true, overwrote: before !== undefined};
    },
    settle: async (io, {id}) => {
      const digest = await io.registry.digest(parseImageName(reference), version);
      return digest !== undefined && (await isPushed(io, reference, version, id))
        ? {done: {digest, pushed: true, overwrote: false}}
        : 'absent';
    },
    tell: ({digest, pushed}) => `${reference} ${pushed ? 'pushed' : 'was there already'}, ${shortDigest(digest)}`,
  });
}

function overwrites(reference: string, digest: string): DeployError {
  return new RefusedError(`${reference} is in the registry already, as another image (${shortDigest(digest)})`, {
    means: 'Nothing was pushed. Whoever runs that tag goes on running what it was.',
    next: ['Release another version, or overwrite the tag with --allow overwrite-tag.'],
    final: true,
  });
}

/** Whether the registry's tag is the local image: by what docker remembers of a push, or by the configuration that both name. */
async function isPushed(io: Io, reference: string, tag: string, id: string): Promise<boolean> {
  const name = parseImageName(reference);
  const digest = await io.registry.digest(name, tag);
  const local = await io.docker.inspect(reference);
  if (digest === undefined || local === undefined || local.id !== id) return false;
  return (
    digest === id ||
    local.repoDigests.some(known => known.endsWith(`@${digest}`)) ||
    (await io.registry.imageId(name, tag)) === id
  );
}
