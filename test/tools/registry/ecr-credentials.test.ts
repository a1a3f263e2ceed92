/** Tokens come from the embedded endpoint through the SDK; what the registries do with them, another test says. */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Emulator, startEmulator} from '../../../src/emulator/index.ts';
import {DeployError} from '../../../src/release/errors.ts';
import {createEcr} from '../../../src/tools/aws/ecr.ts';
import {createSession} from '../../../src/tools/aws/session.ts';
import {createRegistry, type Credentials, ecrRegion, LoginError, withEcrTokens} from '../../../src/tools/registry.ts';
import {serve} from '../server.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const host = '111122223333.dkr.ecr.eu-west-1.amazonaws.com';

test.each([
  [host, 'eu-west-1'],
  ['111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  ['111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['111122223333.dkr-ecr.us-east-1.on.aws', 'us-east-1'],
  ['public.ecr.aws', undefined],
  ['docker.io', undefined],
  [`${host}.example.org`, undefined],
  [`x${host}`, undefined],
])('%s is in region %s', (registry, region) => {
  expect(ecrRegion(registry)).toBe(region);
});

describe('a registry of ECR', () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
    return () => emulator.close();
  });
  afterAll(() => expect(asked.filter(registry => registry !== 'docker.io')).toEqual([]));

  const asked: string[] = [];
  const learnt: string[] = [];
  let now = Date.now();
  const credentialsFor = (token: Parameters<typeof withEcrTokens>[0]['token'], docker?: Credentials) =>
    withEcrTokens({
      token,
      docker: async registry => {
        if (docker === undefined) asked.push(registry);
        return docker;
      },
      now: () => now,
      learnSecret: secret => learnt.push(secret),
    });

  test('is shown a token of its own region, which is hidden from then on', async () => {
    const env = {AWS_ENDPOINT_URL: emulator.url, AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-real-secret'};
    const ecr = createEcr(createSession({region: 'us-east-1', profile: undefined, login: undefined, env}));
    const credentials = await credentialsFor(region => ecr.token(region))(host);
    expect(credentials).toEqual({username: 'AWS', password: 'demo', aside: true});
    expect(learnt).toContain('demo');
    expect((await ecr.token('us-east-1')).endsAt).toBeGreaterThan(Date.now());
  });

  test('is shown the same one until shortly before its end, or until it is refused', async () => {
    let made = 0;
    const credentials = credentialsFor(async () => ({
      username: 'AWS',
      password: `token-${++made}`,
      registry: host,
      endsAt: now + 3_600_000,
    }));
    const passwords = async (anew?: 'anew') => (await credentials(host, anew))?.password;
    expect([await passwords(), await passwords(), await passwords('anew'), await passwords()]).toEqual([
      'token-1',
      'token-1',
      'token-2',
      'token-2',
    ]);
    now += 3_000_000;
    expect(await passwords()).toBe('token-3');
  });

  test('is shown what docker has where AWS gives no token; without either, AWS says why', async () => {
    const refuses = async () => {
      throw new DeployError('not allowed to call ecr:GetAuthorizationToken');
    };
    const docker = {username: 'AWS', password: 'of yesterday'};
    expect(await credentialsFor(refuses, docker)(host)).toEqual(docker);
    const none = withEcrTokens({token: refuses, docker: async () => undefined, now: () => now, learnSecret: () => undefined});
    await expect(none(host)).rejects.toThrow('not allowed to call ecr:GetAuthorizationToken');
  });

  test('that refuses an old token takes the new one', async () => {
    let valid = 1;
    await using server = await serve((request, response) => {
      const token = Buffer.from(`AWS:token-${valid}`).toString('base64');
      if (request.headers.authorization === `Basic ${token}`) response.setHeader('docker-content-digest', digest).end();
      // As ECR answers, to whom it does not know and to whom it knew twelve hours ago.
      else response.writeHead(401, {'www-authenticate': `Basic realm="https://${host}/",service="ecr.amazonaws.com"`}).end();
    });
    const credentials = credentialsFor(async () => ({
      username: 'AWS',
      password: `token-${valid}`,
      registry: host,
      endsAt: now + 43_200_000,
    }));
    const toServer: typeof fetch = (to, init) => {
      const {pathname, search} = new URL(to instanceof Request ? to.url : to);
      return fetch(`${server.url}${pathname}${search}`, init);
    };
    const registry = createRegistry({credentials, fetch: toServer});
    const look = () => registry.digest({registry: host, repository: 'app'}, '1.0.0');
    expect(await look()).toBe(digest);

    valid = 2;
    await expect(look()).rejects.toBeInstanceOf(LoginError);
    const nobody = () => Promise.reject(new Error('somebody was asked'));
    expect(await registry.logInAnew(host, nobody)).toBe(true);
    expect(await look()).toBe(digest);
    expect(await registry.credentials(host)).toEqual({username: 'AWS', password: 'token-2', aside: true});
  });

  test('of anybody else is none of AWS’s business', async () => {
    const never = () => Promise.reject(new Error('AWS was asked'));
    expect(await credentialsFor(never)('docker.io')).toBeUndefined();
  });
});
