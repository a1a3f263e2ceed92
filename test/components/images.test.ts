import {expect, test} from 'vitest';
import {ecrRepository, shortDigest, tagOf} from '../../src/components/images.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

test.each([
  ['pass-core:1.14.0', '1.14.0'],
  ['333333333333.dkr.ecr.us-east-1.amazonaws.com/pass-core:1.14.0', '1.14.0'],
  [`ghcr.io/eclipse-pass/pass-core:1.14.0@${digest}`, '1.14.0'],
  ['localhost:5000/pass-core', undefined],
  ['localhost:5000/pass-core:2', '2'],
  [`pass-core@${digest}`, undefined],
  ['pass-core', undefined],
])('the tag of %s is %s', (image, tag) => {
  expect(tagOf(image)).toBe(tag);
});

test.each([
  ['333333333333.dkr.ecr.us-east-1.amazonaws.com/pass-core:1.14.0', 'pass-core'],
  ['333333333333.dkr.ecr.cn-north-1.amazonaws.com.cn/jhu/pass-core:1.14.0', 'jhu/pass-core'],
  [`333333333333.dkr.ecr.us-east-1.amazonaws.com/pass-core@${digest}`, 'pass-core'],
  ['ghcr.io/eclipse-pass/pass-core:1.14.0', undefined],
  ['public.ecr.aws/docker/library/busybox:1', undefined],
])('the ECR repository of %s is %s', (image, repository) => {
  expect(ecrRepository(image)).toBe(repository);
});

test('a digest is shortened, anything else is left as it is', () => {
  expect(shortDigest(digest)).toBe('sha256:abababababab…');
  expect(shortDigest('known after build')).toBe('known after build');
});
