/** The built program from the outside, as far as it goes without a release: `npm run build` comes first. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {execa} from 'execa';
import {describe, expect, onTestFinished, test} from 'vitest';
import {parse} from 'yaml';
import {z} from 'zod';
import packageJson from '../../package.json' with {type: 'json'};
import {examples} from '../../src/commands/examples.ts';
import {eventJsonSchema} from '../../src/release/event-schema.ts';
import {cookbookYaml, passYaml} from '../config/samples.ts';
import {type Ended, runProgram} from '../support/program.ts';

const launcher = process.env['DW_LAUNCHER'] ?? fileURLToPath(new URL('../../bin/deploy-wizard.js', import.meta.url));

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'dw-cli-'));
  onTestFinished(() => rm(made, {recursive: true, force: true}));
  return made;
}

/** In a folder with nothing in it. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const cwd = await folder();
  return runProgram(args, {cwd, env: {PATH: process.env['PATH'] ?? '', HOME: cwd, ...env}});
}

describe('the command line', {timeout: 30_000}, () => {
  test('says its version', async () => {
    expect(await run(['--version'])).toEqual({exitCode: 0, stdout: `${packageJson.version}\n`, stderr: ''});
  });

  test.each([[['--help']], [['-h']], [['help']]])('%j names every command and every option of a release', async args => {
    const {exitCode, stdout, stderr} = await run(args);
    expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''});
    for (const word of [
      'plan',
      'resume',
      'audit',
      'schema',
      'demo',
      'init',
      'doctor',
      'completion',
      '--env',
      '--release',
      '--bump',
      '--component',
      '--yes',
      '--allow',
      '--dry-run',
      '--output',
      '--no-tui',
      '--max-parallel',
      '--config',
      '--reason',
    ])
      expect(stdout).toContain(word);
    expect(stdout).toMatch(/^Usage: deploy-wizard \[options\] \[command\]\n/);
    expect(stdout).not.toMatch(/default:\s+(?:false|\[\])/);
  });

  test('`help` says the same of a command', async () => {
    const [asked, told] = await Promise.all([run(['help', 'audit']), run(['audit', '--help'])]);
    expect(asked).toEqual(told);
  });

  test.each([
    [
      'plan',
      'deploy-wizard plan --env production --release 1.14.0',
      ['--env', '--release', '--detailed-exitcode', '--timeout', 'repositories; needs --reason'],
    ],
    ['resume', 'deploy-wizard resume --env production', ['--env', '--config', '--yes', '--allow', '[run]']],
    ['rollback', 'deploy-wizard rollback --env production --dry-run'],
    ['audit', 'deploy-wizard audit 1.14.0', ['--env', '--config', '[version]']],
    ['tick', 'deploy-wizard tick acceptance'],
    ['status', 'deploy-wizard status --env production --live'],
    ['log', 'deploy-wizard log --env'],
    ['adopt', 'deploy-wizard adopt --env'],
    ['lock', 'deploy-wizard lock acquire'],
    ['store', 'deploy-wizard store migrate'],
    ['doctor', 'deploy-wizard doctor --env production --iam'],
    ['init', 'deploy-wizard init --preset cookbook'],
    ['completion', 'source <(deploy-wizard completion bash)'],
    ['schema', 'deploy-wizard schema >'],
    ['demo', 'deploy-wizard demo --yes', ['--yes', '--speed', '--scenario', 'cannot-pull']],
  ] as const)('help of %s names what it takes, and has examples', async (command, line, words: readonly string[] = []) => {
    const {exitCode, stdout} = await run([command, '--help']);
    expect(exitCode).toBe(0);
    for (const word of words) expect(stdout).toContain(word);
    expect(stdout).toMatch(/\nExamples:\n {2}\S/);
    expect(stdout).toContain(line);
  });

  test('every command has them', async () => {
    const {stdout} = await run(['--help']);
    const commands = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}(?<name>[a-z]+)\b/gm)].map(
      ({groups}) => groups?.['name'],
    );
    expect(
      commands.filter(name => name !== 'help' && name !== 'deploy').every(name => name !== undefined && name in examples),
    ).toBe(true);
  });

  test.each([
    [['--env', 'prodution'], 'DW205', 'production'],
    [['--env', 'production', '--component', 'deposit-servces'], 'DW206', 'deposit-services'],
    [['--env', 'production', '--allow', 'downgrade:deposit-servces'], 'DW206', 'deposit-services'],
  ])('%j: what was meant', async (args, code, meant) => {
    const config = path.join(await folder(), 'c.yaml');
    await writeFile(config, passYaml);
    const {exitCode, stderr} = await run(['--yes', '--release', '1.14.0', '--config', config, ...args]);
    expect(exitCode).toBe(2);
    expect(stderr.split('\n')[0]).toMatch(new RegExp(` \\[${code}\\]$`));
    expect(stderr).toContain(`\n  Did you mean ${meant}?\n`);
  });

  test('what stands in the way of another thing keeps its code', async () => {
    const config = path.join(await folder(), 'c.yaml');
    await writeFile(config, passYaml);
    const adopt = ['adopt', '--env', 'staging', '--release', '1.14.0', '--yes', '--reason', 'as it is', '--config', config];
    const {exitCode, stderr} = await run(adopt, {AWS_EC2_METADATA_DISABLED: 'true'});
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^\S+ cannot be looked at: there are no AWS credentials .* \[DW110\]\nNothing was recorded\.\n/);
  });

  test.each([['log'], ['audit'], ['rollback']])('%s without an environment: exit 2, and which there are', async command => {
    const config = path.join(await folder(), 'c.yaml');
    await writeFile(config, passYaml);
    const {exitCode, stderr} = await run([command, '--config', config]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^--env is missing: which environment\? \[DW207\]\n.*\n {2}There are: staging, production\n$/);
  });

  test.each([
    [['--yess'], "error: unknown option '--yess'\n(Did you mean --yes?)\n"],
    [['audit', '--envv', 'x'], "error: unknown option '--envv'\n(Did you mean --env?)\n"],
    [['audit', '--release', '1.0.0'], "error: audit has no option '--release'\n"],
    [['resume', '--component', 'x'], "error: resume has no option '--component'\n"],
    [['plan', '--wait-lock', '5m'], "error: plan has no option '--wait-lock'\n"],
    [['--dry-run', '--wait-lock', '5m'], "error: option '--wait-lock <duration>' cannot be used with option '--dry-run'\n"],
    [['audti'], "error: unknown command 'audti'\n(Did you mean audit?)\n"],
    [['frobnicate'], "error: unknown command 'frobnicate'\n(`deploy-wizard --help` lists them; a release takes no command)\n"],
    [['help', 'plam'], "error: unknown command 'plam'\n(Did you mean plan?)\n"],
    [['plan', 'staging'], "error: too many arguments for 'plan'. Expected 0 arguments but got 1: staging.\n"],
    [['--env'], "error: option '-e, --env <name>' argument missing\n"],
    [
      ['--output', 'xml'],
      "error: option '--output <view>' argument 'xml' is invalid. Allowed choices are auto, tui, lines, json.\n",
    ],
    [['--max-parallel', '0'], "error: option '--max-parallel <n>' argument '0' is invalid. a whole number from 1 to 1000.\n"],
    [['--max-parallel', '1e9'], "error: option '--max-parallel <n>' argument '1e9' is invalid. a whole number from 1 to 1000.\n"],
    [['demo', '--speed', 'fast'], "error: option '--speed <factor>' argument 'fast' is invalid. a number above 0, up to 1000.\n"],
  ] as const)('%j: exit 2, and what was meant', async (args, said) => {
    const stderr = said.replace('\n', ' [DW217]\n');
    expect(await run(args)).toEqual({exitCode: 2, stdout: '', stderr});
  });

  test.each([[['--yes', '--env', 'x', '--release', '1.0.0']], [['plan']], [['audit', '--env', 'x']], [['resume']]])(
    '%j without a config file: exit 2, and what to do',
    async args => {
      const {exitCode, stdout, stderr} = await run(args);
      expect({exitCode, stdout}).toEqual({exitCode: 2, stdout: ''});
      expect(stderr).toMatch(
        /^there is no deploy-wizard\.config\.yaml in .* or above \[DW201\]\nNothing was started\.\n {2}Write one with `deploy-wizard init`/,
      );
    },
  );

  test('an error of plan --detailed-exitcode does not look like a change', async () => {
    expect((await run(['plan', '--detailed-exitcode'])).exitCode).toBe(1);
  });

  test('what somebody else wrote does not get to the terminal as it is', async () => {
    const config = path.join(await folder(), 'c.yaml');
    await writeFile(config, 'application: "\\u202egnp\\u001b[2J"\nenviron\u009bments: {}\n');
    for (const args of [
      ['--config', config],
      ['--config', 'a\u001b[2Jb'],
      ['--config', config, '--release', 'x\u202ey'],
    ]) {
      const {exitCode, stderr} = await run(['--yes', ...args]);
      expect(exitCode).toBe(2);
      expect(stderr).not.toMatch(/[[\p{Cc}\u202a-\u202e]--\n]/v);
    }
  });

  test('nobody reads what it says: that is no reason to fall over', async () => {
    const cwd = await folder();
    const {stdout} = await execa(
      'sh',
      [
        '-c',
        '"$0" "$1" schema 2>"$2" | true; "$0" "$1" --help | true; cat "$2"',
        process.execPath,
        launcher,
        path.join(cwd, 'err'),
      ],
      {cwd},
    );
    expect(stdout).toBe('');
  });
});

describe('schema', {timeout: 30_000}, () => {
  test('prints that of events, too', async () => {
    const {exitCode, stdout} = await run(['schema', '--events']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(eventJsonSchema())));
  });

  test('prints a JSON Schema that is right about config files', async () => {
    const {exitCode, stdout, stderr} = await run(['schema']);
    expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''});
    const schema = z.fromJSONSchema(JSON.parse(stdout));
    for (const text of [passYaml, cookbookYaml]) expect(schema.safeParse(parse(text)).success).toBe(true);
    for (const wrong of [
      'application: a',
      passYaml.replace('kind: sns-trigger', 'kind: sms'),
      passYaml.replace('topic:', 'topik:'),
      cookbookYaml.replace('commit: true', 'comit: true'),
    ])
      expect(schema.safeParse(parse(wrong)).success).toBe(false);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: expect.arrayContaining(['application', 'environments', 'components']),
    });
  });
});

describe('an old Node', {timeout: 30_000}, () => {
  const line = (version: string) =>
    `deploy-wizard needs Node 22.22.2 or newer; this is ${version}. Install a newer one: https://nodejs.org\n`;

  /** Node that says it is another version. */
  async function startedBy(version: string): Promise<Ended> {
    const preload = path.join(await folder(), 'version.cjs');
    await writeFile(
      preload,
      `Object.defineProperty(process, 'versions', {value: {...process.versions, node: ${JSON.stringify(version)}}});\n`,
    );
    return run(['--version'], {NODE_OPTIONS: `--require=${preload}`});
  }

  test.each(['21.99.99', '22.22.1', '22.21.9', '0.10.48'])('%s: one clear line, and no success', async version => {
    expect(await startedBy(version)).toEqual({exitCode: 2, stdout: '', stderr: line(version)});
  });

  test.each(['22.22.2', '22.23.0', '100.0.0'])('%s is new enough', async version => {
    expect(await startedBy(version)).toMatchObject({exitCode: 0, stdout: `${packageJson.version}\n`});
  });

  test('the one that it asks for is the one that the package asks for', () => {
    expect(line('')).toContain(packageJson.engines.node.replace('>=', 'Node '));
  });

  test('of this machine, where it has one', async context => {
    const versions = await Promise.all(
      ['/usr/bin/node', '/usr/local/bin/node'].map(async node => {
        const asked = await execa(node, ['--version']).catch(() => undefined);
        return {node, version: asked?.stdout.slice(1) ?? ''};
      }),
    );
    const old = versions.find(({version}) => /^(?:1\d|20|21)\./.test(version));
    if (old === undefined) return context.skip('there is no Node older than 22 on this machine');
    const {exitCode, stdout, stderr} = await execa(old.node, [launcher, '--version'], {
      reject: false,
      stripFinalNewline: false,
      extendEnv: false,
    });
    expect({exitCode, stdout, stderr}).toEqual({exitCode: 2, stdout: '', stderr: line(old.version)});
  });
});
