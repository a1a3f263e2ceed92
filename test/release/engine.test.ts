/** A release as the engine carries it out, on things that are not there: every test is one release, told from the outside. */
import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createStop} from '../../src/release/contract.ts';
import {DeployError, StoppedError, UnsentError, exitCodes} from '../../src/release/errors.ts';
import type {Question, QuestionAbout, RunEvent} from '../../src/release/events.ts';
import {jobId} from '../../src/release/words.ts';
import {replay} from '../../src/release/history.ts';
import {
  type Answers,
  type Gone,
  type Thing,
  before,
  endState,
  fails,
  failsHalfWay,
  losesAnswer,
  losesRequest,
  testRelease,
  version,
} from '../support/world.ts';

/** What the events say of jobs, in order: `core.apply started`. */
function jobs({events}: Pick<Gone, 'events'>): readonly string[] {
  return events.flatMap(event =>
    event.type.startsWith('job.') && 'job' in event ? [`${jobId(event.job)} ${event.type.slice(4)}`] : [],
  );
}

function eventsOf<T extends RunEvent['type']>({events}: Pick<Gone, 'events'>, type: T): readonly Extract<RunEvent, {type: T}>[] {
  return events.filter((event): event is Extract<RunEvent, {type: T}> => event.type === type);
}

function ends({finish}: Gone): Readonly<Record<string, string>> {
  return Object.fromEntries((finish?.components ?? []).map(({component, end}) => [component, end]));
}

function about<A extends QuestionAbout>({asked}: Gone, what: A): readonly Extract<Question, {about: A}>[] {
  return asked.filter((question): question is Extract<Question, {about: A}> => question.about === what);
}

/** Answers one kind of question, in turn, and agrees to everything else. */
function answering(what: QuestionAbout, ...values: readonly string[]): Answers {
  const left = [...values];
  return question => (question.about === what ? left.shift() : undefined);
}

const running = (world: ReturnType<typeof testRelease>['world']) =>
  Object.fromEntries([...world.running].map(([id, {version}]) => [id, version]));

describe('a release that goes well', () => {
  test('brings every thing to the version, and says so', async () => {
    const {world, go} = testRelease({core: {}, service: {needs: ['core']}});
    const gone = await go();
    expect(running(world)).toEqual({core: version, service: version});
    expect(gone.finish).toEqual({
      outcome: 'passed',
      exitCode: 0,
      text: '2 of 2 components on 1.14.0',
      touched: true,
      resumable: false,
      components: [
        {component: 'core', kind: 'thing', from: before, to: version, end: 'verified', note: 'runs 1.14.0'},
        {component: 'service', kind: 'thing', from: before, to: version, end: 'verified', note: 'runs 1.14.0'},
      ],
    });
    expect(gone.events.at(-1)).toEqual({type: 'run.finished', ...gone.finish});
  });

  test('touches nothing before the plan is approved, and asks for nothing else', async () => {
    const {go} = testRelease({core: {}});
    const gone = await go();
    const types = gone.events.map(({type}) => type);
    expect(gone.asked.map(({about}) => about)).toEqual(['approval']);
    expect(types.indexOf('intent')).toBeGreaterThan(types.indexOf('approval.given'));
  });

  test('writes an intent before every effect, and the effect after it', async () => {
    const {go} = testRelease({core: {prepares: ['bump', 'build', 'push'], steps: ['register', 'update']}});
    const gone = await go();
    const touching = gone.events.flatMap(event =>
      event.type === 'intent' || event.type === 'effect' ? [`${event.type} ${event.step}`] : [],
    );
    expect(touching).toEqual(
      ['bump', 'build', 'push', 'register', 'update'].flatMap(step => [`intent ${step}`, `effect ${step}`]),
    );
  });

  test('leaves a thing alone that is there already, and still looks whether it runs', async () => {
    const {world, go} = testRelease({core: {}, service: {}});
    world.running.set('core', {version, since: 0});
    const gone = await go();
    expect(ends(gone)).toEqual({core: 'unchanged', service: 'verified'});
    expect(world.effects).toEqual(['service/change']);
    expect(world.looks).toContain('core runs');
  });

  test('has nothing to ask and nothing to do when everything is there', async () => {
    const {world, go} = testRelease({core: {}});
    world.running.set('core', {version, since: 0});
    const gone = await go();
    expect(gone.asked).toEqual([]);
    expect(gone.finish).toMatchObject({
      outcome: 'nothing to do',
      exitCode: 0,
      touched: false,
      text: 'the environment was not touched',
    });
  });

  test('is "triggered, not proven" where nothing can be looked at', async () => {
    const {go} = testRelease({core: {verify: false}, service: {needs: ['core']}});
    const gone = await go();
    expect(ends(gone)).toEqual({core: 'not proven', service: 'verified'});
    expect(gone.finish).toMatchObject({outcome: 'triggered, not proven', exitCode: 0});
    expect(jobs(gone)).toContain('core.verify skipped');
  });
});

