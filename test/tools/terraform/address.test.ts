import {expect, test} from 'vitest';
import {covers} from '../../../src/tools/terraform/address.ts';

test.each([
  ['aws_instance.default', 'aws_instance.default'],
  ['aws_instance.default', 'aws_instance.default[0]'],
  ['aws_instance.default', 'aws_instance.default["a.b[\\"c\\"]"]'],
  ['aws_instance.default[1]', 'aws_instance.default[1]'],
  ['module.app.aws_instance.default', 'module.app["eu.west"].aws_instance.default[0]'],
  ['module.app["eu"].aws_instance.default', 'module.app["eu"].aws_instance.default[0]'],
  ['module.app', 'module.app["eu"].module.db[0].aws_instance.default'],
  ['module.app.module.db', 'module.app["eu"].module.db[0].aws_instance.default'],
])('%s means %s', (general, address) => {
  expect(covers(general, address)).toBe(true);
});

test.each([
  ['aws_instance.default', 'aws_instance.default2'],
  ['aws_instance.default[1]', 'aws_instance.default[0]'],
  ['aws_instance.default[1]', 'aws_instance.default'],
  ['aws_instance.default', 'module.app.aws_instance.default'],
  ['module.app.aws_instance.default', 'aws_instance.default'],
  ['module.app["eu"]', 'module.app["us"].aws_instance.default'],
  ['module.app', 'module.apple.aws_instance.default'],
  ['aws_instance', 'aws_instance.default'],
  ['', 'aws_instance.default'],
  ['aws_instance.default[', 'aws_instance.default[0]'],
])('%s does not mean %s', (general, address) => {
  expect(covers(general, address)).toBe(false);
});
