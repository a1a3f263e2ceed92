/** On real repositories. Each story has its own, with a commit on `main` that holds VERSION and notes.txt. */
import {chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {DeployError, LostAnswerError} from '../../src/release/errors.ts';
import {execOk} from '../../src/tools/exec.ts';
import {createGit, type Git} from '../../src/tools/git.ts';

let folder: string;
let root: string;
let env: Record<string, string>;
let git: Git;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'dw-git-')));
  root = join(folder, 'repository');
  // Nothing of whoever runs the tests.
  env = {PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_NOSYSTEM: '1'};
  await writeFile(
    join(folder, '.gitconfig'),
    '[user]\n\tname = Olive Operator\n\temail = olive@example.org\n[init]\n\tdefaultBranch = main\n',
  );
  git = createGit({env});
  await mkdir(root);
  await run('init', '--quiet');
  await write('VERSION', '1.0.0\n');
  await write('notes.txt', 'first\n');
  await run('add', '.');
  await run('commit', '--quiet', '--message=First');
});
afterEach(() => rm(folder, {recursive: true, force: true}));

const run = async (...args: string[]) => (await execOk('git', args, {cwd: root, env})).stdout.trim();
const write = (path: string, text: string) => writeFile(join(root, path), text);
const installHook = async (name: string, script: string) => {
  const path = join(root, '.git', 'hooks', name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
};

describe('looking', () => {
  test('finds the work tree of a file, of a folder, and none where there is none', async () => {
    await mkdir(join(root, 'ci'));
    expect(await git.root(join(root, 'ci'))).toBe(root);
    expect(await git.root(join(root, 'VERSION'))).toBe(root);
    expect(await git.root(folder)).toBeUndefined();
    expect(await git.root(join(root, '.git'))).toBeUndefined();
  });

  test('finds a work tree that somebody makes where there was none', async () => {
    const beside = join(folder, 'beside');
    await mkdir(beside);
    expect(await git.root(beside)).toBeUndefined();
    await execOk('git', ['init', '--quiet'], {cwd: beside, env});
    expect(await git.root(beside)).toBe(beside);
  });

  test('says which commit, tree and branch are checked out', async () => {
    expect(await git.head(root)).toEqual({
      commit: await run('rev-parse', 'HEAD'),
      tree: await run('rev-parse', 'HEAD^{tree}'),
      branch: 'main',
    });
    await run('checkout', '--quiet', '-b', 'release/1.x');
    expect(await git.head(root)).toMatchObject({branch: 'release/1.x'});
    await run('checkout', '--quiet', '--detach');
    expect(await git.head(root)).toMatchObject({branch: undefined});
  });

  test('says that a repository has no commits yet', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await execOk('git', ['init', '--quiet'], {cwd: empty, env});
    await expect(git.head(empty)).rejects.toThrow(/has no commits yet/);
    await expect(git.commit(empty, ['VERSION'], 'Release')).rejects.toThrow(/has no commits yet/);
  });

  test('lists changes with the names that files really have', async () => {
    await write('VERSION', '1.1.0\n');
    await write('grün, "quoted"\nand two lines', '');
    await write('-n', '');
    await run('mv', 'notes.txt', 'news.txt');
    expect(await git.status(root)).toEqual([
      {state: ' M', path: 'VERSION'},
      {state: 'A ', path: 'news.txt'},
      {state: 'D ', path: 'notes.txt'},
      {state: '??', path: '-n'},
      {state: '??', path: 'grün, "quoted"\nand two lines'},
    ]);
    expect(await git.status(root, ['-n', 'VERSION'])).toHaveLength(2);
    expect(await git.status(root, ['*'])).toEqual([]);
  });

  test('knows trees, parents and times of commits, and what is none', async () => {
    const {commit, tree} = await git.head(root);
    expect(await git.treeOf(root, commit)).toBe(tree);
    expect(await git.parent(root, commit)).toBeUndefined();
    await run('commit', '--quiet', '--allow-empty', '--message=Second');
    const second = (await git.head(root)).commit;
    expect(await git.parent(root, second)).toBe(commit);
    expect([await git.isIn(root, commit, second), await git.isIn(root, second, commit)]).toEqual([true, false]);
    await expect(git.isIn(root, '0'.repeat(40), second)).rejects.toThrow('merge-base');
    expect(await git.treeOf(root, '0'.repeat(40))).toBeUndefined();
    expect(await git.treeOf(root, '--all')).toBeUndefined();
    await expect(git.commitTime(root, '0'.repeat(40))).rejects.toThrow(/has no commit 000/);

    const seconds = Number(await run('show', '--no-patch', '--format=%ct'));
    expect(await git.commitTime(root, 'HEAD')).toBe(new Date(seconds * 1000).toISOString());
  });

  test('tells where the repository comes from, but not the token in the address', async () => {
    expect(await git.remoteUrl(root)).toBeUndefined();
    await run('remote', 'add', 'origin', 'https://x-access-token:ghs_secret@github.com/chop-dbhi/x.git');
    expect(await git.remoteUrl(root)).toBe('https://github.com/chop-dbhi/x.git');
    await run('remote', 'set-url', 'origin', 'git@github.com:chop-dbhi/x.git');
    expect(await git.remoteUrl(root)).toBe('git@github.com:chop-dbhi/x.git');
  });

  test('knows who a commit would be by, or that git would refuse', async () => {
    expect(await git.identity(root)).toEqual({name: 'Olive Operator', email: 'olive@example.org'});
    await writeFile(join(folder, '.gitconfig'), '[user]\n\tuseConfigOnly = true\n');
    expect(await git.identity(root)).toBeUndefined();
  });

  test('knows what is ignored', async () => {
    await write('.gitignore', '.deploy-wizard/\n');
    expect(await git.isIgnored(root, '.deploy-wizard/runs')).toBe(true);
    expect(await git.isIgnored(root, 'VERSION')).toBe(false);
    expect(await git.isIgnored(root, ':(top)-x')).toBe(false);
  });
});

