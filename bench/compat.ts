/**
 * `npm run compat [-- version…]`: the built program on every Node that it says it works on, fetched with npx where the machine does not
 * have it. A whole release of the demo on each; exit code 1 where one goes wrong.
 */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {launcher} from '../test/support/program.ts';
import {table} from './table.ts';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
const tries = [['--version'], ['schema'], ['demo', '--yes', '--speed', '30']] as const;

const folder = await mkdtemp(path.join(tmpdir(), 'dw-compat-'));
const rows: string[][] = [];
let wrong = false;
try {
  for (const version of versions) {
    const found = await execa('npx', ['--yes', `--package=node@${version}`, 'which', 'node'], {
      cwd: folder,
      reject: false,
      timeout: 300_000,
    });
    const node = found.stdout.trim().split('\n').at(-1) ?? '';
    if (found.exitCode !== 0) {
      rows.push([version, ...tries.map(() => 'cannot be fetched')]);
      wrong = true;
      continue;
    }
    const row = [(await execa(node, ['--version'])).stdout];
    for (const args of tries) {
      // Docker and Terraform are the same on every Node: the demo leaves out what is not there.
      const env = {PATH: path.dirname(node), HOME: folder, TMPDIR: folder};
      const {exitCode} = await execa(node, [launcher, ...args], {
        cwd: folder,
        env,
        extendEnv: false,
        reject: false,
        timeout: 120_000,
      });
      row.push(exitCode === 0 ? 'works' : `exit ${exitCode}`);
      wrong ||= exitCode !== 0;
    }
    rows.push(row);
  }
} finally {
  await rm(folder, {recursive: true, force: true});
}
process.stdout.write(table([['Node', ...tries.map(args => args.join(' '))], ...rows]));
process.exitCode = wrong ? 1 : 0;
