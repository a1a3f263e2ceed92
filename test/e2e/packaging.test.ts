/** The package as it would be published: what is in it, what it weighs, what it may be used for, and that it works where nothing else is. */
import {cp, mkdir, mkdtemp, readFile, readdir, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {beforeAll, describe, expect, test} from 'vitest';
import * as z from 'zod';
import {launcher} from '../support/program.ts';

const repository = path.join(import.meta.dirname, '../..');
/** Where the build that is tested is. */
const built = path.dirname(path.dirname(launcher));

const packed = z.array(
  z.object({filename: z.string(), size: z.number(), unpackedSize: z.number(), files: z.array(z.object({path: z.string()}))}),
);
const meta = z.object({inputs: z.record(z.string(), z.unknown())});
const manifest = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
  scripts: z.record(z.string(), z.string()).default({}),
});

let work: string;
let tarball: string;
let contents: z.infer<typeof packed>[number];
let environment: Record<string, string>;

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'dw-package-'));
  const folder = path.join(work, 'package');
  await mkdir(folder);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'src', 'test', 'docs', 'bench'])
    await cp(path.join(repository, name), path.join(folder, name), {recursive: true});
  for (const name of ['bin', 'dist']) await cp(path.join(built, name), path.join(folder, name), {recursive: true});
  // Nothing of this repository, of npm's run of it, or of the user's own folders; the Node that runs this test.
  environment = {
    PATH: [
      path.dirname(process.execPath),
      ...(process.env['PATH'] ?? '').split(':').filter(part => !part.includes('node_modules')),
    ].join(':'),
    HOME: work,
    TMPDIR: work,
    npm_config_cache: path.join(work, 'npm'),
    npm_config_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
  const {stdout} = await execa('npm', ['pack', '--ignore-scripts', '--json'], {cwd: folder, env: environment, extendEnv: false});
  const [one] = packed.parse(JSON.parse(stdout));
  if (one === undefined) throw new Error('npm packed nothing');
  contents = one;
  tarball = path.join(folder, one.filename);
  return () => rm(work, {recursive: true, force: true});
});