describe('committing the bump', () => {
  test('commits these paths only, new ones too; what else was staged stays staged', async () => {
    await write('notes.txt', 'half done\n');
    await run('add', 'notes.txt');
    await write('VERSION', '1.1.0\n');
    await write('-new', 'file\n');
    await write(':(top)new', 'file\n');

    const commit = await git.commit(root, ['VERSION', '-new', ':(top)new'], '# 1.1.0\n\nNot a comment.');

    expect(await git.head(root)).toMatchObject({commit, branch: 'main'});
    expect((await run('show', '--format=', '--name-only', commit)).split('\n').sort()).toEqual(['-new', ':(top)new', 'VERSION']);
    expect(await run('show', '--no-patch', '--format=%an <%ae>: %B', commit)).toBe(
      'Olive Operator <olive@example.org>: # 1.1.0\n\nNot a comment.',
    );
    expect(await git.status(root)).toEqual([{state: 'M ', path: 'notes.txt'}]);
  });

  test('runs the hooks of the repository, with the globs in them', async () => {
    await installHook('pre-commit', 'git diff --cached --name-only -- "V*" > hooked');
    await write('VERSION', '1.1.0\n');
    await git.commit(root, ['VERSION'], 'Release');
    expect(await readFile(join(root, 'hooked'), 'utf8')).toBe('VERSION\n');
  });

  test('leaves the index as it was when a hook refuses, and says what the hook said', async () => {
    await installHook('pre-commit', 'echo "the tests fail" >&2; exit 1');
    await write('VERSION', '1.1.0\n');
    await write('new', 'file\n');
    const before = await git.status(root);
    await expect(git.commit(root, ['VERSION', 'new'], 'Release')).rejects.toThrow(/the tests fail/);
    expect(await git.status(root)).toEqual(before);
  });

  test('signs as the user has configured: without the key there is no commit', async () => {
    await run('config', 'commit.gpgSign', 'true');
    await run('config', 'gpg.program', 'false');
    await write('VERSION', '1.1.0\n');
    await expect(git.commit(root, ['VERSION'], 'Release')).rejects.toMatchObject({
      message: expect.stringContaining('gpg failed to sign'),
      next: [expect.stringContaining('signing key')],
    });
  });

  test('is about this repository, even when a hook of another one started us', async () => {
    const fromHook = createGit({
      env: {...env, GIT_DIR: '/nowhere/.git', GIT_WORK_TREE: '/nowhere', GIT_INDEX_FILE: '/nowhere/index'},
    });
    await write('VERSION', '1.1.0\n');
    expect(await fromHook.root(root)).toBe(root);
    await fromHook.commit(root, ['VERSION'], 'Release');
    expect(await git.status(root)).toEqual([]);
  });

  test('is refused in words: nothing changed, no branch, no identity, a merge under way', async () => {
    await expect(git.commit(root, ['VERSION'], 'Release')).rejects.toThrow('There is nothing to commit in VERSION.');
    await write('VERSION', '1.1.0\n');

    await writeFile(join(folder, '.gitconfig'), '[user]\n\tuseConfigOnly = true\n');
    await expect(git.commit(root, ['VERSION'], 'Release')).rejects.toMatchObject({next: [expect.stringContaining('user.name')]});

    await writeFile(join(root, '.git', 'MERGE_HEAD'), `${await run('rev-parse', 'HEAD')}\n`);
    await expect(git.commit(root, ['VERSION'], 'Release')).rejects.toMatchObject({
      next: [expect.stringContaining('Finish the merge')],
    });
    await rm(join(root, '.git', 'MERGE_HEAD'));

    await run('checkout', '--quiet', '--detach');
    const detached = git.commit(root, ['VERSION'], 'Release');
    await expect(detached).rejects.toBeInstanceOf(DeployError);
    await expect(detached).rejects.toThrow(/No branch is checked out/);
  });
});

