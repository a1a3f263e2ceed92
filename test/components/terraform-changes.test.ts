import {join} from 'node:path';
import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {collectSecrets, planIdentity, planProblems, readChanges} from '../../src/components/terraform/changes.ts';
import type {Json} from '../../src/release/json.ts';
import {canonical, fingerprint} from '../../src/release/hash.ts';
import {planJson, type PlanJson} from '../../src/tools/terraform/plan-json.ts';
import {createTerraform} from '../../src/tools/terraform/terraform.ts';
import {env, module, planOf, terraform, withTerraform, write} from '../tools/terraform/support.ts';

const secret = 'hunter2-SECRET';

describe('what a plan does', () => {
  test('replacing destroys first; updating and destroying are told with their reason', () => {
    const {changes, notes} = readChanges(planOf('show-plan-replace-update-delete'));
    expect(changes).toEqual([
      {
        id: 'terraform_data.counted[1]',
        risk: 'destroy',
        summary: 'terraform_data.counted[1] is destroyed: `count` is lower now',
        details: [
          {name: 'id', before: '754a5bf8-59a6-d32f-7eee-51af9224820c', after: null},
          {name: 'input', before: '1', after: null},
          {name: 'output', before: '1', after: null},
        ],
        flags: [],
      },
      {
        id: 'terraform_data.inplace',
        risk: 'update',
        summary: 'terraform_data.inplace is updated in place',
        details: [
          {name: 'input', before: '1.0.0', after: '1.0.1'},
          {name: 'output', before: '1.0.0', after: 'known after apply'},
        ],
        flags: [],
      },
      {
        id: 'terraform_data.svc',
        risk: 'outage',
        summary: 'terraform_data.svc is destroyed and then created anew: triggers_replace forces it',
        details: [
          {name: 'triggers_replace', before: '["1.0.0"]', after: '["1.0.1"]'},
          {name: 'input.image', before: 'repo/app:1.0.0', after: 'repo/app:1.0.1'},
          {name: 'id', before: '722eabf3-6f68-8c21-afee-34a529c658ec', after: 'known after apply'},
          // Terraform has lost the mark here, and prints the password (facts 1.2).
          {
            name: 'output',
            before: '{"image": "repo/app:1.0.0", "pw": "(sensitive)"}',
            after: 'known after apply',
            sensitive: true,
          },
        ],
        flags: [],
      },
    ]);
    expect(notes).toEqual(['Output image: repo/app:1.0.0 → repo/app:1.0.1']);
  });

  test('create_before_destroy is no outage', () => {
    const [first] = readChanges(planOf('show-plan-create-before-destroy')).changes;
    expect(first).toMatchObject({
      id: 'terraform_data.cbd',
      risk: 'replace',
      summary: 'terraform_data.cbd is replaced: the new one is created first: triggers_replace forces it',
    });
  });

  test('forgetting is neither nothing nor destroying, though Terraform counts it nowhere', () => {
    expect(readChanges(planOf('show-plan-forget-and-replace')).changes).toMatchObject([
      {id: 'terraform_data.gone', risk: 'forget', details: []},
      {
        id: 'terraform_data.keep',
        risk: 'outage',
        summary: 'terraform_data.keep is destroyed and then created anew: asked for with -replace',
      },
    ]);
  });

  test('a move changes nothing, and is told', () => {
    expect(readChanges(planOf('show-plan-moved'))).toEqual({
      changes: [],
      notes: ['terraform_data.a is called terraform_data.a2 from now on.', 'Output o2: nothing → n'],
    });
    expect(readChanges(planOf('show-plan-refresh-only-drift-move'))).toEqual({changes: [], notes: []});
  });

  test.each<[string[], string]>([
    [['no-op'], 'none'],
    [['read'], 'none'],
    [['create'], 'create'],
    [['update'], 'update'],
    [['create', 'delete'], 'replace'],
    [['delete', 'create'], 'outage'],
    [['forget'], 'forget'],
    [['create', 'forget'], 'forget'],
    [['delete'], 'destroy'],
    [['evaporate'], 'destroy'],
  ])('%j is %s', (actions, risk) => {
    const {changes} = readChanges(plan({resource_changes: [{address: 'a.b', change: {actions}}]}));
    expect(changes.map(change => change.risk)).toEqual(risk === 'none' ? [] : [risk]);
  });

  test('an object left by an earlier replacement is a change of its own', () => {
    const {changes} = readChanges(
      plan({
        resource_changes: [
          {address: 'a.b', change: {actions: ['update'], before: {x: 1}, after: {x: 2}}},
          {address: 'a.b', deposed: 'a6bfb2e0', change: {actions: ['delete'], before: {id: 'i-1'}, after: null}},
        ],
      }),
    );
    expect(changes.map(({id, risk, summary}) => [id, risk, summary])).toEqual([
      ['a.b', 'update', 'a.b is updated in place'],
      ['a.b (deposed a6bfb2e0)', 'destroy', 'What an earlier replacement left of a.b is destroyed'],
    ]);
  });

  test('a reason that is not known yet is given as it is', () => {
    const [change] = readChanges(
      plan({resource_changes: [{address: 'a.b', action_reason: 'delete_because_of_reasons', change: {actions: ['delete']}}]}),
    ).changes;
    expect(change?.summary).toBe('a.b is destroyed: delete because of reasons');
  });

  test('actions of Terraform 1.14 are invoked, which cannot be taken back', () => {
    const {changes} = readChanges(
      plan({
        action_invocations: [
          {
            address: 'action.aws_lambda_invoke.migrate',
            lifecycle_action_trigger: {triggering_resource_address: 'aws_instance.web', action_trigger_event: 'AfterCreate'},
          },
        ],
      }),
      {allowChanges: ['aws_instance.web']},
    );
    expect(changes).toMatchObject([
      {
        risk: 'trigger',
        summary: 'action.aws_lambda_invoke.migrate is invoked (after create of aws_instance.web)',
        flags: ['unlisted'],
      },
    ]);
  });

  test('outputs are told part by part', () => {
    const {notes} = readChanges(
      plan({
        output_changes: {
          urls: {actions: ['update'], before: {value: ['a'], x: 1}, after: {value: ['b'], x: 1}},
          pw: {actions: ['create'], before: null, after: 'one-secret', after_sensitive: true},
          id: {actions: ['create'], before: null, after_unknown: true},
        },
      }),
    );
    expect(notes).toEqual([
      'Output urls.value: ["a"] → ["b"]',
      'Output pw: nothing → (sensitive)',
      'Output id: nothing → known after apply',
    ]);
  });

  test('imports and drift are notes', () => {
    const {changes, notes} = readChanges(
      plan({
        resource_changes: [{address: 'a.b', change: {actions: ['no-op'], importing: {id: 'i-1'}}}],
        resource_drift: [
          {
            address: 'a.c',
            change: {actions: ['update'], before: {tags: {Name: 'x'}, size: 1}, after: {tags: {Name: 'y'}, size: 1}},
          },
          {address: 'a.d', change: {actions: ['delete'], before: {id: 1}, after: null}},
        ],
      }),
    );
    expect(changes).toEqual([]);
    expect(notes).toEqual([
      "a.b is taken under Terraform's management (i-1).",
      'Outside of Terraform, a.c was changed (tags.Name: x → y).',
      'Outside of Terraform, a.d was deleted.',
    ]);
  });
});

