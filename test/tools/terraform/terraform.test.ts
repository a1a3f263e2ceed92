import {chmod, readdir, realpath, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {exitCodes, StoppedError} from '../../../src/release/errors.ts';
import {MissingToolError} from '../../../src/tools/exec.ts';
import {NotInitialisedError, StateLockedError} from '../../../src/tools/terraform/diagnosis.ts';
import type {TerraformMessage} from '../../../src/tools/terraform/stream.ts';
import {createTerraform, type PlanOptions} from '../../../src/tools/terraform/terraform.ts';
import {httpState} from './http-state.ts';
import {env, folder, module, terraform, until, withTerraform, write} from './support.ts';

const tf = createTerraform({env});
const planOptions: PlanOptions = {out: 'plans/p.tfplan', lock: true, lockTimeoutSeconds: 0};

const service = `
variable "tag" {
  type = string
}
resource "terraform_data" "service" {
  input = "app:\${var.tag}"
}
`;

/** A module that wants a provider. */
const wanting =
  'terraform {\n  required_providers {\n    fake = {\n      source  = "example.com/a/fake"\n      version = "1.0.0"\n    }\n  }\n}\n';

withTerraform('version', () => {
  test('is asked for', async () => {
    expect(await tf.version(await folder())).toMatch(/^\d+\.\d+\.\d+/);
  });

  test('even with arguments in the environment that would break it', async () => {
    const careful = createTerraform({env: {...env, TF_CLI_ARGS: '-input=false'}});
    expect(await careful.version(await folder())).toMatch(/^\d+/);
    expect(careful.dropped).toEqual(['TF_CLI_ARGS']);
  });

  test('is the one of a directory, where a version manager chooses by that', async () => {
    const manager = join(await folder(), 'terraform');
    await writeFile(manager, '#!/bin/sh\nprintf \'{"terraform_version": "%s"}\' "$(cat .terraform-version)"\n');
    await chmod(manager, 0o755);
    const [old, young] = [await module({'.terraform-version': '1.5.7'}), await module({'.terraform-version': '1.11.4'})];
    const managed = createTerraform({env, file: manager});
    expect([await managed.version(old), await managed.version(young)]).toEqual(['1.5.7', '1.11.4']);
    // Somebody chooses another one while the wizard runs.
    await writeFile(join(old, '.terraform-version'), '1.6.0');
    expect(await managed.version(old)).toBe('1.6.0');
  });

  test('of a program that is not there', async () => {
    await expect(createTerraform({env: {PATH: '/nowhere'}}).version(await folder())).rejects.toBeInstanceOf(MissingToolError);
  });
});

withTerraform('plan', () => {
  test('writes a plan that only we can read, and says whether there is something to do', async () => {
    const directory = await module({'main.tf': service, 'release.tfvars': 'tag = "1.0.0"\n'});
    const messages: TerraformMessage[] = [];
    const planned = await tf.plan(
      {directory},
      {...planOptions, varFile: 'release.tfvars'},
      {onMessage: message => messages.push(message)},
    );

    expect(planned).toEqual({exitCode: 2, diagnostics: []});
    expect(messages).toContainEqual(
      expect.objectContaining({type: 'planned_change', address: 'terraform_data.service', action: 'create'}),
    );
    expect((await stat(join(directory, 'plans'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'plans/p.tfplan'))).mode & 0o777).toBe(0o600);

    const shown = await tf.show({directory}, 'plans/p.tfplan');
    expect(shown.variables).toEqual({tag: {value: '1.0.0'}});
    expect(shown.errored).toBe(false);

    await terraform(directory, 'apply', 'plans/p.tfplan');
    expect(await tf.plan({directory}, {...planOptions, varFile: 'release.tfvars'})).toMatchObject({exitCode: 0});
  });

  test('is not turned into a destroy plan by the environment', async () => {
    const directory = await module({'main.tf': service, 'terraform.tfvars': 'tag = "1.0.0"\n'});
    await terraform(directory, 'apply', '-auto-approve');
    const careful = createTerraform({env: {...env, TF_CLI_ARGS_plan: '-destroy'}});

    expect(await careful.plan({directory}, planOptions)).toMatchObject({exitCode: 0});
    expect(careful.dropped).toEqual(['TF_CLI_ARGS_plan']);
  });

  test('takes the variables that it may from the environment, and no other', async () => {
    const directory = await module({'main.tf': `${service}\nvariable "other" {\n  default = "none"\n}\n`});
    const keeping = createTerraform({env: {...env, TF_VAR_tag: '1.0.0', TF_VAR_other: 'stray'}, keepVars: ['tag']});
    await keeping.plan({directory}, planOptions);

    expect((await keeping.show({directory}, planOptions.out)).variables).toEqual({tag: {value: '1.0.0'}, other: {value: 'none'}});
  });

  test('fails for a variable without a value', async () => {
    const directory = await module({'main.tf': service});
    await expect(tf.plan({directory}, planOptions)).rejects.toThrow('No value for `tag`.');
  });

  test('fails for a misspelt variable in the file, where Terraform only warns', async () => {
    const directory = await module({'main.tf': service, 'release.tfvars': 'tag = "1.0.0"\nimage_tga = "1.0.1"\n'});
    await expect(tf.plan({directory}, {...planOptions, varFile: 'release.tfvars'})).rejects.toThrow(
      'A variable file sets `image_tga`',
    );
    expect(await readdir(join(directory, 'plans'))).toEqual([]);
  });

  test('fails for an errored plan, and leaves no plan file though Terraform writes one', async () => {
    const failing = `${service}
resource "terraform_data" "guarded" {
  lifecycle {
    precondition {
      condition     = var.tag != "latest"
      error_message = "Name a version."
    }
  }
}
`;
    const directory = await module({'main.tf': failing, 'terraform.tfvars': 'tag = "latest"\n'});
    await expect(tf.plan({directory}, planOptions)).rejects.toThrow(
      /Resource precondition failed .*main.tf:\d+\)\nName a version\./,
    );
    expect(await readdir(join(directory, 'plans'))).toEqual([]);
  });

  test('fails for another Terraform than the module wants', async () => {
    const directory = await module({'main.tf': 'terraform {\n  required_version = ">= 99"\n}\n'});
    await expect(tf.plan({directory}, planOptions)).rejects.toThrow(
      /^The module wants Terraform >= 99, and this is \d+\.\d+\.\d+\.$/,
    );
  });

  test('fails for a module that is no Terraform, in its words', async () => {
    const directory = await module({'main.tf': 'resource {'});
    await expect(tf.plan({directory}, planOptions)).rejects.toThrow('`terraform plan` failed: ');
  });

  test('fails for what prevent_destroy protects', async () => {
    const guarded =
      'resource "terraform_data" "db" {\n  triggers_replace = ["1"]\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n';
    const directory = await module({'main.tf': guarded});
    await terraform(directory, 'apply', '-auto-approve');
    await write(join(directory, 'main.tf'), guarded.replace('"1"', '"2"'));
    await expect(tf.plan({directory}, planOptions)).rejects.toThrow(
      'The plan would destroy terraform_data.db, which `prevent_destroy` protects.',
    );
  });

  test('names who holds the state lock, and goes without it when told', async () => {
    const directory = await module({
      'main.tf':
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "until test -e go || ! test -e main.tf; do sleep 0.05; done"\n  }\n}\n',
    });
    const applied = terraform(directory, 'apply', '-auto-approve');
    await until(() => stat(join(directory, '.terraform.tfstate.lock.info')).catch(() => undefined), 'the lock');

    const error: unknown = await tf.plan({directory}, planOptions).catch((error: unknown) => error);
    const unlocked = await tf.plan({directory}, {...planOptions, lock: false});
    await writeFile(join(directory, 'go'), '');
    expect(await applied).toContain('Apply complete!');

    expect(unlocked.exitCode).toBe(2);
    expect(error).toBeInstanceOf(StateLockedError);
    expect(error).toMatchObject({
      exitCode: exitCodes.locked,
      message: expect.stringMatching(
        /^The Terraform state is locked by \S+@\S+ since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(apply\)\.$/,
      ),
      holder: {id: expect.stringMatching(/^[0-9a-f-]{36}$/)},
    });
  });

  test('stops when it is asked to, and leaves no plan', async () => {
    const directory = await module({'main.tf': service});
    await expect(tf.plan({directory}, planOptions, {signal: AbortSignal.abort()})).rejects.toBeInstanceOf(StoppedError);
    expect(await readdir(join(directory, 'plans'))).toEqual([]);
  });
});

