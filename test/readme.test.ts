/** What the README says is true: its config files are read, its exit codes and options are the program's. */
import {mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {loadConfig} from '../src/config/load.ts';
import {exitCodes} from '../src/release/errors.ts';

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
const packageJson: {devDependencies: Record<string, string>} = JSON.parse(
  await readFile(new URL('../package.json', import.meta.url), 'utf8'),
);

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
