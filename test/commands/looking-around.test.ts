/** What the form shows of an environment before anything is chosen: read from real records, asked of the embedded endpoint. */
import {expect, onTestFinished, test} from 'vitest';
import {lockCommand} from '../../src/commands/lock.ts';
import {openApplication} from '../../src/commands/application.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import {createSurvey} from '../../src/commands/survey.ts';
import {UsageError} from '../../src/release/errors.ts';
import type {KnownVersion, Survey} from '../../src/release/form.ts';
import {type Pass, type PassOptions, before, released, startPass} from '../support/pass.ts';
import {Workshop} from '../components/terraform/workshop.ts';
import {type Desk, deskAt, speed, unattended} from './support/desk.ts';

/** PASS in two environments of one account; production takes only what staging has verified. */
async function startWithStaging(options: PassOptions = {}): Promise<Pass & {survey(): Promise<Survey>; desk: Desk}> {
  const pass = await startPass({
    speed,
    ...options,
    config: config => {
      const production = config.environments['production'];
      config.environments = {staging: {...production}, production: {...production, requires: [{env: 'staging'}]}};
      options.config?.(config);
    },
  });
  const desk = deskAt(pass);
  return {
    ...pass,
    desk,
    survey: async () => {
      const application = await openApplication(desk.context, undefined);
      return createSurvey(desk.context, application.loaded, () => Promise.resolve(application), []);
    },
  };
}

const forever = new AbortController().signal;

test(
  'an environment: what runs where, whether the one before lets it through, who keeps others out',
  {timeout: 60_000},
  async () => {
    const pass = await startWithStaging();
    const nothing = await (await pass.survey()).recall('production');
    expect(nothing).toEqual({
      name: 'production',
      account: '333333333333',
      region: 'us-east-1',
      gates: [{env: 'staging', open: false, found: 'nothing was released there'}],
    });

    expect(await releaseCommand(pass.desk.context, unattended({env: 'staging', release: released}))).toBe(0);
    const survey = await pass.survey();
    const staging = await survey.recall('staging');
    expect(staging.last).toMatchObject({version: released, outcome: 'passed', by: 'jo'});
    expect(staging.runs).toHaveLength(6);
    expect(staging.runs).toContainEqual({component: 'grant-loader', version: released});
    expect((await survey.recall('production')).gates).toEqual([
      {env: 'staging', version: released, open: true, since: expect.stringMatching(/^\d{4}-/)},
    ]);

    await lockCommand(pass.desk.context, 'acquire', {env: 'staging', reason: 'audit week'});
    expect((await survey.recall('staging')).lock).toMatchObject({is: 'frozen', who: 'jo on laptop', reason: 'audit week'});
  },
);

test('the versions that exist: in how many repositories, when they were pushed, and what the gate says', async () => {
  const pass = await startWithStaging();
  // Tags that are no versions are none.
  pass.world.putImage('pass-core', 'latest');
  pass.world.putImage('pass-core', '1.15.0-RC1');
  const steps: (readonly KnownVersion[])[] = [];
  await (await pass.survey()).versions('production', forever, versions => void steps.push(versions));
  const known = steps.at(-1) ?? [];
  expect(known.map(({version, images}) => `${version}: ${images.have} of ${images.of}`)).toEqual([
    '1.15.0-RC1: 1 of 7',
    `${released}: 7 of 7`,
    `${before}: 7 of 7`,
  ]);
  expect(known[1]?.pushedAt).toMatch(/^\d{4}-\d\d-\d\dT/);
  expect(known[1]?.gates).toEqual([
    {env: 'staging', version: released, open: false, found: expect.stringContaining('was never released to staging')},
  ]);
  // It is told as it is found, not at the end.
  expect(steps.length).toBeGreaterThan(3);
  expect(steps[0]?.find(({version}) => version === released)?.images).toEqual({have: 1, of: 7});
});

test('the versions that exist: those that git has a tag of, and since when', async () => {
  // Nothing answers at the registry: it says nothing, and holds nothing up.
  const source = {version: 'VERSION', build: {image: '127.0.0.1:1/app'}, git: {tag: 'v${version}'}};
  const shop = await Workshop.make({source});
  onTestFinished(() => shop.remove());
  const components = {service: {kind: 'terraform', directory: 'ci', source}};
  await shop.write('deploy-wizard.config.json', JSON.stringify({application: 'app', environments: {production: {}}, components}));
  for (const name of ['v1.1.0', 'v1.0.0', 'wip']) await shop.git('tag', '--annotate', '--message', 'x', name);
  const {context} = deskAt({folder: shop.folder, env: {PATH: process.env['PATH'] ?? ''}});
  const application = await openApplication(context, undefined);
  const survey = createSurvey(context, application.loaded, () => Promise.resolve(application), []);
  const steps: (readonly KnownVersion[])[] = [];
  await survey.versions('production', forever, versions => void steps.push(versions));
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
  expect(steps.at(-1)).toEqual(['1.1.0', '1.0.0'].map(version => ({version, images: {have: 0, of: 1}, taggedAt: at, gates: []})));
});

test('credentials of another account: what to do, in the words of the config file', async () => {
  const pass = await startWithStaging({
    config: config => {
      config.environments['staging'] = {
        ...config.environments['staging'],
        aws: {accountId: '444444444444', region: 'us-east-1', login: ['chopaws', '--profile', 'staging']},
      };
    },
  });
  const survey = await pass.survey();
  expect(await survey.reach('production', forever)).toEqual({identity: expect.stringMatching(/^333333333333 as /)});
  const {unreachable} = await survey.reach('staging', forever);
  expect(unreachable?.what).toMatch(/^the credentials are for account 333333333333 .* staging is account 444444444444$/);
  expect(unreachable?.next?.join(' ')).toContain('chopaws --profile staging');
});

test('--preset releases the components that the config file names together', {timeout: 60_000}, async () => {
  const pass = await startPass({
    speed,
    config: config => Object.assign(config, {presets: {loaders: ['grant-loader'], backend: ['pass-core', 'deposit-services']}}),
  });
  const {context, stdout} = deskAt(pass);
  expect(await releaseCommand(context, unattended({preset: 'backend', dryRun: true}))).toBe(0);
  expect(stdout()).toContain('deposit-services');
  expect(stdout()).not.toContain('grant-loader');
  await expect(releaseCommand(context, unattended({preset: 'front'}))).rejects.toThrow(UsageError);
  await expect(releaseCommand(context, unattended({preset: 'front'}))).rejects.toThrow('--preset front: there is no such preset');
});
