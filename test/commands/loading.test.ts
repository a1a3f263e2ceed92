/**
 * What each command loads: whatever it does not use costs every start of it. The bundle's `meta.json` says which module is in which file;
 * a hook in the program's process says which files are loaded.
 */
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {describe, expect, onTestFinished, test} from 'vitest';
import * as z from 'zod';
import {passYaml} from '../config/samples.ts';
import {launcher, runProgram} from '../support/program.ts';

const dist = path.join(path.dirname(launcher), '..', 'dist');
const hook = pathToFileURL(path.join(import.meta.dirname, 'support', 'loaded.ts')).href;
const metaForm = z.object({
  outputs: z.record(z.string(), z.object({inputs: z.record(z.string(), z.object({bytesInOutput: z.number()}))})),
});

/** By file of the bundle: the modules in it. */
async function modulesByFile(): Promise<ReadonlyMap<string, readonly string[]>> {
  const {outputs} = metaForm.parse(JSON.parse(await readFile(path.join(dist, 'meta.json'), 'utf8')));
  return new Map(
    Object.entries(outputs).map(([file, {inputs}]) => [
      path.basename(file),
      Object.entries(inputs).flatMap(([module, {bytesInOutput}]) => (bytesInOutput > 0 ? [module] : [])),
    ]),
  );
}

/** What is watched, by what the paths of its modules have in them. */
const watched = {
  commander: 'node_modules/commander/',
  zod: 'node_modules/zod/',
  yaml: 'node_modules/yaml/',
  'AWS clients': 'node_modules/@aws-sdk/',
  ink: 'node_modules/ink/',
  react: 'node_modules/react/',
  inquirer: 'node_modules/@inquirer/',
  execa: 'node_modules/execa/',
  'component kinds': 'src/components/index.ts',
  engine: 'src/release/engine.ts',
  'embedded endpoint': 'src/emulator/server.ts',
} as const;

/** A start of the program where there is PASS's config file: what it loads, and how much of the bundle that is. */
async function loads(...args: readonly string[]) {
  const cwd = await mkdtemp(path.join(tmpdir(), 'dw-loading-'));
  onTestFinished(() => rm(cwd, {recursive: true, force: true}));
  await writeFile(path.join(cwd, 'deploy-wizard.config.yaml'), passYaml);
  await mkdir(path.join(cwd, 'empty'));
  const env = {PATH: process.env['PATH'] ?? '', HOME: cwd, AWS_EC2_METADATA_DISABLED: 'true'};
  // A second start of `status` knows the file.
  if (args[0] === 'status' || args[0] === 'complete') await runProgram(args, {cwd, env});
  const file = path.join(cwd, 'loaded');
  const ended = await runProgram(args, {cwd, env: {...env, NODE_OPTIONS: `--import=${hook}`, DW_LOADED: file}});
  const urls = (await readFile(file, 'utf8')).split('\n').filter(url => url.startsWith('file:'));
  const files = urls
    .filter(url => path.dirname(fileURLToPath(url)) === path.resolve(dist))
    .map(url => path.basename(fileURLToPath(url)));
  const known = await modulesByFile();
  const modules = files.flatMap(name => known.get(name) ?? []);
  const sizes = await Promise.all(files.map(async name => (await readFile(path.join(dist, name))).length));
  return {
    ended,
    files,
    modules,
    names: Object.entries(watched).flatMap(([name, mark]) => (modules.some(module => module.includes(mark)) ? [name] : [])),
    packages: urls.filter(url => url.includes('/node_modules/') && !url.includes('/node_modules/.bin/')),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

describe('what is loaded', {timeout: 30_000}, () => {
  test('the bundle has all that is watched, or this would prove nothing', async () => {
    const all = [...(await modulesByFile()).values()].flat();
    for (const mark of Object.values(watched))
      expect(
        all.some(module => module.includes(mark)),
        mark,
      ).toBe(true);
  });

  test.each([
    [['--version'], ['commander'], 70],
    [['--help'], ['commander'], 70],
    [['help', 'audit'], ['commander'], 70],
    [['completion', 'bash'], ['commander'], 70],
    [['--unknown'], ['commander'], 70],
    [['status'], ['commander'], 150],
    [['complete', '--', '--env', ''], ['commander'], 150],
    [['log', '--env', 'staging'], ['commander', 'zod', 'yaml'], 400],
    [['schema'], ['commander', 'zod'], 300],
    [['doctor', '--iam', '--env', 'staging'], ['commander', 'zod', 'yaml'], 500],
    [['--yes', '--env', 'nowhere', '--release', '1.0.0'], ['commander', 'zod', 'yaml'], 500],
    [
      ['plan', '--env', 'staging', '--release', '1.14.0'],
      ['commander', 'zod', 'yaml', 'AWS clients', 'execa', 'component kinds', 'engine'],
      2000,
    ],
  ] as const)('by %j: %j, at most %d kB', async (args, expected, most) => {
    const {names, packages, bytes, files} = await loads(...args);
    expect(files.length).toBeGreaterThan(0);
    expect(names).toEqual(expected);
    expect(bytes / 1024).toBeLessThan(most);
    // Everything is in the bundle.
    expect(packages).toEqual([]);
  });

  test('only what is used is in the bundle of a library that comes with everything', async () => {
    const all = [...(await modulesByFile()).values()].flat();
    // `import {z} from 'zod'` would take its fifty languages along: it is `import * as z`.
    expect(all.filter(module => module.includes('zod/v4/locales/') && !module.endsWith('/en.js'))).toEqual([]);
    expect(all.filter(module => /@inquirer\/(?:editor|external-editor)|iconv-lite/.test(module))).toEqual([]);
  });
});
