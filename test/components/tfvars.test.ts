import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {editTfvars, parseTfvars, TfvarsError} from '../../src/components/tfvars.ts';

const path = 'ci/terraform.tfvars';
const jsonPath = 'ci/terraform.tfvars.json';

const bumped = (text: string) => editTfvars(text, path, {image_tag: '0.8.0'});

describe('the tfvars file of a release', () => {
  const file = `# released 0.7.1
profile       = "saml"
image_tag     = "0.7.1" # was 0.7.0
instance_type = "t2.micro"
tags = {
  image_tag = "0.7.1"
  owner     = "dbhi" // image_tag = "0.7.1"
}
/*
image_tag = "0.6.0"
*/
init = <<-EOT
  image_tag = "0.7.1"
  docker run "dbhi/data-models-sqlalchemy:0.7.1"
  EOT
subnets = [
  "a", "b",
]`;

  test('says what is set, and where', () => {
    const values = parseTfvars(file, path);
    expect([...values].map(([name, {string}]) => [name, string])).toEqual([
      ['profile', 'saml'],
      ['image_tag', '0.7.1'],
      ['instance_type', 't2.micro'],
      ['tags', undefined],
      ['init', undefined],
      ['subnets', undefined],
    ]);
    for (const {start, end, raw} of values.values()) expect(file.slice(start, end)).toBe(raw);
    expect(values.get('subnets')?.raw).toBe('[\n  "a", "b",\n]');
    expect(values.get('init')?.raw).toMatch(/^<<-EOT\n[^]*\n {2}EOT$/);
  });

  test('takes a new tag in one place; the alignment and the comment stay', () => {
    expect(bumped(file)).toBe(file.replace('image_tag     = "0.7.1"', 'image_tag     = "0.8.0"'));
  });

  test('takes several values at once, and new ones at its end', () => {
    expect(editTfvars(file, path, {region: 'us-east-1', profile: 'prod', subnets: 'c', zone: ''})).toBe(
      `${file.replace('"saml"', '"prod"').replace('[\n  "a", "b",\n]', '"c"')}\nregion = "us-east-1"\nzone = ""`,
    );
  });
});

