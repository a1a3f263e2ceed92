/**
 * `npm run bench [-- name…]`: measures, prints a table, and writes it as JSON beside (`bench/results/<name>.json`). Figures, not tests:
 * nothing fails because a machine is slow. A new table is one more entry.
 */
import {mkdir, writeFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import type {Bench, Figure} from './figures.ts';
import {figuresTable, ratioOf} from './figures.ts';

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  aws: async () => (await import('./aws.ts')).aws,
  cookbook: async () => (await import('./cookbook.ts')).cookbook,
  start: async () => (await import('./start.ts')).start,
  tui: async () => (await import('./tui.ts')).tui,
};

// `--long` and the like are for the benches themselves.
const asked = process.argv.slice(2).filter(name => !name.startsWith('--'));
const unknown = asked.find(name => !Object.hasOwn(benches, name));
if (unknown !== undefined) throw new RangeError(`there is no bench ${unknown}: ${Object.keys(benches).join(', ')}`);

const folder = fileURLToPath(new URL('results', import.meta.url));
for (const [name, load] of Object.entries(benches)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const {title, measure, beside = []} = await load();
  process.stdout.write(`${name}: ${title}\n\n`);
  const figures = await measure();
  process.stdout.write(`${figuresTable(figures)}\n${beside.map(line => `${line}\n`).join('')}\n`);
  await mkdir(folder, {recursive: true});
  const machine = {node: process.version, platform: process.platform, arch: process.arch};
  await writeFile(
    `${folder}/${name}.json`,
    `${JSON.stringify({name, title, at: new Date().toISOString(), machine, figures: figures.map(withRatio)}, null, 2)}\n`,
  );
}

function withRatio(figure: Figure): Figure & {readonly ratio?: number} {
  return figure.plain === undefined ? figure : {...figure, ratio: ratioOf(figure.values, figure.plain)};
}
