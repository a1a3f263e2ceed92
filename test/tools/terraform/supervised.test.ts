import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeAll, expect, test} from 'vitest';
import {StoppedError} from '../../../src/release/errors.ts';
import {readApply} from '../../../src/tools/terraform/apply.ts';
import {isRunning} from '../../../src/tools/process-identity.ts';
import {
  AlreadyStartedError,
  follow,
  inspectSupervised,
  interruptAgain,
  interruptOnce,
  startSupervised,
  type StartOptions,
} from '../../../src/tools/terraform/runner.ts';
import {readMessage} from '../../../src/tools/terraform/stream.ts';
import {createTerraform} from '../../../src/tools/terraform/terraform.ts';
import {bundleSupervisor, env, folder, module, sleep, terraform, until, withTerraform} from './support.ts';

const node = process.execPath;
const never = new AbortController().signal;
let supervisor: string;

beforeAll(async () => {
  const bundle = await mkdtemp(join(tmpdir(), 'dw-supervisor-'));
  supervisor = await bundleSupervisor(bundle);
  return () => rm(bundle, {recursive: true});
});

/** Two resources, one after the other; the second waits for the file `go`. */
const waiting = `
resource "terraform_data" "first" {
}
resource "terraform_data" "second" {
  triggers_replace = [terraform_data.first.id]
  provisioner "local-exec" {
    command = "touch waiting; until test -e go || ! test -e main.tf; do sleep 0.05; done"
  }
}
`;

/** A module with a plan, and what it takes to apply that. */
async function planned(config = waiting): Promise<{directory: string; start: StartOptions}> {
  const directory = await module({'main.tf': config});
  const tf = createTerraform({env});
  await tf.plan({directory}, {out: 'run/p.tfplan', lock: true, lockTimeoutSeconds: 0});
  const command = tf.applyCommand({directory}, 'run/p.tfplan', 0);
  return {directory, start: {...command, folder: join(directory, 'run/apply'), node, supervisor}};
}

async function toTheEnd(folder: string) {
  const lines: string[] = [];
  const end = await follow(folder, {onLine: line => lines.push(line), signal: never, pollMs: 20, sleep});
  return {end, lines, result: readApply(lines.map(readMessage), end)};
}