describe('order', () => {
  test('a thing starts when those that it needs are verified, not when they are applied', async () => {
    const {go} = testRelease({service: {needs: ['core']}, core: {takes: 40_000, within: 60_000}});
    const told = jobs(await go());
    expect(told.indexOf('service.apply started')).toBeGreaterThan(told.indexOf('core.verify succeeded'));
  });

  test('things that do not need each other go side by side', async () => {
    const {world, go} = testRelease({
      a: {takes: 40_000, within: 60_000},
      b: {takes: 40_000, within: 60_000},
    });
    const start = world.clock.now();
    const told = jobs(await go());
    expect(told.indexOf('b.apply started')).toBeLessThan(told.indexOf('a.verify succeeded'));
    expect(world.clock.now() - start).toBe(40_000);
  });

  test('a need that is not part of this release is no reason to wait', async () => {
    const {go} = testRelease({service: {needs: ['core']}});
    expect((await go()).finish).toMatchObject({outcome: 'passed'});
  });

  test.each([1, 2, 3])('no more than %i things work at once', async maxParallel => {
    const things = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map(id => [id, {takes: 5000, within: 60_000} satisfies Thing]));
    const {go} = testRelease(things);
    const gone = await go({maxParallel});
    const atWork = new Set<string>();
    let most = 0;
    for (const event of gone.events) {
      if (event.type === 'job.started' && event.job.phase === 'apply') atWork.add(event.job.component);
      if (event.type === 'job.succeeded' && event.job.phase === 'verify') atWork.delete(event.job.component);
      most = Math.max(most, atWork.size);
    }
    expect(most).toBe(maxParallel);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });
});

describe('any order of needs', () => {
  /** Each thing may need those before it: no circles. */
  const graph = fc.integer({min: 1, max: 7}).chain(size =>
    fc.tuple(
      ...Array.from({length: size}, (_, index) =>
        fc.record({
          needs: fc.subarray(Array.from({length: index}, (_, before) => `t${before}`)),
          takes: fc.nat({max: 9000}),
          fails: fc.boolean(),
        }),
      ),
    ),
  );

  test(
    'a thing starts when all that it needs is verified, and not at all when one is not; everything comes to an end',
    {timeout: 30_000},
    async () => {
      await fc.assert(
        fc.asyncProperty(graph, fc.integer({min: 1, max: 4}), async (nodes, maxParallel) => {
          const things = nodes.map(
            ({needs, takes}, index) => [`t${index}`, {needs, takes, within: 60_000} satisfies Thing] as const,
          );
          // The order in which they are written down says nothing.
          const {world, go} = testRelease(Object.fromEntries(things.toReversed()));
          nodes.forEach(({fails: broken}, index) => broken && world.faults.set(`t${index}/change`, [fails]));
          const gone = await go({maxParallel});
          const told = jobs(gone);
          const came = ends(gone);
          expect(Object.keys(came)).toHaveLength(nodes.length);
          nodes.forEach(({needs, fails: broken}, index) => {
            const ready = needs.every(need => came[need] === 'verified');
            const started = told.indexOf(`t${index}.apply started`);
            // What is ready is begun, unless another one has failed by then.
            if (ready && !nodes.some(node => node.fails)) expect(started).toBeGreaterThanOrEqual(0);
            if (!ready) expect(started).toBe(-1);
            expect(came[`t${index}`]).toBe(started < 0 ? 'not started' : broken ? 'failed' : 'verified');
            for (const need of needs) if (started >= 0) expect(started).toBeGreaterThan(told.indexOf(`${need}.verify succeeded`));
          });
        }),
        {numRuns: 100},
      );
    },
  );
});

describe('preflight', () => {
  test('looks at a requirement once, however many things have it', async () => {
    const {world, go} = testRelease({
      a: {requires: ['session', 'image a']},
      b: {requires: ['session']},
      c: {requires: ['session']},
    });
    const gone = await go();
    expect(world.looks.filter(claim => claim === 'session')).toHaveLength(1);
    expect(eventsOf(gone, 'job.started')[0]).toMatchObject({job: {component: '*', phase: 'preflight'}, text: '2 checks'});
  });

  test('what is not met ends the release with what to do about it, and nothing is changed', async () => {
    const {world, go} = testRelease({a: {requires: ['session', 'image'], prepares: ['bump']}});
    const untouched = endState(world);
    world.requirements.set('image', ['failed']);
    const gone = await go();
    expect(about(gone, 'preflight')).toMatchObject([{failed: ['image']}]);
    expect(gone.finish).toMatchObject({
      outcome: 'failed',
      exitCode: 1,
      touched: false,
      text: 'a requirement is not met: image is there: it is not. Nothing has been changed.',
    });
    expect(eventsOf(gone, 'job.failed')[0]?.trouble.next).toEqual(['get image']);
    expect(endState(world)).toEqual(untouched);
  });

  test('trying again looks at what failed only, as often as somebody asks for it', async () => {
    const {world, go} = testRelease({a: {requires: ['session', 'image']}});
    world.requirements.set('image', ['failed', 'failed', 'passed']);
    const gone = await go({answers: answering('preflight', 'retry', 'retry')});
    expect(gone.finish).toMatchObject({outcome: 'passed'});
    expect(world.looks.filter(claim => claim === 'image')).toHaveLength(3);
    expect(world.looks.filter(claim => claim === 'session')).toHaveLength(1);
  });

  test.each(['warned', 'open'] as const)('a requirement that is %s does not stop anything', async status => {
    const {world, go} = testRelease({a: {requires: ['role']}});
    world.requirements.set('role', [status]);
    expect((await go()).finish).toMatchObject({outcome: 'passed'});
  });
});

