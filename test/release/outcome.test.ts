import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type Command, type JobIo, createStop} from '../../src/release/contract.ts';
import {DeployError, LostAnswerError, RefusedError, StoppedError, UsageError} from '../../src/release/errors.ts';
import {type History, noHistory} from '../../src/release/history.ts';
import type {ComponentEnd, Plan} from '../../src/release/model.ts';
import {conclude} from '../../src/release/outcome.ts';
import {startRun} from '../../src/release/run.ts';

const words = [
  'verified',
  'unchanged',
  'not proven',
  'failed',
  'rolled back',
  'superseded',
  'stopped',
  'unknown',
  'not started',
] as const;
type End = ComponentEnd['end'];

const plan: Plan = {
  fingerprint: 'f',
  components: [
    {
      component: 'core',
      kind: 'thing',
      to: '1.14.0',
      changes: [{id: 'c', risk: 'update', summary: 's', details: [], flags: []}],
      notes: [],
      fingerprint: 'f',
      payload: null,
    },
  ],
};

const step = {job: {component: 'core', phase: 'apply'}, step: 'change', request: null} as const;
const touchedHistory: History = {...noHistory, done: new Map([['core/change', {...step, result: null}]])};

interface How {
  readonly error?: unknown;
  readonly command?: Command;
  readonly history?: History;
  readonly planOnly?: boolean;
}

/** How a run ends whose components ended so. */
function ending(ends: readonly End[], {error, command, history = noHistory, planOnly = false}: How = {}) {
  const stop = createStop();
  if (command) stop.request(command);
  const run = startRun<JobIo>(
    {environment: 'production', target: {is: 'release', version: '1.14.0'}, components: [], planOnly, history},
    {
      emit: () => Promise.resolve(),
      operator: {ask: () => Promise.reject(new Error('nobody is there'))},
      ioFor: () => {
        throw new Error('nothing is to be done');
      },
      limit: work => work(),
    },
    stop,
  );
  const components = ends.map((end, index): ComponentEnd => ({
    component: `c${index}`,
    kind: 'thing',
    to: '1.14.0',
    end,
    note: '',
  }));
  return conclude({run, plan, ends: components, ...(error !== undefined && {error})});
}

