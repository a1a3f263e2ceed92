/** Images copied from a real registry: by the real program, killed in the middle; and from one repository of it to another. */
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {DescribeImagesCommand, ECRClient} from '@aws-sdk/client-ecr';
import {expect, onTestFinished, test} from 'vitest';
import {createRegistry} from '../../src/tools/registry.ts';
import {serve} from '../tools/server.ts';
import {makeImage, manifestAt, pushMade} from '../support/oci.ts';
import {componentOf, credentials, region, startPass} from '../support/pass.ts';
import {until} from '../support/program.ts';
import {part, requires} from '../support/requires.ts';

const version = '2.0.0';

requires('registry')('copying from a real registry', () => {
  test('a release that was killed while it copied goes on where it was, and keeps every byte', async () => {
    const {address} = part('registry');
    const repository = `copying/${process.pid}`;
    const image = makeImage({layerBytes: 300_000});
    await pushMade(address, `${repository}/pass-core`, version, image);
    // One blob does not come before the program has been killed.
    const held = image.blobs.at(-1)?.digest ?? '';
    let holding = true;
    await using slow = await serve(async (request, response) => {
      if (holding && request.method === 'GET' && request.url?.endsWith(held)) return;
      const answer = await fetch(`http://${address}${request.url}`, {
        method: request.method ?? 'GET',
        headers: {accept: request.headers.accept ?? '*/*'},
      });
      const kept = ['content-type', 'docker-content-digest'].map(name => [name, answer.headers.get(name) ?? '']);
      response.writeHead(answer.status, Object.fromEntries(kept)).end(Buffer.from(await answer.arrayBuffer()));
    });
    const pass = await startPass({
      config: config => {
        config['registries'] = {ecr: {kind: 'ecr', copyFrom: `${slow.host}/${repository}`}};
        config.components = {'pass-core': {...componentOf(config, 'pass-core'), images: ['ecr/pass-core']}};
      },
    });
    const count = (action: string) => pass.calls.filter(call => call.action === action).length;

    const running = pass.start('--yes', '--env', 'production', '--release', version);
    await until(() => count('CompleteLayerUpload') === 4 && count('InitiateLayerUpload') === 5, 'all blobs but one');
    running.kill('SIGKILL');
    await running.ended;
    expect(pass.messages()).toEqual([]);

    holding = false;
    const ended = await pass.run('resume', '--yes', '--env', 'production');
    expect(ended, ended.stderr).toMatchObject({exitCode: 0, stdout: expect.stringContaining('1 of 1 components on 2.0.0')});
    expect([count('InitiateLayerUpload'), count('CompleteLayerUpload')]).toEqual([6, 5]);
    const ecr = new ECRClient({
      endpoint: pass.url,
      region,
      credentials: {accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: 'x'},
    });
    onTestFinished(() => ecr.destroy());
    const {imageDetails} = await ecr.send(
      new DescribeImagesCommand({repositoryName: 'pass-core', imageIds: [{imageTag: version}]}),
    );
    expect(imageDetails?.[0]?.imageDigest).toBe(image.index.digest);
    expect(pass.messages()).toHaveLength(1);
  });

  test('what the registry has in another repository is mounted, and not sent', async () => {
    const {address} = part('registry');
    const image = makeImage();
    const name = (repository: string) => ({registry: address, repository: `mounting/${process.pid}/${repository}`, tag: version});
    await pushMade(address, name('a').repository, version, image);
    const registry = createRegistry({credentials: async () => undefined});
    const copy = (to: string) =>
      registry.copy(
        {from: name('a'), digest: image.index.digest, to: name(to), login: {username: 'x', password: 'x'}},
        {onLine: () => undefined, onProgress: () => undefined, signal: new AbortController().signal},
      );
    expect(await copy('b')).toMatchObject({sent: 5, blobs: 5, digest: image.index.digest});
    expect(await copy('c')).toMatchObject({sent: 0, blobs: 5, digest: image.index.digest});
    for (const repository of ['b', 'c'])
      expect(await manifestAt(address, name(repository).repository, version)).toEqual(image.index.bytes);
  });
});

requires('registryWithAuth')('copying from a registry that wants a password', () => {
  test('shows it what docker knows', async () => {
    const {address, user, password} = part('registryWithAuth');
    const pass = await startPass({
      config: config => {
        config['registries'] = {ecr: {kind: 'ecr', copyFrom: `${address}/private`}};
        config.components = {'pass-core': {...componentOf(config, 'pass-core'), images: ['ecr/pass-core']}};
      },
    });
    const args = ['plan', '--env', 'production', '--release', version];
    const refused = await pass.run(...args);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout + refused.stderr).toContain(`Log in: \`docker login ${address}\``);

    const folder = join(pass.env['HOME'] ?? '', '.docker');
    await mkdir(folder, {recursive: true});
    const auth = Buffer.from(`${user}:${password}`).toString('base64');
    await writeFile(join(folder, 'config.json'), JSON.stringify({auths: {[address]: {auth}}}));
    const missing = await pass.run(...args);
    expect(missing.stdout + missing.stderr).toContain(`no ${address}/private/pass-core:2.0.0 to copy`);
  });
});
