import {mkdtemp, readFile, rm, stat} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import {describe, expect, onTestFinished, test} from 'vitest';
import {createJobLogs} from '../../src/record/logs.ts';
import {createRedaction} from '../../src/record/redact.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'dw-logs-'));
  onTestFinished(() => rm(made, {recursive: true, force: true}));
  return made;
}

const job = 'core.apply';

describe('the log of a job', () => {
  test('is a file that nobody else may read, and the newest lines at hand', async () => {
    const made = await folder();
    const logs = createJobLogs(made, createRedaction());
    for (const line of ['one', 'two', 'three']) logs.write(job, line);
    logs.write('*.preflight', 'for all');
    expect(logs.tail(job, 2)).toEqual(['two', 'three']);
    expect(logs.total(job)).toBe(3);
    expect(logs.path(job)).toBe(path.join(made, 'core.apply.log'));
    await logs.close();
    expect(await readFile(path.join(made, 'core.apply.log'), 'utf8')).toBe('one\ntwo\nthree\n');
    expect(await readFile(path.join(made, 'release.preflight.log'), 'utf8')).toBe('for all\n');
    expect((await stat(path.join(made, 'core.apply.log'))).mode & 0o777).toBe(0o600);
  });

  test('knows when each line was written, as far as the lines are at hand', () => {
    let now = 0;
    const logs = createJobLogs(undefined, createRedaction(), () => (now += 1));
    for (let line = 1; line <= 5000; line += 1) logs.write(job, `line ${line}`);
    expect(logs.tail(job, 3)).toEqual(['line 4998', 'line 4999', 'line 5000']);
    expect(logs.times(job, 3)).toEqual([4998, 4999, 5000]);
    expect(logs.times(job, 9999)).toHaveLength(logs.tail(job, 9999).length);
    expect(logs.times('unknown', 3)).toEqual([]);
  });

  test('goes on where an earlier process of the run has stopped', async () => {
    const made = await folder();
    for (const line of ['one', 'two']) {
      const logs = createJobLogs(made, createRedaction());
      logs.write(job, line);
      await logs.close();
    }
    expect(await readFile(path.join(made, 'core.apply.log'), 'utf8')).toBe('one\ntwo\n');
  });

  test('writes nothing where nothing is to be written', async () => {
    const logs = createJobLogs(undefined, createRedaction());
    logs.write(job, 'one');
    expect(logs.tail(job, 10)).toEqual(['one']);
    expect(logs.path(job)).toBeUndefined();
    await logs.close();
  });

  test('of a job that wrote nothing is empty', () => {
    const logs = createJobLogs(undefined, createRedaction());
    expect([logs.tail('other.plan', 5), logs.total('other.plan'), logs.path('other.plan'), logs.version]).toEqual([
      [],
      0,
      undefined,
      0,
    ]);
  });

  test('tells by its version that there is more to draw', () => {
    const logs = createJobLogs(undefined, createRedaction());
    const versions = ['a', 'b', 'c'].map(line => {
      logs.write(job, line);
      return logs.version;
    });
    expect(new Set(versions).size).toBe(3);
  });

  test('does not end a release when it cannot be written', async () => {
    const logs = createJobLogs(path.join(await folder(), 'not', 'there'), createRedaction());
    logs.write(job, 'one');
    await logs.close();
    expect(logs.tail(job, 1)).toEqual(['one']);
  });
});

describe('lines', () => {
  test('are told apart by every kind of line end, and keep their indent', () => {
    const logs = createJobLogs(undefined, createRedaction());
    logs.write(job, 'one\ntwo\r\nthree\rfour  ');
    logs.write(job, '  indented\twith a tab');
    expect(logs.tail(job, 10)).toEqual(['one', 'two', 'three', 'four', '  indented\twith a tab']);
  });

  test('longer than any screen are cut at hand, not in the file', async () => {
    const made = await folder();
    const logs = createJobLogs(made, createRedaction());
    const long = 'x'.repeat(1_000_000);
    logs.write(job, long);
    expect(logs.tail(job, 1)[0]?.length).toBeLessThan(5000);
    expect(logs.tail(job, 1)[0]).toMatch(/^x+…$/);
    await logs.close();
    expect(await readFile(path.join(made, 'core.apply.log'), 'utf8')).toBe(`${long}\n`);
  });

  test('stay at hand up to a bound, the newest of them; the file has them all', async () => {
    const made = await folder();
    const logs = createJobLogs(made, createRedaction());
    const many = 9001;
    for (let number = 0; number < many; number++) logs.write(job, `line ${number}`);
    const tail = logs.tail(job, many);
    expect(tail).toHaveLength(2000);
    expect(tail.at(-1)).toBe(`line ${many - 1}`);
    expect(tail[0]).toBe(`line ${many - 2000}`);
    expect(logs.total(job)).toBe(many);
    await logs.close();
    expect((await readFile(path.join(made, 'core.apply.log'), 'utf8')).split('\n')).toHaveLength(many + 1);
  });
});

describe('what must not get into a log', () => {
  test.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['moves of the cursor', 'a\u001b[2J\u001b[1;1Hb', 'ab'],
    ['a window title', '\u001b]0;gotcha\u0007text', 'text'],
    ['a link', '\u001b]8;;https://example.edu\u0007text\u001b]8;;\u0007', 'text'],
    ['one-byte sequences', '\u009b31mred', 'red'],
    ['a sequence that was cut off', 'text\u001b', 'text'],
    ['backspaces and bells', 'pass\u0008\u0008\u0008\u0008fail\u0007', 'passfail'],
    ['a zero byte', 'a\u0000b', 'ab'],
  ])('%s', (_what, text, left) => {
    const logs = createJobLogs(undefined, createRedaction());
    logs.write(job, text);
    expect(logs.tail(job, 1)).toEqual([left]);
  });

  test('a secret, in memory and in the file, also one that is interrupted by what is taken out', async () => {
    const made = await folder();
    const redaction = createRedaction();
    redaction.learn('hunter22');
    const logs = createJobLogs(made, redaction);
    for (const text of ['hunter22', 'hun\u001b[1mter\u001b[0m22', 'hunter\u000022', '\u001b[31mhunter22'])
      logs.write(job, `password: ${text}`);
    await logs.close();
    const file = await readFile(path.join(made, 'core.apply.log'), 'utf8');
    expect(file).toBe('password: •••\n'.repeat(4));
    expect(logs.tail(job, 4).join('\n')).not.toContain('hunter');
  });

  test('nothing that a terminal obeys, whatever is written', () => {
    fc.assert(
      fc.property(fc.array(fc.string({unit: 'binary'}), {maxLength: 5}), lines => {
        const logs = createJobLogs(undefined, createRedaction());
        lines.forEach(line => logs.write(job, line));
        for (const line of logs.tail(job, 100)) expect(line).not.toMatch(/[\p{Cc}--\t]/v);
      }),
    );
  });
});
