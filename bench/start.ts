/** What a start of the program costs beside a bare Node; an audit of a big release; what the package weighs. */
import {execFileSync} from 'node:child_process';
import {cp, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {releaseCommand} from '../src/commands/release.ts';
import {deskAt, unattended} from '../test/commands/support/desk.ts';
import {type Pass, cluster, environment, image, released, startPass} from '../test/support/pass.ts';
import {launcher, runProgram} from '../test/support/program.ts';
import {cleanly} from './cleanly.ts';
import type {Bench, Figure} from './figures.ts';

/** How often each start is measured, in turn with all others: what else the machine does hits them alike. */
const rounds = 25;
/** How many components the audited release has, and how often it is audited. */
const [many, audits] = [60, 3];
const speed = 60;

export const start: Bench = {
  title: `starts beside a bare Node; the audit of a release of ${many} components; the weight of the package`,
  measure: async () => [...(await starts()), ...(await auditing()), ...(await weights())],
};

// ── starts ───────────────────────────────────────────────────────────────────────────────────────────

async function starts(): Promise<readonly Figure[]> {
  return cleanly(async finished => {
    const pass = await startPass({speed}, finished);
    // One run is recorded: `status` has something to tell.
    await releaseOf(pass);
    const bare = path.join(pass.folder, 'bare.mjs');
    await writeFile(bare, '');
    const lines = {
      node: [bare],
      '--version': [launcher, '--version'],
      '--help': [launcher, '--help'],
      'status (file store)': [launcher, 'status'],
      'complete (a key in a shell)': [launcher, 'complete', '--', '--env', ''],
    };
    const took = new Map(Object.keys(lines).map(what => [what, [] as number[]]));
    for (let round = -1; round < rounds; round++) {
      for (const [what, args] of Object.entries(lines)) {
        const began = performance.now();
        execFileSync(process.execPath, args, {cwd: pass.folder, env: pass.env, stdio: 'ignore'});
        // The first round fills the caches.
        if (round >= 0) took.get(what)?.push((performance.now() - began) / 1000);
      }
    }
    const plain = took.get('node') ?? [];
    const limits: Readonly<Record<string, number>> = {'--version': 2, '--help': 3, 'status (file store)': 3};
    return [...took].map(([what, values]): Figure =>
      what === 'node'
        ? {what: 'bare Node', unit: 's', values}
        : {what, unit: 's', values, plain, ...(limits[what] !== undefined && {limit: limits[what]})},
    );
  });
}

async function releaseOf(pass: Pass): Promise<void> {
  const desk = deskAt(pass);
  const exitCode = await releaseCommand(desk.context, unattended({maxParallel: 20}));
  if (exitCode !== 0) throw new Error(`the release to measure with ended with ${exitCode}: ${desk.stderr()}`);
}

// ── an audit ─────────────────────────────────────────────────────────────────────────────────────────

async function auditing(): Promise<readonly Figure[]> {
  return cleanly(async finished => {
    const pass = await startPass({speed, config: sixty}, finished);
    seed(pass);
    await releaseOf(pass);
    const seconds: number[] = [];
    const calls: number[] = [];
    for (let time = 0; time < audits; time++) {
      const since = Date.now();
      const began = performance.now();
      const {exitCode, stderr} = await runProgram(['audit', released, '--env', environment], {cwd: pass.folder, env: pass.env});
      if (exitCode !== 0) throw new Error(`the audit ended with ${exitCode}: ${stderr}`);
      seconds.push((performance.now() - began) / 1000);
      // The endpoint remembers its latest calls only: a thousand.
      calls.push(pass.calls.filter(({at}) => at >= since).length);
    }
    return [
      {what: `audit of ${many} components`, unit: 's', values: seconds, limit: 5},
      {what: `audit of ${many} components: calls to AWS`, unit: '', values: calls},
    ];
  });
}

function sixty(config: {components: Record<string, unknown>}): void {
  config.components = Object.fromEntries(
    Array.from({length: many}, (_, index) => [
      `service-${index}`,
      {kind: 'ecs-service', cluster, service: `service-${index}`, images: {app: 'ecr/pass-core'}},
    ]),
  );
}

function seed({world}: Pass): void {
  for (let index = 0; index < many; index++) {
    const family = `service-${index}`;
    const containerDefinitions = [{name: 'app', image: image('pass-core', '1.13.2'), essential: true}];
    const taskDefinition = world.registerTaskDefinition({family, containerDefinitions});
    world.createService({cluster, service: family, taskDefinition, desiredCount: 1});
  }
}

// ── weights ──────────────────────────────────────────────────────────────────────────────────────────

/** The package as `npm pack` makes it of this build, and what `npm install` of it puts on a disk. */
async function weights(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'dw-bench-weights-'));
  try {
    const root = path.join(import.meta.dirname, '..');
    for (const name of ['package.json', 'README.md', 'LICENSE']) await cp(path.join(root, name), path.join(folder, name));
    const built = path.dirname(path.dirname(launcher));
    for (const name of ['bin', 'dist']) await cp(path.join(built, name), path.join(folder, name), {recursive: true});
    const {stdout} = await execa('npm', ['pack', '--ignore-scripts', '--dry-run', '--json'], {cwd: folder});
    const [packed]: readonly {readonly size: number; readonly unpackedSize: number}[] = JSON.parse(stdout);
    return [
      {what: 'the package, packed', unit: 'MB', values: [(packed?.size ?? Number.NaN) / 2 ** 20], limit: 2},
      {
        what: 'the package, installed (it brings all that it needs)',
        unit: 'MB',
        values: [(packed?.unpackedSize ?? Number.NaN) / 2 ** 20],
        limit: 60,
      },
    ];
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}