withTerraform('a supervised apply', () => {
  test('goes through, and everything is on disk, for us alone', async () => {
    const {directory, start} = await planned('resource "terraform_data" "x" {\n}\n');
    expect(await inspectSupervised(start.folder)).toEqual({is: 'absent'});
    await startSupervised({...start, env: {...start.env, AWS_SECRET_ACCESS_KEY: 'not-for-the-disk'}});
    const {end, result} = await toTheEnd(start.folder);

    expect(end).toEqual({is: 'ended', exitCode: 0, signal: null});
    expect(result).toMatchObject({outcome: 'applied', summary: {add: 1, change: 0, remove: 0}, error: undefined});
    expect(result.completed).toMatchObject([{address: 'terraform_data.x', action: 'create'}]);
    expect(await inspectSupervised(start.folder)).toEqual(end);
    expect(await terraform(directory, 'state', 'list')).toBe('terraform_data.x\n');

    expect((await stat(start.folder)).mode & 0o777).toBe(0o700);
    const names = await readdir(start.folder);
    expect(names.sort()).toEqual(['claim', 'err.log', 'exit.json', 'out.jsonl', 'pid.json', 'request.json', 'supervisor.log']);
    for (const name of names) {
      expect((await stat(join(start.folder, name))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(start.folder, name), 'utf8')).not.toContain('not-for-the-disk');
    }
    expect(await readFile(join(start.folder, 'supervisor.log'), 'utf8')).toBe('');
  });

  test('that has nothing to do is applied as well', async () => {
    const {directory, start} = await planned('resource "terraform_data" "x" {\n}\n');
    await terraform(directory, 'apply', '-auto-approve');
    const tf = createTerraform({env});
    await tf.plan({directory}, {out: 'run/p.tfplan', lock: true, lockTimeoutSeconds: 0});
    await startSupervised(start);
    expect((await toTheEnd(start.folder)).result).toMatchObject({
      outcome: 'applied',
      summary: {add: 0, change: 0, remove: 0},
      operations: [],
    });
  });

  test('of a plan that is stale', async () => {
    const {directory, start} = await planned('resource "terraform_data" "x" {\n}\n');
    await terraform(directory, 'apply', '-auto-approve');
    await startSupervised(start);
    expect((await toTheEnd(start.folder)).result.outcome).toBe('stale');
  });

  test('is started once', async () => {
    const {start} = await planned('resource "terraform_data" "x" {\n}\n');
    const starts = await Promise.allSettled([startSupervised(start), startSupervised(start)]);
    expect(starts.map(({status}) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(starts.find(({status}) => status === 'rejected')).toMatchObject({reason: expect.any(AlreadyStartedError)});
    await toTheEnd(start.folder);
    await expect(startSupervised(start)).rejects.toBeInstanceOf(AlreadyStartedError);
  });

  test('survives the SIGKILL of who started it, and is followed from the start by another', async () => {
    const {directory, start} = await planned();
    const runner = new URL('../../../src/tools/terraform/runner.ts', import.meta.url).href;
    const script = `const {startSupervised} = await import(${JSON.stringify(runner)});
      await startSupervised(JSON.parse(process.argv[1]));
      console.log('started');
      setInterval(() => {}, 1000);`;
    const starter = spawn(node, ['--input-type=module', '--eval', script, JSON.stringify(start)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const killed = new Promise(resolve => starter.once('exit', (_, signal) => resolve(signal)));
    await until(() => existsSync(join(directory, 'waiting')) || undefined, 'the provisioner');
    // Its whole group, as a terminal would.
    process.kill(-Number(starter.pid), 'SIGKILL');
    expect(await killed).toBe('SIGKILL');

    expect(await inspectSupervised(start.folder)).toEqual({is: 'running', pid: expect.any(Number)});
    await writeFile(join(directory, 'go'), '');
    const {result} = await toTheEnd(start.folder);
    expect(result).toMatchObject({outcome: 'applied', summary: {add: 2}});
    expect(result.planned).toHaveLength(2);
  });

  test('is not disturbed by signals to its supervisor', async () => {
    const {directory, start} = await planned();
    await startSupervised(start);
    await until(() => existsSync(join(directory, 'waiting')) || undefined, 'the provisioner');
    const {pid}: {pid: number} = JSON.parse(readFileSync(join(start.folder, 'claim'), 'utf8'));
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGINT'] as const) process.kill(-pid, signal);
    await writeFile(join(directory, 'go'), '');
    expect((await toTheEnd(start.folder)).result.outcome).toBe('applied');
  });

  test('goes on when nobody follows any more', async () => {
    const {directory, start} = await planned();
    await startSupervised(start);
    const stop = new AbortController();
    const lines: string[] = [];
    const following = follow(start.folder, {onLine: line => lines.push(line), signal: stop.signal, pollMs: 20, sleep});
    await until(() => lines.some(line => line.includes('provision_start')) || undefined, 'the provisioner');
    stop.abort();
    await expect(following).rejects.toBeInstanceOf(StoppedError);
    expect(await inspectSupervised(start.folder)).toMatchObject({is: 'running'});

    await writeFile(join(directory, 'go'), '');
    const all = await toTheEnd(start.folder);
    expect(all.result.outcome).toBe('applied');
    expect(all.lines.slice(0, lines.length)).toEqual(lines);
  });

  test('is interrupted exactly once, whoever asks', async () => {
    const {directory, start} = await planned();
    expect(await interruptOnce(start.folder)).toBe(false);
    await startSupervised(start);
    await until(() => existsSync(join(directory, 'waiting')) || undefined, 'the provisioner');
    expect(await interruptAgain(start.folder)).toBe(false);

    const sent = await Promise.all([interruptOnce(start.folder), interruptOnce(start.folder), interruptOnce(start.folder)]);
    expect(sent.filter(Boolean)).toHaveLength(1);
    const {result, end} = await toTheEnd(start.folder);
    expect(end).toEqual({is: 'ended', exitCode: 1, signal: null});
    expect(result).toMatchObject({outcome: 'interrupted', interrupts: 1});
    expect(result.completed).toMatchObject([{address: 'terraform_data.first', action: 'create'}]);
    expect(result.error).toBeInstanceOf(StoppedError);

    // The state was saved and the lock given back.
    expect(await createTerraform({env}).plan({directory}, {out: 'run/next', lock: true, lockTimeoutSeconds: 0})).toMatchObject({
      exitCode: 2,
    });
    expect(await interruptOnce(start.folder)).toBe(false);
    expect(await interruptAgain(start.folder)).toBe(false);
  });

  test('is lost when Terraform and its supervisor are killed', async () => {
    const {directory, start} = await planned();
    await startSupervised(start);
    await until(() => existsSync(join(directory, 'waiting')) || undefined, 'the provisioner');
    const running = await inspectSupervised(start.folder);
    const {pid}: {pid: number} = JSON.parse(readFileSync(join(start.folder, 'claim'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    // Terraform alone goes on.
    await until(() => !isRunning({pid}) || undefined, 'the death of the supervisor');
    expect(await inspectSupervised(start.folder)).toEqual(running);

    process.kill(running.is === 'running' ? Number(running.pid) : 0, 'SIGKILL');
    const {result, end} = await toTheEnd(start.folder);
    await writeFile(join(directory, 'go'), '');
    expect(end).toEqual({is: 'lost'});
    expect(result).toMatchObject({outcome: 'lost', error: {exitCode: 7}});
    expect(result.error?.means).toContain('Done: create terraform_data.first.');
    expect(result.error?.means).toContain('Not heard of again: create terraform_data.second.');
    expect(await interruptOnce(start.folder)).toBe(false);
  });

  test('that is killed alone is known to be', async () => {
    const {directory, start} = await planned();
    await startSupervised(start);
    await until(() => existsSync(join(directory, 'waiting')) || undefined, 'the provisioner');
    const running = await inspectSupervised(start.folder);
    process.kill(running.is === 'running' ? Number(running.pid) : 0, 'SIGKILL');
    const {result, end} = await toTheEnd(start.folder);
    await writeFile(join(directory, 'go'), '');
    expect(end).toEqual({is: 'ended', exitCode: null, signal: 'SIGKILL'});
    expect(result.outcome).toBe('lost');
    expect(result.error?.message).toBe('Terraform was killed (SIGKILL) during the apply.');
  });
});

test('a program that is not there is told as such', async () => {
  const start = {
    folder: join(await folder(), 'run'),
    node,
    supervisor,
    file: 'terraform-that-is-not-there',
    args: [],
    cwd: await folder(),
    env,
  };
  await startSupervised(start);
  const {end, result} = await toTheEnd(start.folder);
  expect(end).toEqual({is: 'ended', exitCode: null, signal: null, error: expect.stringContaining('ENOENT')});
  expect(result).toMatchObject({outcome: 'failed', error: {means: 'Nothing was changed.'}});
});

test('a supervisor that cannot start says why, and may be started again', async () => {
  const start = {
    folder: join(await folder(), 'run'),
    node,
    supervisor: '/nowhere/supervisor.mjs',
    file: 'true',
    args: [],
    cwd: await folder(),
    env,
  };
  await expect(startSupervised(start)).rejects.toThrow(/Cannot find module '\/nowhere\/supervisor.mjs'/);
  await expect(startSupervised({...start, node: '/nowhere/node'})).rejects.toThrow(/ENOENT/);
  expect(await inspectSupervised(start.folder)).toEqual({is: 'absent'});
  await startSupervised({...start, supervisor});
  expect((await toTheEnd(start.folder)).end).toMatchObject({exitCode: 0});
});

test('output is read whole, whatever way it is cut', async () => {
  const script = String.raw`process.stdout.write('first\nsec'); process.stdout.write(Buffer.from('ond é').subarray(0, 5)); process.stderr.write('warned\n');
    process.stdout.write(Buffer.from([0xa9, 0x0a])); process.stdout.write('x'.repeat(300000) + '\nlast without an end');`;
  const start = {
    folder: join(await folder(), 'run'),
    node,
    supervisor,
    file: node,
    args: ['-e', script],
    cwd: await folder(),
    env,
  };
  await startSupervised(start);
  const lines: string[] = [];
  await follow(start.folder, {onLine: (line, stream) => lines.push(`${stream}: ${line}`), signal: never, pollMs: 1, sleep});
  expect(lines.filter(line => line.startsWith('stdout'))).toEqual([
    'stdout: first',
    'stdout: second é',
    `stdout: ${'x'.repeat(300_000)}`,
    'stdout: last without an end',
  ]);
  expect(lines).toContain('stderr: warned');
});

test('following what was never started is an error', async () => {
  await mkdir(join(await folder(), 'run'));
  await expect(toTheEnd(await folder())).rejects.toThrow('Nothing was started');
});