describe('bump, build and push', () => {
  const prepared = {a: {prepares: ['bump', 'build', 'push']}, b: {prepares: ['push', 'bump']}, c: {}} satisfies Record<
    string,
    Thing
  >;

  test('each is started by the operator, once for all things, in their order', async () => {
    const {go} = testRelease(prepared);
    const gone = await go();
    expect(about(gone, 'start').map(({phase, work}) => [phase, work.map(({component}) => component)])).toEqual([
      ['bump', ['a', 'b']],
      ['build', ['a']],
      ['push', ['a', 'b']],
    ]);
    const told = jobs(gone);
    expect(told.indexOf('a.build started')).toBeGreaterThan(told.indexOf('b.bump succeeded'));
    expect(told.indexOf('b.push started')).toBeGreaterThan(told.indexOf('a.build succeeded'));
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });

  test.each([
    ['bump', []],
    ['build', ['a/bump', 'b/bump', 'b/bump undone', 'a/bump undone']],
    ['push', ['a/bump', 'b/bump', 'a/build', 'b/bump undone', 'a/bump undone']],
  ] as const)('declined at %s: what was edited is taken back, newest first, and nothing else', async (phase, effects) => {
    const {world, go} = testRelease(prepared);
    const files = new Map(world.files);
    const gone = await go({
      maxParallel: 1,
      answers: question => (question.about === 'start' && question.phase === phase ? 'stop' : undefined),
    });
    expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3, touched: false, components: []});
    expect(gone.finish?.text).toContain(`${phase} was not started. The environment was not touched.`);
    expect(world.effects).toEqual(effects);
    expect(world.files).toEqual(files);
  });

  test('an answer that is not exactly "go" does not start a phase', async () => {
    for (const value of ['', ' go', 'go ', 'GO', 'yes']) {
      const {world, go} = testRelease(prepared);
      const gone = await go({answers: answering('start', value)});
      expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3});
      expect(world.effects).toEqual([]);
    }
  });

  test('a failure is tried again when somebody asks for it, without what was done before', async () => {
    const {world, go} = testRelease({a: {prepares: ['bump', 'push']}});
    world.faults.set('a/push', [fails]);
    const gone = await go({answers: answering('failure', 'retry')});
    expect(gone.finish).toMatchObject({outcome: 'passed'});
    expect(world.effects).toEqual(['a/bump', 'a/push', 'a/change']);
  });

  test('a failure that is left undoes the edits and ends the release', async () => {
    const {world, go} = testRelease({a: {prepares: ['bump', 'push']}, b: {prepares: ['bump', 'push']}});
    const files = new Map(world.files);
    world.faults.set('a/push', [fails]);
    const gone = await go();
    expect(gone.finish).toMatchObject({
      outcome: 'failed',
      exitCode: 1,
      touched: false,
      text: expect.stringMatching(/^it was refused\. The environment was not touched\./),
    });
    expect(world.files).toEqual(files);
    expect(gone.events.some(({type}) => type === 'plan.ready')).toBe(false);
  });

  test('a file that somebody else changed meanwhile is left alone, and that is said', async () => {
    const {world, go} = testRelease({a: {prepares: ['bump']}, b: {prepares: ['bump']}});
    const gone = await go({
      answers: question => {
        if (question.about !== 'approval') return undefined;
        world.files.set('a', '9.9.9');
        return 'no';
      },
    });
    expect(world.files).toEqual(
      new Map([
        ['a', '9.9.9'],
        ['b', before],
      ]),
    );
    const undone = eventsOf(gone, 'effect').filter(({undo}) => undo);
    expect(undone.map(({job, result}) => [job.component, result.is])).toEqual([
      ['b', 'done'],
      ['a', 'failed'],
    ]);
    expect(eventsOf(gone, 'job.failed').at(-1)).toEqual({
      type: 'job.failed',
      job: {component: 'a', phase: 'bump'},
      trouble: {what: 'bump it: this could not be taken back. the version file of a was changed by somebody else'},
    });
    expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3});
  });
});