describe('allowChanges', () => {
  const addresses = ['aws_instance.default[0]', 'module.app["eu"].aws_instance.default', 'aws_db_instance.main'];
  const changing = plan({resource_changes: addresses.map(address => ({address, change: {actions: ['update']}}))});
  const unlisted = (allowChanges?: string[]) =>
    readChanges(changing, {allowChanges}).changes.flatMap(({id, flags}) => (flags.includes('unlisted') ? [id] : []));

  test('flags what it does not list', () => {
    expect(unlisted(['aws_instance.default', 'module.app.aws_instance.default'])).toEqual(['aws_db_instance.main']);
    expect(unlisted([])).toEqual(addresses);
  });

  test('flags nothing when it is not given', () => {
    expect(unlisted()).toEqual([]);
  });

  test('says nothing of what stays', () => {
    expect(readChanges(planOf('show-plan-moved'), {allowChanges: []}).changes).toEqual([]);
  });
});

describe('values', () => {
  const details = (before: Json, after: Json, more: object = {}) =>
    readChanges(plan({resource_changes: [{address: 'a.b', change: {actions: ['update'], before, after, ...more}}]})).changes[0]
      ?.details;

  test('differ by path', () => {
    expect(
      details({tags: {'a.b': 'x', same: 1}, rules: [{port: 80}]}, {tags: {'a.b': 'y', same: 1}, rules: [{port: 81}]}),
    ).toEqual([
      {name: 'tags["a.b"]', before: 'x', after: 'y'},
      {name: 'rules[0].port', before: '80', after: '81'},
    ]);
  });

  test('null is the same as not there', () => {
    expect(details({a: null, b: 1}, {b: 1, c: null})).toEqual([]);
  });

  test('a new member of a set does not make the others look changed', () => {
    expect(details({rules: [{port: 80}, {port: 443}]}, {rules: [{port: 22}, {port: 80}, {port: 443}]})).toEqual([
      {name: 'rules[0].port', before: null, after: '22'},
    ]);
  });

  test('another order is a difference', () => {
    expect(details({rules: [{p: 1}, {p: 2}]}, {rules: [{p: 2}, {p: 1}]})).toEqual([
      {name: 'rules', before: '[{"p": 1}, {"p": 2}]', after: '[{"p": 2}, {"p": 1}]'},
    ]);
  });

  test('JSON in a text is compared as what it holds', () => {
    const definition = (tag: string) => JSON.stringify([{name: 'web', image: `repo/app:${tag}`, cpu: 10}]);
    expect(details({container_definitions: definition('1')}, {container_definitions: definition('2')})).toEqual([
      {name: 'container_definitions[0].image', before: 'repo/app:1', after: 'repo/app:2'},
    ]);
    expect(details({policy: '{"a":1}'}, {policy: '{"a": 1}'})).toEqual([{name: 'policy', before: '{"a":1}', after: '{"a": 1}'}]);
  });

  test('texts are told from what looks like them', () => {
    expect(details({a: '1', b: 'true', c: 'x'}, {a: 1, b: true, c: ''})).toEqual([
      {name: 'a', before: '"1"', after: '1'},
      {name: 'b', before: '"true"', after: 'true'},
      {name: 'c', before: 'x', after: '""'},
    ]);
  });

  test('control characters do not reach a terminal', () => {
    expect(details({a: 'x'}, {a: '\u001b[2Jx\ny'})).toEqual([{name: 'a', before: 'x', after: String.raw`"\u001b[2Jx\ny"`}]);
  });

  test('long ones are cut down to where they differ', () => {
    const script = (tag: string) =>
      `#!/bin/bash ${'apt-get install -y docker '.repeat(20)} docker run app:${tag} ${'and more '.repeat(40)}`;
    expect(details({user_data: script('1.0.0')}, {user_data: script('1.0.1')})).toEqual([
      {
        name: 'user_data',
        before: '…ker  docker run app:1.0.0 and more and more and m…',
        after: '…ker  docker run app:1.0.1 and more and more and m…',
      },
    ]);
  });

  test('sensitive ones are hidden, and only told when they change', () => {
    const marks = {before_sensitive: {pw: true, keep: true}, after_sensitive: {pw: true, keep: true}};
    expect(details({pw: 'old', keep: 'same'}, {pw: 'new', keep: 'same'}, marks)).toEqual([
      {name: 'pw', before: '(sensitive)', after: '(sensitive)', sensitive: true},
    ]);
    expect(
      details({pw: 'old'}, {}, {before_sensitive: {pw: true}, after_sensitive: {pw: true}, after_unknown: {pw: true}}),
    ).toEqual([{name: 'pw', before: '(sensitive)', after: '(sensitive)', sensitive: true}]);
    // Sensitive from now on: the old value is most likely the same.
    expect(details({pw: 'old'}, {pw: 'new'}, {after_sensitive: {pw: true}})).toMatchObject([
      {before: '(sensitive)', after: '(sensitive)'},
    ]);
  });

  test('secrets are hidden wherever they occur, and never cut in two', () => {
    const long = `${'x'.repeat(70)}${secret}${'y'.repeat(70)}`;
    const found = details(
      {pw: secret, url: `https://u:${secret}@h/a`, long: `${long}1`},
      {pw: secret, url: `https://u:${secret}@h/b`, long: `${long}2`},
      {before_sensitive: {pw: true}, after_sensitive: {pw: true}},
    );
    expect(found).toMatchObject([
      {name: 'url', before: 'https://u:(sensitive)@h/a', after: 'https://u:(sensitive)@h/b', sensitive: true},
      {name: 'long'},
    ]);
    expect(JSON.stringify(found)).not.toMatch(/hunter|SECRET/);
  });

  test('what is only known after apply is found inside of what is known', () => {
    expect(details({rules: [{a: 1}]}, {rules: [{a: 1}, {b: 2}]}, {after_unknown: {rules: [{}, {id: true}]}})).toEqual([
      {name: 'rules[1].b', before: null, after: '2'},
      {name: 'rules[1].id', before: null, after: 'known after apply'},
    ]);
  });

  const jsonValue = fc.json({maxDepth: 4}).map((text): Json => JSON.parse(text));

  test('that are equal have no differences, and those that are not have one', () => {
    fc.assert(fc.property(jsonValue, value => details({value}, {value})?.length === 0));
    fc.assert(
      fc.property(jsonValue, jsonValue, (before, after) => {
        const same = canonical(withoutNulls(before) ?? null) === canonical(withoutNulls(after) ?? null);
        return same || (details({before}, {before: after})?.length ?? 0) > 0;
      }),
      // Found once in some thousand runs.
      {
        examples: [
          [[[], null], [[]]],
          [null, {'': null}],
        ],
      },
    );
  });

  test('that are sensitive are in no text, whatever their shape', () => {
    fc.assert(
      fc.property(jsonValue, jsonValue, fc.dictionary(fc.string(), fc.constant(`prefix-${secret}`)), (before, after, more) => {
        const shown = details(
          {pw: secret, before, ...more},
          {pw: `${secret}2`, before: after},
          {before_sensitive: {pw: true}, after_sensitive: {pw: true}},
        );
        return !JSON.stringify(shown).includes(secret);
      }),
    );
  });
});

