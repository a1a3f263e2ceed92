import {describe, expect, test} from 'vitest';
import {
  comparable,
  missingContainer,
  runsImages,
  settingsCount,
  withImages,
} from '../../../src/components/aws/task-definition.ts';
import {versionIn, versionOf} from '../../../src/components/aws/version.ts';
import {canonical} from '../../../src/release/hash.ts';
import type {TaskDefinition} from '../../../src/tools/aws/ecs.ts';

const core = 'registry.example.edu/core';
const digest = `sha256:${'ab'.repeat(32)}`;

function definition(...containers: readonly (readonly [name: string, image: string])[]): TaskDefinition {
  return {
    arn: 'arn:aws:ecs:us-east-1:333333333333:task-definition/core:41',
    family: 'core',
    revision: 41,
    status: 'ACTIVE',
    input: {
      family: 'core',
      cpu: '512',
      containerDefinitions: containers.map(([name, image]) => ({
        name,
        image,
        environment: [{name: 'IMAGE', value: image}],
        secrets: [{name: 'TOKEN', valueFrom: 'arn:aws:ssm:::parameter/token'}],
      })),
      tags: [{key: 'project', value: 'pass'}],
    },
  };
}

const released = (container: string) => ({container, image: `${core}:1.14.0`, digest});

describe('a new revision', () => {
  test('differs in the image of the named container alone', () => {
    const base = definition(['core', `${core}:1.13.2`], ['collector', `${core}:1.13.2`]);
    const kept = base.input['containerDefinitions'];
    expect(withImages(base, [released('core')])).toEqual({
      ...base.input,
      containerDefinitions: Array.isArray(kept) ? [{...kept[0], image: `${core}:1.14.0`}, kept[1]] : [],
    });
  });

  test('is refused where the container is not there, with those that are', () => {
    const base = definition(['core', `${core}:1.13.2`], ['collector', 'otel:1']);
    expect(() => withImages(base, [released('kore')])).toThrow(
      'task definition core:41 has no container kore (it has core, collector)',
    );
    expect(missingContainer(base, ['core', 'collector'])).toBeUndefined();
  });
});

test('a definition runs the released images when all of them are named as they are to be', () => {
  const both = [released('core'), released('worker')];
  expect(runsImages(definition(['core', `${core}:1.14.0`], ['worker', `${core}:1.14.0`]), both)).toBe(true);
  expect(runsImages(definition(['core', `${core}:1.14.0`], ['worker', `${core}:1.13.2`]), both)).toBe(false);
  expect(runsImages(definition(['core', `${core}:1.14.0`]), both)).toBe(false);
});

test('the version is what the named containers agree on', () => {
  const mixed = definition(['core', `${core}:1.13.2`], ['worker', `${core}:1.14.0`], ['collector', 'otel:0.40']);
  expect(versionIn(mixed, ['core'])).toBe('1.13.2');
  expect(versionIn(mixed, ['worker'])).toBe('1.14.0');
  expect(versionIn(mixed, ['core', 'worker'])).toBeUndefined();
  expect(versionIn(definition(['core', `${core}@${digest}`]), ['core'])).toBeUndefined();
});

test('of an image that is named by its digest alone, ECR tells the version: the highest that all containers have', async () => {
  const ecr = '333333333333.dkr.ecr.us-east-1.amazonaws.com';
  const tags: Readonly<Record<string, readonly string[]>> = {
    core: ['latest', '1.14.0-RC2', '1.14.0', '1.9.0'],
    worker: ['1.14.0', '1.14.0-RC2'],
    none: ['latest'],
  };
  const image = (repository: string, asked: string) =>
    Promise.resolve(asked === digest ? {digest, status: 'ACTIVE', tags: tags[repository] ?? []} : undefined);
  const both = definition(
    ['core', `${ecr}/core@${digest}`],
    ['worker', `${ecr}/worker@${digest}`],
    ['none', `${ecr}/none@${digest}`],
  );
  const version = (...names: readonly string[]) => versionOf(both, names, {aws: {ecr: {image}}});
  expect(await version('core', 'worker')).toBe('1.14.0');
  expect(await version('none')).toBeUndefined();
  expect(await version('core', 'none')).toBeUndefined();
  const denied = {image: () => Promise.reject(new Error('not allowed'))};
  expect(await versionOf(both, ['core'], {aws: {ecr: denied}})).toBeUndefined();
});

test('what a plan says to stay is counted in single settings', () => {
  expect(settingsCount(definition(['core', `${core}:1.13.2`]))).toBe(2 + 2 + 2 + 2 + 2);
});

describe('two definitions are compared', () => {
  test('without regard to orders that AWS does not keep', () => {
    const one = {
      tags: [
        {key: 'a', value: '1'},
        {key: 'b', value: '2'},
      ],
      environment: [
        {name: 'A', value: '1'},
        {name: 'B', value: '2'},
      ],
    };
    const other = {
      environment: [
        {value: '2', name: 'B'},
        {name: 'A', value: '1'},
      ],
      tags: [
        {key: 'b', value: '2'},
        {key: 'a', value: '1'},
      ],
    };
    expect(canonical(comparable(one))).toBe(canonical(comparable(other)));
  });

  test('value by value', () => {
    expect(comparable({environment: [{name: 'A', value: '1'}]})).not.toEqual(
      comparable({environment: [{name: 'A', value: '2'}]}),
    );
  });
});