describe('signing', () => {
  test('commits and tags with the key that the user has configured', async () => {
    const key = join(folder, 'key');
    await execOk('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key], {env});
    for (const [name, value] of [
      ['gpg.format', 'ssh'],
      ['user.signingKey', key],
      ['commit.gpgSign', 'true'],
      ['tag.gpgSign', 'true'],
    ])
      await run('config', name ?? '', value ?? '');
    await write('VERSION', '1.1.0\n');
    const commit = await git.commit(root, ['VERSION'], 'Release');
    await git.tag(root, '1.1.0', commit, 'Release 1.1.0');
    expect(await run('cat-file', 'commit', commit)).toContain('BEGIN SSH SIGNATURE');
    expect(await run('cat-file', 'tag', '1.1.0')).toContain('BEGIN SSH SIGNATURE');
  });

  test.each([
    ['a signing program that waits for a PIN', () => run('config', 'commit.gpgSign', 'true')],
    ['a hook that never ends', () => installHook('pre-commit', 'exec "$0.slow"')],
  ])('ends with words after %s, and leaves the index as it was', async (_, arrange) => {
    const slow = '#!/bin/sh\nexec sleep 600\n';
    const pinentry = join(folder, 'pinentry');
    for (const path of [pinentry, join(root, '.git', 'hooks', 'pre-commit.slow')]) await writeFile(path, slow, {mode: 0o755});
    await run('config', 'gpg.program', pinentry);
    await arrange();
    await write('VERSION', '1.1.0\n');
    await write('new', 'file\n');
    const before = await git.status(root);
    const impatient = createGit({env, limits: {read: 60_000, write: 1000, remote: 1000}});
    await expect(impatient.commit(root, ['VERSION', 'new'], 'Release')).rejects.toMatchObject({
      message: expect.stringMatching(/`git commit .*` did not end within 1 s, and was stopped/),
      next: [expect.stringContaining('A hook or the signing program waits for somebody')],
    });
    expect(await git.status(root)).toEqual(before);
    expect(await git.parent(root, 'HEAD')).toBeUndefined();
  });
});

describe('pushing', () => {
  const remote = () => join(folder, 'remote.git');
  const remoteRun = async (...args: string[]) => (await execOk('git', args, {cwd: remote(), env})).stdout.trim();
  beforeEach(async () => {
    await execOk('git', ['init', '--quiet', '--bare', remote()], {cwd: folder, env});
    await run('remote', 'add', 'origin', remote());
    await run('push', '--quiet', '--set-upstream', 'origin', 'main');
  });
  const bumped = async () => {
    await write('VERSION', '1.1.0\n');
    const commit = await git.commit(root, ['VERSION'], 'Release');
    await git.tag(root, '1.1.0', commit, 'Release 1.1.0');
    const tag = (await git.tagObject(root, '1.1.0')) ?? '';
    return {
      commit,
      updates: [
        {from: commit, to: 'refs/heads/main'},
        {from: tag, to: 'refs/tags/1.1.0'},
      ],
      tag,
    };
  };
  const onRemote = () => git.remoteReferences(root, 'origin', ['refs/heads/main', 'refs/tags/1.1.0']);

  test('takes commit and tag to where the branch comes from; a rehearsal takes nothing', async () => {
    expect(await git.upstream(root, 'main')).toEqual({remote: 'origin', reference: 'refs/heads/main'});
    const {commit, tag, updates} = await bumped();
    const before = await onRemote();
    expect(before).toEqual([await git.parent(root, commit), undefined]);
    await git.push(root, 'origin', updates, 'rehearse');
    expect(await onRemote()).toEqual(before);
    await git.push(root, 'origin', updates);
    expect(await onRemote()).toEqual([commit, tag]);
    expect(await remoteRun('rev-parse', '1.1.0^{commit}')).toBe(commit);
    expect(await git.tags(root)).toEqual(['1.1.0']);
    expect(await git.tagTimes(root)).toEqual([{name: '1.1.0', at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)}]);
  });

  test('knows another upstream, one of another name, and none', async () => {
    await run('remote', 'add', 'fork', remote());
    await run('config', 'branch.main.merge', 'refs/heads/trunk');
    expect(await git.upstream(root, 'main')).toEqual({remote: 'origin', reference: 'refs/heads/trunk'});
    await run('config', 'branch.main.pushRemote', 'fork');
    expect(await git.upstream(root, 'main')).toEqual({remote: 'fork', reference: 'refs/heads/main'});
    await run('remote', 'remove', 'fork');
    await run('remote', 'remove', 'origin');
    expect(await git.upstream(root, 'main')).toBeUndefined();
  });

  test('is refused in words where the remote has more, or its hook says no; then neither commit nor tag is there', async () => {
    await run('commit', '--quiet', '--allow-empty', '--message=Of somebody else');
    await run('push', '--quiet');
    const theirs = await run('rev-parse', 'HEAD');
    await run('reset', '--quiet', '--hard', 'HEAD^');
    const {updates} = await bumped();
    const rejected = {next: [expect.stringContaining('git pull')]};
    await expect(git.push(root, 'origin', updates, 'rehearse')).rejects.toMatchObject(rejected);
    await expect(git.push(root, 'origin', updates)).rejects.toMatchObject(rejected);
    expect(await onRemote()).toEqual([theirs, undefined]);

    await remoteRun('update-ref', 'refs/heads/main', await run('rev-parse', 'HEAD^'));
    await writeFile(join(remote(), 'hooks', 'pre-receive'), '#!/bin/sh\necho "releases come from CI" >&2\nexit 1\n', {
      mode: 0o755,
    });
    const declined = git.push(root, 'origin', updates);
    await expect(declined).rejects.toThrow(/releases come from CI/);
    await expect(declined).rejects.toMatchObject({next: [expect.stringContaining('source.git.push: false')]});
    expect((await onRemote())[1]).toBeUndefined();
  });

  test('of a tag that the remote has elsewhere is refused in words: a pull would not help', async () => {
    const {updates} = await bumped();
    const first = await run('rev-parse', 'HEAD^');
    await run('push', '--quiet', 'origin', 'HEAD^:refs/tags/1.1.0');
    await expect(git.push(root, 'origin', updates)).rejects.toMatchObject({
      next: [expect.stringContaining('git ls-remote --tags')],
    });
    expect(await onRemote()).toEqual([first, first]);
  });

  test('that ends without an answer is a lost one: looking tells', async () => {
    const {updates, commit, tag} = await bumped();
    await writeFile(join(remote(), 'hooks', 'post-receive'), '#!/bin/sh\nexec sleep 600\n', {mode: 0o755});
    const impatient = createGit({env, limits: {read: 60_000, write: 60_000, remote: 2000}});
    await expect(impatient.push(root, 'origin', updates)).rejects.toBeInstanceOf(LostAnswerError);
    expect(await onRemote()).toEqual([commit, tag]);
  });

  test('to nowhere says what to look at', async () => {
    await run('remote', 'set-url', 'origin', join(folder, 'gone.git'));
    await expect(git.remoteReferences(root, 'origin', ['refs/heads/main'])).rejects.toMatchObject({
      next: [expect.stringContaining('git remote -v')],
    });
  });
});

