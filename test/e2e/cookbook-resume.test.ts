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

/** Starts the release, and kills the wizard by force as soon as its record holds such an event. */
async function killedAt(app: Cookbook, what: string, fits: (event: RecordedEvent) => boolean, env?: ProgramEnv): Promise<void> {
  const running = app.start(release, env && {env});
  await untilRecorded(app.records, what, fits);
  running.kill('SIGKILL');
  expect((await running.ended).exitCode).toBe(137);
}

/** Kills it while the new instance is started, which waits to be let go. */
async function killedWhileHeld(app: Cookbook): Promise<void> {
  await app.hold();
  const running = app.start(release);
  await until(app.isHeld, 'the new instance');
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

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A wizard that is killed during the apply', () => {
  test('leaves Terraform at work; resume goes along to its end', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    await killedWhileHeld(app);

    const resumed = app.start(resume);
    await untilRecorded(app.records, 'the resumed run', event => event.type === 'run.resumed');
    await app.letGo();
    expect((await resumed.ended).exitCode).toBe(0);
    await expectResumed(app, before);
  });

  test('finds the apply done when it comes back', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    await killedWhileHeld(app);
    await app.letGo();
    await until(async () => (await app.answer()) === '0.7.2', 'the new instance to answer');
    expect(await app.git('log', '-1', '--format=%s')).toBe('Bump version to 0.7.2');

    const {exitCode, stderr} = await app.run(resume);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('terraform-apply had happened already');
    await expectResumed(app, before);
    expect((await app.run(['audit', '--env', 'production'])).exitCode).toBe(0);
  });

  test('may be killed as often as it likes', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    await killedWhileHeld(app);
    for (let times = 1; times <= 2; times++) {
      const running = app.start(resume);
      await until(async () => eventsOf(await app.record(), 'run.resumed').length === times, `the resumed run, number ${times}`);
      running.kill('SIGKILL');
      await running.ended;
    }
    await app.letGo();
    expect((await app.run(resume)).exitCode).toBe(0);
    await expectResumed(app, before);
  });

  test('is not replaced by a second release; only resume goes on', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    await app.hold();
    const first = app.start(release);
    await until(app.isHeld, 'the new instance');

    const second = await app.run(['--yes', '--env', 'production', '--release', '0.7.3', '--allow', 'outage']);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toMatch(/operator on \S+ \(process \d+\)/);

    await app.letGo();
    expect((await first.ended).exitCode).toBe(0);
    await expectReleased(app, {version: '0.7.2', before, gitTag: '0.7.2'});
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
    {at: 'during the build', fits: intent('build')},
    {at: 'between build and push', fits: effect('build')},
    {at: 'during the push', fits: intent('push')},
    {at: 'after the approval', fits: (event: RecordedEvent) => event.type === 'approval.given'},
    {at: 'between the edit of tfvars and the apply', fits: effect('tfvars')},
    {at: 'during the verification', fits: (event: RecordedEvent) => event.type === 'check' && event.job.phase === 'verify'},
  ])('$at: resume comes to the same end', async ({at, fits}) => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    await killedAt(app, at, fits);

    const {exitCode, stderr, stdout} = await app.run(resume);
    expect(exitCode, `${stdout}${stderr}`).toBe(0);
    await expectResumed(app, before);
  });

  test('with the commit made and nobody told: it is found, and not made again', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    const waiting = join(app.root, 'world', 'commit-held');
    await app.write('.git/hooks/post-commit', `#!/bin/sh\ntouch '${waiting}'\nwhile test -e '${waiting}'; do sleep 0.05; done\n`);
    await chmod(app.path('.git/hooks/post-commit'), 0o755);
    const running = app.start(release);
    await until(() => existsSync(waiting), 'the commit');
    expect(await app.git('log', '-1', '--format=%s')).toBe('Bump version to 0.7.2');
    running.kill('SIGKILL');
    await running.ended;
    await rm(app.path('.git/hooks/post-commit'));
    await rm(waiting);

    const {exitCode, stderr} = await app.run(resume);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('commit had happened already');
    await expectResumed(app, before);
  });

  test('with the image pushed and nobody told: it is found, and not pushed again', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    const bin = join(app.root, 'world', 'bin');
    const {client} = part('docker');
    await mkdir(bin);
    const waiting = join(app.root, 'world', 'push-held');
    const shim = `#!/bin/sh
'${client}' "$@" || exit
test "$1" = push || exit 0
touch '${waiting}'
while test -e '${waiting}'; do sleep 0.05; done
`;
    await writeFile(join(bin, 'docker'), shim, {mode: 0o755});
    const running = app.start(release, {env: {PATH: [bin, app.env['PATH']].join(delimiter)}});
    await until(() => existsSync(waiting), 'the push');
    running.kill('SIGKILL');
    await running.ended;
    await rm(waiting);
    const pushed = await app.digest('0.7.2');

    const {exitCode, stderr} = await app.run(resume);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('push had happened already');
    expect(await app.digest('0.7.2')).toBe(pushed);
    await expectResumed(app, before);
  });

  test('in the middle of a line of its record: the torn line is cut off, and said', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    await killedAt(app, 'the push', effect('push'));
    await appendFile(join((await app.record()).folder, 'record.ndjson'), '{"seq":99,"at":"2026-1');

    const {exitCode, stderr} = await app.run(resume);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('torn');
    await expectResumed(app, before);
  });

  test('before the approval, and resumed where nobody can be asked: declined, and everything taken back', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    // A moment later policy would have approved it.
    await killedAt(app, 'the push', effect('push'));

    const {exitCode, stderr} = await app.run(['resume', '--env', 'production']);
    expect(exitCode, stderr).toBe(3);
    expect(await app.world()).toEqual({...before, registry: {...before.registry, '0.7.2': expect.stringMatching(/^sha256:/)}});
  });

  test('with nothing to go on with, resume says so', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    const never = await app.run(resume);
    expect(never).toMatchObject({exitCode: 2, stderr: expect.stringContaining('there is nothing to go on with in production')});

    await app.run(release);
    const done = await app.run(resume);
    expect(done).toMatchObject({exitCode: 2, stderr: expect.stringContaining('there is nothing to go on with in production')});
    await expectReleased(app, {version: '0.7.2', before, gitTag: '0.7.2'});
  });
});
