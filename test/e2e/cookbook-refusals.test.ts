import {mkdir, readdir, symlink} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {afterAll, beforeAll, expect, onTestFinished, test} from 'vitest';
import {type Cookbook, cookbook, expectNothingLeft} from '../support/cookbook.ts';
import type {ProgramEnv} from '../support/program.ts';
import {part, requires} from '../support/requires.ts';

/** What is wrong, and what the program has to say to it. */
interface Mistake {
  readonly name: string;
  readonly spoil?: (app: Cookbook) => Promise<unknown>;
  /** Added to `--yes`. A release of 0.7.2 to production, with the outage allowed, unless told. */
  readonly args?: readonly string[];
  readonly env?: (app: Cookbook) => Promise<ProgramEnv>;
  /** In what it prints, to either stream. */
  readonly says: readonly (string | RegExp)[];
}

/** Where nothing is begun. */
interface BadInput extends Mistake {
  readonly exitCode: number;
  /** `plan` goes the same way to the same words: tried once for each way. */
  readonly planToo?: true;
}

const patch = ['--env', 'production', '--release', '0.7.2', '--allow', 'outage'];
const configFile = 'deploy-wizard.config.yaml';

/** Replaces text in a file and commits it: wrong, and not merely unfinished. */
function committed(file: string, from: string | RegExp, to: string) {
  return async (app: Cookbook) => {
    const text = await app.read(file);
    const spoilt = text.replace(from, to);
    if (spoilt === text) throw new Error(`${file} does not hold ${String(from)}.`);
    await app.write(file, spoilt);
    await app.git('commit', '--quiet', '--all', '--message', 'Spoil it');
  };
}