describe('what a run came to', () => {
  test.each([
    [['verified'], 'passed', 0],
    [['unchanged'], 'nothing to do', 0],
    [['verified', 'unchanged'], 'passed', 0],
    [['not proven', 'verified', 'unchanged'], 'triggered, not proven', 0],
    [['rolled back', 'unchanged', 'not started'], 'rolled back', 6],
    // Some are on the new version and some on the old one: that is not "back".
    [['verified', 'rolled back'], 'failed', 1],
    [['not proven', 'rolled back'], 'failed', 1],
    [['verified', 'superseded'], 'superseded', 8],
    [['verified', 'stopped'], 'stopped', 9],
    [['verified', 'unknown'], 'unknown', 7],
    [['verified', 'failed'], 'failed', 1],
    [['verified', 'not started'], 'failed', 1],
    [['superseded', 'not started'], 'superseded', 8],
    [['unknown', 'not started'], 'unknown', 7],
    [['rolled back', 'superseded', 'failed'], 'failed', 1],
    // What nobody knows comes before everything: somebody has to look.
    [['rolled back', 'superseded', 'unknown', 'failed'], 'unknown', 7],
    [['verified', 'rolled back', 'unknown'], 'unknown', 7],
    [['rolled back', 'stopped'], 'stopped', 9],
  ] as const)('%j: %s, exit %i', (ends, outcome, exitCode) => {
    expect(ending(ends, {history: touchedHistory})).toMatchObject({outcome, exitCode});
  });

  test('no failure is ever outshone by a success, and the order of the components does not matter', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), {minLength: 1, maxLength: 6}), ends => {
        const {exitCode, outcome} = ending(ends);
        const good = ends.every(end => end === 'verified' || end === 'unchanged' || end === 'not proven');
        expect(exitCode === 0).toBe(good);
        expect(ending(ends.toReversed())).toMatchObject({exitCode, outcome});
      }),
    );
  });

  test.each([
    [
      new DeployError('it broke', {means: 'The environment was not touched.'}),
      'failed',
      1,
      'it broke. The environment was not touched.',
    ],
    [new RefusedError('declined'), 'refused', 3, 'declined. The environment was not touched.'],
    [new UsageError('wrong'), 'failed', 2, 'wrong. The environment was not touched.'],
    [new LostAnswerError('lost'), 'unknown', 7, 'lost. The environment was not touched.'],
    [new StoppedError('left at a question'), 'interrupted', 130, 'left at a question. The environment was not touched.'],
    [new TypeError('x is not a function'), 'failed', 1, 'x is not a function. The environment was not touched.'],
    ['thrown as text', 'failed', 1, 'thrown as text. The environment was not touched.'],
  ])('ended early by %s', (error, outcome, exitCode, text) => {
    expect(ending([], {error})).toEqual({outcome, exitCode, text, components: [], touched: false, resumable: exitCode === 7});
  });

  test('does not say that nothing was touched where something was', () => {
    const {text} = ending([], {error: new DeployError('it broke'), history: touchedHistory});
    expect(text).toBe('it broke');
  });

  test.each([
    [{do: 'stop', by: 'SIGINT'}, 130],
    [{do: 'stop', by: 'operator'}, 130],
    [{do: 'stop', by: 'SIGTERM'}, 143],
  ] as const)('stopped: %j', (command, exitCode) => {
    expect(ending([], {command, error: new StoppedError('stopped')})).toMatchObject({
      outcome: 'interrupted',
      exitCode,
      text: `stopped by ${command.by}: the environment was not touched`,
    });
    expect(ending(['verified', 'not started'], {command, history: touchedHistory})).toMatchObject({
      outcome: 'interrupted',
      exitCode,
      text: `stopped by ${command.by}: 1 of 2 components on 1.14.0 (c0); not started: c1`,
      touched: true,
    });
  });

  test('stopped before it came to its apply a second time: what it did the first time is not denied', () => {
    const how = {command: {do: 'stop', by: 'operator'}, error: new StoppedError('stopped'), history: touchedHistory} as const;
    expect(ending([], how)).toMatchObject({
      touched: true,
      text: 'stopped by operator: what it had changed before stays as it is, and nothing was changed since',
    });
  });

  test('detached: unknown, and how to go on; nothing is said to run where nothing was begun', () => {
    const command = {do: 'detach', by: 'operator'} as const;
    const finish = ending(['unknown'], {command, history: touchedHistory});
    expect(finish).toMatchObject({outcome: 'unknown', exitCode: 7});
    expect(finish.text).toContain('what runs goes on; `deploy-wizard resume`');
    const {text} = ending([], {command, error: new StoppedError('stopped')});
    expect(text).toMatch(/^detached: the environment was not touched.*`deploy-wizard resume`/);
  });

  test.each([
    ['done', {...noHistory, done: new Map([['core/change', {...step, result: null}]])}],
    ['begun', {...noHistory, open: new Map([['core/change', step]])}],
    ['failed', {...noHistory, failed: new Map([['core/change', step]])}],
  ])('a step of the apply that was %s has touched the environment', (_what, history) => {
    expect(ending(['failed'], {history})).toMatchObject({touched: true});
  });

  test.each([
    ['was stopped', ['not started'], {command: {do: 'stop', by: 'SIGINT'}}, true],
    ['was stopped when there was nothing left to do', ['verified'], {command: {do: 'stop', by: 'SIGINT'}}, false],
    ['was left by itself', ['unknown'], {command: {do: 'detach', by: 'operator'}}, true],
    ['does not know what became of a component', ['verified', 'unknown'], {}, true],
    ['does not know what became of a step', ['failed'], {history: {...noHistory, open: new Map([['core/change', step]])}}, true],
    ['failed', ['verified', 'failed'], {history: touchedHistory}, false],
    ['passed', ['verified'], {history: touchedHistory}, false],
    ['was refused', [], {error: new RefusedError('no')}, false],
    ['only planned', ['unknown'], {planOnly: true}, false],
  ] as const)('a run that %s can be gone on with, or not', (_what, ends, how, resumable) => {
    expect(ending(ends, how).resumable).toBe(resumable);
  });

  test('a bump, a build and a push have not', () => {
    const bump = {...step, job: {component: 'core', phase: 'bump'}, result: null} as const;
    expect(
      ending([], {history: {...noHistory, done: new Map([['core/bump', bump]])}, error: new RefusedError('no')}),
    ).toMatchObject({touched: false});
  });
});
