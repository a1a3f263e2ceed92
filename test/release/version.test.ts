import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {UsageError} from '../../src/release/errors.ts';
import {bumpVersion, bumps, compareVersions, isDowngrade, parseVersion, versionProblem} from '../../src/release/version.ts';

const label = fc.oneof(
  {weight: 3, arbitrary: fc.constant('')},
  fc.constantFrom('-SNAPSHOT', '-RC', '-alpha', '-rc.1', '-beta.2', '-RC1.2', '-0', '-7', '-1a2', '-x-y'),
  fc.nat({max: 120}).map(number => `-RC${number}`),
);
const version = fc
  .tuple(fc.nat({max: 3}), fc.nat({max: 12}), fc.nat({max: 3}), label)
  .map(([major, minor, patch, label]) => `${major}.${minor}.${patch}${label}`);

/** The order of two versions; a mistake of the test where one of them is none. */
function order(a: string, b: string): number {
  const compared = compareVersions(a, b);
  if (compared === undefined) throw new Error(`${a} or ${b} is no version`);
  return Math.sign(compared);
}

describe('the order of versions', () => {
  test('is the one that PASS releases by', () => {
    const inOrder = [
      '1.13.2',
      '1.14.0-SNAPSHOT',
      '1.14.0-RC1',
      '1.14.0-RC2',
      '1.14.0-RC9',
      '1.14.0-RC10',
      '1.14.0-RC11',
      '1.14.0',
      '1.14.1-SNAPSHOT',
      '1.14.1',
      '2.0.0-RC1',
    ];
    for (const [index, version] of inOrder.entries()) {
      for (const [other, later] of inOrder.entries())
        expect([version, later, order(version, later)]).toEqual([version, later, Math.sign(index - other)]);
    }
  });

  test('is a total order', {timeout: 30_000}, () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(order(a, a)).toBe(0);
        expect(order(a, b) + order(b, a)).toBe(0);
        if (order(a, b) <= 0 && order(b, c) <= 0) expect(order(a, c)).toBeLessThanOrEqual(0);
        if (order(a, b) === 0) expect(order(a, c)).toBe(order(b, c));
      }),
      {numRuns: 2000},
    );
  });

  test('knows the numbers of labels as numbers, and the release as the last of its labels', () => {
    fc.assert(
      fc.property(fc.nat({max: 5000}), fc.nat({max: 5000}), (a, b) => {
        expect(order(`1.0.0-RC${a}`, `1.0.0-RC${b}`)).toBe(Math.sign(a - b));
        expect(order(`1.0.0-RC${a}`, '1.0.0')).toBe(-1);
        expect(order('1.0.0-SNAPSHOT', `1.0.0-RC${a}`)).toBe(-1);
      }),
    );
  });

  test('does not exist where one of them is no version', () => {
    expect(compareVersions('latest', '1.0.0')).toBeUndefined();
    expect(compareVersions('1.0.0', '')).toBeUndefined();
  });

  test.each([
    ['1.14.0', '1.13.2', true],
    ['1.14.0', '1.14.0-RC2', true],
    ['1.14.0', '1.14.0', false],
    ['1.13.2', '1.14.0', false],
    [undefined, '1.14.0', false],
    ['latest', '1.14.0', false],
  ])('from %s to %s is a downgrade: %s', (from, to, downgrade) => {
    expect(isDowngrade(from, to)).toBe(downgrade);
  });
});

