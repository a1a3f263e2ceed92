import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import {describe, expect, onTestFinished, test} from 'vitest';
import {parse} from 'yaml';
import {z} from 'zod';
import {findConfig} from '../../src/config/find.ts';
import {type LoadedConfig, componentSettings, loadConfig, parseConfig} from '../../src/config/load.ts';
import {configJsonSchema} from '../../src/config/schema.ts';
import {DeployError, UsageError} from '../../src/release/errors.ts';
import {cookbookYaml, passYaml} from './samples.ts';

const file = '/project/deploy-wizard.config.yaml';

/** What is wrong with a config, one mistake a line, without the file's name. */
function mistakes(text: string): readonly string[] {
  try {
    parseConfig(text, file, {});
    return [];
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.means).toBe('Nothing was started.');
    expect(error.exitCode).toBe(2);
    return error.message.split('\n').map(line => {
      expect(line).toMatch(new RegExp(`^${file}:\\d+:\\d+: `));
      return line.slice(file.length + 1);
    });
  }
}

const production = 'environments:\n  production: {}\n';
const trigger = 'kind: sns-trigger\n    topic: t\n    message: {}\n    verify: none\n';

/** A config of one trigger, with more lines in that. */
const withTrigger = (...lines: readonly string[]) =>
  `application: pass\n${production}components:\n  core:\n    ${trigger}${lines.map(line => `    ${line}\n`).join('')}`;

/** Components that need each other, in a config. */
const needing = (needs: Readonly<Record<string, readonly string[]>>) =>
  `application: pass\n${production}components:\n${Object.entries(needs)
    .map(([id, ids]) => `  ${id}: { kind: sns-trigger, topic: t, message: {}, verify: none, needs: [${ids.join(', ')}] }\n`)
    .join('')}`;

describe('the config files of the design', () => {
  test.each([
    ['PASS', passYaml],
    ['the cookbook', cookbookYaml],
  ])('%s is read', (_name, text) => {
    const loaded = parseConfig(text, file, {});
    expect(loaded).toMatchObject({path: file, folder: '/project'});
    // What a record keeps is the file's content, before defaults and references.
    expect(loaded.source).toEqual(parse(text));
  });

  test.each([
    ['PASS', passYaml],
    ['the cookbook', cookbookYaml],
  ])('%s is right in an editor that reads the JSON Schema', (_name, text) => {
    const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(configJsonSchema())));
    expect(schema.safeParse(parse(text))).toMatchObject({success: true});
    expect(schema.safeParse(parse(text.replace('application:', 'aplication:'))).success).toBe(false);
    expect(schema.safeParse(parse(text.replace('components:', 'components: {}\nother:'))).success).toBe(false);
  });

  test('JSON is read as well, and its mistakes have their places', () => {
    const text = JSON.stringify(parse(passYaml), null, 2);
    expect(parseConfig(text, file, {}).config).toEqual(parseConfig(passYaml, file, {}).config);
    expect(mistakes(text.replace('"topic"', '"topik"'))).toEqual([
      expect.stringMatching(/^\d+:18: components.pass-core.topic: is missing$/),
      expect.stringMatching(/^\d+:7: unknown key "topik" in components.pass-core; did you mean "topic"\?/),
    ]);
    expect(mistakes('{"application": "p",, }')).toEqual(['1:21: Unexpected , in flow map']);
  });
});

