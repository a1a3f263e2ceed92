import {describe, expect, test} from 'vitest';
import {StoppedError} from '../../src/release/errors.ts';
import {probe} from '../../src/tools/http.ts';
import {serve} from './server.ts';

const options = {timeoutMs: 5000, signal: new AbortController().signal};

describe('a probe', () => {
  test('sees any status, and the body', async () => {
    await using server = await serve((_, response) => void response.writeHead(503).end('down for ä minute'));
    expect(await probe(server.url, options)).toEqual({status: 503, body: 'down for ä minute'});
  });

  test('connects anew each time, so that it sees what a new client would', async () => {
    const ports = new Set<number | undefined>();
    await using server = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('ok');
    });
    for (let round = 0; round < 3; round++) await probe(server.url, options);
    expect(ports.size).toBe(3);
  });

  test('follows redirects, but not for ever', async () => {
    await using server = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, {location: `/${left - 1}`}).end();
    });
    expect(await probe(`${server.url}/5`, options)).toEqual({status: 200, body: 'there'});
    expect(await probe(`${server.url}/6`, options)).toEqual({error: 'more than 5 redirects'});
  });

  test('says who answered, where that is somebody else: a login page is no answer', async () => {
    await using login = await serve((_, response) => void response.end('<html>log in</html>'));
    await using server = await serve((_, response) => void response.writeHead(302, {location: `${login.url}/login`}).end());
    expect(await probe(server.url, options)).toEqual({status: 200, body: '<html>log in</html>', host: login.host});
  });

  test('reads no more than 64 KiB of a body that never ends', async () => {
    await using server = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    const result = await probe(server.url, options);
    expect('body' in result && result.body.length).toBe(64 * 1024);
  });

  test('says in words why there is no answer', async () => {
    let host: string;
    {
      await using server = await serve(() => undefined);
      host = server.host;
      expect(await probe(server.url, {...options, timeoutMs: 30})).toEqual({error: 'no answer within 0.03 s'});
    }
    expect(await probe(`http://${host}`, options)).toEqual({error: 'connection refused'});
    expect(await probe('http://nowhere.invalid/', options)).toEqual({error: expect.stringMatching(/no such host|looked up/)});
    expect(await probe('health', options)).toEqual({error: 'health is no http or https URL'});
    expect(await probe('file:///etc/passwd', options)).toEqual({error: 'file:///etc/passwd is no http or https URL'});

    await using plain = await serve((_, response) => void response.end());
    expect(await probe(`https://${plain.host}`, options)).toEqual({error: expect.stringContaining('it does not speak TLS')});

    await using reset = await serve((_, response) => void response.destroy());
    expect(await probe(reset.url, options)).toEqual({error: 'connection reset'});
    await using elsewhere = await serve((_, response) => void response.writeHead(301, {location: 'ftp://x/'}).end());
    expect(await probe(elsewhere.url, options)).toEqual({error: 'ftp://x/ is no http or https URL'});
  });

  test('can be stopped', async () => {
    const stop = new AbortController();
    await using server = await serve(() => stop.abort());
    await expect(probe(server.url, {timeoutMs: 5000, signal: stop.signal})).rejects.toBeInstanceOf(StoppedError);
    await expect(probe(server.url, {timeoutMs: 5000, signal: stop.signal})).rejects.toBeInstanceOf(StoppedError);
  });
});
