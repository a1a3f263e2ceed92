/** Sessions that are not the right ones, and what becomes of them when somebody logs in while preflight waits. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {expect, onTestFinished, test, vi} from 'vitest';
import {checkShared, imageClaim, sessionClaim} from '../../../src/components/aws/requirements.ts';
import {config} from '../../../src/config/schema.ts';
import {createStop} from '../../../src/release/contract.ts';
import {look} from '../../../src/release/checks.ts';
import {deskAt} from '../../commands/support/desk.ts';
import {serve} from '../../tools/server.ts';
import {worldOf} from '../support/world.ts';

const right = '333333333333';

/** What AWS knows of each key. */
const callers: Readonly<Record<string, string>> = {AKIAOTHER: '111111111111', AKIARIGHT: right};

/** STS and ECR, which look at who asks. Any key that they do not know has ended. */
const aws = () =>
  serve(async (request, response) => {
    const body = await text(request);
    const key = /Credential=(\w+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const account = callers[key];
    if (body.includes('GetCallerIdentity')) {
      const answer =
        account === undefined
          ? '<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>ended</Message></Error></ErrorResponse>'
          : `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::${account}:user/jo</Arn><Account>${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`;
      response.writeHead(account === undefined ? 403 : 200, {'content-type': 'text/xml'}).end(answer);
      return;
    }
    const found = {imageDetails: [{imageDigest: `sha256:${'ab'.repeat(32)}`}]};
    response.writeHead(200, {'content-type': 'application/x-amz-json-1.1'}).end(JSON.stringify(found));
  });

/** The requirements of a component in an environment whose credentials are a profile's. */
async function profile(url: string, firstKey: string, more: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'dw-session-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  const file = join(folder, 'credentials');
  const logIn = (key: string) => writeFile(file, `[prod]\naws_access_key_id = ${key}\naws_secret_access_key = x\n`);
  await logIn(firstKey);
  // The SDK reads the process's own environment for where its files are.
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  onTestFinished(() => void vi.unstubAllEnvs());
  const source = {
    application: 'pass',
    environments: {production: {aws: {accountId: right, region: 'us-east-1', profile: 'prod', login: ['chopaws']}}},
    registries: {ecr: {kind: 'ecr'}},
    components: {core: {kind: 'sns-trigger', topic: 'x', message: {}, verify: 'none'}},
  };
  const env = {AWS_ENDPOINT_URL: url, ...more};
  const world = worldOf(deskAt({folder, env}).context, {
    loaded: {path: 'x', folder, config: config.parse(source), source: {}},
    version: '1.14.0',
    scratch: folder,
    lastDuration: 20 * 60_000,
    attended: true,
  });
  const io = world.ioFor({component: '*', phase: 'preflight'}, createStop());
  const check = async () => {
    const claims = [sessionClaim(), imageClaim('ecr/pass-core', '1.14.0')];
    return Promise.all(
      claims.map(claim =>
        look(
          {
            check: async (claim, io) => {
              const found = await checkShared(claim, io);
              if (found === undefined) throw new Error('not looked at');
              return found;
            },
          },
          claim,
          io,
        ),
      ),
    );
  };
  return {check, logIn};
}

test('a profile that was logged in anew while preflight waited is used at once, for everything', async () => {
  await using server = await aws();
  const {check, logIn} = await profile(server.url, 'AKIAENDED');
  expect(await check()).toMatchObject([
    {status: 'failed', found: 'the AWS credentials have ended', next: 'Run: chopaws'},
    {status: 'open', found: expect.stringContaining('not looked at')},
  ]);

  await logIn('AKIAOTHER');
  expect(await check()).toMatchObject([
    {status: 'failed', found: expect.stringContaining('the credentials are for account 111111111111'), next: 'Run: chopaws'},
    {status: 'open'},
  ]);

  await logIn('AKIARIGHT');
  expect(await check()).toMatchObject([{status: 'passed', found: `${right} as user/jo`}, {status: 'passed'}]);
  // From then on nobody asks again.
  const asked = server.requests.length;
  await check();
  expect(server.requests.length).toBe(asked + 1);
});

test('credentials of the process’s own environment cannot be renewed: it says to start again', async () => {
  await using server = await aws();
  const {check} = await profile(server.url, 'AKIARIGHT', {AWS_ACCESS_KEY_ID: 'AKIAENDED', AWS_SECRET_ACCESS_KEY: 'x'});
  expect(await check()).toMatchObject([
    {status: 'failed', next: 'Run: chopaws · Then start again: this process has its credentials from its environment.'},
    {status: 'open'},
  ]);
});

test('a session that would end before the release does is named with its end and the command for a new one', async () => {
  await using server = await aws();
  // Twenty minutes is what the last release took.
  const ends = new Date(Date.now() + 12 * 60_000).toISOString();
  const {check} = await profile(server.url, 'AKIARIGHT', {
    AWS_ACCESS_KEY_ID: 'AKIARIGHT',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_CREDENTIAL_EXPIRATION: ends,
  });
  const [session] = await check();
  expect(session).toMatchObject({status: 'failed', next: expect.stringMatching(/^Run: chopaws · Then start again/)});
  expect(session?.found).toMatch(
    new RegExp(`the session ends ${ends.slice(11, 16)} UTC, in 1[12] min; the last release took 20 min`),
  );
});
