/** Against a registry of our own, which does what the big ones do, and the odd ones. Real ones are in ../docker/docker.test.ts. */
import {createHash} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {describe, expect, test} from 'vitest';
import {StoppedError} from '../../../src/release/errors.ts';
import {createRegistry, LoginError, type Credentials} from '../../../src/tools/registry.ts';
import {serve} from '../server.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const manifest = Buffer.from('{"schemaVersion":2}');

const pauses: number[] = [];
const connect = (credentials?: Credentials) =>
  createRegistry({
    credentials: async () => credentials,
    async sleep(ms) {
      pauses.push(ms);
    },
  });

const answerDigest = (_: IncomingMessage, response: ServerResponse) =>
  void response.setHeader('docker-content-digest', digest).end();
const basic = ({username, password}: Credentials) => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const olive = {username: 'olive', password: 'pass:word'};

describe('the digest of a tag', () => {
  test('is what the registry says, asked for with every type of manifest', async () => {
    let accept = '';
    await using server = await serve((request, response) => {
      accept = request.headers.accept ?? '';
      answerDigest(request, response);
    });
    expect(await connect().digest({registry: server.host, repository: 'dbhi/x'}, '1.0.0')).toBe(digest);
    expect(server.requests).toEqual(['HEAD /v2/dbhi/x/manifests/1.0.0']);
    expect(accept.split(', ').map(type => type.replace(/^application\/vnd\./, ''))).toEqual([
      'oci.image.index.v1+json',
      'docker.distribution.manifest.list.v2+json',
      'oci.image.manifest.v1+json',
      'docker.distribution.manifest.v2+json',
    ]);
  });

  test('is undefined when the tag is not there', async () => {
    await using server = await serve((_, response) => void response.writeHead(404).end());
    expect(await connect().digest({registry: server.host, repository: 'dbhi/x'}, '1.0.0')).toBeUndefined();
  });

  test.each([
    ['does not name it', 200],
    ['knows no HEAD', 405],
  ])('is the hash of the manifest where the registry %s', async (_, status) => {
    await using server = await serve((request, response) => {
      if (request.method === 'HEAD') response.writeHead(status).end();
      else response.end(manifest);
    });
    expect(await connect().digest({registry: server.host, repository: 'dbhi/x'}, '1.0.0')).toBe(
      `sha256:${createHash('sha256').update(manifest).digest('hex')}`,
    );
  });
});

test('a page that answers everything with 200 is no registry', async () => {
  await using server = await serve(
    (_, response) => void response.setHeader('content-type', 'text/html').end('<html>log in</html>'),
  );
  await expect(connect().digest({registry: server.host, repository: 'dbhi/x'}, '1.0.0')).rejects.toThrow();
});

test('an index of several platforms has no image id', async () => {
  await using server = await serve((_, response) => void response.end('{"schemaVersion":2,"manifests":[]}'));
  expect(await connect().imageId({registry: server.host, repository: 'dbhi/x'}, '1.0.0')).toBeUndefined();
});