describe('secrets', () => {
  test('are the literals of sensitive variables, attributes and outputs', () => {
    expect(collectSecrets(planOf('show-plan-replace-update-delete'))).toEqual([secret]);
    expect(collectSecrets(planOf('show-plan-moved'))).toEqual([]);
  });

  test('stand in data sources, modules, lists and JSON too; what is too short or too common does not count', () => {
    const secrets = collectSecrets(
      plan({
        variables: {cfg: {value: {keys: ['key-one-secret', 'k2'], pin: 123456, port: 5432, on: 'true'}}},
        configuration: {
          root_module: {
            variables: {cfg: {sensitive: true}},
            module_calls: {
              app: {
                expressions: {pw: {constant_value: 'module-literal'}, open: {constant_value: 'open-literal'}},
                module: {variables: {pw: {sensitive: true, default: 'module-default'}, open: {}}},
              },
            },
          },
        },
        prior_state: {
          values: {
            root_module: {
              child_modules: [
                {
                  resources: [
                    {
                      values: {secret_string: '{"password":"from-a-data-source","user":"admin"}', arn: 'arn:aws:…'},
                      sensitive_values: {secret_string: true},
                    },
                  ],
                },
              ],
            },
          },
        },
      }),
    );
    expect(secrets).toEqual([
      '{"password":"from-a-data-source","user":"admin"}',
      'from-a-data-source',
      'key-one-secret',
      'module-default',
      'module-literal',
      '123456',
    ]);
  });

  test('of several lines are met line by line', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
    const secrets = collectSecrets(
      plan({output_changes: {key: {actions: ['create'], before: null, after: key, after_sensitive: true}}}),
    );
    expect(secrets).toEqual(expect.arrayContaining([key, 'MIIEvQIBADANBg', 'kqhkiG9w0BAQEF']));
  });
});

