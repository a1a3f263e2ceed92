import {execFile, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {mkdir, mkdtemp, realpath, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {build} from 'esbuild';
import {describe, onTestFinished} from 'vitest';
import {StoppedError} from '../../../src/release/errors.ts';
import {planJson, type PlanJson} from '../../../src/tools/terraform/plan-json.ts';
import {readMessage, type TerraformMessage} from '../../../src/tools/terraform/stream.ts';

const fixtures = new URL('../../fixtures/terraform/', import.meta.url);

/** The messages of a stream that a real Terraform 1.11.4 has printed. */
export function streamOf(name: string): TerraformMessage[] {
  return readFileSync(new URL(`${name}.jsonl`, fixtures), 'utf8')
    .trimEnd()
    .split('\n')
    .map(readMessage);
}

/** What a real Terraform 1.11.4 has said of a plan. */
export function planOf(name: string): PlanJson {
  return planJson.parse(JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8')));
}

/** Without a CLI config file of the machine's: there may be a mirror or a token in it. */
export const env = {...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1'};

const program = 'terraform';
const hasTerraform = spawnSync(program, ['version'], {env}).status === 0;

/** `describe` for what needs a real Terraform. In CI it is missed, elsewhere skipped. */
export const withTerraform = hasTerraform || process.env['CI'] ? describe : describe.skip;

/** A folder of the test's own; removed at its end. */
export async function folder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'dw-terraform-')));
  onTestFinished(() => rm(path, {recursive: true, force: true}));
  return path;
}

/** A root module with these files. */
export async function module(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await folder();
  for (const [name, text] of Object.entries(files)) await write(join(path, name), text);
  return path;
}

export async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), {recursive: true});
  await writeFile(path, text);
}

/** Runs Terraform as a colleague would; answers what it printed. */
export async function terraform(directory: string, ...args: string[]): Promise<string> {
  const {stdout} = await promisify(execFile)(program, args, {cwd: directory, env});
  return stdout;
}

/** Waits until something is there; fails after ten seconds. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>, what = 'it'): Promise<T> {
  const limit = Date.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > limit) throw new Error(`Waited in vain for ${what}.`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new StoppedError('stopped');
  const {promise, resolve, reject} = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => reject(new StoppedError('stopped')), {once: true});
  await promise.finally(() => clearTimeout(timer));
}

/** The supervisor as it is shipped: bundled into one file. */
export async function bundleSupervisor(into: string): Promise<string> {
  const outfile = join(into, 'supervisor.mjs');
  const entry = new URL('../../../src/tools/terraform/supervisor.ts', import.meta.url);
  await build({
    entryPoints: [entry.pathname],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    outfile,
    logLevel: 'warning',
  });
  return outfile;
}