describe('a registry that wants to know who asks', () => {
  test('with a password gets it', async () => {
    await using server = await serve((request, response) => {
      if (request.headers.authorization === basic(olive)) answerDigest(request, response);
      else response.writeHead(401, {'www-authenticate': 'Basic realm="Registry"'}).end();
    });
    const name = {registry: server.host, repository: 'dbhi/x'};
    expect(await connect(olive).digest(name, '1')).toBe(digest);
    await expect(connect({...olive, password: 'old'}).digest(name, '1')).rejects.toMatchObject({
      constructor: LoginError,
      registry: server.host,
      next: [`Log in: \`docker login ${server.host}\``],
    });
    await expect(connect().digest(name, '1')).rejects.toThrow(/refuses to show .*dbhi\/x \(401\)/);
  });

  test('and refuses what it is shown is shown something else, found once for all who ask meanwhile', async () => {
    await using server = await serve((request, response) => {
      if (request.headers.authorization === basic(olive)) answerDigest(request, response);
      else response.writeHead(401, {'www-authenticate': 'Basic realm="Registry"'}).end();
    });
    const name = {registry: server.host, repository: 'dbhi/x'};
    const registry = connect({...olive, password: 'old'});
    const digest = () => registry.digest(name, '1');
    await expect(digest()).rejects.toBeInstanceOf(LoginError);

    expect(await registry.logInAnew(server.host, async () => undefined)).toBe(false);
    await expect(digest()).rejects.toBeInstanceOf(LoginError);

    let asked = 0;
    const ask = async () => (asked++, olive);
    const found = await Promise.all([registry.logInAnew(server.host, ask), registry.logInAnew(server.host, ask)]);
    expect({found, asked}).toEqual({found: [true, true], asked: 1});
    expect(await digest()).toMatch(/^sha256:/);
    expect(await registry.credentials(server.host)).toEqual({...olive, aside: true});
  });

  /** Docker Hub, GHCR: tokens from elsewhere, one a repository, short-lived. */
  const serveTokens = () => {
    let valid = 0;
    const asked: {query: URLSearchParams; authorization: string | undefined; body: string}[] = [];
    const expire = () => valid++;
    const start = () =>
      serve(async (request, response) => {
        const url = new URL(request.url ?? '', `http://${request.headers.host}`);
        if (url.pathname === '/token') {
          const body = (await request.toArray()).join('');
          asked.push({query: url.searchParams, authorization: request.headers.authorization, body});
          response.end(JSON.stringify(request.method === 'POST' ? {access_token: `t${valid}`} : {token: `t${valid}`}));
        } else if (request.headers.authorization === `Bearer t${valid}`) {
          answerDigest(request, response);
        } else {
          const realm = `http://${request.headers.host}/token`;
          const challenge = `Bearer realm="${realm}",service="registry.example",scope="repository:dbhi/x:pull"`;
          response.writeHead(401, {'www-authenticate': challenge}).end();
        }
      });
    return {start, asked, expire};
  };

  test('through tokens gives one to anybody, and it is used until it expires', async () => {
    const tokens = serveTokens();
    await using server = await tokens.start();
    const registry = connect();
    const name = {registry: server.host, repository: 'dbhi/x'};
    expect(await registry.digest(name, '1')).toBe(digest);
    expect(await registry.digest(name, '2')).toBe(digest);
    tokens.expire();
    expect(await registry.digest(name, '3')).toBe(digest);
    expect(tokens.asked.map(({query, authorization}) => ({...Object.fromEntries(query), authorization}))).toEqual(
      Array.from({length: 2}, () => ({service: 'registry.example', scope: 'repository:dbhi/x:pull', authorization: undefined})),
    );
  });

  test('through tokens is shown the password where there is one, or the identity token', async () => {
    const tokens = serveTokens();
    await using server = await tokens.start();
    const name = {registry: server.host, repository: 'dbhi/x'};
    expect(await connect(olive).digest(name, '1')).toBe(digest);
    expect(await connect({username: '<token>', password: 'refresh me'}).digest(name, '1')).toBe(digest);
    expect(tokens.asked[0]?.authorization).toBe(basic(olive));
    expect(Object.fromEntries(new URLSearchParams(tokens.asked[1]?.body))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'deploy-wizard',
      refresh_token: 'refresh me',
      service: 'registry.example',
      scope: 'repository:dbhi/x:pull',
    });
  });

  test('never gets a password over an open line', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(401, {'www-authenticate': 'Bearer realm="http://tokens.example.org/token",service="x"'}).end();
    });
    await expect(connect(olive).digest({registry: server.host, repository: 'dbhi/x'}, '1')).rejects.toThrow(
      /wants the password unencrypted, at tokens.example.org: it was not sent/,
    );
  });

  test('and refuses the token says so', async () => {
    await using server = await serve((request, response) => {
      const realm = `http://${request.headers.host}/token`;
      if (request.url?.startsWith('/token')) response.end('{"token":"t"}');
      else if (request.headers.authorization === undefined)
        response.writeHead(401, {'www-authenticate': `Bearer realm="${realm}"`}).end();
      else response.writeHead(403).end(JSON.stringify({errors: [{code: 'DENIED', message: 'not yours'}]}));
    });
    const asking = connect().tags({registry: server.host, repository: 'dbhi/x'});
    await expect(asking).rejects.toBeInstanceOf(LoginError);
    await expect(asking).rejects.toThrow('(403 DENIED: not yours)');
  });
});