describe('plan and confirm', () => {
  test('what is unusual is approved by the name of the environment, the rest by "yes"', async () => {
    for (const [thing, expected] of [
      [{risk: 'update'}, 'yes'],
      [{risk: 'outage'}, 'production'],
      [{risk: 'update', flags: ['downgrade']}, 'production'],
    ] as const) {
      const gone = await testRelease({a: {...thing, flags: 'flags' in thing ? [...thing.flags] : []}}).go();
      expect(about(gone, 'approval')).toMatchObject([{expect: expected, again: false}]);
      expect(eventsOf(gone, 'approval.given')).toMatchObject([
        {by: 'operator', covers: [thing.risk, ...('flags' in thing ? thing.flags : [])]},
      ]);
    }
  });

  test.each(['', 'no', 'y', 'YES', ' yes', 'yes ', 'yes\n', 'production'])(
    'answered %j: declined, undone, exit 3',
    async value => {
      const {world, go} = testRelease({a: {prepares: ['bump', 'push']}});
      const gone = await go({answers: answering('approval', value)});
      expect(world.effects).toEqual(['a/bump', 'a/push', 'a/bump undone']);
      expect(running(world)).toEqual({a: before});
      expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
      expect(eventsOf(gone, 'approval.refused')).toHaveLength(1);
      expect(eventsOf(gone, 'approval.given')).toEqual([]);
    },
  );

  test('the world changed while the question was open, and the plan is the same: it goes on without asking again', async () => {
    const {world, go, record} = testRelease({a: {}});
    const gone = await go({
      answers: question => {
        if (question.about === 'approval') world.stale.set('a', 'its file was touched');
        return undefined;
      },
    });
    expect(about(gone, 'approval')).toHaveLength(1);
    expect(eventsOf(gone, 'plan.ready')).toHaveLength(2);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
    const said = gone.events.flatMap(event =>
      'text' in event && 'job' in event && event.job.phase === 'confirm' ? [event.text] : [],
    );
    expect(said).toEqual([
      'approved by operator',
      'planning again, because a: its file was touched',
      'planned anew, and it is what was approved: going on',
    ]);
    // Whoever goes on with it, or audits it, has to find the approval.
    expect(replay(record().events).approved).toBeDefined();
  });

  test('the world changed and so did the plan: it is asked again, and says so', async () => {
    const {world, go} = testRelease({a: {}});
    const gone = await go({
      answers: question => {
        if (question.about === 'approval' && !question.again) world.running.set('a', {version: '1.13.9', since: 0});
        return undefined;
      },
    });
    expect(about(gone, 'approval').map(({again, because, differences}) => ({again, because, differences}))).toEqual([
      {again: false, because: undefined, differences: undefined},
      {again: true, because: expect.stringMatching(/^a: /), differences: ['a: it starts from 1.13.9, not from 1.13.2']},
    ]);
    expect(new Set(eventsOf(gone, 'plan.ready').map(({plan}) => plan.fingerprint)).size).toBe(2);
    expect(gone.finish?.components).toMatchObject([{from: '1.13.9', to: version, end: 'verified'}]);
  });

  test('a yes to the first plan is no yes to the second', async () => {
    const {world, go} = testRelease({a: {}});
    const gone = await go({
      answers: question => {
        if (question.about !== 'approval') return undefined;
        if (question.again) return 'no';
        world.running.set('a', {version: '1.13.9', since: 0});
        return undefined;
      },
    });
    expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3});
    expect(world.effects).toEqual([]);
  });

  test('a component that changes between the approval and its turn is not touched', async () => {
    const {world, go} = testRelease({core: {takes: 5000, within: 60_000}, service: {needs: ['core']}});
    const gone = await go({
      onEvent: event => {
        if (event.type === 'effect' && event.job.component === 'core') world.running.set('service', {version: '2.0.0', since: 0});
      },
    });
    expect(ends(gone)).toEqual({core: 'verified', service: 'failed'});
    expect(running(world)).toEqual({core: version, service: '2.0.0'});
    // Trying the same again cannot help.
    expect(about(gone, 'failure')).toMatchObject([
      {choices: ['rollback-all', 'leave'], trouble: {what: 'service runs 2.0.0 now, after the plan was approved'}},
    ]);
  });

  test('a plan alone prepares nothing, asks nothing and touches nothing', async () => {
    const {world, go} = testRelease({a: {prepares: ['bump', 'build', 'push']}, b: {}});
    const untouched = endState(world);
    const gone = await go({planOnly: true});
    expect(gone.asked).toEqual([]);
    expect(eventsOf(gone, 'intent')).toEqual([]);
    expect(endState(world)).toEqual(untouched);
    expect(gone.finish).toMatchObject({outcome: 'passed', exitCode: 0, text: 'this is what would change', touched: false});
    expect(eventsOf(gone, 'plan.ready')[0]?.plan.components.map(({changes}) => changes.length)).toEqual([1, 1]);
  });

  test('a plan of nothing says so', async () => {
    const {world, go} = testRelease({a: {}});
    world.running.set('a', {version, since: 0});
    expect((await go({planOnly: true})).finish).toMatchObject({text: 'nothing would change', exitCode: 0});
  });
});

