/** The program in a CI job: cancelled as GitHub cancels, and approved in another job than it is released in. */
import {cp} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {approvalFile} from '../../src/release/approval.ts';
import {eventJsonSchema} from '../../src/release/event-schema.ts';
import {json} from '../../src/release/json.ts';
import {cookbook} from '../support/cookbook.ts';
import {schemaProblems} from '../support/json-schema.ts';
import {environmentOf, released} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {eventsOf, until, untilRecorded} from '../support/program.ts';
import {requires} from '../support/requires.ts';

/** What GitHub leaves between SIGINT and SIGTERM. */
const patience = 7500;

passTest('a job that is cancelled sends its services back in time, and leaves a whole record', async ({start}) => {
  // Time stands still there: the service goes on rolling out for as long as anybody looks.
  const now = Date.now();
  const pass = await start({now: () => now, config: config => void (environmentOf(config)['onCancel'] = 'rollback')});
  const component = 'deposit-services';
  const running = pass.start('--yes', '--env', 'production', '--release', released, '--component', component, '--output', 'json');
  await untilRecorded(
    pass.records,
    'a service is watched',
    event => event.type === 'check' && event.check.claim === `${component} rollout`,
  );
  expect(pass.changes().at(-1)).toBe('UpdateService');
  const cancelled = performance.now();
  running.kill('SIGINT');
  await until(() => pass.changes().at(-1) === 'StopServiceDeployment', 'the way back', patience);
  running.kill('SIGTERM');
  const {exitCode, stdout} = await running.ended;
  expect(performance.now() - cancelled).toBeLessThan(patience);
  expect(exitCode).toBe(130);

  const record = await pass.record();
  expect(eventsOf(record, 'run.finished')).toMatchObject([
    {
      outcome: 'interrupted',
      resumable: true,
      components: [{component, note: expect.stringContaining('on its way back to 1.13.2')}],
    },
  ]);
  const schema = json.parse(eventJsonSchema({strict: true}));
  for (const line of stdout.trim().split('\n')) expect(schemaProblems(schema, JSON.parse(line)), line).toEqual([]);
});

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('Approval elsewhere', () => {
  test('what is planned before its image is built is what is applied after, built on the approved commit in another checkout', async () => {
    const app = await cookbook({allow: []});
    onTestFinished(() => app.remove());
    const commit = (await app.git('rev-parse', 'HEAD')).trim();
    const planned = await app.run(['plan', '--env', 'production', '--bump', 'patch', '--out', '../approval.json']);
    expect(planned.exitCode, planned.stderr).toBe(0);
    const digest = /^Approve +\.\.\/approval\.json (sha256:[0-9a-f]{64})$/m.exec(planned.stdout)?.[1] ?? '';
    expect(planned.stdout).toContain(`service: the approval is for ${app.image}:0.7.2 built on commit ${commit}`);
    const text = await app.read('../approval.json');
    expect(approvalFile.parse(JSON.parse(text)).components).toMatchObject([{unbuilt: {image: `${app.image}:0.7.2`, commit}}]);
    expect(text).not.toContain(app.root);
    const approved = ['--yes', '--approve', '../approval.json', '--approve-digest', digest];

    // The other job has a checkout of its own.
    const checkout = join(app.root, 'another');
    await cp(app.repository, checkout, {recursive: true, verbatimSymlinks: true});
    const done = await app.run(approved, {cwd: checkout});
    expect(done.exitCode, done.stderr).toBe(0);
    const record = await app.record();
    const [plan] = eventsOf(record, 'plan.ready');
    expect(plan?.plan.components[0]?.payload).toMatchObject({image: {digest: await app.digest('0.7.2')}});
    expect(eventsOf(record, 'approval.given')).toMatchObject([
      {by: 'flag', covers: ['outage'], because: expect.stringContaining(digest)},
    ]);
    expect(await app.answer()).toBe('0.7.2');
  });
});
