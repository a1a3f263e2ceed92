import {describe, expect, test} from 'vitest';
import {currentVersion, suggestions, versionFromBump} from '../../src/commands/survey.ts';
import {nextCommands} from '../../src/commands/next-commands.ts';
import {UsageError} from '../../src/release/errors.ts';
import type {ComponentCard} from '../../src/release/form.ts';
import {fails, losesAnswer, testRelease} from '../support/world.ts';

const card = (id: string, more: Partial<ComponentCard> = {}): ComponentCard => ({id, kind: 'ecs-service', needs: [], ...more});

describe('what is deployed', () => {
  test.each([
    [
      'the newest of the components, as versions go',
      [card('a', {version: '1.14.0-RC10'}), card('b', {version: '1.14.0-RC9'}), card('c')],
      '1.14.0-RC10',
    ],
    ['what the source says, where nothing says what runs', [card('a', {source: '0.7.1'}), card('b')], '0.7.1'],
    ['what runs, not what the source says', [card('a', {version: '0.7.1', source: '0.8.0'})], '0.7.1'],
    ['nothing', [card('a')], undefined],
    ['nothing of nothing', [], undefined],
  ] as const)('is %s', (_what, cards, version) => {
    expect(currentVersion(cards)).toBe(version);
  });
});

describe('the versions that are offered', () => {
  test('begin with what the source says already, and whether that was released', () => {
    const sourceNote = 'increased, never released (deployed 0.7.1, newest pushed 0.7.1, no git tag)';
    expect(suggestions([card('a', {version: '0.7.1', source: '0.8.0', sourceNote})])).toEqual([
      {version: '0.8.0', text: `what the source says already: ${sourceNote}`},
      {version: '0.7.2', text: 'patch'},
      {version: '1.0.0', text: 'major'},
      {version: '0.7.2-RC1', text: 'release candidate'},
      {version: '0.7.1', text: 'what is deployed'},
    ]);
    expect(suggestions([card('a', {version: '0.7.1', source: '0.7.1'})])[0]).toEqual({version: '0.7.2', text: 'patch'});
  });

  test('do not call deployed what only the source says: the release of it may have failed', () => {
    expect(suggestions([card('a', {source: '0.7.4', isBetween: true})]).slice(0, 2)).toEqual([
      {version: '0.7.4', text: 'what the source says'},
      {version: '0.7.5', text: 'patch'},
    ]);
  });
});

describe('--bump', () => {
  test('counts from what is deployed', () => {
    expect(versionFromBump('minor', [card('a', {version: '1.13.2', source: '1.13.2'}), card('b', {version: '1.12.0'})])).toBe(
      '1.14.0',
    );
  });

  test('says why there is nothing to count from', () => {
    const problem = {what: 'there are no AWS credentials', next: ['Run: chopaws']};
    expect(() => versionFromBump('patch', [card('a'), card('b', {problem})])).toThrow(
      '--bump patch: no component says what is deployed (b: there are no AWS credentials)',
    );
    try {
      versionFromBump('patch', [card('b', {problem})]);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      expect(error.next).toEqual(['Give the version itself: --release <version>', 'Run: chopaws']);
    }
  });

  test('does not go back behind what a version file says already', () => {
    expect(() => versionFromBump('patch', [card('a', {version: '0.7.1', source: '0.8.0'})])).toThrow(
      '--bump patch makes 0.7.2 of the deployed 0.7.1, and the version file of a says 0.8.0 already',
    );
    expect(versionFromBump('minor', [card('a', {version: '0.7.1', source: '0.8.0'})])).toBe('0.8.0');
  });
});