describe('an edit', () => {
  test.each([
    ['an empty file', '', 'image_tag = "0.8.0"\n'],
    ['a byte order mark', '\uFEFFimage_tag = "0.7.1"\n', '\uFEFFimage_tag = "0.8.0"\n'],
    ['a byte order mark alone', '\uFEFF', '\uFEFFimage_tag = "0.8.0"\n'],
    ['CRLF', 'a = 1\r\nimage_tag="1"\r\n', 'a = 1\r\nimage_tag="0.8.0"\r\n'],
    ['CRLF, where the attribute is missing', 'a = 1\r\n', 'a = 1\r\nimage_tag = "0.8.0"\r\n'],
    ['a comment on the last line', 'a = 1\n# end', 'a = 1\n# end\nimage_tag = "0.8.0"'],
    [
      'a comment around the value',
      '/* a */ image_tag /* b */ = /* c */ "1" /* d */ // e',
      '/* a */ image_tag /* b */ = /* c */ "0.8.0" /* d */ // e',
    ],
    ['a number, which Terraform would read as 1.1', 'image_tag = 1.10', 'image_tag = "0.8.0"'],
    ['a version without its quotes', 'image_tag = 0.7.1', 'image_tag = "0.8.0"'],
    ['a heredoc', 'image_tag = <<A\nA b\n  A  \nb = 1\n', 'image_tag = "0.8.0"  \nb = 1\n'],
    ['a template', 'image_tag = "a${"}"}%{ if {a = "}"} == {} }b%{ endif }"', 'image_tag = "0.8.0"'],
    ['an expression', 'image_tag = true ? -(1 + 2) : [1, 2][0] # c', 'image_tag = "0.8.0" # c'],
    ['the same string, spelt otherwise', 'image_tag = "\\u0030.8.0"', 'image_tag = "\\u0030.8.0"'],
  ])('keeps the rest of %s', (_what, before, after) => {
    expect(bumped(before)).toBe(after);
  });

  test.each([
    ['a heredoc', 'x = <<EOT\nimage_tag = "1"\n" ${"\\"}"} $${ %%{\nEOT\n'],
    ['a heredoc with another marker in a template', 'x = <<A\n${[\nA\n]}\nimage_tag = "1"\nA\n'],
    ['a nested map', 'x = {\n  image_tag = "1"\n  y = [<<A\n}\nA\n, "}", "\\""]\n}\n'],
    ['a block comment', '/*\nimage_tag = "1"\n*/\n'],
    ['a line comment', '// image_tag = "1"\n'],
    ['a string', 'x = "\\" image_tag = \\"1"\n'],
    ['a longer name', 'image_tag-2 = "1"\nmy_image_tag = "1"\nimage_tagé = "1"\n'],
  ])('does not mistake %s for the attribute', (_where, decoy) => {
    expect(bumped(`${decoy}image_tag = "1"\n`)).toBe(`${decoy}image_tag = "0.8.0"\n`);
    expect(bumped(decoy)).toBe(`${decoy}image_tag = "0.8.0"\n`);
  });

  test.each([
    ['plain', '"plain"'],
    ['say "hi" \\ twice', String.raw`"say \"hi\" \\ twice"`],
    ['a\nb\r\tc', String.raw`"a\nb\r\tc"`],
    ['${a} $${a} $ %{b} %%{b} % $', '"$${a} $$${a} $ %%{b} %%%{b} % $"'],
    ['\u0000 \u202e \u{e0001} \u2028', String.raw`"\u0000 \u202e \U000e0001 \u2028"`],
    ['é 😀 𝒳', '"é 😀 𝒳"'],
  ])('writes %j for HCL', (value, written) => {
    const text = editTfvars('x = 1\n', path, {x: value});
    expect(text).toBe(`x = ${written}\n`);
    expect(parseTfvars(text, path).get('x')?.string).toBe(value);
  });

  test('refuses a value that Terraform would read as another', () => {
    const problem = `${path}:1:5: the new value of x is not in Unicode normal form C`;
    expect(() => editTfvars('x = "a"', path, {x: 'e\u0301'})).toThrow(problem);
    expect(() => editTfvars('x = "a"', path, {x: '\ud83d'})).toThrow(problem);
  });

  test.each(['a b', '', '1a', 'a = 1\nb', 'é.', '"a"'])('refuses %j as a new name', name => {
    expect(() => editTfvars('x = 1\n', path, {[name]: '1'})).toThrow(
      `${path}:2:1: ${JSON.stringify(name)} is not a valid argument name`,
    );
  });

  test('of a big file takes no time and no stack', () => {
    const filler = `x = <<EOT\n${'text $${ "quoted" ${1} %\n'.repeat(50_000)}EOT\ny = "${'a\\"$'.repeat(200_000)}"\n`;
    expect(bumped(`${filler}image_tag = "1"\n`)).toBe(`${filler}image_tag = "0.8.0"\n`);
  });
});

