import {existsSync} from 'node:fs';
import {appendFile, chmod, mkdir, rm, writeFile} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {expect, test} from 'vitest';
import type {RecordedEvent} from '../../src/record/chain.ts';
import {type Cookbook, type World, expectReleased, project} from '../support/cookbook.ts';
import {type ProgramEnv, eventsOf, until, untilRecorded} from '../support/program.ts';
import {part, requires} from '../support/requires.ts';

const release = ['--yes', '--env', 'production', '--bump', 'patch', '--allow', 'outage'] as const;
const resume = ['resume', '--yes', '--env', 'production'] as const;

const intent = (step: string) => (event: RecordedEvent) => event.type === 'intent' && event.step === step;
const effect = (step: string) => (event: RecordedEvent) => event.type === 'effect' && event.step === step;

interface Moment {
  readonly at: string;
  readonly fits: (event: RecordedEvent) => boolean;
}

/** Starts it, and kills the wizard by force as soon as its record holds such an event. */
async function killedAt(app: Cookbook, args: readonly string[], {at, fits}: Moment): Promise<void> {
  const running = app.start(args);
  await untilRecorded(app.records, at, fits);
  running.kill('SIGKILL');
  expect((await running.ended).exitCode).toBe(137);
}

/** The same end as if nobody had disturbed it: each thing done once. */
async function expectResumed(app: Cookbook, before: World): Promise<void> {
  const record = await expectReleased(app, {version: '0.7.2', before, gitTag: '0.7.2'});
  expect(eventsOf(record, 'run.resumed').length).toBeGreaterThan(0);
  const done = eventsOf(record, 'effect').flatMap(({step, result}) => (result.is === 'done' ? [step] : []));
  expect(done).toEqual(['bump', 'commit', 'build', 'push', 'tfvars', 'terraform-apply', 'commit-tfvars', 'tag']);
}

const nothingToGoOnWith = {
  exitCode: 2,
  stderr: expect.stringContaining('there is nothing to go on with in production'),
};

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A wizard that is killed during the apply', () => {
  test('leaves Terraform at work: nobody else may release, and resume goes along to its end, however often it is killed', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    await app.hold();
    const first = app.start(release);
    await until(app.isHeld, 'the new instance');
    const other = await app.run(['--yes', '--env', 'production', '--release', '0.7.3', '--allow', 'outage']);
    expect(other.exitCode).toBe(4);
    expect(other.stderr).toMatch(/operator on \S+ \(process \d+\)/);

    first.kill('SIGKILL');
    expect((await first.ended).exitCode).toBe(137);
    const resumed = async (times: number) => {
      const running = app.start(resume);
      await until(async () => eventsOf(await app.record(), 'run.resumed').length === times, `the resumed run, number ${times}`);
      return running;
    };
    for (const times of [1, 2]) {
      const running = await resumed(times);
      running.kill('SIGKILL');
      await running.ended;
    }
    const last = await resumed(3);
    await app.letGo();
    expect((await last.ended).exitCode).toBe(0);
    await expectResumed(app, before);
  });

  test('finds the apply done when it comes back; before and after there is nothing to go on with', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    expect(await app.run(resume)).toMatchObject(nothingToGoOnWith);
    await app.hold();
    const running = app.start(release);
    await until(app.isHeld, 'the new instance');
    running.kill('SIGKILL');
    await running.ended;
    await app.letGo();
    await until(async () => (await app.answer()) === '0.7.2', 'the new instance to answer');
    expect(await app.git('log', '-1', '--format=%s')).toBe('Bump version to 0.7.2');

    const {exitCode, stderr} = await app.run(resume);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('terraform-apply had happened already');
    await expectResumed(app, before);
    expect((await app.run(['audit', '--env', 'production'])).exitCode).toBe(0);
    expect(await app.run(resume)).toMatchObject(nothingToGoOnWith);
  });
});

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A wizard that is killed anywhere else', () => {
  // Spread; cookbook-crash.test.ts has every moment of every step, in this process.
  test.for([
    {
      first: {at: 'during the build', fits: intent('build')},
      second: {at: 'during the push', fits: intent('push')},
      third: {at: 'between the edit of tfvars and the apply', fits: effect('tfvars')},
    },
    {
      first: {at: 'between build and push', fits: effect('build')},
      second: {at: 'after the approval', fits: (event: RecordedEvent) => event.type === 'approval.given'},
      third: {
        at: 'during the verification',
        fits: (event: RecordedEvent) => event.type === 'check' && event.job.phase === 'verify',
      },
    },
  ])(
    '$first.at, resumed and killed $second.at, and again $third.at: it comes to the same end',
    async ({first, second, third}) => {
      const app = await project({git: '{ commit: true, tag: "${version}" }'});
      const before = await app.world();
      await killedAt(app, release, first);
      await killedAt(app, resume, second);
      await killedAt(app, resume, third);

      const {exitCode, stderr, stdout} = await app.run(resume);
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      await expectResumed(app, before);
    },
  );

  test('with the commit made and nobody told, then with the image pushed: both are found, and not made again', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    const waiting = join(app.root, 'world', 'waiting');
    const wait = `touch '${waiting}'\nwhile test -e '${waiting}'; do sleep 0.05; done\n`;
    /** Kills the wizard when what it has started has done its work, and waits. */
    const killedWaiting = async (args: readonly string[], env?: ProgramEnv) => {
      const running = app.start(args, env && {env});
      await until(() => existsSync(waiting), 'what was started');
      running.kill('SIGKILL');
      const killed = await running.ended;
      await rm(waiting);
      return killed;
    };

    await app.write('.git/hooks/post-commit', `#!/bin/sh\n${wait}`);
    await chmod(app.path('.git/hooks/post-commit'), 0o755);
    await killedWaiting(release);
    expect(await app.git('log', '-1', '--format=%s')).toBe('Bump version to 0.7.2');
    await rm(app.path('.git/hooks/post-commit'));

    const bin = join(app.root, 'world', 'bin');
    await mkdir(bin);
    const {client} = part('docker');
    const shim = `#!/bin/sh\n'${client}' "$@" || exit\ntest "$1" = push || exit 0\n${wait}`;
    await writeFile(join(bin, 'docker'), shim, {mode: 0o755});
    const resumed = await killedWaiting(resume, {PATH: [bin, app.env['PATH']].join(delimiter)});
    expect(resumed.stderr).toContain('commit had happened already');
    const pushed = await app.digest('0.7.2');
    expect(pushed).toMatch(/^sha256:/);

    const {exitCode, stderr} = await app.run(resume);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('push had happened already');
    expect(await app.digest('0.7.2')).toBe(pushed);
    await expectResumed(app, before);
  });

  test('in the middle of a line of its record: it is cut off, and said; where nobody can be asked, everything is taken back', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    // A moment later policy would have approved it.
    await killedAt(app, release, {at: 'after the push', fits: effect('push')});
    await appendFile(join((await app.record()).folder, 'record.ndjson'), '{"seq":99,"at":"2026-1');

    const {exitCode, stderr} = await app.run(['resume', '--env', 'production']);
    expect(exitCode, stderr).toBe(3);
    expect(stderr).toContain('torn');
    expect((await app.record()).events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'refused', touched: false});
    expect(await app.world()).toEqual({...before, registry: {...before.registry, '0.7.2': expect.stringMatching(/^sha256:/)}});
  });
});
