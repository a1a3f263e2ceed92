/** A component that failed: left, waited for, let through, or taken back to what was there before. */
import {describe, expect, test} from 'vitest';
import {createStop} from '../../src/release/contract.ts';
import {DeployError} from '../../src/release/errors.ts';
import type {FailureChoice, RunEvent} from '../../src/release/events.ts';
import {replay} from '../../src/release/history.ts';
import type {Check} from '../../src/release/model.ts';
import {planLines} from '../../src/views/lines.ts';
import {
  type Answers,
  type CrashPoint,
  type Gone,
  type Thing,
  before,
  endState,
  fails,
  failsHalfWay,
  losesAnswer,
  testRelease,
  version,
} from '../support/world.ts';

type TestWorld = ReturnType<typeof testRelease>['world'];

const broken: Omit<Check, 'claim' | 'text'> = {status: 'failed', found: 'its tasks exit with 1'};
const update = [{what: 'update'}] as const;

/** While the new version is there: this is what looking says. The old one is fine. */
function breaks(world: TestWorld, id: string, said: Omit<Check, 'claim' | 'text'> = broken): void {
  const runs = () => world.running.get(id)?.version === version;
  // A verdict that follows the world: the way back is looked at with the truth.
  Object.defineProperty(world.verdicts, 'get', {
    value: (key: string) => (key === id && runs() ? said : Map.prototype.get.call(world.verdicts, key)),
  });
}

function decide(choice: FailureChoice, because?: string): Answers {
  return question => (question.about !== 'failure' ? undefined : because === undefined ? choice : {value: choice, because});
}

function ends({finish}: Gone): Readonly<Record<string, string>> {
  return Object.fromEntries((finish?.components ?? []).map(({component, end}) => [component, end]));
}

function running(world: TestWorld): Readonly<Record<string, string>> {
  return Object.fromEntries([...world.running].map(([id, {version}]) => [id, version]));
}

function choicesIn({asked}: Gone): readonly (readonly string[])[] {
  return asked.flatMap(question => (question.about === 'failure' ? [question.choices] : []));
}

const eventsOf = <T extends RunEvent['type']>({events}: Pick<Gone, 'events'>, type: T) =>
  events.filter((event): event is Extract<RunEvent, {type: T}> => event.type === type);

describe('the approval foresees the way back', () => {
  test('the plan says what each component would be taken back to, and who may do that', async () => {
    const {go} = testRelease({core: {revert: 'ask'}, service: {}}, {onFailure: 'rollback'});
    const [ready] = eventsOf(await go(), 'plan.ready');
    expect(ready?.plan).toMatchObject({
      onFailure: 'rollback',
      back: [
        {component: 'core', revert: 'ask', version: before, state: {version: before}},
        {component: 'service', revert: 'auto', version: before, state: {version: before}},
      ],
    });
  });

  test('what is there in the end is noted, so that a later run can go back to it', async () => {
    const {go, record} = testRelease({core: {}, same: {}});
    await go();
    const {observed} = replay(record().events);
    expect([...observed.values()].map(({component, version, state}) => ({component, version, state}))).toEqual([
      {component: 'core', version, state: {version}},
      {component: 'same', version, state: {version}},
    ]);
  });
});

