/** The git command line client: what a release asks of a repository, and the few things it changes there. */
import {stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {DeployError} from '../release/errors.ts';
import {CommandError, exec, type Environment, type ExecResult} from './exec.ts';

/** Paths are relative to the root of the work tree, and meant literally: no globs, no `:(magic)`. Commits are full hashes. */
export interface Git {
  /** Root of the work tree that holds `path` (a file or folder); undefined outside of one. */
  root(path: string): Promise<string | undefined>;
  /** `branch` is undefined for a detached HEAD. Throws DeployError in a repository without commits. */
  head(root: string): Promise<Head>;
  /** What differs from HEAD: staged, unstaged, untracked; not ignored. A rename is a deletion and an addition. */
  status(root: string, paths?: readonly string[]): Promise<readonly Change[]>;
  /**
   * Commits these paths as they are in the work tree, with the user's identity, hooks and signing. What else was staged stays
   * staged and out of the commit. Answers the commit. Throws DeployError or CommandError when there is nothing to commit, no
   * branch to commit on, or git or a hook refuses; the index is then as before.
   */
  commit(root: string, paths: readonly string[], message: string): Promise<string>;
  /**
   * Takes a commit back that nobody else has: HEAD, if it is exactly that commit and no remote-tracking branch has it, moves to its
   * parent, and so do the index entries of `paths`. The work tree is left alone. False when it is not ours any more.
   */
  uncommit(root: string, commit: string, paths: readonly string[]): Promise<boolean>;
  /** The tree of a commit; undefined when the repository does not have that commit. */
  treeOf(root: string, commit: string): Promise<string | undefined>;
  /** The first parent; undefined for a first commit, or one that the repository does not have. */
  parent(root: string, commit: string): Promise<string | undefined>;
  /** What a file was in a commit; undefined where the commit does not have it. */
  contentAt(root: string, commit: string, path: string): Promise<string | undefined>;
  /** When it was committed: ISO 8601, UTC. Throws DeployError for a commit that is not there. */
  commitTime(root: string, commit: string): Promise<string>;
  /** Makes an annotated tag, signed if the user's configuration says so. Throws DeployError when there is one of that name. */
  tag(root: string, name: string, commit: string, message: string): Promise<void>;
  /** The commit that a tag points to; undefined when there is no such tag. */
  tagCommit(root: string, name: string): Promise<string | undefined>;
  /** Deletes a tag that still points to that commit; false when it does not. */
  deleteTag(root: string, name: string, commit: string): Promise<boolean>;
  /** Where the branch's remote (else `origin`) is, without user and password; undefined without one. */
  remoteUrl(root: string): Promise<string | undefined>;
  /** Who a commit would be by; undefined when git does not know, and would refuse to commit. */
  identity(root: string): Promise<{name: string; email: string} | undefined>;
  isIgnored(root: string, path: string): Promise<boolean>;
}

interface Head {
  readonly commit: string;
  readonly tree: string;
  /** `main`, without `refs/heads/`. */
  readonly branch: string | undefined;
}

interface Change {
  readonly path: string;
  /** Two letters as `git status --short` has them: index, work tree. `??` is untracked. */
  readonly state: string;
}

export function createGit(options: {env: Environment}): Git {
  const userEnv = withoutRepository(options.env);
  // For what is read here: in English, without optional locks (a status would write the index), without prompts.
  const readEnv = {...userEnv, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0'};
  // For commits and tags: hooks run with the user's own language.
  const writeEnv = {...userEnv, GIT_TERMINAL_PROMPT: '0'};

  /** One git process; any exit code. */
  async function ask(root: string, args: readonly string[]): Promise<ExecResult> {
    return exec('git', args, {cwd: root, env: readEnv});
  }

  /** One git process that must succeed. Answers its output without the last line feed. */
  async function read(root: string, args: readonly string[]): Promise<string> {
    const result = await ask(root, args);
    if (result.exitCode !== 0) throw failure(args, result);
    if (result.truncated) throw new DeployError(`\`git ${args[0]}\` in ${root} says more than fits in memory.`);
    return result.stdout.replace(/\n$/, '');
  }

  /** As `read`, for what changes something. */
  async function write(root: string, args: readonly string[], input?: string): Promise<void> {
    const result = await exec('git', args, {cwd: root, env: writeEnv, ...(input !== undefined && {input})});
    if (result.exitCode !== 0) throw failure(args, result);
  }

  /** The object that a name stands for; undefined when there is none. */
  async function resolve(root: string, name: string): Promise<string | undefined> {
    // Not --end-of-options, which finds nothing before git 2.30.
    if (name.startsWith('-')) return undefined;
    const args = ['rev-parse', '--verify', '--quiet', name];
    const result = await ask(root, args);
    if (result.exitCode === 1) return undefined;
    if (result.exitCode !== 0) throw failure(args, result);
    return result.stdout.trim();
  }

  /** As `update-ref` has it: only if the reference is at `from`. False when it is not. */
  async function moveReference(root: string, args: readonly string[]): Promise<boolean> {
    const command = ['update-ref', ...args];
    const result = await ask(root, command);
    if (result.exitCode === 0) return true;
    if (/but expected|unable to resolve reference|reference is missing/.test(result.stderr)) return false;
    throw failure(command, result);
  }

  const git: Git = {
    async root(path) {
      const isFile = await stat(path).then(
        found => !found.isDirectory(),
        () => false,
      );
      const args = ['rev-parse', '--show-toplevel'];
      const result = await ask(isFile ? dirname(path) : path, args);
      if (result.exitCode === 0) return result.stdout.replace(/\n$/, '');
      if (/not a git repository|must be run in a work tree/.test(result.stderr)) return undefined;
      throw failure(args, result);
    },

    async head(root) {
      const args = ['rev-parse', 'HEAD', 'HEAD^{tree}', '--symbolic-full-name', 'HEAD'];
      const result = await ask(root, args);
      if (/ambiguous argument 'HEAD'/.test(result.stderr)) {
        throw new DeployError(`The git repository ${root} has no commits yet.`, {next: ['Make a first commit: `git commit`']});
      }
      if (result.exitCode !== 0) throw failure(args, result);
      const [commit = '', tree = '', reference = ''] = result.stdout.split('\n');
      return {commit, tree, branch: reference.startsWith('refs/heads/') ? reference.slice('refs/heads/'.length) : undefined};
    },

    async status(root, paths = []) {
      const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames', '--', ...paths.map(literal)];
      const entries = (await read(root, args)).split('\0').filter(entry => entry !== '');
      return entries.map(entry => ({state: entry.slice(0, 2), path: entry.slice(3)}));
    },

    async commit(root, paths, message) {
      // `git commit --only` without paths would commit what is staged.
      if (paths.length === 0) throw new Error('A commit needs paths.');
      const {branch} = await git.head(root);
      if (branch === undefined) {
        throw new DeployError(`No branch is checked out in ${root}: a commit there would belong to none.`, {
          next: [
            'Check one out: `git switch <branch>`',
            'Or leave the commit to somebody else: `git: {commit: false}` in the config file.',
          ],
        });
      }
      const changes = await git.status(root, paths);
      if (changes.length === 0) throw new DeployError(`There is nothing to commit in ${paths.join(', ')}.`);

      const untracked = changes.filter(change => change.state === '??').map(change => change.path);
      const forget = async () =>
        untracked.length === 0 ? undefined : write(root, ['reset', '--quiet', '--', ...untracked.map(literal)]);
      // `--only` takes paths that git knows. So far it learns their names, and no content.
      if (untracked.length > 0) await write(root, ['add', '--intent-to-add', '--', ...untracked.map(literal)]);
      try {
        await write(root, ['commit', '--cleanup=whitespace', '--file=-', '--only', '--', ...paths.map(literal)], message);
      } catch (error) {
        await forget();
        throw error;
      }
      return (await git.head(root)).commit;
    },

    async uncommit(root, commit, paths) {
      const parent = await git.parent(root, commit);
      if (parent === undefined || (await resolve(root, 'HEAD')) !== commit) return false;
      const published = await read(root, ['for-each-ref', '--count=1', `--contains=${commit}`, 'refs/remotes']);
      if (published !== '') return false;
      // Compares and moves in one: a commit that somebody makes at this moment is safe.
      if (!(await moveReference(root, ['-m', `deploy-wizard: took ${commit.slice(0, 12)} back`, 'HEAD', parent, commit])))
        return false;
      if (paths.length > 0) await write(root, ['reset', '--quiet', '--', ...paths.map(literal)]);
      return true;
    },

    treeOf: (root, commit) => resolve(root, `${commit}^{tree}`),

    parent: (root, commit) => resolve(root, `${commit}^1`),

    async contentAt(root, commit, path) {
      const {exitCode, stdout} = await ask(root, ['cat-file', 'blob', `${commit}:${path}`]);
      return exitCode === 0 ? stdout : undefined;
    },

    async commitTime(root, commit) {
      const found = await resolve(root, `${commit}^{commit}`);
      if (found === undefined) throw new DeployError(`The git repository ${root} has no commit ${commit}.`);
      const seconds = await read(root, ['-c', 'log.showSignature=false', 'show', '--no-patch', '--format=%ct', found]);
      return new Date(Number(seconds) * 1000).toISOString();
    },

    async tag(root, name, commit, message) {
      const before = await git.tagCommit(root, name);
      if (before !== undefined) {
        throw new DeployError(`There is a tag ${name} already, at ${before.slice(0, 12)}.`, {
          next: [`If it is wrong, delete it: \`git tag --delete ${name}\``],
        });
      }
      await write(root, ['tag', '--annotate', '--cleanup=whitespace', '--file=-', '--', name, commit], message);
    },

    tagCommit: (root, name) => resolve(root, `refs/tags/${name}^{commit}`),

    async deleteTag(root, name, commit) {
      const reference = `refs/tags/${name}`;
      const tag = await resolve(root, reference);
      if (tag === undefined || (await resolve(root, `${tag}^{commit}`)) !== commit) return false;
      return moveReference(root, ['-d', reference, tag]);
    },

    async remoteUrl(root) {
      // Answers the name itself where there is no such remote.
      const {exitCode, stdout} = await ask(root, ['ls-remote', '--get-url']);
      const url = stdout.trim();
      if (exitCode !== 0 || url === '' || url === 'origin' || url === '.') return undefined;
      // CI services put a token there.
      return url.replace(/^(https?:\/\/)[^/]*@/, '$1');
    },

    async identity(root) {
      const {exitCode, stdout} = await ask(root, ['var', 'GIT_COMMITTER_IDENT']);
      const [, name, email] = /^(.*) <(.*)> \d+ [+-]\d{4}\n?$/.exec(stdout) ?? [];
      return exitCode === 0 && name !== undefined && email !== undefined ? {name, email} : undefined;
    },

    async isIgnored(root, path) {
      // check-ignore knows no literal paths; `./` keeps it from seeing magic.
      const args = ['check-ignore', '--quiet', '--', `./${path}`];
      const result = await ask(root, args);
      if (result.exitCode > 1) throw failure(args, result);
      return result.exitCode === 0;
    },
  };
  return git;
}

/** A path that is nothing but a path. The option --literal-pathspecs would be handed on to hooks, and break the globs in them. */
function literal(path: string): string {
  return `:(literal)${path}`;
}

/**
 * What git hands to its hooks and aliases to tell which repository they are about (`git rev-parse --local-env-vars`), and what
 * changes the meaning of paths. Started from a hook, we would otherwise work on that repository's index. Configuration from the
 * environment (GIT_CONFIG_COUNT…) is the user's, and stays.
 */
const repositoryVariables: ReadonlySet<string> = new Set([
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_DIR',
  'GIT_GLOB_PATHSPECS',
  'GIT_GRAFT_FILE',
  'GIT_ICASE_PATHSPECS',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_INTERNAL_SUPER_PREFIX',
  'GIT_LITERAL_PATHSPECS',
  'GIT_NAMESPACE',
  'GIT_NOGLOB_PATHSPECS',
  'GIT_NO_REPLACE_OBJECTS',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_QUARANTINE_PATH',
  'GIT_REPLACE_REF_BASE',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
]);

function withoutRepository(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !repositoryVariables.has(name)));
}

function failure(args: readonly string[], result: ExecResult): DeployError {
  const error = new CommandError('git', args, result);
  const known = problems.find(({said}) => said.test(result.stderr));
  return known ? new DeployError(error.message, {next: known.next, cause: error}) : error;
}

const problems: readonly {said: RegExp; next: readonly string[]}[] = [
  {
    said: /detected dubious ownership/,
    next: ['The repository belongs to another user. If you trust it: `git config --global --add safe.directory <its path>`'],
  },
  {said: /index\.lock': File exists/, next: ['Another git process is at work there. When none is, remove the lock file.']},
  {
    said: /Please tell me who you are|unable to auto-detect email address|empty ident name/,
    next: ['Tell git who you are: `git config --global user.name "…"` and `git config --global user.email "…"`'],
  },
  {
    said: /cannot do a partial commit during a/,
    next: ['Finish the merge, cherry-pick or rebase that is under way, or abort it.'],
  },
  {
    said: /failed to sign the data|gpg failed|error: Load key/,
    next: ['Check the signing key: `git config --get user.signingKey`, and its agent.'],
  },
];
