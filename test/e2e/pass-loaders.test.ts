import {expect} from 'vitest';
import {componentOf, ends, released} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {eventsOf} from '../support/program.ts';
import {queue, seedWhole, starts, startsOf, wholeConfig} from '../support/whole-pass.ts';

const test = passTest.concurrent;

const loaders = ['grant-loader', 'journal-loader', 'nihms-loader'].flatMap(id => ['--component', id]);

test('jobs and tasks are released on every kind of target, tried first where that is asked for, and audited', async ({start}) => {
  const pass = await start({config: wholeConfig({smoke: true})});
  seedWhole(pass, {stray: true});

  const plan = await pass.run('plan', '--env', 'production', '--release', released, ...loaders);
  expect(plan.stdout).toContain('state machine grant-load (state Load) starts new revision');
  expect(plan.stdout).toMatch(/schedule journal: next run (?:\S+ )?02:00 UTC, in .*, on 1\.13\.2/);
  expect(plan.stdout).toContain(
    'target loader of rule journal-nightly starts pass-journal-loader:1: it is not among the targets',
  );

  expect(await pass.release(...loaders)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('3 of 3 components on 1.14.0'),
  });
  expect(await starts(pass)).toEqual(startsOf(2));
  const record = await pass.record();
  const steps = eventsOf(record, 'intent').filter(({job}) => job.component === 'journal-loader');
  expect(steps.map(({step}) => step)).toEqual(['register', 'smoke', 'move schedule default/journal']);

  const audit = await pass.run('audit', released, '--env', 'production');
  expect(audit.exitCode).toBe(0);
  pass.world.putTargets({name: 'nihms-batch'}, [
    {
      Id: 'load',
      Arn: queue,
      RoleArn: 'arn:aws:iam::333333333333:role/pass-start',
      BatchParameters: {JobDefinition: 'pass-nihms-loader:1', JobName: 'load'},
    },
  ]);
  const later = await pass.run('audit', released, '--env', 'production');
  expect(later).toMatchObject({exitCode: 5, stdout: expect.stringContaining('target load starts pass-nihms-loader:1')});
});

test('a run that fails leaves its schedule where it was', async ({start}) => {
  const pass = await start({
    config: config => {
      wholeConfig({smoke: true})(config);
      componentOf(config, 'nihms-loader')['needs'] = ['journal-loader'];
    },
  });
  seedWhole(pass);
  pass.world.scenarioFor('pass-journal-loader', 'crash-loop');

  const ended = await pass.release(...loaders);
  expect(ended).toMatchObject({exitCode: 1, stdout: expect.stringContaining('container loader exited with 1')});
  expect(ends(await pass.record())).toMatchObject({
    'journal-loader': 'failed',
    'grant-loader': 'verified',
    'nihms-loader': 'not started',
  });
  expect(await starts(pass)).toEqual({...startsOf(1), grants: startsOf(2).grants});
});