describe('taking the bump back', () => {
  const bump = async () => {
    await write('VERSION', '1.1.0\n');
    await write('new', 'file\n');
    return git.commit(root, ['VERSION', 'new'], 'Release');
  };

  test('moves the branch and the index back, and leaves every file', async () => {
    const {commit: before} = await git.head(root);
    const commit = await bump();
    await write('notes.txt', 'staged meanwhile\n');
    await run('add', 'notes.txt');

    expect(await git.uncommit(root, commit, ['VERSION', 'new'])).toBe(true);

    expect(await git.head(root)).toMatchObject({commit: before, branch: 'main'});
    expect(await git.status(root)).toEqual([
      {state: ' M', path: 'VERSION'},
      {state: 'M ', path: 'notes.txt'},
      {state: '??', path: 'new'},
    ]);
    expect(await readFile(join(root, 'VERSION'), 'utf8')).toBe('1.1.0\n');
    expect(await run('reflog', '-1', '--format=%gs')).toContain('deploy-wizard: took');
  });

  test('is not done when somebody committed on top of it', async () => {
    const commit = await bump();
    await run('commit', '--quiet', '--allow-empty', '--message=On top');
    expect(await git.uncommit(root, commit, ['VERSION'])).toBe(false);
    expect(await git.parent(root, 'HEAD')).toBe(commit);
  });

  test('is not done when it was pushed', async () => {
    await execOk('git', ['init', '--quiet', '--bare', join(folder, 'remote.git')], {cwd: folder, env});
    await run('remote', 'add', 'origin', join(folder, 'remote.git'));
    const commit = await bump();
    await run('push', '--quiet', 'origin', 'main');
    expect(await git.uncommit(root, commit, ['VERSION'])).toBe(false);
    expect(await git.head(root)).toMatchObject({commit});
  });

  test('is not done for a first commit, or one that is not there', async () => {
    const {commit} = await git.head(root);
    expect(await git.uncommit(root, commit, ['VERSION'])).toBe(false);
    expect(await git.uncommit(root, '0'.repeat(40), ['VERSION'])).toBe(false);
  });
});

