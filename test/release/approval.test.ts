/** An approval that is given elsewhere: what it covers, and what it does not. */
import {describe, expect, test} from 'vitest';
import {type ApprovalFile, approvalFile, approvalOf, otherFacts, planMismatch} from '../../src/release/approval.ts';
import type {AnyComponentPlan} from '../../src/release/model.ts';
import type {Approved} from '../../src/release/unattended.ts';
import {before, testRelease, version} from '../support/world.ts';

const facts = {application: 'things', environment: 'production', version, onFailure: 'leave', onCancel: 'leave'} as const;
const salt = '00112233445566778899aabbccddeeff';

const part: AnyComponentPlan = {
  component: 'service',
  kind: 'thing',
  from: before,
  to: version,
  changes: [
    {
      id: 'password',
      risk: 'update',
      summary: 'the password changes',
      details: [{name: 'value', before: '(sensitive)', after: '(sensitive)', sensitive: true}],
      flags: [],
    },
  ],
  notes: [],
  fingerprint: 'a'.repeat(64),
  payload: {secret: 'hunter2'},
};

async function approved(...components: readonly AnyComponentPlan[]): Promise<ApprovalFile> {
  const file = await approvalOf({components: [...components]}, {...facts, at: 'then', by: 'jo@laptop', tool: '1.0.0', salt});
  return approvalFile.parse(JSON.parse(JSON.stringify(file)));
}

const mismatch = (file: ApprovalFile, ...components: readonly AnyComponentPlan[]) =>
  planMismatch(file, {components: [...components]});

describe('what was approved', () => {
  test('is the same plan made once more, whatever its payload is called by then', async () => {
    expect(await mismatch(await approved(part), {...part, payload: {planFile: '/elsewhere'}})).toEqual([]);
  });

  test('holds nothing that is secret, and no hash that can be guessed quickly', async () => {
    const text = JSON.stringify(await approved(part));
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain(part.fingerprint);
    expect(
      JSON.stringify(await approvalOf({components: [part]}, {...facts, at: '', by: '', tool: '', salt: 'f'.repeat(32)})),
    ).not.toContain((await approved(part)).components[0]?.fingerprint);
  });

  test('is not a plan that rests on another secret: of that only that it differs', async () => {
    expect(await mismatch(await approved(part), {...part, fingerprint: 'b'.repeat(64)})).toEqual([
      'service: what it rests on is different, in nothing that is shown',
    ]);
  });

  test('is not a plan with another risk or flag, be its fingerprint the same', async () => {
    const [change] = part.changes;
    if (change === undefined) throw new Error('there is a change');
    expect(await mismatch(await approved(part), {...part, changes: [{...change, flags: ['republish']}]})).toEqual([
      'service: the password changes: republish',
    ]);
    expect(await mismatch(await approved(part), {...part, changes: [{...change, risk: 'outage'}]})).toEqual([
      'service: the password changes: outage, not update',
    ]);
    const bold = {...part, changes: [{...change, flags: ['republish' as const]}]};
    expect(await mismatch(await approved(bold), part)).toHaveLength(1);
  });

  test('is all components, and no other', async () => {
    const other = {...part, component: 'loader'};
    expect(await mismatch(await approved(part, other), part)).toEqual(['loader: is not in the plan any more']);
    expect(await mismatch(await approved(part), part, other)).toEqual(['loader: is new in the plan']);
  });

  test.each([
    ['application', {...facts, application: 'others'}, 'application: things was approved, not others'],
    ['environment', {...facts, environment: 'staging'}, 'environment: production was approved, not staging'],
    ['version', {...facts, version: '2.0.0'}, `version: ${version} was approved, not 2.0.0`],
    ['policy after a failure', {...facts, onFailure: 'rollback'}, 'onFailure: leave was approved, not rollback'],
  ] as const)('is for one %s', (_what, now, words) => {
    expect(otherFacts(facts, now)).toEqual([words]);
    expect(otherFacts(facts, facts)).toEqual([]);
  });
});

describe('an image that is not built yet', () => {
  const unbuilt = {image: 'registry/app:1.14.0', commit: 'c'.repeat(40), fingerprint: 'd'.repeat(64)};
  const planned = {...part, unbuilt};
  const built = {...planned, fingerprint: 'e'.repeat(64)};

  test('is approved by its tag and the commit that it is built on', async () => {
    expect(await mismatch(await approved(planned), built)).toEqual([]);
  });

  test('is not one that was built on another commit', async () => {
    const other = {...built, unbuilt: {...unbuilt, commit: 'f'.repeat(40), fingerprint: 'f'.repeat(64)}};
    expect(await mismatch(await approved(planned), other)).toContain(
      `service: registry/app:1.14.0 was built on commit ${'f'.repeat(40)}, and ${'c'.repeat(40)} was approved`,
    );
  });

  test('is not one that somebody else has pushed meanwhile', async () => {
    const {unbuilt: _, ...foreign} = built;
    expect(await mismatch(await approved(planned), foreign)).toContain(
      `service: registry/app:1.14.0 was to be built from commit ${'c'.repeat(40)}, and was there already`,
    );
  });
});

describe('a release with an approval', () => {
  const approval = (lines: readonly string[]): Approved => ({because: 'plan.json sha256:…', mismatch: async () => lines});

  test('goes on with the approved plan whatever policy says, and records whose yes it was', async () => {
    const {go} = testRelease({core: {risk: 'outage'}}, {unattended: [], approved: approval([])});
    const {finish, events} = await go();
    expect(finish?.outcome).toBe('passed');
    expect(events).toContainEqual(
      expect.objectContaining({type: 'approval.given', by: 'flag', covers: ['outage'], because: 'plan.json sha256:…'}),
    );
  });

  test('is refused with every difference, and nothing is touched, be policy as generous as it may', async () => {
    const {world, go} = testRelease({core: {}}, {unattended: [{what: 'update'}], approved: approval(['core: one', 'core: two'])});
    const {finish} = await go();
    expect(finish).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
    expect(finish?.text).toContain('the plan is not the one in plan.json sha256:…:\ncore: one\ncore: two');
    expect(world.effects).toEqual([]);
  });
});