describe('taken back because somebody says so', () => {
  test('it is back on what was there before: exit 6', async () => {
    const {world, go, record} = testRelease({service: {}});
    breaks(world, 'service');
    const gone = await go({answers: decide('rollback')});
    expect(gone.finish).toMatchObject({outcome: 'rolled back', exitCode: 6});
    expect(ends(gone)).toEqual({service: 'rolled back'});
    expect(running(world)).toEqual({service: before});
    expect(world.effects).toEqual(['service/change', 'service/back.change']);
    expect(gone.finish?.components[0]?.note).toContain('its tasks exit with 1');
    expect(eventsOf(gone, 'back.planned')).toMatchObject([{plan: {component: 'service', to: before}}]);
    // What was there is not what a later run may go back to: nothing has arrived.
    expect(replay(record().events).observed.size).toBe(0);
  });

  test('after a step that broke in the middle as well', async () => {
    const {world, go} = testRelease({service: {}});
    world.faults.set('service/change', [failsHalfWay]);
    const gone = await go({answers: decide('rollback')});
    expect(gone.finish).toMatchObject({outcome: 'rolled back', exitCode: 6});
    expect(running(world)).toEqual({service: before});
  });

  test('of a way back that fails, the steps of that way are what is left to do by hand', async () => {
    const {world, go} = testRelease({service: {}});
    breaks(world, 'service');
    world.faults.set('service/back.change', [fails]);
    const answers: FailureChoice[] = ['rollback', 'leave'];
    const gone = await go({answers: question => (question.about === 'failure' ? answers.shift() : undefined)});
    const left = gone.asked.flatMap(question => (question.about === 'failure' ? [question.byHand] : []));
    expect(left).toMatchObject([[], [{step: 'back.change', commands: [['make', 'service/back.change']]}]]);
  });

  test('a way back that would do more than was approved is not gone', async () => {
    const {world, go} = testRelease({service: {backRisk: 'destroy'}});
    breaks(world, 'service');
    const gone = await go({answers: decide('rollback')});
    expect(gone.finish).toMatchObject({outcome: 'failed', exitCode: 1});
    expect(gone.finish?.components[0]?.note).toContain('the way back would do more than was approved (destroy, not update)');
    expect(running(world)).toEqual({service: version});
  });

  test('a way back that does not work out either is a failure, and says so', async () => {
    const {world, go} = testRelease({service: {}});
    breaks(world, 'service');
    world.faults.set('service/back.change', [failsHalfWay]);
    const gone = await go({
      answers: question =>
        question.about === 'failure'
          ? question.choices[0] === 'retry' && question.choices.length === 2
            ? 'leave'
            : 'rollback'
          : undefined,
    });
    expect(gone.finish).toMatchObject({exitCode: 1});
    expect(gone.finish?.components[0]?.note).toContain('taking it back did not work out: it broke in the middle');
  });

  test.each(['superseded', 'rolled back', 'stopped'] as const)(
    'what somebody else has done (%s) is not taken back, and not let through',
    async cause => {
      const {world, go} = testRelease({service: {}, other: {}});
      breaks(world, 'service', {...broken, cause});
      const gone = await go();
      expect(choicesIn(gone)).toEqual([['retry', 'leave']]);
    },
  );

  test('a component that says never is not on offer', async () => {
    const {world, go} = testRelease({service: {revert: 'never'}});
    breaks(world, 'service');
    expect(choicesIn(await go())).toEqual([['retry', 'skip', 'leave']]);
  });
});

describe('once one has failed', () => {
  const things = {core: {}, late: {}, last: {needs: ['late']}} satisfies Record<string, Thing>;

  test('those that have not been started are not started, and those that have moved are named', async () => {
    const {world, go} = testRelease({first: {}, ...things});
    breaks(world, 'core');
    const gone = await go({maxParallel: 1});
    expect(ends(gone)).toEqual({first: 'verified', core: 'failed', late: 'not started', last: 'not started'});
    expect(gone.finish).toMatchObject({
      exitCode: 1,
      text: '1 of 4 components on 1.14.0 (first); failed: core; not started: late, last',
    });
  });

  test('all that have moved are taken back together, what needs others first', async () => {
    const {world, go} = testRelease({
      core: {},
      service: {needs: ['core']},
      loader: {needs: ['service']},
      late: {needs: ['loader']},
    });
    breaks(world, 'loader');
    const gone = await go({answers: decide('rollback-all')});
    expect(gone.finish).toMatchObject({outcome: 'rolled back', exitCode: 6});
    expect(ends(gone)).toEqual({core: 'rolled back', service: 'rolled back', loader: 'rolled back', late: 'not started'});
    expect(world.effects.slice(3)).toEqual(['loader/back.change', 'service/back.change', 'core/back.change']);
  });

  test('one of them cannot be taken back: that is no "back on the old one"', async () => {
    const {world, go} = testRelease({core: {revert: 'never'}, service: {needs: ['core']}, loader: {needs: ['service']}});
    breaks(world, 'loader');
    const gone = await go({answers: decide('rollback-all')});
    expect(gone.finish).toMatchObject({outcome: 'failed', exitCode: 1});
    expect(ends(gone)).toEqual({core: 'verified', service: 'rolled back', loader: 'rolled back'});
  });
});

