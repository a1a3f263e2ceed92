import {describe, expect, test} from 'vitest';
import type {TimedEvent} from '../../src/release/events.ts';
import type {ComponentEnd} from '../../src/release/model.ts';
import {recordedRun, repositoryOf, standings, tracesOf} from '../../src/release/standing.ts';

const hour = (hours: number) => new Date(Date.UTC(2026, 0, 15, hours)).toISOString();

/** A run of one component: how it ended, and what was there. */
function run(
  hours: number,
  version: string,
  end: ComponentEnd['end'] | undefined,
  more: {by?: string; kind?: 'rollback' | 'adopt'; digest?: string; touched?: boolean; from?: string} = {},
) {
  const {by = 'jo', kind, digest, touched = true, from} = more;
  const at = hour(hours);
  const job = {component: 'core', phase: 'apply'} as const;
  const events: TimedEvent[] = [
    {
      type: 'run.started',
      schema: 1,
      run: `r${hours}`,
      application: 'app',
      environment: 'staging',
      version,
      components: [{id: 'core', kind: 'thing', needs: []}],
      unattended: true,
      by: {user: by, host: 'desk'},
      tool: {version: '1', node: '24'},
      ...(kind && {kind}),
      configPath: '/c.yaml',
      config: {},
      allow: [],
      at,
    },
  ];
  if (touched) {
    events.push({type: 'intent', job, step: 'move', request: {}, at});
    events.push({type: 'effect', job, step: 'move', result: {is: 'done', value: {}}, at});
  }
  if (digest !== undefined) {
    events.push({type: 'observed', component: 'core', version, state: {version}, digests: {'host.example/core': digest}, at});
  }
  if (end !== undefined) {
    const components = [{component: 'core', kind: 'thing', ...(from !== undefined && {from}), to: version, end, note: ''}];
    events.push({type: 'run.finished', outcome: 'passed', exitCode: 0, text: '', components, touched, at});
  }
  const recorded = recordedRun(`r${hours}`, events);
  if (recorded === undefined) throw new Error('it is a run');
  return recorded;
}

const standing = (...runs: readonly ReturnType<typeof run>[]) => standings(runs.flatMap(tracesOf)).get('core');

describe('where a component stands', () => {
  test('is what the newest run found, since the run that brought it there, by whoever did', () => {
    expect(
      standing(
        run(9, '1.14.0', 'unchanged', {touched: false, by: 'al'}),
        run(5, '1.14.0', 'verified'),
        run(1, '1.13.2', 'verified'),
      ),
    ).toMatchObject({
      version: '1.14.0',
      run: 'r9',
      since: hour(5),
      bringer: 'jo',
    });
  });

  test('is where it was before a release that was taken back', () => {
    expect(standing(run(9, '1.15.0', 'rolled back'), run(5, '1.14.0', 'verified'))).toMatchObject({
      version: '1.14.0',
      since: hour(5),
    });
  });

  test('is where a release took it back to, as far as that one knew, where no older record says so', () => {
    const back = run(9, '1.15.0', 'rolled back', {from: '1.13.2', by: 'al'});
    expect(standing(back)).toMatchObject({
      version: '1.13.2',
      end: 'rolled back',
      run: 'r9',
      since: hour(9),
      bringer: 'al',
      digests: {},
    });
    expect(standing(back, run(5, '1.12.0', 'verified'))).toMatchObject({version: '1.13.2', run: 'r9'});
    expect(standing(back, run(5, '1.13.2', 'verified'))).toMatchObject({
      version: '1.13.2',
      run: 'r5',
      since: hour(5),
      bringer: 'jo',
    });
  });

  test('is where a rollback or an adoption put it', () => {
    expect(standing(run(9, '1.13.2', 'verified', {kind: 'rollback'}), run(5, '1.14.0', 'verified'))).toMatchObject({
      version: '1.13.2',
      kind: 'rollback',
    });
    expect(standing(run(9, '1.13.2', 'verified', {kind: 'adopt', touched: false, digest: 'sha256:a'}))).toMatchObject({
      kind: 'adopt',
      digests: {core: 'sha256:a'},
    });
  });

  test('is in doubt after a release that failed half way, or never ended', () => {
    expect(standing(run(9, '1.15.0', 'failed'), run(5, '1.14.0', 'verified'))).toMatchObject({version: '1.15.0', end: 'failed'});
    expect(standing(run(9, '1.15.0', undefined), run(5, '1.14.0', 'verified'))).toMatchObject({
      version: '1.15.0',
      end: 'unknown',
    });
  });

  test('is not told by a run that never came to it', () => {
    expect(
      standing(
        run(9, '1.15.0', 'not started', {touched: false}),
        run(8, '1.15.0', 'failed', {touched: false}),
        run(5, '1.14.0', 'verified'),
      ),
    ).toMatchObject({
      version: '1.14.0',
    });
  });

  test('began anew where the same version came as another image', () => {
    expect(
      standing(run(9, '1.14.0', 'verified', {digest: 'sha256:b'}), run(5, '1.14.0', 'verified', {digest: 'sha256:a'})),
    ).toMatchObject({since: hour(9)});
  });
});

test.each([
  ['333333333333.dkr.ecr.us-east-1.amazonaws.com/pass/core:1.14.0', 'pass/core'],
  ['localhost:5000/core@sha256:abc', 'core'],
  ['localhost/core', 'core'],
  ['dbhi/data-models:0.7.1', 'dbhi/data-models'],
  ['core', 'core'],
])('the repository of %s is %s in every environment', (image, repository) => {
  expect(repositoryOf(image)).toBe(repository);
});
