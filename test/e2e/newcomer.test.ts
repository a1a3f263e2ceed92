/** The README's first command, in a fresh copy, on whatever Node the machine has. What `npm ci` fetches is there already: .ci/run does that in a fresh clone. */
import {cp, mkdtemp, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {execa} from 'execa';
import {expect, onTestFinished, test} from 'vitest';
import {requires} from '../support/requires.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What git has of the repository, and nothing else: no `node_modules`, no `dist`. */
async function freshCopy(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dw-newcomer-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  const {stdout} = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {cwd: repository});
  for (const file of stdout.split('\0').filter(name => name !== '')) {
    await cp(join(repository, file), join(folder, 'copy', file), {recursive: true}).catch((error: NodeJS.ErrnoException) => {
      // Deleted, and git does not know yet.
      if (error.code !== 'ENOENT') throw error;
    });
  }
  return folder;
}

/** The machine's own programs: what npm put before them for this test run is taken out. */
function machinePath(): string {
  return (process.env['PATH'] ?? '')
    .split(':')
    .filter(folder => !folder.includes('node_modules'))
    .join(':');
}

requires('docker', 'terraform')('a newcomer', () => {
  test('builds it, and has a whole release done by `npx deploy-wizard demo`', {timeout: 400_000}, async () => {
    const folder = await freshCopy();
    const cwd = join(folder, 'copy');
    const env = {...process.env, PATH: machinePath(), NODE_ENV: '', CI: ''};
    await symlink(join(repository, 'node_modules'), join(cwd, 'node_modules'));
    await execa('npm', ['run', 'prepare'], {cwd, env, extendEnv: false});

    const demo = await execa('npx', ['deploy-wizard', 'demo', '--yes'], {
      cwd,
      // The copy is linked into npm's folder of its own: the user's stays as it is.
      env: {...env, npm_config_cache: join(folder, 'npm')},
      extendEnv: false,
      reject: false,
      all: true,
    });
    expect(demo.exitCode, demo.all).toBe(0);
    expect(demo.stdout).toMatch(/pass 1\.14\.0 → production: passed in .*6 of 6 components on 1\.14\.0/);
    expect(demo.stdout).toMatch(/data-models-sqlalchemy 0\.7\.2 → production: passed in .*1 of 1 components on 0\.7\.2/);
    expect(demo.stdout.match(/Everything is as the record says/g)).toHaveLength(2);
  });
});
