import {expect, test} from 'vitest';
import {missingContainer, pinned, runsImages, withImages} from '../../../src/components/aws/task-definition.ts';
import {versionIn} from '../../../src/components/aws/version.ts';
import {imagesIn} from '../../../src/components/aws/containers.ts';
import type {Input} from '../../../src/components/aws/containers.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const definition = (input: Input, of: 'task' | 'job' = 'job') => ({
  arn: `arn:aws:batch:us-east-1:333333333333:${of}-definition/loader:7`,
  family: 'loader',
  revision: 7,
  status: 'ACTIVE',
  input,
});
const loader = [{container: 'default', image: 'registry/loader:2', digest}];

test('a job definition has one container without a name', () => {
  const single = definition({type: 'container', containerProperties: {image: 'registry/loader:1', command: ['load']}});
  expect(withImages(single, loader)).toEqual({
    type: 'container',
    containerProperties: {image: 'registry/loader:2', command: ['load']},
  });
  expect(versionIn(single, ['default'])).toBe('1');
  expect(missingContainer(single, ['loader'])).toBe('job definition loader:7 has no container loader (it has default)');
});

test('a job definition for ECS has several, by name; a single one is the default as well', () => {
  const containers = [
    {name: 'loader', image: 'registry/loader:1', essential: true},
    {name: 'collector', image: 'registry/collector:9'},
  ];
  const several = definition({ecsProperties: {taskProperties: [{cpu: '1', containers}]}});
  expect([...imagesIn(several.input).keys()]).toEqual(['loader', 'collector']);
  expect(withImages(several, [{container: 'loader', image: 'registry/loader:2', digest}])).toEqual({
    ecsProperties: {taskProperties: [{cpu: '1', containers: [{...containers[0], image: 'registry/loader:2'}, containers[1]]}]},
  });
  expect(() => withImages(several, loader)).toThrow('has no container default (it has loader, collector)');

  const one = definition({ecsProperties: {taskProperties: [{containers: containers.slice(0, 1)}]}});
  expect(runsImages({...one, input: withImages(one, loader)}, loader)).toBe(true);
});

test('what runs on several nodes or on EKS is refused in words', () => {
  expect(missingContainer(definition({nodeProperties: {}}), ['default'])).toBe(
    'job definition loader:7 cannot be released: it is for several nodes (nodeProperties): deploy-wizard releases those of one node',
  );
  expect(missingContainer(definition({eksProperties: {}}), ['default'])).toContain('it runs on EKS');
});

test('an image that is pinned by its digest still says its version', () => {
  const image = pinned('registry:5000/loader:1.14.0', digest);
  expect(image).toBe(`registry:5000/loader:1.14.0@${digest}`);
  expect(versionIn(definition({containerDefinitions: [{name: 'loader', image}]}, 'task'), ['loader'])).toBe('1.14.0');
});
