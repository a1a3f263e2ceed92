/** What the records say of a change that never came to its end: of the newest one of each component, and of nothing else. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {openApplication} from '../../src/commands/application.ts';
import {unfinishedChange} from '../../src/commands/in-between.ts';
import {statusCommand} from '../../src/commands/status.ts';
import {createSurvey} from '../../src/commands/survey.ts';
import {fileStore} from '../../src/record/file-store.ts';
import type {RunEvent} from '../../src/release/events.ts';
import type {Json} from '../../src/release/json.ts';
import type {AnyComponentPlan, Job} from '../../src/release/model.ts';
import {testRelease} from '../support/world.ts';
import {deskAt} from './support/desk.ts';

const job: Job = {component: 'service', phase: 'apply'};
const planTo = (to: string): AnyComponentPlan => ({
  component: 'service',
  kind: 'thing',
  to,
  changes: [],
  notes: [],
  fingerprint: to,
  payload: {goes: to},
});
const planned = (to: string, state: Json = {was: '1'}): RunEvent => ({
  type: 'plan.ready',
  plan: {
    components: [planTo(to)],
    fingerprint: to,
    back: [{component: 'service', revert: 'ask', version: '1', state}],
  },
});
const intent = (step: string): RunEvent => ({type: 'intent', job, step, request: null});
const effect = (step: string, is: 'done' | 'failed'): RunEvent => ({
  type: 'effect',
  job,
  step,
  result: is === 'done' ? {is, value: null} : {is, trouble: {what: 'no'}},
});
const applied = (step: string, is: 'done' | 'failed') => [intent(step), effect(step, is)];

async function desk() {
  const root = await mkdtemp(path.join(tmpdir(), 'dw-between-'));
  onTestFinished(() => rm(root, {recursive: true, force: true}));
  let now = Date.UTC(2026, 0, 15, 12);
  const store = fileStore(path.join(root, 'records'), {now: () => (now += 1000)});
  const [started] = (await testRelease({service: {}}).go()).events;
  if (started?.type !== 'run.started') throw new Error('A run begins with its start.');
  return {
    root,
    record: async (events: readonly RunEvent[], more: Partial<typeof started> = {}) => {
      now += 60_000;
      const {writer} = await store.create('production', '2');
      for (const event of [{...started, ...more}, ...events]) await writer.append(event);
      await writer.close();
    },
    left: async () => (await unfinishedChange(store, 'production', 'service'))?.version,
    look: () => unfinishedChange(store, 'production', 'service'),
  };
}

test('one that failed, or whose end is missing, is unfinished until a later one has arrived', async () => {
  const {record, left, look} = await desk();
  expect(await look()).toBeUndefined();
  await record([planned('2'), ...applied('edit', 'done'), ...applied('apply', 'failed')]);
  expect(await look()).toEqual({version: '2', payload: {goes: '2'}, before: {version: '1', state: {was: '1'}}});
  // A run that changed nothing says nothing of it.
  await record([planned('3')]);
  expect(await left()).toBe('2');
  await record([planned('3'), ...applied('edit', 'done'), ...applied('apply', 'done')]);
  expect(await left()).toBeUndefined();
  await record([planned('4'), intent('apply')]);
  expect(await left()).toBe('4');
});

test('one that was taken back is finished with the way back, and unfinished without', async () => {
  const {record, left} = await desk();
  const failed = [planned('2'), ...applied('apply', 'failed'), {type: 'back.planned', plan: planTo('1')} as const];
  await record([...failed, ...applied('back.apply', 'failed')]);
  expect(await left()).toBe('1');
  await record([...failed, ...applied('back.apply', 'done')]);
  expect(await left()).toBeUndefined();
});

test('who adopts what is there ends every doubt', async () => {
  const {record, left} = await desk();
  await record([planned('2'), ...applied('apply', 'failed')]);
  expect(await left()).toBe('2');
  await record([{type: 'observed', component: 'service', version: '2', state: null}], {kind: 'adopt'});
  expect(await left()).toBeUndefined();
});

test('what the wizard and status show of it is no version: neither the one that was tried nor what the files say', async () => {
  const {record, root} = await desk();
  const config = `application: cookbook
store: records
environments: {production: {}}
components: {service: {kind: terraform, directory: ., workspace: default, tfvars: x.tfvars, set: {tag: "\${version}"}}}
`;
  await writeFile(path.join(root, 'deploy-wizard.config.yaml'), config);
  await writeFile(path.join(root, 'x.tfvars'), 'tag = "2"\n');
  const end = {component: 'service', kind: 'terraform', from: '1', to: '2', end: 'failed', note: 'no'} as const;
  await record([
    planned('2', {set: {tag: '1'}, digest: null}),
    ...applied('edit', 'done'),
    ...applied('apply', 'failed'),
    {type: 'run.finished', outcome: 'failed', exitCode: 1, text: '', components: [end], touched: true, resumable: false},
  ]);
  const at = deskAt({folder: root, env: {HOME: root, PATH: root}});
  const application = await openApplication(at.context, undefined);
  const survey = createSurvey(at.context, application.loaded, () => Promise.resolve(application), []);
  expect((await survey.recall('production')).runs).toEqual([{component: 'service', tried: '2'}]);
  const [card] = await survey.look('production', new AbortController().signal);
  expect(card).toMatchObject({id: 'service', isBetween: true});
  expect(card).not.toHaveProperty('version');

  await statusCommand(at.context, {live: true, output: 'lines'});
  expect(at.stdout()).toMatch(/^service +\? ⚠/m);
  expect(at.stdout()).toMatch(/2 tried until .*\n.*its release ended failed\n.*in between: no version is proven/);
});
