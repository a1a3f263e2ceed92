import {expect, test} from 'vitest';
import {configDifferences} from '../../src/config/difference.ts';

const then = {
  application: 'pass',
  environments: {production: {policy: {allow: ['update']}, values: {url: 'https://pass.example.edu'}}},
  components: {core: {kind: 'sns-trigger', verify: {within: '1m'}}},
};

test.each([
  ['the same, in another order', {...then, application: 'pass'}, []],
  ['a setting', {...then, application: 'other'}, ['application: "other" now, "pass" then']],
  [
    'a list, which is one setting',
    {...then, environments: {production: {...then.environments.production, policy: {allow: ['update', 'outage']}}}},
    ['environments.production.policy.allow: ["update","outage"] now, ["update"] then'],
  ],
  [
    'what came and what went',
    {...then, components: {core: {kind: 'sns-trigger', needs: []}}},
    ['components.core.verify: gone', 'components.core.needs: new'],
  ],
  [
    'a mapping that is a text now, as much of it as fits in a line',
    {...then, environments: 'none'},
    [`environments: "none" now, ${JSON.stringify(then.environments).slice(0, 60)}… then`],
  ],
  ['names that every object has', {...then, components: {...then.components, constructor: 1}}, ['components.constructor: new']],
])('%s', (_what, now, lines) => {
  expect(configDifferences(then, now)).toEqual(lines);
});
