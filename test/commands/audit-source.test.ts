/** Where images came from, as an audit finds it in a checkout: commits and tags of a real repository. */
import {execFileSync} from 'node:child_process';
import path from 'node:path';
import {writeFile} from 'node:fs/promises';
import {expect, test} from 'vitest';
import {sourceLines} from '../../src/commands/audit/source.ts';
import type {AuditedRun} from '../../src/commands/audit/find.ts';
import {parseConfig} from '../../src/config/load.ts';
import {fileStore} from '../../src/record/file-store.ts';
import {createStop} from '../../src/release/contract.ts';
import {type DoneStep, stepKey} from '../../src/release/history.ts';
import type {Json} from '../../src/release/json.ts';
import {recordedRun} from '../../src/release/standing.ts';
import {worldOf} from '../components/support/world.ts';
import {folder} from '../record/support/places.ts';
import {testRelease} from '../support/world.ts';
import {deskAt} from './support/desk.ts';

const config =
  'application: app\nenvironments: {production: {}}\ncomponents: {service: {kind: terraform, set: {tag: "${version}"}}}\n';
const elsewhere = '0123456789'.repeat(4);

/** A repository with one commit, and what an audit says there of a release that has these steps. */
async function checkout() {
  const root = await folder();
  const env = {PATH: process.env['PATH'] ?? '', HOME: root, GIT_CONFIG_NOSYSTEM: '1'};
  const git = (...args: readonly string[]) => {
    const as = ['-c', 'user.name=Jo', '-c', 'user.email=jo@example.org'];
    return execFileSync('git', [...as, ...args], {cwd: root, env, encoding: 'utf8', stdio: 'pipe'}).trim();
  };
  await writeFile(path.join(root, 'VERSION'), '1.14.0\n');
  git('init', '--quiet');
  git('add', 'VERSION');
  git('commit', '--quiet', '--message=1.14.0');
  const store = fileStore(path.join(root, 'records'), {now: Date.now});
  const {run, writer} = await store.create('production', '1.14.0');
  for (const event of (await testRelease({service: {}}).go()).events) await writer.append(event);
  await writer.close();
  const record = await store.read('production', run);
  const recorded = recordedRun(run, record.events);
  if (recorded === undefined) throw new Error('it is a run');
  const say = async (steps: Readonly<Record<string, {request?: Json; result?: Json}>>, at = root) => {
    const loaded = parseConfig(config, path.join(at, 'deploy-wizard.config.yaml'), {});
    const {context} = deskAt({folder: at, env});
    const world = worldOf(context, {loaded, version: '1.14.0', scratch: path.join(root, 'scratch'), readOnly: true});
    const done = Object.entries(steps).map(([step, {request = null, result = null}]): [string, DoneStep] => [
      stepKey('service', step),
      {job: {component: 'service', phase: 'build'}, step, request, result},
    ]);
    const audited: AuditedRun = {...recorded, record, history: {...recorded.history, done: new Map(done)}};
    const io = world.ioFor({component: '*', phase: 'verify'}, createStop());
    const lines = await sourceLines({audited, loaded, environment: 'production', store, see: '', earlier: []}, io);
    return lines.map(({status, text, found, next}) => [status, text, found, ...(next === undefined ? [] : [next])].join(' | '));
  };
  return {git, head: () => git('rev-parse', 'HEAD'), say};
}

const built = (revision: string | null, labels: Record<string, string> = {}) => ({
  build: {request: {reference: 'app:1.14.0', revision, labels}},
});

test('an image was built from a commit that is here, with a clean tree; what was applied is committed; the tag is at it', async () => {
  const {git, head, say} = await checkout();
  const commit = head();
  git('tag', '--annotate', '--message=1.14.0', 'v1.14.0');
  const steps = {
    ...built(commit),
    'commit-tfvars': {result: {commit, made: true}},
    tag: {request: {name: 'v1.14.0', commit}},
  };
  expect(await say(steps)).toEqual([
    `passed | app:1.14.0 was built from a commit, with a clean tree | ${commit}`,
    `passed | service: what was applied is committed | ${commit}`,
    `passed | git tag v1.14.0 is at ${commit.slice(0, 12)} | ${commit}`,
  ]);

  // Somebody moves the tag.
  git('commit', '--quiet', '--allow-empty', '--message=another');
  git('tag', '--force', 'v1.14.0');
  expect((await say(steps)).at(-1)).toBe(`failed | git tag v1.14.0 is at ${commit.slice(0, 12)} | it is at ${head()}`);
});

test('one that was built from more than a commit says so, and from what', async () => {
  const {say} = await checkout();
  const what = 'app:1.14.0 was built from a commit, with a clean tree';
  expect(await say(built(null))).toEqual([`warned | ${what} | it was built outside of git`]);
  expect(await say(built(null, {'org.opencontainers.image.revision': `${elsewhere}-dirty`}))).toEqual([
    `warned | ${what} | it was built from ${elsewhere}-dirty: changes that no commit has`,
  ]);
});

test('what this checkout does not have is open, with how to get it', async () => {
  const {say} = await checkout();
  expect(await say({...built(elsewhere), tag: {request: {name: 'v1.14.0', commit: elsewhere}}})).toEqual([
    `open | app:1.14.0 was built from a commit, with a clean tree | ${elsewhere} is not in this checkout | git fetch`,
    'open | git tag v1.14.0 is at 012345678901 | there is no such tag in this checkout | git fetch --tags',
  ]);
  expect(await say(built(elsewhere), await folder())).toEqual([
    `open | app:1.14.0 was built from a commit, with a clean tree | ${elsewhere}: there is no git repository here`,
  ]);
});
