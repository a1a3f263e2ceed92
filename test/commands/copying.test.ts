/** Images that are not in ECR yet: PASS on the embedded endpoint, with a registry where its images are made. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {DescribeImagesCommand, ECRClient} from '@aws-sdk/client-ecr';
import {describe, expect, onTestFinished, test, vi} from 'vitest';
import {releaseCommand} from '../../src/commands/release.ts';
import {startRegistry} from '../../src/emulator/registry.ts';
import {createRegistry} from '../../src/tools/registry.ts';
import {type MadeImage, makeImage, pushMade} from '../support/oci.ts';
import {type Pass, type PassConfig, componentOf, credentials, region, repositories, startPass} from '../support/pass.ts';
import {eventsOf} from '../support/program.ts';
import {deskAt, speed, unattended} from './support/desk.ts';

// Whole releases, on a machine that has other things to do.
vi.setConfig({testTimeout: 60_000});

const version = '2.0.0';

interface Told {
  readonly pass: Pass;
  /** The other registry, `host:port`. */
  readonly source: string;
  readonly images: ReadonlyMap<string, MadeImage>;
  release(version?: string): Promise<{readonly exitCode: number; readonly output: string}>;
  /** The digest that ECR says of a repository's tag; undefined where there is none. */
  digest(repository: string): Promise<string | undefined>;
}

/** PASS, whose images of 2.0.0 are on another registry alone. */
async function pass({
  change = () => undefined,
  only = repositories,
}: {change?(config: PassConfig): void; only?: readonly string[]} = {}): Promise<Told> {
  const source = await startRegistry();
  onTestFinished(() => source.close());
  const images = new Map(only.map(repository => [repository, makeImage({layerBytes: 2000})]));
  for (const [repository, image] of images) await pushMade(source.url, `eclipse-pass/${repository}`, version, image);
  const pass = await startPass({
    speed,
    config: config => {
      config['registries'] = {ecr: {kind: 'ecr', copyFrom: `${source.url}/eclipse-pass`}};
      change(config);
    },
  });
  const ecr = new ECRClient({
    endpoint: pass.url,
    region,
    credentials: {accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: 'x'},
  });
  onTestFinished(() => ecr.destroy());
  return {
    pass,
    source: source.url,
    images,
    release: async (release = version) => {
      const desk = deskAt(pass);
      const exitCode = await releaseCommand(desk.context, unattended({release}));
      return {exitCode, output: `${desk.stdout()}${desk.stderr()}`};
    },
    digest: async repositoryName => {
      const {imageDetails} = await ecr
        .send(new DescribeImagesCommand({repositoryName, imageIds: [{imageTag: version}]}))
        .catch(() => ({imageDetails: undefined}));
      return imageDetails?.[0]?.imageDigest;
    },
  };
}

const onlyCore = (config: PassConfig) => {
  config.components = {'pass-core': {...componentOf(config, 'pass-core'), images: ['ecr/pass-core']}};
};

const counted = (pass: Pass, action: string): number => pass.calls.filter(call => call.action === action).length;

test('images that are not in ECR are copied there before the plan, once each, and released with the digests that they had', async () => {
  // Two loaders that run the same image.
  const {
    pass: told,
    images,
    release,
    digest,
  } = await pass({
    change: config => void (componentOf(config, 'journal-loader')['images'] = {loader: 'ecr/jhu-grant-loader'}),
  });
  const {exitCode, output} = await release();

  expect(output).toContain('6 of 6 components on 2.0.0');
  expect(exitCode).toBe(0);
  for (const [repository, image] of images) {
    // Nothing names the journal loader's own image any more.
    if (repository !== 'pass-journal-loader') expect(await digest(repository)).toBe(image.index.digest);
  }
  // Six images of five blobs each; three manifests each.
  expect(counted(told, 'CompleteLayerUpload')).toBe(6 * 5);
  expect(counted(told, 'PutImage')).toBe(6 * 3);

  const record = await told.record();
  const planned = eventsOf(record, 'plan.ready').at(-1)?.plan;
  expect(JSON.stringify(planned)).toContain(images.get('deposit-services-core')?.index.digest);
  const checks = eventsOf(record, 'check').map(({check}) => `${check.status} ${check.found}`);
  const core = images.get('pass-core')?.index.digest.slice(0, 19);
  expect(checks).toContainEqual(
    expect.stringMatching(new RegExp(`^passed not in ECR yet: will be copied from .*/eclipse-pass/pass-core:2.0.0, ${core}`)),
  );
  expect(eventsOf(record, 'intent').filter(({step}) => step === 'copy ecr/jhu-grant-loader')).toHaveLength(1);
  // ECR's token is a secret.
  const written = await readFile(join(record.folder, 'record.ndjson'), 'utf8');
  expect(written).not.toContain(Buffer.from('AWS:demo').toString('base64'));

  const again = await release();
  expect(again.exitCode).toBe(0);
  expect(counted(told, 'PutImage')).toBe(6 * 3);
});

