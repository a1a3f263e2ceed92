import {createHash, randomBytes} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {buffer} from 'node:stream/consumers';
import {describe, expect, onTestFinished, test} from 'vitest';
import {startRegistry} from '../../../src/emulator/registry.ts';
import {LostAnswerError, StoppedError} from '../../../src/release/errors.ts';
import {type CopySinks, createRegistry} from '../../../src/tools/registry.ts';
import {makeImage, manifestAt, pushMade} from '../../support/oci.ts';
import {serve} from '../server.ts';

const login = {username: 'AWS', password: 'demo'};
const registry = () => createRegistry({credentials: async () => undefined, sleep: async () => undefined});

async function twoRegistries() {
  const [from, to] = await Promise.all([startRegistry(), startRegistry()]);
  onTestFinished(async () => {
    await Promise.all([from.close(), to.close()]);
  });
  return {from: from.url, to: to.url};
}

function sinks(more: Partial<CopySinks> = {}): CopySinks {
  return {onProgress: () => undefined, onLine: () => undefined, signal: new AbortController().signal, ...more};
}

/** A registry in front of another one, which may do something else with a request: then it answers true. */
function before(address: string, instead: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>) {
  return serve(async (request, response) => {
    if (await instead(request, response)) return;
    const body = await buffer(request);
    const answer = await fetch(`http://${address}${request.url}`, {
      method: request.method ?? 'GET',
      headers: Object.fromEntries(
        Object.entries(request.headers).flatMap(([name, value]) =>
          typeof value === 'string' && /^(?:accept|content-type|authorization)$/.test(name) ? [[name, value]] : [],
        ),
      ),
      ...(body.length > 0 && {body}),
    });
    const headers = [...answer.headers].filter(([name]) => name !== 'transfer-encoding' && name !== 'connection');
    response.writeHead(answer.status, Object.fromEntries(headers)).end(Buffer.from(await answer.arrayBuffer()));
  });
}

