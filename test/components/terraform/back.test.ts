import {readFile} from 'node:fs/promises';
import {expect, onTestFinished, test, vi} from 'vitest';
import {startRegistry} from '../../../src/emulator/registry.ts';
import type {StateTarget} from '../../../src/release/contract.ts';
import {hidden, type Json} from '../../../src/release/json.ts';
import {terraform, withTerraform} from '../../tools/terraform/support.ts';
import {type Project, project} from './support.ts';

// Several processes of Terraform a test, on a machine that may have other things to do.
vi.setConfig({testTimeout: 30_000});

const main = `variable "image_tag" {
  type = string
}
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
}
`;

/** Released as 0.7.1, and again as 0.7.2; both images are in the registry. */
async function releasedTwice() {
  const registry = await startRegistry();
  onTestFinished(() => registry.close());
  const push = async (tag: string, content: string) => {
    const url = `http://${registry.url}/v2/app/blobs/uploads/`;
    const digest = `sha256:${await hash(content)}`;
    await fetch(`${url}?digest=${digest}`, {method: 'POST', body: content});
    const type = 'application/vnd.docker.distribution.manifest.v2+json';
    const config = {mediaType: 'application/vnd.docker.container.image.v1+json', digest, size: content.length};
    const manifest = JSON.stringify({schemaVersion: 2, mediaType: type, config, layers: []});
    const put = await fetch(`http://${registry.url}/v2/app/manifests/${tag}`, {
      method: 'PUT',
      body: manifest,
      headers: {'content-type': type},
    });
    expect(put.status).toBe(201);
  };
  await push('0.7.1', '{"image": 1}');
  await push('0.7.2', '{"image": 2}');
  const app = await project({
    files: {
      'ci/main.tf': main,
      'ci/terraform.tfvars': 'image_tag = "0.7.2" # now\n',
      VERSION: '0.7.2\n',
      '.gitignore': '.terraform*\n*.tfstate*\n',
    },
    settings: {
      set: {image_tag: '${version}'},
      source: {version: 'VERSION', build: {context: '.', image: `${registry.url}/app`}, git: {commit: true, tag: 'v${version}'}},
      verify: {http: 'http://127.0.0.1:1/', expect: 'app ${version}', within: '1s'},
    },
  });
  await terraform(app.path('ci'), 'apply', '-auto-approve');
  app.git('init', '--quiet', '--initial-branch=main');
  app.git('config', 'user.name', 'Jo');
  app.git('config', 'user.email', 'jo@example.edu');
  app.git('add', '--all');
  app.git('commit', '--quiet', '--message', 'Deploy 0.7.2');
  return {app, push};
}

async function hash(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
}

/** What was there when 0.7.1 was released. */
async function stateOf(app: Project): Promise<StateTarget<Json>> {
  const now = await app.component.observe(app.io);
  expect(now).toMatchObject({
    version: '0.7.2',
    source: '0.7.2',
    state: {set: {image_tag: '0.7.2'}, digest: expect.stringMatching(/^sha256:/)},
  });
  const reference = Object.keys(now?.digests ?? {})[0] ?? '';
  const digest = await app.io.digestOf(`${reference}:0.7.1`);
  return {is: 'state', version: '0.7.1', state: {set: {image_tag: '0.7.1'}, digest: digest ?? null}};
}

withTerraform('The way back', () => {
  test('is the cookbook with the old tag: nothing built, committed like a release, and said what the files hold', async () => {
    const {app} = await releasedTwice();
    const target = await stateOf(app);
    const requirements = app.component.requirements(target).filter(({subject}) => Object(subject).is !== 'session');
    const met = await Promise.all(requirements.map(claim => app.component.check(claim, app.io)));
    expect(met.map(({text, status}) => `${status} ${text.replace(/\S*\/app/, 'app')}`)).toEqual([
      'passed Terraform',
      'passed service: Terraform module ci',
      'passed service: app:0.7.1 in the registry',
      'passed service: git',
    ]);
    expect(await app.component.prepare(target, app.io)).toEqual([]);

    const plan = await app.plan(target);
    expect(plan).toMatchObject({
      from: '0.7.2',
      to: '0.7.1',
      changes: [{id: 'terraform_data.instance', risk: 'outage', flags: []}],
      payload: {back: true, verify: {expect: 'app 0.7.1'}},
    });
    expect(plan.notes).toEqual(
      expect.arrayContaining([
        'terraform.tfvars: image_tag = 0.7.2 → 0.7.1',
        'afterwards terraform.tfvars says what it said before (committed); the source goes on saying 0.7.2',
      ]),
    );
    expect(await app.component.recheck(plan, app.io)).toBeUndefined();

    const results = await app.apply(plan);
    expect([...results.keys()]).toEqual(['tfvars', 'terraform-apply', 'commit-tfvars']);
    expect(await readFile(app.path('ci/terraform.tfvars'), 'utf8')).toBe('image_tag = "0.7.1" # now\n');
    expect(app.git('log', '-1', '--format=%s')).toBe('Deploy 0.7.1');
    expect(app.git('status', '--porcelain')).toBe('');
    expect(await app.prove(plan, results)).toMatchObject({settled: {status: 'passed'}, digest: {status: 'passed'}});
  });

  test('is refused where a secret was set then, which no record holds', async () => {
    const {app} = await releasedTwice();
    const state = await stateOf(app);
    const recorded = {...state, state: {...Object(state.state), set: {image_tag: '0.7.1', password: hidden}}};
    await expect(app.plan(recorded)).rejects.toThrow('what service was on 0.7.1 is not known: a secret is part of it');
  });

  test('is refused where the image is another one by now, and where it is gone; an approval holds only for the image it saw', async () => {
    const {app, push} = await releasedTwice();
    const target = await stateOf(app);
    const plan = await app.plan(target);
    await push('0.7.1', '{"image": 3}');
    expect(await app.component.recheck(plan, app.io)).toMatch(/app:0\.7\.1 is sha256:\S+ in the registry now, and was sha256:/);
    await expect(app.plan(target)).rejects.toThrow(
      /is sha256:\S+ in the registry now, and was sha256:\S+: there is nothing to go back to/,
    );
    const gone = {...target, version: '0.7.0', state: {set: {image_tag: '0.7.0'}, digest: null}};
    await expect(app.plan(gone)).rejects.toThrow('app:0.7.0 is not in the registry any more: there is nothing to go back to');
    const claim = app.component.requirements(gone).find(({id}) => id === 'service image');
    expect(claim && (await app.component.check(claim, app.io))).toMatchObject({status: 'failed', found: 'the tag is gone'});
  });
});
