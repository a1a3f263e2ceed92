import {appendFile, rm, symlink} from 'node:fs/promises';
import {expect, onTestFinished, test, vi} from 'vitest';
import {z} from 'zod';
import {startEmulator} from '../../../src/emulator/index.ts';
import {terraform, withTerraform} from '../../tools/terraform/support.ts';
import {type Project, type ProjectOptions, project} from './support.ts';

// Several processes of Terraform a test, on a machine that may have other things to do.
vi.setConfig({testTimeout: 30_000});

const main = `variable "image_tag" {
  type = string
}
module "beside" {
  source = "../beside"
}
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
}
`;
const files = {
  'ci/main.tf': main,
  'ci/start.sh': 'docker run\n',
  'beside/main.tf': 'resource "terraform_data" "x" {}\n',
  'ci/terraform.tfvars': 'image_tag = "0.7.1"\n',
  'shared/start.sh': 'docker run\n',
};
const settings = {set: {image_tag: '${version}'}};

/** As it was deployed by hand. */
async function deployed(more: Partial<ProjectOptions> = {}): Promise<Project> {
  const app = await project({files, settings, ...more});
  // One that leads around in a circle is walked once.
  await symlink('../shared', app.path('ci/linked'));
  await symlink('../ci', app.path('shared/around'));
  await terraform(app.path('ci'), 'init');
  await terraform(app.path('ci'), 'apply', '-auto-approve');
  return app;
}

const planFileOf = ({payload}: {readonly payload: unknown}) => z.object({planFile: z.string()}).parse(payload).planFile;

withTerraform('An approved plan', () => {
  test('holds as long as nothing has changed; what it is bound to is in it', async () => {
    const app = await deployed();
    const plan = await app.plan();
    expect(plan).toMatchObject({
      from: '0.7.1',
      to: '0.7.2',
      payload: {state: {serial: expect.any(Number)}, account: null, workspace: 'default'},
    });
    expect(plan.notes).toEqual(expect.arrayContaining(['terraform.tfvars: image_tag = 0.7.1 → 0.7.2', 'workspace default']));
    // What a release itself leaves there, and what no module is made of.
    await app.write('ci/.terraform/x', 'x');
    await app.write('records/production/x', 'x');
    expect(await app.component.recheck(plan, app.io)).toBeUndefined();
  });

  test.for<{name: string; change: (app: Project, planFile: string) => Promise<unknown>; words: string | RegExp}>([
    {
      name: 'its file was tampered with',
      change: (_app, planFile) => appendFile(planFile, 'x'),
      words: 'the saved plan is not the one that was made: somebody has changed its file',
    },
    {name: 'its file is gone', change: (_app, planFile) => rm(planFile), words: 'the saved plan is gone'},
    {
      name: 'the tfvars file has changed',
      change: app => app.write('ci/terraform.tfvars', 'image_tag = "0.7.0"\n'),
      words: 'terraform.tfvars has changed',
    },
    {
      name: 'files of the module and of a module beside it have changed',
      change: async app => {
        await app.write('ci/start.sh', 'rm -rf /\n');
        await app.write('ci/new.tf', '');
        await app.write('ci/.terraform.lock.hcl', '# other providers\n');
        await rm(app.path('beside/main.tf'));
      },
      words: 'files of the module have changed: ../beside/main.tf (gone), .terraform.lock.hcl (new), new.tf (new), start.sh',
    },
    {
      name: 'a file has changed that a link to a folder leads to',
      change: app => app.write('shared/start.sh', 'rm -rf /\n'),
      words: 'files of the module have changed: linked/start.sh',
    },
    {
      name: 'somebody has changed the state',
      change: app => terraform(app.path('ci'), 'apply', '-auto-approve', '-replace=terraform_data.instance'),
      words: /^the Terraform state was changed by somebody else \(serial \d+, was \d+\)$/,
    },
    {
      name: 'the state is another one',
      change: async app => {
        await rm(app.path('ci/terraform.tfstate'));
        await terraform(app.path('ci'), 'apply', '-auto-approve');
      },
      words: /^the Terraform state is another one \(lineage \S+, not \S+\)$/,
    },
    {
      name: 'the state is gone',
      change: app => rm(app.path('ci/terraform.tfstate')),
      words: 'the Terraform state is gone',
    },
  ])('does not hold when $name, and says so', async ({change, words}) => {
    const app = await deployed();
    const plan = await app.plan();
    await change(app, planFileOf(plan));
    expect(await app.component.recheck(plan, app.io)).toMatch(words);
  });

  test('does not hold when its workspace is gone, which would be made anew, and empty', async () => {
    const app = await deployed({settings: {...settings, workspace: 'staging'}});
    await terraform(app.path('ci'), 'workspace', 'new', 'staging');
    await terraform(app.path('ci'), 'workspace', 'select', 'default');
    const plan = await app.plan();
    expect(plan.notes).toContain('workspace staging, although default is selected in ci');
    expect(plan.payload).toMatchObject({state: null});
    await terraform(app.path('ci'), 'workspace', 'delete', 'staging');
    expect(await app.component.recheck(plan, app.io)).toBe('the workspace staging is gone');
  });

  test('is applied in its own workspace, whatever somebody selects meanwhile', async () => {
    const app = await deployed({settings: {...settings, workspace: 'staging'}});
    await terraform(app.path('ci'), 'workspace', 'new', 'staging');
    const plan = await app.plan();
    await terraform(app.path('ci'), 'workspace', 'select', 'default');
    const before = await terraform(app.path('ci'), 'state', 'pull');
    expect(await app.component.recheck(plan, app.io)).toBeUndefined();
    await app.apply(plan);
    expect(await terraform(app.path('ci'), 'state', 'pull')).toEqual(before);
    await terraform(app.path('ci'), 'workspace', 'select', 'staging');
    expect(await terraform(app.path('ci'), 'state', 'list')).toContain('terraform_data.instance');
  });

  test('does not hold when the credentials are of another account, or Terraform is another one', async () => {
    const ours = await startEmulator({accountId: '111111111111'});
    onTestFinished(() => ours.close());
    const app = await deployed({
      aws: {region: 'us-east-1'},
      env: {AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_ENDPOINT_URL: ours.url},
    });
    const plan = await app.plan();
    expect(plan.payload).toMatchObject({account: '111111111111'});
    const other = {...plan, payload: {...Object(plan.payload), account: '222222222222', terraform: '1.2.3'}};
    expect(await app.component.recheck(other, app.io)).toMatch(
      /^Terraform is \S+ now, and was 1\.2\.3; the credentials are for account 111111111111 now, and were for 222222222222$/,
    );
  });

  test('is the same as another of the same world: somebody is asked once', async () => {
    const app = await deployed();
    const [first, again] = [await app.plan(), await app.plan()];
    expect(again.fingerprint).toBe(first.fingerprint);
    await app.write('ci/more.tf', 'resource "terraform_data" "more" {}\n');
    expect((await app.plan()).fingerprint).not.toBe(first.fingerprint);
  });
});
