import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {RunEvent, TimedEvent} from '../../src/release/events.ts';
import {replay, resultsOf, stepKey} from '../../src/release/history.ts';
import type {Job} from '../../src/release/model.ts';
import {emptyRun, reduce} from '../../src/release/reducer.ts';
import {type Thing, losesAnswer, fails, testRelease} from '../support/world.ts';

const job: Job = {component: 'core', phase: 'apply'};
const intent = (step: string, more: {undo?: true; request?: string} = {}): RunEvent => ({
  type: 'intent',
  job,
  step,
  request: null,
  ...more,
});
const done = (step: string, value: string | null = null, more: {undo?: true; adopted?: true} = {}): RunEvent => ({
  type: 'effect',
  job,
  step,
  result: {is: 'done', value},
  ...more,
});
const ended = (step: string, is: 'failed' | 'unknown'): RunEvent => ({
  type: 'effect',
  job,
  step,
  result: {is, trouble: {what: 'it broke'}},
});
const absent = (step: string): RunEvent => ({type: 'effect', job, step, adopted: true, result: {is: 'absent'}});

const planOf = (fingerprint: string): RunEvent => ({type: 'plan.ready', plan: {components: [], fingerprint}});
const approvalOf = (fingerprint: string): RunEvent => ({type: 'approval.given', fingerprint, by: 'operator', covers: []});

describe('what a record has come to', () => {
  test.each([
    ['an intent alone is open', [intent('a')], {done: [], open: ['core/a'], failed: []}],
    ['with its effect it is done', [intent('a'), done('a')], {done: ['core/a'], open: [], failed: []}],
    ['an effect that failed', [intent('a'), ended('a', 'failed')], {done: [], open: [], failed: ['core/a']}],
    ['one that nobody knows of stays open', [intent('a'), ended('a', 'unknown')], {done: [], open: ['core/a'], failed: []}],
    ['one that did not happen is neither', [intent('a'), absent('a')], {done: [], open: [], failed: []}],
    [
      'one that failed and was done then',
      [intent('a'), ended('a', 'failed'), intent('a'), done('a')],
      {done: ['core/a'], open: [], failed: []},
    ],
    ['adopted', [intent('a'), done('a', null, {adopted: true})], {done: ['core/a'], open: [], failed: []}],
    [
      'undone',
      [intent('a'), done('a'), intent('a', {undo: true}), done('a', null, {undo: true})],
      {done: [], open: [], failed: []},
    ],
    [
      'an undo that was begun is in doubt',
      [intent('a'), done('a'), intent('a', {undo: true})],
      {done: [], open: ['core/a'], failed: []},
    ],
    ['an effect without an intent (a cut record)', [done('a')], {done: [], open: [], failed: []}],
  ] as const)('%s', (_what, events, expected) => {
    const {done, open, failed} = replay(events);
    expect({done: [...done.keys()], open: [...open.keys()], failed: [...failed.keys()]}).toEqual(expected);
  });

  test('the request of an intent and the result of its effect stay together', () => {
    const {done: steps, open} = replay([intent('a', {request: 'one'}), done('a', 'first'), intent('b', {request: 'two'})]);
    expect(steps.get('core/a')).toEqual({job, step: 'a', request: 'one', result: 'first'});
    expect(open.get('core/b')).toEqual({job, step: 'b', request: 'two'});
    expect(resultsOf(steps, 'core')).toEqual(new Map([['a', 'first']]));
    expect(resultsOf(steps, 'another')).toEqual(new Map());
  });

  test('steps are done in the order in which they were done, also when one was done again', () => {
    const {done: steps} = replay([
      intent('a'),
      done('a'),
      intent('b'),
      done('b'),
      intent('a', {undo: true}),
      done('a', null, {undo: true}),
      intent('a'),
      done('a'),
    ]);
    expect([...steps.keys()]).toEqual(['core/b', 'core/a']);
  });

  test.each([
    ['the plan that was shown', [planOf('p1'), approvalOf('p1')], 'p1'],
    ['another plan', [planOf('p1'), approvalOf('p2')], undefined],
    ['no plan at all', [approvalOf('p1')], undefined],
    ['a plan that another one followed', [planOf('p1'), approvalOf('p1'), planOf('p2')], undefined],
    ['a plan that was made again, the same', [planOf('p1'), approvalOf('p1'), planOf('p1')], 'p1'],
    [
      'a plan that was refused then',
      [planOf('p1'), approvalOf('p1'), {type: 'approval.refused', fingerprint: 'p1', because: 'no'}],
      undefined,
    ],
    ['a plan whose edits were taken back', [planOf('p1'), approvalOf('p1'), intent('bump', {undo: true})], undefined],
    [
      'a plan of a run that was resumed',
      [planOf('p1'), approvalOf('p1'), {type: 'run.resumed', by: {user: 'jo', host: 'h'}}],
      'p1',
    ],
  ] as const satisfies readonly (readonly [string, readonly RunEvent[], string | undefined])[])(
    'an approval of %s',
    (_what, events, approved) => {
      expect(replay(events).approved?.plan.fingerprint).toBe(approved);
    },
  );

  test('a run that was resumed is not finished', () => {
    const finished: RunEvent = {
      type: 'run.finished',
      outcome: 'interrupted',
      exitCode: 130,
      text: '',
      components: [],
      touched: false,
    };
    expect(replay([finished]).finished).toEqual(finished);
    expect(replay([finished, {type: 'run.resumed', by: {user: 'jo', host: 'h'}}]).finished).toBeUndefined();
  });

  test('components do not share steps', () => {
    expect(stepKey('a', 'b')).not.toBe(stepKey('b', 'a'));
    const other: RunEvent = {type: 'intent', job: {component: 'other', phase: 'apply'}, step: 'a', request: null};
    expect([...replay([intent('a'), other, done('a')]).open.keys()]).toEqual(['other/a']);
  });
});