describe('problems', () => {
  test('none in a good plan that sets what it should', () => {
    expect(planProblems(planOf('show-plan-replace-update-delete'), {image_tag: '1.0.1'})).toEqual([]);
  });

  test('a failed check is none, as Terraform only warns of it; but it is told', () => {
    const plan = planOf('show-plan-check-failed');
    expect(planProblems(plan)).toEqual([]);
    expect(readChanges(plan).notes).toContain('Now check.tag_ok fails: do not deploy latest. Terraform only warns of it.');
  });

  test('an errored plan', () => {
    expect(planProblems(planOf('show-plan-errored'))).toEqual([
      'Terraform could not finish the plan: it ended with an error.',
      'terraform_data.pre fails: bad v',
    ]);
  });

  test('a plan of a part', () => {
    expect(planProblems(plan({complete: false}))).toEqual([expect.stringContaining('-target')]);
    expect(planProblems(plan({complete: false, deferred_changes: [{reason: 'x', resource_change: {address: 'a.b'}}]}))).toEqual([
      'The plan leaves out what Terraform put off: a.b.',
    ]);
  });

  test('a plan of an older Terraform that does not say so', () => {
    expect(planProblems(plan({}))).toEqual([]);
  });

  test('variables that are not what the release sets', () => {
    const set = plan({
      variables: {tag: {value: '1.0.0'}, number: {value: 1.1}, list: {value: ['x']}, pw: {value: secret}},
      configuration: {root_module: {variables: {pw: {sensitive: true}}}},
    });
    expect(planProblems(set, {tag: '1.0.1', number: '1.10', list: 'x', pw: 'other', missing: 'x'})).toEqual([
      'The variable tag is "1.0.0" in the plan, not "1.0.1": another file or variable wins.',
      'The variable number is the number 1.1 in the plan, not the text "1.10": put it in quotes, and declare it as a string.',
      'The variable list is ["x"] in the plan, not "x": another file or variable wins.',
      'The variable pw has another value in the plan than this release sets.',
      'The variable missing is not set in the plan.',
    ]);
  });
});