describe('a mistake', () => {
  test.each([
    ['an empty file', '', ['1:1: application: is missing', '1:1: environments: is missing', '1:1: components: is missing']],
    ['a list', '- a\n', ['1:1: the file: Invalid input: expected object, received array']],
    ['a bracket that is not closed', 'application: [\n', [/^2:1: .*must be.*end with a \]/]],
    ['a tab', 'application:\n\t- b\n', ['2:1: Tabs are not allowed as indentation']],
    ['a key twice', 'application: a\nstore: b\napplication: c\n', ['3:1: Map keys must be unique']],
    [
      'two documents',
      'application: a\n---\napplication: b\n',
      ['2:1: a second document begins here (---): a config file is one'],
    ],
    ['an alias of nothing', 'application: *nothing\n', ['1:14: there is no anchor &nothing']],
    ['no number', withTrigger().replace('message: {}', 'message: { a: [1, .nan] }'), ['8:23: .nan is not a number']],
    [
      'a wrong type',
      `application: 5\n${production}components: { core: 7 }\n`,
      [
        '1:14: application: Invalid input: expected string, received number',
        '4:21: components.core: Invalid input: expected object, received number',
      ],
    ],
    [
      'nothing to deploy, and nowhere',
      'application: p\nenvironments: {}\ncomponents: {}\n',
      ['2:15: environments: at least one environment', '3:13: components: at least one component'],
    ],
    [
      'a name that is none',
      `application: p\nenvironments:\n  "pro duction": {}\ncomponents:\n  core: { ${trigger.replaceAll('\n    ', ', ').trim()} }\n`,
      [/^3:3: environments.pro duction: a name has letters, digits/],
    ],
    [
      'an account that YAML reads as a number',
      withTrigger().replace('production: {}', 'production: { aws: { accountId: 222222222222 } }'),
      ['3:35: environments.production.aws.accountId: an account id has 12 digits, in quotes'],
    ],
    [
      'a duration without a unit',
      withTrigger().replace('verify: none', 'verify: { http: "https://x.example", expect: "1", within: 5 }'),
      [/^9:13: components.core.verify: either `none`, or/],
    ],
    [
      'a risk that is none',
      withTrigger().replace('production: {}', 'production: { policy: { allow: [update, outages] } }'),
      [/^3:43: environments.production.policy.allow.1: Invalid option: expected one of "create"/],
    ],
  ] as const satisfies readonly (readonly [string, string, readonly (string | RegExp)[]])[])(
    '%s has its place',
    (_what, text, expected) => {
      expect(mistakes(text)).toEqual(expected.map(line => (typeof line === 'string' ? line : expect.stringMatching(line))));
    },
  );

  test('all of them are told at once, each with its place', () => {
    const text = withTrigger('needz: []', 'topik: x').replace('production: {}', 'production: { polici: {} }');
    expect(mistakes(text).map(line => line.split(';')[0])).toEqual([
      '3:17: unknown key "polici" in environments.production',
      '10:5: unknown key "needz" in components.core',
      '11:5: unknown key "topik" in components.core',
    ]);
  });
});