describe('what Terraform would refuse is refused here, with its place', () => {
  test.each([
    ['x = "a"\ny = 1\nx = "b"', `3:1: Attribute redefined: x was already set at ${path}:1:1`],
    ["x = 'a'", '1:5: single quotes are not valid'],
    ['x: "a"', '1:2: expected "=" behind the argument name x'],
    ['x = "a";', '1:8: the ";" character is not valid'],
    ['"x" = "a"', '1:1: argument names must not be quoted'],
    ['x = "a" y = 1', '1:9: expected the end of the line'],
    ['x = "a" "b"', '1:9: expected the end of the line'],
    ['x = "a",', '1:8: expected the end of the line'],
    ['x = "a" /*\n*/ y = 1', '2:4: expected the end of the line'],
    ['x =\n"a"', '1:4: expected a value on the same line'],
    ['x = # c\n', '1:4: expected a value on the same line'],
    ['x\n= 1', '1:2: expected "=" behind'],
    ['x == 1', '1:3: expected "=" behind'],
    ['x = = 1', '1:5: expected the end of the line'],
    ['x {\n}', '1:3: expected "=" behind'],
    ['x.y = 1', '1:2: expected "=" behind'],
    ['= 1', '1:1: expected an argument name'],
    ['x = "a\nb"', '1:5: this string does not end on its line'],
    ['x = "a', '1:5: this string does not end on its line'],
    ['x = "\\q"', '1:6: \\q is not a valid escape sequence'],
    ['x = "a\\u12"', '1:7: \\u is not a valid escape sequence'],
    ['x = "\\ud83d\\ude00"', '1:6: \\ud83d is not a valid escape sequence'],
    ['x = "\\U00110000"', '1:6: \\U00110000 is not a valid escape sequence'],
    ['x = "a ${b"', '1:11: this string does not end on its line'],
    ['x = "a ${b', '1:8: this ${ is never closed: $${ stands for the two characters themselves'],
    ['x = [1', '1:5: this [ is never closed'],
    ['x = [1}', '1:7: this } closes nothing'],
    ['x = 1 /* y', '1:7: this comment never ends'],
    ['x = <<EOT\nEOT', '1:5: this heredoc never ends'],
    ['x = <<EOT\nEOT 1\n', '1:5: this heredoc never ends'],
    ['x = <<EOT \nEOT\n', '1:5: a heredoc starts with <<'],
    ['x = 1\ry = 2', '1:6: the character "\\r" is not expected here'],
    ['x\u00a0= 1', '1:2: the character "\u00a0" is not expected here'],
    ['x = `a`', '1:5: the character "`" is not expected here'],
  ])('%j', (text, problem) => {
    expect(() => parseTfvars(text, path)).toThrow(TfvarsError);
    expect(() => parseTfvars(text, path)).toThrow(`${path}:${problem}`);
  });
});

describe('a .tfvars.json file', () => {
  const file = '{\r\n  "//": "image_tag",\r\n  "nested": {"image_tag": "1"},\r\n  "image_tag" :"0.7.1",\r\n  "n": 1.10\r\n}';
  const edit = (text: string, set: Record<string, string>) => editTfvars(text, jsonPath, set);

  test('is edited in its own syntax, in one place', () => {
    expect(edit(file, {image_tag: '0.8.0'})).toBe(file.replace('0.7.1', '0.8.0'));
    expect(edit(file, {n: '1.10'})).toBe(file.replace('1.10', '"1.10"'));
    expect(edit('{"x": 1}', {x: '${a} "\n'})).toBe('{"x": "${a} \\"\\n"}');
  });

  test('takes new members that look like its last one', () => {
    expect(edit(file, {region: 'us-east-1', zone: 'a'})).toBe(
      file.replace('1.10\r\n', '1.10,\r\n  "region": "us-east-1",\r\n  "zone": "a"\r\n'),
    );
    expect(edit('{"x":1}', {a: 'b'})).toBe('{"x":1,"a":"b"}');
    expect(edit('{}\n', {a: 'b', c: 'd'})).toBe('{"a": "b", "c": "d"}\n');
  });

  test.each([
    ['{"x": 1, "x": 2}', `1:10: Attribute redefined: x was already set at ${jsonPath}:1:2`],
    ['\uFEFF{}', '1:1: Terraform refuses a byte order mark in JSON'],
    ['[{"x": 1}]', '1:1: expected a JSON object'],
    ['{"x": 1,}', '1:9: expected a member'],
    ['{"x": "a\tb"}', '1:7: this string does not end on its line'],
    ['x = 1', '1:1: the character "x" is not expected here'],
  ])('%j is refused', (text, problem) => {
    expect(() => parseTfvars(text, jsonPath)).toThrow(`${jsonPath}:${problem}`);
  });
});

// ── Any file, any value ─────────────────────────────────────────────────────────────────────────────