async function manifestAt(folder: string): Promise<z.infer<typeof manifest>> {
  return manifest.parse(JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')));
}

/** The packages whose code is in the bundle, by their folders. */
async function bundledPackages(): Promise<readonly string[]> {
  const {inputs} = meta.parse(JSON.parse(await readFile(path.join(built, 'dist', 'meta.json'), 'utf8')));
  return [...new Set(Object.keys(inputs).flatMap(input => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []))];
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  const sizes = entries
    .filter(entry => entry.isFile())
    .map(async entry => (await stat(path.join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe('the package', () => {
  test('holds only what runs, with the licences of what is in it, in less than 2 MB', () => {
    const files = contents.files.map(file => file.path);
    const unexpected = files.filter(
      file =>
        !/^(?:bin\/deploy-wizard\.js|dist\/[\w.-]+\.mjs|dist\/licences\.txt|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
          file,
        ),
    );
    expect(unexpected).toEqual([]);
    expect(files).toContain('dist/cli.mjs');
    expect(files).toContain('dist/supervisor.mjs');
    expect(contents.size / 2 ** 20).toBeLessThan(2);
  });

  test('brings all that it needs, and runs nothing when it is installed', async () => {
    const {dependencies, optionalDependencies, scripts} = await manifestAt(path.join(work, 'package'));
    expect({...dependencies, ...optionalDependencies}).toEqual({});
    expect(Object.keys(scripts).filter(name => /^(?:pre|post)?install$/.test(name))).toEqual([]);
  });

  test('takes less than 60 MB when it is installed, and starts', async () => {
    const folder = path.join(work, 'installed');
    await mkdir(folder);
    const options = {cwd: folder, env: environment, extendEnv: false};
    await execa('npm', ['install', '--ignore-scripts', '--omit=dev', tarball], options);
    expect((await sizeOf(path.join(folder, 'node_modules'))) / 2 ** 20).toBeLessThan(60);
    const {version} = await manifestAt(repository);
    const {stdout} = await execa(path.join(folder, 'node_modules', '.bin', 'deploy-wizard'), ['--version'], options);
    expect(stdout).toBe(version);
  });

  test('has a whole release done by npx in an empty folder, without network, Docker or Terraform', async () => {
    const folder = path.join(work, 'empty');
    await mkdir(folder);
    const npx = await execa('npx', ['--yes', `--package=${tarball}`, 'deploy-wizard', 'demo', '--yes', '--speed', '30'], {
      cwd: folder,
      env: {...environment, DOCKER_HOST: 'tcp://127.0.0.1:1'},
      extendEnv: false,
      reject: false,
      all: true,
    });
    expect(npx.exitCode, npx.all).toBe(0);
    expect(npx.stdout).toMatch(/pass 1\.14\.0 → production: passed in .*6 of 6 components on 1\.14\.0/);
    expect(npx.stdout).toContain('Everything is as the record says');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('what is in the package', () => {
  /** Licences that let anybody use, change and pass on a program of any kind, for naming their authors. */
  const allowed = new Set([
    'MIT',
    'ISC',
    'Apache-2.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    '0BSD',
    'BlueOak-1.0.0',
    'Unlicense',
    'CC0-1.0',
  ]);

  test('may be used and passed on, and says by whom it is', async () => {
    const notices = await readFile(path.join(built, 'dist', 'licences.txt'), 'utf8');
    // Each list of packages is followed by a text.
    for (const part of notices.split('─'.repeat(80))) expect(part.trim().split('\n\n')[1]).toMatch(/\w/);
    const packages = await bundledPackages();
    expect(packages.length).toBeGreaterThan(20);
    for (const folder of packages) {
      const {name, version, license} = await manifestAt(path.join(repository, folder));
      expect(allowed, `${name} is ${license}`).toContain(license);
      expect(notices).toContain(`${name} ${version} (${license})\n`);
    }
  });

  test('has no known vulnerabilities', {timeout: 60_000}, async context => {
    const audit = await execa('npm', ['audit', '--json'], {cwd: repository, reject: false, timeout: 45_000});
    const report = z
      .object({vulnerabilities: z.record(z.string(), z.object({nodes: z.array(z.string())}))})
      .safeParse(readJson(audit.stdout));
    if (!report.success) return context.skip('no registry answers `npm audit` here');
    const bundled = new Set(await bundledPackages());
    const known = Object.entries(report.data.vulnerabilities).filter(([, {nodes}]) => nodes.some(node => bundled.has(node)));
    expect(known.map(([name]) => name)).toEqual([]);
  });
});

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe('on the Node of this machine', () => {
  test('a whole release works, where it is one that the package asks for', async context => {
    const candidates = await Promise.all(
      ['/usr/bin/node', '/usr/local/bin/node', '/opt/node/bin/node'].map(async node => {
        const asked = await execa(node, ['--version'], {reject: false}).catch(() => undefined);
        const [major = 0, minor = 0] = (asked?.stdout ?? '').replace(/^v/, '').split('.').map(Number);
        return {node, fits: asked?.exitCode === 0 && (major > 22 || (major === 22 && minor >= 23))};
      }),
    );
    const own = candidates.find(({fits}) => fits);
    // `npm run compat` fetches Node 22, 24 and 26 and tries them all.
    if (own === undefined) return context.skip('this machine has no Node from 22.23 of its own');
    const folder = path.join(work, 'own');
    await mkdir(folder);
    const env = {PATH: path.dirname(own.node), HOME: folder, TMPDIR: folder, DOCKER_HOST: 'tcp://127.0.0.1:1'};
    const demo = await execa(own.node, [launcher, 'demo', '--yes', '--speed', '30'], {
      cwd: folder,
      env,
      extendEnv: false,
      reject: false,
      all: true,
    });
    expect(demo.exitCode, demo.all).toBe(0);
  });
});
