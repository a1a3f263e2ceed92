import {createHash} from 'node:crypto';
import {readFile, rename, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {type Cookbook, expectNothingLeft, expectReleased, oddPython, project} from '../support/cookbook.ts';
import {eventsOf, requestOf, runs, until} from '../support/program.ts';
import {part, requires} from '../support/requires.ts';

const release = ['--yes', '--env', 'production', '--bump', 'patch'] as const;

/** What somebody has changed since: the tag, the infrastructure, the record, what runs. Each is found, and nothing else. */
async function expectLiesFound(app: Cookbook): Promise<void> {
  const failures = async (): Promise<readonly string[]> => {
    const {exitCode, stdout} = await app.run(['audit', '0.7.2', '--env', 'production']);
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/^service\s+terraform$/m);
    return stdout.split('\n').filter(line => line.includes('✖'));
  };

  await app.docker('tag', `${app.image}:0.7.2`, `${app.image}:kept`);
  await app.docker('tag', `${app.image}:0.7.1`, `${app.image}:0.7.2`);
  await app.docker('push', '--quiet', `${app.image}:0.7.2`);
  expect(await failures()).toEqual([
    expect.stringMatching(/data-models-sqlalchemy:0\.7\.2 in the registry: is sha256:\w+ now, was/),
  ]);
  await app.docker('tag', `${app.image}:kept`, `${app.image}:0.7.2`);
  await app.docker('push', '--quiet', `${app.image}:0.7.2`);

  const tfvars = await app.read('ci/terraform.tfvars');
  await app.write('ci/terraform.tfvars', tfvars.replace('"0.7.2"', '"0.7.1"'));
  expect(await failures()).toEqual([expect.stringContaining('terraform_data.instance is destroyed and then created anew')]);
  await app.write('ci/terraform.tfvars', tfvars);

  const file = join((await app.record()).folder, 'record.ndjson');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('"by":"policy"', '"by":"operator"'));
  expect((await failures())[0]).toMatch(/the record is intact: line \d+: (is not what|does not follow)/);
  await writeFile(file, text);

  await app.docker('stop', app.container);
  expect(await failures()).toEqual([expect.stringContaining(app.url)]);
}

/** What a file holds; nothing of a folder. */
const readIfFile = (root: string) => (name: string) => readFile(join(root, name), 'utf8').catch(() => '');

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('The cookbook by one command', () => {
  test('takes 0.7.1 to 0.7.2: bumped, built, pushed, planned, applied, verified, committed; audit proves it, and finds every lie', async () => {
    const app = await project({git: '{ commit: true, tag: "v${version}", push: true }'});
    const remote = join(app.root, 'remote.git');
    await app.git('init', '--quiet', '--bare', remote);
    await app.git('remote', 'add', 'origin', remote);
    await app.git('push', '--quiet', '--set-upstream', 'origin', 'main');
    const onRemote = () => app.git('ls-remote', '--refs', 'origin');
    const [before, nothingPushed] = [await app.world(), await onRemote()];
    const none = await app.run(['audit', '--env', 'production']);
    expect(none).toMatchObject({exitCode: 5, stdout: expect.stringContaining('no release to production is recorded')});

    // Held while Terraform applies: that is the moment to look at the saved plan.
    await app.hold();
    const running = app.start([...release, '--allow', 'outage']);
    await until(app.isHeld, 'the new instance');
    const intent = z.object({planFile: z.string(), planSha256: z.string(), folder: z.string()});
    const apply = intent.parse(requestOf(await app.record(), 'terraform-apply'));
    expect(
      createHash('sha256')
        .update(await readFile(apply.planFile))
        .digest('hex'),
    ).toBe(apply.planSha256);
    const started: unknown = JSON.parse(await readFile(join(apply.folder, 'request.json'), 'utf8'));
    expect(started).toMatchObject({file: 'terraform', args: expect.arrayContaining(['apply', apply.planFile])});
    // Others see the commits once they are what runs.
    expect(await onRemote()).toBe(nothingPushed);
    await app.letGo();

    const {exitCode, stdout, stderr} = await running.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('data-models-sqlalchemy 0.7.2 → production: passed');
    expect(stderr).toContain('pushed main and v0.7.2 to origin');
    // Both commits and the tag.
    expect(stderr.match(/\(pushed once the release is verified\)/g)).toHaveLength(3);
    expect(stderr).not.toContain('not pushed');
    expect(await onRemote()).toBe(
      `${await app.git('rev-parse', 'HEAD')}\trefs/heads/main\n${await app.git('rev-parse', 'v0.7.2')}\trefs/tags/v0.7.2`,
    );

    const record = await expectReleased(app, {version: '0.7.2', before, gitTag: 'v0.7.2'});
    const [plan] = eventsOf(record, 'plan.ready');
    expect(plan?.plan.components[0]).toMatchObject({from: '0.7.1', to: '0.7.2', payload: {planSha256: apply.planSha256}});
    expect(eventsOf(record, 'approval.given')).toMatchObject([
      {fingerprint: plan?.plan.fingerprint, by: 'policy', covers: ['outage'], because: 'allowed: outage'},
    ]);

    const released = await app.files();
    const good = await app.run(['audit', '--env', 'production']);
    expect(good).toMatchObject({exitCode: 0, stdout: expect.stringContaining('Everything is as the record says.')});
    expect(await app.files()).toEqual(released);
    await expectLiesFound(app);
    await expectNothingLeft(app);
  });

  test('again and again: a version, the same once more, the one after it, and back to the image of then', async () => {
    // Written by somebody with other habits, and reached by a link.
    const app = await project({python: oddPython});
    const file = 'dmsa/version.py';
    await rename(app.path('dmsa/__init__.py'), app.path(file));
    await symlink('version.py', app.path('dmsa/__init__.py'));
    await app.git('add', '--all');
    await app.git('commit', '--quiet', '--message', 'A link');
    const before = await app.world();
    const bytes = await readFile(app.path(file));

    expect(await app.run([...release, '--allow', 'outage'])).toMatchObject({exitCode: 0});
    await expectReleased(app, {version: '0.7.2', before, versionFile: file});
    // One integer of the file, and nothing else.
    const bumped = await readFile(app.path(file));
    const at = bytes.indexOf('1,  # bumped by hand');
    expect(bumped.subarray(0, at)).toEqual(bytes.subarray(0, at));
    expect(bumped.subarray(at + 1)).toEqual(bytes.subarray(at + 1));
    expect(bumped.toString('utf8', at, at + 1)).toBe('2');

    const released = await app.world();
    const same = await app.run(['--yes', '--env', 'production', '--release', '0.7.2', '--allow', 'outage']);
    expect(same).toMatchObject({exitCode: 0, stdout: expect.stringContaining('nothing to do')});
    expect(await app.world()).toEqual(released);
    const nothing = await app.record();
    expect(eventsOf(nothing, 'intent')).toEqual([]);
    expect(eventsOf(nothing, 'question.asked')).toEqual([]);
    expect(nothing.events.at(-1)).toMatchObject({outcome: 'nothing to do', exitCode: 0, touched: false});
    // It is the release that was carried out that is audited, and the one after it says the same.
    expect((await app.run(['audit', '0.7.2', '--env', 'production'])).exitCode).toBe(0);

    // Counted from what is deployed.
    const next = await app.run([...release, '--allow', 'outage:service', '--reason', 'the security fix']);
    expect(next).toMatchObject({exitCode: 0});
    const record = await expectReleased(app, {version: '0.7.3', before: released, versionFile: file});
    expect(eventsOf(record, 'run.started')).toMatchObject([{reason: 'the security fix', allow: ['outage:service']}]);
    expect(await runs(app.records)).toHaveLength(3);

    const back = await app.run([
      '--yes',
      '--env',
      'production',
      '--release',
      '0.7.2',
      '--allow',
      'outage',
      '--allow',
      'downgrade',
    ]);
    expect(back).toMatchObject({exitCode: 0});
    expect(await app.digest('0.7.2')).toBe(released.registry['0.7.2']);
    expect(await app.answer()).toBe('0.7.2');
    expect(eventsOf(await app.record(), 'intent').map(({step}) => step)).not.toContain('build');
  });
});

