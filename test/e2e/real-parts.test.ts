import {randomUUID} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {GetCallerIdentityCommand, STSClient} from '@aws-sdk/client-sts';
import {execa} from 'execa';
import {expect, onTestFinished, test} from 'vitest';
import {buildContext, buildImage, pushImage, registryDigest, removeImage, runImage} from '../support/images.ts';
import {type Cookbook, deployed, project} from '../support/cookbook.ts';
import {part, requires} from '../support/requires.ts';

requires(
  'docker',
  'registry',
  'busybox',
)('Docker and a registry', () => {
  test('an image is built, pushed, found under its digest, pulled by it and answers over HTTP', async () => {
    const {address} = part('registry');
    const [repository, version] = [`parts/${randomUUID()}`, '1.2.3'];
    const image = `${address}/${repository}:${version}`;
    const dir = await temporaryFolder();

    await buildContext(dir, {version});
    await buildImage(dir, image);
    expect(await registryDigest(address, repository, version)).toBeUndefined();
    await pushImage(image);
    await removeImage(image);

    const digest = await registryDigest(address, repository, version);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);

    const pinned = `${address}/${repository}@${digest}`;
    const running = await runImage(pinned);
    onTestFinished(async () => {
      await running.remove();
      await removeImage(pinned);
    });
    const page = await fetch(running.url);
    expect(await page.text()).toBe('1.2.3\n');

    await running.remove();
    await expect(fetch(running.url)).rejects.toThrow('fetch failed');
  });
});

requires('registryWithAuth')('A registry with a password', () => {
  test.for([
    {who: 'nobody', password: undefined, status: 401},
    {who: 'somebody with a wrong password', password: 'wrong', status: 401},
    {who: 'the account', password: 'right', status: 200},
  ])('answers $status to $who', async ({password, status}) => {
    const registry = part('registryWithAuth');
    const credentials = `${registry.user}:${password === 'right' ? registry.password : password}`;
    const headers = password === undefined ? {} : {Authorization: `Basic ${btoa(credentials)}`};

    expect((await fetch(`http://${registry.address}/v2/`, {headers})).status).toBe(status);
  });
});

requires('terraform')('Terraform', () => {
  test('applies a built-in resource without a provider to download', async () => {
    const dir = await temporaryFolder();
    const terraform = (...args: string[]) => execa(part('terraform').path, [`-chdir=${dir}`, ...args]);
    await writeFile(join(dir, 'main.tf'), 'resource "terraform_data" "tag" { input = "1.2.3" }\n');

    await terraform('init', '-input=false');
    await terraform('apply', '-input=false', '-auto-approve');

    expect((await terraform('state', 'list')).stdout).toBe('terraform_data.tag');
  });
});

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
  'baseImage',
)('A project of the cookbook', () => {
  test('that is made like another one is what the cookbook makes by hand', async () => {
    // One with a module of its own is made by hand.
    const byHand = await project({main: '# by hand\n'});
    const alike = await project();
    for (const app of [byHand, alike]) {
      expect(await app.terraform('plan', '-input=false', '-no-color', '-detailed-exitcode')).toContain('No changes.');
      expect(await app.answer()).toBe(deployed);
      expect(await app.starts()).toEqual([deployed]);
    }
    const told = async ({world, image}: Cookbook) => {
      const {git, files, environment, registry} = await world();
      return {
        files,
        status: git.status,
        tags: Object.keys(registry),
        image: environment.image.replace(image, ''),
        isRunning: environment.container.endsWith(' true'),
      };
    };
    expect(await told(alike)).toEqual(await told(byHand));
  });
});

requires('moto')('moto', () => {
  test('answers STS to the unmodified SDK', async () => {
    const client = new STSClient({
      endpoint: part('moto').url,
      region: 'eu-west-1',
      credentials: {accessKeyId: 'test', secretAccessKey: 'test'},
    });

    expect((await client.send(new GetCallerIdentityCommand({}))).Account).toBe('123456789012');
  });
});

async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dw-test-'));
  onTestFinished(() => rm(dir, {recursive: true, force: true}));
  return dir;
}