describe('the tag of a release', () => {
  test('is annotated, found again, and deleted only while it is where we put it', async () => {
    const {commit} = await git.head(root);
    expect(await git.tagCommit(root, '1.0.0')).toBeUndefined();
    await git.tag(root, '1.0.0', commit, '# Release 1.0.0');
    expect(await git.tagCommit(root, '1.0.0')).toBe(commit);
    expect(await run('for-each-ref', '--format=%(objecttype) %(taggername) %(contents)', 'refs/tags/1.0.0')).toBe(
      'tag Olive Operator # Release 1.0.0',
    );

    await run('commit', '--quiet', '--allow-empty', '--message=Second');
    await run('tag', '--force', '1.0.0');
    expect(await git.deleteTag(root, '1.0.0', commit)).toBe(false);
    expect(await git.deleteTag(root, '1.0.0', await run('rev-parse', 'HEAD'))).toBe(true);
    expect(await git.deleteTag(root, '1.0.0', commit)).toBe(false);
    expect(await git.tagCommit(root, '1.0.0')).toBeUndefined();
  });

  test('is never moved, and must have a name that git takes', async () => {
    const {commit} = await git.head(root);
    await git.tag(root, '1.0.0', commit, 'Release');
    await expect(git.tag(root, '1.0.0', commit, 'Again')).rejects.toThrow(
      `There is a tag 1.0.0 already, at ${commit.slice(0, 12)}.`,
    );
    await expect(git.tag(root, '--delete', commit, 'Release')).rejects.toThrow(/not a valid tag name/);
    expect(await git.tagCommit(root, 'a..b')).toBeUndefined();
  });
});
