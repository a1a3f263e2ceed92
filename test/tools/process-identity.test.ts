import {spawn} from 'node:child_process';
import {expect, test} from 'vitest';
import {fromPs, identify, isRunning} from '../../src/tools/process-identity.ts';

const startedByUs = () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {stdio: 'ignore'});
  const ended = new Promise(resolve => child.once('exit', resolve));
  return {pid: Number(child.pid), end: () => (child.kill('SIGKILL'), ended)};
};

test('a process runs until it has ended', async () => {
  const child = startedByUs();
  const identity = identify(child.pid);
  expect(isRunning(identity)).toBe(true);
  await child.end();
  expect(isRunning(identity)).toBe(false);
});

test('another process with the same pid is not taken for it', () => {
  const {pid, startTime} = identify(process.pid);
  expect(startTime).toEqual(expect.any(String));
  expect(isRunning({pid, startTime: `${startTime}1`})).toBe(false);
  expect(isRunning({pid})).toBe(true);
});

test('a process that nobody has waited for has ended', async () => {
  // A shell that never waits: its child stays there as a zombie.
  const shell = spawn('sh', ['-c', 'sh -c "exit 0" & echo $!; exec sleep 60'], {stdio: ['ignore', 'pipe', 'ignore']});
  const pid = Number(await new Promise(resolve => shell.stdout.once('data', data => resolve(String(data).trim()))));
  while (fromPs(pid) !== undefined && fromPs(pid)?.ended === false) await new Promise(resolve => setTimeout(resolve, 10));
  expect(isRunning({pid})).toBe(false);
  shell.kill('SIGKILL');
});

test('without /proc, ps tells the same', async () => {
  const child = startedByUs();
  expect(fromPs(child.pid)).toEqual({startTime: expect.stringMatching(/^\w+ \w+ \d+ [\d:]+ \d{4}$/), ended: false});
  await child.end();
  expect(fromPs(child.pid)).toBeUndefined();
});