describe('tags', () => {
  test('come page by page, and from the registry only', async () => {
    await using server = await serve((request, response) => {
      const last = new URL(request.url ?? '', 'http://x').searchParams.get('last');
      if (last === null) response.setHeader('link', '<https://evil.example/v2/dbhi/x/tags/list?last=1.1&n=1000>; rel="next"');
      response.end(JSON.stringify({name: 'dbhi/x', tags: last === null ? ['1.0', '1.1'] : ['1.2']}));
    });
    expect(await connect().tags({registry: server.host, repository: 'dbhi/x'})).toEqual(['1.0', '1.1', '1.2']);
    expect(server.requests).toEqual(['GET /v2/dbhi/x/tags/list?n=1000', 'GET /v2/dbhi/x/tags/list?last=1.1&n=1000']);
  });

  test('are none where there is no repository, or nothing in it', async () => {
    await using server = await serve((request, response) => {
      if (request.url?.includes('gone')) response.writeHead(404).end();
      else response.end('{"name":"dbhi/x","tags":null}');
    });
    expect(await connect().tags({registry: server.host, repository: 'dbhi/gone'})).toEqual([]);
    expect(await connect().tags({registry: server.host, repository: 'dbhi/x'})).toEqual([]);
  });

  test('are an error where the answer is no list', async () => {
    await using server = await serve((_, response) => void response.end('<html>captive portal</html>'));
    await expect(connect().tags({registry: server.host, repository: 'dbhi/x'})).rejects.toThrow(
      /does not tell about .*dbhi\/x \(200\)/,
    );
  });
});

describe('a registry in trouble', () => {
  /** Fails so often, each time in another way, then answers. */
  const serveAfter = (failures: ((response: ServerResponse) => void)[]) =>
    serve((request, response) => {
      const fail = failures.shift();
      if (fail) fail(response);
      else answerDigest(request, response);
    });

  test('is asked again, with the patience that it asks for', async () => {
    await using server = await serveAfter([
      response => response.destroy(),
      response => response.writeHead(429, {'retry-after': '7'}).end(),
    ]);
    pauses.length = 0;
    expect(await connect().digest({registry: server.host, repository: 'dbhi/x'}, '1')).toBe(digest);
    expect(pauses).toEqual([300, 7000]);
  });

  test('is given up on after three tries, or when it asks for too much patience', async () => {
    await using down = await serve((_, response) => void response.writeHead(503).end());
    await expect(connect().digest({registry: down.host, repository: 'dbhi/x'}, '1')).rejects.toThrow(
      /does not tell about .*dbhi\/x:1 \(503\)/,
    );
    expect(down.requests).toHaveLength(3);

    await using busy = await serve((_, response) => void response.writeHead(429, {'retry-after': '3600'}).end());
    await expect(connect().tags({registry: busy.host, repository: 'dbhi/x'})).rejects.toMatchObject({
      next: [expect.stringContaining('log in, or try again later')],
    });
    expect(busy.requests).toHaveLength(1);
  });

  test('that is not there is named, with the reason', async () => {
    let host: string;
    {
      await using server = await serve(() => undefined);
      host = server.host;
    }
    await expect(connect().digest({registry: host, repository: 'dbhi/x'}, '1')).rejects.toThrow(
      `The registry at ${host} cannot be reached: connection refused.`,
    );
  });

  test('can be left', async () => {
    const stop = new AbortController();
    await using server = await serve(() => stop.abort());
    await expect(connect().digest({registry: server.host, repository: 'dbhi/x'}, '1', stop.signal)).rejects.toBeInstanceOf(
      StoppedError,
    );
  });
});

test('registries elsewhere are asked over TLS, and Docker Hub at its own host', async () => {
  const urls: string[] = [];
  const registry = createRegistry({
    credentials: async () => undefined,
    async fetch(url) {
      urls.push(String(url instanceof Request ? url.url : url));
      return new Response(null, {status: 404});
    },
  });
  for (const host of ['docker.io', 'ghcr.io', 'localhost:5000', '127.0.0.1', '[::1]:5000', '127.evil.example']) {
    await registry.digest({registry: host, repository: 'a/b'}, '1');
  }
  expect(urls).toEqual([
    'https://registry-1.docker.io/v2/a/b/manifests/1',
    'https://ghcr.io/v2/a/b/manifests/1',
    'http://localhost:5000/v2/a/b/manifests/1',
    'http://127.0.0.1/v2/a/b/manifests/1',
    'http://[::1]:5000/v2/a/b/manifests/1',
    'https://127.evil.example/v2/a/b/manifests/1',
  ]);
});