describe('nobody is there to ask', () => {
  test.each([
    {onFailure: 'leave', ends: {core: 'verified', service: 'failed'}, exitCode: 1},
    {onFailure: 'rollback', ends: {core: 'verified', service: 'rolled back'}, exitCode: 1},
    {onFailure: 'rollback-all', ends: {core: 'rolled back', service: 'rolled back'}, exitCode: 6},
  ] as const)('onFailure: $onFailure answers', async ({onFailure, ends: expected, exitCode}) => {
    const {world, go} = testRelease({core: {}, service: {needs: ['core']}}, {onFailure, unattended: update});
    breaks(world, 'service');
    const gone = await go();
    expect(ends(gone)).toEqual(expected);
    expect(gone.finish).toMatchObject({exitCode});
  });

  test.each(['rollback', 'rollback-all'] as const)('onFailure: %s does not take back what says ask', async onFailure => {
    const {world, go} = testRelease(
      {core: {revert: 'ask'}, service: {needs: ['core'], revert: 'ask'}},
      {onFailure, unattended: update},
    );
    breaks(world, 'service');
    expect(ends(await go())).toEqual({core: 'verified', service: 'failed'});
  });

  test('a release that is stopped is taken back where the config says so, without waiting for it', async () => {
    const {world, go} = testRelease({core: {takes: 60_000, within: 600_000}}, {onCancel: 'rollback', unattended: update});
    const stop = createStop();
    const gone = await go({
      stop,
      onEvent: event =>
        void (event.type === 'check' && event.job.phase === 'verify' && stop.request({do: 'stop', by: 'SIGTERM'})),
    });
    expect(gone.finish).toMatchObject({outcome: 'interrupted', exitCode: 143, resumable: true});
    expect(ends(gone)).toEqual({core: 'unknown'});
    expect(running(world)).toEqual({core: before});
    const resumed = await go();
    expect(resumed.finish).toMatchObject({outcome: 'rolled back', exitCode: 6});
    expect(world.effects).toEqual(['core/change', 'core/back.change']);
  });
});

describe('what only seems hopeless', () => {
  test('can be waited for, and may still come true', async () => {
    const {world, go} = testRelease({service: {takes: 5000, within: 60_000}});
    let looks = 0;
    Object.defineProperty(world.verdicts, 'get', {
      value: () => (++looks <= 3 ? {status: 'failed', found: 'the image cannot be pulled', waitable: true} : undefined),
    });
    const gone = await go({answers: decide('wait')});
    expect(choicesIn(gone)).toEqual([['wait', 'retry', 'rollback', 'skip', 'leave']]);
    expect(gone.finish).toMatchObject({outcome: 'passed', exitCode: 0});
  });
});

describe('let through', () => {
  test('with a reason: that is a waiver, what needs it goes on, and the release says so for ever', async () => {
    const {world, go, record} = testRelease({core: {}, service: {needs: ['core']}});
    breaks(world, 'core');
    const gone = await go({answers: decide('skip', 'its check is known to lie')});
    expect(ends(gone)).toEqual({core: 'waived', service: 'verified'});
    expect(gone.finish).toMatchObject({outcome: 'passed with waivers', exitCode: 0});
    expect(replay(record().events).waived).toMatchObject([{claim: 'core', reason: 'its check is known to lie', by: 'operator'}]);
  });
});