describe('when something fails', () => {
  const things = {core: {}, service: {needs: ['core']}, loader: {needs: ['service']}, other: {}} satisfies Record<string, Thing>;

  test('what needs it is skipped, what does not goes on', async () => {
    const {world, go} = testRelease(things);
    world.faults.set('core/change', [fails]);
    const gone = await go();
    expect(ends(gone)).toEqual({core: 'failed', service: 'not started', loader: 'not started', other: 'verified'});
    expect(jobs(gone).filter(job => job.endsWith('skipped'))).toEqual(['service.apply skipped', 'loader.apply skipped']);
    expect(running(world)).toEqual({core: before, service: before, loader: before, other: version});
    expect(gone.finish).toMatchObject({
      outcome: 'failed',
      exitCode: 1,
      text: '1 of 4 components on 1.14.0 (other); failed: core; not started: service, loader',
    });
  });

  test('a retry goes on from the step that failed', async () => {
    const {world, go} = testRelease({core: {steps: ['register', 'update']}, service: {needs: ['core']}});
    world.faults.set('core/update', [fails, fails]);
    const gone = await go({answers: answering('failure', 'retry', 'retry')});
    expect(gone.finish).toMatchObject({outcome: 'passed'});
    expect(world.effects).toEqual(['core/register', 'core/update', 'service/change']);
  });

  test('whoever is asked is told how to do by hand what the record does not show as done', async () => {
    const {world, go, record} = testRelease({core: {steps: ['register', 'update']}});
    world.faults.set('core/update', [fails]);
    world.verdicts.set('core', {status: 'failed', found: 'no task is running'});
    await go({answers: answering('failure', 'retry', 'leave')});
    // It is in the record: whoever resumes finds it there.
    const questions = record().events.flatMap(event => (event.type === 'question.asked' ? [event.question] : []));
    expect(questions.flatMap(question => (question.about === 'failure' ? [question.byHand] : []))).toEqual([
      [{step: 'update', title: 'update it', commands: [['make', 'core/update']]}],
      [],
    ]);
  });

  test('for a lock that somebody else has: exit 4, as for any lock', async () => {
    class LockedError extends DeployError {
      override readonly exitCode = exitCodes.locked;
    }
    const {world, go} = testRelease({core: {}});
    const locked = () => {
      throw new LockedError('the state is locked by sam');
    };
    world.faults.set('core/change', [locked]);
    expect((await go()).finish).toMatchObject({outcome: 'failed', exitCode: 4});
  });

  test('a step that broke in the middle has touched the environment, and nobody says otherwise', async () => {
    const {world, go} = testRelease({core: {steps: ['apply']}});
    world.faults.set('core/apply', [failsHalfWay]);
    const gone = await go();
    expect(gone.finish).toMatchObject({
      outcome: 'failed',
      exitCode: 1,
      touched: true,
      text: '0 of 1 components on 1.14.0; failed: core',
    });
  });

  test('a claim that fails is a failure, and looking again is the way on', async () => {
    const {world, go} = testRelease({core: {}, service: {needs: ['core']}});
    world.verdicts.set('core', {status: 'failed', found: 'no task is running', next: 'look at the tasks'});
    const gone = await go({
      answers: question => {
        if (question.about !== 'failure') return undefined;
        world.verdicts.delete('core');
        return 'retry';
      },
    });
    expect(about(gone, 'failure')).toMatchObject([
      {trouble: {what: 'core runs 1.14.0: no task is running', next: ['look at the tasks']}},
    ]);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
    expect(world.effects).toEqual(['core/change', 'service/change']);
  });
});

describe('when an answer is lost', () => {
  test('it happened: the effect is adopted and not repeated', async () => {
    const {world, go} = testRelease({core: {}});
    world.faults.set('core/change', [losesAnswer]);
    const gone = await go();
    expect(world.effects).toEqual(['core/change']);
    expect(eventsOf(gone, 'effect')).toMatchObject([{adopted: true, result: {is: 'done'}}]);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });

  test('it did not happen: it is done once more', async () => {
    const {world, go} = testRelease({core: {}});
    world.faults.set('core/change', [losesRequest]);
    const gone = await go();
    expect(world.effects).toEqual(['core/change']);
    expect(eventsOf(gone, 'effect').map(({result}) => result.is)).toEqual(['absent', 'done']);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });

  test('it is lost again and again: that ends as a failure, and every try was looked at first', async () => {
    const {world, go} = testRelease({core: {}});
    world.faults.set('core/change', [losesRequest, losesRequest, losesRequest]);
    const gone = await go();
    expect(eventsOf(gone, 'effect').map(({result}) => result.is)).toEqual(['absent', 'absent', 'absent']);
    expect(ends(gone)).toEqual({core: 'failed'});
    expect(about(gone, 'failure')).toMatchObject([{choices: ['retry', 'leave']}]);
  });

  test('the last try did happen: it is found, not failed', async () => {
    const {world, go} = testRelease({core: {}});
    world.faults.set('core/change', [losesRequest, losesRequest, losesAnswer]);
    const gone = await go();
    expect(world.effects).toEqual(['core/change']);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });

  test('looking cannot tell: it asks, and whoever leaves it gets exit 7 and no second message', async () => {
    const {world, go} = testRelease({core: {blind: true}, service: {needs: ['core']}});
    world.faults.set('core/change', [losesAnswer]);
    const gone = await go();
    expect(about(gone, 'unknown step')).toHaveLength(1);
    expect(world.effects).toEqual(['core/change']);
    expect(ends(gone)).toEqual({core: 'unknown', service: 'not started'});
    expect(gone.finish).toMatchObject({outcome: 'unknown', exitCode: 7, touched: true});
  });

  test('looking cannot tell: somebody who knows that it did not happen has it done', async () => {
    const {world, go} = testRelease({core: {blind: true}});
    world.faults.set('core/change', [losesRequest]);
    const gone = await go({answers: answering('unknown step', 'look', 'again')});
    expect(about(gone, 'unknown step')).toHaveLength(2);
    expect(world.effects).toEqual(['core/change']);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });
});

describe('looking whether it happened', () => {
  test('does not work either: that is no answer, and somebody is asked; the next look finds it', async () => {
    const {world, go} = testRelease({core: {}});
    world.faults.set('core/change', [losesAnswer]);
    world.faults.set('core/change settled', [fails]);
    const gone = await go({answers: answering('unknown step', 'look')});
    expect(about(gone, 'unknown step')).toHaveLength(1);
    expect(world.effects).toEqual(['core/change']);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });

  test('does not work, and it is left: nothing is sent again, and it can be gone on with', async () => {
    const {world, go} = testRelease({core: {}});
    world.faults.set('core/change', [losesAnswer]);
    world.faults.set('core/change settled', [fails]);
    expect((await go()).finish).toMatchObject({outcome: 'unknown', exitCode: 7, touched: true, resumable: true});
    expect((await go()).finish).toMatchObject({outcome: 'passed'});
    expect(world.effects).toEqual(['core/change']);
  });
});