const specials = [
  '${',
  '%{',
  '$',
  '%',
  '{',
  '}',
  '~',
  '"',
  '\\',
  '\n',
  '\r\n',
  '\t',
  'EOT',
  '<<EOT\n',
  '#',
  '//',
  '/*',
  '\u0000',
  '\u007f',
  '\u0085',
  '\u200b',
  '\u2028',
  '\u202e',
  '\uFEFF',
  '\u{e0001}',
  '\u{10ffff}',
  'é',
  'u0041',
  '😀',
];
const hostile = fc
  .oneof(
    fc.string({unit: 'binary'}),
    fc.array(fc.oneof(fc.constantFrom(...specials), fc.string()), {maxLength: 12}).map(parts => parts.join('')),
  )
  .map(value => value.normalize('NFC'));

const quoted = hostile.map(value => editTfvars('x = 1', path, {x: value}).slice('x = '.length));
const otherValue = fc.constantFrom(
  '1.10',
  'true',
  '-1',
  '[1, "]", # ]\n  2]',
  '{\n  image_tag = "1"\n  "a}" : [{}]\n}',
  '"${"a"}b"',
  '<<EOT\nimage_tag = "1" ${"EOT"} $${\n\n  EOT',
  '<<-A-b\n\t"\n\tA-b',
);
const anyValue = fc.oneof(quoted, otherValue);
const name = fc.constantFrom('image_tag', 'profile', 'x-y', '_z', 'é', 'a1', 'toString', '__proto__');
const decoy = fc.constantFrom('', '\n', '# image_tag = "1"\n', '// "\n', '/* image_tag = "1"\n"*/ ', '  \t\n');
const anyFile = fc
  .record({
    mark: fc.constantFrom('', '\uFEFF'),
    lines: fc.uniqueArray(
      fc.record({name, value: anyValue, decoy, equals: fc.constantFrom('=', ' = ', '\t=  ', ' /* = */ = ')}),
      {selector: line => line.name},
    ),
    comment: fc.constantFrom('', ' # "c"', ' /* c */', '  '),
    end: decoy,
    newline: fc.constantFrom('\n', '\r\n'),
  })
  .map(({mark, lines, comment, end, newline}) => {
    const written = lines.map(
      ({name, value, decoy, equals}) => `${decoy}${name}${equals}${value}${value.startsWith('<<') ? '' : comment}\n`,
    );
    return mark + [...written, end].join('').replaceAll('\n', newline);
  });
const anySet = fc.dictionary(name, hostile, {maxKeys: 3});

describe('for any file and any values', () => {
  test('what was set reads back, everything else stays, and a second time changes nothing', () => {
    fc.assert(
      fc.property(anyFile, anySet, (text, set) => {
        const before = parseTfvars(text, path);
        const edited = editTfvars(text, path, set);
        const after = parseTfvars(edited, path);

        for (const [name, value] of Object.entries(set)) expect(after.get(name)?.string).toBe(value);
        const kept = [...before].filter(([name]) => Object.hasOwn(set, name));
        expect(
          edited.startsWith(
            replaceFromBehind(
              text,
              kept.map(([name, {start, end}]) => ({start, end, by: after.get(name)?.raw ?? ''})),
            ),
          ),
        ).toBe(true);
        expect(editTfvars(edited, path, set)).toBe(edited);
      }),
      {numRuns: 300},
    );
  });

  test('the same holds for JSON', () => {
    const jsonFile = fc
      .tuple(fc.dictionary(name, fc.jsonValue()), fc.constantFrom(0, 2, '\t'))
      .map(([value, indent]) => JSON.stringify(value, null, indent));
    fc.assert(
      fc.property(jsonFile, anySet, (text, set) => {
        const edited = editTfvars(text, jsonPath, set);
        expect(JSON.parse(edited)).toEqual({...JSON.parse(text), ...set});
        expect(editTfvars(edited, jsonPath, set)).toBe(edited);
      }),
    );
  });

  test('what stood there, of whatever type, can be put back byte for byte', () => {
    fc.assert(
      fc.property(anyFile, anySet, (text, set) => {
        const before = parseTfvars(text, path);
        const replaced = Object.fromEntries(Object.entries(set).filter(([name]) => before.has(name)));
        const then = Object.fromEntries(Object.keys(replaced).map(name => [name, {raw: before.get(name)?.raw ?? ''}]));
        expect(editTfvars(editTfvars(text, path, replaced), path, then)).toBe(text);
      }),
    );
  });

  test('no text makes it do anything but answer or throw a TfvarsError', () => {
    const pieces = fc.constantFrom(
      'x',
      '=',
      '"',
      '${',
      '}',
      '<<A\n',
      'A\n',
      '{',
      '[',
      ']',
      '#',
      '/*',
      '*/',
      '\n',
      '\r\n',
      ' ',
      '\\',
      ',',
      ':',
      '1',
      '%{',
    );
    const texts = fc.oneof(
      fc.string({unit: 'binary'}),
      fc.array(pieces, {maxLength: 30}).map(parts => parts.join('')),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(path, jsonPath), (text, path) => {
        try {
          editTfvars(text, path, {x: 'v', y: 'w'});
        } catch (error) {
          expect(error).toBeInstanceOf(TfvarsError);
        }
      }),
      {numRuns: 1000},
    );
  });
});

