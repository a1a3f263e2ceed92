import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {formatImageName, parseImageName, type ImageName} from '../../../src/tools/registry/image-name.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

test.each<[string, ImageName]>([
  ['alpine', {registry: 'docker.io', repository: 'library/alpine'}],
  ['alpine:3.20', {registry: 'docker.io', repository: 'library/alpine', tag: '3.20'}],
  ['dbhi/data-models-sqlalchemy:1.2.3', {registry: 'docker.io', repository: 'dbhi/data-models-sqlalchemy', tag: '1.2.3'}],
  ['index.docker.io/dbhi/x', {registry: 'docker.io', repository: 'dbhi/x'}],
  ['docker.io/x', {registry: 'docker.io', repository: 'library/x'}],
  [
    'ghcr.io/eclipse-pass/pass-core-main:0.9.0-SNAPSHOT',
    {registry: 'ghcr.io', repository: 'eclipse-pass/pass-core-main', tag: '0.9.0-SNAPSHOT'},
  ],
  ['localhost/x', {registry: 'localhost', repository: 'x'}],
  ['localhost:5000/a/b/c', {registry: 'localhost:5000', repository: 'a/b/c'}],
  ['127.0.0.1:5000/x:1', {registry: '127.0.0.1:5000', repository: 'x', tag: '1'}],
  ['[::1]:5000/x', {registry: '[::1]:5000', repository: 'x'}],
  ['HOST/x', {registry: 'HOST', repository: 'x'}],
  ['myhost/x', {registry: 'docker.io', repository: 'myhost/x'}],
  [`a/b@${digest}`, {registry: 'docker.io', repository: 'a/b', digest}],
  [`a/b:1@${digest}`, {registry: 'docker.io', repository: 'a/b', tag: '1', digest}],
  ['a/b__c.d-e--f', {registry: 'docker.io', repository: 'a/b__c.d-e--f'}],
])('%s is read as docker reads it', (text, name) => {
  expect(parseImageName(text)).toEqual(name);
});

test.each([
  ['', /not allowed/],
  ['dbhi/Data-Models', /lower case/],
  ['a//b', /not allowed/],
  ['a/', /not allowed/],
  ['/a', /not allowed/],
  ['a/b___c', /not allowed/],
  ['a b', /not allowed/],
  ['https://ghcr.io/a/b', /not allowed|no host/],
  ['a/b:', /a tag has/],
  ['a/b:-1', /a tag has/],
  [`a/b:${'1'.repeat(129)}`, /a tag has/],
  ['a/b@sha256:123', /a digest is/],
  ['a/b@', /a digest is/],
  ['-x.io/a', /no host/],
  ['x.io:port/a', /no host/],
  [`a/${'b'.repeat(255)}`, /longer than/],
  ['0123456789abcdef'.repeat(4), /image id/],
])('%s is refused', (text, why) => {
  expect(() => parseImageName(text)).toThrow(why);
  expect(() => parseImageName(text)).toThrow(/is no image name/);
});

describe('formatting', () => {
  test('is short for Docker Hub, as people write it', () => {
    expect(formatImageName({registry: 'docker.io', repository: 'library/alpine', tag: '3'})).toBe('alpine:3');
    expect(formatImageName({registry: 'docker.io', repository: 'dbhi/x', digest})).toBe(`dbhi/x@${digest}`);
    expect(formatImageName({registry: 'ghcr.io', repository: 'a/b', tag: '1'})).toBe('ghcr.io/a/b:1');
  });

  test('is not short where that would name another registry', () => {
    expect(formatImageName({registry: 'docker.io', repository: 'ghcr.io/x'})).toBe('docker.io/ghcr.io/x');
    expect(formatImageName({registry: 'docker.io', repository: 'library/a/b'})).toBe('library/a/b');
  });

  test('and reading undo each other', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
    const name = fc.record(
      {
        registry: fc.constantFrom('docker.io', 'ghcr.io', 'localhost:5000', '[::1]', 'x.example.org'),
        repository: fc.array(part, {minLength: 2, maxLength: 3}).map(parts => parts.join('/')),
        tag: fc.stringMatching(/^\w[\w.-]{0,20}$/),
        digest: fc.constant(digest),
      },
      {requiredKeys: ['registry', 'repository']},
    );
    fc.assert(
      fc.property(name, name => {
        expect(parseImageName(formatImageName(name))).toEqual(name);
      }),
    );
  });
});