withTerraform('workspaces', () => {
  test('are listed, the selected one is told, and a module may be bound to another', async () => {
    const directory = await module({'main.tf': service, 'terraform.tfvars': 'tag = "1.0.0"\n'});
    await terraform(directory, 'workspace', 'new', 'production');
    await terraform(directory, 'apply', '-auto-approve');
    await terraform(directory, 'workspace', 'select', 'default');

    const names = ['default', 'production'];
    expect(await tf.workspaces({directory, workspace: 'production'})).toEqual({names, selected: 'default'});
    expect(await tf.state({directory})).toBeUndefined();
    expect(await tf.plan({directory}, planOptions)).toMatchObject({exitCode: 2});
    expect(await tf.state({directory, workspace: 'production'})).toEqual({lineage: expect.any(String), serial: 1, secrets: []});
    expect(await tf.plan({directory, workspace: 'production'}, planOptions)).toMatchObject({exitCode: 0});
  });

  test('the one of the environment is not used', async () => {
    const directory = await module({'main.tf': service});
    const misspelt = createTerraform({env: {...env, TF_WORKSPACE: 'produciton'}});
    expect(await misspelt.workspaces({directory})).toEqual({names: ['default'], selected: 'default'});
  });

  test('none is selected where somebody has deleted the one that was', async () => {
    const directory = await module({'main.tf': service});
    await terraform(directory, 'workspace', 'new', 'gone');
    await rm(join(directory, 'terraform.tfstate.d'), {recursive: true});
    expect(await tf.workspaces({directory})).toEqual({names: ['default'], selected: undefined});
  });

  test('there is one where the backend has no more', async () => {
    const {settings} = await httpState();
    const directory = await module({'main.tf': `terraform {\n  backend "http" {\n${settings}  }\n}\n${service}`});
    await tf.init({directory});
    expect(await tf.workspaces({directory})).toEqual({names: ['default'], selected: 'default'});
  });
});