const things = {
  core: {prepares: ['bump', 'build', 'push'], requires: ['session'], takes: 3000, within: 60_000},
  service: {needs: ['core'], steps: ['register', 'update']},
  loader: {risk: 'outage', flags: ['downgrade']},
} satisfies Record<string, Thing>;

/** Whole releases with everything in them: phases, failures, lost answers, refusals, resumed after a crash. */
async function recordsOfReleases(): Promise<readonly (readonly TimedEvent[])[]> {
  const good = testRelease(things);
  good.world.requirements.set('session', ['failed', 'passed']);
  good.world.faults.set('service/update', [losesAnswer, fails]);
  await good.go({answers: question => (question.about === 'preflight' ? 'retry' : undefined)});
  const refused = testRelease(things);
  await refused.go({answers: question => (question.about === 'approval' ? 'no' : undefined)});
  const resumed = testRelease(things);
  await resumed.go({crash: {at: 'after call', step: 'service/register'}});
  await resumed.go();
  return [good, refused, resumed].map(release => release.record().events);
}

const records = await recordsOfReleases();
const events = records.flat();

describe('the state that views draw', () => {
  test('reduces any prefix of a record, any part of it, and any mixture, without throwing', {timeout: 30_000}, () => {
    for (const record of records) for (let end = 0; end <= record.length; end++) record.slice(0, end).reduce(reduce, emptyRun);
    fc.assert(
      fc.property(fc.shuffledSubarray([...events]), mixture => {
        const state = mixture.reduce(reduce, emptyRun);
        expect(state.questions.length).toBeLessThanOrEqual(mixture.length);
        replay(mixture);
      }),
      {numRuns: 300},
    );
  });

  test('is the same for the same events: live, and read back from the record', () => {
    for (const record of records) {
      const bytes = Buffer.from(record.map(event => JSON.stringify(event)).join('\n'));
      expect(JSON.parse(`[${bytes.toString().replaceAll('\n', ',')}]`).reduce(reduce, emptyRun)).toEqual(
        record.reduce(reduce, emptyRun),
      );
    }
  });

  test('does not change what it was given', () => {
    for (const record of records) {
      let state = emptyRun;
      for (const event of record) {
        const before = structuredClone({...state, jobs: [...state.jobs], answers: [...state.answers]});
        const next = reduce(state, event);
        expect({...state, jobs: [...state.jobs], answers: [...state.answers]}).toEqual(before);
        state = next;
      }
    }
    expect(emptyRun.jobs.size).toBe(0);
  });

  test('a release that is over has no question open and no job running, and says how it ended', () => {
    for (const record of records) {
      const state = record.reduce(reduce, emptyRun);
      expect(state.questions).toEqual([]);
      expect(state.finished).toMatchObject({outcome: record === records[1] ? 'refused' : expect.any(String)});
      const applied = [...state.jobs.values()].filter(({status}) => status === 'running');
      expect(applied).toEqual([]);
    }
  });

  test('a claim that is looked at again takes the place of its older check', () => {
    const at = '2026-01-15T12:00:00.000Z';
    const look = (status: 'pending' | 'passed'): TimedEvent => ({
      type: 'check',
      at,
      job,
      check: {claim: 'runs', text: 'it runs', status, found: status},
    });
    const other: TimedEvent = {type: 'check', at, job, check: {claim: 'other', text: 'other', status: 'open', found: ''}};
    const state = [look('pending'), other, look('passed')].reduce(reduce, emptyRun);
    expect(state.jobs.get('core.apply')?.checks.map(({claim, status}) => [claim, status])).toEqual([
      ['runs', 'passed'],
      ['other', 'open'],
    ]);
  });

  test('a job that is tried again has nothing left of the attempt before', () => {
    const at = (second: number) => `2026-01-15T12:00:0${second}.000Z`;
    const state = (
      [
        {type: 'job.started', job, at: at(1), text: 'first'},
        {type: 'check', job, at: at(2), check: {claim: 'c', text: 'c', status: 'failed', found: ''}},
        {type: 'job.failed', job, at: at(3), trouble: {what: 'it broke'}},
        {type: 'job.started', job, at: at(4)},
      ] satisfies TimedEvent[]
    ).reduce(reduce, emptyRun);
    expect(state.jobs.get('core.apply')).toEqual({job, status: 'running', startedAt: at(4), text: '', checks: []});
  });

  test('a new plan is one that nobody approved', () => {
    const at = '2026-01-15T12:00:00.000Z';
    const state = [planOf('p1'), approvalOf('p1'), planOf('p2')].map(event => ({...event, at})).reduce(reduce, emptyRun);
    expect(state.approval).toBeUndefined();
    expect(state.plan?.fingerprint).toBe('p2');
  });

  test('an interrupted run that goes on has no end and no question of the process that is gone', () => {
    const [, , record = []] = records;
    const resumedAt = record.findIndex(({type}) => type === 'run.resumed');
    const state = record.slice(0, resumedAt + 1).reduce(reduce, emptyRun);
    expect(state.finished).toBeUndefined();
    expect(state.questions).toEqual([]);
  });

  test('wherever a process was thrown away: no job of it goes on running for ever', {timeout: 30_000}, async () => {
    const whole = await testRelease(things).go();
    for (let beforeLine = 1; beforeLine < whole.events.length; beforeLine++) {
      const release = testRelease(things);
      await release.go({crash: {beforeLine}});
      await release.go();
      const state = release.record().events.reduce(reduce, emptyRun);
      const still = [...state.jobs].flatMap(([id, {status}]) => (status === 'succeeded' ? [] : [`${id} ${status}`]));
      expect(still, `before line ${beforeLine}`).toEqual([]);
      expect(state.finished?.outcome).toBe('passed');
    }
  });
});
