import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {StoppedError} from '../../src/release/errors.ts';
import {CommandError, exec, execOk, MissingToolError, showCommand, type ExecOptions} from '../../src/tools/exec.ts';

const env = {PATH: process.env['PATH']};
/** Runs a script with this Node: a child that does exactly what the test needs. */
const node = (script: string, options: Partial<ExecOptions> = {}) => exec(process.execPath, ['-e', script], {env, ...options});

describe('what a child prints', () => {
  test('comes back whole, with any exit code', async () => {
    await expect(node(`console.log('out'); console.error('err'); process.exitCode = 3`)).resolves.toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('comes line by line while it runs, redrawn lines too', async () => {
    const lines: string[] = [];
    await node(String.raw`process.stdout.write('10 %\r50 %\r100 %\r\ndone\nno end'); process.stderr.write('aside\n')`, {
      onLine: (line, stream) => lines.push(`${stream}: ${line}`),
    });
    expect(lines.filter(line => line.startsWith('stdout'))).toEqual([
      'stdout: 10 %',
      'stdout: 50 %',
      'stdout: 100 %',
      'stdout: done',
      'stdout: no end',
    ]);
    expect(lines).toContain('stderr: aside');
  });

  test('is kept only so far: the end of it, and never in memory what nobody wants', async () => {
    const hundredMegabytes = `const line = 'x'.repeat(999) + '\\n'; (async () => {
      for (let i = 0; i < 100_000; i++) if (!process.stdout.write(line)) await new Promise(next => process.stdout.once('drain', next));
    })()`;
    let lines = 0;
    const before = process.memoryUsage().rss;
    const result = await node(hundredMegabytes, {maxBuffer: 0, onLine: () => lines++});
    expect(lines).toBe(100_000);
    expect(result).toMatchObject({exitCode: 0, stdout: '', truncated: true});
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);

    await expect(node(`process.stdout.write('0123456789')`, {maxBuffer: 4})).resolves.toMatchObject({
      stdout: '6789',
      truncated: true,
    });
  });
});

describe('what a child gets', () => {
  test('is the environment given, and nothing of ours', async () => {
    const {stdout} = await exec('env', [], {env: {PATH: process.env['PATH'], COLOUR: 'green', GONE: undefined}});
    expect(stdout.trim().split('\n').sort()).toEqual(['COLOUR=green', `PATH=${process.env['PATH']}`]);
  });

  test('is its arguments as they are: no shell reads them', async () => {
    const hostile = ['$(touch /tmp/never)', '; false', 'a b', '', '-n', "it's"];
    const {stdout} = await exec(process.execPath, ['-p', 'JSON.stringify(process.argv.slice(1))', '--', ...hostile], {env});
    expect(JSON.parse(stdout)).toEqual(hostile);
  });

  test('is a secret on standard input, and an empty input otherwise', async () => {
    await expect(exec('cat', [], {env, input: 'hunter2'})).resolves.toMatchObject({stdout: 'hunter2'});
    await expect(exec('cat', [], {env})).resolves.toMatchObject({stdout: '', exitCode: 0});
  });

  test('may be left unread', async () => {
    await expect(exec('true', [], {env, input: 'x'.repeat(1_000_000)})).resolves.toMatchObject({exitCode: 0});
  });
});

describe('a command that fails', () => {
  test('says which, how, and the end of what it said', async () => {
    const failing = execOk('sh', ['-c', 'echo fine; echo "denied: no access" >&2; exit 5'], {env, maxBuffer: 0});
    await expect(failing).rejects.toBeInstanceOf(CommandError);
    await expect(failing).rejects.toMatchObject({
      message: `\`sh -c 'echo fine; echo "denied: no access" >&2; exit 5'\` ended with exit code 5.\ndenied: no access`,
      result: {exitCode: 5},
    });
  });

  test('says its output when it has no errors to tell, and no more than ten lines', async () => {
    const error = await execOk('sh', ['-c', 'seq 1 500; false'], {env}).catch((error: unknown) => error);
    const lines = String(error).split('\n').slice(1);
    expect(lines).toEqual(['491', '492', '493', '494', '495', '496', '497', '498', '499', '500']);
  });

  test('that a signal ended has the exit code a shell would show', async () => {
    await expect(exec('sh', ['-c', 'kill -KILL $$'], {env})).resolves.toMatchObject({exitCode: 137});
  });

  test('and is not there is named, with how to get it', async () => {
    const missing = exec('terraform', ['version'], {env: {PATH: '/nowhere'}});
    await expect(missing).rejects.toBeInstanceOf(MissingToolError);
    await expect(missing).rejects.toMatchObject({tool: 'terraform', next: [expect.stringContaining('https://')]});
  });

  test('for want of its folder does not blame the program', async () => {
    await expect(exec('env', [], {env, cwd: '/nowhere/at/all'})).rejects.toThrow(
      'cannot run in /nowhere/at/all: there is no such folder',
    );
  });

  test('to start because it is no program says so', async () => {
    await expect(exec('/etc/passwd', [], {env})).rejects.toThrow(/could not be started.*EACCES/);
  });
});

describe('stopping', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dw-exec-'));
  });
  afterAll(() => rm(folder, {recursive: true}));

  test('reaches the child and what it started, and waits for its last words', async () => {
    const script = join(folder, 'parent.sh');
    // The grandchild says when a signal will end it: a shell that has just forked would lose one.
    await writeFile(script, `trap 'wait $!; echo cleaned up; exit 1' TERM\nsh -c 'echo ready; exec sleep 600' &\nwait $!\n`);
    const stop = new AbortController();
    const lines: string[] = [];
    const running = exec('sh', [script], {
      env,
      signal: stop.signal,
      onLine(line, stream) {
        if (stream === 'stdout') lines.push(line);
        if (line === 'ready') stop.abort();
      },
    });
    await expect(running).rejects.toBeInstanceOf(StoppedError);
    expect(lines).toEqual(['ready', 'cleaned up']);
  });

  test('sends one SIGINT where that was asked for', async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    const interrupted = node(
      `process.on('SIGINT', () => { console.log('one'); clearInterval(alive); }); const alive = setInterval(() => {}, 1e6); console.log('ready')`,
      {
        signal: stop.signal,
        stopSignal: 'SIGINT',
        onLine(line) {
          lines.push(line);
          stop.abort();
        },
      },
    );
    await expect(interrupted).rejects.toBeInstanceOf(StoppedError);
    expect(lines).toEqual(['ready', 'one']);
  });

  test('before the start starts nothing', async () => {
    const touched = join(folder, 'touched');
    await expect(exec('touch', [touched], {env, signal: AbortSignal.abort()})).rejects.toBeInstanceOf(StoppedError);
    await expect(exec('ls', [touched], {env})).resolves.not.toMatchObject({exitCode: 0});
  });

  test('because time is up is an error that says so', async () => {
    await expect(exec('sleep', ['600'], {env, timeoutMs: 20})).rejects.toThrow('`sleep 600` did not end within 0.02 s');
  });
});

test('a command is shown as somebody could type it', () => {
  expect(showCommand(['git', 'commit', '-m', "it's\n\nlong", '--', 'a/b.txt', ''])).toBe(
    String.raw`git commit -m 'it'\''s long' -- a/b.txt ''`,
  );
  // What is left of a long secret nobody could hide.
  const long = 'c2VjcmV0'.repeat(40);
  expect(showCommand(['docker', `--build-arg=TOKEN=${long}=`, `--token=${long}=`, long])).toBe(
    "docker '--build-arg=TOKEN=…' '--token=…' '…'",
  );
});
