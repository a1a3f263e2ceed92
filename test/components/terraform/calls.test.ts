/** How often a release asks: once for all that it needs to know at one moment, and again at each later one. */
import {join} from 'node:path';
import {expect, onTestFinished, test, vi} from 'vitest';
import {commitStep} from '../../../src/components/terraform/source/commit.ts';
import type {AnyComponentPlan} from '../../../src/release/model.ts';
import {terraform, withTerraform} from '../../tools/terraform/support.ts';
import {traceOf} from '../../tools/trace.ts';
import {project} from './support.ts';
import {Workshop} from './workshop.ts';

vi.setConfig({testTimeout: 30_000});

withTerraform('Terraform', () => {
  test.for([
    {workspace: 'default', listed: []},
    // It could be deleted at any time, and Terraform would make a new and empty one.
    {workspace: 'staging', listed: ['terraform workspace list']},
  ])('is asked once at each moment of a release in the workspace $workspace', async ({workspace, listed}) => {
    const trace = await traceOf('terraform');
    const app = await project({
      files: {
        'ci/main.tf':
          'variable "image_tag" {\n  type = string\n}\nresource "terraform_data" "instance" {\n  input = var.image_tag\n}\n',
        'ci/terraform.tfvars': 'image_tag = "0.7.1"\n',
      },
      settings: {workspace, set: {image_tag: '${version}'}},
      env: {PATH: trace.path},
    });
    if (workspace !== 'default') await terraform(app.path('ci'), 'workspace', 'new', workspace);
    await terraform(app.path('ci'), 'apply', '-auto-approve');

    const opened = ['terraform providers', 'terraform workspace list'];
    expect(await trace.during(() => app.require('module'))).toEqual([...opened, 'terraform plan']);

    let plan: AnyComponentPlan | undefined;
    const planned = await trace.during(async () => (plan = await app.plan()));
    expect(planned).toEqual([...opened, 'terraform state pull', 'terraform plan', 'terraform show']);
    const made = plan ?? expect.fail('There is no plan.');

    // After the approval, and when it is this component's turn: whatever may have changed is looked at again.
    for (const moment of ['approved', 'its turn']) {
      const looked = await trace.during(async () => expect(await app.component.recheck(made, app.io)).toBeUndefined());
      expect(looked.toSorted(), moment).toEqual(['terraform state pull', 'terraform version', ...listed]);
    }

    expect(await trace.during(() => app.apply(made))).toEqual(['terraform show', 'terraform apply']);
    expect(await trace.during(() => app.prove(made))).toEqual([...opened, 'terraform plan', 'terraform show']);
  });
});

test('git is asked once what is checked out and what differs from it, and where the repository is never again', async () => {
  const trace = await traceOf('git');
  const shop = await Workshop.make({source: {version: 'VERSION', build: {image: '127.0.0.1:1/dw/x'}}, env: {PATH: trace.path}});
  onTestFinished(() => shop.remove());
  const desk = shop.desk();
  const {bump, commit, build} = Object.fromEntries(desk.steps());
  if (!bump || !commit || !build) throw new Error('Steps are missing.');
  const [root, head] = ['git rev-parse', 'git rev-parse HEAD HEAD^{tree} HEAD'];

  const preflight = await trace.during(async () => expect(await desk.check('work tree')).toMatchObject({status: 'passed'}));
  expect(preflight).toEqual([root, head, 'git status', 'git var GIT_COMMITTER_IDENT']);

  const {results} = await desk.run([bump, commit]);
  // A hook of the commit, or somebody at work, may have changed files.
  const building = await trace.during(() => build.request(desk.io, results));
  expect(building).toEqual([head, 'git status', 'git ls-remote', expect.stringMatching(/^git .*show/)]);

  const file = join(shop.folder, 'ci/terraform.tfvars');
  const second = commitStep({id: 'second', phase: 'apply', file, message: 'Deploy', push: false, onTopOf: 'commit'});
  // Of another folder, which might be another repository. That the first commit is still there shows in what is checked out.
  const committing = await trace.during(() => second.request(desk.io, results));
  expect(committing).toEqual([root, head, 'git check-ignore ./ci/terraform.tfvars', 'git status :(literal)ci/terraform.tfvars']);
});