describe('waiting for it to be true', () => {
  test('a slow thing is waited for, and only what is new is said', async () => {
    const {world, go} = testRelease({core: {takes: 30_000, within: 60_000}});
    const gone = await go();
    expect(gone.finish).toMatchObject({outcome: 'passed'});
    expect(world.looks.filter(claim => claim === 'core runs')).toHaveLength(31);
    expect(eventsOf(gone, 'check').map(({check}) => check.status)).toEqual(['pending', 'passed']);
  });

  test.each([
    [undefined, 'failed', 1],
    ['failed', 'failed', 1],
    ['unknown', 'unknown', 7],
  ] as const)('a limit that runs out, where that means %s, ends as %s', async (late, outcome, exitCode) => {
    const {go} = testRelease({core: {takes: 120_000, within: 90_000, ...(late && {late})}});
    const gone = await go();
    expect(gone.finish).toMatchObject({outcome, exitCode, touched: true});
    expect(gone.finish?.components[0]?.note).toBe('core runs 1.14.0: not within 1.5 min: not yet');
  });

  test('a claim without a limit is true now or it is not', async () => {
    const {world, go} = testRelease({core: {takes: 1}});
    const gone = await go();
    expect(ends(gone)).toEqual({core: 'failed'});
    expect(world.looks).toEqual(['core runs']);
  });

  test.each([
    ['failed', 'failed', 1],
    ['unknown', 'unknown', 7],
    ['superseded', 'superseded', 8],
    ['stopped', 'stopped', 9],
    ['rolled back', 'rolled back', 6],
  ] as const)('what will never be true because it was %s ends the release as that', async (cause, outcome, exitCode) => {
    const {world, go} = testRelease({core: {}, other: {}});
    world.running.set('other', {version, since: 0});
    world.verdicts.set('core', {status: 'failed', found: 'see there', cause});
    const gone = await go();
    expect(ends(gone)).toEqual({core: cause, other: 'unchanged'});
    expect(gone.finish).toMatchObject({outcome, exitCode});
  });
});

describe('looking that does not work', () => {
  const unreachable = () => new DeployError('AWS does not answer', {means: 'Nothing is known.', next: ['look at the network']});

  test('is tried again as long as there is time, and its end is not taken for the truth', async () => {
    const {world, go} = testRelease({core: {within: 30_000}});
    world.verdicts.set('core', unreachable());
    const gone = await go();
    expect(world.looks).toHaveLength(31);
    expect(gone.finish).toMatchObject({outcome: 'unknown', exitCode: 7});
    expect(gone.finish?.components[0]?.note).toBe('core runs 1.14.0: not within 30 s: AWS does not answer');
    expect(eventsOf(gone, 'check')[0]?.check).toMatchObject({
      status: 'pending',
      found: 'AWS does not answer',
      evidence: ['Nothing is known.'],
      next: 'look at the network',
    });
  });

  test('in preflight is a requirement that is not met', async () => {
    const {world, go} = testRelease({core: {requires: ['session']}});
    world.verdicts.set('session', unreachable());
    const gone = await go();
    expect(gone.finish).toMatchObject({outcome: 'failed', exitCode: 1});
    expect(eventsOf(gone, 'job.failed')[0]?.trouble.next).toEqual(['look at the network']);
  });
});

describe('several claims of one thing', () => {
  const verdicts = {
    'not in time': {status: 'failed', cause: 'unknown', found: 'no answer'},
    'plainly wrong': {status: 'failed', found: 'the wrong digest'},
    'rolled back': {status: 'failed', cause: 'rolled back', found: 'ECS took it back'},
    superseded: {status: 'failed', cause: 'superseded', found: 'somebody took over'},
  } as const;

  test.each([
    ['not in time', 'plainly wrong', 'failed'],
    ['plainly wrong', 'not in time', 'failed'],
    ['not in time', 'rolled back', 'rolled back'],
    ['plainly wrong', 'rolled back', 'rolled back'],
    ['rolled back', 'plainly wrong', 'rolled back'],
    ['superseded', 'not in time', 'superseded'],
  ] as const)('one is %s, one is %s: it ends as %s', async (first, second, end) => {
    const {world, go} = testRelease({core: {proofs: ['first', 'second']}});
    world.verdicts.set('first', verdicts[first]);
    world.verdicts.set('second', verdicts[second]);
    const gone = await go();
    expect(ends(gone)).toEqual({core: end});
    expect(gone.finish?.components[0]?.note).toBe(
      `first of core: ${verdicts[first].found}; second of core: ${verdicts[second].found}`,
    );
  });

  test('what is not as it should be, or could not be looked at, does not fail a release', async () => {
    const {world, go} = testRelease({core: {proofs: ['first', 'second']}});
    world.verdicts.set('first', {status: 'warned', found: 'a policy has changed'});
    world.verdicts.set('second', {status: 'open', found: 'no permission to look'});
    expect((await go()).finish).toMatchObject({outcome: 'passed', exitCode: 0});
  });
});