withTerraform('the state', () => {
  test('says what it hides: a plan that fails leaves nothing else to take it from', async () => {
    const directory = await module({
      'main.tf': `variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2-SECRET"
}
resource "terraform_data" "x" {
  input = { plain = "not a secret", keys = [{ name = "k", value = var.password }, { name = "l", value = "open" }] }
}
output "login" {
  value     = "admin:\${var.password}"
  sensitive = true
}
`,
    });
    await terraform(directory, 'apply', '-auto-approve');
    expect((await tf.state({directory}))?.secrets).toEqual(['admin:hunter2-SECRET', 'hunter2-SECRET']);
  });
});

withTerraform('an apply', () => {
  test('is told ephemeral variables once more, which no plan holds', async () => {
    const ephemeral = `${service}\nvariable "token" {\n  type      = string\n  ephemeral = true\n}\n`;
    const directory = await module({'main.tf': ephemeral, 'aside/release.tfvars': 'tag = "1.0.0"\ntoken = "hunter2"\n'});
    const varFile = 'aside/release.tfvars';
    await tf.plan({directory}, {...planOptions, varFile});
    const [without, told] = [undefined, varFile].map(file => tf.applyCommand({directory}, planOptions.out, 0, file));
    await expect(terraform(directory, ...(without?.args ?? []))).rejects.toThrow();
    expect(await terraform(directory, ...(told?.args ?? []))).toContain('"operation":"apply"');
  });
});

