/** What a config may say of how an image comes to be, and the words for what it may not. */
import {expect, test} from 'vitest';
import {parseConfig} from '../../src/config/load.ts';
import {cookbookYaml} from './samples.ts';

/** A piece of the cookbook's config, and what stands there instead. */
const version = (text: string) => ['version: dmsa/__init__.py', `version: ${text}`] as const;
const build = (text: string) => ['context: .,', `context: ., ${text},`] as const;
const load = (from: string, to: string) => parseConfig(cookbookYaml.replace(from, to), '/project/deploy.yaml', {});

test.each([
  version('[VERSION, package.json, {file: pom.xml, pattern: "<version>(?<version>[^<]+)<"}]'),
  version('{file: pom.xml, pattern: "<version>(?<version>[^<]+)<"}'),
  build(
    'secrets: {token: {env: TOKEN}, key: {file: key.pem}}, login: {username: A, password: B}, target: x, platform: linux/amd64',
  ),
  ['push: false', 'push: true, allowDirty: true'] as const,
])('instead of %s: %s', (from, to) => {
  expect(() => load(from, to)).not.toThrow();
});

test.each([
  [version('{file: pom.xml, pattern: "(x"}'), '12:49: components.service.source.version.pattern: Invalid regular expression'],
  [
    version('[{file: a, pattern: x}]'),
    '12:44: components.service.source.version.0.pattern: it needs a named group: (?<version>…)',
  ],
  [version('{fil: a}'), '12:24: components.service.source.version: must be a file, {file, pattern}, or a list of these'],
  [build('secrets: {token: hunter2}'), 'secrets.token: must be {env: <variable>} or {file: <path>}'],
  [build('secrets: {token: {env: "a b"}}'), 'secrets.token.env: must be the name of an environment variable'],
  [build('secrets: {"a,src=/": {env: A}}'), 'secrets.a,src=/: letters, digits, ".", "_" and "-"'],
  [build('login: {username: A}'), 'login.password: is missing'],
] as const)('refused, with its place: %s', ([from, to], words) => {
  expect(() => load(from, to)).toThrow(words);
});