test('a plan tells the digests of images that would be copied, and copies nothing', async () => {
  const {pass: told, images} = await pass();
  const desk = deskAt(told);
  expect(await releaseCommand(desk.context, unattended({release: version, yes: false, dryRun: true}))).toBe(0);
  expect(desk.stdout() + desk.stderr()).toContain(images.get('jhu-grant-loader')?.index.digest.slice(0, 19));
  expect(counted(told, 'InitiateLayerUpload')).toBe(0);
});

test('an answer that is lost while the tag is set is looked up', async () => {
  const {pass: told, release, digest, images, source} = await pass({change: onlyCore, only: ['pass-core']});
  const image = images.get('pass-core')?.index.digest ?? '';
  // Everything is there by another name, so that the tag is all that is left to do.
  await createRegistry({credentials: async () => undefined}).copy(
    {
      from: {registry: source, repository: 'eclipse-pass/pass-core'},
      digest: image,
      to: {registry: new URL(told.url).host, repository: 'pass-core', tag: 'earlier'},
      login: {username: 'AWS', password: 'demo'},
    },
    {onLine: () => undefined, onProgress: () => undefined, signal: new AbortController().signal},
  );
  told.world.fail({action: 'PutImage', kind: 'lost-answer', times: 3});

  expect((await release()).exitCode).toBe(0);
  expect(await digest('pass-core')).toBe(image);
  const effects = eventsOf(await told.record(), 'effect').filter(({step}) => step === 'copy ecr/pass-core');
  expect(effects).toMatchObject([{adopted: true, result: {is: 'done', value: {digest: image}}}]);
});

describe('is refused before anything is touched', () => {
  test('where the tag is nowhere', async () => {
    const {pass: told, release} = await pass({change: onlyCore, only: []});
    const {exitCode, output} = await release();
    expect(exitCode).toBe(1);
    expect(output).toMatch(/there is no tag 2\.0\.0 in pass-core, and no .*\/eclipse-pass\/pass-core:2\.0\.0 to copy/);
    expect(told.changes().filter(action => action !== 'SimulatePrincipalPolicy')).toEqual([]);
  });

  test('where ECR has no such repository', async () => {
    const {release} = await pass({
      change: config => {
        config.components = {'pass-core': {...componentOf(config, 'pass-core'), images: ['ecr/pass-new']}};
      },
      only: ['pass-new'],
    });
    const {exitCode, output} = await release();
    expect(exitCode).toBe(1);
    expect(output).toContain('there is no repository pass-new in ECR');
    expect(output).toContain('aws ecr create-repository --repository-name pass-new');
  });

  test('where the image is archived', async () => {
    const {pass: told, release} = await pass({change: onlyCore, only: []});
    told.world.archiveImage('pass-core', '1.14.0');
    const {exitCode, output} = await release('1.14.0');
    expect(exitCode).toBe(1);
    expect(output).toContain('pass-core:1.14.0 is ARCHIVED: it cannot be pulled');
    expect(output).toContain('aws ecr update-image-storage-class');
    expect(told.messages()).toEqual([]);
  });
});

test('a copy that is refused half way touches no environment', async () => {
  const {pass: told, release, digest} = await pass({change: onlyCore, only: ['pass-core']});
  // The simulation of policies knows of no resource policy: it is asked by the registry alone.
  told.world.fail({action: 'SimulatePrincipalPolicy', kind: {code: 'AccessDenied', status: 403}, times: 20});
  told.world.deny('ecr:PutImage');
  const {exitCode, output} = await release();
  expect(exitCode).toBe(1);
  expect(output).toMatch(
    /The registry .* refuses to take .*pass-core:2\.0\.0 \(403 DENIED: not authorized to perform: ecr:PutImage\)/,
  );
  expect(output).toContain('Ask for the permission to push images to ECR');
  expect(counted(told, 'CompleteLayerUpload')).toBe(5);
  expect(told.messages()).toEqual([]);
  expect(await digest('pass-core')).toBeUndefined();
});
