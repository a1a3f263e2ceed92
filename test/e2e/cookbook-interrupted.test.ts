import {expect, test} from 'vitest';
import type {RecordedEvent} from '../../src/record/chain.ts';
import {expectReleased, project} from '../support/cookbook.ts';
import {commandIn, eventsOf, until, untilRecorded} from '../support/program.ts';
import {requires} from '../support/requires.ts';

const release = ['--yes', '--env', 'production', '--bump', 'patch', '--allow', 'outage'] as const;
const resume = ['resume', '--yes', '--env', 'production'] as const;

const intent = (step: string) => (event: RecordedEvent) => event.type === 'intent' && event.step === step;

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A run that is interrupted during the apply', () => {
  test.for([
    {signal: 'SIGINT', code: 130, by: 'resume'},
    {signal: 'SIGTERM', code: 143, by: 'the same release'},
  ] as const)(
    'by $signal interrupts Terraform once and exits with $code; planned anew, it is finished by $by',
    async ({signal, code, by}) => {
      const app = await project({git: '{ commit: true, tag: "${version}" }'});
      const before = await app.world();
      await app.hold();
      const running = app.start(release);
      await until(app.isHeld, 'the new instance');
      running.kill(signal);
      const {exitCode, stdout, stderr} = await running.ended;
      expect(exitCode).toBe(code);

      const standing = 'Destroyed, and not created anew: terraform_data.instance. What that did is down.';
      const record = await app.record();
      expect(record.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'interrupted', exitCode: code, touched: true});
      expect(eventsOf(record, 'job.failed')).toMatchObject([{trouble: {means: expect.stringContaining(standing)}}]);
      for (const text of [stdout, stderr]) {
        expect(text).toContain(standing);
        expect(text).toContain('The state is saved.');
        expect(text).toContain('The tfvars file holds the new version already.');
      }
      // One interrupt: two would have cost the lock and the state.
      expect(await app.terraform('plan', '-input=false', '-no-color')).toContain('terraform_data.instance is tainted');
      expect(await app.answer()).toBeUndefined();
      await app.letGo();

      const again = ['--yes', '--env', 'production', '--release', '0.7.2', '--allow', 'outage'];
      const finishing = await app.run(by === 'resume' ? [...commandIn(stdout, 'Go on'), '--yes'] : again);
      expect(finishing.exitCode, `${finishing.stdout}${finishing.stderr}`).toBe(0);
      expect(finishing.stderr).toContain('an earlier apply failed on it, and left it tainted');
      await expectReleased(app, {version: '0.7.2', before, gitTag: '0.7.2', starts: 2});
    },
  );

  test('before anything was begun leaves everything as it was', async () => {
    const app = await project({git: '{ commit: true, tag: "${version}" }'});
    const before = await app.world();
    const running = app.start(release);
    await untilRecorded(app.records, 'the build', intent('build'));
    running.kill('SIGINT');
    const {exitCode, stdout} = await running.ended;
    expect(exitCode).toBe(130);
    expect(stdout).toContain('the environment was not touched');
    const after = await app.world();
    expect(after).toEqual({...before, registry: after.registry});
    expect((await app.record()).events.at(-1)).toMatchObject({outcome: 'interrupted', exitCode: 130, touched: false});

    const resumed = await app.run(resume);
    expect(resumed.exitCode, `${resumed.stdout}${resumed.stderr}`).toBe(0);
    await expectReleased(app, {version: '0.7.2', before, gitTag: '0.7.2'});
  });
});
