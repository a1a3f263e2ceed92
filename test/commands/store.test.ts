/** `store migrate`, between two folders: S3 is told in test/record/migrate.test.ts. */
import {readFile, readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {stringify} from 'yaml';
import {storeRoot} from '../../src/commands/places.ts';
import {storeCommand} from '../../src/commands/store.ts';
import {parseConfig} from '../../src/config/load.ts';
import {fileStore} from '../../src/record/file-store.ts';
import {takeLock} from '../../src/record/lock.ts';
import {folder} from '../record/support/places.ts';
import {passConfig} from '../support/pass.ts';
import {deskAt} from './support/desk.ts';

const environment = 'production';
const ann = {user: 'ann', host: 'elsewhere', pid: 7, work: 'release 2.0.0', since: '2026-01-15T12:00:00.000Z'};

/** A folder with records of one run in `old`. */
async function place() {
  const cwd = await folder();
  const desk = deskAt({folder: cwd, env: {HOME: cwd}});
  const store = (name: string) => fileStore(path.join(cwd, name), desk.context.clock);
  const {run, writer} = await store('old').create(environment, '1.14.0');
  await writer.append({type: 'job.started', job: {component: 'core', phase: 'apply'}, text: 'alpha'});
  await writer.close();
  return {cwd, desk, store, run, migrate: (from = 'old', to = 'new') => storeCommand(desk.context, {from, to})};
}

test('copies what is there, says each by name, and what to set', async () => {
  const {desk, store, run, migrate} = await place();
  expect(await migrate()).toBe(0);
  expect(desk.stdout()).toBe(
    `✔ production ${run}   copied\n1 copied, 0 there already, 0 refused. Logs of jobs stay where they are.\nNow set \`store: new\` in the config file.\n`,
  );
  expect(await store('new').read(environment, run)).toMatchObject({problems: [], head: {length: 1}});
  expect(await migrate()).toBe(0);
  expect(desk.stdout()).toContain(`✔ production ${run}   there already\n`);
});

test('a record that was changed is refused: exit 1', async () => {
  const {cwd, desk, run, migrate} = await place();
  const file = path.join(cwd, 'old', environment, run, 'record.ndjson');
  await writeFile(file, (await readFile(file, 'utf8')).replace('alpha', 'omega'));
  expect(await migrate()).toBe(1);
  expect(desk.stdout()).toContain(
    `✖ production ${run}   refused: it was changed by somebody: line 1: is not what the head names\n`,
  );
  expect(desk.stdout()).not.toContain('Now set');
});

test('an environment at which somebody is at work is not copied: exit 4', async () => {
  const {cwd, store, migrate} = await place();
  const lock = await takeLock(store('old').lock(environment), ann, {environment});
  await expect(migrate()).rejects.toMatchObject({exitCode: 4, message: expect.stringMatching(/^production is locked by ann/)});
  expect(await readdir(cwd)).toEqual(['old']);
  await lock.release();
  expect(await migrate()).toBe(0);
});

test('what is frozen is frozen in the new store, too', async () => {
  const {store, migrate} = await place();
  await (await takeLock(store('old').lock(environment), {...ann, reason: 'we are moving'}, {environment})).freeze();
  expect(await migrate()).toBe(0);
  await expect(takeLock(store('new').lock(environment), ann, {environment})).rejects.toThrow(
    /^production is frozen by ann .*: we are moving$/,
  );
});

test.each([
  ['$XDG_STATE_HOME/deploy-wizard/<application>', {XDG_STATE_HOME: '/var/state'}, undefined, '/var/state/deploy-wizard/pass'],
  ['below the home without it', {}, undefined, '/home/jo/.local/state/deploy-wizard/pass'],
  ['a folder beside the config file', {}, 'records', '/app/records'],
])('records are kept in %s', (_where, env, store, place) => {
  const loaded = parseConfig(
    stringify({...passConfig('http://pass.test'), ...(store !== undefined && {store})}),
    '/app/c.yaml',
    {},
  );
  expect(storeRoot(loaded, {env, home: '/home/jo'})).toBe(place);
});

test.each([
  [{}, /needs --from and --to/],
  [{from: 'old'}, /needs --from and --to/],
  [{from: 'old', to: './old'}, /are the same store/],
  [{from: 'nothing', to: 'new'}, /there are no records in .*nothing$/],
  [{from: 'old', to: 's3://No'}, /s3:\/\/No is no s3:\/\/bucket\/prefix/],
])('%j: exit 2', async (options, words) => {
  const {desk} = await place();
  const refused = storeCommand(desk.context, options);
  await expect(refused).rejects.toThrow(words);
  await expect(refused).rejects.toMatchObject({exitCode: 2});
});
