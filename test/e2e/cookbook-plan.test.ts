import {rm} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {type Cookbook, project} from '../support/cookbook.ts';
import {until} from '../support/program.ts';
import {requires} from '../support/requires.ts';

const patch = ['--env', 'production', '--bump', 'patch'] as const;

/** Everything that can be seen of the world: each file with its time, the registry, the instance. */
async function everything(app: Cookbook) {
  return {files: await app.files(), world: await app.world(), starts: await app.starts()};
}

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('Looking at what a release would do', () => {
  test('shows the plan, and writes nothing at all, however it is asked for', async () => {
    const app = await project();
    const before = await everything(app);
    for (const args of [
      ['plan', ...patch],
      ['plan', ...patch, '--output', 'json'],
      [...patch, '--dry-run'],
      ['--yes', ...patch, '--dry-run', '--allow', 'outage'],
    ]) {
      const {exitCode, stdout} = await app.run(args);
      expect(exitCode, args.join(' ')).toBe(0);
      expect(stdout).toContain('terraform_data.instance is destroyed and then created anew');
      expect(stdout).toContain('terraform.tfvars: image_tag = 0.7.1 → 0.7.2');
      expect(stdout).toContain(`image ${app.image}:0.7.2 (digest known after build)`);
      expect(stdout).toContain('outage');
      expect(await everything(app), args.join(' ')).toEqual(before);
      // Events as JSON, and nothing else there.
      if (!args.includes('json')) continue;
      const types = stdout
        .trimEnd()
        .split('\n')
        .map(line => z.object({type: z.string()}).parse(JSON.parse(line)).type);
      expect(types).toEqual(expect.arrayContaining(['run.started', 'plan.ready', 'run.finished']));
    }
  });

  test('writes nothing into a directory that Terraform never was in', async () => {
    const app = await project();
    await rm(app.path('ci/.terraform'), {recursive: true});
    const before = await everything(app);

    const {exitCode, stdout} = await app.run(['plan', ...patch]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('terraform_data.instance is destroyed and then created anew');
    expect(await everything(app)).toEqual(before);
  });

  test('goes on while somebody else holds the lock of the state', async () => {
    const app = await project();
    await app.hold();
    const other = app.terraform('apply', '-auto-approve', '-no-color', '-input=false', '-replace=terraform_data.instance');
    await until(app.isHeld, 'the new instance');
    const before = await app.files();

    const {exitCode} = await app.run(['plan', ...patch]);
    expect(exitCode).toBe(0);
    expect(await app.files()).toEqual(before);
    await app.letGo();
    await other;
  });

  test('--detailed-exitcode says 2 for changes, 0 for none and 1 for any error', async () => {
    const app = await project();
    const before = await everything(app);
    const plan = async (...args: readonly string[]) => (await app.run(['plan', '--env', 'production', ...args])).exitCode;

    expect(await plan('--bump', 'minor', '--detailed-exitcode')).toBe(2);
    expect(await plan('--release', '0.7.1', '--detailed-exitcode')).toBe(0);

    await app.write('ci/terraform.tfvars', `${before.world.files.tfvars}image_tagg = "0.7.1"\n`);
    expect(await plan('--bump', 'minor', '--detailed-exitcode')).toBe(1);
    await app.write('ci/terraform.tfvars', before.world.files.tfvars);
    expect(await plan('--release', '1.0', '--detailed-exitcode')).toBe(1);
    expect(await plan('--release', '1.0.0', '--detailed-exitcode', '--no-such-option')).toBe(1);
    expect(await plan('--release', '1.0')).toBe(2);
    expect(await plan('--release', '0.6.0', '--detailed-exitcode')).toBe(1);

    expect(await app.world()).toEqual(before.world);
  });
});
