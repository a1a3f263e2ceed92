/** Commits what a step has edited: these files alone, with the operator's identity, hooks and signing. */
import {realpath} from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import {type Results, type Step, step} from '../../../release/contract.ts';
import {DeployError} from '../../../release/errors.ts';
import type {Head} from '../../../tools/git.ts';
import type {Io} from '../../io.ts';

const commitRequest = z.object({
  root: z.string(),
  /** Relative to the root; those that differ from HEAD. None: nothing to commit. */
  files: z.array(z.string()),
  message: z.string(),
  /** HEAD before. */
  parent: z.string(),
});

export const committed = z.object({
  commit: z.string(),
  made: z.boolean(),
  /** Nobody is there to push it by hand, and it is not pushed: it lives where this runs, and nowhere else. */
  alone: z.boolean().default(false),
});

interface CommitOf {
  readonly id: string;
  readonly phase: 'bump' | 'apply';
  readonly files: (io: Io) => Promise<readonly string[]>;
  /** A folder of the repository. */
  readonly folder: (io: Io) => string;
  /** The files, as a person names them from there. */
  readonly names: readonly string[];
  readonly message: string;
  /** Whether it is pushed once the release is verified. */
  readonly push: boolean;
  /** The step that committed before it: this one goes on top of that. */
  readonly onTopOf?: string;
}

/** Of what is pushed at the end. */
export const pushedLater = 'pushed once the release is verified';

/** Commits one file as it is in the work tree, if it differs from HEAD. */
export function commitStep(what: Omit<CommitOf, 'files' | 'folder' | 'names'> & {readonly file: string}): Step<Io> {
  const {file, ...rest} = what;
  return commitFilesStep({...rest, files: async () => [file], folder: () => path.dirname(file), names: [path.basename(file)]});
}

/** Commits files as they are in the work tree, those of them that differ from HEAD. */
export function commitFilesStep(what: CommitOf): Step<Io> {
  return step({
    id: what.id,
    phase: what.phase,
    title: `commit it: ${what.message}`,
    requestSchema: commitRequest,
    resultSchema: committed,
    request: async (io, results) => {
      // An edit follows a link; so does what is committed.
      const all = await Promise.all((await what.files(io)).map(file => realpath(file)));
      const root = await repositoryOf(io, all);
      const head = await io.git.head(root);
      if (what.onTopOf !== undefined) await refuseSwitched(io, root, head, results, what.onTopOf);
      const names = all.map(file => path.relative(root, file));
      const tracked = await Promise.all(names.map(async name => ((await io.git.isIgnored(root, name)) ? [] : [name])));
      const changed = new Set((await io.git.status(root, names)).map(({path: name}) => name));
      const files = tracked.flat().filter(name => changed.has(name));
      return {root, files, message: what.message, parent: head.commit};
    },
    perform: async (io, {root, files, message, parent}) => {
      if (files.length === 0) return {commit: parent, made: false, alone: false};
      const commit = await io.git.commit(root, files, message);
      io.madeCommits.add(commit);
      return {commit, made: true, alone: isAlone(what, io)};
    },
    settle: async (io, {root, files, parent}) => {
      if (files.length === 0) return {done: {commit: parent, made: false, alone: false}};
      const {commit} = await io.git.head(root);
      if (commit === parent) return 'absent';
      const ours = (await io.git.parent(root, commit)) === parent && (await io.git.status(root, files)).length === 0;
      return ours ? {done: {commit, made: true, alone: isAlone(what, io)}} : 'unknown';
    },
    undo: async (io, {root, files}, {commit, made}) => {
      if (made && !(await io.git.uncommit(root, commit, files))) {
        throw new DeployError(`commit ${commit.slice(0, 12)} is not the newest any more, or was pushed`, {
          means: 'It was left as it is.',
        });
      }
    },
    tell: ({commit, made, alone}) => {
      if (!made) return 'nothing to commit';
      const pushed = what.push ? pushedLater : 'not pushed';
      return `committed as ${commit.slice(0, 12)} (${pushed}${alone ? ': it lives in this checkout alone' : ''})`;
    },
    byHand: io => ({commands: [['git', '-C', what.folder(io), 'commit', '--message', what.message, '--', ...what.names]]}),
  });
}

const isAlone = ({push}: CommitOf, io: Io): boolean => !push && !io.attended;

/**
 * Throws where the commit of an earlier step is not in what is checked out any more: a release does not commit or push what is none of
 * it.
 */
export async function refuseSwitched(io: Io, root: string, head: Head, results: Results, step: string): Promise<void> {
  const {data: before} = committed.safeParse(results.get(step));
  if (before === undefined || (await io.git.isIn(root, before.commit, head.commit))) return;
  const commit = before.commit.slice(0, 12);
  throw new DeployError(
    `${head.branch ?? 'HEAD'} does not have the commit ${commit} of this release: another branch was checked out meanwhile, or it was taken back`,
    {means: 'Nothing was committed there.', next: [`Check out the branch that has it: \`git branch --contains ${commit}\``]},
  );
}

async function repositoryOf(io: Io, files: readonly string[]): Promise<string> {
  const roots = await Promise.all(files.map(async file => ({file, root: await io.git.root(path.dirname(file))})));
  const outside = roots.find(({root}) => root === undefined);
  const root = roots[0]?.root;
  if (outside !== undefined || root === undefined) {
    throw new DeployError(`${outside?.file ?? 'what was edited'} is not in a git repository`, {
      next: ['Set `source.git.commit: false` in the config file, or put it under git.'],
    });
  }
  const elsewhere = roots.find(other => other.root !== root);
  if (elsewhere === undefined) return root;
  throw new DeployError(`${elsewhere.file} is in another git repository than ${roots[0]?.file}: one commit cannot hold both`, {
    next: ['Set `source.git.commit: false` in the config file, and commit them by hand.'],
  });
}
