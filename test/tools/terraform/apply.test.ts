import {describe, expect, test} from 'vitest';
import {exitCodes, LostAnswerError, StoppedError} from '../../../src/release/errors.ts';
import {countOperations, ifInterrupted, nothingRead, readApply, readOn} from '../../../src/tools/terraform/apply.ts';
import {StalePlanError, StateLockedError} from '../../../src/tools/terraform/diagnosis.ts';
import type {Ended} from '../../../src/tools/terraform/runner.ts';
import {readMessage, type TerraformMessage} from '../../../src/tools/terraform/stream.ts';
import {streamOf} from './support.ts';

const exited = (exitCode: number): Ended => ({is: 'ended', exitCode, signal: null});

test('an apply that went through', () => {
  const result = readApply(streamOf('apply-create'), exited(0));
  expect(result).toMatchObject({
    outcome: 'applied',
    summary: {add: 5, change: 0, remove: 0},
    errored: [],
    missing: [],
    error: undefined,
  });
  expect(result.completed.map(({address}) => address)).toEqual([
    'terraform_data.cbd',
    'terraform_data.svc',
    'terraform_data.counted[1]',
    'terraform_data.counted[0]',
    'terraform_data.inplace',
  ]);
});

test('counts what is done of what is planned, from the first line on', () => {
  const counts = ['apply-create', 'apply-state-save-failed'].map(name => {
    let progress = nothingRead;
    return streamOf(name).map(message => {
      progress = readOn(progress, message);
      const {done, total} = countOperations(progress);
      return `${done}/${total}`;
    });
  });
  expect([...new Set(counts[0])]).toEqual(['0/0', '0/1', '0/2', '0/3', '0/4', '0/5', '1/5', '2/5', '3/5', '4/5', '5/5']);
  // Two replacements.
  expect(counts[1]?.at(-1)).toBe('4/4');
});

test('says at every moment what stopping would leave', () => {
  const said = (name: string): readonly string[] => {
    let progress = nothingRead;
    return streamOf(name).map(message => {
      progress = readOn(progress, message);
      return ifInterrupted(progress);
    });
  };
  expect(said('apply-create')[0]).toBe('Terraform has not changed anything yet.');
  expect(said('apply-create').at(-1)).toBe('What is done stays; Terraform begins nothing more.');
  expect(said('apply-create')).toContain('Terraform finishes create terraform_data.cbd, and begins nothing more.');

  const addr = 'aws_instance.default';
  const hook = (type: string, action: string) => ({type, '@message': '', hook: {resource: {addr}, action}});
  const replacement: readonly TerraformMessage[] = [
    {type: 'planned_change', '@message': '', change: {resource: {addr}, action: 'replace'}},
    hook('apply_start', 'delete'),
    hook('apply_complete', 'delete'),
    hook('apply_start', 'create'),
    hook('apply_complete', 'create'),
  ].map(line => readMessage(JSON.stringify(line)));
  const states = replacement.map((_, index) => ifInterrupted(replacement.slice(0, index + 1).reduce(readOn, nothingRead)));
  expect(states).toEqual([
    'Terraform has not changed anything yet.',
    'aws_instance.default is being destroyed: stopping leaves it down, the new one is not created any more.',
    'The old aws_instance.default is destroyed, the new one is not created: stopping leaves it down.',
    'The old aws_instance.default is destroyed, the new one is being created: if that is cut off, stopping leaves it down.',
    'What is done stays; Terraform begins nothing more.',
  ]);
});

test('the summary alone is no success, and neither is the exit code', () => {
  expect(readApply(streamOf('apply-create'), exited(1)).outcome).toBe('failed');
  expect(readApply(streamOf('apply-create').slice(0, -2), exited(0)).outcome).toBe('lost');
  // A plan says "0 to add" and exits with 0.
  expect(readApply(streamOf('plan-create'), exited(0)).outcome).toBe('lost');
});

describe('an apply that failed', () => {
  test('names what failed, where, and what is done', () => {
    const result = readApply(streamOf('apply-provisioner-failed-with-progress'), exited(1));
    expect(result.outcome).toBe('failed');
    expect(result.errored).toMatchObject([
      {address: 'terraform_data.slow', summary: 'local-exec provisioner error', where: 'main.tf:5'},
    ]);
    expect(result.operations).toEqual([
      {address: 'terraform_data.slow', action: 'create', state: 'failed', elapsedSeconds: 12},
      {address: 'terraform_data.a', action: 'create', state: 'done', elapsedSeconds: 0},
    ]);
    expect(result.error?.message).toBe(
      "`terraform apply` failed: local-exec provisioner error (terraform_data.slow, main.tf:5)\nError running command 'sleep 12; exit 3': exit status 3. Output:",
    );
    expect(result.error?.means).toBe('Done: create terraform_data.a. Failed on the way: create terraform_data.slow.');
    expect(result.error?.next.join()).toContain('Plan again');
  });

  test('says first what is destroyed and not there again', () => {
    const messages = [
      planned('aws_instance.default', 'replace'),
      planned('aws_alb_target_group_attachment.default', 'replace'),
      ...operation('aws_alb_target_group_attachment.default', 'delete', 'apply_complete'),
      ...operation('aws_instance.default', 'delete', 'apply_complete'),
      ...operation('aws_instance.default', 'create', 'apply_errored'),
      diagnostic('creating EC2 Instance: InsufficientInstanceCapacity', 'aws_instance.default'),
    ];
    const result = readApply(messages, exited(1));
    expect(result.missing).toEqual(['aws_instance.default', 'aws_alb_target_group_attachment.default']);
    expect(result.error?.means).toMatch(
      /^Destroyed, and not created anew: aws_instance\.default, aws_alb_target_group_attachment\.default\. What that did is down\./,
    );
  });

  test('nothing is missing where the new one came first', () => {
    const messages = [
      planned('aws_instance.default', 'replace'),
      ...operation('aws_instance.default', 'create', 'apply_complete'),
      ...operation('aws_instance.default', 'delete', 'apply_errored'),
      diagnostic('UnauthorizedOperation', 'aws_instance.default'),
    ];
    expect(readApply(messages, exited(1)).missing).toEqual([]);
  });

  test('what an earlier replacement has left is not taken for the resource itself', () => {
    const messages = [
      planned('aws_instance.default', 'delete'),
      planned('aws_instance.default', 'replace'),
      ...operation('aws_instance.default', 'delete', 'apply_complete'),
      ...operation('aws_instance.default', 'create', 'apply_errored'),
    ];
    expect(readApply(messages, exited(1)).missing).toEqual([]);
  });

  test('before it did anything', () => {
    const result = readApply([diagnostic('Failed to load plugin schemas')], exited(1));
    expect(result).toMatchObject({outcome: 'failed', error: {means: 'Nothing was changed.'}});
  });
});