test('what is done when it is stopped and nobody is there is part of what is approved, and said', async () => {
  const {go} = testRelease({core: {}}, {onCancel: 'rollback'});
  const [planned] = eventsOf(await go(), 'plan.ready');
  if (planned === undefined) throw new Error('nothing was planned');
  expect(planned.plan).toMatchObject({onCancel: 'rollback'});
  expect(planLines(planned.plan)).toContain(
    '  If it is stopped, what has moved is sent back, and nobody waits for it (onCancel: rollback)',
  );
});

describe('gates', () => {
  const shut = {
    claim: {id: 'promotion from staging', text: '1.14.0 was verified in staging', subject: null},
    override: 'promotion',
    check: async (): Promise<Check> => ({
      claim: 'promotion from staging',
      text: '1.14.0 was verified in staging',
      status: 'failed',
      found: 'it never was there',
      next: 'release it to staging first',
    }),
  };

  test('that are shut refuse the release: exit 3, and nothing is done', async () => {
    const {world, go} = testRelease({core: {prepares: ['bump']}}, {gates: [shut]});
    const gone = await go();
    expect(gone.finish).toMatchObject({outcome: 'refused', exitCode: 3, text: expect.stringContaining('it never was there')});
    expect(world.effects).toEqual([]);
  });

  test('that cannot be looked at are shut', async () => {
    const open = {...shut, check: async () => ({...(await shut.check()), status: 'open' as const})};
    expect((await testRelease({core: {}}, {gates: [open]}).go()).finish).toMatchObject({exitCode: 3});
  });

  test('that somebody lets through by name are a waiver', async () => {
    const overrides = [{name: 'promotion', reason: 'production is down', by: 'jo@laptop'}];
    const gone = await testRelease({core: {}}, {gates: [shut], overrides}).go();
    expect(gone.finish).toMatchObject({outcome: 'passed with waivers', exitCode: 0});
    expect(eventsOf(gone, 'waived')).toMatchObject([{claim: shut.claim.id, reason: 'production is down', by: 'jo@laptop'}]);
  });

  test('another name lets nothing through', async () => {
    const overrides = [{name: 'checklist', reason: 'none', by: 'jo'}];
    expect((await testRelease({core: {}}, {gates: [shut], overrides}).go()).finish).toMatchObject({exitCode: 3});
  });
});

describe('gates of a run that was interrupted', () => {
  /** As `answers` say, one look after the other; the last one stays. */
  const gate = (answers: Check['status'][]) => ({
    claim: {id: 'promotion staging', text: '1.14.0 is verified in staging', subject: null},
    override: 'promotion',
    check: async (): Promise<Check> => ({
      claim: 'promotion staging',
      text: '1.14.0 is verified in staging',
      status: (answers.length > 1 ? answers.shift() : answers[0]) ?? 'failed',
      found: 'as it is',
    }),
  });

  test('do not shut behind one that has changed something: it comes to its end', async () => {
    const {go, world} = testRelease({core: {}, loader: {needs: ['core']}}, {gates: [gate(['passed', 'failed'])]});
    expect((await go({crash: {at: 'before intent', step: 'loader/change'}})).finish).toBeUndefined();
    expect((await go()).finish).toMatchObject({outcome: 'passed', exitCode: 0});
    expect(running(world)).toEqual({core: version, loader: version});
  });

  test('are looked at again as long as nothing was changed', async () => {
    const {go} = testRelease({core: {prepares: ['bump']}}, {gates: [gate(['passed', 'failed'])]});
    await go({crash: {at: 'before intent', step: 'core/change'}});
    expect((await go()).finish).toMatchObject({exitCode: 7, text: expect.stringContaining('1.14.0 is verified in staging')});
  });

  test('that were let through stay let through: nobody says it twice', async () => {
    const overrides = [{name: 'promotion', reason: 'staging is down', by: 'jo@laptop'}];
    const {go, record} = testRelease({core: {prepares: ['bump']}}, {gates: [gate(['failed'])], overrides});
    await go({crash: {at: 'before intent', step: 'core/change'}});
    overrides.length = 0;
    expect((await go()).finish).toMatchObject({outcome: 'passed with waivers', exitCode: 0});
    expect(eventsOf(record(), 'waived')).toHaveLength(1);
  });
});