/** A second way to replace ranges, so that the editor is not checked with itself. */
const replaceFromBehind = (text: string, edits: readonly {start: number; end: number; by: string}[]): string =>
  edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((text, {start, end, by}) => text.slice(0, start) + by + text.slice(end), text);

// ── The real thing ──────────────────────────────────────────────────────────────────────────────────

const terraform = 'terraform';
const hasTerraform = spawnSync(terraform, ['version']).status === 0;

/** What Terraform reads from a tfvars file, for variables that it sets. `console` works without `init`; base64 keeps the answer free of escapes. */
function readWithTerraform(fileName: string, text: string, names: readonly string[]): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'tfvars-'));
  try {
    writeFileSync(join(folder, 'main.tf'), names.map(name => `variable "${name}" {}\n`).join(''));
    writeFileSync(join(folder, fileName), text);
    const input = `base64encode(jsonencode([${names.map(name => `var.${name}`).join(', ')}]))\n`;
    const {stdout, stderr} = spawnSync(terraform, ['console', '-no-color', `-var-file=${fileName}`], {
      cwd: folder,
      input,
      encoding: 'utf8',
    });
    const [, answer] = /^"([\w+/=]*)"$/m.exec(stdout) ?? [];
    if (answer === undefined) throw new Error(`terraform console: ${stdout}${stderr}`);
    return JSON.parse(Buffer.from(answer, 'base64').toString('utf8'));
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

describe.skipIf(!hasTerraform && !process.env['CI'])('the real Terraform', () => {
  const values = [
    ...specials,
    ...specials.map(special => `a${special}${special}{b`),
    ...fc.sample(hostile, {numRuns: 200, seed: 1}),
  ].map(value => value.normalize('NFC'));
  const names = values.map((_value, index) => `v${index}`);
  const set = Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));

  test.each([
    ['edited.tfvars', '\uFEFF# v0 = "1"\r\nv0 = "old" # c\r\nv1 = <<EOT\r\nv2 = 1\r\nEOT\r\n'],
    ['edited.tfvars.json', '{"v0": "old", "v1": {"v2": 1}}'],
  ])('reads hostile strings in %s as they were meant', (fileName, text) => {
    expect(readWithTerraform(fileName, editTfvars(text, fileName, set), names)).toEqual(values);
  });

  test('reads what we read', () => {
    const text = fc
      .sample(quoted, {numRuns: 200, seed: 2})
      .map((value, index) => `v${index} = ${value}\n`)
      .join('');
    const ours = [...parseTfvars(text, path)];
    expect(
      readWithTerraform(
        'ours.tfvars',
        text,
        ours.map(([name]) => name),
      ),
    ).toEqual(ours.map(([, {string}]) => string));
  });
});
