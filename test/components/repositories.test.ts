/** Tags in other repositories, by real git. */
import {execFile} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {Io} from '../../src/components/io.ts';
import {repositoriesConfig, repositoryGates} from '../../src/components/repositories.ts';
import {look} from '../../src/release/checks.ts';
import {createGit} from '../../src/tools/git.ts';

const run = promisify(execFile);
const env = {PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1'};

/** A repository with a commit and these tags. */
async function repository(...tags: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dw-tags-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  const git = (...args: readonly string[]) =>
    run('git', ['-C', folder, '-c', 'user.name=jo', '-c', 'user.email=jo@example.edu', ...args], {env});
  await git('init', '--quiet');
  await git('commit', '--quiet', '--allow-empty', '--message=x');
  for (const tag of tags) await git('tag', '--annotate', '--message=x', tag);
  return folder;
}

async function check(repositories: unknown, version = '1.14.0') {
  const gates = repositoryGates({repositories: repositoriesConfig.parse(repositories)}, version);
  // What a gate needs of the world.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const io = {folder: tmpdir(), git: createGit({env})} as unknown as Io;
  return Promise.all(gates.map(({claim, check}) => look({check: () => check(io)}, claim, io)));
}

describe('a repository', () => {
  test('that has the tag of the version, by its address alone', async () => {
    const [found] = await check([`file://${await repository('1.14.0')}`]);
    expect(found).toMatchObject({status: 'passed', text: expect.stringMatching(/^dw-tags-\w+ has the tag 1\.14\.0$/)});
  });

  test('that has not: an earlier one, or one that only begins like it', async () => {
    const [found] = await check([{url: await repository('1.13.0', '1.14.0-RC1'), tag: '${version}'}]);
    expect(found).toMatchObject({status: 'failed', found: expect.stringMatching(/^there is no tag 1\.14\.0 in /)});
  });

  test('whose tags are written another way', async () => {
    const [found] = await check([{url: await repository('v1.14.0'), tag: 'v${version}'}]);
    expect(found?.status).toBe('passed');
  });

  test('that cannot be asked is no repository that has it', async () => {
    const [found] = await check(['file:///nonexistent/repository.git']);
    expect(found).toMatchObject({status: 'failed', found: expect.stringContaining('git ls-remote')});
  });

  test('is let through by name', () => {
    expect(repositoryGates({repositories: [{url: 'https://x/y.git', tag: '${version}'}]}, '1')[0]?.override).toBe('repositories');
  });
});

describe('the setting takes no', () => {
  test.each([
    ['option', '--upload-pack=touch /tmp/x'],
    ['program', 'ext::sh -c touch% /tmp/x'],
    ['password', 'https://jo:secret@example.edu/x.git'],
    ['tag that git would not take', {url: 'https://example.edu/x.git', tag: 'a..${version}'}],
    ['pattern', {url: 'https://example.edu/x.git', tag: '*'}],
  ])('%s', (_what, setting) => {
    expect(repositoriesConfig.safeParse([setting]).success).toBe(false);
  });
});
