/** Lines for a log that several jobs write into, and that somebody may look at while nothing happens. */
import {expect, test} from 'vitest';
import {lineOutput} from '../../src/commands/text-output.ts';
import type {RunEvent} from '../../src/release/events.ts';
import type {Job} from '../../src/release/model.ts';
import {virtualTime} from '../support/virtual-time.ts';
import {testRelease} from '../support/world.ts';
import {deskAt} from './support/desk.ts';

test('what belongs together is written in one piece; 30 s of silence say what is at work, and nothing is drawn in place', async () => {
  const time = virtualTime();
  const {context} = deskAt({folder: '/', env: {}}, {clock: time});
  const pieces: string[] = [];
  context.stderr.on('data', piece => pieces.push(String(piece)));
  const output = await lineOutput(context, {planOnly: false, config: '/deploy-wizard.config.yaml'});
  const show = (event: RunEvent) => output.show({...event, at: new Date(time.now()).toISOString()});
  const job = (component: string): Job => ({component, phase: 'apply'});
  const release = testRelease({core: {}, loader: {}});
  await release.go();
  const [started] = release.record().events;
  if (started) show(started);

  show({type: 'job.started', job: job('core')});
  show({type: 'job.started', job: job('loader')});
  await time.pass(20_000);
  show({type: 'job.failed', job: job('loader'), trouble: {what: 'not\nallowed', means: 'It is as it was.', next: ['Ask.']}});
  await time.pass(29_000);
  // Progress is no line.
  show({type: 'job.progress', job: job('core'), progress: {text: '1 of 2 running'}});
  await time.pass(1000);
  await time.pass(30_000);
  output.notice('SIGTERM: nothing new is started.');
  output.close();

  expect(pieces).toEqual([
    expect.stringMatching(/^00:00:00Z {8}things 1\.14\.0 → production .*\n$/),
    '00:00:00Z core   ● apply\n',
    '00:00:00Z loader ● apply\n',
    `00:00:20Z loader ✖ apply: not
00:00:20Z loader     | allowed (20 s)
00:00:20Z loader     It is as it was.
00:00:20Z loader     Ask.
`,
    '00:00:50Z        at work: core apply (50 s: 1 of 2 running)\n',
    '00:01:20Z        at work: core apply (1 min 20 s: 1 of 2 running)\n',
    '00:01:20Z        SIGTERM: nothing new is started.\n',
  ]);
});
