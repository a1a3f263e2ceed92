/** Approval elsewhere: planned in one job, approved by somebody, released in another job. */
import {readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {auditCommand} from '../../src/commands/audit.ts';
import {type ReleaseOptions, releaseCommand} from '../../src/commands/release.ts';
import {DeployError} from '../../src/release/errors.ts';
import {sha256} from '../../src/release/hash.ts';
import {
  type Pass,
  type PassOptions,
  image,
  keepOnly,
  loaderTarget,
  loaders,
  registration,
  startPass,
  taskDefinitionArn,
} from '../support/pass.ts';
import {eventsOf} from '../support/program.ts';
import {type Desk, deskAt, speed, unattended} from './support/desk.ts';

/** Policy lets nothing through: whatever goes on was approved. */
const strict: PassOptions = {
  speed,
  config: config => {
    for (const settings of Object.values(config.environments)) settings['policy'] = {allow: []};
    config.environments['staging'] = {...config.environments['production']};
    keepOnly(config, 'pass-core', 'deposit-services', 'grant-loader', 'journal-loader');
  },
};

const out = 'approval.json';

async function planned(pass: Pass, more: Partial<ReleaseOptions> = {}): Promise<{digest: string; file: string; desk: Desk}> {
  const desk = deskAt(pass);
  expect(await releaseCommand(desk.context, unattended({dryRun: true, out, ...more})), desk.stderr()).toBe(0);
  const file = join(pass.folder, out);
  return {digest: `sha256:${sha256(await readFile(file))}`, file, desk};
}

/** Nothing but what the approval says. */
const approving = (more: Partial<ReleaseOptions> = {}): ReleaseOptions => {
  const {env: _env, release: _release, ...rest} = unattended({approve: out});
  return {...rest, ...more};
};

async function refusal(pass: Pass, options: ReleaseOptions): Promise<DeployError> {
  const error = await releaseCommand(deskAt(pass).context, options).catch((error: unknown) => error);
  if (!(error instanceof DeployError)) throw new Error(`it was not refused: ${String(error)}`);
  return error;
}

describe('an approval that was given elsewhere', {timeout: 60_000}, () => {
  test('is a file without secrets, for its owner alone, whose digest is told', async () => {
    const pass = await startPass(strict);
    const {digest, file, desk} = await planned(pass);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(desk.stdout()).toContain(`Approve  ${out} ${digest}\n`);
    expect(desk.stdout()).toContain(`--approve ${out} --approve-digest ${digest}`);
    expect(pass.changes()).toEqual([]);
    const text = await readFile(file, 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      schema: 1,
      application: 'pass',
      environment: 'production',
      version: '1.14.0',
      onFailure: 'leave',
      by: 'jo@laptop',
      tool: '0.0.0',
    });
    expect(text).not.toContain('not-a-secret');
    expect(text).not.toContain('"payload"');
  });

  test('lets exactly that through, is recorded, and is good for one change', async () => {
    const pass = await startPass(strict);
    const {digest} = await planned(pass);
    // On a machine whose clock is hours behind that of the one that planned.
    const {clock} = deskAt(pass).context;
    const desk = deskAt(pass, {clock: {...clock, now: () => clock.now() - 3 * 3_600_000}});
    expect(await releaseCommand(desk.context, approving({approveDigest: digest})), desk.stderr()).toBe(0);
    const [given] = eventsOf(await pass.record(), 'approval.given');
    expect(given).toMatchObject({
      by: 'flag',
      because: expect.stringMatching(`^approval.json ${digest}, planned by jo@laptop at 20`),
    });

    const audited = deskAt(pass);
    expect(await auditCommand(audited.context, '1.14.0', {env: 'production'}), audited.stdout()).toBe(0);
    expect(audited.stdout()).toContain(digest);

    const again = await refusal(pass, approving());
    expect(again).toMatchObject({exitCode: 3, message: expect.stringMatching(/has used it already$/)});
  });

  test('lets nothing through that has changed since: every difference is told, and nothing is touched', async () => {
    const pass = await startPass(strict);
    await planned(pass);
    // Somebody else moves a loader meanwhile.
    const [grant] = loaders;
    pass.world.registerTaskDefinition({...registration(grant.family, 'loader', image(grant.family, '1.13.2')), cpu: '1024'});
    pass.world.putTargets({name: grant.rule}, [loaderTarget('loader', taskDefinitionArn(`${grant.family}:2`))]);
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, approving()), desk.stderr()).toBe(3);
    expect(desk.stderr()).toContain('refused: the plan is not the one in approval.json sha256:');
    expect(desk.stderr()).toMatch(/\| grant-loader: .*jhu-grant-loader:2/);
    expect(desk.stderr()).not.toMatch(/\| journal-loader: /);
    expect(desk.stdout()).toContain('deploy-wizard plan --env production --release 1.14.0 --out approval.json');
    expect(pass.changes()).toEqual([]);
  });

  test.each([
    ['another environment', {env: 'staging'}, 'environment: production was approved, not staging'],
    ['another version', {release: '1.15.0'}, 'version: 1.14.0 was approved, not 1.15.0'],
  ] as const)('is not for %s', async (_what, more, words) => {
    const pass = await startPass(strict);
    await planned(pass);
    expect(await refusal(pass, approving(more))).toMatchObject({exitCode: 3, message: expect.stringContaining(words)});
    expect(pass.changes()).toEqual([]);
  });

  test('is not for fewer components, unless they were planned so', async () => {
    const pass = await startPass(strict);
    await planned(pass);
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, approving({component: ['pass-core']}))).toBe(3);
    expect(desk.stderr()).toContain('deposit-services: is not in the plan any more');

    await planned(pass, {component: ['pass-core']});
    const fewer = deskAt(pass);
    expect(await releaseCommand(fewer.context, approving()), fewer.stderr()).toBe(0);
    expect(fewer.stdout()).toContain('1 of 1 components on 1.14.0');
  });

  test('is the file whose digest was approved, and no other', async () => {
    const pass = await startPass(strict);
    const {digest, file} = await planned(pass);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"jo@laptop"', '"me@laptop"'));
    expect(await refusal(pass, approving({approveDigest: digest}))).toMatchObject({
      exitCode: 3,
      message: expect.stringContaining(`and ${digest} was approved`),
    });
    // Whoever makes the file say another thing has no plan that fits it.
    await writeFile(file, text.replaceAll('"risk": "update"', '"risk": "create"'));
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, approving())).toBe(3);
    expect(pass.changes()).toEqual([]);
  });

  test.each([
    ['a file that is not there', {approve: 'none.json'}, /cannot be read/],
    ['what never ends', {approve: '/dev/zero'}, /cannot be read: it is no file/],
    ['a file that is something else', {approve: 'deploy-wizard.config.yaml'}, /it is no JSON/],
    ['a digest without a file', {approve: undefined, approveDigest: `sha256:${'0'.repeat(64)}`}, /give the file too/],
    ['a digest that is none', {approveDigest: 'sha1:abc'}, /sha256: and 64 hexadecimal digits/],
    ['an approval, and a person to ask', {yes: false}, /use it with --yes/],
    ['an approval of a plan', {dryRun: true}, /not with a plan/],
    ['a release that is to be kept as a plan', {approve: undefined, out}, /use it with `deploy-wizard plan`/],
  ] as const)('%s is a mistake', async (_what, more, words) => {
    const pass = await startPass(strict);
    const given = Object.fromEntries(Object.entries({...approving(), ...more}).filter(([, value]) => value !== undefined));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const error = await refusal(pass, given as unknown as ReleaseOptions);
    expect(error).toMatchObject({exitCode: 2, message: expect.stringMatching(words)});
    expect(pass.changes()).toEqual([]);
  });

  test('where nothing is left to do there is nothing to approve: the job may run again', async () => {
    const pass = await startPass(strict);
    await planned(pass);
    expect(await releaseCommand(deskAt(pass).context, unattended({allow: ['update', 'trigger']}))).toBe(0);
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, approving()), desk.stderr()).toBe(0);
    expect(desk.stdout()).toContain('nothing to do');
  });
});
