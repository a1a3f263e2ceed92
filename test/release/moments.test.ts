/** Others have their say around the phases of a release: when, and what their no means. */
import {expect, test} from 'vitest';
import type {Around, Moment} from '../../src/release/contract.ts';
import {DeployError} from '../../src/release/errors.ts';
import {type Circumstances, type Thing, before, fails, testRelease, version} from '../support/world.ts';

const built = {core: {prepares: ['bump', 'build', 'push']}, service: {needs: ['core']}} satisfies Record<string, Thing>;

/** Somebody who writes down when they were asked, and objects at one moment. */
function witness(objection?: string): {readonly around: Around; readonly said: readonly string[]} {
  const said: string[] = [];
  const tell = (moment: Moment): string => {
    if (moment.when === 'failure') return `failure: ${moment.finish.outcome}`;
    const trouble = moment.when === 'after' && moment.trouble ? ` failed: ${moment.trouble.what}` : '';
    return `${moment.when} ${moment.phase}${trouble}`;
  };
  return {
    said,
    around: async moment => {
      const what = tell(moment);
      said.push(what);
      if (what === objection) throw new DeployError('the hook says no');
    },
  };
}

function release(things: Readonly<Record<string, Thing>>, {around}: {readonly around: Around}, more: Circumstances = {}) {
  return testRelease(things, {around, ...more});
}

test('every phase that takes place is announced and ended once, in the order of the release', async () => {
  const hooks = witness();
  await release(built, hooks).go();
  expect(hooks.said).toEqual([
    'before preflight',
    'after preflight',
    'before bump',
    'after bump',
    'before build',
    'after build',
    'before push',
    'after push',
    'before plan',
    'after plan',
    'before confirm',
    'after confirm',
    'before apply',
    'before verify',
    'after apply',
    'after verify',
  ]);
});

test('nothing is begun before whoever is asked has said yes', async () => {
  const asked = Promise.withResolvers<void>();
  const yes = Promise.withResolvers<void>();
  const around: Around = async moment => {
    if (moment.when !== 'before' || moment.phase !== 'apply') return;
    asked.resolve();
    await yes.promise;
  };
  const {world, go} = release({core: {}, service: {}}, {around});
  const going = go();
  await asked.promise;
  expect(world.effects).toEqual([]);
  yes.resolve();
  expect((await going).finish?.outcome).toBe('passed');
});

test('a no before apply: nothing is applied, and what was edited is taken back', async () => {
  const hooks = witness('before apply');
  const {world, go} = release(built, hooks);
  const {finish} = await go();
  expect(finish).toMatchObject({
    outcome: 'failed',
    exitCode: 1,
    touched: false,
    text: expect.stringContaining('the hook says no'),
  });
  expect(world.files.get('core')).toBe(before);
  expect(world.running.get('core')?.version).toBe(before);
  expect(hooks.said.slice(-2)).toEqual(['before apply', 'failure: failed']);
});

test.each(['before preflight', 'before bump', 'after push', 'before plan', 'after plan', 'before confirm'])(
  'a no %s: the environment is not touched',
  async moment => {
    const hooks = witness(moment);
    const {world, go} = release(built, hooks);
    expect((await go()).finish).toMatchObject({outcome: 'failed', exitCode: 1, touched: false});
    expect(world.effects.filter(effect => effect.endsWith('/change'))).toEqual([]);
    expect(hooks.said.at(-1)).toBe('failure: failed');
  },
);

test('a no before verify: what was applied is not proved, and the run has failed', async () => {
  const {go} = release({core: {}, service: {needs: ['core']}}, witness('before verify'));
  const {finish} = await go();
  expect(finish).toMatchObject({outcome: 'failed', exitCode: 1});
  expect(finish?.components).toMatchObject([
    {component: 'core', end: 'failed', note: 'the hook says no; done before that: change 1.14.0'},
    {component: 'service', end: 'not started'},
  ]);
});

test('a no after verify: everything has arrived, and the run is no success', async () => {
  const {go} = release({core: {}}, witness('after verify'));
  expect((await go()).finish).toMatchObject({
    outcome: 'failed',
    exitCode: 1,
    text: 'the hook says no',
    components: [{component: 'core', end: 'verified'}],
  });
});

test('what fails is told after its phase, and once more at the end', async () => {
  const hooks = witness();
  const {world, go} = release({core: {}, service: {}}, hooks);
  world.faults.set('core/change', [fails]);
  await go();
  expect(hooks.said.slice(-3)).toEqual([
    'after apply failed: it was refused',
    'after verify failed: core: failed (it was refused)',
    'failure: failed',
  ]);
});

test('an apply that works and a proof that does not: only verify has failed', async () => {
  const hooks = witness();
  const {world, go} = release({core: {}}, hooks);
  world.verdicts.set('core', {status: 'failed', found: 'it runs nothing'});
  await go();
  expect(hooks.said).toContain('after apply');
  expect(hooks.said.find(said => said.startsWith('after verify'))).toMatch(/^after verify failed: core: failed/);
});

test('where nothing has to change, nothing is announced but what takes place', async () => {
  const hooks = witness();
  const {world, go} = release({core: {}}, hooks);
  world.running.set('core', {version, since: 0});
  await go();
  expect(hooks.said).toEqual([
    'before preflight',
    'after preflight',
    'before plan',
    'after plan',
    'before verify',
    'after verify',
  ]);
});

test('a run that was stopped has not failed: nobody is told', async () => {
  const hooks = witness();
  const {go} = release({core: {}}, hooks);
  const {finish} = await go({
    onEvent: (event, stop) => {
      if (event.type === 'job.started' && event.job.phase === 'apply') stop.request({do: 'stop', by: 'time limit'});
    },
  });
  expect(finish).toMatchObject({outcome: 'interrupted', exitCode: 143, text: expect.stringContaining('stopped by time limit')});
  expect(hooks.said.at(-1)).toBe('before apply');
});
