/** The wizard: how soon it is there, what it takes while six builds talk, how it follows a key. All in a pseudo-terminal. */
import {execFileSync} from 'node:child_process';
import {cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {build} from 'esbuild';
import type {Bench, Figure} from './figures.ts';
import {type Screen, openScreen} from './tui/screen.ts';
import {taken} from './tui/taken.ts';

const root = path.resolve(import.meta.dirname, '..');
const size = {columns: 100, rows: 30};
const rounds = 15;
const warmUps = 2;
/** Ten minutes with `--long`: long enough for a heap that grows to show it. */
const spamSeconds = process.argv.includes('--long') ? 600 : 60;
const down = '\u001B[B';
const up = '\u001B[A';

const config = `application: pass
environments: {staging: {}, production: {}}
components: {core: {kind: sns-trigger, topic: deploy, message: {}, verify: none}}
`;

/** A folder with the wizard as it is published, and the programs of this bench, bundled as it is. */
async function prepare(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'bin'));
  await mkdir(path.join(folder, 'project'));
  await cp(path.join(root, 'bin/deploy-wizard.js'), path.join(folder, 'bin/deploy-wizard.js'));
  await cp(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  await writeFile(path.join(folder, 'project/deploy-wizard.config.yaml'), config);
  const bundle = (name: string, ...entries: readonly string[]) =>
    execFileSync(process.execPath, [path.join(root, 'build.ts'), path.join(folder, name), ...entries], {
      cwd: root,
      stdio: 'inherit',
    });
  bundle('dist');
  bundle('load', 'bench/tui/load.ts');
  // As anybody would bundle it.
  await build({
    absWorkingDir: root,
    entryPoints: ['bench/tui/hello.tsx'],
    outdir: path.join(folder, 'hello'),
    outExtension: {'.js': '.mjs'},
    bundle: true,
    splitting: true,
    minify: true,
    jsx: 'automatic',
    platform: 'node',
    format: 'esm',
    target: 'node22',
    define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
    external: ['react-devtools-core'],
    banner: {js: `import {createRequire as __cr} from 'node:module'; const require = __cr(import.meta.url);`},
    logLevel: 'warning',
  });
  // Started as the wizard is: with what Node remembers of compiling it.
  const launcher = `import module from 'node:module';\nmodule.enableCompileCache();\nawait import('./hello/hello.mjs');\n`;
  await writeFile(path.join(folder, 'hello.mjs'), launcher);
}

export const tui: Bench = {
  title: 'the wizard in a terminal of 100 × 30',
  async measure() {
    const folder = await mkdtemp(path.join(tmpdir(), 'deploy-wizard-bench-'));
    try {
      await prepare(folder);
      return [...(await firstFrames(folder)), ...(await underLogs(folder)), ...(await scrolling(folder))];
    } finally {
      await rm(folder, {recursive: true, force: true});
    }
  },
};

function open(folder: string, args: readonly string[]): Screen {
  const env = {PATH: process.env['PATH'], HOME: folder, TERM: 'xterm-256color', LANG: 'C.UTF-8'};
  return openScreen(args, size, {cwd: path.join(folder, 'project'), env});
}

/** From the start of the process to the first text: ours and Ink's own in turn, so that both have the same machine. */
async function firstFrames(folder: string): Promise<readonly Figure[]> {
  const once = async (args: readonly string[], text: string): Promise<number> => {
    const screen = open(folder, args);
    const took = await screen.until(rows => rows.some(row => row.includes(text)));
    screen.kill();
    await screen.exited;
    return took;
  };
  const hello: number[] = [];
  const wizard: number[] = [];
  for (let round = 0; round < rounds + warmUps; round++) {
    hello.push(await once([path.join(folder, 'hello.mjs')], 'hello'));
    wizard.push(await once([path.join(folder, 'bin/deploy-wizard.js')], 'Where does this release go?'));
  }
  const [ours, theirs] = [wizard.slice(warmUps), hello.slice(warmUps)];
  return [
    {what: 'first frame, Ink hello-world', unit: 's', values: theirs.map(inSeconds)},
    {what: 'first frame, the wizard', unit: 's', values: ours.map(inSeconds)},
    {what: 'first frame, wizard / hello-world', unit: '', values: [middleOf(ours) / middleOf(theirs)], limit: 1.25},
  ];
}

/** Five thousand lines a second of six builds, while somebody moves up and down. */
async function underLogs(folder: string): Promise<readonly Figure[]> {
  const file = path.join(folder, 'taken.json');
  const screen = open(folder, ['--expose-gc', path.join(folder, 'load/load.mjs'), 'logs', String(spamSeconds), file]);
  await screen.until(rows => rows.some(row => row.includes('component-06')));
  const waits: number[] = [];
  const end = performance.now() + spamSeconds * 1000;
  // Down to the last job, and up again.
  const steps = [2, 3, 4, 5, 6, 5, 4, 3, 2, 1];
  for (let step = 0; performance.now() < end; step++) {
    const next = steps[step % steps.length] ?? 1;
    const key = next > (steps.at((step % steps.length) - 1) ?? 1) ? down : up;
    waits.push(await screen.press(key, rows => isPointed(rows, `component-0${next}`)));
    await pause(400 + Math.random() * 100);
  }
  await screen.exited;
  const {share, heaps} = taken.parse(JSON.parse(await readFile(file, 'utf8')));
  const megabytes = heaps.map(bytes => bytes / 1024 / 1024);
  return [
    {what: '5,000 log lines/s: % of a core', unit: '', values: [share * 100], limit: 40},
    {what: '5,000 log lines/s: key to frame, 95 %', unit: 's', values: [inSeconds(percentile(waits, 0.95))], limit: 0.1},
    {what: `5,000 log lines/s: heap over ${spamSeconds} s`, unit: 'MB', values: megabytes},
    {
      what: '5,000 log lines/s: heap, end / begin',
      unit: '',
      values: [middleOf(megabytes.slice(-3)) / middleOf(megabytes.slice(0, 3))],
      limit: 1.2,
    },
  ];
}

/** Sixty components: in the form, where they are chosen, and in the table of the run. */
async function scrolling(folder: string): Promise<readonly Figure[]> {
  const screen = open(folder, [path.join(folder, 'load/load.mjs'), 'scroll', '30', path.join(folder, 'scrolled.json')]);
  await screen.until(rows => rows.some(row => row.includes('60 of 60 chosen')));
  const walk = async (): Promise<readonly number[]> => {
    const waits: number[] = [];
    for (let next = 2; next <= 60; next++) {
      const name = `component-${String(next).padStart(2, '0')}`;
      waits.push(await screen.press(down, rows => isPointed(rows, name)));
      await pause(60);
    }
    return waits;
  };
  const chosen = await walk();
  await screen.press('\r', rows => rows.some(row => row.includes('building')));
  const running = await walk();
  screen.kill();
  await screen.exited;
  return [
    {what: '60 components, choosing: key to frame, 95 %', unit: 's', values: [inSeconds(percentile(chosen, 0.95))], limit: 0.05},
    {what: '60 components, running: key to frame, 95 %', unit: 's', values: [inSeconds(percentile(running, 0.95))], limit: 0.05},
  ];
}

function isPointed(rows: readonly string[], name: string): boolean {
  return rows.some(row => row.includes('▸') && row.includes(name));
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}

function inSeconds(ms: number): number {
  return ms / 1000;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.filter(value => !Number.isNaN(value)).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function middleOf(values: readonly number[]): number {
  return percentile(values, 0.5);
}
