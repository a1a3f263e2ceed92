import {expect, test} from 'vitest';
import {terraformEnvironment} from '../../../src/tools/terraform/environment.ts';

test('drops what changes the meaning of a command, and names it', () => {
  const {env, dropped} = terraformEnvironment({
    PATH: '/bin',
    TF_CLI_ARGS: '-input=false',
    TF_CLI_ARGS_plan: '-destroy',
    TF_WORKSPACE: 'produciton',
    TF_LOG: 'TRACE',
    TF_LOG_PATH: '/tmp/log',
    TF_LOG_PROVIDER: 'DEBUG',
    TF_INPUT: '1',
    TF_VAR_image_tag: '0.9.0',
  });
  expect(env).toEqual({PATH: '/bin', TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1'});
  expect(dropped).toEqual([
    'TF_CLI_ARGS',
    'TF_CLI_ARGS_plan',
    'TF_INPUT',
    'TF_LOG',
    'TF_LOG_PATH',
    'TF_LOG_PROVIDER',
    'TF_VAR_image_tag',
    'TF_WORKSPACE',
  ]);
});

test('keeps the variables that the config names, and what says where things are', () => {
  const kept = {
    TF_VAR_db_password: 'secret',
    TF_PLUGIN_CACHE_DIR: '/cache',
    TF_DATA_DIR: '.tf',
    TF_CLI_CONFIG_FILE: '/etc/tf.rc',
    TF_REGISTRY_CLIENT_TIMEOUT: '15',
    TF_TOKEN_app_terraform_io: 'token',
    AWS_PROFILE: 'prod',
  };
  const {env, dropped} = terraformEnvironment(kept, ['db_password']);
  expect(env).toMatchObject(kept);
  expect(dropped).toEqual([]);
});

test('says nothing about variables that are empty, not there, or set to what they are set to anyway', () => {
  expect(terraformEnvironment({TF_WORKSPACE: '', TF_LOG: undefined, TF_INPUT: '0'}).dropped).toEqual([]);
});
