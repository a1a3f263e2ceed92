import {describe, expect, test} from 'vitest';
import {answers, inWords} from '../../src/components/http-claim.ts';

describe('an answer names the expected version', () => {
  test.each([
    '1.14.0',
    '1.14.0\n',
    'v1.14.0',
    'version 1.14.0.',
    'Release 1.14.0, built yesterday',
    '(1.14.0)',
    '{"version":"1.14.0"}',
    '{"version": "v1.14.0", "previous": "1.13.2"}',
    '<html><body><footer>PASS 1.14.0</footer></body></html>',
    'pass-core:1.14.0',
    'first 1.14.0-RC1, then 1.14.0',
  ])('%s', body => {
    expect(answers(body, '1.14.0')).toBe(true);
  });
});

describe('an answer names something longer, or something else', () => {
  test.each([
    '',
    '1.13.2',
    '1.14.0-RC1',
    '1.14.0-SNAPSHOT',
    '1.14.0+build.7',
    '1.14.0.1',
    '1.14.01',
    '21.14.0',
    '0.1.14.0',
    'x1.14.0',
    '{"version":"1.14.0-RC2"}',
    '<html><body>Bad gateway</body></html>',
  ])('%s', body => {
    expect(answers(body, '1.14.0')).toBe(false);
  });

  test('a candidate is no release, and a release no candidate', () => {
    expect(answers('1.14.0', '1.14.0-RC1')).toBe(false);
    expect(answers('1.14.0-RC10', '1.14.0-RC1')).toBe(false);
    expect(answers('{"version":"1.14.0-RC1"}', '1.14.0-RC1')).toBe(true);
  });

  test('the dots of a version stand for themselves', () => {
    expect(answers('1x14y0', '1.14.0')).toBe(false);
  });
});

describe('what was answered is said in a few words', () => {
  test.each([
    [{status: 200, body: '1.14.0\n'}, '200 1.14.0'],
    [{status: 503, body: ''}, '503'],
    [{status: 200, body: '<html>log in</html>', host: 'login.example.edu'}, '200 from login.example.edu'],
    [{error: 'its certificate has expired'}, 'its certificate has expired'],
    // Nothing of a page, an image, or a text in another encoding.
    [{status: 200, body: '<!doctype html>'}, '200'],
    [{status: 200, body: '\u0089PNG\u001a'}, '200'],
    [{status: 200, body: 'pass \ufffd\ufffd'}, '200'],
    [{status: 200, body: 'x'.repeat(64 * 1024)}, '200'],
  ])('%j', (answer, words) => {
    expect(inWords(answer)).toBe(words);
  });
});
