import {createHash} from 'node:crypto';
import {existsSync, readdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {expect, onTestFinished, test} from 'vitest';
import {startRegistry} from '../../src/emulator/registry.ts';

const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** A registry, and a way to ask it for something under `/v2/`. */
async function registry() {
  const {url, close} = await startRegistry();
  onTestFinished(close);
  const ask = (method: string, path: string, init: RequestInit = {}) =>
    fetch(path.startsWith('/v2/') ? `http://${url}${path}` : `http://${url}/v2/${path}`, {method, ...init});
  const putBlob = (repository: string, content: string) =>
    ask('POST', `${repository}/blobs/uploads/?digest=${digestOf(content)}`, {body: content});
  const putManifest = (repository: string, reference: string, manifest: string, type = IMAGE) =>
    ask('PUT', `${repository}/manifests/${reference}`, {body: manifest, headers: {'Content-Type': type}});
  return {url, close, ask, putBlob, putManifest};
}

const manifestOf = (config: string, layer: string): string =>
  JSON.stringify({schemaVersion: 2, mediaType: IMAGE, config: {digest: digestOf(config)}, layers: [{digest: digestOf(layer)}]});

const codeOf = async (answer: Response): Promise<string> => {
  const {errors} = JSON.parse(await answer.text());
  return `${answer.status} ${errors[0].code}`;
};

test('a client first asks whether this is a registry', async () => {
  const {ask} = await registry();
  const answer = await ask('GET', '/v2/');
  expect([answer.status, answer.headers.get('docker-distribution-api-version')]).toEqual([200, 'registry/2.0']);
});

test('a blob goes up in pieces and comes down whole', async () => {
  const {ask} = await registry();
  const begun = await ask('POST', 'team/app/blobs/uploads/');
  const location = begun.headers.get('location') ?? '';
  expect(begun.status).toBe(202);

  const first = await ask('PATCH', location, {body: 'hello ', headers: {'Content-Range': '0-5'}});
  expect([first.status, first.headers.get('range')]).toEqual([202, '0-5']);
  const wrong = await ask('PATCH', location, {body: 'world', headers: {'Content-Range': '7-11'}});
  expect(await codeOf(wrong)).toBe('416 BLOB_UPLOAD_INVALID');
  const shown = await ask('GET', location);
  expect([shown.status, shown.headers.get('range')]).toEqual([204, '0-5']);

  const digest = digestOf('hello world');
  const finished = await ask('PUT', `${location}?digest=${digest}`, {body: 'world'});
  expect([finished.status, finished.headers.get('docker-content-digest')]).toEqual([201, digest]);

  const head = await ask('HEAD', `team/app/blobs/${digest}`);
  const got = await ask('GET', `team/app/blobs/${digest}`);
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '11']);
  expect(await got.text()).toBe('hello world');
});

test('a blob that is not what its digest says is refused', async () => {
  const {ask} = await registry();
  const answer = await ask('POST', `app/blobs/uploads/?digest=${digestOf('something else')}`, {body: 'content'});
  expect(await codeOf(answer)).toBe('400 DIGEST_INVALID');
  expect(await codeOf(await ask('GET', `app/blobs/${digestOf('something else')}`))).toBe('404 BLOB_UNKNOWN');
  expect(await codeOf(await ask('POST', 'app/blobs/uploads/?digest=md5:1', {body: 'content'}))).toBe('400 DIGEST_INVALID');
});

test('mounting from another repository is answered with an upload', async () => {
  const {ask, putBlob} = await registry();
  await putBlob('base', 'layer');
  const mount = await ask('POST', `app/blobs/uploads/?mount=${digestOf('layer')}&from=base`);
  expect([mount.status, mount.headers.get('location')]).toEqual([202, expect.stringContaining('/v2/app/blobs/uploads/')]);
  expect(await codeOf(await ask('GET', `app/blobs/${digestOf('layer')}`))).toBe('404 BLOB_UNKNOWN');
});

test('an upload can be given up', async () => {
  const {ask} = await registry();
  const location = (await ask('POST', 'app/blobs/uploads/')).headers.get('location') ?? '';
  expect((await ask('DELETE', location)).status).toBe(204);
  expect(await codeOf(await ask('PATCH', location, {body: 'late'}))).toBe('404 BLOB_UPLOAD_UNKNOWN');
});

