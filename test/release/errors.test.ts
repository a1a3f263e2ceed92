import {expect, test} from 'vitest';
import {inOneLine} from '../../src/release/errors.ts';

test('a command that somebody is told to run is not run into the sentence behind it', () => {
  expect(inOneLine(['Run: chopaws --profile prod', 'Then start again.'])).toBe('Run: chopaws --profile prod · Then start again.');
  expect(inOneLine(['It will not get better by itself.', 'Push the image'])).toBe(
    'It will not get better by itself. Push the image',
  );
  expect(inOneLine(['docker login ghcr.io'])).toBe('docker login ghcr.io');
});
