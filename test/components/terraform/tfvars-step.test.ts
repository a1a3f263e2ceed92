/** The first step of an approved plan: the tfvars file, before Terraform is started. On a real repository. */
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {applySteps} from '../../../src/components/terraform/applying.ts';
import {type TerraformConfig, terraformConfig, terraformPayload} from '../../../src/components/terraform/config.ts';
import type {Named, Step} from '../../../src/release/contract.ts';
import type {Io} from '../../../src/components/io.ts';
import {sha256} from '../../../src/release/hash.ts';
import {hidden} from '../../../src/release/json.ts';
import {Workshop} from './workshop.ts';

const source = {version: 'VERSION', build: {image: '127.0.0.1:1/dw/x'}};
const [before, after] = ['image_tag = "1.0.0"\ntoken = "a"\n', 'image_tag = "1.1.0"\ntoken = "hunter2"\n'];

async function workshop(): Promise<Workshop> {
  const made = await Workshop.make({source, files: {'ci/terraform.tfvars': before}});
  onTestFinished(() => made.remove());
  return made;
}

/** Of a plan that sets a tag and a secret. `set`: as the record of a run that goes on has it. */
function tfvarsStep(shop: Workshop, set: Readonly<Record<string, string>> = {image_tag: '1.1.0', token: 'hunter2'}): Step<Io> {
  const config = {kind: 'terraform', directory: 'ci', set: {image_tag: '1.1.0', token: 'hunter2'}, source};
  const component: Named<TerraformConfig> = {...terraformConfig.parse(config), id: 'service'};
  const varFile = join(shop.folder, 'ci/terraform.tfvars');
  const payload = terraformPayload.parse({
    directory: join(shop.folder, 'ci'),
    workspace: 'default',
    varFile,
    varFileSha256: sha256(before),
    edit: {path: varFile, before: sha256(before), after: sha256(after), set},
    planFile: 'saved.tfplan',
    planSha256: sha256(''),
    applyVarFile: null,
    sources: {sha256: sha256(''), manifest: 'manifest', folders: []},
    terraform: '1.11.4',
    state: null,
    account: null,
    addresses: [],
    image: null,
    verify: null,
    back: false,
  });
  const [first] = applySteps(component, payload, '1.1.0');
  if (first?.id !== 'tfvars') throw new Error('The edit comes first.');
  return first;
}

describe('the tfvars file', () => {
  test('is edited as it was planned, also by a run that goes on, whose record has no secret', async () => {
    const shop = await workshop();
    const {io} = shop.desk();
    const step = tfvarsStep(shop, {image_tag: '1.1.0', token: hidden});
    const request = await step.request(io, new Map());
    expect(await step.settle(io, request)).toBe('absent');
    await step.perform(io, request);
    expect(await shop.read('ci/terraform.tfvars')).toBe(after);
    expect(await step.settle(io, request)).toMatchObject({done: {}});
  });

  test('that somebody has changed since is left as it is', async () => {
    const shop = await workshop();
    const {io} = shop.desk();
    const step = tfvarsStep(shop);
    const request = await step.request(io, new Map());
    const mine = `${before}mine = 1\n`;
    await shop.write('ci/terraform.tfvars', mine);
    expect(await step.settle(io, request)).toBe('unknown');
    await expect(step.perform(io, request)).rejects.toMatchObject({
      message: 'terraform.tfvars has changed since it was planned',
      means: 'It was left as it is, and Terraform was not started.',
      final: true,
    });
    expect(await shop.read('ci/terraform.tfvars')).toBe(mine);
  });

  test('is not edited where another branch was checked out since the bump: it could not be committed after the apply', async () => {
    const shop = await workshop();
    const desk = shop.desk();
    await shop.git('branch', 'other');
    const {results} = await desk.run([...desk.steps().values()].slice(0, 2));
    const step = tfvarsStep(shop);
    await shop.git('switch', '--quiet', 'other');
    await expect(step.request(desk.io, results)).rejects.toMatchObject({
      message: expect.stringMatching(/^other does not have the commit \w{12} of this release/),
      means: 'Nothing was committed there.',
    });
    await shop.git('switch', '--quiet', 'main');
    await expect(step.request(desk.io, results)).resolves.toMatchObject({path: join(shop.folder, 'ci/terraform.tfvars')});
  });
});
