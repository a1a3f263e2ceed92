import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {execa} from 'execa';
import {describe, expect, test} from 'vitest';
import {config} from '../../src/config/schema.ts';
import {openMedium} from '../../src/record/open.ts';
import {s3Place} from '../../src/record/place.ts';
import {folder} from './support/places.ts';

const opening = {env: {}, from: '/application', logs: '/state', sleep: () => Promise.resolve()};

describe('what `store:` names', () => {
  test.each([
    ['records', '/application/records', false],
    ['/var/records', '/var/records', false],
    ['s3://releases', 's3://releases', true],
    ['s3://releases/pass/', 's3://releases/pass', true],
    ['s3://our.releases/teams/pass', 's3://our.releases/teams/pass', true],
  ])('%s is in %s', async (store, place, shared) => {
    expect(await openMedium(store, opening)).toMatchObject({place, shared});
  });

  test('an address in S3 is taken apart', () => {
    expect(s3Place('s3://releases')).toEqual({bucket: 'releases', prefix: ''});
    expect(s3Place('s3://releases/a/b/')).toEqual({bucket: 'releases', prefix: 'a/b'});
  });

  test.each(['s3://', 's3://Releases', 's3://releases//pass', 's3://re', 's3://releases/a b', 's3://releases/../x y'])(
    '%j is a mistake in the config file',
    store => {
      const {error} = config.pick({store: true}).safeParse({store});
      expect(error?.issues[0]?.message).toBe('a store in S3 is s3://bucket or s3://bucket/prefix');
    },
  );
});

test(
  'a store in a folder loads nothing of AWS; one in S3 loads its client when it is first asked',
  {timeout: 30_000},
  async () => {
    const hook = pathToFileURL(path.join(import.meta.dirname, '..', 'commands', 'support', 'loaded.ts')).href;
    const source = pathToFileURL(path.join(import.meta.dirname, '..', '..', 'src', 'record', 'open.ts')).href;
    const loadedBy = async (store: string, use: string) => {
      const DW_LOADED = path.join(await folder(), 'loaded');
      const program = `const {openMedium} = await import(${JSON.stringify(source)});
      const medium = await openMedium(${JSON.stringify(store)}, {env: {}, from: '/', logs: '/', sleep: async () => undefined});
      ${use}`;
      await execa(process.execPath, [`--import=${hook}`, '--input-type=module', '--eval', program], {env: {DW_LOADED}});
      return (await readFile(DW_LOADED, 'utf8')).split('\n').filter(url => url.includes('/@aws-sdk/'));
    };
    expect(await loadedBy(await folder(), `await medium.journals('production');`)).toEqual([]);
    expect(await loadedBy('s3://releases/pass', '')).toEqual([]);
  },
);
