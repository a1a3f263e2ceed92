/** The git command line client: what a release asks of a repository, and the few things it changes there. */
import {stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {DeployError} from '../release/errors.ts';
import {exec, TimeoutError, type Environment, type ExecResult} from './exec.ts';
import {withoutRepository} from './git/environment.ts';
import {failure} from './git/errors.ts';
import {createRemotes, type Remotes} from './git/remotes.ts';

/** Paths are relative to the root of the work tree, and meant literally: no globs, no `:(magic)`. Commits are full hashes. */
export interface Git extends Remotes {
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
  /** Whether a commit is in the history of another one, or is that one. */
  isIn(root: string, commit: string, history: string): Promise<boolean>;
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
  /** The names of all tags. */
  tags(root: string): Promise<readonly string[]>;
  /** The same, each with the time at which it was made (a lightweight one: its commit). ISO 8601. */
  tagTimes(root: string): Promise<readonly {readonly name: string; readonly at: string}[]>;
  /** The object that a tag is: of its own for an annotated one. Undefined when there is no such tag. */
  tagObject(root: string, name: string): Promise<string | undefined>;
  /** Where the branch's remote (else `origin`) is, without user and password; undefined without one. */
  remoteUrl(root: string): Promise<string | undefined>;
  /** Who a commit would be by; undefined when git does not know, and would refuse to commit. */
  identity(root: string): Promise<{name: string; email: string} | undefined>;
  isIgnored(root: string, path: string): Promise<boolean>;
}

export interface Head {
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

/** Milliseconds. A hook, a signing program or a password prompt that nobody answers would wait for ever otherwise. */
export interface GitLimits {
  readonly read: number;
  /** Hooks may run tests. */
  readonly write: number;
  readonly remote: number;
}
const usualLimits: GitLimits = {read: 60_000, write: 600_000, remote: 120_000};

export function createGit(options: {env: Environment; limits?: GitLimits}): Git {
  const {limits = usualLimits} = options;
  const userEnv = withoutRepository(options.env);
  // For what is read here: in English, without optional locks (a status would write the index), without prompts.
  const readEnv = {...userEnv, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0'};
  // For commits and tags: hooks run with the user's own language.
  const writeEnv = {...userEnv, GIT_TERMINAL_PROMPT: '0'};

  /** One git process; any exit code. */
  async function ask(root: string, args: readonly string[]): Promise<ExecResult> {
    return exec('git', args, {cwd: root, env: readEnv, timeoutMs: limits.read});
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
    const more = {cwd: root, env: writeEnv, timeoutMs: limits.write, ...(input !== undefined && {input})};
    const result = await exec('git', args, more).catch((error: unknown) => {
      if (error instanceof TimeoutError)
        error.also('A hook or the signing program waits for somebody: try the same with git itself.');
      throw error;
    });
    if (result.exitCode !== 0) throw failure(args, result);
  }

  /** One git process that talks to a remote, in English: what it says is read here. */
  async function talk(root: string, args: readonly string[]): Promise<ExecResult> {
    // ssh asks on the terminal, whatever git is told: then it asks a program that has no answer.
    const mute = userEnv['SSH_ASKPASS'] === undefined && {SSH_ASKPASS: 'false', SSH_ASKPASS_REQUIRE: 'force'};
    return exec('git', args, {cwd: root, env: {...writeEnv, ...mute, LC_ALL: 'C'}, timeoutMs: limits.remote});
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

  async function findRoot(folder: string): Promise<string | undefined> {
    const args = ['rev-parse', '--show-toplevel'];
    const result = await ask(folder, args);
    if (result.exitCode === 0) return result.stdout.replace(/\n$/, '');
    if (/not a git repository|must be run in a work tree/.test(result.stderr)) return undefined;
    throw failure(args, result);
  }

  /** By folder: where a work tree was found it stays. Where there is none, somebody may make one. */
  const roots = new Map<string, string>();

  const git: Git = {
    async root(path) {
      const isFile = await stat(path).then(
        found => !found.isDirectory(),
        () => false,
      );
      const folder = isFile ? dirname(path) : path;
      const root = roots.get(folder) ?? (await findRoot(folder));
      if (root !== undefined) roots.set(folder, root);
      return root;
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

    async isIn(root, commit, history) {
      if (commit === history) return true;
      const args = ['merge-base', '--is-ancestor', commit, history];
      const result = await ask(root, args);
      if (result.exitCode > 1) throw failure(args, result);
      return result.exitCode === 0;
    },

    async contentAt(root, commit, path) {
      const {exitCode, stdout} = await ask(root, ['cat-file', 'blob', `${commit}:${path}`]);
      return exitCode === 0 ? stdout : undefined;
    },

    async commitTime(root, commit) {
      const args = ['-c', 'log.showSignature=false', 'show', '--no-patch', '--format=%ct', `${commit}^{commit}`, '--'];
      const result = await ask(root, args);
      if (/bad revision/.test(result.stderr)) throw new DeployError(`The git repository ${root} has no commit ${commit}.`);
      if (result.exitCode !== 0) throw failure(args, result);
      return new Date(Number(result.stdout) * 1000).toISOString();
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

    tagObject: (root, name) => resolve(root, `refs/tags/${name}`),

    async tags(root) {
      const names = await read(root, ['for-each-ref', '--format=%(refname:strip=2)', 'refs/tags']);
      return names.split('\n').filter(name => name !== '');
    },

    async tagTimes(root) {
      const lines = await read(root, ['for-each-ref', '--format=%(creatordate:unix) %(refname:strip=2)', 'refs/tags']);
      return lines.split('\n').flatMap(line => {
        const [, seconds, name] = /^(\d+) (.+)$/.exec(line) ?? [];
        return name === undefined ? [] : [{name, at: new Date(Number(seconds) * 1000).toISOString()}];
      });
    },

    ...createRemotes({read, talk}),

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