describe('two plans', () => {
  const identity = (name: string) => fingerprint(planIdentity(planOf(name)));

  test('of one world are the same', () => {
    const again = {...planOf('show-plan-create-before-destroy'), terraform_version: '1.11.4'};
    again.resource_changes.reverse();
    expect(fingerprint(planIdentity(again))).toBe(identity('show-plan-create-before-destroy'));
  });

  test('that do something else are not', () => {
    const names = [
      'show-plan-replace-update-delete',
      'show-plan-create-before-destroy',
      'show-plan-check-failed',
      'show-plan-moved',
    ];
    expect(new Set(names.map(identity)).size).toBe(names.length);
  });

  test('differ in a secret without telling it', () => {
    const withSecret = (value: string) =>
      planIdentity(plan({variables: {pw: {value}}, configuration: {root_module: {variables: {pw: {sensitive: true}}}}}));
    expect(JSON.stringify(planIdentity(planOf('show-plan-replace-update-delete')))).not.toContain(secret);
    expect(fingerprint(withSecret('one secret'))).not.toBe(fingerprint(withSecret('another one')));
  });
});

withTerraform('with a real Terraform', () => {
  const tf = createTerraform({env});

  async function plans(directory: string): Promise<PlanJson> {
    await tf.plan({directory}, {out: 'plan/p', lock: true, lockTimeoutSeconds: 0});
    return tf.show({directory}, 'plan/p');
  }

  const config = (tag: string, extra = '') => `
variable "password" {
  type      = string
  sensitive = true
  default   = "${secret}"
}
resource "terraform_data" "outage" {
  triggers_replace = ["${tag}"]
  input            = { password = var.password, tag = "${tag}" }
}
resource "terraform_data" "replace" {
  triggers_replace = ["${tag}"]
  lifecycle {
    create_before_destroy = true
  }
}
resource "terraform_data" "update" {
  input = "${tag}"
}
${extra}`;

  test('every risk is read from the plan that has it, and no secret is shown', async () => {
    const gone = 'resource "terraform_data" "destroyed" {\n}\nresource "terraform_data" "forgotten" {\n}\n';
    const removed =
      'removed {\n  from = terraform_data.forgotten\n  lifecycle {\n    destroy = false\n  }\n}\nresource "terraform_data" "created" {\n}\n';
    const directory = await module({'main.tf': config('1.0.0', gone)});
    await terraform(directory, 'apply', '-auto-approve');
    await write(join(directory, 'main.tf'), config('1.0.1', removed));
    const planned = await plans(directory);
    const {changes} = readChanges(planned, {allowChanges: ['terraform_data.outage', 'terraform_data.update']});

    expect(Object.fromEntries(changes.map(({id, risk, flags}) => [id.replace('terraform_data.', ''), [risk, ...flags]]))).toEqual(
      {
        created: ['create', 'unlisted'],
        destroyed: ['destroy', 'unlisted'],
        forgotten: ['forget', 'unlisted'],
        outage: ['outage'],
        replace: ['replace', 'unlisted'],
        update: ['update'],
      },
    );
    expect(JSON.stringify(planned)).toContain(secret);
    expect(JSON.stringify(readChanges(planned))).not.toContain(secret);
    expect(changes.find(({risk}) => risk === 'outage')?.summary).toContain('triggers_replace forces it');
  });

  test('two plans of the same world have the same identity, and of another world not', async () => {
    const directory = await module({'main.tf': config('1.0.0')});
    const [first, second] = [await plans(directory), await plans(directory)];
    expect(planIdentity(second)).toEqual(planIdentity(first));
    await terraform(directory, 'apply', '-auto-approve', '-target=terraform_data.update');
    expect(fingerprint(planIdentity(await plans(directory)))).not.toBe(fingerprint(planIdentity(first)));
  });

  test('an object that a failed replacement has left is named', async () => {
    const chained = (tag: string) => `
resource "terraform_data" "a" {
  triggers_replace = ["${tag}"]
  lifecycle {
    create_before_destroy = true
  }
}
resource "terraform_data" "b" {
  triggers_replace = [terraform_data.a.id]
  lifecycle {
    create_before_destroy = true
  }
  provisioner "local-exec" {
    command = "test ${tag} != 2"
  }
}
`;
    const directory = await module({'main.tf': chained('1')});
    await terraform(directory, 'apply', '-auto-approve');
    await write(join(directory, 'main.tf'), chained('2'));
    await expect(terraform(directory, 'apply', '-auto-approve')).rejects.toThrow();
    await write(join(directory, 'main.tf'), chained('3'));
    const {changes} = readChanges(await plans(directory));
    expect(changes.map(({id, risk}) => [id.replace(/deposed \w+/, 'deposed'), risk])).toEqual([
      ['terraform_data.a', 'replace'],
      ['terraform_data.a (deposed)', 'destroy'],
      ['terraform_data.b', 'replace'],
      ['terraform_data.b (deposed)', 'destroy'],
    ]);
    expect(changes[2]?.summary).toContain('an earlier apply failed on it');
  });
});

function plan(parts: object): PlanJson {
  return planJson.parse({terraform_version: '1.11.4', ...parts});
}

/** A value as Terraform sees it: a key that is null is not there. */
function withoutNulls(value: Json): Json | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(item => withoutNulls(item) ?? null);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      const kept = withoutNulls(item);
      return kept === undefined ? [] : [[key, kept]];
    }),
  );
}