withTerraform('init', () => {
  test('takes providers from the plug-in cache that the environment names', async () => {
    const [directory, cache] = [await module({'main.tf': wanting}), await folder()];
    const settings = join(await folder(), 'terraform.rc');
    await write(settings, `provider_installation {\n  filesystem_mirror {\n    path = "${await providerMirror()}"\n  }\n}\n`);
    const cached = createTerraform({env: {...env, TF_CLI_CONFIG_FILE: settings, TF_PLUGIN_CACHE_DIR: cache}});
    await cached.init({directory});
    expect(await readdir(cache)).toEqual(['example.com']);
    const installed = join('example.com/a/fake/1.0.0', await platform());
    expect(await realpath(join(directory, '.terraform/providers', installed))).toBe(await realpath(join(cache, installed)));
  });

  test('is needed for a backend, and only once', async () => {
    const directory = await module({
      'main.tf': `terraform {\n  backend "local" {\n    path = "state/x.tfstate"\n  }\n}\n${service}`,
      'terraform.tfvars': 'tag = "1"\n',
    });
    expect(await tf.isInitialised({directory})).toBe(false);
    await expect(tf.plan({directory}, planOptions)).rejects.toBeInstanceOf(NotInitialisedError);
    const lines: string[] = [];
    await tf.init({directory}, {}, {onLine: line => lines.push(line)});
    expect(lines).toContain('Initializing the backend...');
    expect(await tf.isInitialised({directory})).toBe(true);

    await write(join(directory, 'main.tf'), `terraform {\n  backend "local" {\n    path = "state/y.tfstate"\n  }\n}\n${service}`);
    expect(await tf.isInitialised({directory})).toBe(false);
    await expect(tf.init({directory})).rejects.toThrow(
      'The backend in the configuration is not the one that this directory was initialised with.',
    );
  });

  test('is needed for modules', async () => {
    const directory = await module({
      'main.tf': 'module "app" {\n  source = "./app"\n}\n',
      'app/main.tf': 'resource "terraform_data" "x" {}\n',
    });
    expect(await tf.isInitialised({directory})).toBe(false);
    await tf.init({directory});
    expect(await tf.isInitialised({directory})).toBe(true);
  });

  test('is not needed where there is nothing to install, nor for a module that is no Terraform', async () => {
    expect(await tf.isInitialised({directory: await module({'main.tf': service})})).toBe(true);
    expect(await tf.isInitialised({directory: await module({'main.tf': 'resource {'})})).toBe(true);
  });

  test('is needed for providers; with a data folder of its own it leaves the directory as it is', async () => {
    const directory = await module({'main.tf': wanting});
    const pluginDir = await providerMirror();
    const dataDir = join(await folder(), 'data');
    expect(await tf.isInitialised({directory})).toBe(false);
    await expect(tf.plan({directory}, planOptions)).rejects.toBeInstanceOf(NotInitialisedError);
    await rm(join(directory, 'plans'), {recursive: true});
    await expect(tf.init({directory, dataDir: await folder()}, {pluginDir})).rejects.toThrow(
      'The dependency lock file does not have all providers',
    );
    expect(await readdir(directory)).toEqual(['main.tf']);

    await tf.init({directory}, {pluginDir});
    expect(await tf.isInitialised({directory})).toBe(true);
    const before = await readdir(directory);
    expect(await tf.isInitialised({directory, dataDir})).toBe(false);
    await expect(tf.plan({directory, dataDir}, {...planOptions, out: join(dataDir, 'p')})).rejects.toBeInstanceOf(
      NotInitialisedError,
    );
    await tf.init({directory, dataDir}, {pluginDir: '.terraform/providers'});
    expect(await tf.isInitialised({directory, dataDir})).toBe(true);
    expect(await readdir(directory)).toEqual(before);
  });
});

withTerraform('show', () => {
  test('says why it cannot', async () => {
    const directory = await module({'main.tf': service});
    await expect(tf.show({directory}, 'main.tf')).rejects.toThrow(
      '`terraform show` failed: Failed to read the given file as a state or plan file',
    );
  });

  test('does not quote what it could not read', async () => {
    const liar = join(await folder(), 'terraform');
    await writeFile(liar, '#!/bin/sh\necho \'{"variables": {"pw": {"value": "hunter2"}}, oops\'\n');
    await chmod(liar, 0o755);
    const error: unknown = await createTerraform({env, file: liar})
      .show({directory: await folder()}, 'p')
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Error);
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('hunter2');
    expect(error).not.toHaveProperty('cause');
  });
});

/** A folder of providers with one in it that Terraform can install, and not run. */
async function providerMirror(): Promise<string> {
  const mirror = await folder();
  const program = join(mirror, 'example.com/a/fake/1.0.0', await platform(), 'terraform-provider-fake_v1.0.0');
  await write(program, '#!/bin/sh\nexit 1\n');
  await chmod(program, 0o755);
  return mirror;
}

/** `linux_amd64` */
async function platform(): Promise<string> {
  const {platform}: {platform: string} = JSON.parse(await terraform(tmpdir(), 'version', '-json'));
  return platform;
}
