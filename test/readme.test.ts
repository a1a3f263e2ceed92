/** What the README says is true: its config files are read, its exit codes and options are the program's. */
import {existsSync} from 'node:fs';
import {mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {parse} from 'yaml';
import * as z from 'zod';
import {loadConfig} from '../src/config/load.ts';
import {exitCodes} from '../src/release/errors.ts';
import {runProgram} from './support/program.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
const packageJson: {devDependencies: Record<string, string>} = JSON.parse(
  await readFile(new URL('../package.json', import.meta.url), 'utf8'),
);

/** A workflow of GitHub Actions, as far as it matters here. */
const workflowForm = z.object({
  permissions: z.record(z.string(), z.string()),
  concurrency: z.object({group: z.string(), 'cancel-in-progress': z.boolean()}),
  jobs: z.record(
    z.string(),
    z.object({
      environment: z.string().optional(),
      needs: z.string().optional(),
      steps: z.array(z.object({uses: z.string().optional(), run: z.string().optional()})),
    }),
  ),
});

describe('the README', () => {
  test('has the config files of both applications', () => {
    expect(blocks.map(text => /^application: (.*)$/m.exec(text)?.[1]).filter(Boolean)).toEqual([
      'pass',
      'data-models-sqlalchemy',
    ]);
  });

  test.each(blocks.filter(text => text.startsWith('application:')))(
    'a config file of it is read as it stands (%#)',
    async text => {
      const folder = await mkdtemp(join(tmpdir(), 'dw-readme-'));
      onTestFinished(() => rm(folder, {recursive: true, force: true}));
      const file = join(folder, 'deploy-wizard.config.yaml');
      await writeFile(file, text);
      const {config} = await loadConfig(file, {});
      expect(Object.keys(config.components).length).toBeGreaterThan(0);
    },
  );

  test('has all that a newcomer looks for, and every picture, link and folder of it is there', async () => {
    // Three lines say what it is; then comes a picture.
    expect(readme).toMatch(/^# deploy-wizard\n\n(?:[^\n]+\n){3}\n!\[[^\]]+\]\(docs\/screens\/[\w-]+\.png\)\n/);
    const titles = [...readme.matchAll(/^#{2,3} (.+)$/gm)].map(([, title]) => title);
    expect(titles).toEqual(
      expect.arrayContaining([
        'Try it',
        'Without a checkout',
        'Five minutes with the demo',
        'In your own repository',
        'Exit codes',
        'The config file',
        'In CI',
        'What is stored, and what never is',
        'For contributors',
      ]),
    );
    const linked = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = '']) => link);
    const [layout = ''] = /\nbench\/ .*?```/s.exec(readme) ?? [];
    const listed = [...layout.matchAll(/^( *)([\w.-]+\/?(?:[\w.-]+)?) {2,}/gm)].map(([, indent, name]) =>
      indent === '' ? name : `src/${name}`,
    );
    expect(listed).toEqual(expect.arrayContaining(['bin/deploy-wizard.js', 'src/cli.ts', 'src/emulator/']));
    const missing = [...linked, ...listed].map(async file => (existsSync(new URL(`../${file}`, import.meta.url)) ? [] : [file]));
    expect((await Promise.all(missing)).flat()).toEqual([]);
  });

  test('has a workflow for CI: OIDC, the approval of an environment, one release at a time; nobody’s input is run as a command', () => {
    const text = blocks.find(block => block.startsWith('name: ')) ?? '';
    const workflow = workflowForm.parse(parse(text));
    const {plan, release} = workflow.jobs;
    expect(workflow.permissions).toEqual({contents: 'read', 'id-token': 'write'});
    expect(workflow.concurrency).toEqual({group: 'pass-${{ inputs.environment }}', 'cancel-in-progress': false});
    expect(release).toMatchObject({environment: '${{ inputs.environment }}', needs: 'plan'});
    expect(plan?.environment).toBeUndefined();
    const commands = Object.values(workflow.jobs).flatMap(({steps}) => steps.flatMap(({run}) => run ?? []));
    expect(commands.filter(command => command.includes('${{'))).toEqual([]);
    // A shell in between would keep a cancel to itself.
    const ours = commands.filter(command => command.includes('deploy-wizard'));
    expect(ours.map(command => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'exec node_modules/.bin/deploy-wizard plan',
      'exec node_modules/.bin/deploy-wizard --yes',
    ]);
    expect(release?.steps.map(({uses}) => uses?.split('@')[0])).toContain('aws-actions/configure-aws-credentials');
    expect(text).not.toMatch(/AWS_SECRET|secrets\./);
  });

  test('names only commands and options that there are', {timeout: 60_000}, async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'dw-readme-'));
    onTestFinished(() => rm(cwd, {recursive: true, force: true}));
    const complete = async (...words: readonly string[]) => {
      const {stdout} = await runProgram(['complete', '--', ...words], {cwd, env: {PATH: process.env['PATH'] ?? '', HOME: cwd}});
      return stdout.split('\n').map(line => line.split('\t')[0]);
    };
    const commands = await complete('');
    const code = [...readme.matchAll(/```\w+\n(.*?)```|`([^`\n]+)`/gs)]
      .map(([, block, inline]) => block ?? inline ?? '')
      .join('\n');
    const lines = [...code.matchAll(/(?:^|[\s(/])deploy-wizard((?: [^\s#|;)]+)+)/gm)].map(([, rest = '']) =>
      rest.trim().split(' '),
    );
    expect(lines.length).toBeGreaterThan(20);
    const used = new Map<string, Set<string>>();
    for (const words of lines) {
      const command = words[0]?.startsWith('-') === false ? words[0] : '';
      const options = words.flatMap(word => /^--[a-z-]+/.exec(word)?.[0] ?? []);
      used.set(command, new Set([...(used.get(command) ?? []), ...options]));
    }
    expect([...used.keys()].filter(command => command !== '' && !commands.includes(command))).toEqual([]);
    const withOptions = [...used].filter(([, options]) => options.size > 0);
    const unknown = withOptions.map(async ([command, options]) => {
      const known = await complete(...(command === '' ? [] : [command]), '--');
      return [...options].filter(option => !known.includes(option)).map(option => `${command} ${option}`);
    });
    expect((await Promise.all(unknown)).flat()).toEqual([]);
  });

  test('names every exit code', () => {
    const [table = ''] = /\| code \| means \|\n.*?\n\n/s.exec(readme) ?? [];
    const named = [...table.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = '']) => codes.split(', ').map(Number));
    expect(named.toSorted((a, b) => a - b)).toEqual([...new Set<number>(Object.values(exitCodes))].toSorted((a, b) => a - b));
  });

  test('says of every runtime dependency why it is there: all are in the bundle, none is installed', async () => {
    const [table = ''] = /\| runtime dependency \| why \|.*?\n\n/s.exec(readme) ?? [];
    const sources = new URL('../src/', import.meta.url);
    const files = (await readdir(sources, {recursive: true})).filter(file => /\.tsx?$/.test(file));
    const text = (await Promise.all(files.map(file => readFile(new URL(file, sources), 'utf8')))).join('\n');
    const used = Object.keys(packageJson.devDependencies).filter(name =>
      [`from '${name}'`, `import('${name}')`].some(spelled => text.includes(spelled)),
    );
    expect(used).toContain('zod');
    const unnamed = used.filter(name => {
      const short = name.replace('@aws-sdk/client', '');
      return !(name.startsWith('@aws-sdk/') ? table.includes(short) : new RegExp(`[| ,]${name}[ ,|]`).test(table));
    });
    expect(unnamed).toEqual([]);
  });
});