/** A PATH with all that is needed but one program. */
function without(missing: string) {
  return async (app: Cookbook): Promise<ProgramEnv> => {
    const folder = join(app.root, 'world', 'bin');
    await mkdir(folder);
    for (const source of (app.env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
      for (const name of await readdir(source).catch(() => [])) {
        if (['docker', 'terraform', 'git', 'sh'].includes(name) && name !== missing)
          await symlink(join(source, name), join(folder, name)).catch(() => undefined);
      }
    }
    return {PATH: folder};
  };
}

const usage: readonly BadInput[] = [
  {
    name: 'a config file with a misspelt key',
    planToo: true,
    spoil: committed(configFile, 'components:', 'componets:'),
    exitCode: 2,
    says: [/deploy-wizard\.config\.yaml:5:1: unknown key "componets"; did you mean "components"\?/, 'Nothing was started.'],
  },
  {
    name: 'a config file with a misspelt key deep inside',
    spoil: committed(configFile, 'tfvars: terraform.tfvars', 'tfvar: terraform.tfvars'),
    exitCode: 2,
    says: [/deploy-wizard\.config\.yaml:10:5: unknown key "tfvar" in components\.service; did you mean "tfvars"\?/],
  },
  {
    name: 'a config file that is no YAML',
    spoil: committed(configFile, 'kind: terraform', 'kind: [terraform'),
    exitCode: 2,
    says: [/deploy-wizard\.config\.yaml:\d+:\d+: /],
  },
  {
    name: 'a reference in the config file that means nothing',
    spoil: committed(configFile, 'expect: "${version}"', 'expect: "${versoin}"'),
    exitCode: 2,
    says: [/deploy-wizard\.config\.yaml:15:56: .*\$\{versoin\}: not a reference/],
  },
  {
    name: 'an unknown environment',
    planToo: true,
    args: ['--env', 'prod', '--release', '0.7.2'],
    exitCode: 2,
    says: ['"prod"', 'production, staging'],
  },
  ...['constructor', '__proto__', 'toString'].map(name => ({
    name: `the environment ${name}, which is none`,
    args: ['--env', name, '--release', '0.7.2'],
    exitCode: 2,
    says: [`there is no environment "${name}"`],
  })),
  {name: 'an unknown component', args: [...patch, '--component', 'server'], exitCode: 2, says: ['server', 'There are: service']},
  ...['1.0', 'latest', 'v1.2.3', '1.2.3+build', ''].map(version => ({
    name: `the version ${JSON.stringify(version)}`,
    ...(version === '1.0' && {planToo: true as const}),
    args: ['--env', 'production', '--release', version],
    exitCode: 2,
    says: ['--release: ', ...(version === '' ? ['missing'] : [JSON.stringify(version)]), 'Give a version such as 1.14.0'],
  })),
  {
    name: 'no environment',
    planToo: true,
    args: ['--release', '0.7.2'],
    exitCode: 3,
    says: ['--env <name>', 'Nothing was started.'],
  },
  {name: 'no version', args: ['--env', 'production'], exitCode: 3, says: ['--release <version> or --bump <part>']},
  {name: 'two versions', planToo: true, args: [...patch, '--bump', 'patch'], exitCode: 2, says: ['--release and --bump']},
  {
    name: 'a risk that does not exist',
    args: [...patch, '--allow', 'everything'],
    exitCode: 2,
    says: ['--allow everything', 'outage'],
  },
  {
    name: 'an option that does not exist',
    planToo: true,
    args: [...patch, '--force'],
    exitCode: 2,
    says: ["unknown option '--force'"],
  },
  {name: 'a word too many', args: [...patch, 'now'], exitCode: 2, says: ['now']},
];

/** Each group in one run: all of them are named, and not the first alone. They spoil it in this order. */
const state: readonly (readonly Mistake[])[] = [
  [
    {
      name: 'a lower version, without --allow downgrade',
      spoil: async app => {
        await app.docker('tag', `${app.image}:0.7.1`, `${app.image}:0.7.0`);
        await app.docker('push', '--quiet', `${app.image}:0.7.0`);
      },
      args: ['--env', 'production', '--release', '0.7.0', '--allow', 'outage'],
      says: ['0.7.1, which is newer than 0.7.0', '--allow downgrade:service'],
    },
  ],
  [
    {
      name: 'a lower version of which there is no image: today’s source is not what it was',
      args: ['--env', 'production', '--release', '0.6.9', '--allow', 'outage', '--allow', 'downgrade'],
      says: ['0.6.9 is older than what is deployed, and there is no image of it', 'check out the source of 0.6.9 on a branch'],
    },
  ],
  [
    {
      name: 'a workspace that does not exist',
      spoil: committed(configFile, 'workspace: default', 'workspace: produciton'),
      says: ['there is no workspace produciton', 'there are: default', 'terraform workspace new'],
    },
    {
      name: 'a version file with changes that nobody has committed',
      spoil: async app => app.write('dmsa/__init__.py', `${await app.read('dmsa/__init__.py')}# mine\n`),
      says: ['dmsa/__init__.py has changes that are not committed', 'git diff dmsa/__init__.py'],
    },
  ],
  [
    {
      name: 'a variable that an auto.tfvars file sets too',
      spoil: async app => {
        await app.write('ci/zz.auto.tfvars', 'image_tag = "0.6.0"\n');
        await app.git('add', 'ci/zz.auto.tfvars');
        await app.git('commit', '--quiet', '--message', 'Pin it');
      },
      says: ['zz.auto.tfvars sets image_tag too', 'Take image_tag out of zz.auto.tfvars'],
    },
    {
      name: 'a tfvars file with changes that are only staged',
      spoil: async app => {
        await app.write('ci/terraform.tfvars', `${await app.read('ci/terraform.tfvars')}# mine\n`);
        await app.git('add', 'ci/terraform.tfvars');
      },
      says: ['ci/terraform.tfvars has changes that are not committed', 'git diff'],
    },
  ],
  [
    {
      name: 'a tfvars file that cannot be read',
      spoil: committed('ci/terraform.tfvars', '"us-east-1"', "'us-east-1'"),
      says: [/ci\/terraform\.tfvars:5:\d+: single quotes are not valid/],
    },
    {
      name: 'no registry',
      spoil: committed(configFile, /image: "[^/]+\//, 'image: "127.0.0.1:1/'),
      says: ['127.0.0.1:1'],
    },
    {
      name: 'other work that nobody has committed',
      spoil: app => app.write('dmsa/new.txt', 'mine'),
      says: ['a file is not committed (dmsa/new.txt)', 'source.git.allowDirty: true'],
    },
  ],
  [
    {
      name: 'a remote that has more than this repository',
      spoil: async app => {
        await app.git('init', '--quiet', '--bare', join(app.root, 'remote.git'));
        await app.git('remote', 'add', 'origin', join(app.root, 'remote.git'));
        await committed(configFile, 'expect: "${version}"', 'expect: "${version}" ')(app);
        await app.git('push', '--quiet', 'origin', 'main');
        await app.git('reset', '--quiet', '--hard', 'HEAD^');
        await committed(configFile, 'git: { commit: true }', 'git: { commit: true, push: true }')(app);
      },
      says: ['git push', 'git pull'],
    },
    {
      name: 'a tfvars file that sets a variable which the module does not declare',
      spoil: committed('ci/terraform.tfvars', 'region ', 'image_tga = "0.7.1"\nregion '),
      says: ['`image_tga`', 'does not declare', 'Correct the name'],
    },
  ],
  [
    {
      name: 'a module that Terraform cannot read',
      spoil: committed('ci/main.tf', 'var.image_tag]', 'var.image_tagg]'),
      says: ['main.tf:', 'image_tagg'],
    },
    {
      name: 'no password for the registry',
      spoil: app => committed(configFile, /image: "[^/]+\//, `image: "${part('registryWithAuth').address}/`)(app),
      says: [`docker login 127.0.0.1`],
    },
    {
      name: 'a version that the version file cannot express',
      args: ['--env', 'production', '--release', '0.8.0-RC1', '--allow', 'outage'],
      says: ['cannot express 0.8.0-RC1', 'X.Y.Z-beta'],
    },
    {
      name: 'a detached HEAD',
      spoil: app => app.git('checkout', '--quiet', '--detach'),
      says: ['HEAD is detached', 'Check out a branch'],
    },
  ],
  [
    {
      name: 'a directory without a module',
      spoil: committed(configFile, 'directory: ci', 'directory: dmsa'),
      says: ['there are no *.tf files', 'components.service.directory'],
    },
    {
      name: 'a git tag that is taken, and no image belongs to it',
      spoil: async app => {
        await committed(configFile, 'git: { commit: true }', 'git: { commit: true, tag: "${version}" }')(app);
        await app.git('tag', '0.7.2');
      },
      says: ['there is no image of it'],
    },
  ],
  [
    {
      name: 'no identity to commit with',
      spoil: async app => {
        await app.git('config', '--unset', 'user.email');
        await app.git('config', 'user.useConfigOnly', 'true');
      },
      says: ['git does not know who commits', 'git config user.email'],
    },
    {name: 'no Terraform', env: without('terraform'), says: ['terraform is not installed', 'developer.hashicorp.com']},
  ],
  [
    {
      name: 'a version file that states no version',
      spoil: committed('dmsa/__init__.py', '__version_info__ = {', 'version_info = {'),
      says: [/dmsa\/__init__\.py:\d+:\d+: /, '__version_info__'],
    },
    {name: 'no docker client', env: without('docker'), says: ['docker is not installed', 'docs.docker.com']},
  ],
  [
    {
      name: 'a version file whose parts are computed',
      spoil: committed('dmsa/__init__.py', "'micro': 1", "'micro': int(os.environ['MICRO'])"),
      says: [/dmsa\/__init__\.py:6:\d+: .*micro/],
    },
    {
      name: 'no Docker engine',
      env: async app => ({DOCKER_HOST: `unix://${app.root}/nobody.sock`}),
      says: [/No Docker engine answers at unix:\/\/\S+nobody\.sock/, 'Check DOCKER_HOST'],
    },
  ],
  [
    {
      name: 'a version file that is not there',
      spoil: committed(configFile, 'dmsa/__init__.py', 'dmsa/version.py'),
      says: ['dmsa/version.py does not exist'],
    },
    {name: 'no git', env: without('git'), says: ['git is not installed', 'git-scm.com']},
  ],
];

requires(
  'docker',
  'registry',
  'registryWithAuth',
  'terraform',
  'busybox',
)('Bad input', () => {
  let original: Cookbook;
  beforeAll(async () => {
    original = await cookbook();
    return () => original.remove();
  });
  afterAll(async () => {
    // Whatever was refused: the instance that all of them share was never touched.
    expect(await original.answer()).toBe('0.7.1');
    expect(await original.starts()).toEqual(['0.7.1']);
  });

  async function copied(): Promise<Cookbook> {
    const app = await original.copy();
    onTestFinished(() => app.remove());
    return app;
  }

  test.for(state.map(mistakes => [mistakes.map(({name}) => name).join(', and '), mistakes] as const))(
    '%s: named with the next step, and nothing has changed',
    async ([, mistakes]) => {
      const app = await copied();
      for (const {spoil} of mistakes) await spoil?.(app);
      const env: Record<string, string> = {};
      for (const mistake of mistakes) Object.assign(env, await mistake.env?.(app));
      // One command line can make one of them.
      const [args = patch, ...more] = mistakes.flatMap(mistake => (mistake.args ? [mistake.args] : []));
      expect(more).toEqual([]);
      const before = await app.world();

      const {exitCode, stdout, stderr} = await app.run(['--yes', ...args], {env});
      const failures = stdout.split(/^ {2}✖ /m).slice(1);
      for (const {name, says} of mistakes) {
        const saysAll = (failure: string) =>
          says.every(words => (words instanceof RegExp ? words.test(failure) : failure.includes(words)));
        expect(failures.some(saysAll), `${name}, in\n${stdout}${stderr}`).toBe(true);
      }
      expect(exitCode).toBe(1);

      expect(await app.world()).toEqual(before);
      await expectNothingLeft(app);
    },
  );

  test.for(usage)('$name: named with the next step, and nothing has changed', async ({spoil, args, exitCode, says}) => {
    const app = spoil === undefined ? original : await copied();
    await spoil?.(app);
    const before = await app.files();

    const ended = await app.run(['--yes', ...(args ?? patch)]);
    for (const words of says) expect(`${ended.stdout}\n${ended.stderr}`).toMatch(words);
    expect(ended.exitCode).toBe(exitCode);
    expect(await app.files()).toEqual(before);
  });

  test.for(usage.filter(({planToo}) => planToo))('$name: plan says the same', async ({spoil, args, exitCode, says}) => {
    const app = spoil === undefined ? original : await copied();
    await spoil?.(app);
    const before = await app.files();

    const ended = await app.run(['plan', ...(args ?? patch)]);
    for (const words of says) expect(`${ended.stdout}\n${ended.stderr}`).toMatch(words);
    expect(ended.exitCode).toBe(exitCode);
    expect(await app.files()).toEqual(before);
  });

  test('a tag that is another image by now is not overwritten; the bump is taken back', async () => {
    const app = await cookbook();
    onTestFinished(() => app.remove());
    await app.docker('tag', `${app.image}:0.7.1`, `${app.image}:0.7.2`);
    await app.docker('push', '--quiet', `${app.image}:0.7.2`);
    await app.docker('image', 'rm', `${app.image}:0.7.2`);
    const before = await app.world();

    const refused = await app.run(['--yes', ...patch]);
    expect(refused.stderr).toContain(`${app.image}:0.7.2 is in the registry already, as another image`);
    expect(refused.stderr).toContain('--allow overwrite-tag');
    expect(refused.exitCode).toBe(3);
    expect(await app.world()).toEqual(before);
    await expectNothingLeft(app);

    const allowed = await app.run(['--yes', ...patch, '--allow', 'overwrite-tag:service']);
    expect(allowed.exitCode).toBe(0);
    expect(await app.digest('0.7.2')).not.toBe(before.registry['0.7.2']);
    expect(await app.answer()).toBe('0.7.2');
  });
});
