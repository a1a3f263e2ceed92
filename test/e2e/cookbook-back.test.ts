/** The way back of the cookbook: by `rollback`, and by policy when a release fails. */
import {expect, test} from 'vitest';
import {type Cookbook, answeringFile, expectNothingLeft, project} from '../support/cookbook.ts';
import {type RunRecord, eventsOf} from '../support/program.ts';
import {requires} from '../support/requires.ts';

const release = ['--yes', '--env', 'production', '--bump', 'patch', '--allow', 'outage'] as const;

/** The steps that were done, in order. */
const done = (record: RunRecord) => eventsOf(record, 'effect').flatMap(({step, result}) => (result.is === 'done' ? [step] : []));

const log = async (app: Cookbook, since: string) => (await app.git('log', '--format=%s', `${since}..HEAD`)).split('\n');

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('The way back', () => {
  test('to what was adopted, after a release: the old image, nothing built, and what the files hold is said', async () => {
    const app = await project();
    expect(await app.run(['adopt', '--yes', '--env', 'production', '--reason', 'by the cookbook'])).toMatchObject({exitCode: 0});
    expect(await app.run(release)).toMatchObject({exitCode: 0});
    const released = await app.world();

    const refused = await app.run(['rollback', '--yes', '--env', 'production']);
    expect(refused).toMatchObject({exitCode: 3, stderr: expect.stringContaining('--allow outage:service')});
    expect(await app.world()).toEqual(released);

    const back = await app.run(['rollback', '--yes', '--env', 'production', '--allow', 'outage']);
    expect(back.exitCode, `${back.stdout}${back.stderr}`).toBe(0);
    expect(back.stdout).toContain('data-models-sqlalchemy 0.7.1 → production: passed');
    expect(back.stderr).toContain(
      'afterwards terraform.tfvars says what it said before (committed); the source goes on saying 0.7.2',
    );
    expect(done(await app.record())).toEqual(['tfvars', 'terraform-apply', 'commit-tfvars']);

    // It is true.
    const now = await app.world();
    expect(await app.answer()).toBe('0.7.1');
    expect(now.environment.image).toBe(`${app.image}:0.7.1`);
    expect(now.registry).toEqual(released.registry);
    expect(now.files).toEqual({
      version: released.files.version,
      tfvars: released.files.tfvars.replace('image_tag     = "0.7.2"', 'image_tag     = "0.7.1"'),
    });
    expect(now.git.status).toBe('');
    expect(await log(app, released.git.head)).toEqual(['Deploy 0.7.1']);
    expect((await app.starts()).at(-1)).toBe('0.7.1');
    expect((await app.run(['audit', '--env', 'production'])).exitCode).toBe(0);
    await expectNothingLeft(app);
  });

  test.for([
    {
      fails: 'never answers rightly',
      options: {within: '2s'},
      // What is packaged answers something else from now on.
      spoil: (app: Cookbook) => app.write(answeringFile, '#!/bin/busybox sh\nprintf "\\r\\n\\r\\nbroken\\n"\n'),
      because: 'waiting for 0.7.2',
      commits: ['Deploy 0.7.1', 'Deploy 0.7.2', 'Bump version to 0.7.2'],
    },
    {
      fails: 'does not come up',
      options: {starting: "test '${var.image_tag}' != 0.7.2 || { echo 'no such thing' >&2; exit 1; }"},
      spoil: (app: Cookbook) => app.write('dmsa/new.txt', 'new'),
      because: 'no such thing',
      commits: ['Bump version to 0.7.2'],
    },
  ])('by policy, when the new version $fails: the old one runs again', async ({options, spoil, because, commits}) => {
    const app = await project({...options, onFailure: 'rollback', revert: 'auto'});
    await spoil(app);
    await app.git('add', '--all');
    await app.git('commit', '--quiet', '--message', 'A change');
    const before = await app.world();

    const failed = await app.run(release);
    expect(failed.exitCode, `${failed.stdout}${failed.stderr}`).toBe(6);
    expect(failed.stdout).toContain(because);
    expect(failed.stdout).toContain('back on 0.7.1');
    expect(failed.stderr).toContain('is taken back to 0.7.1:');
    expect(failed.stderr).toContain(
      'afterwards terraform.tfvars says what it said before (committed); the source goes on saying 0.7.2',
    );
    const record = await app.record();
    expect(eventsOf(record, 'plan.ready').at(-1)?.plan).toMatchObject({
      onFailure: 'rollback',
      back: [{component: 'service', revert: 'auto', version: '0.7.1'}],
    });
    expect(record.events.at(-1)).toMatchObject({
      type: 'run.finished',
      outcome: 'rolled back',
      exitCode: 6,
      touched: true,
      components: [{component: 'service', end: 'rolled back'}],
    });

    expect(await app.answer()).toBe('0.7.1');
    expect(await app.read('ci/terraform.tfvars')).toBe(before.files.tfvars);
    expect(await app.git('status', '--porcelain')).toBe('');
    expect(await log(app, before.git.head)).toEqual(commits);
    expect((await app.run(['status', '--env', 'production'])).stdout).toMatch(
      /^service +0\.7\.1\n[^]* 0\.7\.1 since \S+ by operator \(release \S+, taken back\)\n/m,
    );
    await expectNothingLeft(app);
  });
});