requires(
  'docker',
  'registry',
  'registryWithAuth',
  'terraform',
  'busybox',
)('The cookbook with `docker login`', () => {
  test('takes the credentials that docker has, and tells them to nobody', async () => {
    const app = await project({withPassword: true});
    const before = await app.world();
    const {exitCode, stdout, stderr} = await app.run([...release, '--allow', 'outage']);
    expect(exitCode).toBe(0);
    const record = await expectReleased(app, {version: '0.7.2', before});
    const {user, password} = part('registryWithAuth');
    for (const text of [stdout, stderr, JSON.stringify(record.events)]) {
      expect(text).not.toContain(password);
      expect(text).not.toContain(btoa(`${user}:${password}`));
    }
    expect((await app.run(['audit', '--env', 'production'])).exitCode).toBe(0);
  });

  test('that has expired is renewed from the named variables where nobody is there to ask; docker’s own stays as it is', async () => {
    const app = await project({withPassword: true});
    const dockerConfig = join(app.root, 'home', '.docker', 'config.json');
    const {address, user, password} = part('registryWithAuth');
    const expired = JSON.stringify({auths: {[address]: {auth: btoa(`${user}:of-yesterday`)}}});
    await writeFile(dockerConfig, expired);
    const login = 'login: { username: REGISTRY_USER, password: REGISTRY_PASSWORD }';
    const file = 'deploy-wizard.config.yaml';
    await app.write(file, (await app.read(file)).replace('context: .,', `context: ., ${login},`));
    await app.git('commit', '--quiet', '--all', '--message', 'Name the variables');

    // Nobody allows the outage: the image is pushed, and that is all.
    const refused = await app.run(release, {env: {REGISTRY_USER: user, REGISTRY_PASSWORD: password}});
    expect(refused).toMatchObject({exitCode: 3, stderr: expect.stringContaining('--allow outage:service')});
    expect(await app.digest('0.7.2')).toMatch(/^sha256:/);
    expect(await readFile(dockerConfig, 'utf8')).toBe(expired);
    const files = await Promise.all(
      [...(await app.files()).keys()].filter(name => name.startsWith('state/')).map(readIfFile(app.root)),
    );
    expect([refused.stdout, refused.stderr, ...files].join('\n')).not.toContain(password);
    await expectNothingLeft(app);
  });
});