describe('a key that is not known', () => {
  test.each([
    [
      'at the top',
      `${withTrigger()}compoments: {}\n`,
      '10:1: unknown key "compoments"; did you mean "components"? (known: application, store, environments, registries, components, presets, checklist, repositories, hooks, notify)',
    ],
    [
      'in an environment',
      withTrigger().replace('production: {}', 'production:\n    polici: {}'),
      '4:5: unknown key "polici" in environments.production; did you mean "policy"? (known: aws, values, policy, onFailure, onCancel, requires)',
    ],
    [
      'deeper in an environment',
      withTrigger().replace('production: {}', 'production: { aws: { regoin: x } }'),
      '3:24: unknown key "regoin" in environments.production.aws; did you mean "region"? (known: accountId, region, profile, login)',
    ],
    [
      'in a component: the keys of its kind are named',
      withTrigger('clusterr: x'),
      '10:5: unknown key "clusterr" in components.core (known: kind, needs, revert, topic, images, message, attributes, group, verify)',
    ],
    [
      'in a component of another kind',
      `application: p\n${production}components:\n  s: { kind: ecs-service, cluster: c, service: s, images: { a: b }, clusterr: x }\n`,
      /^5:69: unknown key "clusterr" in components.s; did you mean "cluster"\?/,
    ],
    [
      'in a list',
      `${withTrigger()}checklist:\n  - { id: a, when: after, text: t, txt: t }\n`,
      '11:36: unknown key "txt" in checklist.0; did you mean "text"? (known: id, when, text)',
    ],
  ] as const)('%s', (_where, text, expected) => {
    expect(mistakes(text)).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  test('of the source of a Terraform component', () => {
    const text = cookbookYaml.replace('context: .', 'contxt: .');
    expect(mistakes(text)).toEqual([
      expect.stringMatching(
        /^12:51: unknown key "contxt" in components.service.source.build; did you mean "context"\? \(known: context, dockerfile, image/,
      ),
    ]);
  });

  test.each(['constructor', 'toString', '\u001b[2J'])('called %j does no harm', key => {
    expect(mistakes(`${withTrigger()}${JSON.stringify(key)}: {}\n`)[0]).toContain(`unknown key ${JSON.stringify(key)}`);
  });
});

describe('a kind', () => {
  test.each([
    [
      'ecs-servise',
      'unknown kind "ecs-servise"; did you mean "ecs-service"? (known: terraform, ecs-service, ecs-scheduled-task, batch-job-definition, sns-trigger)',
    ],
    ['lambda', 'unknown kind "lambda" (known: terraform, ecs-service, ecs-scheduled-task, batch-job-definition, sns-trigger)'],
  ])('%s', (kind, text) => {
    expect(mistakes(`application: p\n${production}components:\n  core:\n    kind: ${kind}\n    topic: t\n`)).toEqual([
      `6:11: components.core.kind: ${text}`,
    ]);
  });

  test('has to be there', () => {
    expect(mistakes(`application: p\n${production}components:\n  core: { topic: t }\n`)).toEqual([
      expect.stringMatching(/^5:9: components.core.kind: a kind is missing/),
    ]);
  });
});

describe('gates', () => {
  test('are of environments and items that there are', () => {
    const text = `${needing({core: []})}checklist: [{ id: acceptance, when: after, text: Accepted }]\n`;
    const gated = (gate: string) => text.replace('production: {}', `staging: {}\n  production: { requires: [{ ${gate} }] }`);
    expect(mistakes(gated('env: staging, ticks: [acceptance]'))).toEqual([]);
    expect(mistakes(gated('env: stagin, ticks: [acceptence]'))).toEqual([
      '4:35: environments.production.requires: stagin is no environment; did you mean "staging"? (known: staging)',
      '4:51: environments.production.requires: acceptence is no item of the checklist; did you mean "acceptance"? (known: acceptance)',
    ]);
    expect(mistakes(gated('env: production'))).toEqual(['4:35: environments.production.requires: production is itself']);
  });
});

describe('presets', () => {
  test('name components of the file', () => {
    const text = `${needing({core: [], loader: []})}presets: { all: [core, loader], one: [lader] }\n`;
    expect(mistakes(text)).toEqual(['7:39: presets.one: lader is no component; did you mean "loader"? (known: core, loader)']);
    expect(parseConfig(text.replace('lader', 'loader'), file, {}).config.presets).toEqual({
      all: ['core', 'loader'],
      one: ['loader'],
    });
  });
});

describe('needs', () => {
  test('of something that is not there', () => {
    expect(mistakes(needing({core: [], 'core-ui': ['cor', 'database']}))).toEqual([
      '6:78: components.core-ui needs cor, which is no component; did you mean "core"? (known: core, core-ui)',
      '6:83: components.core-ui needs database, which is no component (known: core, core-ui)',
    ]);
  });

  test('of itself', () => {
    expect(mistakes(needing({core: ['core']}))).toEqual(['5:75: components.core needs core, which is itself']);
  });

  test('in a circle: it is named, wherever it is', () => {
    const [mistake, ...others] = mistakes(needing({first: ['a'], a: ['c'], b: ['a'], c: ['b'], d: ['a']}));
    expect(mistake).toBe('6:71: components need each other in a circle: a → c → b → a');
    expect(others).toEqual([]);
  });

  test('in any order without a circle are right, and with one are wrong', {timeout: 30_000}, () => {
    const edges = fc.array(fc.tuple(fc.nat({max: 9}), fc.nat({max: 9})), {maxLength: 25});
    fc.assert(
      fc.property(edges, edges => {
        const needs = Object.fromEntries(
          Array.from({length: 10}, (_, id) => [
            `c${id}`,
            [...new Set(edges.filter(([from, to]) => from === id && to !== id).map(([, to]) => `c${to}`))],
          ]),
        );
        const found = mistakes(needing(needs));
        // Whoever has no needs left is taken out, again and again: what stays is a circle.
        let left = Object.keys(needs);
        for (let before = -1; before !== left.length;) {
          before = left.length;
          left = left.filter(id => needs[id]?.some(need => left.includes(need)));
        }
        expect(found).toHaveLength(left.length === 0 ? 0 : 1);
        const circle = /in a circle: (.*)$/.exec(found[0] ?? '')?.[1]?.split(' → ') ?? [];
        for (const [index, id] of circle.entries()) if (index > 0) expect(needs[circle[index - 1] ?? '']).toContain(id);
        expect(circle.at(0)).toBe(circle.at(-1));
      }),
    );
  });

  test('of sixty components in twenty layers are looked through at once', () => {
    const layers = Array.from({length: 20}, (_, layer) => ['a', 'b', 'c'].map(name => `${name}${layer}`));
    const needs = Object.fromEntries(layers.flatMap((ids, layer) => ids.map(id => [id, layers[layer + 1] ?? []])));
    const start = performance.now();
    expect(mistakes(needing(needs))).toEqual([]);
    expect(mistakes(needing({...needs, a19: ['b0']}))).toHaveLength(1);
    // 3 to the power of 19 ways: by following each of them, it would take hours.
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('references', () => {
  const text = withTrigger()
    .replace(
      'message: {}',
      () =>
        'message: { v: "${version}", e: "to ${environment}", u: "${ values.url }/x", s: "${env:TOKEN}", p: "$${version} $5", n: 5, l: ["${version}"] }',
    )
    .replace('production: {}', 'production: { values: { url: "https://x" } }');
  const names = {version: '1.14.0', environment: 'production', values: {url: 'https://x'}, env: {TOKEN: 'abc'}};

  test('are replaced by what they stand for, everywhere; $${ is a plain ${', () => {
    expect(componentSettings(parseConfig(text, file, {}), 'core', names)).toMatchObject({
      message: {v: '1.14.0', e: 'to production', u: 'https://x/x', s: 'abc', p: '${version} $5', n: 5, l: ['1.14.0']},
    });
  });

  test('what is put in is not looked through again', () => {
    const loaded = parseConfig(text, file, {});
    expect(componentSettings(loaded, 'core', {...names, values: {url: '${version} $& $1'}})).toMatchObject({
      message: {u: '${version} $& $1/x'},
    });
  });

  test('a variable of the process that is missing is said when it is needed, not before', () => {
    const loaded = parseConfig(text, file, {});
    expect(() => componentSettings(loaded, 'core', {...names, env: {}})).toThrow(
      expect.objectContaining({
        code: 'DW204',
        message: `${file}: components.core: \${env:TOKEN}: the environment variable TOKEN is not set`,
        next: ['Set it where deploy-wizard runs, or correct the reference in the config file.'],
      }),
    );
  });

  test.each([
    ['${versoin}', '${versoin}: not a reference; there are ${version}, ${environment}, ${values.x} and ${env:NAME}'],
    ['${}', '${}: not a reference; there are ${version}, ${environment}, ${values.x} and ${env:NAME}'],
    ['${values.url}', '${values.url}: environment production has no such value (it has deployEnv)'],
    ['${values.constructor}', '${values.constructor}: environment production has no such value (it has deployEnv)'],
    ['${values.__proto__}', '${values.__proto__}: environment production has no such value (it has deployEnv)'],
    ['a ${version', '${version: a reference that is not closed; write $${ for a plain ${'],
  ])('%s means nothing, and that has its place', (reference, expected) => {
    const wrong = withTrigger()
      .replace('message: {}', `message: { ref: "${reference}" }`)
      .replace('production: {}', 'production: { values: { deployEnv: x } }');
    expect(mistakes(wrong)).toEqual([`8:21: components.core.message.ref: ${expected}`]);
  });

  test('one that means something in one environment only is a mistake', () => {
    const wrong = withTrigger()
      .replace('topic: t', 'topic: "${values.topic}"')
      .replace('production: {}', 'production: { values: { topic: t } }\n  staging: { values: { topik: t } }');
    expect(mistakes(wrong)).toEqual([
      '8:12: components.core.topic: ${values.topic}: environment staging has no such value (it has topik)',
    ]);
  });

  test('a component that is not there has no settings', () => {
    expect(() => componentSettings(parseConfig(text, file, {}), 'other', names)).toThrow(
      `there is no component other in ${file}`,
    );
  });
});

describe('the file', () => {
  async function folder(): Promise<string> {
    const made = await mkdtemp(path.join(tmpdir(), 'dw-config-'));
    onTestFinished(() => rm(made, {recursive: true, force: true}));
    return made;
  }

  test('is found from where one is, upwards; the nearest counts, and YAML before JSON', async () => {
    const root = await folder();
    const deep = path.join(root, 'a', 'b', 'c');
    await mkdir(deep, {recursive: true});
    expect(await findConfig(deep)).toBeUndefined();
    const at = async (...names: readonly string[]) => {
      const file = path.join(root, ...names);
      await writeFile(file, '');
      return file;
    };
    const top = await at('deploy-wizard.config.json');
    expect(await findConfig(deep)).toBe(top);
    const near = await at('a', 'b', 'deploy-wizard.config.yml');
    expect(await findConfig(deep)).toBe(near);
    const nearer = await at('a', 'b', 'deploy-wizard.config.yaml');
    expect(await findConfig(deep)).toBe(nearer);
    expect(await findConfig(path.join(root, 'a'))).toBe(top);
  });

  test('is read with everything that editors leave in it', async () => {
    const file = path.join(await folder(), 'deploy-wizard.config.yaml');
    await writeFile(file, `\ufeff${passYaml.replaceAll('\n', '\r\n')}`);
    const loaded: LoadedConfig = await loadConfig(file, {});
    expect(loaded.source).toEqual(parse(passYaml));
    expect(loaded.path).toBe(file);
  });

  test('that cannot be read is a usage error that says why', async () => {
    const file = path.join(await folder(), 'gone.yaml');
    await expect(loadConfig(file, {})).rejects.toThrow(/the config file cannot be read: ENOENT/);
    await expect(loadConfig(path.dirname(file), {})).rejects.toThrow(UsageError);
  });

  test('that tries to eat all memory is refused', () => {
    const rows = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...['b', 'c', 'd', 'e', 'f', 'g', 'h'].map(
        (name, index) => `${name}: &${name} [${Array.from({length: 9}, () => `*${'abcdefg'[index]}`).join(',')}]`,
      ),
    ];
    expect(mistakes(rows.join('\n'))).toEqual([expect.stringContaining('1:1: Excessive alias count')]);
  });

  test('whatever it holds, the answer is a config or a list of mistakes with their places', {timeout: 30_000}, () => {
    const scrambled = fc.tuple(
      fc.constantFrom<string>(passYaml, cookbookYaml),
      fc.array(fc.tuple(fc.nat(), fc.nat({max: 30}), fc.string({unit: 'binary', maxLength: 6})), {minLength: 1, maxLength: 4}),
    );
    fc.assert(
      fc.property(scrambled, ([text, edits]) => {
        const broken = edits.reduce((text, [at, length, put]) => {
          const start = at % text.length;
          return `${text.slice(0, start)}${put}${text.slice(start + length)}`;
        }, text);
        try {
          parseConfig(broken, file, {});
        } catch (error) {
          if (!(error instanceof DeployError)) throw error;
          expect(error.message).toMatch(/^\/project\/deploy-wizard\.config\.yaml:\d+:\d+: /);
        }
      }),
      {numRuns: 60},
    );
  });
});