describe('the commands that a summary ends with', () => {
  const all = ['core', 'service', 'loader'];
  const choice = {environment: 'production', version: '1.14.0', components: all};

  async function commandsAfter(prepare: Parameters<typeof prepared>[0], more: Partial<Parameters<typeof nextCommands>[0]> = {}) {
    const {finish, events} = await prepared(prepare);
    if (finish === undefined) throw new Error('it did not end');
    const plan = events.findLast(event => event.type === 'plan.ready')?.plan;
    const commands = nextCommands({
      choice,
      all,
      config: undefined,
      allow: [],
      override: [],
      reason: undefined,
      planOnly: false,
      unattended: false,
      rollback: false,
      plan,
      policy: [],
      finish,
      ...more,
    });
    return Object.fromEntries(commands.map(({label, command}) => [label, command]));
  }
  async function prepared(prepare: (release: ReturnType<typeof testRelease>) => void) {
    const release = testRelease({core: {}, service: {needs: ['core'], risk: 'outage'}, loader: {}});
    prepare(release);
    const declined = release.world.stale.delete('declined');
    return release.go({answers: question => (declined && question.about === 'approval' ? 'no' : undefined)});
  }

  test('of a good one: the same without questions, with what somebody approved by typing; and the check', async () => {
    expect(await commandsAfter(() => undefined, {policy: [{what: 'update'}]})).toEqual({
      Again: 'deploy-wizard --yes --env production --release 1.14.0 --allow outage:service',
      Check: 'deploy-wizard audit 1.14.0 --env production',
    });
  });

  test('of one for which a gate was let through: that once more, with its reason', async () => {
    const commands = await commandsAfter(() => undefined, {
      policy: [{what: 'update'}, {what: 'outage'}],
      override: ['checklist'],
      reason: 'agreed on by phone',
    });
    expect(commands['Again']).toMatch(
      /^deploy-wizard --yes --env production --release 1\.14\.0 --override checklist --reason ['"]agreed on by phone['"]$/,
    );
  });

  test('of one that failed in part: what is left, and who was there reads the new plan before it is applied', async () => {
    const failing = (unattended: boolean) =>
      commandsAfter(({world}) => world.verdicts.set('loader', {status: 'failed', found: 'no'}), {
        policy: [{what: 'update'}, {what: 'outage'}],
        config: 'a folder/c.yaml',
        unattended,
      });
    const left = String.raw`--config ['"]a folder/c\.yaml['"] --env production --release 1\.14\.0 --component service --component loader$`;
    const commands = await failing(false);
    expect(commands['Again']).toMatch(new RegExp(`^deploy-wizard ${left}`));
    expect(commands['In CI']).toMatch(new RegExp(`^deploy-wizard --yes ${left}`));
    expect(await failing(true)).not.toHaveProperty('In CI');
    expect((await failing(true))['Again']).toMatch(new RegExp(`^deploy-wizard --yes ${left}`));
    expect(commands['Back']).toMatch(/^deploy-wizard rollback --config ['"]a folder\/c\.yaml['"] --env production$/);
  });

  test('of a way back: the same once more', async () => {
    expect(await commandsAfter(() => undefined, {rollback: true, policy: [{what: 'update'}, {what: 'outage'}]})).toEqual({
      Again: 'deploy-wizard rollback --env production --to 1.14.0 --yes',
      Check: 'deploy-wizard audit 1.14.0 --env production',
    });
  });

  test("of one that a person declined: the question again; policy's no needs other flags", async () => {
    const decline = (release: ReturnType<typeof testRelease>) => release.world.stale.set('declined', '');
    const policy = [{what: 'update'}] as const;
    expect(await commandsAfter(decline, {policy})).toEqual({Again: 'deploy-wizard --env production --release 1.14.0'});
    expect(await commandsAfter(decline, {policy, unattended: true})).toEqual({
      Again: 'deploy-wizard --yes --env production --release 1.14.0 --allow outage:service',
    });
  });

  test('of one of which something is not known: to go on, and not to start it a second time', async () => {
    const commands = await commandsAfter(({world}) => {
      world.faults.set('core/change', [losesAnswer]);
      world.faults.set('core/change settled', [fails]);
    });
    expect(commands).toEqual({
      'Go on': 'deploy-wizard resume --env production',
      Check: 'deploy-wizard audit 1.14.0 --env production',
    });
  });

  test('of a plan: the release', async () => {
    expect(await commandsAfter(() => undefined, {planOnly: true, policy: [{what: 'update'}, {what: 'outage'}]})).toEqual({
      Release: 'deploy-wizard --yes --env production --release 1.14.0',
    });
  });
});
