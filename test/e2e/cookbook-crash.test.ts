/**
 * One release of the cookbook whose process is thrown away at every moment of every step, one after the other: before the intent,
 * after it, and when it is done and nobody has written so. In this process, with real git, Docker, registry and Terraform.
 */
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {releaseOf} from '../../src/commands/release.ts';
import {resumeOf} from '../../src/commands/resume.ts';
import {unattended} from '../commands/support/desk.ts';
import {cookbook, expectReleased} from '../support/cookbook.ts';
import {machine} from '../support/mortal.ts';
import {realTime} from '../support/mortal/time.ts';
import {eventsOf, launcher} from '../support/program.ts';
import {requires} from '../support/requires.ts';

const steps = ['bump', 'commit', 'build', 'push', 'tfvars', 'terraform-apply', 'commit-tfvars', 'tag'] as const;
const moments = ['before intent', 'after intent', 'before effect'] as const;

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A release of the cookbook', () => {
  test('thrown away at every moment of it comes to the same end, with every effect once', {timeout: 300_000}, async () => {
    const app = await cookbook({git: '{ commit: true, tag: "${version}" }'});
    onTestFinished(() => app.remove());
    const before = await app.world();
    const {run} = machine(
      {folder: app.repository, env: app.env},
      {
        clockOf: realTime,
        context: {supervisor: {node: process.execPath, script: join(dirname(launcher), '..', 'dist', 'supervisor.mjs')}},
      },
      onTestFinished,
    );
    const crashes = steps.flatMap(step => moments.map(at => ({at, step: `service/${step}`})));
    const {release: _release, ...options} = unattended({bump: 'patch', allow: ['outage']});
    for (const [number, crash] of crashes.entries()) {
      const gone = await run(
        (context, application) =>
          number === 0 ? releaseOf(context, application, options) : resumeOf(context, application, undefined, options),
        crash,
      );
      expect(gone.exitCode, `${crash.at} of ${crash.step}: ${gone.stdout}${gone.stderr}`).toBeUndefined();
    }
    const last = await run((context, application) => resumeOf(context, application, undefined, options));
    expect(last.exitCode, `${last.stdout}${last.stderr}`).toBe(0);

    const record = await expectReleased(app, {version: '0.7.2', before, gitTag: '0.7.2'});
    expect(eventsOf(record, 'run.resumed')).toHaveLength(crashes.length);
    // Each was done by a process that could not say so, and found by the next one; a build looks for its image itself.
    const done = eventsOf(record, 'effect').filter(({result}) => result.is === 'done');
    expect(done).toMatchObject(
      steps.map(step => ({step, ...(step === 'build' ? {result: {value: {reused: true}}} : {adopted: true})})),
    );
    expect((await app.run(['audit', '--env', 'production'])).exitCode).toBe(0);
  });
});
