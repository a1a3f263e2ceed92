import {describe, expect, test} from 'vitest';
import {secretReferences} from '../../src/config/interpolate.ts';

describe('values of the environment that are hidden', () => {
  const env = {TOKEN: 'tok-9f3c41', OTHER: 'tok-other', CLUSTER: 'pass-production', SHORT: 'dev'};
  const trigger = (settings: object) => ({components: {core: {kind: 'sns-trigger', ...settings}}});

  test('are those that are sent elsewhere: in messages, their attributes, the arguments of a build, and what is looked at', () => {
    const settings = {
      message: {deep: [{token: 'Bearer ${env:TOKEN}'}]},
      attributes: {who: '${ env:OTHER }'},
      verify: {http: 'https://x/?key=${env:TOKEN}', expect: '${version}'},
    };
    expect(secretReferences(trigger(settings), env)).toEqual([env.TOKEN, env.OTHER]);
    expect(secretReferences({source: {build: {args: {PIP_TOKEN: '${env:TOKEN}'}}}}, env)).toEqual([env.TOKEN]);
  });

  test('are not those that name things, wherever else they stand', () => {
    const settings = {topic: '${env:CLUSTER}-deploy', message: {cluster: '${env:CLUSTER}'}, verify: 'none'};
    expect(secretReferences(trigger(settings), env)).toEqual([]);
  });

  test('are not ordinary words, nothing that is not set, and nothing that is no reference', () => {
    const settings = {message: {stage: '${env:SHORT}', missing: '${env:NONE}', plain: '$${env:TOKEN}'}, verify: 'none'};
    expect(secretReferences(trigger(settings), env)).toEqual([]);
  });
});