describe('the environment is taken for this run alone', () => {
  test('after the build, before the plan', async () => {
    const seen: string[] = [];
    const {go} = testRelease({core: {prepares: ['build']}}, {enter: async () => void seen.push('entered')});
    await go({onEvent: event => void (event.type === 'job.succeeded' && seen.push(event.job.phase))});
    expect(seen).toEqual(['preflight', 'build', 'entered', 'plan', 'confirm', 'apply', 'verify']);
  });

  test('not for looking only', async () => {
    const enter = async () => Promise.reject(new DeployError('locked'));
    expect((await testRelease({core: {}}, {enter}).go({planOnly: true})).finish).toMatchObject({exitCode: 0});
  });

  test('and where somebody else has it, what was edited is taken back', async () => {
    const enter = async () => Promise.reject(new DeployError('the environment is locked by sam'));
    const {world, go} = testRelease({core: {prepares: ['bump']}}, {enter});
    const gone = await go();
    expect(gone.finish).toMatchObject({exitCode: 1, text: expect.stringContaining('locked by sam')});
    expect(Object.fromEntries(world.files)).toEqual({core: before});
  });
});

describe('a message that nobody can look for', () => {
  test('did happen, says somebody who knows: it is not sent again, and its effect is looked for', async () => {
    const {world, go} = testRelease({core: {blind: true, known: true}});
    world.faults.set('core/change', [losesAnswer]);
    const gone = await go({answers: question => (question.about === 'unknown step' ? 'happened' : undefined)});
    expect(gone.asked).toContainEqual(expect.objectContaining({about: 'unknown step', happened: true}));
    expect(gone.finish).toMatchObject({outcome: 'passed', exitCode: 0});
    expect(world.effects).toEqual(['core/change']);
  });
});

describe('a process that dies on the way back', () => {
  const things = {core: {}, service: {needs: ['core'], steps: ['register', 'update']}} satisfies Record<string, Thing>;
  const undisturbed = testRelease(things);
  breaks(undisturbed.world, 'service');

  test('wherever it is: the next one ends where the undisturbed one ended', async () => {
    const whole = await undisturbed.go({answers: decide('rollback-all')});
    expect(whole.finish).toMatchObject({exitCode: 6});
    const steps = whole.events.flatMap(event => (event.type === 'intent' ? [`${event.job.component}/${event.step}`] : []));
    expect(steps).toEqual([
      'core/change',
      'service/register',
      'service/update',
      'service/back.register',
      'service/back.update',
      'core/back.change',
    ]);
    const points: CrashPoint[] = [
      ...steps.flatMap(step => (['before intent', 'before call', 'after call'] as const).map(at => ({at, step}))),
      ...whole.events.map((_, beforeLine) => ({beforeLine})),
    ];
    for (const crash of points) {
      const release = testRelease(things);
      breaks(release.world, 'service');
      expect((await release.go({crash, answers: decide('rollback-all')})).finish).toBeUndefined();
      const gone = await release.go({answers: decide('rollback-all')});
      expect(gone.finish, JSON.stringify(crash)).toMatchObject({exitCode: 6, outcome: 'rolled back'});
      expect(endState(release.world), JSON.stringify(crash)).toEqual(endState(undisturbed.world));
      expect(replay(release.record().events).open.size).toBe(0);
    }
  });
});
