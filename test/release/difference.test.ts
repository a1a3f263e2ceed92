/** What is different between the plan that was approved and the one that the world asks for now. */
import {describe, expect, test} from 'vitest';
import {planDifferences} from '../../src/release/difference.ts';
import type {AnyComponentPlan, Change} from '../../src/release/model.ts';

const change: Change = {
  id: 'aws_instance.default',
  risk: 'update',
  summary: 'aws_instance.default',
  details: [
    {name: 'user_data', before: 'tag 0.7.1', after: 'tag 0.7.2'},
    {name: 'password', before: '(hidden)', after: '(hidden)', sensitive: true},
  ],
  flags: [],
};
const part: AnyComponentPlan = {
  component: 'service',
  kind: 'terraform',
  from: '0.7.1',
  to: '0.7.2',
  changes: [change],
  notes: [],
  fingerprint: 'one',
  payload: null,
};
const other = (more: Partial<AnyComponentPlan>): AnyComponentPlan => ({...part, fingerprint: 'two', ...more});
const differences = (after: AnyComponentPlan) => planDifferences({components: [part]}, {components: [after]});

describe('two plans', () => {
  test('of the same fingerprint are the same, whatever their words', () => {
    expect(differences({...part, notes: ['rolls 2 tasks']})).toEqual([]);
  });

  test.each([
    [
      'a change that came',
      {changes: [change, {...change, id: 'x', risk: 'destroy', summary: 'aws_eip.x'}]},
      'also destroy: aws_eip.x',
    ],
    ['a change that went', {changes: []}, 'no longer update: aws_instance.default'],
    ['a worse risk', {changes: [{...change, risk: 'outage'}]}, 'aws_instance.default: outage, not update'],
    ['a flag', {changes: [{...change, flags: ['unlisted']}]}, 'aws_instance.default: unlisted'],
    [
      'another value',
      {changes: [{...change, details: [{name: 'user_data', before: 'tag 0.7.1', after: 'tag 0.9'}, ...change.details.slice(1)]}]},
      'aws_instance.default: user_data tag 0.7.1 → tag 0.9, not tag 0.7.1 → tag 0.7.2',
    ],
    ['a value that stays', {changes: [{...change, details: change.details.slice(0, 1)}]}, 'aws_instance.default: password stays'],
    ['another start', {from: '0.7.0'}, 'it starts from 0.7.0, not from 0.7.1'],
    ['a note', {notes: ['Output more: nothing → 1']}, 'Output more: nothing → 1'],
    ['something that is not shown', {}, 'what it rests on is different, in nothing that is shown'],
  ] satisfies [string, Partial<AnyComponentPlan>, string][])('%s', (_name, more, expected) => {
    expect(differences(other(more))).toEqual([`service: ${expected}`]);
  });

  test('never say what is sensitive', () => {
    const secret = {name: 'password', before: 'hunter2', after: 'hunter3', sensitive: true};
    expect(differences(other({changes: [{...change, details: [...change.details.slice(0, 1), secret]}]})).join()).not.toContain(
      'hunter',
    );
  });

  test('with other components', () => {
    expect(planDifferences({components: [part]}, {components: [{...part, component: 'core'}]})).toEqual([
      'core: is new in the plan',
      'service: is not in the plan any more',
    ]);
  });
});
