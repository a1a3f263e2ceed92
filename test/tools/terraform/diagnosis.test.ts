import {describe, expect, test} from 'vitest';
import {exitCodes} from '../../../src/release/errors.ts';
import {
  NotInitialisedError,
  readDiagnostics,
  StalePlanError,
  StateLockedError,
  terraformError,
} from '../../../src/tools/terraform/diagnosis.ts';
import {lockHolder, tellLock} from '../../../src/tools/terraform/lock.ts';
import type {Diagnostic} from '../../../src/tools/terraform/stream.ts';

/** The texts of Terraform 1.11.4 with the backends local, s3 (`use_lockfile`) and http. */
const locks = {
  local: `Error message: resource temporarily unavailable
Lock Info:
  ID:        b6fe92ef-4e11-65ea-1467-557aa6a079d6
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       root@vm
  Version:   1.11.4
  Created:   2026-11-21 22:17:26.459506033 +0000 UTC
  Info:      


Terraform acquires a state lock to protect the state from being written
by multiple users at the same time.`,
  s3: `Error message: operation error S3: PutObject, https response error StatusCode: 412, RequestID: x, HostID: y, api error PreconditionFailed: At least one of the pre-conditions you specified did not hold
Lock Info:
  ID:        11111111-2222
  Path:      bucket/k/terraform.tfstate
  Operation: OperationTypeApply
  Who:       alice@build
  Version:   1.11.4
  Created:   2026-11-21 20:00:00 +0000 UTC
  Info:      
`,
  http: `Error message: HTTP remote state already locked: ID=held-1234
Lock Info:
  ID:        32c3da79-b1ef-f139-f8e3-efe7a5fd2d0c
  Path:      
  Operation: OperationTypePlan
  Who:       root@vm
  Version:   1.11.4
  Created:   2026-11-21 22:21:17.035339081 +0000 UTC
  Info:      
`,
  denied: `Error message: operation error S3: PutObject, https response error StatusCode: 403, RequestID: x, HostID: y, api error AccessDenied: Access Denied`,
};

describe('who holds the state lock', () => {
  test('the local backend says who, since when and what for', () => {
    expect(lockHolder({detail: locks.local})).toEqual({
      id: 'b6fe92ef-4e11-65ea-1467-557aa6a079d6',
      who: 'root@vm',
      operation: 'apply',
      since: '2026-11-21 22:17:26 UTC',
      path: 'terraform.tfstate',
    });
  });

  test('so does S3', () => {
    const holder = lockHolder({detail: locks.s3});
    expect(holder && tellLock(holder)).toBe(
      'The Terraform state is locked by alice@build since 2026-11-21 20:00:00 UTC (apply).',
    );
  });

  test('the http backend names the one who asks, and of the holder only the id', () => {
    expect(lockHolder({detail: locks.http})).toEqual({id: 'held-1234'});
    expect(tellLock({id: 'held-1234'})).toBe('The Terraform state is locked (lock held-1234).');
  });

  test('nobody, when the lock could not be asked for', () => {
    expect(lockHolder({detail: locks.denied})).toBeUndefined();
    const error = terraformError('terraform plan', [said('Error acquiring the state lock', locks.denied)]);
    expect(error).not.toBeInstanceOf(StateLockedError);
    expect(error.message).toContain('AccessDenied');
  });
});

describe('errors in words of our own', () => {
  test('a held lock has its exit code and the way out', () => {
    const error = terraformError('terraform plan', [said('Error acquiring the state lock', locks.s3)]);
    expect(error).toBeInstanceOf(StateLockedError);
    expect(error.exitCode).toBe(exitCodes.locked);
    expect(error.next.join('\n')).toContain('terraform force-unlock 11111111-2222');
  });

  test('a stale plan can never be applied', () => {
    expect(terraformError('terraform apply', [said('Saved plan is stale')])).toBeInstanceOf(StalePlanError);
    expect(terraformError('terraform apply', [said('Saved plan does not match the given state')])).toBeInstanceOf(StalePlanError);
  });

  test('all missing variables are named at once', () => {
    const missing = ['image_tag', 'db_password'].map(name =>
      said('No value for required variable', `The root module input variable "${name}" is not set, and has no default value.`),
    );
    expect(terraformError('terraform plan', missing).message).toBe('No value for `image_tag`, `db_password`.');
  });

  test('undeclared variables are named, with the file, and the ones that Terraform only counts are counted', () => {
    const undeclared = [
      said(
        'Value for undeclared variable',
        'The root module does not declare a variable named "tagg" but a value was found in file "f.tfvars".',
      ),
      said(
        'Value for undeclared variable',
        'The root module does not declare a variable named "tagz" but a value was found in file "f.tfvars".',
      ),
      said(
        'Values for undeclared variables',
        'In addition to the other similar warnings shown, 2 other variable(s) defined without being declared.',
      ),
    ];
    const error = terraformError('terraform plan', undeclared);
    expect(error.message).toBe('A variable file sets `tagg`, `tagz` and 2 more, which the module does not declare.');
    expect(error.next).toEqual(['Correct the name in f.tfvars, or declare the variable in the module.']);
  });

  test('any other is told with its place, its first and last lines, and the rest by name', () => {
    const error = terraformError('terraform plan', [
      said('Deprecated thing', '', {severity: 'warning'}),
      said('Invalid reference', 'one\n\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine', {where: 'main.tf:3'}),
      said('Another', '', {address: 'aws_instance.web'}),
    ]);
    expect(error.message.split('\n')).toEqual([
      '`terraform plan` failed: Invalid reference (main.tf:3)',
      'one',
      'two',
      'three',
      '…',
      'six',
      'seven',
      'eight',
      'nine',
      'Also: Another (aws_instance.web)',
    ]);
    expect(error.diagnostics).toHaveLength(3);
  });

  test('none at all', () => {
    expect(terraformError('terraform plan', []).message).toBe('`terraform plan` failed, and did not say why.');
  });
});

test('reads the diagnostics that are printed as text', () => {
  const text = `
Error: Terraform encountered problems during initialisation, including problems
with the configuration, described below.

The Terraform configuration must be valid.


Error: Unsupported Terraform Core version

  on main.tf line 2, in terraform:
   2:  required_version = ">= 9"

This configuration does not support Terraform version 1.11.4. To proceed,
choose another.

Warning: Something

else
`;
  expect(readDiagnostics(text)).toMatchObject([
    {
      severity: 'error',
      summary:
        'Terraform encountered problems during initialisation, including problems with the configuration, described below.',
    },
    {severity: 'error', summary: 'Unsupported Terraform Core version', where: 'main.tf:2'},
    {severity: 'warning', summary: 'Something', detail: 'else'},
  ]);
  expect(terraformError('terraform init', readDiagnostics(text)).message).toBe(
    'The module wants Terraform >= 9, and this is 1.11.4.',
  );
});

test('asks for init whenever Terraform does', () => {
  const text = 'Error: Backend initialization required, please run "terraform init"\n\nReason: …';
  expect(terraformError('terraform workspace list', readDiagnostics(text))).toBeInstanceOf(NotInitialisedError);
});

function said(summary: string, detail = '', more: Partial<Diagnostic> = {}): Diagnostic {
  return {severity: 'error', summary, detail, where: undefined, code: undefined, ...more};
}