test('one interrupt: it stopped, and the state is saved', () => {
  const result = readApply(streamOf('apply-sigint-once'), exited(1));
  expect(result).toMatchObject({outcome: 'interrupted', interrupts: 1, missing: ['terraform_data.a', 'terraform_data.b']});
  expect(result.errored.map(({summary}) => summary)).toEqual(['local-exec provisioner error']);
  expect(result.error).toBeInstanceOf(StoppedError);
  expect(result.error?.means).toContain('The state is saved.');
});

test('two interrupts: something may be missing from the state, and it is probably locked', () => {
  const result = readApply(streamOf('apply-sigint-twice'), exited(1));
  expect(result).toMatchObject({outcome: 'interrupted', interrupts: 2});
  expect(result.error?.means).toContain('the state is probably still locked');
});

test('an interrupt before it has begun', () => {
  const result = readApply([], {is: 'ended', exitCode: null, signal: 'SIGINT'});
  expect(result).toMatchObject({outcome: 'interrupted', error: {means: 'Nothing was changed.'}});
});

test('an interrupt that came too late changes nothing', () => {
  const interrupt = readMessage(line({type: 'log', '@message': '\nInterrupt received.\nPlease wait…'}));
  expect(readApply([...streamOf('apply-create'), interrupt], exited(0)).outcome).toBe('applied');
});

test('a stale plan: nothing was changed', () => {
  const result = readApply(streamOf('apply-stale-plan'), exited(1));
  expect(result).toMatchObject({outcome: 'stale', error: {means: expect.stringMatching(/^Nothing was changed/), final: true}});
  expect(result.error).toBeInstanceOf(StalePlanError);
});

test('a held lock', () => {
  const held = diagnostic(
    'Error acquiring the state lock',
    undefined,
    'Lock Info:\n  ID:        abc\n  Who:       alice@build\n',
  );
  const result = readApply([held], exited(1));
  expect(result).toMatchObject({outcome: 'locked', error: {exitCode: exitCodes.locked, holder: {id: 'abc', who: 'alice@build'}}});
  expect(result.error).toBeInstanceOf(StateLockedError);
});

test('a state that could not be saved: how to save it comes before anything else', () => {
  const result = readApply(streamOf('apply-state-save-failed'), exited(1));
  expect(result).toMatchObject({outcome: 'state not saved', missing: []});
  expect(result.completed).toHaveLength(4);
  expect(result.error?.next[0]).toBe('Do not plan or apply before the state is saved.');
  expect(result.error?.next[1]).toContain('terraform state push errored.tfstate');
});

describe('lost', () => {
  test('says what was seen last', () => {
    const result = readApply(streamOf('apply-create').slice(0, 9), {is: 'lost'});
    expect(result.outcome).toBe('lost');
    expect(result.error).toBeInstanceOf(LostAnswerError);
    expect(result.error?.means).toContain('Done: create terraform_data.cbd. Not heard of again: create terraform_data.svc.');
  });

  test('after it had said that all is applied', () => {
    expect(readApply(streamOf('apply-create'), {is: 'lost'}).error?.means).toContain('it had said that everything was applied');
  });

  test('when it was killed', () => {
    const result = readApply([], {is: 'ended', exitCode: null, signal: 'SIGKILL'});
    expect(result).toMatchObject({outcome: 'lost', error: {message: 'Terraform was killed (SIGKILL) during the apply.'}});
  });
});

function line(message: object): string {
  return JSON.stringify({'@message': 'Said for people', ...message});
}

function planned(addr: string, action: string): TerraformMessage {
  return readMessage(line({type: 'planned_change', change: {resource: {addr}, action}}));
}

function operation(addr: string, action: string, end: 'apply_complete' | 'apply_errored'): TerraformMessage[] {
  const hook = {resource: {addr}, action};
  return [readMessage(line({type: 'apply_start', hook})), readMessage(line({type: end, hook: {...hook, elapsed_seconds: 3}}))];
}

function diagnostic(summary: string, address?: string, detail = ''): TerraformMessage {
  return readMessage(line({type: 'diagnostic', diagnostic: {severity: 'error', summary, detail, address}}));
}