describe('stopping', () => {
  const things = {
    a: {prepares: ['bump', 'push'], requires: ['session'], takes: 10_000, within: 60_000},
    b: {needs: ['a']},
  } satisfies Record<string, Thing>;

  /** Asks to stop when an event comes by. */
  const when = (
    fits: (event: RunEvent) => boolean,
    what: 'stop' | 'detach' = 'stop',
    by: 'operator' | 'SIGINT' | 'SIGTERM' = 'SIGINT',
  ) => {
    const stop = createStop();
    return {stop, onEvent: (event: RunEvent) => void (fits(event) && stop.request({do: what, by}))};
  };

  const moments: Readonly<Record<string, (event: RunEvent) => boolean>> = {
    'in preflight': event => event.type === 'job.started' && event.job.phase === 'preflight',
    'at the question before bump': event =>
      event.type === 'question.asked' && event.question.about === 'start' && event.question.phase === 'bump',
    'while it bumps': event => event.type === 'intent' && event.step === 'bump' && event.undo !== true,
    'at the question before push': event =>
      event.type === 'question.asked' && event.question.about === 'start' && event.question.phase === 'push',
    'while it plans': event => event.type === 'job.started' && event.job.phase === 'plan',
    'at the approval': event => event.type === 'question.asked' && event.question.about === 'approval',
  };

  test.each(Object.keys(moments))('%s: nothing of it stays, exit 130', async moment => {
    const {world, go} = testRelease(things);
    const files = new Map(world.files);
    const gone = await go(when(event => moments[moment]?.(event) ?? false));
    expect(gone.finish).toMatchObject({
      outcome: 'interrupted',
      exitCode: 130,
      touched: false,
      text: 'stopped by SIGINT: the environment was not touched',
    });
    expect(world.files).toEqual(files);
    expect(running(world)).toEqual({a: before, b: before});
  });

  test('SIGTERM is exit 143', async () => {
    const gone = await testRelease(things).go(when(moments['while it plans'] ?? (() => false), 'stop', 'SIGTERM'));
    expect(gone.finish).toMatchObject({outcome: 'interrupted', exitCode: 143});
  });

  test('after the approval, before anything was touched: everything is as it was, and can be gone on with', async () => {
    const {world, go} = testRelease(things);
    const gone = await go(when(event => event.type === 'approval.given'));
    expect(gone.finish).toMatchObject({outcome: 'interrupted', exitCode: 130, touched: false, resumable: true});
    expect(running(world)).toEqual({a: before, b: before});
    expect((await go()).finish).toMatchObject({outcome: 'passed'});
    expect(running(world)).toEqual({a: version, b: version});
  });

  test('while it applies: what was begun is finished, nothing else is started, the edits stay', async () => {
    const {world, go} = testRelease(things);
    const gone = await go(when(event => event.type === 'intent' && event.job.phase === 'apply'));
    expect(ends(gone)).toEqual({a: 'unknown', b: 'not started'});
    expect(gone.finish).toMatchObject({
      outcome: 'interrupted',
      exitCode: 130,
      touched: true,
      text: 'stopped by SIGINT: 0 of 2 components on 1.14.0; unknown: a; not started: b',
    });
    expect(world.effects).toEqual(['a/bump', 'a/push', 'a/change']);
  });

  test('while it waits for a thing: it does not wait any longer', async () => {
    const {world, go} = testRelease(things);
    const start = world.clock.now();
    const gone = await go(when(event => event.type === 'check' && event.check.status === 'pending'));
    expect(gone.finish).toMatchObject({outcome: 'interrupted', exitCode: 130, touched: true});
    expect(ends(gone)).toEqual({a: 'unknown', b: 'not started'});
    expect(world.clock.now() - start).toBeLessThan(10_000);
  });

  test('a call that was cut off by the stop has touched the environment', async () => {
    const {world, go} = testRelease({a: {}});
    const stop = createStop();
    world.faults.set('a/change', [
      () => {
        stop.request({do: 'stop', by: 'operator'});
        throw new StoppedError('interrupted in the middle');
      },
    ]);
    const gone = await go({stop});
    expect(ends(gone)).toEqual({a: 'unknown'});
    expect(gone.finish).toMatchObject({
      outcome: 'interrupted',
      touched: true,
      text: 'stopped by operator: 0 of 1 components on 1.14.0; unknown: a',
    });
  });

  test('a call that was stopped before it was sent has touched nothing, and resuming sends it', async () => {
    const {world, go} = testRelease({a: {}});
    const stop = createStop();
    world.faults.set('a/change', [
      () => {
        stop.request({do: 'stop', by: 'operator'});
        throw new UnsentError('stopped before it was sent');
      },
    ]);
    const gone = await go({stop});
    expect(ends(gone)).toEqual({a: 'not started'});
    expect(gone.finish).toMatchObject({outcome: 'interrupted', touched: false});
    expect((await go()).finish).toMatchObject({outcome: 'passed'});
    expect(world.effects).toEqual(['a/change']);
  });

  test('detached: nothing is taken back, exit 7, and resuming goes on', async () => {
    const {world, go} = testRelease(things);
    const gone = await go(when(moments['at the approval'] ?? (() => false), 'detach', 'operator'));
    expect(gone.finish).toMatchObject({outcome: 'unknown', exitCode: 7, touched: false});
    expect(world.effects).toEqual(['a/bump', 'a/push']);
    expect((await go()).finish).toMatchObject({outcome: 'passed'});
    expect(world.effects).toEqual(['a/bump', 'a/push', 'a/change', 'b/change']);
  });

  test('everything was verified when the stop came: the release has passed', async () => {
    const {go} = testRelease({a: {}});
    const gone = await go(when(event => event.type === 'job.succeeded' && event.job.phase === 'verify'));
    expect(gone.finish).toMatchObject({outcome: 'passed', exitCode: 0});
  });
});