test('an image is found by tag and by digest, byte for byte', async () => {
  const {ask, putBlob, putManifest} = await registry();
  await Promise.all([putBlob('app', 'config'), putBlob('app', 'layer')]);
  const manifest = manifestOf('config', 'layer');
  const digest = digestOf(manifest);
  expect((await putManifest('app', '1.0.0', manifest)).headers.get('docker-content-digest')).toBe(digest);

  for (const reference of ['1.0.0', digest]) {
    const head = await ask('HEAD', `app/manifests/${reference}`, {headers: {Accept: `${INDEX}, ${IMAGE}`}});
    const got = await ask('GET', `app/manifests/${reference}`);
    expect([head.status, head.headers.get('docker-content-digest'), head.headers.get('content-type')]).toEqual([
      200,
      digest,
      IMAGE,
    ]);
    expect(await got.text()).toBe(manifest);
  }
  expect(await codeOf(await ask('GET', 'app/manifests/2.0.0'))).toBe('404 MANIFEST_UNKNOWN');
  expect(await codeOf(await ask('GET', 'app/manifests/1.0.0', {headers: {Accept: INDEX}}))).toBe('404 MANIFEST_UNKNOWN');
});

test('a manifest is refused when it is broken, or names what is not here', async () => {
  const {putBlob, putManifest} = await registry();
  await putBlob('app', 'config');
  expect(await codeOf(await putManifest('app', '1', manifestOf('config', 'layer')))).toBe('400 MANIFEST_BLOB_UNKNOWN');
  expect(await codeOf(await putManifest('app', '1', '{'))).toBe('400 MANIFEST_INVALID');
  expect(await codeOf(await putManifest('app', '1', manifestOf('config', 'config'), INDEX))).toBe('400 MANIFEST_INVALID');
  expect(await codeOf(await putManifest('app', digestOf('other'), manifestOf('config', 'config')))).toBe('400 DIGEST_INVALID');
});

test('an index needs its images', async () => {
  const {putBlob, putManifest} = await registry();
  await Promise.all([putBlob('app', 'config'), putBlob('app', 'layer')]);
  const image = manifestOf('config', 'layer');
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{digest: digestOf(image), platform: {os: 'linux'}}],
  });

  expect(await codeOf(await putManifest('app', '1.0.0', index, INDEX))).toBe('400 MANIFEST_BLOB_UNKNOWN');
  await putManifest('app', digestOf(image), image);
  expect((await putManifest('app', '1.0.0', index, INDEX)).status).toBe(201);
});

test('tags are listed in order and in pages', async () => {
  const {ask, putBlob, putManifest} = await registry();
  await putBlob('app', 'config');
  for (const tag of ['b', 'c', 'a']) await putManifest('app', tag, manifestOf('config', 'config'));

  expect(await (await ask('GET', 'app/tags/list')).json()).toEqual({name: 'app', tags: ['a', 'b', 'c']});
  const page = await ask('GET', 'app/tags/list?n=2');
  expect(await page.json()).toMatchObject({tags: ['a', 'b']});
  expect(page.headers.get('link')).toBe('</v2/app/tags/list?n=2&last=b>; rel="next"');
  const rest = await ask('GET', 'app/tags/list?n=2&last=b');
  expect([await rest.json(), rest.headers.get('link')]).toEqual([{name: 'app', tags: ['c']}, null]);
  expect(await codeOf(await ask('GET', 'nobody/tags/list'))).toBe('404 NAME_UNKNOWN');
});

test('nothing is deleted, and nothing else is served', async () => {
  const {ask} = await registry();
  expect(await codeOf(await ask('DELETE', 'app/manifests/1.0.0'))).toBe('405 UNSUPPORTED');
  expect(await codeOf(await ask('GET', '../etc/passwd'))).toBe('404 NAME_UNKNOWN');
});

test('its blobs are gone when it is closed', async () => {
  const folders = () => readdirSync(tmpdir()).filter(name => name.startsWith('deploy-wizard-registry-'));
  const before = new Set(folders());
  const {url, close} = await startRegistry();
  const [folder = ''] = folders().filter(name => !before.has(name));
  expect(existsSync(`${tmpdir()}/${folder}/blobs`)).toBe(true);
  await close();
  expect(folders()).not.toContain(folder);
  await expect(fetch(`http://${url}/v2/`)).rejects.toThrow();
});
