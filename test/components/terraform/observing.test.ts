/** What is there: what the tfvars file says, as long as no change of it was left in the middle. */
import {readFile, rm} from 'node:fs/promises';
import {expect, test, vi} from 'vitest';
import type {UnfinishedChange} from '../../../src/components/io.ts';
import type {StateTarget} from '../../../src/release/contract.ts';
import type {Json} from '../../../src/release/json.ts';
import type {AnyComponentPlan} from '../../../src/release/model.ts';
import {terraform, withTerraform} from '../../tools/terraform/support.ts';
import {type Project, type ProjectOptions, project} from './support.ts';

// Several processes of Terraform a test, on a machine that may have other things to do.
vi.setConfig({testTimeout: 30_000});

const main = `variable "image_tag" {}
variable "replicas" { default = 1 }
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
  input            = var.replicas
  provisioner "local-exec" {
    command = "test ! -e broken"
  }
}
`;
const settings = {set: {image_tag: '${version}'}};

async function deployed(more: Partial<ProjectOptions> = {}): Promise<Project> {
  const app = await project({files: {'ci/main.tf': main, 'ci/terraform.tfvars': 'image_tag = "0.7.1"\n'}, settings, ...more});
  await terraform(app.path('ci'), 'apply', '-auto-approve');
  return app;
}

const target = ({version, state}: {version: string | undefined; state: Json}): StateTarget<Json> => ({
  is: 'state',
  version: version ?? '',
  state,
});

withTerraform('What is there', () => {
  test('after a change that did not come to its end is not what the file says; what was there before is where a way back leads', async () => {
    let left: UnfinishedChange | undefined;
    const app = await deployed({unfinished: () => left});
    const before = await app.component.observe(app.io);
    expect(before).toMatchObject({version: '0.7.1', state: {set: {image_tag: '0.7.1'}}});
    expect(before).not.toHaveProperty('before');

    // The file has the new version, and the instance is gone.
    const plan: AnyComponentPlan = await app.plan();
    await app.write('ci/broken', '');
    await expect(app.apply(plan)).rejects.toThrow('local-exec');
    expect(await readFile(app.path('ci/terraform.tfvars'), 'utf8')).toBe('image_tag = "0.7.2"\n');
    left = {version: plan.to, payload: plan.payload, before: {version: '0.7.1', state: before?.state ?? null}};
    expect(await app.component.observe(app.io)).toMatchObject({
      version: undefined,
      before: {version: '0.7.1', state: {set: {image_tag: '0.7.1'}}},
    });
    const again = await app.plan();
    expect(again.from).toBeUndefined();
    expect(again.notes).toContain('what is there is in between: the release of 0.7.2 did not come to its end');

    // Somebody has mended it by hand: nothing is left to do, and the file is right.
    await rm(app.path('ci/broken'));
    await terraform(app.path('ci'), 'apply', '-auto-approve');
    expect(await app.component.observe(app.io)).toMatchObject({version: '0.7.2'});
    expect((await app.plan()).from).toBe('0.7.2');
  });

  test('is not known where it cannot be planned', async () => {
    const app = await deployed({unfinished: () => ({version: '0.7.2', payload: {varFile: 'gone.tfvars', addresses: ['x']}})});
    const observed = await app.component.observe(app.io);
    expect(observed).toMatchObject({version: undefined});
    expect(observed).not.toHaveProperty('before');
    expect(app.log().join('\n')).toContain('Whether the release of 0.7.2 has left something to do cannot be told');
  });
});

withTerraform('A value that was no text', () => {
  test('is put back as it was written, and proved; one that was not there has nothing to go back to', async () => {
    const app = await deployed({
      files: {'ci/main.tf': main, 'ci/terraform.tfvars': 'image_tag = "0.7.1"\nreplicas  = 2 # two\n'},
      settings: {set: {image_tag: '${version}', replicas: '3'}},
    });
    const before = await app.component.observe(app.io);
    expect(before?.state).toMatchObject({set: {image_tag: '0.7.1', replicas: {raw: '2'}}});
    await app.apply(await app.plan());
    expect(await readFile(app.path('ci/terraform.tfvars'), 'utf8')).toBe('image_tag = "0.7.2"\nreplicas  = "3" # two\n');

    const back = await app.plan(target({version: '0.7.1', state: before?.state ?? null}));
    expect(back.notes).toEqual(expect.arrayContaining(['terraform.tfvars: replicas = 3 → 2']));
    const results = await app.apply(back);
    expect(await readFile(app.path('ci/terraform.tfvars'), 'utf8')).toBe('image_tag = "0.7.1"\nreplicas  = 2 # two\n');
    expect((await app.prove(back, results))['settled']).toMatchObject({status: 'passed'});

    const unset = app.plan(target({version: '0.7.0', state: {set: {image_tag: '0.7.0'}, digest: null}}));
    await expect(unset).rejects.toThrow(
      'terraform.tfvars did not set replicas when 0.7.0 was there: there is no value to go back to',
    );
  });
});
