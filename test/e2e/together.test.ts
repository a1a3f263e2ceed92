/** Several processes, several machines, one environment. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {CreateBucketCommand, S3Client} from '@aws-sdk/client-s3';
import {expect, onTestFinished} from 'vitest';
import {parse} from 'yaml';
import {
  type Pass,
  type PassConfig,
  credentials,
  environment,
  everythingOn,
  keepOnly,
  released,
  standing,
  startPass,
  workplace,
} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {part, requires} from '../support/requires.ts';

/** Two releases of the same version, started at the same moment: one of them deploys, the other is told who does. */
async function rush(pass: Pass): Promise<void> {
  const ended = await Promise.all([pass.release(), pass.release()]);
  expect(ended.map(({exitCode}) => exitCode).sort((a, b) => a - b)).toEqual([0, 4]);
  const refused = ended.find(({exitCode}) => exitCode === 4);
  expect(`${refused?.stdout}${refused?.stderr}`).toMatch(
    new RegExp(`${environment} is locked by \\S+ on \\S+ \\(process \\d+.*\\) since \\S+, for release ${released}`),
  );
  await expectOnce(pass);
}

/** What two can rush for: a message, and a service that needs it. */
const two = (config: PassConfig) => keepOnly(config, 'pass-core', 'deposit-services');

async function expectOnce(pass: Pass): Promise<void> {
  expect(pass.messages()).toHaveLength(1);
  const {services, revisions} = everythingOn(1);
  expect(await standing(pass)).toMatchObject({
    services: {...services, 'deposit-services': 'deposit-services:2'},
    revisions: {...revisions, 'deposit-services': 2},
  });
}

passTest('two processes started together on one environment: exactly one deploys, the other exits 4', async ({start}) => {
  const pass = await start({config: two});
  await rush(pass);
  expect(await pass.run('audit', released, '--env', environment)).toMatchObject({exitCode: 0});
});

passTest('with --wait-lock the second waits, and finds nothing left to do', async ({start}) => {
  const pass = await start({config: two});
  const ended = await Promise.all([pass.release('--wait-lock', '1m'), pass.release('--wait-lock', '1m')]);
  expect(ended.map(({exitCode}) => exitCode)).toEqual([0, 0]);
  expect(ended.filter(({stdout}) => stdout.includes('nothing to do'))).toHaveLength(1);
  expect(ended.filter(({stderr}) => /Waiting: production is locked by/.test(stderr))).toHaveLength(1);
  await expectOnce(pass);
});

requires('moto')('a store in S3', () => {
  passTest('is one for all: one deploys, everybody audits and sees what is frozen; files can be moved there', async () => {
    const {url} = part('moto');
    const client = new S3Client({
      endpoint: url,
      region: 'us-east-1',
      credentials: {accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY},
      forcePathStyle: true,
    });
    onTestFinished(() => client.destroy());
    await client.send(new CreateBucketCommand({Bucket: 'together'}));
    const pass = await startPass({
      config: config => {
        config['store'] = 's3://together/pass';
        two(config);
      },
      env: {AWS_ENDPOINT_URL_S3: url},
    });
    await rush(pass);

    // Another machine has the config file and nothing else.
    const config: PassConfig = parse(await readFile(join(pass.folder, 'deploy-wizard.config.yaml'), 'utf8'));
    const settings = {...credentials, AWS_ENDPOINT_URL: pass.url, AWS_ENDPOINT_URL_S3: url};
    const elsewhere = await workplace(config, settings);
    expect(await elsewhere.run('audit', released, '--env', environment)).toMatchObject({exitCode: 0});
    expect(await elsewhere.run('lock', 'acquire', '--env', environment, '--reason', 'the fair')).toMatchObject({exitCode: 0});
    expect(await pass.release()).toMatchObject({
      exitCode: 4,
      stderr: expect.stringMatching(/production is frozen by .*: the fair/),
    });
    expect(await pass.run('lock', 'release', '--env', environment)).toMatchObject({exitCode: 0});
    expect(await pass.release()).toMatchObject({exitCode: 0, stdout: expect.stringContaining('nothing to do')});

    // Out of S3, into a folder: the same records.
    expect(await elsewhere.run('store', 'migrate', '--from', 's3://together/pass', '--to', 'records')).toMatchObject({
      exitCode: 0,
    });
    const moved = await workplace({...config, store: join(elsewhere.folder, 'records')}, settings);
    expect(await moved.run('audit', released, '--env', environment)).toMatchObject({exitCode: 0});
  });
});