describe('the next version', () => {
  test.each([
    ['1.13.2', 'patch', '1.13.3'],
    ['1.13.2', 'minor', '1.14.0'],
    ['1.13.2', 'major', '2.0.0'],
    ['1.13.2', 'prerelease', '1.13.3-RC1'],
    ['1.14.0-SNAPSHOT', 'patch', '1.14.0'],
    ['1.14.0-SNAPSHOT', 'prerelease', '1.14.0-RC1'],
    ['1.14.0-RC1', 'prerelease', '1.14.0-RC2'],
    ['1.14.0-RC9', 'prerelease', '1.14.0-RC10'],
    ['1.14.0-RC10', 'patch', '1.14.0'],
    ['1.14.0-RC1', 'minor', '1.14.0'],
    ['1.14.1-RC1', 'minor', '1.15.0'],
    ['1.14.0-RC1', 'major', '2.0.0'],
    ['1.0.0-rc.1', 'prerelease', '1.0.0-rc.2'],
    ['1.0.0-beta', 'prerelease', '1.0.0-beta1'],
    ['0.7.1', 'patch', '0.7.2'],
  ] as const)('after %s by %s is %s', (from, bump, to) => {
    expect(bumpVersion(from, bump)).toBe(to);
  });

  test('is always later, and can always be released', {timeout: 30_000}, () => {
    fc.assert(
      fc.property(version, fc.constantFrom(...bumps), (from, bump) => {
        const to = bumpVersion(from, bump);
        expect([from, to, order(to, from)]).toEqual([from, to, 1]);
        expect(versionProblem(to)).toBeUndefined();
      }),
      {numRuns: 2000},
    );
  });

  test('cannot be told of something that is no version', () => {
    expect(() => bumpVersion('latest', 'patch')).toThrow('--bump patch: "latest" is not a version that can be counted up');
  });
});

describe('what can be released', () => {
  test.each(['1.14.0', '1.14.0-RC1', '1.14.0-SNAPSHOT', '0.0.1', '10.20.30-a.b-c.1', `1.0.0-${'a'.repeat(122)}`])('%s', text => {
    expect(versionProblem(text)).toBeUndefined();
    expect(parseVersion(text, '--release')).toBe(text);
  });

  test.each([
    ['', 'a version is missing'],
    ['v1.2.3', '"v1.2.3" has a leading "v"; write it without'],
    ['V1.2.3', '"V1.2.3" has a leading "v"; write it without'],
    ['1.2', '"1.2" is not a version (major.minor.patch, and a label such as -RC1 where wanted)'],
    ['1.2.3.4', '"1.2.3.4" is not a version'],
    ['1.02.3', '"1.02.3" is not a version'],
    ['latest', '"latest" is not a version'],
    ['1.2.3-', '"1.2.3-" is not a version'],
    ['1.2.3+build.7', '"1.2.3+build.7" cannot be an image tag'],
    [' 1.2.3', '" 1.2.3" cannot be an image tag'],
    ['1.2.3\n', '"1.2.3\\n" cannot be an image tag'],
    [`1.0.0-${'a'.repeat(123)}`, 'at most 128 characters'],
    ['1.2.3; rm -rf /', '"1.2.3; rm -rf /" is not a version'],
    ['$(reboot)', 'is not a version'],
    ['１.２.３', 'is not a version'],
    ['\u001b[2J1.2.3', '"\\u001b[2J1.2.3" is not a version'],
  ])('not %j', (text, why) => {
    expect(versionProblem(text)).toContain(why);
  });

  test('whatever is written, the answer is one short line without control characters', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 400}), text => {
        const why = versionProblem(text);
        if (why === undefined) expect(text).toMatch(/^\d+\.\d+\.\d+/);
        else expect(why).not.toMatch(/[\n\r\t\v\f\b]/);
        expect((why ?? '').length).toBeLessThan(600);
      }),
    );
  });

  test('a wrong one is a usage error that names the flag, and what is allowed', () => {
    try {
      parseVersion('v1', '--release');
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      expect(error).toMatchObject({
        message: '--release: "v1" has a leading "v"; write it without',
        exitCode: 2,
        means: 'Nothing was started.',
      });
      expect(error.next).toEqual(['Give a version such as 1.14.0, 1.14.0-RC1 or 1.14.0-SNAPSHOT.']);
    }
  });
});
