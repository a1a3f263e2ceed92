import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {readMessage, type TerraformMessage} from '../../../src/tools/terraform/stream.ts';
import {streamOf} from './support.ts';

const streams = [
  'apply-create',
  'apply-provisioner-failed-with-progress',
  'apply-secret-leak-in-diagnostic',
  'apply-sigint-once',
  'apply-sigint-twice',
  'apply-stale-plan',
  'apply-state-save-failed',
  'plan-create',
  'plan-replace-update-delete',
];

test.each(streams)('understands every line of %s', name => {
  const messages = streamOf(name);
  expect(messages.filter(({type}) => type === 'other' || type === 'text')).toEqual([]);
  expect(messages[0]).toMatchObject({type: 'version', terraform: '1.11.4', ui: '1.2', text: 'Terraform 1.11.4'});
  expect(messages.every(({text, at}) => text !== '' && at?.startsWith('2026-11-21T'))).toBe(true);
});

test('a planned change has its address, action and reason', () => {
  expect(planned(streamOf('plan-replace-update-delete'))).toEqual([
    ['terraform_data.svc', 'replace', 'cannot_update'],
    ['terraform_data.inplace', 'update', undefined],
    ['terraform_data.counted[1]', 'delete', 'delete_because_count_index'],
  ]);
});

test('the summary counts what is destroyed', () => {
  const summary = streamOf('plan-replace-update-delete').find(({type}) => type === 'change_summary');
  expect(summary).toMatchObject({operation: 'plan', add: 1, change: 1, remove: 2, import: 0});
});

test('an operation tells how long it took, and a provisioner what it printed', () => {
  const messages = streamOf('apply-provisioner-failed-with-progress');
  expect(messages).toContainEqual(
    expect.objectContaining({type: 'apply_progress', address: 'terraform_data.slow', elapsedSeconds: 10}),
  );
  expect(messages).toContainEqual(
    expect.objectContaining({type: 'apply_errored', address: 'terraform_data.slow', elapsedSeconds: 12}),
  );
  expect(messages).toContainEqual(
    expect.objectContaining({type: 'provision_progress', output: 'Executing: ["/bin/sh" "-c" "sleep 12; exit 3"]'}),
  );
});

test('a diagnostic has its place in the source, and the quoted values are not kept', () => {
  expect(streamOf('apply-provisioner-failed-with-progress').at(-1)).toMatchObject({
    type: 'diagnostic',
    diagnostic: {
      severity: 'error',
      summary: 'local-exec provisioner error',
      detail: "Error running command 'sleep 12; exit 3': exit status 3. Output: ",
      address: 'terraform_data.slow',
      where: 'main.tf:5',
    },
  });
  const quoting = {
    severity: 'warning',
    summary: 'Check failed',
    detail: '',
    snippet: {context: 'check', code: 'x', values: [{traversal: 'var.pw', statement: 'is "hunter2"'}]},
  };
  expect(JSON.stringify(readMessage(line({type: 'diagnostic', diagnostic: quoting})))).not.toContain('hunter2');
});

test('the values of outputs are not kept', () => {
  const outputs = streamOf('apply-create').find(({type}) => type === 'outputs');
  expect(outputs).toMatchObject({outputs: {image: {sensitive: false}, secret_out: {sensitive: true}}});
  expect(JSON.stringify(outputs)).not.toContain('repo/app:1.0.0');
});

describe('is lenient', () => {
  test('with types of newer versions', () => {
    expect(readMessage(line({type: 'planned_action_invocation', action: {addr: 'action.x.y'}}))).toMatchObject({
      type: 'other',
      text: 'Said for people',
    });
  });

  test('with known types of another shape', () => {
    expect(readMessage(line({type: 'apply_start', hook: 'changed'}))).toMatchObject({type: 'other'});
  });

  test('with text, and with a line that was cut off', () => {
    expect(readMessage('Acquiring state lock. This may take a few moments...')).toEqual({
      type: 'text',
      text: 'Acquiring state lock. This may take a few moments...',
    });
    expect(readMessage(line({type: 'version'}).slice(0, 30))).toMatchObject({type: 'text'});
    expect(readMessage('{"type":"version"}')).toEqual({type: 'text', text: '{"type":"version"}'});
  });

  test('with anything', () => {
    fc.assert(fc.property(fc.string(), raw => readMessage(raw).text === raw));
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.json()), rest => readMessage(line(rest)) !== undefined));
  });
});

function line(message: object): string {
  return JSON.stringify({
    '@level': 'info',
    '@message': 'Said for people',
    '@timestamp': '2026-11-21T20:00:00.000000Z',
    ...message,
  });
}

function planned(messages: readonly TerraformMessage[]) {
  return messages.flatMap(message =>
    message.type === 'planned_change' ? [[message.address, message.action, message.reason]] : [],
  );
}