describe('going on with an interrupted run', () => {
  test('asks nothing that was answered, repeats nothing that was done', async () => {
    const {world, go} = testRelease({a: {prepares: ['bump', 'push'], steps: ['register', 'update']}, b: {needs: ['a']}});
    await go({crash: {at: 'before call', step: 'a/update'}});
    const gone = await go();
    expect(gone.asked).toEqual([]);
    expect(gone.finish).toMatchObject({outcome: 'passed', touched: true});
    expect(world.effects).toEqual(['a/bump', 'a/push', 'a/register', 'a/update', 'b/change']);
  });

  test('a requirement that is not met now ends it without losing it: it can be gone on with once that is mended', async () => {
    const {world, go} = testRelease({a: {requires: ['session']}, b: {needs: ['a']}});
    await go({crash: {at: 'after call', step: 'a/change'}});
    world.requirements.set('session', ['failed']);
    const stuck = await go();
    expect(stuck.finish).toMatchObject({outcome: 'unknown', exitCode: 7, touched: true, resumable: true});
    expect(stuck.finish?.text).not.toContain('Nothing has been changed');
    world.requirements.delete('session');
    expect((await go()).finish).toMatchObject({outcome: 'passed'});
    expect(world.effects).toEqual(['a/change', 'b/change']);
  });

  test('a change that failed is planned anew and asked for again; what had worked is not done twice', async () => {
    const {world, go} = testRelease({a: {}, b: {takes: 20_000, within: 60_000}});
    world.faults.set('a/change', [fails]);
    const stop = createStop();
    const first = await go({
      stop,
      onEvent: event =>
        void (event.type === 'check' && event.check.status === 'pending' && stop.request({do: 'stop', by: 'SIGINT'})),
    });
    expect(ends(first)).toEqual({a: 'failed', b: 'unknown'});
    expect(first.finish).toMatchObject({outcome: 'interrupted', resumable: true});
    const gone = await go();
    expect(about(gone, 'approval')).toHaveLength(1);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
    expect(world.effects.toSorted()).toEqual(['a/change', 'b/change']);
  });

  test('an approval whose edits were taken back does not count any more', async () => {
    const {world, go} = testRelease({a: {prepares: ['bump']}});
    const stop = createStop();
    await go({
      stop,
      onEvent: event => {
        if (event.type !== 'approval.given') return;
        world.stale.set('a', 'its file was touched');
        stop.request({do: 'stop', by: 'SIGINT'});
      },
    });
    expect(world.files.get('a')).toBe(before);
    const gone = await go();
    expect(gone.asked.map(({about}) => about)).toEqual(['start', 'approval']);
    expect(world.files.get('a')).toBe(version);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });

  test('a refusal after resuming takes back what the first process had edited', async () => {
    const {world, go} = testRelease({a: {prepares: ['bump', 'push']}});
    await go({crash: {at: 'before call', step: 'a/push'}});
    const gone = await go({answers: answering('approval', 'no')});
    expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3});
    expect(world.files.get('a')).toBe(before);
  });
});

describe('a record that cannot be written', () => {
  test('stops the world from being touched: no intent, no call', async () => {
    const {world, go} = testRelease({a: {}});
    const gone = await go({
      onEvent: event => {
        if (event.type === 'intent') throw new Error('no space left on device');
      },
    });
    expect(world.effects).toEqual([]);
    expect(gone.finish).toMatchObject({outcome: 'failed', exitCode: 1});
  });

  test('a failure that could not be written down leaves its intent open, here as in the record', async () => {
    const {world, go, record} = testRelease({a: {}});
    world.faults.set('a/change', [failsHalfWay]);
    let full = true;
    const gone = await go({
      onEvent: event => {
        if (event.type !== 'effect' || !full) return;
        full = false;
        throw new Error('no space left on device');
      },
      answers: answering('failure', 'leave'),
    });
    expect([...replay(record().events).open.keys()]).toEqual(['a/change']);
    expect(gone.finish).toMatchObject({exitCode: 1, resumable: true, touched: true});
  });

  test('ends the run only when everything that is at work has come to its end', async () => {
    const {world, go} = testRelease({a: {}, b: {}, c: {needs: ['a']}});
    let ended = false;
    world.faults.set('a/change', [fails]);
    world.faults.set('b/change', [
      async effect => {
        await world.clock.sleep(60_000, new AbortController().signal);
        effect();
        ended = true;
      },
    ]);
    const going = go({
      onEvent: event => {
        if (event.type === 'job.skipped') throw new Error('no space left on device');
      },
      answers: answering('failure', 'leave'),
    });
    await expect(going.then(({finish}) => finish)).resolves.toMatchObject({exitCode: 1});
    expect(ended).toBe(true);
    expect(world.effects).toEqual(['b/change']);
  });

  test('an effect that could not be written down is looked for before anything is done again', async () => {
    const {world, go} = testRelease({a: {}});
    let full = true;
    const gone = await go({
      answers: answering('failure', 'retry'),
      onEvent: event => {
        if (event.type !== 'effect' || !full) return;
        full = false;
        throw new Error('no space left on device');
      },
    });
    expect(world.effects).toEqual(['a/change']);
    expect(eventsOf(gone, 'effect')).toMatchObject([{adopted: true, result: {is: 'done'}}]);
    expect(gone.finish).toMatchObject({outcome: 'passed'});
  });
});