describe('a copy', () => {
  test('is the same to the byte, with all platforms, and every blob is sent once', async () => {
    const {from, to} = await twoRegistries();
    const image = makeImage();
    await pushMade(from, 'eclipse-pass/pass-core', '1.14.0', image);
    const progress: [number, number][] = [];

    const copied = await registry().copy(
      {
        from: {registry: from, repository: 'eclipse-pass/pass-core', tag: '1.14.0'},
        digest: image.index.digest,
        to: {registry: to, repository: 'pass-core', tag: '1.14.0'},
        login,
      },
      sinks({onProgress: (done, total) => progress.push([done, total])}),
    );

    expect(copied).toEqual({digest: image.index.digest, manifests: 3, blobs: 5, sent: 5});
    expect(await manifestAt(to, 'pass-core', '1.14.0')).toEqual(image.index.bytes);
    for (const {digest, bytes} of image.manifests) expect(await manifestAt(to, 'pass-core', digest)).toEqual(bytes);
    const total = image.blobs.reduce((sum, {bytes}) => sum + bytes.length, 0);
    expect(progress.at(-1)).toEqual([total, total]);
  });

  test('that was broken off goes on with what is missing', async () => {
    const {from, to} = await twoRegistries();
    const image = makeImage();
    await pushMade(from, 'x', '1', image);
    const copying = {from: {registry: from, repository: 'x', tag: '1'}, digest: image.index.digest, login};
    let pulled = 0;
    await using half = await before(from, request => {
      // The fourth blob never comes.
      if (request.url?.includes('/blobs/') && ++pulled > 3) request.socket.destroy();
      return request.socket.destroyed;
    });
    const target = {registry: to, repository: 'x', tag: '1'};
    await expect(
      registry().copy({...copying, from: {...copying.from, registry: half.host}, to: target}, sinks()),
    ).rejects.toThrow(/could not be copied: connection/);
    expect(await manifestAt(to, 'x', '1')).toBeUndefined();

    const again = await registry().copy({...copying, to: target}, sinks());
    expect(again.sent).toBeLessThan(5);
    expect(again.sent).toBeGreaterThan(0);
    expect(await manifestAt(to, 'x', '1')).toEqual(image.index.bytes);
  });

  test('tries a blob again that breaks off, and takes no other bytes for it', async () => {
    const {from, to} = await twoRegistries();
    const image = makeImage();
    await pushMade(from, 'x', '1', image);
    const [shared] = image.blobs;
    let tries = 0;
    await using odd = await before(from, (request, response) => {
      if (!request.url?.endsWith(`/blobs/${shared?.digest}`)) return false;
      tries += 1;
      // Half of it; then as many bytes, but others.
      if (tries === 1)
        response.writeHead(200, {'content-length': 100_000}).write(randomBytes(50_000), () => request.socket.destroy());
      else response.writeHead(200).end(randomBytes(100_000));
      return true;
    });
    await expect(
      registry().copy(
        {
          from: {registry: odd.host, repository: 'x', tag: '1'},
          digest: image.index.digest,
          to: {registry: to, repository: 'x', tag: '1'},
          login,
        },
        sinks(),
      ),
    ).rejects.toThrow(new RegExp(`sends something else for ${shared?.digest}`));
    expect(tries).toBeGreaterThan(1);
    expect(await manifestAt(to, 'x', '1')).toBeUndefined();
  });

  test('mounts what another repository of the same registry has', async () => {
    const {from, to} = await twoRegistries();
    const image = makeImage();
    await pushMade(from, 'a', '1', image);
    await pushMade(from, 'b', '1', image);
    const asked: string[] = [];
    await using target = await before(to, (request, response) => {
      if (!request.url?.includes('mount=')) return false;
      asked.push(request.url);
      response.writeHead(201).end();
      return true;
    });
    const one = registry();
    const copy = (repository: string) =>
      one.copy(
        {
          from: {registry: from, repository, tag: '1'},
          digest: image.index.digest,
          to: {registry: target.host, repository, tag: '1'},
          login,
        },
        sinks(),
      );
    expect((await copy('a')).sent).toBe(5);
    // The registry behind does not know of them: that it was asked to mount them is all there is to see.
    await expect(copy('b')).rejects.toThrow(/does not take/);
    expect(asked).toHaveLength(5);
    expect(asked.every(url => url.includes('from=a'))).toBe(true);
  });

  test('waits where one after another would be more than ECR takes in a second', async () => {
    const {from, to} = await twoRegistries();
    const image = makeImage();
    await pushMade(from, 'x', '1', image);
    const waits: number[] = [];
    const still = createRegistry({
      credentials: async () => undefined,
      now: () => 0,
      sleep: async ms => void waits.push(ms),
    });
    const copyTo = (repository: string) =>
      still.copy(
        {
          from: {registry: from, repository: 'x', tag: '1'},
          digest: image.index.digest,
          to: {registry: to, repository, tag: '1'},
          login,
        },
        sinks(),
      );
    // Three manifests each: eight are four fifths of what ECR takes.
    for (const repository of ['a', 'b']) await copyTo(repository);
    expect(waits).toEqual([]);
    await copyTo('c');
    expect(waits).toEqual([expect.any(Number)]);
    expect(await manifestAt(to, 'c', '1')).toEqual(image.index.bytes);
  });

  test('of something that is no image is refused, in words', async () => {
    const bytes = Buffer.from(JSON.stringify({schemaVersion: 1, name: 'x', tag: '1'}));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await using old = await serve((_, response) => {
      response.setHeader('content-type', 'application/vnd.docker.distribution.manifest.v1+prettyjws').end(bytes);
    });
    const {to} = await twoRegistries();
    await expect(
      registry().copy(
        {from: {registry: old.host, repository: 'x', tag: '1'}, digest, to: {registry: to, repository: 'x', tag: '1'}, login},
        sinks(),
      ),
    ).rejects.toThrow(
      /is no image of a type that can be copied \(application\/vnd\.docker\.distribution\.manifest\.v1\+prettyjws\)/,
    );
  });

  test('whose last answer is lost says that nobody knows', async () => {
    const {from, to} = await twoRegistries();
    const image = makeImage();
    await pushMade(from, 'x', '1', image);
    await using target = await before(to, request => {
      if (request.method === 'PUT' && request.url?.endsWith('/manifests/1')) request.socket.destroy();
      return request.socket.destroyed;
    });
    await expect(
      registry().copy(
        {
          from: {registry: from, repository: 'x', tag: '1'},
          digest: image.index.digest,
          to: {registry: target.host, repository: 'x', tag: '1'},
          login,
        },
        sinks(),
      ),
    ).rejects.toThrow(LostAnswerError);
  });

  test('stops when it is asked to', async () => {
    const {from, to} = await twoRegistries();
    const image = makeImage();
    await pushMade(from, 'x', '1', image);
    const stop = new AbortController();
    const onLine = () => stop.abort();
    await expect(
      registry().copy(
        {
          from: {registry: from, repository: 'x', tag: '1'},
          digest: image.index.digest,
          to: {registry: to, repository: 'x', tag: '1'},
          login,
        },
        sinks({signal: stop.signal, onLine}),
      ),
    ).rejects.toThrow(StoppedError);
    expect(await manifestAt(to, 'x', '1')).toBeUndefined();
  });
});
