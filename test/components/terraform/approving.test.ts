/** What an approval can say of an image before it is built: its tag, and the commit that it is built on. */
import {expect, onTestFinished, test, vi} from 'vitest';
import {startRegistry} from '../../../src/emulator/registry.ts';
import {noResults} from '../../../src/release/contract.ts';
import type {Json} from '../../../src/release/json.ts';
import {withTerraform} from '../../tools/terraform/support.ts';
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

async function repository(git: Json = {commit: true}): Promise<Project> {
  const registry = await startRegistry();
  onTestFinished(() => registry.close());
  const app = await project({
    files: {
      'ci/main.tf': main,
      'ci/terraform.tfvars': 'image_tag = "0.7.1"\n',
      VERSION: '0.7.1\n',
      '.gitignore': '.terraform*\n*.tfstate*\n',
    },
    settings: {set: {image_tag: '${version}'}, source: {version: 'VERSION', build: {image: `${registry.url}/app`}, git}},
  });
  app.git('init', '--quiet', '--initial-branch=main');
  app.git('config', 'user.name', 'Jo');
  app.git('config', 'user.email', 'jo@example.edu');
  app.git('add', '--all');
  app.git('commit', '--quiet', '--message', 'As it was');
  return app;
}

const head = (app: Project) => app.git('rev-parse', 'HEAD');

/** Bump and commit as a release does; the push as if the image had been built. */
async function prepared(app: Project): Promise<Map<string, Json>> {
  const results = new Map<string, Json>([['push', {digest: `sha256:${'1'.repeat(64)}`, pushed: true, overwrote: false}]]);
  for (const step of await app.component.prepare({is: 'release', version: '0.7.2'}, app.io)) {
    if (step.phase === 'bump') results.set(step.id, await step.perform(app.io, await step.request(app.io, results)));
  }
  return results;
}

const planWith = (app: Project, results: ReadonlyMap<string, Json>) =>
  app.component.plan({is: 'release', version: '0.7.2'}, app.io, results);

withTerraform('A plan whose image is not built yet', () => {
  test('names tag and commit, and is the same once the image is built on that commit', async () => {
    const app = await repository();
    const commit = head(app);
    const before = await planWith(app, noResults);
    expect(before.unbuilt).toMatchObject({image: expect.stringMatching(/\/app:0\.7\.2$/), commit});

    const results = await prepared(app);
    expect(head(app)).not.toBe(commit);
    const after = await planWith(app, results);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(after.unbuilt).toEqual(before.unbuilt);

    // Another component of the release bumps in the same repository.
    await app.write('OTHER', '0.7.2\n');
    app.git('add', '--all');
    app.git('commit', '--quiet', '--message', 'Bump version to 0.7.2');
    app.io.madeCommits.add(head(app));
    expect((await planWith(app, results)).unbuilt).toEqual(before.unbuilt);

    // Somebody else's commit is another source, whatever it is called.
    await app.write('OTHER', 'something\n');
    app.git('commit', '--quiet', '--all', '--message', 'Bump version to 0.7.2');
    const other = await planWith(app, results);
    expect(other.unbuilt?.commit).toBe(head(app));
    expect(other.unbuilt?.fingerprint).not.toBe(before.unbuilt?.fingerprint);
  });

  test('is approved by nothing but its digest where no commit says what is built', async () => {
    const app = await repository({allowDirty: true});
    expect((await planWith(app, noResults)).unbuilt).toBeUndefined();
  });
});
