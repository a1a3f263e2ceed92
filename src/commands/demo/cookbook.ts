/**
 * The cookbook's application: a version in a Python file, an image, Terraform. Docker, Terraform and git are
 * real; the registry is a small one in this process, and the "instance" is a folder that Terraform fills
 * from the image it is told to run.
 */
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {findVersion} from '../../components/version-file.ts';
import {startRegistry} from '../../emulator/registry.ts';
import {toTrouble} from '../../release/errors.ts';
import {createDocker} from '../../tools/docker.ts';
import {execOk} from '../../tools/exec.ts';
import {createTerraform} from '../../tools/terraform/terraform.ts';
import type {Context} from '../context.ts';
import type {LeftOut, Stage} from './index.ts';
import {serveVersion} from './web.ts';

const before = '0.7.1';
const released = '0.7.2';

export async function prepareCookbook(context: Context, workspace: string): Promise<Stage | LeftOut> {
  const {env} = context;
  try {
    await execOk('git', ['--version'], {env});
    await createTerraform({env}).version(workspace);
    await createDocker({env}).version();
  } catch (error) {
    return {
      leftOut: `Left out: the cookbook's release (build, push, Terraform). It takes git, Terraform and a Docker engine: ${toTrouble(error).what}`,
    };
  }
  const registry = await startRegistry();
  const folder = path.join(workspace, 'data-models-sqlalchemy');
  const site = path.join(workspace, 'instance');
  const web = await serveVersion(() => versionOf(path.join(site, 'dmsa', '__init__.py')));
  const close = async () => {
    await web.close();
    await registry.close();
  };
  try {
    await writeProject(folder, {image: `${registry.url}/dbhi/data-models-sqlalchemy`, site, url: web.url});
    await install(folder, `${registry.url}/dbhi/data-models-sqlalchemy:${before}`, context);
  } catch (error) {
    await close();
    return {leftOut: `Left out: the cookbook's release. Its first version could not be set up: ${toTrouble(error).what}`};
  }
  return {
    title: `data-models-sqlalchemy ${before} → ${released}: bump, docker build and push, Terraform, as the cookbook has it.`,
    folder,
    env: {XDG_STATE_HOME: path.join(workspace, 'state')},
    answers: ['--env', 'production', '--bump', 'patch'],
    version: released,
    environment: 'production',
    close,
  };
}

/** What the instance runs; undefined while there is none. */
async function versionOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : findVersion({path: file, text}).version;
}

async function writeProject(folder: string, {image, site, url}: {image: string; site: string; url: string}): Promise<void> {
  const container = `deploy-wizard-demo-${path.basename(path.dirname(folder)).slice(-6)}`;
  const files: Readonly<Record<string, string>> = {
    'dmsa/__init__.py': python,
    Dockerfile: 'FROM scratch\nCOPY dmsa /site/dmsa\n',
    '.gitignore': '.terraform/\n*.tfstate*\n',
    'ci/variables.tf': 'variable "image_tag" {\n  type = string\n}\n',
    'ci/main.tf': terraform(image, site, container),
    'ci/terraform.tfvars': `# The tag that the instance runs.\nimage_tag = "${before}"\n`,
    'deploy-wizard.config.yaml': config(image, url),
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), {recursive: true});
    await writeFile(file, text);
  }
}

/** The version that is there before the release: as somebody did it by hand. */
async function install(folder: string, reference: string, {env}: Context): Promise<void> {
  const run = (file: string, args: readonly string[], cwd = folder) => execOk(file, args, {cwd, env, timeoutMs: 120_000});
  await run('git', ['init', '--quiet', '--initial-branch=main']);
  await run('git', ['config', 'user.name', 'Demo Operator']);
  await run('git', ['config', 'user.email', 'operator@example.edu']);
  await run('git', ['config', 'commit.gpgsign', 'false']);
  await run('git', ['add', '--all']);
  await run('git', ['commit', '--quiet', '--message', `Version ${before}`]);
  await run('docker', ['build', '--tag', reference, '.']);
  await run('docker', ['push', reference]);
  const ci = path.join(folder, 'ci');
  await run('terraform', ['init', '-input=false'], ci);
  await run('terraform', ['apply', '-input=false', '-auto-approve'], ci);
}

const python = `import os

__version_info__ = {
    'major': 0,
    'minor': 7,
    'micro': 1,
    'releaselevel': 'final',
    'serial': os.environ.get('BUILD_NUM', '0'),
    'sha': os.environ.get('COMMIT_SHA1', '0')[0:8],
}
`;

function terraform(image: string, site: string, container: string): string {
  return `# Stands for the EC2 instance: a new tag destroys it and creates it anew.
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
  input            = { site = "${site}" }

  provisioner "local-exec" {
    when    = destroy
    command = "rm -rf '\${self.input.site}'"
  }

  provisioner "local-exec" {
    command = <<-EOT
      set -e
      docker create --name ${container} ${image}:\${var.image_tag} none
      mkdir -p '${site}'
      docker cp ${container}:/site/. '${site}'
      docker rm ${container}
    EOT
  }
}
`;
}

function config(image: string, url: string): string {
  return `application: data-models-sqlalchemy
environments:
  production: { policy: { allow: [update, outage] } }
components:
  service:
    kind: terraform
    directory: ci
    workspace: default
    tfvars: terraform.tfvars
    set: { image_tag: "\${version}" }
    allowChanges: [terraform_data.instance]
    source: { version: dmsa/__init__.py, build: { context: ., image: "${image}" }, git: { commit: true, tag: "\${version}" } }
    verify: { http: "${url}/version", expect: "\${version}", within: 1m }
`;
}
