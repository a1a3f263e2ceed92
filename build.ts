/**
 * `npm run build [-- folder [entry…]]`: the program as it is published, in `dist/` or the folder that is named (or another program of
 * its parts, for measuring): everything that it needs, in files that are loaded when they are needed, and the licences of what is in
 * them. `meta.json` beside it says what came from where.
 */
import {mkdir, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {isBuiltin} from 'node:module';
import path from 'node:path';
import {type Metafile, type Plugin, build} from 'esbuild';

const root = import.meta.dirname;
const [folderName = path.join(root, 'dist'), ...entries] = process.argv.slice(2);
const folder = path.resolve(folderName);

/**
 * Loading some things takes longer than all that a short command does, and it never uses them. Each replaces a text of a module by
 * another that means the same; a module that has changed fails the build.
 */
const lazily: readonly {readonly file: RegExp; readonly replace: readonly (readonly [string, string])[]}[] = [
  {
    // Only for subcommands that are programs of their own: 5 ms.
    file: /node_modules\/commander\/lib\/command\.js$/,
    replace: [["import childProcess from 'node:child_process';", 'const childProcess = undefined;']],
  },
  {
    // Both load Unicode's tables: 15 ms each, for text that is nearly always plain.
    file: /node_modules\/string-width\/index\.js$/,
    replace: [
      [
        'const segmenter = new Intl.Segmenter();',
        'let made; const segmenter = {segment: text => (made ??= new Intl.Segmenter()).segment(text)};',
      ],
      [
        'const rgiEmojiRegex = /^\\p{RGI_Emoji}$/v;',
        "let emoji; const rgiEmojiRegex = {test: text => (emoji ??= new RegExp('^\\\\p{RGI_Emoji}$', 'v')).test(text)};",
      ],
      // What a screen is drawn with: each of these is one column by itself, and joins with none of the others.
      [
        '/^[\\u0020-\\u007E]*$/',
        '/^[\\u0020-\\u007E\\u00B7\\u2026\\u2190-\\u2193\\u2500-\\u25CF\\u2714\\u2716\\u2800-\\u28FF]*$/',
      ],
    ],
  },
  {
    // It is in the bundle as text, and would be fetched as an address: a whole web client, 50 ms, for what `atob` does in two.
    file: /node_modules\/yoga-layout\/dist\/binaries\/yoga-wasm-base64-esm\.js$/,
    replace: [['return w||"function"!=typeof fetch?Promise.resolve()', 'return true?Promise.resolve()']],
  },
];

const lighter: Plugin = {
  name: 'lighter',
  setup({onLoad}) {
    for (const {file, replace} of lazily) {
      onLoad({filter: file}, async ({path: at}) => {
        let contents = await readFile(at, 'utf8');
        for (const [before, after] of replace) {
          if (!contents.includes(before)) throw new Error(`${at} has no \`${before}\` any more`);
          contents = contents.replace(before, () => after);
        }
        return {contents, loader: 'js'};
      });
    }
  },
};

/** Packages that come without the text of their licence: where it is, of the same authors. */
const licensedLike: Readonly<Record<string, string>> = {
  'yoga-layout': 'react',
  '@aws-sdk/credential-provider-http': '@aws-sdk/core',
  '@aws-sdk/credential-provider-login': '@aws-sdk/core',
  '@aws-sdk/nested-clients': '@aws-sdk/core',
};

/** What CommonJS modules expect to find; all that they require is bundled or Node's own. */
const banner = 'const require=process.getBuiltinModule,__filename=import.meta.filename,__dirname=import.meta.dirname;';

/**
 * Node's own modules, asked for as objects: an `import` reads every export of a module, and thereby loads what stands behind it (of
 * `node:http` a whole web client, 30 ms; of `node:fs` the streams).
 */
function withoutFacades(code: string): string {
  const taken: string[] = [];
  const statement =
    /(?<=^|[;}\n])import(?:\s*(?<whole>[\w$]+)\s*,?)?(?:\s*\*\s*as\s+(?<all>[\w$]+)\s*)?(?:\s*\{(?<some>[^}]*)\}\s*)?from\s*"(?<name>[^"]+)";/g;
  const rest = code.replace(statement, (...match) => {
    const {whole, all, some, name}: Record<string, string | undefined> = match.at(-1);
    if (name === undefined || !isBuiltin(name)) return match[0];
    const object = `process.getBuiltinModule("${name}")`;
    for (const as of [whole, all]) if (as !== undefined) taken.push(`const ${as}=${object};`);
    if (some !== undefined) taken.push(`const{${some.replaceAll(/\s+as\s+/g, ':')}}=${object};`);
    return '';
  });
  return `${taken.join('')}${rest}`;
}

await rm(folder, {recursive: true, force: true});
const {metafile, outputFiles} = await build({
  write: false,
  absWorkingDir: root,
  entryPoints: entries.length > 0 ? entries : ['src/cli.ts', 'src/tools/terraform/supervisor.ts'],
  outbase: 'src',
  entryNames: '[name]',
  outdir: folder,
  outExtension: {'.js': '.mjs'},
  bundle: true,
  splitting: true,
  minify: true,
  metafile: true,
  platform: 'node',
  // Of a CommonJS module, a chunk that is loaded later has a default export only.
  mainFields: ['module', 'main'],
  format: 'esm',
  target: 'node22',
  define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
  external: ['react-devtools-core'],
  banner: {js: banner},
  plugins: [lighter],
  logLevel: 'warning',
});
await mkdir(folder, {recursive: true});
for (const {path: file, text} of outputFiles) await writeFile(file, withoutFacades(text));
await writeFile(path.join(folder, 'licences.txt'), await licences(metafile));
await writeFile(path.join(folder, 'meta.json'), JSON.stringify(metafile));

/** The licence of every package that is in the bundle, as its authors ask; texts that several have are there once. */
async function licences({inputs}: Metafile): Promise<string> {
  const folders = new Set(Object.keys(inputs).flatMap(input => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []));
  const packages = await Promise.all(
    [...folders].sort().map(async name => {
      const at = path.join(root, name);
      const {name: title, version, license} = JSON.parse(await readFile(path.join(at, 'package.json'), 'utf8'));
      const like = licensedLike[title];
      const from = like === undefined ? at : path.join(root, 'node_modules', like);
      const files = (await readdir(from)).filter(file => /^(?:licen[cs]e|notice)/i.test(file)).sort();
      if (files.length === 0) throw new Error(`${title} has no file with its licence (${license})`);
      const bodies = await Promise.all(files.map(file => readFile(path.join(from, file), 'utf8')));
      return {title: `${title} ${version} (${license})`, text: bodies.map(body => body.trim()).join('\n\n')};
    }),
  );
  const byText = Map.groupBy(packages, ({text}) => text);
  const parts = [...byText].map(([text, all]) => [...new Set(all.map(({title}) => title)), '', text].join('\n'));
  return `${parts.join(`\n\n${'─'.repeat(80)}\n\n`)}\n`;
}
