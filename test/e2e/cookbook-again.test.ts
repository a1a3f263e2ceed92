/** Releases after others: an older one, one of an odd name, one after a failure; links in the work tree. */
import {rename, symlink} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {project} from '../support/cookbook.ts';
import {requires} from '../support/requires.ts';

const release = (version: string, ...more: readonly string[]) => [
  '--yes',
  '--env',
  'production',
  '--release',
  version,
  '--allow',
  'outage',
  ...more,
];

requires(
  'docker',
  'registry',
  'terraform',
)('a release after others', () => {
  test('of an older version deploys the image of then, and builds nothing', async () => {
    const book = await project();
    expect(await book.run(release('0.7.2'))).toMatchObject({exitCode: 0});
    const then = await book.digest('0.7.2');
    expect(await book.run(release('0.7.3'))).toMatchObject({exitCode: 0});

    expect(await book.run(release('0.7.2', '--allow', 'downgrade'))).toMatchObject({exitCode: 0});
    expect(await book.digest('0.7.2')).toBe(then);
    expect(await book.answer()).toBe('0.7.2');
  });

  test('that failed is not counted up from: its version is not what is deployed', async () => {
    const book = await project();
    await book.breakStarts(true);
    expect(await book.run(release('0.7.2'))).toMatchObject({exitCode: 1});

    const counted = await book.run(['--yes', '--env', 'production', '--bump', 'patch', '--allow', 'outage']);
    expect(counted).toMatchObject({exitCode: 2, stderr: expect.stringContaining('--release 0.7.2')});
  });

  test('is refused where the git tag is taken and no image belongs to it', async () => {
    const book = await project({git: '{ commit: true, tag: "${version}" }'});
    await book.git('tag', '0.7.2');
    const ended = await book.run(release('0.7.2'));
    expect(ended).toMatchObject({exitCode: 1, stderr: expect.stringContaining('there is no image of it')});
    expect(await book.git('log', '--oneline')).not.toContain('Bump');
  });

  test('follows links: what they lead to is edited and committed', async () => {
    const book = await project();
    await rename(book.path('dmsa', '__init__.py'), book.path('dmsa', 'real.py'));
    await symlink('real.py', book.path('dmsa', '__init__.py'));
    await book.git('add', '--all');
    await book.git('commit', '--quiet', '--message', 'A link');
    expect(await book.run(release('0.7.2'))).toMatchObject({exitCode: 0});
    expect((await book.git('status', '--porcelain')).trim()).toBe('');
  });

  test.each(['constructor', '__proto__', 'toString'])('to an environment called %s, which is none: exit 2', async name => {
    const book = await project();
    const ended = await book.run(['--yes', '--env', name, '--release', '0.7.2']);
    expect(ended).toMatchObject({exitCode: 2, stderr: expect.stringContaining('there is no environment')});
  });
});
